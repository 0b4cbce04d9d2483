package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/load"
	"fathom/analyzer/load/cache"
	"fathom/ui"
)

// setting is one row of the table of settings. Its flag, its variable, its key
// in the config file, the schema of that file, the starter that config init
// writes and the tables of docs/config.md are made from it.
type setting struct {
	name    string // also the flag and, behind FATHOM_, the variable
	group   group
	in      places
	negated bool // its flag is --no-NAME and means the opposite
	takes   kind
	help    string // of the flag; the word in backticks stands for the value
	example string // in the starter: YAML after "name: ", or whole lines below it
	active  bool   // its example in the starter is not a comment
}

// group is what a setting is about. Commands have the flags of whole groups.
type group string

const (
	opening  group = ""         // how to open an image
	explorer group = "ui"       // how the explorer looks: the section ui of the config file
	judgment group = "ci"       // how to judge an image: the section ci
	search   group = "findings" // what to look for: the section findings

	building group = "build" // what the image was built from: the section build

	gating     group = "--ci"     // whether to judge one
	configFile group = "--config" // which file to read
)

// places says where a setting can be given.
type places uint8

const (
	inFlag places = 1 << iota
	inVariable
	inFile
	ungated // its flag doesn't ask for a verdict

	inArgs = inFlag | inVariable
	inAll  = inArgs | inFile
)

// settings are the values that flags, the environment and the config files
// give.
type settings struct {
	load     load.Options
	timeout  time.Duration
	noCache  bool
	explorer ui.Options
	mouse    bool
	remember bool
	secrets  string // one of the Secrets constants of package facts
	origin   inspect.OriginOptions
	ci       bool
	config   string
	judging
	given map[string]given // by name: where the value is from

	rows []setting
}

// newSettings returns the defaults, and the table that changes them.
func newSettings() *settings {
	s := &settings{timeout: time.Minute, mouse: true, secrets: facts.SecretsAll, given: map[string]given{}, judging: judging{rules: map[string]ruleValue{}, missing: missingFail}}
	s.rows = s.table()
	return s
}

// given is a setting's value in one place.
type given struct {
	text string            // the value, as config show writes it
	from string            // "--max-size", "FATHOM_MAX_SIZE", ".fathom.yaml:4:13"; "default"
	put  func(from string) // stores the value
}

// table returns every setting. Their values go into s.
func (s *settings) table() []setting {
	names := func(all []string) string { return strings.Join(all, ", ") }
	open := &s.load
	rows := []setting{
		{name: "image", in: inFlag, takes: text(&open.Image, ""), help: "which image, if the source holds several: a `TAG`, a digest, or @N for the Nth from 0"},
		{name: "platform", in: inArgs, takes: text(&open.Platform, ""), help: "which platform, if there are several: `OS/ARCH[/VARIANT]`"},
		{name: "temp", in: inArgs, takes: text(&open.Temp, ""), help: "keep temporary files in `DIR`"},
		{name: "no-keep", in: inArgs, takes: truth(&open.NoKeep), help: "keep nothing of an image that is streamed: no temporary file, no content to look at"},
		{name: "via", in: inArgs, takes: oneOf(&open.Via, load.ViaStorage, load.ViaAPI), help: "how to read an engine's image: `WAY` is storage (its folders) or api (as a save does); by default the first that works"},
		{name: "verify", in: inArgs, takes: truth(&open.Verify), help: "compare every digest and diff ID with the content, which reads all of it"},
		{name: "timeout", in: inArgs, takes: duration(&s.timeout), help: "give up on an engine, a registry or a credential helper that sends nothing for `DURATION`"},
		{name: "rootfs", in: inFlag, takes: truth(&open.Rootfs), help: "open a tar as one layer, whatever is in it: a root filesystem or a layer"},
		{name: "max-memory", in: inArgs, takes: size(&open.MaxMemory), help: "take at most `SIZE` of memory for the image (default a sixteenth of the machine's, at least 1GB)"},
		{name: "max-unpacked", in: inArgs, takes: size(&open.MaxUnpacked), help: "decompress at most `SIZE` of the image (default 64GiB)"},
		{name: "max-temp", in: inArgs, takes: size(&open.MaxTemp), help: "write at most `SIZE` to temporary files (default 64GiB)"},
		{name: "registry-mirror", in: inFlag, takes: listOf(&open.Registry.Mirrors, nil), help: "read images of HOST, by default docker.io, from a mirror first: `[HOST=]MIRROR`; may be repeated"},
		{name: "insecure-registry", in: inFlag, takes: listOf(&open.Registry.Insecure, nil), help: "read `HOST[:PORT]` over plain http too, and with any certificate; may be repeated"},
		{name: "ca", in: inArgs, takes: text(&open.Registry.CA, ""), help: "trust registries by the certificates in `FILE` too"},
		{name: "no-cache", in: inArgs, takes: truth(&s.noCache), help: "neither read nor fill the cache of layers from registries"},

		{name: "theme", group: explorer, in: inAll, takes: oneOf(&s.explorer.Theme, ui.Themes()...), help: "colour `THEME` of the explorer: " + names(ui.Themes())},
		{name: "ascii", group: explorer, in: inAll, takes: truth(&s.explorer.ASCII), help: "draw the explorer without box and block characters"},
		{name: "mouse", group: explorer, in: inAll, negated: true, takes: truth(&s.mouse), help: "leave the mouse to the terminal"},
		{name: "keys", group: explorer, in: inFile, takes: keyTable(&s.explorer)},
		{name: "remember", group: explorer, in: inVariable | inFile, takes: truth(&s.remember), help: "start with what was chosen in the explorer the last time"},
	}
	for _, c := range s.explorer.Choices.All() {
		r := setting{name: c.Name, group: explorer, in: inFile, help: c.Help, takes: choice(c)}
		if c.Name == "sort" {
			r.in = inAll
			r.help += ": " + names(c.Values[:len(c.Values)/2]) + "; -ORDER reverses it"
		}
		rows = append(rows, r)
	}
	rows = append(rows, []setting{
		{name: "secrets", group: search, in: inAll, takes: oneOf(&s.secrets, facts.SecretsAll, facts.SecretsOwn, facts.SecretsOff), help: "search `WHICH` layers and the configuration for secrets: all, own (without those of a base image that is known for sure), or off (default all)"},
		{name: "base", group: building, in: inAll, takes: imagesOf(&s.origin.Bases), help: "the base image is this `IMAGE`, or one of several; may be repeated", example: "[debian:12]"},
		{name: "dockerfile", group: building, in: inAll, takes: dockerfile(&s.origin.Dockerfile), help: "the image was built from `FILE`, a path in the repository: reports point at its lines (default Dockerfile, if it fits the image)", example: "docker/app.Dockerfile"},
		{name: "provenance", group: building, in: inArgs, takes: text(&s.origin.Provenance, "provenance"), help: "read how the image was built from `FILE`: an attestation, or what docker buildx build --metadata-file wrote"},
		{name: "offline", group: building, in: inAll, takes: truth(&s.origin.Offline), help: "ask neither engines nor registries what the base image is", example: "false"},

		{name: "ci", group: gating, in: inFlag, takes: truth(&s.ci), help: "judge the image: exit 1 when a rule fails, 2 when it can't be evaluated (CI=true in the environment does the same)"},
	}...)
	for _, spec := range gate.Specs() {
		rows = append(rows, setting{
			name: spec.Name, group: judgment, in: inAll, takes: s.judging.rule(&spec), help: ruleHelp(&spec),
			example: spec.Example, active: spec.Default != "",
		})
	}
	return append(rows,
		setting{name: "warn", group: judgment, in: inArgs, takes: listOf(&s.warn, ruleNames()), help: "only warn if `RULE` is broken; may be repeated"},
		setting{name: "fail-on", group: judgment, in: inAll, takes: ranked(&s.failOn, gate.Severities()), help: "the least `SEVERITY` of a broken rule that fails: error, or warn", example: "error"},
		setting{name: "scope", group: judgment, in: inAll | ungated, takes: ranked(&s.scope, gate.Scopes()), help: "layers that rules judge, if they don't say it themselves: `SCOPE` is own (those above the base image), all, or auto (the default rules: own, if the base image is known for sure; others: all)", example: "auto"},
		setting{name: "no-fail", group: judgment, in: inAll, takes: truth(&s.noFail), help: "exit 0 even if a rule fails; what can't be evaluated is still 2", example: "false"},
		setting{name: "allow-toc", group: judgment, in: inAll | ungated, takes: truth(&s.allowTOC), help: "also judge layers whose table of contents was not compared with their content", example: "false"},
		setting{name: "baseline", group: judgment, in: inAll, takes: text(&s.baseline, "baseline"), help: "what to compare with: an `IMAGE`, or the file of a report in JSON", example: "fathom-baseline.json"},
		setting{name: "baseline-missing", group: judgment, in: inAll, takes: oneOf(&s.missing, missingFail, missingPass), help: "what to do if there is no baseline yet: `MODE` is fail, or pass, which skips the rules that need one and says so", example: "fail"},
		setting{name: "only-new", group: judgment, in: inAll, takes: truth(&s.onlyNew), help: "don't count waste, findings, denied paths and packages that the baseline has too, nor sizes that are no worse than its", example: "false"},
		setting{name: "suppress", group: judgment, in: inFile, takes: suppressions(&s.suppress), help: "waste and, with a rule, denied paths, packages or findings that are accepted, until the day has passed", example: suppressExample},
		setting{name: "config", group: configFile, in: inArgs, takes: text(&s.config, "file"), help: "read `FILE` in place of the project's config file; a name that begins with .dive-ci is read as dive's"},
	)
}

const suppressExample = `
  - path: /var/lib/dpkg/**
    reason: the base image is updated in a step of its own
    until: 2027-06-30
  - path: /srv/app/test/.env
    rule: deny-path
    reason: settings of the test suite, without a secret
  - package: npm:left-pad
    rule: deny-package
    reason: the last version is known to be harmless
  - rule: removed-later
    reason: the base image is squashed by the platform team`

// flag returns the name of the setting's flag.
func (r *setting) flag() string {
	if r.negated {
		return "no-" + r.name
	}
	return r.name
}

// plain returns the help as a sentence, without placeholders.
func (r *setting) plain() string {
	parts := strings.Split(r.help, "`")
	for i := 1; i < len(parts); i += 2 {
		parts[i] = strings.ToLower(parts[i])
	}
	return strings.Join(parts, "")
}

// variable returns the setting's environment variable, or "".
func (r *setting) variable() string {
	if r.in&inVariable == 0 {
		return ""
	}
	return variable(r.name)
}

func variable(name string) string {
	return "FATHOM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// flagText is a flag of the table. It takes any text. settle checks it, once all
// flags are parsed: only then it is known where results go.
type flagText struct {
	takes kind
	texts []string
}

// Set, String and Type make it a pflag.Value.
func (f *flagText) Set(text string) error {
	if !f.takes.many {
		f.texts = nil
	}
	f.texts = append(f.texts, text)
	return nil
}

func (f *flagText) String() string { return strings.Join(f.texts, ",") }

func (f *flagText) Type() string {
	switch {
	case f.takes.truth:
		return "bool"
	case f.takes.many:
		return "stringArray"
	}
	return "text"
}

// addFlags adds the flags of some groups.
func (s *settings) addFlags(flags *pflag.FlagSet, groups ...group) {
	for _, r := range s.rows {
		if r.in&inFlag == 0 || !slices.Contains(groups, r.group) {
			continue
		}
		help := r.help
		if r.group == judgment && r.in&ungated == 0 {
			help += "; implies --ci"
		}
		f := flags.VarPF(&flagText{takes: r.takes}, r.flag(), "", help)
		if r.group == opening {
			f.DefValue = r.takes.initial
		}
		if r.takes.truth {
			f.DefValue, f.NoOptDefVal = "false", "true"
		}
	}
}

// settle takes each setting of some groups from the first place that has it:
// its flag, its variable, the config files, the default. A wrong flag is the
// error before a wrong variable.
func (a *app) settle(s *settings, flags *pflag.FlagSet, c *config, groups ...group) error {
	var first error
	defer s.sortCompared()
	for _, r := range s.rows {
		if !slices.Contains(groups, r.group) {
			continue
		}
		switch err := a.settleOne(s, &r, flags, c); {
		case err != nil && strings.HasPrefix(err.Error(), "--"):
			return err
		case first == nil:
			first = err
		}
	}
	return first
}

// sortCompared makes the order of files that of a comparison, too, unless one is set for
// comparisons and that of files is not from a flag.
func (s *settings) sortCompared() {
	files, compared := s.given["sort"], s.given["sort-compared"]
	if files.put != nil && (compared.put == nil || strings.HasPrefix(files.from, "--")) {
		s.explorer.Choices.Compared.Sort = s.explorer.Choices.Files.Sort
		s.given["sort-compared"] = files
	}
}

func (a *app) settleOne(s *settings, r *setting, flags *pflag.FlagSet, c *config) error {
	flag, variable := flags.Lookup(r.flag()), r.variable()
	var g given
	var err error
	switch {
	case r.in&inFlag != 0 && flag != nil && flag.Changed:
		texts := flag.Value.(*flagText).texts
		if off, err := strconv.ParseBool(texts[0]); r.negated && err == nil {
			texts = []string{strconv.FormatBool(!off)}
		}
		g, err = r.takes.parse(texts)
		g.from = "--" + r.flag()
		if err != nil && r.takes.truth {
			err = &hintError{err, g.from + " alone means true"}
		}
	case variable != "" && a.getenv(variable) != "":
		texts := []string{a.getenv(variable)}
		if r.takes.split != nil {
			texts = strings.FieldsFunc(texts[0], r.takes.split)
		}
		g, err = r.takes.parse(texts)
		g.from = variable
	default:
		if g = c.section(r.group).values[r.name]; g.put == nil {
			g = given{text: r.takes.initial, from: "default"}
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", g.from, err)
	}
	if g.put != nil {
		g.put(g.from)
	}
	s.given[r.name] = g
	return nil
}

// advice returns what to look for in an image.
func (s *settings) advice() advice.Options {
	return advice.Options{NoSecrets: s.secrets == facts.SecretsOff, OwnSecrets: s.secrets == facts.SecretsOwn}
}

// options returns how to open an image.
func (s *settings) options() load.Options {
	opt := s.load
	opt.Engine.Idle, opt.Registry.Idle = s.timeout, s.timeout
	if !s.noCache {
		if c, err := cache.Open("", 0); err == nil { // a user without a folder for it does without
			opt.Cache = c
		}
	}
	return opt
}
