package analyzer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
	"fathom/analyzer/load/toc"
)

// withTables converts the layers selected by which to eStargz, if they can have a
// table of contents. In listed, their entries come from the tables; in read, they
// are read like those of other layers.
func withTables(t *testing.T, img *imagetest.Image, c imagetest.Compression, which func(i int) bool) (listed, read *analyzer.Image, tables int) {
	t.Helper()
	listed, read = img.Image(c), img.Image(c)
	for i := range img.Layers {
		if !which(i) {
			continue
		}
		var blob bytes.Buffer
		w := estargz.NewWriterLevel(&blob, 1)
		if err := w.AppendTar(bytes.NewReader(img.LayerTar(i))); err != nil {
			continue
		}
		d, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		place, err := toc.Find(map[string]string{estargz.TOCJSONDigestAnnotation: d.String()}, int64(blob.Len()))
		if err != nil {
			t.Fatal(err)
		}
		table, err := toc.Open(t.Context(), place, func(_ context.Context, off, n int64) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(blob.Bytes()[off : off+n])), nil
		})
		if err != nil {
			if !strings.Contains(err.Error(), "is not valid UTF-8") {
				t.Fatal(err)
			}
			continue
		}
		diffID, err := v1.NewHash(w.DiffID())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []*analyzer.Layer{&listed.Layers[i], &read.Layers[i]} {
			l.DiffID, l.Digest, l.Compressed = diffID, imagetest.Digest(blob.Bytes()), true
			l.Blob = layer.Blob{At: bytes.NewReader(blob.Bytes()), Size: int64(blob.Len())}
		}
		l := &listed.Layers[i]
		l.Blob.List, l.Blob.Open, l.Unverified = table.Diff, table.Open, true
		tables++
	}
	return listed, read, tables
}

// TestTablesWithRead checks that layers listed by a table of contents give the same
// report as their tars. The hashes in a table are of another kind than those of
// layers that are read, but equal content must be found all the same.
func TestTablesWithRead(t *testing.T) {
	if testing.Short() {
		t.Skip("analyses every image ten times")
	}
	mixes := map[string]func(int) bool{
		"bottom": func(i int) bool { return i == 0 },
		"even":   func(i int) bool { return i%2 == 0 },
		"odd":    func(i int) bool { return i%2 == 1 },
		"all":    func(int) bool { return true },
	}
	total := 0
	for _, name := range imagetest.Names(t) {
		img := imagetest.Load(t, name)
		for _, c := range []imagetest.Compression{imagetest.None, imagetest.Gzip} {
			for mix, which := range mixes {
				listed, read, tables := withTables(t, img, c, which)
				total += tables
				if diff := cmp.Diff(listing(t, read), listing(t, listed)); diff != "" {
					t.Errorf("%s, compression %v, %s (-read +listed)\n%s", name, c, mix, diff)
				}
			}
		}
	}
	if total < 500 {
		t.Errorf("only %d layers had a table", total)
	}
}

// listing returns the report, without what depends on how a layer is stored, and
// the tree with its marks.
func listing(t *testing.T, img *analyzer.Image) string {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Report
	for i := range r.Layers {
		r.Layers[i].Unverified, r.Layers[i].Checked = false, ""
	}
	out, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var marks strings.Builder
	for n := filetree.Root; int(n) < a.Tree.Len(); n++ {
		marks.WriteString(a.Tree.Path(n))
		for i, m := range a.Tree.Marks(n) {
			marks.WriteString(strings.Repeat(" ", 1+i) + m.String())
		}
		marks.WriteByte('\n')
	}
	return string(out) + marks.String()
}
