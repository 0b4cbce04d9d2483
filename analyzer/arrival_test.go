package analyzer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load"
)

// TestArrival checks that an archive on standard input gives the same report as
// the archive as a file, whether or not its content is kept and whatever the size
// of the reads.
func TestArrival(t *testing.T) {
	for _, name := range imagetest.Some(t) {
		img := imagetest.Load(t, name)
		for _, form := range forms {
			if !slices.Contains(streamed, form.name) {
				continue
			}
			archive := imagetest.Compress(form.write(img).Tar(), form.whole)
			path := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(path, archive, 0o644); err != nil {
				t.Fatal(err)
			}
			want, wantErr := arrive(t, path, load.Options{})
			for _, opt := range []load.Options{
				{Stdin: bytes.NewBuffer(archive)},
				{Stdin: bytes.NewBuffer(archive), Verify: true},
				{Stdin: bytes.NewBuffer(archive), NoKeep: true},
				{Stdin: iotest.HalfReader(bytes.NewReader(archive)), NoKeep: true},
			} {
				got, err := arrive(t, "-", opt)
				if (err == nil) != (wantErr == nil) {
					t.Fatalf("%s/%s: no keep %v: error %v, of the file %v", name, form.name, opt.NoKeep, err, wantErr)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s/%s: no keep %v, verify %v (-file +stream)\n%s", name, form.name, opt.NoKeep, opt.Verify, diff)
				}
			}
		}
	}
}

// streamed are forms that differ in the order of their entries.
var streamed = []string{"docker", "docker gzip", "containerd", "kaniko", "oci mixed", "skopeo dir"}

// TestArrivalCut checks that a truncated archive gives the same error as a file and
// on standard input.
func TestArrivalCut(t *testing.T) {
	img := imagetest.Load(t, "apt-pattern")
	for name, archive := range map[string][]byte{
		"docker":     img.DockerArchive().Tar(),
		"containerd": img.Containerd(imagetest.Gzip).Tar(),
	} {
		path := filepath.Join(t.TempDir(), "image.tar")
		for cut := 0; cut < len(archive); cut += 1 + len(archive)/97 {
			if err := os.WriteFile(path, archive[:cut], 0o644); err != nil {
				t.Fatal(err)
			}
			want, wantErr := arrive(t, path, load.Options{})
			for _, noKeep := range []bool{false, true} {
				got, err := arrive(t, "-", load.Options{Stdin: bytes.NewBuffer(archive[:cut]), NoKeep: noKeep})
				if got != want || said(err) != strings.ReplaceAll(said(wantErr), path, "standard input") {
					t.Errorf("%s, %d bytes, no keep %v: %s\nas a file: %s", name, cut, noKeep, said(err), said(wantErr))
				}
			}
		}
	}
}

func said(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// arrive returns the report of an image as JSON, without its reference.
func arrive(t *testing.T, ref string, opt load.Options) (string, error) {
	t.Helper()
	opt.Temp = t.TempDir()
	img, err := load.Open(t.Context(), ref, opt)
	if err != nil {
		return "", err
	}
	defer img.Close()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Verify: opt.Verify})
	if err != nil {
		return "", err
	}
	if left, _ := os.ReadDir(opt.Temp); len(left) > 0 {
		t.Errorf("%s is left in the temporary folder", left[0].Name())
	}
	read(t, a, opt.NoKeep)
	a.Report.Image.Reference = ""
	for i := range a.Report.Layers {
		a.Report.Layers[i].Checked = "" // see TestDiffIDs
	}
	out, err := json.MarshalIndent(a.Report, "", " ")
	return string(out), err
}

// read reads all content or, if gone is set, checks that none was kept.
func read(t *testing.T, a *analyzer.Analysis, gone bool) {
	t.Helper()
	for c := range filetree.Content(a.Tree.Contents()) {
		s := a.Tree.Stored(c)
		r, err := a.Open(t.Context(), c)
		var n int64
		if err == nil {
			n, err = io.Copy(io.Discard, r)
			r.Close()
		}
		// The start of a layer is kept. If it is compressed, that may be a large file.
		inStart := s.Held <= 4096 || a.Image.Layers[s.Layer].Compressed && err == nil && n == s.Bytes
		switch {
		case gone && !inStart && !errors.Is(err, load.ErrNotKept):
			t.Errorf("%s: got error %v, want ErrNotKept", a.Tree.Path(s.Node), err)
		case !gone && !s.Sparse && (err != nil || n != s.Bytes):
			t.Errorf("%s: %d of %d bytes, %v", a.Tree.Path(s.Node), n, s.Bytes, err)
		}
	}
}
