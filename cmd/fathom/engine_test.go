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

// engine is the command of a docker or podman that testdata/engines/up started.
type engine struct{ name, command string }

func openEngine(t *testing.T, name string) engine {
	t.Helper()
	dir := os.Getenv("FATHOM_ENGINES")
	if dir == "" {
		t.Skip("no engines: testdata/engines/up DIR starts some, FATHOM_ENGINES=DIR tests against them")
	}
	t.Setenv("CI", "") // otherwise the gate would judge the images
	e := engine{name, filepath.Join(dir, "bin", name)}
	e.run(t, nil, "version")
	return e
}

// run runs the engine and returns the first line that it prints.
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

// file runs the engine, writes its output to a file in dir, and returns the path.
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

// build builds the image NAME from testdata/engines/NAME.
func (e engine) build(t *testing.T, name string) {
	t.Helper()
	context := filepath.Join("../../testdata/engines", name)
	if e.name == "podman" {
		e.run(t, nil, "build", "--network", "host", "--cap-add", "mknod", "-t", name, context)
		return
	}
	var archive bytes.Buffer // some engines can't see the folder of the context
	w := tar.NewWriter(&archive)
	err := w.AddFS(os.DirFS(context))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	e.run(t, &archive, "build", "--network", "host", "-t", name, "-")
}

// export returns the file with the filesystem of a container made from the image.
func (e engine) export(t *testing.T, dir, name string) string {
	t.Helper()
	id := e.run(t, nil, "create", name)
	defer e.run(t, nil, "rm", id)
	return e.file(t, dir, name+".export.tar", "export", id)
}

// TestEngineBuilds compares what fathom shows of images of real builders with what
// their engines export.
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

// TestEngineForms compares fathom's reports on one image in every archive format
// that real tools write.
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

// formOnly ignores the fields of a report that may depend on the archive format. A
// config that was converted to OCI's format is a different blob, so the ID differs.
var formOnly = cmp.Options{
	cmpopts.IgnoreFields(facts.Image{}, "Reference", "Source", "ID", "Digest", "Tags"),
	cmpopts.IgnoreFields(facts.Totals{}, "CompressedBytes"),
	cmpopts.IgnoreFields(facts.Layer{}, "Digest", "MediaType", "CompressedBytes", "Checked"),
}

// fathom runs the program and returns what it prints.
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
	args := append([]string{"--offline", "--verify", "--json", "-", image}, flags...)
	if err := json.Unmarshal(fathom(t, args...).Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	// Only some sources name the base, and --offline says that it is not looked up.
	r.Warnings = slices.DeleteFunc(r.Warnings, func(w facts.Warning) bool { return strings.HasPrefix(w.Text, "looking for the base image: ") })
	return r
}

// shown describes what a path shows, with the fields that both fathom and an
// engine's export have.
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

// device holds the numbers of a device file.
type device struct{ major, minor int64 }

// export is the content of an engine's export.
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
	names := map[string][]string{} // the hard links to a path
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

// dockerMakes are the entries that docker adds to every container before it starts:
// mount points and /.dockerenv. All of them are empty.
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

// compareExport compares what fathom shows of an image with the export of a container
// made from it.
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

// devices returns the numbers of the device files, which ls doesn't list.
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
