//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// actionStep is the shell step of action.yml that runs fathom.
func actionStep(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Runs struct {
			Steps []struct {
				Run string
				Env map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	last := action.Runs.Steps[len(action.Runs.Steps)-1]
	if strings.Contains(last.Run, "${{") {
		t.Error("the step has an expression in its script: an input could run commands")
	}
	return last.Run
}

// TestActionArgs runs the action's step as a runner does, with a fathom that
// writes down its arguments. A quoted glob must arrive without its quotes: one
// that keeps them matches nothing, and the rule passes.
func TestActionArgs(t *testing.T) {
	dir := t.TempDir()
	step, fake, out := filepath.Join(dir, "step.sh"), filepath.Join(dir, "fake fathom"), filepath.Join(dir, "args")
	for name, text := range map[string]string{
		step: actionStep(t),
		fake: "#!/bin/sh\nprintf '%s\\0' \"$@\" >\"$OUT\"\n",
		// What an unquoted glob would become in a shell.
		filepath.Join(dir, "a.pem"): "",
	} {
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := func(t *testing.T, args, image string) (got []string, message string) {
		t.Helper()
		if err := os.Remove(out); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		c := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", step)
		c.Dir = dir
		c.Env = append(os.Environ(), "FATHOM="+fake, "OUT="+out, "ARGS="+args, "IMAGE="+image)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		err := c.Run()
		text, readErr := os.ReadFile(out)
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.ExitCode() == 2 && readErr != nil:
			return nil, stderr.String()
		case err != nil || readErr != nil:
			t.Fatalf("%v, %v\n%s", err, readErr, &stderr)
		}
		return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), ""
	}

	for args, want := range map[string][]string{
		"":                             nil,
		" \t\r\n ":                     nil,
		"--deny-path '*.pem'":          {"--deny-path", "*.pem"},
		`--deny-path "*.pem"`:          {"--deny-path", "*.pem"},
		"--deny-path *.pem":            {"--deny-path", "*.pem"},
		"--deny-path='*.pem' --x":      {"--deny-path=*.pem", "--x"},
		"--a  1\n--b\t2\r\n":           {"--a", "1", "--b", "2"},
		"--a '' \"\"":                  {"--a", "", ""},
		`'a  b'"c d"e\ f`:              {"a  bc de f"},
		`'a"b' "c'd" \' \" \\`:         {`a"b`, "c'd", "'", `"`, `\`},
		`'a\' "b\c" "d\"e" "f\\" \g`:   {`a\`, `b\c`, `d"e`, `f\`, "g"},
		"'a\nb' \"c\nd\"":              {"a\nb", "c\nd"},
		"--a \\\n  --b \"c\\\nd\"":     {"--a", "--b", "cd"},
		`'$(touch x)' '${HOME}' "a\$"`: {"$(touch x)", "${HOME}", "a$"},
		"'`' \\` \\$":                  {"`", "`", "$"},
		"~ {a,b} [!x] ; & | > # ! é世":  {"~", "{a,b}", "[!x]", ";", "&", "|", ">", "#", "!", "é世"},
		"-n -e --":                     {"-n", "-e", "--"},
	} {
		got, message := run(t, args, "app.tar")
		if message != "" {
			t.Errorf("%q is refused: %s", args, message)
			continue
		}
		want = append(append([]string{"--ci"}, want...), "--", "app.tar")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", args, diff)
		}
	}
	for args, want := range map[string]string{
		"--deny-path '*.pem": "a quote (') is not closed",
		`--deny-path "*.pem`: `a quote (") is not closed`,
		`"a\`:                "it ends with a backslash",
		`a\`:                 "it ends with a backslash",
		"--max-size $MAX":    "$ is not expanded: put it in single quotes",
		`"a$(touch x)"`:      "$ is not expanded: put it in single quotes",
		"`touch x`":          "` is not expanded: put it in single quotes",
	} {
		if got, message := run(t, args, "app.tar"); message != "fathom: error: args: "+want+"\n" {
			t.Errorf("%q: got %q, %q, want %q", args, got, message, want)
		}
	}
	for _, image := range []string{"-x.tar", "a b'c.tar", "$(touch x)", "a\nb", ""} {
		if got, _ := run(t, "", image); !cmp.Equal(got, []string{"--ci", "--", image}) {
			t.Errorf("the image %q arrives as %q", image, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("an input ran a command")
	}
}
