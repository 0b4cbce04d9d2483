package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// engine is the command line of a docker or podman that testdata/engines/up
// started.
type engine struct{ name, command string }

func openEngine(t *testing.T, name string) engine {
	t.Helper()
	dir := os.Getenv("FATHOM_ENGINES")
	if dir == "" {
		t.Skip("no engines: testdata/engines/up DIR starts some, FATHOM_ENGINES=DIR tests against them")
	}
	t.Setenv("CI", "") // which would judge the images
	e := engine{name, filepath.Join(dir, "bin", name)}
	e.run(t, nil, "version")
	return e
}

// run gives the first line that the engine prints.
func (e engine) run(t *testing.T, stdin io.Reader, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	e.pipe(t, stdin, &out, args...)
	line, _, _ := strings.Cut(out.String(), "\n")
	return line
}

func (e engine) pipe(t *testing.T, stdin io.Reader, stdout io.Writer, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), e.command, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", e.name, strings.Join(args, " "), err, &stderr)
	}
}

// file is what the engine prints, as a file in dir.
func (e engine) file(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e.pipe(t, nil, f, args...)
	return f.Name()
}

// build makes testdata/engines/NAME an image of that name.
func (e engine) build(t *testing.T, name string) {
	t.Helper()
	context := filepath.Join("../../testdata/engines", name)
	if e.name == "podman" {
		e.run(t, nil, "build", "--network", "host", "--cap-add", "mknod", "-t", name, context)
		return
	}
	var archive bytes.Buffer // some engines live in a folder where the context isn't
	w := tar.NewWriter(&archive)
	err := w.AddFS(os.DirFS(context))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	e.run(t, &archive, "build", "--network", "host", "-t", name, "-")
}

// export is the filesystem of a container made from the image.
func (e engine) export(t *testing.T, dir, name string) string {
	t.Helper()
	id := e.run(t, nil, "create", name)
	defer e.run(t, nil, "rm", id)
	return e.file(t, dir, name+".export.tar", "export", id)
}

// TestEngineBuilds compares what fathom says about images of real builders
// with what their engines export.
func TestEngineBuilds(t *testing.T) {
	for _, tt := range []struct{ engine, image string }{
		{"docker", "odd"},
		{"docker", "npm"},
		{"containerd", "odd"},
		{"podman", "odd"},
	} {
		t.Run(tt.engine+"/"+tt.image, func(t *testing.T) {
			e, dir := openEngine(t, tt.engine), t.TempDir()
			e.build(t, tt.image)
			saved := e.file(t, dir, tt.image+".tar", "save", tt.image)
			compareExport(t, e, saved, e.export(t, dir, tt.image))
		})
	}
}

// TestEngineForms compares what fathom says about one image in every form that
// real tools give it.
func TestEngineForms(t *testing.T) {
	docker, docker26, podman := openEngine(t, "docker"), openEngine(t, "docker26"), openEngine(t, "podman")
	dir := t.TempDir()
	docker.build(t, "odd")
	saved := docker.file(t, dir, "docker.tar", "save", "odd")
	want, wantFiles := measure(t, saved), list(t, saved)
	same := func(name, file string) {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, measure(t, file), formOnly); diff != "" {
				t.Errorf("the report differs from docker save's (-) in:\n%s", diff)
			}
			if diff := cmp.Diff(wantFiles, list(t, file)); diff != "" {
				t.Errorf("the files differ from docker save's (-) in:\n%s", diff)
			}
		})
	}

	skopeo := engine{"skopeo", "skopeo"}
	for _, form := range []struct {
		to, file string
		options  []string
	}{
		{to: "docker-archive", file: "skopeo.tar"},
		{to: "oci-archive", file: "skopeo.oci.tar"},
		{to: "oci", file: "oci"},
		{to: "oci", file: "oci-zstd", options: []string{"--dest-compress-format", "zstd"}},
		{to: "dir", file: "dir"},
	} {
		file := filepath.Join(dir, form.file)
		args := append([]string{"--insecure-policy", "--tmpdir", dir, "copy", "--quiet"}, form.options...)
		skopeo.run(t, nil, append(args, "docker-archive:"+saved, form.to+":"+file)...)
		same("skopeo/"+form.file, file)
	}

	load := func(e engine) (name string) {
		f, err := os.Open(saved)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return strings.TrimPrefix(e.run(t, f, "load", "--quiet"), "Loaded image: ")
	}
	load(docker26)
	same("docker26", docker26.file(t, dir, "docker26.tar", "save", "odd"))

	name := load(podman)
	for _, format := range []string{"docker-archive", "oci-archive", "docker-dir", "oci-dir"} {
		file := filepath.Join(dir, "podman-"+format)
		podman.run(t, nil, "save", "--quiet", "--format", format, "--output", file, name)
		same("podman/"+format, file)
	}
}

// formOnly is what an archive form may change in a report. A config that is
// converted to OCI's form is another blob.
var formOnly = cmp.Options{
	cmpopts.IgnoreFields(facts.Image{}, "Reference", "Source", "ID", "Digest", "Tags"),
	cmpopts.IgnoreFields(facts.Totals{}, "CompressedBytes"),
	cmpopts.IgnoreFields(facts.Layer{}, "Digest", "MediaType", "CompressedBytes", "Checked"),
}

// fathom is what the program prints.
func fathom(t *testing.T, args ...string) *bytes.Buffer {
	t.Helper()
	var out, problems bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &problems); code != exitOK {
		t.Fatalf("fathom %s: exit code %d\n%s", strings.Join(args, " "), code, &problems)
	}
	return &out
}

func measure(t *testing.T, image string, flags ...string) (r facts.Report) {
	t.Helper()
	args := append([]string{"--verify", "--json", "-", image}, flags...)
	if err := json.Unmarshal(fathom(t, args...).Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// shown is what a path shows, as both fathom and an engine's export tell it.
type shown struct {
	Kind, Mode string
	UID, GID   int64
	Size       int64
	Link       string
}

func list(t *testing.T, image string, flags ...string) map[string]shown {
	t.Helper()
	files := map[string]shown{}
	lines := bufio.NewScanner(fathom(t, append([]string{"ls", "--json", image}, flags...)...))
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.PathBytes != nil {
			e.Path = string(e.PathBytes)
		}
		if e.LinkBytes != nil {
			e.Link = string(e.LinkBytes)
		}
		files[e.Path] = shown{e.Kind, e.Mode, e.UID, e.GID, e.Size, e.Link}
	}
	if len(files) == 0 {
		t.Fatalf("%s: no files", image)
	}
	return files
}

// device is a device file's numbers.
type device struct{ major, minor int64 }

// export is what an engine's export tells.
type export struct {
	files   map[string]shown
	devices map[string]device
	bytes   int64 // of its regular files
}

// readExport reads an engine's export with archive/tar.
func readExport(t *testing.T, name string) export {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[byte]string{
		tar.TypeReg: "file", tar.TypeDir: "dir", tar.TypeSymlink: "symlink",
		tar.TypeChar: "char", tar.TypeBlock: "block", tar.TypeFifo: "fifo",
	}
	out := export{files: map[string]shown{}, devices: map[string]device{}}
	names := map[string][]string{} // of the content that a path was the first to hold
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := path.Clean("/" + h.Name)
		if h.Typeflag == tar.TypeLink {
			target := path.Clean("/" + h.Linkname)
			names[target] = append(names[target], p)
			continue
		}
		s := shown{Kind: kinds[h.Typeflag], Mode: fmt.Sprintf("%04o", h.Mode&0o7777), UID: int64(h.Uid), GID: int64(h.Gid)}
		switch h.Typeflag {
		case tar.TypeReg:
			s.Size = h.Size
			out.bytes += h.Size
		case tar.TypeSymlink:
			s.Link = h.Linkname
		case tar.TypeChar, tar.TypeBlock:
			out.devices[p] = device{h.Devmajor, h.Devminor}
		}
		out.files[p] = s
	}
	delete(out.files, "/")
	for target, others := range names {
		s := out.files[target]
		all := append(others, target)
		slices.Sort(all)
		for i, p := range all {
			if i > 0 && s.Kind == "file" {
				s.Link = all[0]
			}
			out.files[p] = s
		}
	}
	return out
}

// dockerMakes is what docker puts into every container before it starts, all
// of it empty: mount points, and the mark of a container.
var dockerMakes = map[string]string{
	"/.dockerenv":      "file",
	"/dev/console":     "file",
	"/dev/pts":         "dir",
	"/dev/shm":         "dir",
	"/etc/hostname":    "file",
	"/etc/hosts":       "file",
	"/etc/mtab":        "symlink",
	"/etc/resolv.conf": "file",
}

// compareExport holds what fathom says about an image against the export of a
// container made from it.
func compareExport(t *testing.T, e engine, saved, exported string) {
	t.Helper()
	want, got := readExport(t, exported), list(t, saved)
	if e.name != "podman" {
		for p, kind := range dockerMakes {
			if _, ok := got[p]; ok {
				continue
			}
			if s := want.files[p]; s.Kind != kind || s.Size != 0 {
				t.Errorf("docker's own %s is %+v, want an empty %s", p, s, kind)
			}
			delete(want.files, p)
		}
	}
	if diff := cmp.Diff(want.files, got); diff != "" {
		t.Errorf("the files differ from %s's export (-) in:\n%s", e.name, diff)
	}
	if total := measure(t, saved).Totals; total.VisibleBytes != want.bytes {
		t.Errorf("%d bytes are visible, %s exports %d", total.VisibleBytes, e.name, want.bytes)
	}
	if diff := cmp.Diff(want.devices, devices(t, saved), cmp.AllowUnexported(device{})); diff != "" {
		t.Errorf("the device files differ from %s's export (-) in:\n%s", e.name, diff)
	}
	t.Logf("%d files as %s exports them, %d bytes visible", len(got), e.name, want.bytes)
}

// devices is the numbers of the device files, which ls doesn't list.
func devices(t *testing.T, image string) map[string]device {
	t.Helper()
	a := app{stderr: io.Discard, getenv: os.Getenv}
	an, err := a.inspect(t.Context(), source{ref: image}, newSettings().options(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer an.Close()
	out := map[string]device{}
	for n := range filetree.Node(an.Analysis.Tree.Len()) {
		st, ok := an.Analysis.Tree.At(n, an.Analysis.Tree.Layers()-1)
		if ok && (st.Kind.String() == "char" || st.Kind.String() == "block") {
			out[an.Analysis.Tree.Path(n)] = device{st.Major, st.Minor}
		}
	}
	return out
}
