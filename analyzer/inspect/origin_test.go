package inspect

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load"
)

const (
	baseImage = `layer ADD rootfs.tar / # buildkit
  file bin/sh 100xs
  file etc/os-release 10xo
`
	ownLayers = `layer RUN /bin/sh -c apt-get update # buildkit
  file var/lib/apt/lists/a 50xl
layer COPY app /app # buildkit
  file app 7xa
  file etc/os-release 10xn
`
	dockerfile = "FROM base\nRUN apt-get \\\n  update\nENV A=1\nCOPY app /app\n"
)

func writeFile(t *testing.T, dir, name string, text []byte) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// open opens an image made from text, with the pass that finds its origin.
func openOrigin(t *testing.T, text string, opt OriginOptions) (*Result, error) {
	t.Helper()
	opt.Offline = true
	name := writeFile(t, t.TempDir(), "app.tar", imagetest.Must(t, text).DockerArchive().Tar())
	r, err := Open(t.Context(), name, Options{Passes: []Pass{Origin(opt, load.Options{})}})
	if err == nil {
		t.Cleanup(func() { r.Close() })
	}
	return r, err
}

func TestOrigin(t *testing.T) {
	dir := t.TempDir()
	base := writeFile(t, dir, "base.tar", imagetest.Must(t, baseImage).DockerArchive().Tar())
	file := writeFile(t, dir, "Dockerfile", []byte(dockerfile))
	r, err := openOrigin(t, baseImage+ownLayers, OriginOptions{Bases: []string{base}, Dockerfile: file, Asked: true})
	if err != nil {
		t.Fatal(err)
	}
	b := r.Report.Base
	if b == nil || b.Layers != 1 || b.Certainty != facts.CertainExact || b.Evidence != facts.EvidenceFlag || b.Reference != base {
		t.Errorf("got the base %+v", b)
	}
	own, of := r.Report.Totals.Own, r.Report.Totals.Base
	if own.StoredBytes != 67 || of.StoredBytes != 110 || of.WastedBytes != 10 || of.HiddenByOwnBytes != 10 || own.WastedBytes != 0 {
		t.Errorf("got own %+v, base %+v", own, of)
	}
	var got []string
	for _, l := range r.Report.Layers {
		if s := l.Source; s != nil {
			got = append(got, fmt.Sprintf("%d-%d %s", s.Line, s.End, s.Certainty))
		} else {
			got = append(got, "-")
		}
	}
	if want := []string{"-", "2-3 likely", "5-5 likely"}; !slices.Equal(got, want) {
		t.Errorf("got the lines %q, want %q", got, want)
	}
	if d := r.Report.Dockerfile; d == nil || d.Text != dockerfile || d.Certainty != facts.CertainLikely {
		t.Errorf("got the Dockerfile %+v", d)
	}
	if len(r.Report.Warnings) > 0 {
		t.Errorf("warnings: %v", r.Report.Warnings)
	}
}

func TestOriginErrors(t *testing.T) {
	dir := t.TempDir()
	other := writeFile(t, dir, "other.tar", imagetest.Must(t, "layer x\n  file x 1xx\n").DockerArchive().Tar())
	broken := writeFile(t, dir, "broken.json", []byte("{"))
	empty := writeFile(t, dir, "empty.json", []byte("{}"))
	for _, tt := range []struct {
		name, want string
		opt        OriginOptions
	}{
		{"another base", "is not based on " + other, OriginOptions{Bases: []string{other}}},
		{"a base that is not there", "the base " + dir + "/none.tar: ", OriginOptions{Bases: []string{dir + "/none.tar"}}},
		{"broken provenance", "reading the provenance " + broken + ": unexpected end of JSON input", OriginOptions{Provenance: broken}},
		{"provenance without steps", "it names no steps", OriginOptions{Provenance: empty}},
		{"no provenance", "no such file", OriginOptions{Provenance: dir + "/none.json"}},
	} {
		if _, err := openOrigin(t, baseImage+ownLayers, tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestOriginUnused has files that are not the image's Dockerfile. A warning says so
// if the user named the file.
func TestOriginUnused(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		writeFile(t, dir, "other", []byte("FROM debian\nRUN make\nCOPY x y\n")): "the image was not built from it",
		writeFile(t, dir, "none", []byte("RUN make\n")):                         "it has no FROM",
		dir:                                   "it is not a regular file",
		filepath.Join(dir, "missing"):         "no such file or directory",
		writeFile(t, dir, "image", []byte{0}): "is not used: ",
	} {
		for _, asked := range []bool{false, true} {
			r, err := openOrigin(t, baseImage+ownLayers, OriginOptions{Dockerfile: file, Asked: asked})
			if err != nil {
				t.Fatal(err)
			}
			if r.Report.Dockerfile != nil || r.Report.Layers[1].Source != nil {
				t.Errorf("%s is used: %+v", file, r.Report.Dockerfile)
			}
			got := r.Report.Warnings
			if asked && (len(got) != 1 || !strings.Contains(got[0].Text, want)) || !asked && len(got) > 0 {
				t.Errorf("%s, asked for: %v, warnings: %v", file, asked, got)
			}
		}
	}
}

// TestOriginNamed has names of base images that come from the image. They are names
// in engines and registries, never of files, and never choose where to look.
func TestOriginNamed(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	t.Setenv("CONTAINER_HOST", "unix:///nonexistent/podman.sock")
	dir := t.TempDir()
	img := imagetest.Must(t, baseImage)
	base := writeFile(t, dir, "base.tar", img.DockerArchive().Tar())
	t.Chdir(dir)
	for _, name := range []string{base, "./base.tar", "base.tar", "archive:base.tar", "file:" + base, "-", "rootfs:/", "docker-archive:base.tar", ""} {
		o := &finder{
			img: &analyzer.Image{Annotations: map[string]string{"org.opencontainers.image.base.name": name}},
			rep: &facts.Report{}, diffIDs: []string{img.ConfigFile().RootFS.DiffIDs[0].String()},
			loading: load.Options{Stdin: strings.NewReader("")},
		}
		ctx, cancel := context.WithCancel(t.Context())
		if name == "base.tar" { // a name on Docker Hub, which is not asked
			cancel()
		}
		if b, err := o.byAnnotation(ctx); b != nil || err == nil && name != "" {
			t.Errorf("%q: got the base %+v, %v", name, b, err)
		}
		cancel()
	}
}

// TestOriginOtherProvenance has the attestation of another build.
func TestOriginOtherProvenance(t *testing.T) {
	r, err := openOrigin(t, baseImage+ownLayers, OriginOptions{Provenance: "../origin/testdata/v0.2.json"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Report.Dockerfile != nil {
		t.Errorf("its Dockerfile is used: %+v", r.Report.Dockerfile)
	}
	if w := r.Report.Warnings; len(w) != 1 || !strings.Contains(w[0].Text, "v0.2.json is not used: the build that it is of made no layer of this image") {
		t.Errorf("warnings: %v", w)
	}
}

// TestOriginOtherTarget checks that another target of the same Dockerfile, which the
// engine has under another name, is not taken for the base.
func TestOriginOtherTarget(t *testing.T) {
	file := writeFile(t, t.TempDir(), "Dockerfile", []byte("FROM base AS tools\nRUN apt-get \\\n  update\nFROM tools\nCOPY app /app\n"))
	for dockerfile, want := range map[string]string{file: "base:1", "": "tools:1"} {
		a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, baseImage+ownLayers).Image(imagetest.None), analyzer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, l := range a.Report.Layers {
			ids = append(ids, l.DiffID)
		}
		o := &finder{opt: OriginOptions{Dockerfile: dockerfile}, img: a.Image, rep: a.Report, local: func() ([]load.Described, error) {
			return []load.Described{{Reference: "base:1", DiffIDs: ids[:1]}, {Reference: "tools:1", DiffIDs: ids[:2]}}, nil
		}}
		if err := o.run(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if b := a.Report.Base; b == nil || b.Reference != want {
			t.Errorf("with the Dockerfile %q: got the base %+v, want %s", dockerfile, b, want)
		}
	}
}
