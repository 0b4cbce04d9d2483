package main

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"fathom/analyzer/gate"
	"fathom/analyzer/imagetest"
)

// The values that dive accepts and refuses for each of its rules, as tried with
// dive 0.13.1. Besides "disabled" and "", the words that turn a rule off are from
// its later source; 0.13.1 refuses them. NaN, which fails no image in dive, is
// refused here.
func TestDiveValues(t *testing.T) {
	const offs = "'' ' ' disabled DISABLED off Off false False 'false ' \"off\""
	for key, tt := range map[string]struct {
		good map[string]string
		off  string
		bad  string
	}{
		"lowestEfficiency": {
			map[string]string{
				"0.95": "0.95", "'0.95'": "0.95", "1": "1", "0": "0", ".5": "0.5", "9e-1": "0.9", "+0.9": "0.9", "-0": "0", "0x1p-1": "0.5", "1e0": "1", "0b1": "1", "0o1": "1", "&a 0.9": "0.9", "!!str 0.9": "0.9",
				"~": "0.9", "": "0.9", "null": "0.9",
			},
			offs, "90% 1.1 -0.1 NaN .nan .inf Inf true yes no on 'x' [0.9] {a:0.9} 1_0 5. 2001-01-01 ' 0.9' 0,9 1e400",
		},
		"highestUserWastedPercent": {
			map[string]string{"0.20": "20%", "'0.1'": "10%", "~": "10%"},
			offs, "20 20% -1 NaN enabled",
		},
		"highestWastedBytes": {
			map[string]string{
				"20MB": "20000000", "20 MB": "20000000", "20MiB": "20971520", "20mb": "20000000", "0": "0", "20000000": "20000000", "'1,000'": "1000", "1.5GB": "1500000000",
				"10k": "10000", "'10 Ki'": "10240", "0.5": "0", "~": "off", "1e6": "1000000", "1_000": "1000", "0x10": "16", "20.MB": "20000000", ".5MB": "500000", "18446744073709551615": "9223372036854775807",
			},
			offs, "MB -1 20XB NaN true x [1] 20% 99999999999EB",
		},
	} {
		read := func(value string) (string, error) {
			c, err := newSettings().parseDive([]byte("rules:\n  "+key+": "+value+"\n"), diveName)
			if err != nil {
				return "", err
			}
			return c.values[diveRules()[strings.ToLower(key)].name].text, nil
		}
		for value, want := range tt.good {
			got, err := read(value)
			if got != want {
				t.Errorf("%s: %s is %q (%v), want %q", key, value, got, err, want)
			}
		}
		for _, value := range words(tt.off) {
			if v, err := read(value); err != nil || v != off {
				t.Errorf("%s: %s is %s, %v; want it to be off", key, value, v, err)
			}
		}
		for _, value := range words(tt.bad) {
			v, err := read(value)
			if err == nil {
				t.Errorf("%s: %s is %s, want an error", key, value, v)
			} else if !strings.HasPrefix(err.Error(), "line 2, column ") {
				t.Errorf("%s: %s: the error has no place: %v", key, value, err)
			}
		}
	}
}

// words splits at spaces that are not in quotes.
func words(s string) []string {
	var out []string
	open := false
	for part := range strings.SplitSeq(s, " ") {
		if open {
			out[len(out)-1] += " " + part
		} else {
			out = append(out, part)
		}
		if strings.Count(part, "'")%2 == 1 {
			open = !open
		}
	}
	return out
}

func TestDiveFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":            "",
		"# nothing\n": "",
		"rules:\n":    "",
		"rules: {}\n": "",
		"a: &a {lowestEfficiency: 0.5}\nrules: *a\n": ":1:1: dive has no key \"a\" here",
		"rules:\n  lowest: 1\n":                      ":2:3: dive has no key \"lowest\" here",
		"rules: [1]\n":                               "line 1, column 8: expected keys and values",
		"- rules\n":                                  "line 1, column 1: expected keys and values",
		"rules: {\n":                                 "line 2, column 1",
		"rules: {}\nrules: {}\n":                     `line 2, column 1: the key "rules" is given twice`,
		"rules: {}\n---\nx: [\n":                     "",
		"rule:\n  lowestEfficiency: 1\n":             "did you mean rules?",
	} {
		c, err := newSettings().parseDive([]byte(text), diveName)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = strings.Join(c.warnings, "\n")
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Keys ignore case, and can be dotted or merged: dive 0.13.1 reads all of these
// as 0.5.
func TestDiveKeys(t *testing.T) {
	for _, text := range []string{
		"rules: {lowestefficiency: 0.5}", "RULES: {LOWESTEFFICIENCY: 0.5}", "rules.lowestEfficiency: 0.5",
		"a: &a {lowestEfficiency: 0.5}\nrules: *a", "a: &a {lowestEfficiency: 0.5}\nrules: {<<: *a}",
		"a: &a {lowestEfficiency: 0.4}\nrules: {<<: *a, lowestEfficiency: 0.5}",
	} {
		c, err := newSettings().parseDive([]byte(text), diveName)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := c.values[gate.MinEfficiency].text; got != "0.5" {
			t.Errorf("%q: the limit is %s", text, got)
		}
	}
	for _, text := range []string{"rules: &a {<<: *a}", "rules: {a: 1, A: 2}"} {
		if _, err := newSettings().parseDive([]byte(text), diveName); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestMisspelt(t *testing.T) {
	for env, want := range map[string]string{
		"FATHOM_MAX_SIZE=1": "", "FATHOM_MAX_SISE=1": "FATHOM_MAX_SIZE", "FATHOM_max_size=1": "FATHOM_MAX_SIZE", "FATHOM_MAX_SISE=": "",
		"FATHOM_SOMETHING_ELSE=1": "", "HOME=/": "", "FATHOM_CACHE_DIR=/c": "", "FATHOM_MIN_EFFICIENCI=1": "FATHOM_MIN_EFFICIENCY",
	} {
		err := misspelt([]string{"PATH=/bin", env})
		var own *hintError
		if want == "" && err != nil || want != "" && (!errors.As(err, &own) || !strings.Contains(own.hint, want)) {
			t.Errorf("%s: got %v, want %q", env, err, want)
		}
	}
}

// Each rule can be given in every place, and the first place counts.
func TestPlaces(t *testing.T) {
	values := map[gate.Unit][3]string{ // of the flag, the environment, the file
		gate.Ratio: {"0.1", "0.2", "0.3"}, gate.Percent: {"1%", "2%", "3%"}, gate.Bytes: {"1kB", "2kB", "3kB"}, gate.Count: {"1", "2", "3"},
	}
	for _, s := range gate.Specs() {
		v := values[s.Unit]
		switch s.Form {
		case gate.Globs:
			v = [3]string{"a", "b", "c"}
			if s.AboutPackages() {
				v = [3]string{"deb:a", "deb:b", "deb:c"}
			}
		case gate.Switch:
			v = [3]string{"true", "true", "true"}
		case gate.Names:
			v = [3]string{"error", "warn", "info"}
			if s.NeedsBaseline() {
				v = [3]string{"same-files", "reproducible", "same-files"}
			}
		case gate.Folders:
			v = [3]string{"a=1", "b=2", "c=3"}
		}
		for places, want := range map[string]int{"flag env file": 0, "env file": 1, "file": 2, "flag file": 0, "": -1} {
			file := "version: 1\n"
			if strings.Contains(places, "file") {
				file += "ci: {" + s.Name + ": " + v[2] + "}\n"
			}
			var args []string
			if strings.Contains(places, "flag") {
				args = []string{"--" + s.Name + "=" + v[0]}
			}
			env := map[string]string{}
			if strings.Contains(places, "env") {
				env[variable(s.Name)] = v[1]
			}
			got, err := settled(t, args, env, file)
			if err != nil {
				t.Fatal(err)
			}
			l := got.limits
			if want < 0 {
				if diff := cmp.Diff(gate.Default(), l); diff != "" {
					t.Errorf("%s in no place (-want +got):\n%s", s.Name, diff)
				}
				continue
			}
			x, err := gate.Parse(s.Name, v[want])
			if err != nil {
				t.Fatal(err)
			}
			if len(l) != 1 || l[0].Number != x.Number || l[0].Ratio != x.Ratio || !slices.Equal(l[0].Globs, x.Globs) || !slices.Equal(l[0].Names, x.Names) || !slices.Equal(l[0].Folders, x.Folders) {
				t.Errorf("%s in %s: got %+v, want %+v", s.Name, places, l, x)
			}
		}
	}
}

// A rule that is on or off is a flag without a value, and true or false in a flag, a
// variable and a file.
func TestSwitch(t *testing.T) {
	judging := judging{rules: map[string]ruleValue{}}
	rule := judging.rule(&gate.Spec{Name: "strict", Form: gate.Switch})
	for _, text := range []string{"false", "0", "off"} {
		if got, err := rule.parse([]string{text}); err != nil || got.text != off {
			t.Errorf("%s: got %q, %v", text, got.text, err)
		}
	}
	for arg, want := range map[string]string{"--strict": "true", "--strict=off": "off"} {
		s := newSettings()
		s.rows = []setting{{name: "strict", group: judgment, in: inAll, takes: s.judging.rule(&gate.Spec{Name: "strict", Form: gate.Switch})}}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		s.addFlags(flags, judgment)
		if err := flags.Parse([]string{arg, "app.tar"}); err != nil || flags.Lookup("strict").Value.String() != want || flags.NArg() != 1 {
			t.Errorf("%s: got %q, %v, %q", arg, flags.Lookup("strict").Value, err, flags.Args())
		}
	}
	for file, want := range map[string]string{"true": "true", "True": "true", "false": "off", "off": "off", "1": "", "'true'": "", "[true]": ""} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(file), &n); err != nil {
			t.Fatal(err)
		}
		if got, err := switchText(n.Content[0]); err == nil && got != want || (err == nil) != (want != "") {
			t.Errorf("%s in a file: got %q, %v; want %q", file, got, err, want)
		}
	}
}

// A flag and a variable take several names, with commas.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		args []string
		env  string
		want []string
	}{
		{[]string{"--fail-on-finding=secret,warn"}, "", []string{"secret", "warn"}},
		{[]string{"--fail-on-finding", "secret", "--fail-on-finding", "warn, docs"}, "info", []string{"secret", "warn", "docs"}},
		{nil, "secret,warn docs", []string{"secret", "warn", "docs"}},
		{[]string{"--fail-on-finding=off", "--max-size=1"}, "secret", nil},
		{[]string{"--fail-on-finding="}, "", nil},
		{[]string{"--fail-on-finding=off,secret"}, "", nil},
		{[]string{"--fail-on-finding=,"}, "", nil},
	} {
		s, err := settled(t, tt.args, map[string]string{"FATHOM_FAIL_ON_FINDING": tt.env}, "version: 1\n")
		refused := tt.want == nil && len(tt.args) == 1
		if (err != nil) != refused {
			t.Fatalf("%q, %q: got %v", tt.args, tt.env, err)
		}
		if err != nil {
			continue
		}
		var got []string
		if l := s.limitOf(gate.FailOnFinding); l != nil {
			got = l.Names
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q, %q: got %q, want %q", tt.args, tt.env, got, tt.want)
		}
	}
}

// The sample of docs/gate.md is the program's output for the image there.
func TestGateSample(t *testing.T) {
	const doc = "../../docs/gate.md"
	want := sampleIn(t, doc, "## Why a rule is broken")
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "as fathom's tests write images:\n\n```\n")
	image, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatalf("%s has no image", doc)
	}
	img, err := imagetest.Parse([]byte(image))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("app.tar", img.DockerArchive().Tar(), 0o666); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args := []string{"--max-wasted-bytes", "1kB", "--max-layers", "2", "--warn", "max-layers", "app.tar"}
	if code := run(t.Context(), args, nil, &stdout, &stderr); code != exitRule {
		t.Fatalf("exit code %d, %s", code, &stderr)
	}
	_, got, _ := strings.Cut(stdout.String(), "\n\nFAIL")
	if diff := cmp.Diff(want, "FAIL"+got); diff != "" {
		t.Error(diff)
	}
}
