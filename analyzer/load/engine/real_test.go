package engine

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// engines lists the engines that testdata/engines/up starts.
var engines = []struct {
	name   string
	kind   Kind
	socket string
	want   Storage // DIR in Root stands for the engines' folder
}{
	{"docker", Docker, "run/docker.sock", Storage{Kind: Docker, Driver: "overlay2", Root: "DIR/docker"}},
	{"docker26", Docker, "newer/run/docker26.sock", Storage{Kind: Docker, Driver: "overlay2", Root: "/var/lib/docker26"}},
	{"containerd", Docker, "newer/run/containerd.sock", Storage{Kind: Docker, Driver: "overlayfs", Content: true, Root: "/var/lib/containerd"}},
	{"podman", Podman, "run/podman.sock", Storage{Kind: Podman, Driver: "overlay", Root: "DIR/podman"}},
	{"podman as docker", Docker, "run/podman.sock", Storage{Kind: Podman, Driver: "overlay", Root: "DIR/podman"}},
}

// TestEngineAPI finds and saves images of real engines by every kind of name, and
// compares the archives with those of the engines' own save commands.
func TestEngineAPI(t *testing.T) {
	dir := os.Getenv("FATHOM_ENGINES")
	if dir == "" {
		t.Skip("no engines: testdata/engines/up DIR starts some, FATHOM_ENGINES=DIR tests against them")
	}
	for _, tt := range engines {
		t.Run(tt.name, func(t *testing.T) {
			host := "unix://" + filepath.Join(dir, tt.socket)
			e, err := Connect(t.Context(), tt.kind, Options{Home: t.TempDir(), Getenv: func(name string) string {
				if name == "DOCKER_HOST" || name == "CONTAINER_HOST" {
					return host
				}
				return ""
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			got, err := e.Storage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s %s, API %s", got.Kind, got.Version, e.Version())
			tt.want.Version, tt.want.Root = got.Version, strings.Replace(tt.want.Root, "DIR", dir, 1)
			if got != tt.want {
				t.Errorf("the storage is %+v, want %+v", got, tt.want)
			}

			command := filepath.Join(dir, "bin", tt.name)
			if tt.want.Kind == Podman {
				command = filepath.Join(dir, "bin", "podman")
			}
			name := "fathom-base"
			whole := strings.TrimSpace(output(t, command, "image", "inspect", "--format", "{{.Id}}", name))
			if !strings.Contains(whole, ":") {
				whole = "sha256:" + whole
			}
			tag := name + ":latest"
			if tt.want.Kind == Podman {
				tag = "localhost/" + tag
			}
			short := whole[len("sha256:"):][:12]
			for _, n := range []string{name, name + ":latest", whole, strings.TrimPrefix(whole, "sha256:"), short, "sha256:" + short} {
				img, err := e.Find(t.Context(), n, "")
				if err != nil {
					t.Errorf("%s: %v", n, err)
					continue
				}
				want := whole
				if strings.HasPrefix(n, name) {
					want = tag
				}
				if img.ID != whole || img.Name != want || !slices.Contains(img.Tags, tag) || len(img.DiffIDs) != 1 {
					t.Errorf("%s: got %+v, want %s of %s", n, img, want, whole)
				}
			}
			for _, n := range []string{"fathom-none", "fathom-base:none", "sha256:" + strings.Repeat("0", 64), "000000000000", "quay.io/fathom-base"} {
				if _, err := e.Find(t.Context(), n, ""); !errors.As(err, new(*NoImageError)) {
					t.Errorf("%s: got %v", n, err)
				}
			}
			if _, err := e.Find(t.Context(), name, "linux/s390x"); !errors.As(err, new(*PlatformError)) && !tt.want.Content {
				t.Errorf("for another platform: %v", err)
			}

			all, err := e.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(all, func(img Image) bool { return img.ID == whole && slices.Contains(img.Tags, tag) && img.Size > 0 }) {
				t.Errorf("%s isn't listed", whole)
			}
			if !slices.IsSortedFunc(all, func(a, b Image) int { return b.Created.Compare(a.Created) }) {
				t.Error("the list isn't sorted")
			}

			for _, n := range []string{name, whole} {
				img, err := e.Find(t.Context(), n, "")
				if err != nil {
					t.Fatal(err)
				}
				s, err := e.Save(t.Context(), img)
				if err != nil {
					t.Fatal(err)
				}
				got := contents(t, s)
				if err := errors.Join(s.Said(), s.Close()); err != nil {
					t.Error(err)
				}
				cmd := exec.CommandContext(t.Context(), command, "save", img.Name)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				want := contents(t, out)
				if err := cmd.Wait(); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Errorf("saving %s gives\n%s\n%s save gives\n%s", img.Name, strings.Join(got, "\n"), command, strings.Join(want, "\n"))
				}
			}
		})
	}
}

func output(t *testing.T, command string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, &problems)
	}
	return string(out)
}

// contents returns the names of an archive's entries in order, and the tags in its
// manifest.json.
func contents(t *testing.T, r io.Reader) []string {
	t.Helper()
	var out []string
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		line := h.Name
		if h.Name == "manifest.json" {
			var manifest []struct{ RepoTags []string }
			if err := json.NewDecoder(archive).Decode(&manifest); err != nil {
				t.Fatal(err)
			}
			for _, m := range manifest {
				line += " " + strings.Join(m.RepoTags, " ")
			}
		}
		out = append(out, line)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEngineSSH connects to real engines through the commands that ssh runs on the
// remote machine.
func TestEngineSSH(t *testing.T) {
	dir := os.Getenv("FATHOM_ENGINES")
	if dir == "" {
		t.Skip("no engines: testdata/engines/up DIR starts some, FATHOM_ENGINES=DIR tests against them")
	}
	fakeSSH(t, t.TempDir(), `while [ "$1" != -- ]; do shift; done; shift 2; exec sh -c "$*"`)
	for _, tt := range []struct {
		kind   Kind
		socket string
	}{
		{Docker, "run/docker.sock"},
		{Podman, "run/podman.sock"},
	} {
		t.Run(tt.kind.String(), func(t *testing.T) {
			host := "ssh://far" + filepath.Join(dir, tt.socket)
			e, err := Connect(t.Context(), tt.kind, Options{Home: t.TempDir(), Getenv: func(name string) string {
				if name == "DOCKER_HOST" || name == "CONTAINER_HOST" {
					return host
				}
				return ""
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			img, err := e.Find(t.Context(), "fathom-base", "")
			if err != nil {
				t.Fatal(err)
			}
			s, err := e.Save(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if names := contents(t, s); len(names) < 5 {
				t.Errorf("got %v", names)
			}
		})
	}
	host := "unix://" + filepath.Join(dir, "run/none.sock")
	_, err := Connect(t.Context(), Docker, Options{Home: t.TempDir(), Getenv: func(name string) string {
		if name == "DOCKER_HOST" {
			return strings.Replace(host, "unix://", "ssh://far", 1)
		}
		return ""
	}})
	t.Log(err)
	oneLine(t, err)
	if !strings.Contains(err.Error(), "ssh says: ") {
		t.Errorf("got %v", err)
	}
}
