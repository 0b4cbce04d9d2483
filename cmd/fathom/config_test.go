package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/ui"
)

const (
	configDoc    = "../../docs/config.md"
	configSchema = "../../docs/config.schema.json"
)

// parsed reads a config file from text.
func parsed(text string) (*config, error) {
	c := newConfig(newSettings())
	return c, parseConfig([]byte(text), c.of.keys("file", c.sections))
}

// initial returns the starter without a .dive-ci.
func initial() string { return newSettings().starter(nil) }

func TestConfig(t *testing.T) {
	looks := strings.Join(explorerKeys(), ", ")
	for _, c := range []struct{ name, text, want string }{
		{"least", "version: 1\n", ""},
		{"all", "version: 1\nui:\n  theme: mono\n  sort: files\n  ascii: true\n  mouse: false\n  keys: {sort: ctrl-s, quit: [q, ctrl-q], whole: []}\n", ""},
		{"a digit as a key", "version: 1\nui: {keys: {image: 9}}\n", ""},
		{"JSON", `{"version": 1, "ui": {"theme": "dark"}}`, ""},

		{"nothing", "", "the file is empty; the first line must be version: 1"},
		{"a comment", "# version: 1\n", "the file is empty; the first line must be version: 1"},
		{"no version", "ui: {theme: dark}\n", "it has no version; the first line must be version: 1"},
		{"another version", "version: 2\n", "line 1, column 10: only version 1 is supported"},
		{"unknown section", "version: 1\nuii: {}\n", `line 2, column 1: unknown key "uii"; did you mean ui?`},
		{"unknown key", "version: 1\nui:\n  thme: dark\n", `line 3, column 3: unknown key "thme"; did you mean theme?`},
		{"unlike any", "version: 1\nui:\n  colour: dark\n", `line 3, column 3: unknown key "colour"; there are ` + looks},
		{"twice", "version: 1\nui:\n  sort: name\n  sort: size\n", `line 4, column 3: the key "sort" is given twice`},
		{"unknown value", "version: 1\nui:\n  theme: drak\n", `line 3, column 10: "drak" is none of dark, light, mono; did you mean dark?`},
		{"not a truth", "version: 1\nui: {mouse: yes}\n", "line 2, column 13: expected true or false"},
		{"no value", "version: 1\nui: {theme: }\n", "line 2, column 13: expected a single value"},
		{"a list", "version: 1\nui: [theme]\n", "line 2, column 5: expected keys and values: " + looks},
		{"unknown action", "version: 1\nui:\n  keys:\n    srot: S\n", `line 4, column 5: unknown key "srot"; did you mean sort?`},
		{"unknown key name", "version: 1\nui:\n  keys:\n    sort: [S, strg-s]\n", `line 4, column 15: key "strg-s" of sort: there is no key of that name`},
		{"conflict", "version: 1\nui:\n  keys:\n    sort: w\n", `line 4, column 11: key "w" of sort: it is also a key of waste`},
		{"a preset", "version: 1\nui: {keys: dive}\n", ""},
		{"on top of a preset", sampleIn(t, "../../docs/dive.md", "## The preset"), ""},
		{"unknown preset", "version: 1\nui:\n  keys: vim\n", `line 3, column 9: unknown preset "vim"; presets: dive`},
		{"conflict with a preset", "version: 1\nui:\n  keys:\n    diff: d\n    preset: dive\n", `line 4, column 11: key "d" of diff: it is also a key of page-down`},
		{"no keys", "version: 1\nui: {keys: }\n", "line 2, column 12: expected keys and values"},
		{"an alias of the wrong thing", "version: 1\nui: {theme: &a dark, sort: *a}\n", `line 2, column 28: "dark" is none of ` + strings.Join(sorts(), ", ")},
		{"aliases", "version: 1\nci: {deny-path: &a ['*.pem', &b id_rsa], deny-layer-path: *a, suppress: [{path: *b, reason: &r known}, {path: /a, reason: *r}]}\n", ""},
		{"merged", "version: 1\nci:\n  max-size: &a {limit: 1, severity: warn}\n  max-layers: {<<: *a, limit: 2}\n", ""},
		{"merged twice", "version: 1\nci:\n  max-size: &a {limit: 1, severity: warn}\n  max-layers: {<<: *a, <<: *a}\n", `line 4, column 15: the key "<<" is given twice`},
		{"merged with nothing", "version: 1\nci:\n  max-size: {<<: 1, limit: 2}\n", "line 3, column 18: expected keys and values"},
		{"an alias of itself", "version: 1\nci: &a {suppress: [*a]}\n", "the file's aliases expand to more than 100000 values"},
		{"ten to the ninth", "version: 1\na: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "the file's aliases expand to more than 100000 values"},
		{"a version as text", "version: '1'\n", "line 1, column 10: only version 1 is supported: write version: 1"},
		{"numbers as YAML has them", "version: 1.0\nci: {max-size: 0x10, max-files: 1_000, max-layers: 1e1, min-efficiency: .5, no-fail: TRUE}\n", ""},
		{"a number as a glob", "version: 1\nci: {deny-path: [1]}\n", "line 2, column 18: 1 is not a string; put it in quotes"},
		{"a truth as a glob", "version: 1\nci: {deny-path: false}\n", "line 2, column 17: expected a single value"},
		{"an exception as a tag", "version: 1\nci: {deny-path: ['*.pem', !/etc/ssl]}\n", "line 2, column 27: !/etc/ssl is a tag; put what begins with ! in quotes"},
		{"exceptions alone", "version: 1\nci: {deny-path: ['!/etc/ssl/**']}\n", "line 2, column 17: deny-path: there are only exceptions: nothing is denied"},
		{"a glob that matches nothing", "version: 1\nci: {deny-path: [./a]}\n", `line 2, column 18: deny-path: "./a" would match nothing`},
		{"a suppression that matches nothing", "version: 1\nci: {suppress: [{path: a/../b, reason: x}]}\n", `line 2, column 24: "a/../b" would match nothing`},
		{"a blank reason", "version: 1\nci: {suppress: [{path: a, reason: ' '}]}\n", `line 2, column 17: the suppression of "a" has no reason`},
		{"a number as a reason", "version: 1\nci: {suppress: [{path: a, reason: 1}]}\n", "line 2, column 35: 1 is not a string; put it in quotes"},
		{"a suppression of another rule", "version: 1\nci: {suppress: [{path: a, reason: x, rule: max-size}]}\n", `line 2, column 44: "max-size" is none of max-package-growth, max-all-packages-growth, deny-path, deny-layer-path, `},
		{"a suppression of both rules", "version: 1\nci: {suppress: [{path: a, reason: x, rule: [deny-path, deny-layer-path]}]}\n", ""},
		{"a rule of a suppression twice", "version: 1\nci: {suppress: [{path: a, reason: x, rule: [deny-path, deny-path]}]}\n", "line 2, column 56: deny-path is given twice"},
		{"all of it is wasted", "version: 1\nci: {max-wasted-percent: 1.0}\n", `"1" would be all of it`},
		{"two documents", "version: 1\n---\nversion: 1\n", "the file has more than one document"},
		{"not YAML", "version: [1\n", "line 2, column 1: did not find expected ',' or ']'"},
		{"a tab", "version: 1\nui:\n\tsort: size\n", "line 3, column 1: found character that cannot start any token; YAML needs spaces in place of the tab"},
		{"a bare glob", "version: 1\nci:\n  deny-path: [*.pem]\n", "line 3, column 15: unknown anchor '.pem' referenced; put what begins with * in quotes"},
		{"no UTF-8", "version: \xff\n", "yaml: invalid leading UTF-8 octet (value: 255)"},

		{"ci", "version: 1\nci:\n  max-size: {limit: 1.5 GB, severity: warn}\n  min-efficiency: 90%\n  deny-path: [a, b]\n", ""},
		{"not in ci", "version: 1\nci:\n  max-waste-bytes: 1\n", `line 3, column 3: unknown key "max-waste-bytes"; did you mean max-wasted-bytes?`},
		{"a rule twice", "version: 1\nci:\n  max-size: 1\n  max-size: 2\n", `line 4, column 3: the key "max-size" is given twice`},
		{"no size", "version: 1\nci:\n  max-size: 20XB\n", `line 3, column 13: max-size: "20XB" is not a size (20MB, 20MiB, 1.5GB, 1000)`},
		{"percentage above 1", "version: 1\nci:\n  min-efficiency: 90\n", `line 3, column 19: min-efficiency: "90" is more than 1: write 90% for a percentage`},
		{"no count", "version: 1\nci:\n  max-layers: many\n", `line 3, column 15: max-layers: "many" is not a whole number`},
		{"no growth", "version: 1\nci:\n  max-growth: x%\n", `line 3, column 15: max-growth: "x%" is neither a percentage (10%) nor a size (20MB)`},
		{"bad glob", "version: 1\nci:\n  deny-path: [a, '[b']\n", `line 3, column 18: deny-path: "[b" is no glob`},
		{"no limit", "version: 1\nci:\n  max-size: {severity: warn}\n", `line 3, column 13: max-size has no limit`},
		{"off in a list", "version: 1\nci:\n  deny-path: [a, off]\n", `line 3, column 18: deny-path: off must be the only value`},
		{"bad severity", "version: 1\nci:\n  max-size: {limit: 1, severity: wran}\n", `line 3, column 34: "wran" is neither error nor warn; did you mean warn?`},
		{"bad fail-on", "version: 1\nci: {fail-on: eror}\n", `line 2, column 15: "eror" is neither error nor warn; did you mean error?`},
		{"no list", "version: 1\nci:\n  suppress: /a\n", `line 3, column 13: expected a list`},
		{"no reason", "version: 1\nci:\n  suppress:\n    - path: /a\n", `line 4, column 7: the suppression of "/a" has no reason`},
		{"no path", "version: 1\nci:\n  suppress:\n    - reason: x\n", `line 4, column 7: this suppression has no path`},
		{"no path for denied paths", "version: 1\nci:\n  suppress:\n    - {rule: [deny-path, removed-later], reason: x}\n", `line 4, column 7: this suppression has no path`},
		{"no path for findings", "version: 1\nci:\n  suppress:\n    - {rule: removed-later, reason: x}\n", ""},
		{"no reason and no path", "version: 1\nci:\n  suppress:\n    - {rule: removed-later}\n", `line 4, column 7: the suppression of "removed-later" has no reason`},
		{"a misspelt finding", "version: 1\nci:\n  suppress:\n    - {rule: remove-later, reason: x}\n", `line 4, column 14: "remove-later" is none of max-package-growth, `},
		{"names", "version: 1\nci:\n  fail-on-finding: {limit: [warn, removed-later], severity: warn}\n", ""},
		{"a name", "version: 1\nci:\n  fail-on-finding: removed-later\n", ""},
		{"a misspelt name", "version: 1\nci:\n  fail-on-finding: [error, remove-later]\n", `line 3, column 28: fail-on-finding: "remove-later" is none of error, warn, info, `},
		{"what was meant by it", "version: 1\nci:\n  fail-on-finding: eror\n", `did you mean error?`},
		{"no names", "version: 1\nci:\n  fail-on-finding: []\n", `line 3, column 20: fail-on-finding: the list is empty`},
		{"off among names", "version: 1\nci:\n  fail-on-finding: [error, off]\n", `line 3, column 28: fail-on-finding: off must be the only value`},
		{"no day", "version: 1\nci:\n  suppress:\n    - {path: /a, reason: x, until: 2027-02-30}\n", `line 4, column 36: "2027-02-30" is not a day, which is written 2027-01-31`},
		{"unknown in suppress", "version: 1\nci:\n  suppress:\n    - {path: /a, reson: x}\n", `line 4, column 18: unknown key "reson"; did you mean reason?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parsed(c.text)
			got := ""
			if err != nil {
				got = err.Error()
			}
			var own *hintError
			if errors.As(err, &own) {
				got += "; " + own.hint
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The config file is searched in the working directory and, in a repository, up
// to its root.
func TestConfigFolders(t *testing.T) {
	base := t.TempDir()
	repo := filepath.Join(base, "repo")
	deep := filepath.Join(repo, "a", "b")
	if err := os.MkdirAll(deep, 0o777); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{deep}, configFolders(deep)); diff != "" {
		t.Errorf("in no repository (-want +got):\n%s", diff)
	}
	if err := os.Mkdir(filepath.Join(repo, ".git"), 0o777); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{deep, filepath.Join(repo, "a"), repo}, configFolders(deep)); diff != "" {
		t.Errorf("in a repository (-want +got):\n%s", diff)
	}
}

// A flag beats the environment, the environment beats the file, the file beats
// the default, and each value knows its origin.
func TestPrecedence(t *testing.T) {
	const file = "version: 1\nui: {theme: light, sort: files, ascii: true, mouse: false, keys: {sort: ctrl-s}}\nci: {max-size: 3, fail-on: warn, baseline: c, no-fail: true, deny-path: [c]}\n"
	keys := map[string][]string{"sort": {"ctrl-s"}}
	flags := []string{
		"--theme=dark", "--sort=size", "--ascii=false", "--no-mouse=false", "--max-size=1", "--fail-on=error", "--baseline=a", "--no-fail=false", "--deny-path=a",
		"--timeout=1s", "--via=api", "--platform=a/a",
	}
	variables := map[string]string{
		"FATHOM_THEME": "mono", "FATHOM_SORT": "name", "FATHOM_ASCII": "0", "FATHOM_MOUSE": "true", "FATHOM_MAX_SIZE": "2", "FATHOM_FAIL_ON": "error",
		"FATHOM_BASELINE": "b", "FATHOM_NO_FAIL": "false", "FATHOM_DENY_PATH": "b:d", "FATHOM_TIMEOUT": "2s", "FATHOM_VIA": "storage", "FATHOM_PLATFORM": "b/b",
	}
	bad := map[string]string{}
	for name := range variables {
		bad[name] = "bad"
	}
	for _, c := range []struct {
		name  string
		args  []string
		env   map[string]string
		file  string
		look  ui.Options
		gate  string // max-size, fail-on, baseline, no-fail, the globs, timeout, via, platform
		given map[string]string
	}{
		{
			"default", nil, nil, "version: 1\n", ui.Options{}, "0 error  false [] 1m0s  ",
			map[string]string{"theme": "default", "mouse": "default", "max-size": "default", "timeout": "default"},
		},
		{
			"file", nil, nil, file, ui.Options{Theme: "light", Choices: sorted("files"), ASCII: true, NoMouse: true, Keys: keys}, "3 warn c true [c] 1m0s  ",
			map[string]string{"theme": "file:2:13", "mouse": "file:2:53", "max-size": "file:3:16", "timeout": "default"},
		},
		{
			"environment", nil, variables, file, ui.Options{Theme: "mono", Choices: sorted("name"), Keys: keys}, "2 error b false [b d] 2s storage b/b",
			map[string]string{"theme": "FATHOM_THEME", "mouse": "FATHOM_MOUSE", "max-size": "FATHOM_MAX_SIZE", "timeout": "FATHOM_TIMEOUT"},
		},
		{
			"flags", flags, bad, file, ui.Options{Theme: "dark", Choices: sorted("size"), Keys: keys}, "1 error a false [a] 1s api a/a",
			map[string]string{"theme": "--theme", "mouse": "--no-mouse", "max-size": "--max-size", "timeout": "--timeout"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, read := settled(t, c.args, c.env, c.file)
			if read != nil {
				t.Fatal(read)
			}
			j := job{app: &app{}, settings: s, flags: &pflag.FlagSet{}}
			got := j.look()
			got.Hold, got.Taken, got.Interrupt, got.Keep, got.Input = nil, nil, nil, nil, nil
			if diff := cmp.Diff(c.look, got); diff != "" {
				t.Errorf("the explorer (-want +got):\n%s", diff)
			}
			gate := fmt.Sprint(s.rules["max-size"].limit.Number, s.failOn, " ", s.baseline, " ", s.noFail, s.rules["deny-path"].limit.Globs, " ", s.timeout, " ", s.load.Via, " ", s.load.Platform)
			if gate != c.gate {
				t.Errorf("got %s, want %s", gate, c.gate)
			}
			for name, from := range c.given {
				if s.given[name].from != from {
					t.Errorf("%s is from %s, want %s", name, s.given[name].from, from)
				}
			}
		})
	}
	for name := range variables {
		if name == "FATHOM_BASELINE" || name == "FATHOM_DENY_PATH" || name == "FATHOM_PLATFORM" { // can be anything
			continue
		}
		if _, err := settled(t, nil, map[string]string{name: "bad"}, file); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s=bad: got %v", name, err)
		}
	}
}

// sorted returns the choices of an order for all files.
func sorted(by string) ui.Choices {
	return ui.Choices{Files: ui.ListChoices{Sort: by}, Compared: ui.ListChoices{Sort: by}}
}

// settled returns the settings from flags, the environment and a config file.
func settled(t *testing.T, args []string, env map[string]string, file string) (*settings, error) {
	t.Helper()
	c, err := parsed(file)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{getenv: func(name string) string { return env[name] }}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.of.addFlags(flags, opening, explorer, building, judgment)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := a.settle(c.of, flags, c, opening, explorer, building); err != nil {
		return nil, err
	}
	return c.of, a.settleGate(c.of, flags, c)
}

// explorerKeys returns the keys of the section ui, sorted.
func explorerKeys() []string {
	var names []string
	for _, r := range newSettings().rows {
		if r.group == explorer && r.in&inFile != 0 {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return names
}

// sorts returns the values of the setting sort.
func sorts() []string { return new(ui.Choices).All()[0].Values }

type object = map[string]any

// schemaOf returns the schema of a setting's key.
func schemaOf(t *testing.T, r setting) object {
	if spec, ok := gate.SpecOf(r.name); ok {
		return ruleSchema(spec)
	}
	schema := maps.Clone(r.takes.schema)
	switch r.name {
	case "keys":
		actions := object{}
		for _, action := range ui.Actions() {
			actions[action] = object{"$ref": "#/$defs/keys"}
		}
		preset := object{"enum": ui.Presets()}
		actions["preset"] = preset
		schema = object{"oneOf": []object{preset, {"type": "object", "additionalProperties": false, "properties": actions}}}
	case "suppress":
		schema = object{"type": "array", "items": object{
			"type": "object", "additionalProperties": false, "required": []string{"reason"},
			"anyOf": []object{
				{"required": []string{"path"}, "not": object{"required": []string{"package"}}},
				{"required": []string{"package", "rule"}, "not": object{"required": []string{"path"}}, "properties": object{"rule": oneOrMore(object{"enum": packageRules()})}},
				{"required": []string{"rule"}, "not": object{"required": []string{"package"}}, "properties": object{"rule": oneOrMore(object{"$ref": "#/$defs/finding"})}},
			},
			"properties": object{
				"path": object{"type": "string", "pattern": `^[^!]`}, "package": object{"type": "string", "pattern": `^[^!].*:`}, "reason": object{"type": "string", "pattern": `\S`},
				"rule": oneOrMore(object{
					"description": "a rule whose denied paths, packages or findings are suppressed; without any, waste is",
					"anyOf":       []object{{"enum": append([]string{gate.DenyPath, gate.DenyLayerPath}, packageRules()...)}, {"$ref": "#/$defs/finding"}},
				}),
				"until": object{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`},
			},
		}}
	}
	if schema == nil {
		t.Fatalf("%s.%s: its kind has no schema", r.group, r.name)
	}
	if r.help != "" && !r.negated {
		schema["description"] = r.plain()
	}
	return schema
}

// packageRules returns the rules of the gate that are about packages.
func packageRules() []string {
	return slices.DeleteFunc(ruleNames(), func(name string) bool {
		s, _ := gate.SpecOf(name)
		return !s.AboutPackages()
	})
}

// oneOrMore returns the schema of an item, or of a list of them.
func oneOrMore(item object) object {
	return object{"anyOf": []object{item, {"type": "array", "minItems": 1, "uniqueItems": true, "items": item}}}
}

func ruleSchema(s gate.Spec) object {
	const (
		share = `(0+(\.\d+)?|(0*\d{1,2}(\.\d+)?|0*100(\.0+)?)\s*%)`
		size  = `(\d+|\d+(\.\d+)? ?([KMGTPEkmgtpe][Ii]?[Bb]?|[Bb]))`
	)
	text := map[gate.Unit]string{
		gate.Ratio: `^\s*(` + share + `|0*1(\.0+)?)\s*$`, gate.Percent: `^\s*` + share + `\s*$`, gate.Bytes: `^\s*` + size + `\s*$`, gate.Count: `^\s*\d+\s*$`,
	}[s.Unit]
	number := object{"type": "number", "minimum": 0, "maximum": 1}
	if s.Unit == gate.Percent {
		number = object{"type": "number", "minimum": 0, "exclusiveMaximum": 1}
	}
	if s.Unit == gate.Bytes || s.Unit == gate.Count {
		number = object{"type": "integer", "minimum": 0}
	}
	if s.Form == gate.Growth {
		text = `^\s*(` + size + `|\d+(\.\d+)?\s*%)\s*$`
	}
	limit := object{"anyOf": []object{number, {"type": "string", "pattern": text}, {"const": off}}}
	switch s.Form {
	case gate.Switch:
		limit = object{"anyOf": []object{{"type": "boolean"}, {"const": off}}}
	case gate.Names:
		name := object{"anyOf": []object{{"enum": facts.Severities()}, {"$ref": "#/$defs/finding"}}}
		if s.Name == gate.Require {
			name = object{"enum": s.Names()}
		}
		limit = object{"anyOf": []object{name, {"const": off}, {"type": "array", "minItems": 1, "items": name}}}
	case gate.Folders:
		bytes := object{"anyOf": []object{number, {"type": "string", "pattern": `^\s*` + size + `\s*$`}}}
		text := object{"type": "string", "pattern": `^[^!].*=\s*` + size + `\s*$`}
		limit = object{"anyOf": []object{
			text, {"const": off}, {"type": "array", "minItems": 1, "uniqueItems": true, "items": text},
			{"type": "object", "minProperties": 1, "additionalProperties": bytes, "not": object{"required": []string{"limit"}}},
		}}
	case gate.Globs:
		glob := object{"type": "string", "pattern": `^!?[^!]`, "not": object{"const": off}}
		denied := object{"pattern": `^[^!]`} // not all of them exceptions
		limit = object{"anyOf": []object{
			{"type": "string", "pattern": `^[^!]`}, {"type": "array", "minItems": 1, "items": glob, "contains": denied},
		}}
		if s.AboutPackages() {
			glob["pattern"] = `^!?[^!].*:`
			limit["anyOf"] = append(limit["anyOf"].([]object)[1:], object{"type": "string", "pattern": `^[^!].*:`}, object{"const": off})
		}
	}
	properties := object{"limit": limit, "severity": object{"enum": gate.Severities()}}
	if s.Scoped() {
		properties["scope"] = object{"enum": gate.Scopes()}
	}
	return object{"description": s.Means, "anyOf": []object{limit, {
		"type": "object", "additionalProperties": false, "required": []string{"limit"}, "properties": properties,
	}}}
}

// The lists of denied paths in the starter pass the files of usual images, and
// fail secrets.
func TestStarterDenies(t *testing.T) {
	c, err := parsed(uncommented(initial()))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range c.section(judgment).values {
		g.put(g.from)
	}
	denied := func(rule, path string) bool {
		t.Helper()
		files := func(yield func(gate.File) bool) { yield(gate.File{Path: path, HiddenBy: -1}) }
		v, err := gate.Check(&facts.Report{Totals: facts.Totals{Efficiency: 1}}, gate.Limits{c.of.rules[rule].limit}, gate.Options{Files: files})
		if err != nil {
			t.Fatal(err)
		}
		return !v.Pass()
	}
	for _, rule := range []string{gate.DenyPath, gate.DenyLayerPath} {
		for _, path := range []string{ // of debian, alpine, fedora, python, node, golang, php and nginx
			"/etc/ssl/certs/ISRG_Root_X1.pem", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/ssl/private", "/usr/lib/ssl/cert.pem",
			"/usr/share/ca-certificates/mozilla/GlobalSign_Root_CA.crt", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
			"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora", "/etc/apk/keys/alpine-devel@lists.alpinelinux.org-4a6a0840.rsa.pub", "/usr/share/keyrings/debian-archive-keyring.gpg",
			"/etc/apt/trusted.gpg.d/debian-archive-bookworm-stable.asc", "/usr/local/lib/python3.13/site-packages/pip/_vendor/certifi/cacert.pem",
			"/usr/lib/python3/dist-packages/certifi/cacert.pem", "/usr/local/lib/node_modules/npm/.npmrc", "/usr/local/lib/node_modules/npm/node_modules/agent-base/test/ssl-cert-snakeoil.key",
			"/usr/local/go/src/crypto/tls/testdata/example-key.pem", "/etc/ssh/ssh_config", "/root/.bashrc", "/root/.profile", "/root/.ssh", "/etc/shadow", "/app/.gitignore",
			"/app/.gitattributes", "/app/.github/workflows/ci.yml", "/app/.env.example", "/usr/share/doc/git/contrib/credential/netrc/git-credential-netrc.perl",
		} {
			if denied(rule, path) {
				t.Errorf("%s denies %s", rule, path)
			}
		}
		for _, path := range []string{"/app/.env", "/root/.ssh/id_rsa", "/home/a/.ssh/id_ed25519", "/root/.aws/credentials", "/root/.docker/config.json", "/root/.netrc", "/root/.git-credentials"} {
			if !denied(rule, path) {
				t.Errorf("%s doesn't deny %s", rule, path)
			}
		}
	}
}

// withDays returns v with days as they are written in a file.
func withDays(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(gate.Day)
	case []any:
		for i := range v {
			v[i] = withDays(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = withDays(v[k])
		}
	}
	return v
}

// uncommented returns the starter with all of its commented keys.
func uncommented(text string) string {
	key := regexp.MustCompile(`(?m)^  # ([a-z-]+: .*|suppress:|  .*)$`)
	return regexp.MustCompile(`(?m)^# (build:|  .*)$`).ReplaceAllString(key.ReplaceAllString(text, "  $1"), "$1")
}

// docs/config.schema.json has every key of the table.
func TestConfigSchema(t *testing.T) {
	sections := object{"version": object{"const": 1}}
	for _, g := range []group{explorer, building, search, judgment} {
		keys := object{}
		for _, r := range newSettings().rows {
			if r.group == g && r.in&inFile != 0 {
				keys[r.name] = schemaOf(t, r)
			}
		}
		sections[string(g)] = object{"type": "object", "additionalProperties": false, "properties": keys}
	}
	key := object{"type": []string{"string", "integer"}}
	schema := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "The config file of fathom", "type": "object", "additionalProperties": false, "required": []string{"version"},
		"$defs": object{
			"keys":    object{"oneOf": []object{key, {"type": "array", "items": key}}},
			"finding": object{"description": "a rule that finds what to change", "enum": gate.FindingRules()},
		},
		"properties": sections,
	}
	want, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(configSchema, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(configSchema)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date: go test ./cmd/fathom -run TestConfigSchema -update writes it:\n%s", configSchema, diff)
	}
	compiled, err := jsonschema.NewCompiler().Compile(configSchema)
	if err != nil {
		t.Fatal(err)
	}
	// The samples of the document, and texts that the reader accepts or refuses.
	for text, good := range map[string]bool{
		sampleIn(t, configDoc, "## Keys"): true, sampleIn(t, configDoc, "### The gate"): true, initial(): true, uncommented(initial()): true,
		"version: 1\nci: {}\n": true, "version: 1\nci: {min-efficiency: 90%, max-size: 1.5 GB, max-layers: 3, max-growth: 150%}\n": true,
		"version: 1\nci: {max-size: off, deny-path: off}\n":                                                                         true,
		"version: 1\nci: {deny-path: [a, '**/b'], deny-layer-path: {limit: c, severity: warn}}\n":                                   true,
		"version: 1\nci: {suppress: [{path: /a, reason: known, until: 2027-01-31}]}\n":                                              true,
		"version: 1\nci: {max-sizes: 1}\n":                                                                                          false,
		"version: 1.0\nci: {max-size: 0x10, max-files: 1_000, max-layers: 1e1, min-efficiency: .5, no-fail: TRUE}\n":                true,
		"version: 1\nci: {deny-path: &a ['*.pem', '!/etc/ssl/**'], deny-layer-path: *a}\n":                                          true,
		"version: 1\nci:\n  max-size: &a {limit: 1, severity: warn}\n  max-layers: {<<: *a, limit: 2}\n":                            true,
		"version: 1\nci: {suppress: [{path: /a, reason: known, rule: deny-path}, {path: b, reason: x, rule: [deny-layer-path]}]}\n": true,
		"version: '1'\n":                                                            false,
		"version: 1.5\n":                                                            false,
		"version: 1\nci: {deny-path: 1}\n":                                          false,
		"version: 1\nci: {deny-path: [a, 1]}\n":                                     false,
		"version: 1\nci: {deny-path: [a, off]}\n":                                   false,
		"version: 1\nci: {deny-path: ['!a']}\n":                                     false,
		"version: 1\nci: {deny-path: '!a'}\n":                                       false,
		"version: 1\nci: {deny-path: true}\n":                                       false,
		"version: 1\nci: {max-wasted-percent: 1}\n":                                 false,
		"version: 1\nci: {max-wasted-percent: '1.0'}\n":                             false,
		"version: 1\nci: {max-size: 1 XB}\n":                                        false,
		"version: 1\nci: {min-efficiency: 101%}\n":                                  false,
		"version: 1\nci: {no-fail: 'true'}\n":                                       false,
		"version: 1\nci: {baseline: ' '}\n":                                         false,
		"version: 1\nci: {baseline: 1}\n":                                           false,
		"version: 1\nci: {suppress: [{path: /a, reason: ' '}]}\n":                   false,
		"version: 1\nci: {suppress: [{path: '!/a', reason: x}]}\n":                  false,
		"version: 1\nci: {suppress: [{path: a, reason: x, rule: max-size}]}\n":      false,
		"version: 1\nci: {suppress: [{path: a, reason: x, rule: []}]}\n":            false,
		"version: 1\nci: {max-folder-growth: {/app/**: 5MB, /a b: 1}}\n":            true,
		"version: 1\nci: {max-folder-growth: {limit: {/app: 0}, severity: warn}}\n": true,
		"version: 1\nci: {max-folder-growth: [/app=5MB]}\n":                         true,
		"version: 1\nci: {max-folder-growth: off}\n":                                true,
		"version: 1\nci: {max-folder-growth: {/app: much}}\n":                       false,
		"version: 1\nci: {max-folder-growth: {/app: -1}}\n":                         false,
		"version: 1\nci: {max-folder-growth: {}}\n":                                 false,
		"version: 1\nci: {max-folder-growth: 5MB}\n":                                false,
		"version: 1\nci: {max-folder-growth: {limit: {/app: 1}, scope: own}}\n":     false,
		"version: 1\nci: {max-own-growth: {limit: 1, scope: own}}\n":                false,
		"version: 1\nci: {require: same-files}\n":                                   true,
		"version: 1\nci: {require: [same-files, reproducible]}\n":                   true,
		"version: 1\nci: {require: secret}\n":                                       false,
		"version: 1\nci: {baseline-missing: warn}\n":                                false,
		"version: 1\nci: {max-size: -1}\n":                                          false,
		"version: 1\nci: {max-size: 0.5}\n":                                         false, "version: 1\nci: {max-growth: '0.1'}\n": false,
		"version: 1\nci: {max-size: true}\n":                                     false,
		"version: 1\nci: {max-size: 10%}\n":                                      false,
		"version: 1\nci: {max-size: }\n":                                         false,
		"version: 1\nci: {max-size: [1]}\n":                                      false,
		"version: 1\nci: {max-layers: 1.5}\n":                                    false,
		"version: 1\nci: {min-efficiency: 1.1}\n":                                false,
		"version: 1\nci: {max-size: {severity: warn}}\n":                         false,
		"version: 1\nci: {max-size: {limit: 1, severity: info}}\n":               false,
		"version: 1\nci: {max-size: {limit: 1, sverity: warn}}\n":                false,
		"version: 1\nci: {deny-path: []}\n":                                      false,
		"version: 1\nci: {fail-on: never}\n":                                     false,
		"version: 1\nci: {no-fail: 1}\n":                                         false,
		"version: 1\nci: {baseline: ''}\n":                                       false,
		"version: 1\nci: {suppress: [{path: /a}]}\n":                             false,
		"version: 1\nci: {suppress: [{reason: known}]}\n":                        false,
		"version: 1\nci: {suppress: [{path: /a, reason: ''}]}\n":                 false,
		"version: 1\nci: {suppress: [{path: /a, reason: known, until: soon}]}\n": false,
		"version: 1\nci: {suppress: {path: /a, reason: known}}\n":                false,
		"version: 1\n": true, "version: 1\nui: {keys: {sort: [ctrl-s, ctrl-y], image: 9}}\n": true,
		"version: 2\n": false, "ui: {}\n": false, "version: 1\nui: {thme: dark}\n": false, "version: 1\nui: {keys: {srot: x}}\n": false,
		"version: 1\nui: {keys: dive}\n": true, "version: 1\nui: {keys: {preset: dive, image: 9}}\n": true, "version: 1\nui: {keys: vim}\n": false, "version: 1\nui: {keys: {preset: [dive]}}\n": false,
		"version: 1\nfindings: {secrets: off}\n": true, "version: 1\nfindings: {secrets: mine}\n": false, "version: 1\nfindings: {secrets: }\n": false,
		"version: 1\nui: {sort: count}\n": false, "version: 1\nui: {mouse: 1}\n": false,
	} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(withDays(v)); (err == nil) != good {
			t.Errorf("the schema says %v of %q", err, text)
		}
		if _, err := parsed(text); (err == nil) != good {
			t.Errorf("the reader says %v of %q", err, text)
		}
	}
}

// Each table of docs/config.md lists the settings of some groups and where they
// can be given. The last column can be written by hand.
func TestConfigDoc(t *testing.T) {
	data, err := os.ReadFile(configDoc)
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	for _, table := range [][]group{{explorer}, {building}, {search}, {judgment, configFile}, {opening}} {
		start := fmt.Sprintf("<!-- settings %q -->\n", table)
		before, rest, ok := strings.Cut(want, start)
		old, after, ended := strings.Cut(rest, "\n\n")
		if !ok || !ended {
			t.Fatalf("%s has no table behind %s", configDoc, start)
		}
		want = before + start + settingsTable(table, old) + "\n" + after
	}
	if *update {
		if err := os.WriteFile(configDoc, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("%s is out of date: go test ./cmd/fathom -run TestConfigDoc -update writes it:\n%s", configDoc, diff)
	}
	for _, name := range variables() {
		if !strings.Contains(want, "`"+name+"`") {
			t.Errorf("%s does not mention %s", configDoc, name)
		}
	}
	for key, names := range map[string][]string{"`ui.theme`": ui.Themes(), "`ui.sort`": sorts()[:4]} {
		_, row, _ := strings.Cut(want, "| "+key)
		row, _, _ = strings.Cut(row, "\n")
		for _, name := range names {
			if !strings.Contains(row, "`"+name+"`") {
				t.Errorf("%s: the row of %s does not name %s", configDoc, key, name)
			}
		}
	}
}

// settingsTable returns a table of docs/config.md. The last column is the flag's
// help; keys that are not rules can have a text of their own.
func settingsTable(groups []group, old string) string {
	code := func(s string, ok bool) string {
		if !ok {
			return " "
		}
		return " `" + s + "` "
	}
	b := "| key | flag | environment | |\n|---|---|---|---|\n"
	for _, r := range newSettings().rows {
		if !slices.Contains(groups, r.group) || r.in&(inFile|inVariable) == 0 {
			continue
		}
		key := code(string(r.group)+"."+r.name, r.in&inFile != 0)
		if r.name == "warn" {
			key = " `ci.RULE.severity` "
		}
		row := fmt.Sprintf("|%s|%s|%s|", key, code("--"+r.flag(), r.in&inFlag != 0), code(r.variable(), r.in&inVariable != 0))
		said := strings.TrimPrefix(r.help, "rule: ")
		_, rule := gate.SpecOf(r.name)
		for line := range strings.Lines(old) {
			if rule || r.group == opening {
				break
			}
			if cells := strings.Split(line, "|"); len(cells) > 4 && (key != " " && cells[1] == key || strings.TrimSpace(cells[1]) == "" && strings.TrimSpace(cells[2]) == "`--"+r.flag()+"`") {
				said = strings.TrimSpace(strings.Join(cells[4:len(cells)-1], "|"))
			}
		}
		b += row + " " + said + " |\n"
	}
	return b
}

// fathom config init shows an example of every key of the sections ci and build, and the
// reader takes it.
func TestStarterIsWhole(t *testing.T) {
	for _, r := range newSettings().rows {
		if (r.group == judgment || r.group == building) && r.in&inFile != 0 && r.example == "" {
			t.Errorf("%s has no example", r.name)
		}
	}
	c, err := parsed(uncommented(initial()))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.of.rows {
		for _, g := range []group{judgment, building} {
			if _, ok := c.section(g).values[r.name]; !ok && r.group == g && r.in&inFile != 0 {
				t.Errorf("the starter has no %s", r.name)
			}
		}
	}
}

// Any config file is read or refused. What is read is valid as limits and by the
// schema.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		initial(), uncommented(initial()), "version: 1\nui: {keys: {sort: [ctrl-s, ctrl-y]}}\n", "version: 1\nui: {keys: dive}\n", "version: 1\nui: {keys: {preset: dive, quit: Q}}\n", "version: 1\nci: {max-size: {limit: 1, severity: warn}}",
		"rules:\n  lowestEfficiency: 0.9\n", "version: 1\nci: &a {deny-path: [a, off], suppress: [*a]}", "a: [1\n---\n",
	} {
		f.Add(s)
	}
	for _, limit := range []string{"0x10", "1e3", ".5", "' 90 %'", "1.5 GiB", "010", "'1 k'", "+1", "1_0", "-0", "0.0", "'100.0%'", "~", "[a, '!b']", "1.0"} {
		for _, rule := range ruleNames() {
			f.Add("version: 1\nci: {" + rule + ": " + limit + "}")
		}
	}
	schema, err := jsonschema.NewCompiler().Compile(configSchema)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parsed(text); err == nil {
			var v any
			if err := yaml.Unmarshal([]byte(text), &v); err != nil {
				t.Errorf("%q is read and no YAML: %v", text, err)
			} else if err := schema.Validate(withDays(v)); err != nil {
				t.Errorf("%q is read and not good by the schema: %v", text, err)
			}
		}
		if c, err := parsed(text); err == nil {
			for _, g := range c.section(judgment).values {
				g.put(g.from)
			}
			var l gate.Limits
			for _, r := range c.of.rules {
				if !r.off {
					l = append(l, r.limit)
				}
			}
			if err := l.Validate(); err != nil {
				t.Errorf("%q is read and no limits: %v", text, err)
			}
			for _, s := range c.of.suppress {
				if err := s.Validate(); err != nil {
					t.Errorf("%q is read and no suppression: %v", text, err)
				}
			}
		}
		if c, err := newSettings().parseDive([]byte(text), diveName); err == nil && len(c.values) != 5 { // three, and off for the default rules that dive hasn't
			t.Errorf("%q as dive's has %d rules", text, len(c.values))
		}
	})
}
