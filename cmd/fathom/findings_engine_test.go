package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"fathom/analyzer/facts"
)

// TestEngineFindings builds an image for each file in testdata/engines/findings,
// pastes the fix that fathom prints into its Dockerfile, and builds it again. The
// finding must be gone, and the layers must be smaller by its bytes.
// testdata/engines/README.md describes the files.
func TestEngineFindings(t *testing.T) {
	files, err := filepath.Glob("../../testdata/engines/findings/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	engines := openEngines(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := readProof(t, file)
			e, dir, tag := engines[c.engine], t.TempDir(), "fathom-"+name
			c.write(t)
			build := func(which string, options ...string) (saved, exported string) {
				e.buildFolder(t, tag, c.folder, options...)
				if c.same {
					exported = e.export(t, t.TempDir(), tag)
				}
				return e.file(t, dir, which+".tar", "save", tag), exported
			}
			before, beforeTree := build("before")
			found := c.findings(t, before)
			if len(found) != 1 {
				t.Fatalf("%d findings of %s, want 1: %+v", len(found), c.rule, found)
			}
			t.Logf("%s: %d bytes\n%s", found[0].Title, found[0].Bytes, strings.Join(found[0].Fix.Lines, "\n"))
			c.paste(t, found[0].Fix.Lines)
			if slices.Contains(found[0].Fix.Lines, "FROM "+slimBase) {
				e.run(t, nil, "tag", "fathom-base", slimBase)
				defer e.run(t, nil, "rmi", slimBase)
			}
			after, afterTree := build("after", c.options...)
			for _, f := range c.findings(t, after) {
				t.Errorf("after the fix, fathom still says: %s: %+v", f.Title, f.Places)
			}
			stored, less := storedBytes(t, before), storedBytes(t, after)
			drop := stored - less
			if off := found[0].Bytes - drop - c.adds; off > 0 || off < 0 && !c.least {
				t.Errorf("the layers of %s are %d bytes smaller, the finding says %d, the fix adds %d", e.name, drop, found[0].Bytes, c.adds)
			}
			if c.same {
				if diff := cmp.Diff(exportedFiles(t, beforeTree), exportedFiles(t, afterTree)); diff != "" {
					t.Errorf("the fix changes what a container of %s sees (-before, +after):\n%s", e.name, diff)
				}
			}
			t.Logf("| %s | %s | %d | %d | %d | %d |", c.rule, e.name, stored, less, found[0].Bytes, drop)
		})
	}
}

// slimBase is the base that fixes name. Engines without a network get ours.
const slimBase = "debian:stable-slim"

// TestEngineSilence builds images that have nothing to change.
func TestEngineSilence(t *testing.T) {
	files, err := filepath.Glob("../../testdata/engines/silent/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	engines := openEngines(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := readProof(t, file)
			e, dir, tag := engines[c.engine], t.TempDir(), "fathom-"+name
			c.write(t)
			e.buildFolder(t, tag, c.folder)
			for _, f := range measure(t, e.file(t, dir, "saved.tar", "save", tag)).Findings {
				if f.Severity == facts.SeverityInfo {
					t.Logf("%s: %s: %d bytes", f.Rule, f.Title, f.Bytes)
					continue
				}
				t.Errorf("%s: %s: %s: %d bytes in %+v", f.Severity, f.Rule, f.Title, f.Bytes, f.Places)
			}
		})
	}
}

// openEngines opens all engines for parallel tests, which can't set the environment.
func openEngines(t *testing.T) map[string]engine {
	t.Helper()
	all := map[string]engine{}
	for _, name := range []string{"docker", "docker26", "containerd", "podman"} {
		all[name] = openEngine(t, name)
	}
	return all
}

// proof is a case of TestEngineFindings.
type proof struct {
	engine, rule string
	path         string   // of a place of the finding, if there may be others
	least        bool     // the fix may save more than the finding says
	same         bool     // the fix must not change a container's files
	adds         int64    // bytes that the fix stores in addition
	ignored      bool     // the fix goes to .dockerignore
	options      []string // for the build after the fix
	folder       string   // of the build context
	archive      *txtar.Archive
}

// readProof reads a case from a file of testdata/engines/findings.
func readProof(t *testing.T, file string) *proof {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &proof{archive: a, rule: strings.TrimSuffix(filepath.Base(file), ".txtar"), folder: t.TempDir()}
	for line := range strings.Lines(string(a.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		first, _, _ := strings.Cut(rest, " ")
		switch word {
		case "engine":
			c.engine = rest
		case "rule":
			c.rule = rest
		case "at":
			c.path = rest
		case "least":
			c.least = true
		case "same":
			c.same = true
		case "ignored":
			c.ignored = true
		case "with":
			c.options = strings.Fields(strings.ReplaceAll(rest, "FOLDER", c.folder))
		case "adds":
			c.adds, err = strconv.ParseInt(first, 10, 64)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// write writes the build context.
func (c *proof) write(t *testing.T) {
	t.Helper()
	for _, f := range c.archive.Files {
		name := filepath.Join(c.folder, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, f.Data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(c.folder, "make.sh")
	if _, err := os.Stat(script); err != nil {
		return
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "make.sh")
	cmd.Dir = c.folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make.sh: %v\n%s", err, out)
	}
	if err := os.Remove(script); err != nil {
		t.Fatal(err)
	}
}

// paste writes the lines of a fix where the case's files have room for it: over the
// steps from the line "# fix" to the line "# end", or into .dockerignore. Where a fix
// needs more than its lines, such as another stage, the case has a second Dockerfile.
func (c *proof) paste(t *testing.T, lines []string) {
	t.Helper()
	if len(lines) == 0 {
		t.Fatal("the fix has no line to paste")
	}
	fix := strings.Join(lines, "\n") + "\n"
	name := filepath.Join(c.folder, "Dockerfile")
	if c.ignored {
		name = filepath.Join(c.folder, ".dockerignore")
	} else {
		old, err := os.ReadFile(name + ".after")
		if errors.Is(err, fs.ErrNotExist) {
			old, err = os.ReadFile(name)
		}
		if err != nil {
			t.Fatal(err)
		}
		above, rest, found := strings.Cut(string(old), "# fix\n")
		_, below, ended := strings.Cut(rest, "# end\n")
		if !found || !ended {
			t.Fatal("the Dockerfile doesn't say where the fix goes")
		}
		fix = above + fix + below
	}
	if err := os.WriteFile(name, []byte(fix), 0o666); err != nil {
		t.Fatal(err)
	}
}

// findings returns what fathom finds of the case in an image. The list that fathom
// advise prints must have their lines.
func (c *proof) findings(t *testing.T, image string) []facts.Finding {
	t.Helper()
	saved := image + ".json"
	fathom(t, "--verify", "--json", saved, image)
	data, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	var r facts.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	printed := fathom(t, "advise", "--all", "--rule", c.rule, saved).String()
	var found []facts.Finding
	for _, f := range r.Findings {
		there := func(p facts.Place) bool { return c.path == "" || p.Path == c.path }
		if f.Rule != c.rule || !slices.ContainsFunc(f.Places, there) {
			continue
		}
		found = append(found, f)
		for _, line := range f.Fix.Lines {
			if !strings.Contains(printed, "  "+line+"\n") {
				t.Errorf("fathom advise doesn't print the line %s in\n%s", line, printed)
			}
		}
	}
	return found
}

// buildFolder builds the image NAME from a folder. Its tests remove no image: docker
// would also remove the steps that another build is about to use.
func (e engine) buildFolder(t *testing.T, name, folder string, options ...string) {
	t.Helper()
	args := append([]string{"build", "--network", "host", "-t", name}, options...)
	switch e.name {
	case "docker", "podman":
		e.run(t, nil, append(args, folder)...)
	default: // these engines can't see the folder
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		err := w.AddFS(os.DirFS(folder))
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		e.run(t, &archive, append(args, "-")...)
	}
}

// storedBytes returns the bytes of all regular files in all layers of a saved image,
// read with archive/tar.
func storedBytes(t *testing.T, saved string) (sum int64) {
	t.Helper()
	f, err := os.Open(saved)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var manifest []struct{ Layers []string }
	sums := map[string]int64{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "manifest.json" {
			if err := json.NewDecoder(r).Decode(&manifest); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var head [2]byte
		n, _ := io.ReadFull(r, head[:])
		content := io.MultiReader(bytes.NewReader(head[:n]), r)
		if head == [2]byte{0x1f, 0x8b} {
			if content, err = gzip.NewReader(content); err != nil {
				t.Fatal(err)
			}
		}
		for layer := tar.NewReader(content); ; { // what is not a tar has no files
			m, err := layer.Next()
			if err != nil {
				break
			}
			if m.Typeflag == tar.TypeReg {
				sums[h.Name] += m.Size
			}
		}
	}
	for _, l := range manifest[0].Layers {
		sum += sums[l]
	}
	return sum
}

// exportedFiles describes the files of an engine's export, with a sum of their
// content and without their times.
func exportedFiles(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			t.Fatal(err)
		}
		files[path.Clean("/"+h.Name)] = fmt.Sprintf("%c %04o %d:%d %q %x", h.Typeflag, h.Mode&0o7777, h.Uid, h.Gid, h.Linkname, sum.Sum(nil)[:4])
	}
}
