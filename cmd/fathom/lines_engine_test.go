package main

import (
	"archive/tar"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"fathom/analyzer/facts"
)

// TestEngineLines builds images with BuildKit and mode=max, and wants the exact lines
// of every own layer and the base image: from docker's archive, from the OCI layout in
// it, from the engine, from a registry, and with the attestation in a file.
func TestEngineLines(t *testing.T) {
	e := openEngine(t, "containerd")
	dir := t.TempDir()
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(os.Getenv("FATHOM_ENGINES"), "newer/run/containerd.sock"))
	push, registry := linesRegistry(t, dir)
	files, err := filepath.Glob("../../testdata/engines/lines/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no images: %v", err)
	}
	for _, file := range files {
		short := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(short, func(t *testing.T) {
			c := readLines(t, file)
			if _, err := os.Stat(filepath.Join(c.folder, "base")); err == nil {
				e.buildFolder(t, "lines-base", filepath.Join(c.folder, "base"))
				defer e.run(t, nil, "rmi", "lines-base")
			}
			name := "lines-" + short
			e.buildFolder(t, name, c.folder, append([]string{"--provenance=mode=max"}, c.options...)...)
			defer e.run(t, nil, "rmi", name)
			saved := e.file(t, dir, short+".tar", "save", name)
			layout := filepath.Join(dir, short)
			unpackTar(t, saved, layout)
			c.compare(t, "docker's archive", measure(t, saved, "--offline"))
			c.compare(t, "OCI layout", measure(t, layout, "--offline"))
			c.compare(t, "engine", measure(t, "docker:"+name, "--offline"))
			c.compare(t, "registry", measure(t, push(layout, short), append(registry, "--offline")...))

			statement := attestationIn(t, layout)
			bare := filepath.Join(dir, short+".docker.tar") // it has no attestation
			engine{"skopeo", "skopeo"}.run(t, nil, "--insecure-policy", "--tmpdir", dir, "copy", "--quiet", "--preserve-digests", "oci:"+layout, "dir:"+bare)
			if r := measure(t, bare, "--offline"); r.Dockerfile != nil {
				t.Errorf("the copy has a Dockerfile without an attestation")
			}
			c.compare(t, "attestation in a file", measure(t, bare, "--offline", "--provenance", statement))
		})
	}
}

// linesCase is a case of TestEngineLines.
type linesCase struct {
	lines, stages []string // of each layer, "-" for none
	base          string   // its name and the number of its layers
	options       []string // for the build
	folder        string   // of the build context
}

func readLines(t *testing.T, file string) *linesCase {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &linesCase{folder: t.TempDir()}
	for line := range strings.Lines(string(a.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "lines":
			c.lines = strings.Fields(rest)
		case "stages":
			c.stages = strings.Fields(rest)
		case "base":
			c.base = rest
		case "with":
			c.options = strings.Fields(rest)
		}
	}
	for _, f := range a.Files {
		name := filepath.Join(c.folder, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, f.Data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *linesCase) compare(t *testing.T, way string, r facts.Report) {
	t.Helper()
	var lines, stages []string
	for i := range r.Layers {
		s := r.Layers[i].Source
		if s == nil {
			s = &facts.Source{Stage: "-", Certainty: facts.CertainExact}
		}
		switch {
		case s.Line == 0:
			lines = append(lines, "-")
		case s.Line == s.End:
			lines = append(lines, fmt.Sprint(s.Line))
		default:
			lines = append(lines, fmt.Sprintf("%d-%d", s.Line, s.End))
		}
		stages = append(stages, s.Stage)
		if s.Certainty != facts.CertainExact {
			t.Errorf("%s: the lines of layer %d are %s", way, i, s.Certainty)
		}
	}
	if !slices.Equal(lines, c.lines) || !slices.Equal(stages, c.stages) {
		t.Errorf("%s: got the lines %s of the stages %s, want %s of %s", way, lines, stages, c.lines, c.stages)
	}
	base := ""
	if b := r.Base; b != nil {
		base = fmt.Sprintf("%s %d", strings.TrimSuffix(strings.TrimPrefix(b.Reference, "docker.io/library/"), ":latest"), b.Layers)
		if b.Evidence != facts.EvidenceProvenance || b.Certainty != facts.CertainExact {
			t.Errorf("%s: the base is known by %s, and %s", way, b.Evidence, b.Certainty)
		}
	}
	if base != c.base {
		t.Errorf("%s: got the base %q, want %q", way, base, c.base)
	}
	if d := r.Dockerfile; d == nil || d.Certainty != facts.CertainExact {
		t.Errorf("%s: got the Dockerfile %+v", way, d)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("%s: warnings: %v", way, r.Warnings)
	}
}

// linesRegistry returns a function that copies an OCI layout with its attestations to
// the registry, and the flags that read from it.
func linesRegistry(t *testing.T, dir string) (push func(layout, name string) string, flags []string) {
	t.Helper()
	place := filepath.Join(os.Getenv("FATHOM_ENGINES"), "registry")
	told, err := os.ReadFile(filepath.Join(place, "host"))
	if err != nil {
		t.Fatal(err)
	}
	const user = "fathom:looks inside"
	host, certs := strings.TrimSpace(string(told)), filepath.Join(place, "certs")
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user)))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("FATHOM_CACHE_DIR", filepath.Join(dir, "cache"))
	push = func(layout, name string) string {
		engine{"skopeo", "skopeo"}.run(t, nil, "--insecure-policy", "--tmpdir", dir, "copy", "--quiet", "--all",
			"--dest-cert-dir", certs, "--dest-creds", user, "oci:"+layout, "docker://"+host+"/lines/"+name+":1")
		return "registry:" + host + "/lines/" + name + ":1"
	}
	return push, []string{"--ca", filepath.Join(certs, "ca.crt")}
}

// attestationIn returns the file with the provenance in an OCI layout.
func attestationIn(t *testing.T, layout string) string {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(layout, "blobs/sha256/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range blobs {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		head, err := io.ReadAll(io.LimitReader(f, 1000))
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(head), `"predicateType":"https://slsa.dev/provenance/`) {
			return name
		}
	}
	t.Fatal("the layout has no provenance")
	return ""
}

// unpackTar unpacks the files of an archive.
func unpackTar(t *testing.T, archive, folder string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		name := filepath.Join(folder, filepath.FromSlash(h.Name))
		data, err := io.ReadAll(r)
		if err = errors.Join(err, os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}
