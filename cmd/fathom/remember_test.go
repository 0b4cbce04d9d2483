package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"fathom/ui"
)

// explorerJob returns a job whose state folder is dir, with the settings of flags and a
// config file, and what it writes to standard error.
func explorerJob(t *testing.T, dir, file string, args ...string) (*job, *bytes.Buffer) {
	t.Helper()
	s, err := settled(t, args, nil, file)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	a := &app{stderr: &said, getenv: func(name string) string {
		return map[string]string{"XDG_STATE_HOME": dir}[name]
	}}
	return &job{app: a, settings: s, flags: &pflag.FlagSet{}}, &said
}

const remembers = "version: 1\nui: {remember: true}\n"

// TestRemember checks that what was chosen in the explorer is there at the next start,
// unless a flag or a config file says something else.
func TestRemember(t *testing.T) {
	dir := t.TempDir()
	start := func(file string, args ...string) ui.Options {
		t.Helper()
		j, said := explorerJob(t, dir, file, args...)
		opt := j.look()
		if said.Len() > 0 {
			t.Errorf("it says %s", said)
		}
		return opt
	}
	first := start(remembers)
	chosen := first.Choices
	chosen.Files.Sort, chosen.Waste.Sort, chosen.Hide, chosen.Left, chosen.Whole = "-name", "stored", []string{"unchanged"}, 40, true
	first.Keep(chosen)
	data, err := os.ReadFile(filepath.Join(dir, "fathom", "ui.yaml"))
	want := "ui:\n  hide:\n    - unchanged\n  left: 40\n  sort: -name\n  sort-waste: stored\n  whole: true\nversion: 1\n"
	if err != nil || strings.ReplaceAll(string(data), "    ", "  ") != want {
		t.Fatalf("the file has %q, %v, want %q", data, err, want)
	}

	got := start(remembers).Choices
	if got.Files.Sort != "-name" || got.Waste.Sort != "stored" || len(got.Hide) != 1 || got.Left != 40 || !got.Whole {
		t.Errorf("the next start has %+v", got)
	}
	if got.Compared.Sort != "" {
		t.Errorf("a comparison is sorted by %q", got.Compared.Sort)
	}
	got = start("version: 1\nui: {remember: true, hide: [], left: 20}\n", "--sort=growth").Choices
	if got.Files.Sort != "growth" || got.Compared.Sort != "growth" || len(got.Hide) != 0 || got.Left != 20 || !got.Whole {
		t.Errorf("a flag and a config file are not above what is remembered: %+v", got)
	}
	if got := start("version: 1\n").Choices; got.Files.Sort != "" || got.Whole {
		t.Errorf("without remember, the start has %+v", got)
	}

	// A flag of one start is not remembered. Two at once: each writes what changed in it.
	one, two := start(remembers, "--sort=growth"), start(remembers)
	chosen = one.Choices
	chosen.Left = 60
	one.Keep(chosen)
	chosen = two.Choices
	chosen.Whole = false
	two.Keep(chosen)
	got = start(remembers).Choices
	if got.Files.Sort != "-name" || got.Left != 60 || got.Whole {
		t.Errorf("after two at once: %+v", got)
	}
}

// TestForgets checks that a broken state file is a note, and is replaced at the next end.
func TestForgets(t *testing.T) {
	for _, text := range []string{"", "\xff\x00", "version: 1\nui: {srot: size}\n", "version: 1\nui: {sort: colour}\n", "version: 1\nui: {left: 95}\n", "version: 1\nui: {hide: added}\n"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "fathom", "ui.yaml")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		j, said := explorerJob(t, dir, remembers)
		opt := j.look()
		j.look()
		if strings.Count(said.String(), "\n") != 1 || !strings.HasPrefix(said.String(), "fathom: note: ") {
			t.Errorf("%q: it says %q, want one note", text, said)
		}
		chosen := opt.Choices
		chosen.Files.Sort = "name"
		opt.Keep(chosen)
		j, said = explorerJob(t, dir, remembers)
		if got := j.look().Choices.Files.Sort; got != "name" || said.Len() > 0 {
			t.Errorf("%q: then the order is %q, and it says %q", text, got, said)
		}
	}
	// A folder that can't be made is a warning.
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	j, said := explorerJob(t, dir, remembers)
	opt := j.look()
	said.Reset()
	chosen := opt.Choices
	chosen.Whole = true
	opt.Keep(chosen)
	if !strings.HasPrefix(said.String(), "fathom: warning: the explorer forgets what was chosen: ") {
		t.Errorf("it says %q", said)
	}
}
