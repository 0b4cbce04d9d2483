package analyzer_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load"
)

// forms lists every form in which tools write an image, as a folder or as a file.
var forms = []struct {
	name   string
	folder bool
	write  func(*imagetest.Image) imagetest.Archive
	whole  imagetest.Compression // of the file
}{
	{name: "docker", write: (*imagetest.Image).DockerArchive},
	{name: "docker unpacked", write: (*imagetest.Image).DockerArchive, folder: true},
	{name: "docker gzip", write: (*imagetest.Image).DockerArchive, whole: imagetest.Gzip},
	{name: "docker zstd", write: (*imagetest.Image).DockerArchive, whole: imagetest.Zstd},
	{name: "docker 25", write: (*imagetest.Image).DockerArchive25},
	{name: "containerd", write: func(i *imagetest.Image) imagetest.Archive { return i.Containerd(imagetest.Gzip, imagetest.Zstd) }},
	{name: "podman", write: (*imagetest.Image).Podman},
	{name: "kaniko", write: func(i *imagetest.Image) imagetest.Archive { return i.Kaniko(imagetest.Gzip, imagetest.Zstd) }},
	{name: "jib", write: (*imagetest.Image).Jib},
	{name: "oci plain", write: func(i *imagetest.Image) imagetest.Archive { return i.OCI(imagetest.None) }},
	{name: "oci gzip", write: func(i *imagetest.Image) imagetest.Archive { return i.OCI(imagetest.Gzip) }},
	{name: "oci zstd folder", write: func(i *imagetest.Image) imagetest.Archive { return i.OCI(imagetest.Zstd) }, folder: true},
	{name: "oci mixed", write: func(i *imagetest.Image) imagetest.Archive {
		return i.OCI(imagetest.None, imagetest.Gzip, imagetest.Zstd)
	}},
	{name: "rules_oci", write: func(i *imagetest.Image) imagetest.Archive { return i.RulesOCI(imagetest.Gzip) }, folder: true},
	{name: "skopeo dir", write: func(i *imagetest.Image) imagetest.Archive { return i.SkopeoDir(imagetest.None, imagetest.Gzip) }, folder: true},
}

// TestForms checks that an image gives the same report in every form, apart from
// its source, its compression and the digests of the compressed layers.
func TestForms(t *testing.T) {
	for _, name := range []string{
		"apt-pattern", "duplicate-layer", "file-chown", "file-same-again", "hl-target-overwritten",
		"name-newline", "opaque-waste", "three-overwrites", "through-own-symlink", "zero-byte-files",
	} {
		img := imagetest.Load(t, name)
		var want []byte
		for _, form := range forms {
			t.Run(name+"/"+form.name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "image")
				if form.folder {
					form.write(img).WriteDir(t, path)
				} else if err := os.WriteFile(path, imagetest.Compress(form.write(img).Tar(), form.whole), 0o644); err != nil {
					t.Fatal(err)
				}
				got := neutral(t, path)
				if again := neutral(t, path); !bytes.Equal(got, again) {
					t.Errorf("a second run differs: %s", cmp.Diff(string(got), string(again)))
				}
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("differs from form %q (-want +got)\n%s", forms[0].name, diff)
				}
			})
		}
	}
}

// neutral returns the report of an image as JSON, without what depends on its form.
func neutral(t *testing.T, path string) []byte {
	t.Helper()
	img, err := load.Open(t.Context(), path, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Report
	r.Image.Reference, r.Image.Source, r.Image.Digest, r.Image.Tags = "", "", "", nil
	r.Totals.CompressedBytes = 0
	for i := range r.Layers {
		l := &r.Layers[i]
		l.Digest, l.MediaType, l.CompressedBytes, l.Checked = "", "", 0, ""
	}
	out, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
