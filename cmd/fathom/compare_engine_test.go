package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// TestEngineCompare builds an image, and again with one line changed: only files of that
// step differ. Then it builds the image again without a cache: it differs only in times,
// and in files of which fathom says that they differ in every build.
func TestEngineCompare(t *testing.T) {
	for _, name := range []string{"docker", "containerd", "podman"} {
		t.Run(name, func(t *testing.T) {
			e, dir := openEngine(t, name), t.TempDir()
			context := filepath.Join(dir, "context")
			file := filepath.Join(context, "Dockerfile")
			if err := os.CopyFS(context, os.DirFS("../../testdata/engines/compare")); err != nil {
				t.Fatal(err)
			}
			edit := func(old, new string) {
				text, err := os.ReadFile(file)
				if err == nil {
					err = os.WriteFile(file, bytes.ReplaceAll(text, []byte(old), []byte(new)), 0o666)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			edit("FROM fathom-base\n", "FROM fathom-base\nENV RUN="+rand.Text()+"\n") // no earlier run has left steps to take
			build := func(image string, options ...string) string {
				e.buildFolder(t, "compare-"+image, context, options...)
				t.Cleanup(func() { _ = exec.Command(e.command, "rmi", "compare-"+image).Run() })
				return e.file(t, dir, image+".tar", "save", "compare-"+image)
			}
			first := build("first", "--no-cache")
			edit("echo one", "echo two")
			c := comparison(t, first, build("line"))
			if got := changes(c); got["/srv/version"] != facts.ChangeContent {
				t.Errorf("one line: %v", got)
			}
			for path, change := range changes(c) {
				// The step makes a file in /srv. podman makes a file in /run for each step.
				if change != facts.ChangeMTime && path != "/srv/version" || path != "/srv/version" && path != "/srv" && path != "/run" {
					t.Errorf("one line: %s differs by %s", path, change)
				}
			}
			for i, p := range c.Layers {
				if last := i == len(c.Layers)-1; (p.State == facts.LayerSame) == last {
					t.Errorf("one line: layer %d is %s", i, p.State)
				}
			}

			edit("echo two", "echo one")
			c = comparison(t, first, build("second", "--no-cache"))
			culprits := map[string]string{}
			for _, f := range c.Files {
				if f.Culprit != "" {
					culprits[f.Path] = f.Change
				} else if f.Change != facts.ChangeMTime {
					t.Errorf("two builds: %s differs by %s", f.Path, f.Change)
				}
			}
			for _, path := range []string{"/etc/machine-id", "/var/log/dpkg.log"} {
				if culprits[path] != facts.ChangeContent {
					t.Errorf("two builds: %s is not known to differ: %v", path, culprits)
				}
			}
			states := map[string]int{}
			for _, p := range c.Layers {
				states[p.State]++
			}
			// The base and, if the copied files keep their times, the layer of COPY are the same.
			if states[facts.LayerAdded]+states[facts.LayerRemoved]+states[facts.LayerMoved] > 0 || states[facts.LayerSame] < 1 || states[facts.LayerChanged] < 4 {
				t.Errorf("two builds: layers %v", c.Layers)
			}
			if len(c.Config) > 0 || len(c.Packages) > 0 || len(c.Findings.New) > 0 || len(c.Findings.Fixed) > 0 {
				t.Errorf("two builds: %v, %v, %v", c.Config, c.Packages, c.Findings)
			}
		})
	}
}

// changes returns how each path differs.
func changes(c *facts.Comparison) map[string]string {
	all := map[string]string{}
	for _, f := range c.Files {
		all[f.Path] = f.Change
	}
	return all
}

// comparison compares two archives with the real program.
func comparison(t *testing.T, old, new string) *facts.Comparison {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"compare", "--json", "-", old, new}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d, %s", code, &stderr)
	}
	var c facts.Comparison
	err := json.Unmarshal(stdout.Bytes(), &c)
	if c.Files == nil {
		err = errors.Join(err, errors.New("no files"))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.TrimSpace(stdout.String()))
	}
	return &c
}
