package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"fathom/analyzer/gate"
)

// gateFlags say how an image is judged.
type gateFlags struct {
	set      *pflag.FlagSet
	rules    map[string]*string
	globs    map[string]*[]string
	warn     []string
	failOn   string
	noFail   bool
	allowTOC bool
	baseline string
	config   string
}

func (f *gateFlags) add(flags *pflag.FlagSet) {
	f.set = flags
	f.rules, f.globs = map[string]*string{}, map[string]*[]string{}
	for _, s := range gate.Specs() {
		f.addRule(&s)
	}
	flags.StringArrayVar(&f.warn, "warn", nil, "only warn when `RULE` is broken, any number of times; implies --ci")
	flags.StringVar(&f.failOn, "fail-on", "", "what fails: `SEVERITY` is error (broken rules of severity warn are only shown) or warn; implies --ci")
	flags.BoolVar(&f.noFail, "no-fail", false, "exit 0 also when a rule fails; what can't be judged is still 2; implies --ci")
	flags.BoolVar(&f.allowTOC, "allow-toc", false, "judge also layers whose table of contents nobody compared with their content")
	flags.StringVar(&f.baseline, "baseline", "", "what --max-growth measures from: `IMAGE`, or the file of a report in JSON; implies --ci")
	flags.StringVar(&f.config, "config", "", "read `FILE` in place of the project's config file; a name that begins with .dive-ci is read as dive's")
}

func (f *gateFlags) addRule(s *gate.Spec) {
	usage := func(limit string) string { return "rule: " + s.Means + limit + "; implies --ci" }
	if s.Form == gate.Globs {
		f.globs[s.Name] = f.set.StringArray(s.Name, nil, usage(": `GLOB`, any number of times"))
		return
	}
	v := new(string)
	f.rules[s.Name] = v
	switch {
	case s.Form == gate.Switch:
		f.set.Var((*switchValue)(v), s.Name, usage(""))
		f.set.Lookup(s.Name).NoOptDefVal = "true"
	case s.Form == gate.Growth:
		f.set.StringVar(v, s.Name, "", usage(": `SIZE` or a percentage (5MB, 10%)"))
	case s.Unit == gate.Bytes:
		f.set.StringVar(v, s.Name, "", usage(": `SIZE` (20MB, 20MiB)"))
	case s.Unit == gate.Count:
		f.set.StringVar(v, s.Name, "", usage(": `N`"))
	default:
		f.set.StringVar(v, s.Name, "", usage(": `RATIO` (0.9, 90%)"))
	}
}

// switchValue is the flag of a rule that is on or off.
type switchValue string

func (v *switchValue) Set(text string) error { *v = switchValue(text); return nil }
func (v *switchValue) String() string        { return string(*v) }
func (v *switchValue) Type() string          { return "bool" }

// given is whether a flag asks for a verdict: a rule, or what would be passed
// over in silence without one.
func (f *gateFlags) given() bool {
	return slices.ContainsFunc(append(ruleNames(), "warn", "fail-on", "no-fail", "baseline"), f.set.Changed)
}

// off, as the limit of a rule, takes away what a lower place says.
const off = "off"

// setting is one value of the gate's settings and the place that it is from.
type setting[T any] struct {
	value T
	from  string // "--max-size", "FATHOM_MAX_SIZE", ".fathom.yaml:4:13"; "default"
}

// judging is how an image is judged, after everything that has a say had it.
type judging struct {
	limits   gate.Limits          // the active rules, at least one
	rules    []setting[ruleValue] // by rule, in the order of gate.Specs; those that nobody names are left out
	failOn   setting[gate.Severity]
	noFail   setting[bool]
	allowTOC setting[bool]
	baseline setting[string]
	suppress []gate.Suppression
	config   string // the file that has a part in it, or ""
	notes    []string
	warnings []string
}

// ruleValue is a limit, or that a rule has none.
type ruleValue struct {
	name  string
	off   bool
	limit gate.Limit
}

// judging puts together what flags, the environment and the config say: for
// each rule and each other setting the first of them that speaks of it.
func (a *app) judging(f *gateFlags, c *config) (*judging, error) {
	ci := c.ci
	if ci == nil {
		ci = &ciConfig{}
	}
	if ci.err != nil {
		return nil, ci.err
	}
	j := &judging{suppress: ci.suppress, config: ci.file, notes: slices.Clone(ci.notes), warnings: slices.Clone(ci.warnings)}
	for _, s := range gate.Specs() {
		v, err := a.rule(f, s, ci)
		if err != nil {
			return nil, err
		}
		if file, ok := ci.rules[s.Name]; ok && s.Form == gate.Globs && !file.value.off && v.from != file.from {
			j.notes = append(j.notes, fmt.Sprintf("%s stands for the globs of %s, which hold no more", v.from, file.from))
		}
		if v != nil {
			j.rules = append(j.rules, *v)
		}
	}
	var err error
	if j.limits, err = activeLimits(j.rules); err != nil {
		return nil, err
	}
	if err := a.warnOnly(f, j); err != nil {
		return nil, err
	}
	severity := func(text string) (gate.Severity, error) {
		i := slices.Index(gate.Severities(), text)
		if i < 0 {
			return 0, fmt.Errorf("%q is neither %s", text, strings.Join(gate.Severities(), " nor "))
		}
		return gate.Severity(i), nil
	}
	truth := func(text string) (bool, error) {
		v, err := strconv.ParseBool(text)
		if err != nil {
			return false, fmt.Errorf("%q is neither true nor false", text)
		}
		return v, nil
	}
	text := func(text string) (string, error) {
		if text == "" {
			return "", errors.New("it names nothing")
		}
		return text, nil
	}
	for _, err := range []error{
		settle(a, f, "fail-on", f.failOn, severity, ci.failOn, &j.failOn),
		settle(a, f, "no-fail", strconv.FormatBool(f.noFail), truth, ci.noFail, &j.noFail),
		settle(a, f, "allow-toc", strconv.FormatBool(f.allowTOC), truth, ci.allowTOC, &j.allowTOC),
		settle(a, f, "baseline", f.baseline, text, ci.baseline, &j.baseline),
	} {
		if err != nil {
			return nil, err
		}
	}
	return j, nil
}

// settle decides on one setting: what the flag says, else the environment,
// else the file, else the zero value.
func settle[T any](a *app, f *gateFlags, name, flag string, parse func(string) (T, error), file *setting[T], to *setting[T]) error {
	env := variable(name)
	text, from := "", ""
	switch {
	case f.set.Changed(name):
		text, from = flag, "--"+name
	case a.getenv(env) != "":
		text, from = a.getenv(env), env
	case file != nil:
		*to = *file
		return nil
	default:
		to.from = "default"
		return nil
	}
	v, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	*to = setting[T]{v, from}
	return nil
}

// rule is what the first place that speaks of a rule says; nil where none does.
// An empty value, as of a variable that isn't set, is an error on the command
// line: a rule is never skipped in silence. In the environment empty is unset.
func (a *app) rule(f *gateFlags, s gate.Spec, ci *ciConfig) (*setting[ruleValue], error) {
	var texts []string
	var from string
	env := a.getenv(variable(s.Name))
	switch {
	case f.set.Changed(s.Name) && s.Form == gate.Globs:
		texts, from = *f.globs[s.Name], "--"+s.Name
	case f.set.Changed(s.Name):
		texts, from = []string{*f.rules[s.Name]}, "--"+s.Name
	case env != "" && s.Form == gate.Globs:
		texts, from = strings.FieldsFunc(env, func(r rune) bool { return r == '\n' || r == ':' }), variable(s.Name)
	case env != "":
		texts, from = []string{env}, variable(s.Name)
	default:
		if v, ok := ci.rules[s.Name]; ok {
			return &v, nil
		}
		return nil, nil
	}
	v, err := parseRule(s.Name, texts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	v.limit.Source = from
	return &setting[ruleValue]{v, from}, nil
}

// parseRule reads a limit, or off. Only a list of globs has several texts.
func parseRule(name string, texts []string) (ruleValue, error) {
	switch {
	case len(texts) == 0:
		return ruleValue{}, errors.New("it names nothing")
	case len(texts) == 1 && texts[0] == off:
		return ruleValue{name: name, off: true}, nil
	case slices.Contains(texts, off):
		return ruleValue{}, errors.New("off stands alone")
	}
	l, err := gate.Parse(name, texts...)
	return ruleValue{name: name, limit: l}, err
}

// warnOnly lowers the severity of the rules of --warn. One that has no limit
// can't warn: the flag is an error, and the variable, which can be there for
// several images, a note.
func (a *app) warnOnly(f *gateFlags, j *judging) error {
	names, from := f.warn, "--warn"
	if !f.set.Changed("warn") {
		names, from = strings.FieldsFunc(a.getenv("FATHOM_WARN"), func(r rune) bool { return r == ',' || r == ' ' }), "FATHOM_WARN"
	}
	for _, name := range names {
		if _, ok := gate.SpecOf(name); !ok {
			return unknown(fmt.Errorf("%s: %q is no rule", from, name), name, ruleNames())
		}
		i := slices.IndexFunc(j.limits, func(l gate.Limit) bool { return l.Rule == name })
		switch {
		case i >= 0:
			j.limits[i].Severity = gate.Warn
		case from == "--warn":
			return hinted("--"+name+" gives it one", "--warn: %s has no limit here, so that it never warns", name)
		default:
			j.notes = append(j.notes, fmt.Sprintf("%s names %s, which has no limit here", from, name))
		}
	}
	return nil
}

func ruleNames() []string {
	var names []string
	for _, s := range gate.Specs() {
		names = append(names, s.Name)
	}
	return names
}

// activeLimits are the limits of the rules that have one, or else the default
// ones but for those that are off.
func activeLimits(rules []setting[ruleValue]) (gate.Limits, error) {
	var l gate.Limits
	offs := map[string]bool{}
	for _, r := range rules {
		if r.value.off {
			offs[r.value.name] = true
		} else {
			l = append(l, r.value.limit)
		}
	}
	if len(l) == 0 {
		l = slices.DeleteFunc(gate.Default(), func(x gate.Limit) bool { return offs[x.Rule] })
	}
	if len(l) == 0 {
		return nil, hinted("--ci=false judges nothing", "every rule is off: there is nothing to judge by")
	}
	return l, nil
}
