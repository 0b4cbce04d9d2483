package analyzer_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load"
)

// TestDiffIDs checks that a compressed layer is compared with its digest, or with
// its diff ID if the archive has no digest, however the archive is read, and that
// the report says which. Another layer in its place must be an error.
func TestDiffIDs(t *testing.T) {
	img := imagetest.Load(t, "apt-pattern")
	// The same layers without the last entry of the first one.
	less := *img
	less.Layers = append([][]imagetest.Entry{img.Layers[0][:len(img.Layers[0])-1]}, img.Layers[1:]...)

	for _, tt := range []struct {
		name    string
		archive func(*imagetest.Image) imagetest.Archive
		want    string // Layer.Checked without Verify
		layer   func(imagetest.Archive) *imagetest.Entry
	}{
		{"kaniko", func(i *imagetest.Image) imagetest.Archive { return i.Kaniko(imagetest.Gzip) }, facts.CheckedDiffID, dotted(".tar.gz")},
		{"kaniko zstd", func(i *imagetest.Image) imagetest.Archive { return i.Kaniko(imagetest.Zstd) }, facts.CheckedDiffID, dotted(".tar.zst")},
		{"jib", (*imagetest.Image).Jib, facts.CheckedDiffID, dotted(".tar.gz")},
		{"oci", func(i *imagetest.Image) imagetest.Archive { return i.OCI(imagetest.Gzip) }, facts.CheckedDigest, blob(img)},
		{"oci through links", func(i *imagetest.Image) imagetest.Archive { return linked(i.OCI(imagetest.Gzip)) }, facts.CheckedDigest, dotted(".blob")},
		{"docker", (*imagetest.Image).DockerArchive, facts.CheckedHeaders, nil},
	} {
		whole, broken := tt.archive(img), tt.archive(img)
		if tt.layer != nil {
			tt.layer(broken).Data = imagetest.Compress(less.LayerTar(0), imagetest.Gzip)
		}
		for way, opt := range ways(whole.Tar()) {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				want := tt.want
				if opt.Verify {
					want = facts.CheckedBoth
					if tt.want != facts.CheckedDigest {
						want = facts.CheckedDiffID // there is no digest
					}
				}
				got, err := checked(t, whole, opt)
				if opt.NoKeep && want == facts.CheckedDigest && strings.HasPrefix(got, "diffId") || got == facts.CheckedBoth {
					return // a layer that can't be read again is compared with everything known
				}
				if err != nil || got != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
		}
		if tt.layer == nil {
			continue
		}
		for way, opt := range ways(broken.Tar()) {
			t.Run(tt.name+"/other layer/"+way, func(t *testing.T) {
				_, err := checked(t, broken, opt)
				if err == nil || !strings.Contains(err.Error(), "expected sha256:") && !strings.Contains(err.Error(), "its descriptor says") {
					t.Errorf("got error %v, want one about a layer that does not match its digest", err)
				}
			})
		}
	}
}

// ways returns options to open an archive with. Without Stdin it is a file.
func ways(archive []byte) map[string]load.Options {
	return map[string]load.Options{
		"file":    {},
		"verify":  {Verify: true},
		"pipe":    {Stdin: bytes.NewBuffer(archive)},
		"no keep": {Stdin: bytes.NewBuffer(archive), NoKeep: true},
	}
}

// checked returns Layer.Checked of the first layer of an archive.
func checked(t *testing.T, a imagetest.Archive, opt load.Options) (string, error) {
	t.Helper()
	ref := "-"
	if opt.Stdin == nil {
		ref = filepath.Join(t.TempDir(), "image.tar")
		if err := os.WriteFile(ref, a.Tar(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	img, err := load.Open(context.Background(), ref, opt)
	if err != nil {
		return "", err
	}
	defer img.Close()
	an, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Verify: opt.Verify})
	if err != nil {
		return "", err
	}
	return an.Report.Layers[0].Checked, nil
}

// dotted returns a function that finds the first entry whose name ends in suffix.
func dotted(suffix string) func(imagetest.Archive) *imagetest.Entry {
	return func(a imagetest.Archive) *imagetest.Entry {
		for i := range a {
			if strings.HasSuffix(a[i].Name, suffix) {
				return &a[i]
			}
		}
		return nil
	}
}

// blob returns a function that finds the blob of img's first layer.
func blob(img *imagetest.Image) func(imagetest.Archive) *imagetest.Entry {
	return func(a imagetest.Archive) *imagetest.Entry {
		return a.Find("blobs/sha256/" + imagetest.Digest(imagetest.Compress(img.LayerTar(0), imagetest.Gzip)).Hex)
	}
}

// linked replaces the compressed layers of an archive by symlinks to files whose
// names don't look like layers.
func linked(a imagetest.Archive) imagetest.Archive {
	for i, e := range a {
		if bytes.HasPrefix(e.Data, []byte{0x1f, 0x8b}) {
			a[i] = imagetest.Entry{Kind: "symlink", Name: e.Name, Mode: 0o777, Link: "../../" + filepath.Base(e.Name) + ".blob"}
			a = append(a, imagetest.Entry{Kind: "file", Name: filepath.Base(e.Name) + ".blob", Mode: 0o644, Data: e.Data})
		}
	}
	return a
}
