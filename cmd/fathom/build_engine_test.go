package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// TestEngineBuild builds images with fathom build and real builders, without a
// terminal: what it opens has the base image and the lines of the Dockerfile. The exit
// code of a failing build is the builder's. Only the builder leaves something behind.
func TestEngineBuild(t *testing.T) {
	for _, tt := range []struct{ name, options string }{
		{"docker", "DOCKER_BUILDKIT=0 docker -H unix://ENGINES/run/docker.sock"},
		{"podman", "unshare -m --propagation private podman --cgroup-manager cgroupfs --events-backend file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			openEngine(t, tt.name)
			dir := t.TempDir()
			engines := os.Getenv("FATHOM_ENGINES")
			path, err := exec.LookPath(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			command := strings.NewReplacer("ENGINES", engines, " "+tt.name+" ", " "+path+" ").Replace(tt.options)
			write := func(name, text string) string {
				name = filepath.Join(dir, name)
				if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
				return name
			}
			write(tt.name, "#!/bin/sh\nexec env "+command+` "$@"`+"\n")
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			t.Setenv("DOCKER_HOST", "unix://"+engines+"/run/docker.sock")
			t.Setenv("CONTAINERS_STORAGE_CONF", write("storage.conf", fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = \"%s/podman\"\nrunroot = \"%[1]s/run/podman\"\n", engines)))
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			context := t.TempDir()
			file := filepath.Join(context, "Dockerfile")
			if err := os.WriteFile(file, []byte("FROM fathom-base\nENV A=1\nRUN echo a > /a\nCOPY Dockerfile /\nRUN chmod 600 /Dockerfile\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(context)
			build := func(args ...string) (int, *bytes.Buffer, *bytes.Buffer) {
				var out, problems bytes.Buffer
				code := run(t.Context(), append([]string{"build", "--builder", tt.name}, args...), strings.NewReader(""), &out, &problems)
				return code, &out, &problems
			}

			code, out, problems := build("--json", "-", "--", "--network", "host", "-t", "built", context)
			if code != exitOK {
				t.Fatalf("exit code %d\n%s", code, problems)
			}
			defer engine{tt.name, filepath.Join(dir, tt.name)}.run(t, nil, "rmi", "built")
			r, err := facts.Read(out)
			if err != nil {
				t.Fatal(err)
			}
			if b := r.Base; b == nil || b.Layers != 1 || !strings.HasSuffix(b.Reference, "fathom-base:latest") || b.Certainty != facts.CertainVerified {
				t.Errorf("got the base %+v", b)
			}
			lines := []int{}
			for _, l := range r.Layers[1:] {
				if l.Source != nil {
					lines = append(lines, l.Source.Line)
				}
			}
			if diff := cmp.Diff([]int{3, 4, 5}, lines); diff != "" {
				t.Errorf("the lines of own layers: %s", diff)
			}

			code, out, problems = build("--ci", "--scope", "own", "--max-layers", "2", "--", "--network", "host", "-t", "built", context)
			if code != exitRule || !strings.Contains(out.String(), "verdict: fail") {
				t.Errorf("judged: got exit code %d, %s\n%s", code, out, problems)
			}

			bad := write("bad", "FROM fathom-base\nRUN exit 9\n")
			code, out, problems = build("--ci", "--", "--network", "host", "--force-rm", "-t", "built-bad", "-f", bad, context)
			if code != 9 || !strings.Contains(problems.String(), "build failed: exit code 9") || !strings.Contains(out.String(), "verdict: error") {
				t.Errorf("a failing build: got exit code %d, %s\n%s", code, out, problems)
			}
			left, err := filepath.Glob(filepath.Join(temp, "fathom-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("it leaves %q, %v", left, err)
			}
		})
	}
}
