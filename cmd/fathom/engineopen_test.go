package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// TestEngineOpens opens an image in an engine, through its API and from its storage,
// and compares it with the archive that the engine's own command saves.
func TestEngineOpens(t *testing.T) {
	for _, tt := range []struct {
		engine, scheme, variable, socket string
		storage                          bool // its storage is readable here
	}{
		{"docker", "docker", "DOCKER_HOST", "run/docker.sock", true},
		{"docker26", "docker", "DOCKER_HOST", "newer/run/docker26.sock", false},
		{"containerd", "docker", "DOCKER_HOST", "newer/run/containerd.sock", false},
		{"podman", "podman", "CONTAINER_HOST", "run/podman.sock", true},
	} {
		t.Run(tt.engine, func(t *testing.T) {
			e, dir := openEngine(t, tt.engine), t.TempDir()
			e.build(t, "odd")
			saved := e.file(t, dir, "odd.tar", "save", "odd")
			want, wantFiles := measure(t, saved), list(t, saved)
			// Set this only now, because CONTAINER_HOST changes what podman's own command does.
			t.Setenv(tt.variable, "unix://"+filepath.Join(os.Getenv("FATHOM_ENGINES"), tt.socket))
			ways := []string{"api"}
			if tt.storage {
				ways = append(ways, "storage")
			}
			name := tt.scheme + ":odd"
			var reports []facts.Report
			for _, way := range ways {
				got := measure(t, name, "--via", way)
				if got.Image.Source != tt.scheme {
					t.Errorf("the source is %q", got.Image.Source)
				}
				if diff := cmp.Diff(want, got, formOnly); diff != "" {
					t.Errorf("via %s the report differs from the archive's (-) in:\n%s", way, diff)
				}
				if diff := cmp.Diff(wantFiles, list(t, name, "--via", way)); diff != "" {
					t.Errorf("via %s the files differ from the archive's (-) in:\n%s", way, diff)
				}
				reports = append(reports, got)
			}
			if tt.storage {
				// Storage and archive have different manifests, so the digests differ.
				reports[0].Image.Digest, reports[1].Image.Digest = "", ""
				for i := range reports[0].Layers {
					reports[0].Layers[i].Digest = reports[1].Layers[i].Digest
				}
				if diff := cmp.Diff(reports[0], reports[1]); diff != "" {
					t.Errorf("through the API (-) and from the storage (+):\n%s", diff)
				}
			}
			id := want.Image.ID
			for _, ref := range []string{"odd", tt.scheme + ":" + id, tt.scheme + ":" + strings.TrimPrefix(id, "sha256:")[:12]} {
				if tt.engine == "containerd" && ref != "odd" {
					continue // its IDs are digests of manifests
				}
				if got := measure(t, ref); got.Image.ID != id {
					t.Errorf("%s is %s, want %s", ref, got.Image.ID, id)
				}
			}
		})
	}
}

// TestEngineContainers opens a container with changed files, and compares it with
// what its engine exports.
func TestEngineContainers(t *testing.T) {
	const changes = `mkdir /new && echo hello > /new/file && ln /new/file /new/link && ln -s file /new/symlink &&
		mkfifo /new/pipe && rm /etc/issue && rm -r /etc/apt && mkdir /etc/apt && echo x > /etc/apt/again &&
		chmod 4755 /bin/cat && echo line >> /etc/passwd && ln /bin/ls /new/ls && rm -r /usr/share && echo a > /usr/share`
	for _, tt := range []struct{ engine, scheme, variable, socket string }{
		{"docker", "docker", "DOCKER_HOST", "run/docker.sock"},
		{"docker26", "docker", "DOCKER_HOST", "newer/run/docker26.sock"},
		{"containerd", "docker", "DOCKER_HOST", "newer/run/containerd.sock"},
		{"podman", "podman", "CONTAINER_HOST", "run/podman.sock"},
	} {
		t.Run(tt.engine, func(t *testing.T) {
			e, dir := openEngine(t, tt.engine), t.TempDir()
			const name = "fathom-changes"
			var id string
			if e.name == "podman" { // podman can't start containers everywhere
				id = e.run(t, nil, "create", "--name", name, "fathom-base", "true")
				file := filepath.Join(dir, "file")
				if err := os.WriteFile(file, []byte("hello\n"), 0o640); err != nil {
					t.Fatal(err)
				}
				e.run(t, nil, "cp", file, name+":/etc/passwd")
				e.run(t, nil, "cp", dir, name+":/new")
			} else {
				e.run(t, nil, "run", "--network", "none", "--name", name, "fathom-base", "sh", "-ec", changes)
				id = e.run(t, nil, "ps", "--all", "--quiet", "--filter", "name="+name)
			}
			exported := e.file(t, dir, "export.tar", "export", name)
			t.Run("opened", func(t *testing.T) { // a subtest, because CONTAINER_HOST changes what podman's own command does
				t.Setenv(tt.variable, "unix://"+filepath.Join(os.Getenv("FATHOM_ENGINES"), tt.socket))
				compareExport(t, e, tt.scheme+":"+name, exported)
				if got := fathom(t, "cat", tt.scheme+":"+id[:6], "/new/file").String(); got != "hello\n" {
					t.Errorf("got %q", got)
				}
				if tt.engine == "docker" { // its storage is readable here, too
					all := list(t, tt.scheme+":"+name)
					upper := list(t, e.run(t, nil, "inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", name))
					for p, s := range upper {
						if diff := cmp.Diff(all[p], s); diff != "" {
							t.Errorf("%s in the overlay's folder differs from the container's (-):\n%s", p, diff)
						}
					}
					if len(upper) < 10 {
						t.Errorf("the overlay's folder has only %v", upper)
					}
				}
			})
			e.run(t, nil, "rm", name)
		})
	}
}
