package storage

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fathom/analyzer/layer"
)

// engineRoots are the storages of the engines that testdata/engines/up starts.
var engineRoots = []struct {
	engine, root string
}{
	{"docker", "docker"},
	{"docker26", "newer/var/lib/docker26"},
	{"podman", "podman"},
}

// run returns the first line that an engine prints.
func run(t *testing.T, stdin io.Reader, command string, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(command), strings.Join(args, " "), err, &problems)
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	return line
}

// openEngine opens an image in the storage of an engine.
func openEngine(t *testing.T, engine, root, name string) *Image {
	t.Helper()
	var img *Image
	var err error
	if engine == "podman" {
		img, err = Podman(PodmanOptions{Root: root}, name)
	} else {
		img, err = Docker(root, name)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img
}

// buildOdd builds an image from testdata/engines/odd, changes files in a
// container of it, and commits that.
func buildOdd(t *testing.T, engine, command string) {
	t.Helper()
	const context = "../../../testdata/engines/odd"
	if engine == "podman" {
		run(t, nil, command, "build", "--network", "host", "--cap-add", "mknod", "-t", "odd", context)
	} else {
		var archive bytes.Buffer // some engines live in a folder where the context isn't
		w := tar.NewWriter(&archive)
		err := w.AddFS(os.DirFS(context))
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		run(t, &archive, command, "build", "--network", "host", "-t", "odd", "-")
	}
	const more = "mkdir /tmp/more && mkfifo /tmp/more/pipe && truncate -s 5M /tmp/more/sparse && head -c 3M /dev/urandom >/tmp/more/x && " +
		"setfattr -n user.note -v hello /tmp/more/x && rm /app/data.txt && chmod 700 /tmp/more"
	id := run(t, nil, command, "create", "--network", "none", "odd", more)
	defer run(t, nil, command, "rm", id)
	if engine == "podman" { // which may build in a container, but hardly run
		run(t, nil, command, "cp", "engine_test.go", id+":/tmp/more")
	} else {
		run(t, nil, command, "start", "--attach", id)
	}
	run(t, nil, command, "commit", id, "fathom-committed")
}

// TestEngineStorage reads every layer of every image in the storage of real
// engines. The tar must have the diff ID that the image's config has for it, and
// listing its entries must give the same as reading it.
func TestEngineStorage(t *testing.T) {
	dir := os.Getenv("FATHOM_ENGINES")
	if dir == "" {
		t.Skip("no engines: testdata/engines/up DIR starts some, FATHOM_ENGINES=DIR tests against them")
	}
	for _, e := range engineRoots {
		root, command := filepath.Join(dir, e.root), filepath.Join(dir, "bin", e.engine)
		buildOdd(t, e.engine, command)
		var list []Summary
		var err error
		if e.engine == "podman" {
			list, err = PodmanImages(PodmanOptions{Root: root})
		} else {
			list, err = DockerImages(root)
		}
		if err != nil {
			t.Fatal(err)
		}
		var tags []string
		checked := map[string]bool{} // layers, by their diff ID
		for _, s := range list {
			tags = append(tags, s.Tags...)
			title := s.ID.Hex[:12]
			if len(s.Tags) > 0 {
				title = s.Tags[0]
			}
			t.Run(e.engine+"/"+title, func(t *testing.T) {
				if s.Size > 1<<30 {
					t.Skip("takes too long")
				}
				img := openEngine(t, e.engine, root, s.ID.String())
				want := run(t, nil, command, "inspect", "--type", "image", "--format", "{{.Id}} {{len .RootFS.Layers}}", s.ID.Hex)
				if got := img.ID.Hex + " " + strconv.Itoa(len(img.Layers)); got != strings.TrimPrefix(want, "sha256:") {
					t.Errorf("got %s, the engine says %s", got, want)
				}
				for _, tag := range s.Tags {
					if same := openEngine(t, e.engine, root, tag); same.ID != img.ID {
						t.Errorf("%s is %s, want %s", tag, same.ID, img.ID)
					}
				}
				for i, l := range img.Layers {
					if !checked[l.DiffID.Hex] {
						checkLayer(t, i, l)
					}
					checked[l.DiffID.Hex] = true
				}
				if err := img.Check(); err != nil {
					t.Error(err)
				}
			})
		}
		for _, want := range []string{"fathom-base", "odd", "fathom-committed"} {
			if !slices.ContainsFunc(tags, func(s string) bool { return strings.HasSuffix(s, "/"+want+":latest") }) {
				t.Errorf("%s: no %s among %q", e.engine, want, tags)
			}
		}
	}
}

// checkLayer compares a layer with its diff ID.
func checkLayer(t *testing.T, i int, l Layer) {
	t.Helper()
	h := sha256.New()
	size, err := io.Copy(h, io.NewSectionReader(l.Blob.At, 0, 1<<60))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != l.DiffID.Hex {
		t.Errorf("layer %d has %d bytes with the digest %s, want %s", i, size, got, l.DiffID.Hex)
	}
	if n := l.tar.Length(); n != size {
		t.Errorf("layer %d has the length %d, want %d", i, n, size)
	}
	opt := layer.Options{DiffID: l.DiffID}
	listed, err := layer.Read(t.Context(), l.Blob, opt)
	if err != nil {
		t.Fatal(err)
	}
	want, err := layer.Read(t.Context(), layer.Blob{At: l.Blob.At, Size: size}, opt)
	if err != nil {
		t.Fatal(err)
	}
	sameDiff(t, listed, want)
}

func sameDiff(t *testing.T, got, want *layer.Diff) {
	t.Helper()
	if got.Len() != want.Len() || got.Size != want.Size || got.Stored != want.Stored || got.Plain != want.Plain {
		t.Fatalf("got %d entries, %d bytes, %d stored, plain %v; want %d, %d, %d, %v", got.Len(), got.Size, got.Stored, got.Plain,
			want.Len(), want.Size, want.Stored, want.Plain)
	}
	for i := range got.Len() {
		if *got.At(i) != *want.At(i) {
			t.Errorf("entry %d is %+v, want %+v", i, *got.At(i), *want.At(i))
		}
	}
}
