package analyzer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
	"fathom/analyzer/load"
)

// TestRepeatedBlob checks that a layer that an image lists several times is one
// blob in every form.
func TestRepeatedBlob(t *testing.T) {
	img := imagetest.Load(t, "duplicate-layer")
	for _, form := range forms {
		path := filepath.Join(t.TempDir(), "image")
		if form.folder {
			form.write(img).WriteDir(t, path)
		} else if err := os.WriteFile(path, imagetest.Compress(form.write(img).Tar(), form.whole), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := load.Open(t.Context(), path, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		l := got.Layers
		if l[0].MediaType == l[1].MediaType && l[0].Digest == l[1].Digest && (l[0].Blob.Key == nil || l[0].Blob.Key != l[1].Blob.Key) {
			t.Errorf("%s: layers 0 and 1 have the keys %v and %v", form.name, l[0].Blob.Key, l[1].Blob.Key)
		}
		if l[0].Blob.Key == l[2].Blob.Key {
			t.Errorf("%s: layers 0 and 2 have the key %v", form.name, l[0].Blob.Key)
		}
	}
}

// repeated returns an image that lists its two layers ten times each, in turn, and
// the number of times that a blob was read.
func repeated(t *testing.T) (*analyzer.Image, *atomic.Int64) {
	img := imagetest.Must(t, `
layer
  file d/a 100xa
  file d/b 50xb

layer
  file .wh.d
`).Image(imagetest.Gzip)
	reads := new(atomic.Int64)
	for i := range img.Layers {
		l := &img.Layers[i]
		data, err := io.ReadAll(io.NewSectionReader(l.Blob.At, 0, l.Blob.Size))
		if err != nil {
			t.Fatal(err)
		}
		l.Blob = layer.Blob{Key: i, Size: l.Blob.Size, Stream: func(context.Context) (io.ReadCloser, error) {
			reads.Add(1)
			return io.NopCloser(bytes.NewReader(data)), nil
		}}
	}
	two := img.Layers
	for range 9 {
		img.Layers = append(img.Layers, two...)
	}
	return img, reads
}

func TestReadOnce(t *testing.T) {
	img, reads := repeated(t)
	an, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := reads.Load(); got != 2 {
		t.Errorf("%d blobs were read, want 2", got)
	}
	tot := an.Report.Totals
	if tot.Layers != 20 || tot.StoredBytes != 1500 || tot.WastedBytes != 1500 {
		t.Errorf("got %+v, want 20 layers that waste all of 1500 bytes", tot)
	}
	for i, l := range an.Report.Layers {
		if i%2 == 0 && (l.Added != 3 || l.StoredBytes != 150) || i%2 == 1 && l.Removed != 3 {
			t.Errorf("layer %d: %+v", i, l)
		}
	}
}

func TestRepeatedWithAnotherDiffID(t *testing.T) {
	img, _ := repeated(t)
	img.Layers[4].DiffID = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	_, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err == nil || !strings.Contains(err.Error(), "layer 4 (") || !strings.Contains(err.Error(), "the same blob as layer 0 (") {
		t.Errorf("got error %v, want one that names both layers", err)
	}
}

// If an image takes more memory than the limit, the error names the layer. In the
// end, only the memory of the tree and the waste is still taken.
func TestMemoryLimit(t *testing.T) {
	var text strings.Builder
	long := strings.Repeat(strings.Repeat("n", 250)+"/", 8)
	for range 2 {
		fmt.Fprintf(&text, "layer\n  dir %s\n  symlink d -> %s\n", long, long)
		for i := range 500 {
			fmt.Fprintf(&text, "  file d/%04d 1xa\n", i)
		}
	}
	parsed := imagetest.Must(t, text.String())
	open := func(limit int64) *analyzer.Image {
		img := parsed.Image(imagetest.Gzip)
		img.Limits.Memory = layer.NewQuota(layer.Memory, limit)
		return img
	}
	b := filetree.NewBuilder()
	b.Memory = layer.NewQuota(layer.Memory, 1<<30)
	for _, l := range open(1 << 30).Layers {
		d, err := layer.Read(t.Context(), l.Blob, layer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Apply(d); err != nil {
			t.Fatal(err)
		}
	}
	least := b.Memory.Used() + 500*int64(len(long)+len("/0000"))

	where := map[string]bool{}
	for limit := int64(1 << 16); ; limit += limit / 4 {
		img := open(limit)
		_, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
		if err == nil {
			if used := img.Limits.Memory.Used(); used < least || used > least+500*128+64<<10 {
				t.Errorf("%d bytes are taken in the end, want about %d", used, least)
			}
			break
		}
		var over *layer.QuotaError
		if !errors.As(err, &over) || over.Most != limit || !strings.Contains(err.Error(), "layer 0 (") && !strings.Contains(err.Error(), "layer 1 (") {
			t.Fatalf("with %d bytes: got error %v", limit, err)
		}
		what, _, _ := strings.Cut(err.Error(), " layer")
		where[what] = true
	}
	if !where["reading"] || !where["listing the waste of"] {
		t.Errorf("got errors of %v only", where)
	}
}
