package analyzer_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

func foldersOf(t *testing.T, img *imagetest.Image) *facts.Report {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a.Report
}

func folderLine(f facts.Folder) string {
	s := fmt.Sprintf("%s %d+%d in %d:", f.Path, f.VisibleBytes, f.WastedBytes, f.Pieces)
	for _, l := range f.Layers {
		s += fmt.Sprintf(" %d=%d+%d", l.Layer, l.VisibleBytes, l.WastedBytes)
	}
	return s
}

func TestFolders(t *testing.T) {
	img := `layer COPY . /
  dir  a
  file a/big 644 1000xa
  file a/none 644 0xa
  link z -> a/big
  file a/old 644 300xb
layer RUN
  file a/.wh.old
  file a/.wh.big
  file c 644 50xc
layer RUN
  file .wh.c
`
	r := foldersOf(t, imagetest.Must(t, img))
	// /a/big was removed, but its content is still visible as /z.
	want := []string{
		"/ 1000+350 in 4: 0=1000+300 1=0+50",
		"/a 0+300 in 2: 0=0+300",
		"/a/old 0+300 in 1: 0=0+300",
		"/c 0+50 in 1: 1=0+50",
		"/z 1000+0 in 1: 0=1000+0",
	}
	var got []string
	for _, f := range r.Folders {
		got = append(got, folderLine(f))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The folders of every image in testdata must add up.
func TestFoldersAddUp(t *testing.T) {
	for _, name := range imagetest.Names(t) {
		checkFolders(t, name, foldersOf(t, imagetest.Load(t, name)))
	}
	var text strings.Builder
	text.WriteString("layer COPY\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "  file d%d/e%d/f%d 644 %dxa\n", i%7, i%50, i, 10+i%90)
	}
	r := foldersOf(t, imagetest.Must(t, text.String()))
	if len(r.Folders) > 500 || len(r.Folders) < 100 {
		t.Errorf("%d folders", len(r.Folders))
	}
	checkFolders(t, "many", r)
}

func checkFolders(t *testing.T, name string, r *facts.Report) {
	t.Helper()
	if len(r.Folders) == 0 || r.Folders[0].Path != "/" {
		t.Fatalf("%s: no root", name)
	}
	if root := r.Folders[0]; root.VisibleBytes != r.Totals.VisibleBytes || root.WastedBytes != r.Totals.WastedBytes {
		t.Errorf("%s: the root has %d visible and %d wasted bytes, the image %d and %d", name,
			root.VisibleBytes, root.WastedBytes, r.Totals.VisibleBytes, r.Totals.WastedBytes)
	}
	for _, l := range r.Folders[0].Layers {
		if x := r.Layers[l.Layer]; l.VisibleBytes != x.VisibleBytes || l.WastedBytes != x.WastedBytes {
			t.Errorf("%s: layer %d", name, l.Layer)
		}
	}
	rest := map[string][3]int64{}
	for i, f := range r.Folders {
		var visible, wasted int64
		for _, l := range f.Layers {
			visible += l.VisibleBytes
			wasted += l.WastedBytes
		}
		if visible != f.VisibleBytes || wasted != f.WastedBytes {
			t.Errorf("%s: the layers of %s don't add up", name, folderLine(f))
		}
		rest[f.Path] = [3]int64{f.VisibleBytes, f.WastedBytes, int64(f.Pieces)}
		if i == 0 {
			continue
		}
		up, ok := rest[path.Dir(f.Path)]
		if !ok {
			t.Fatalf("%s: %s comes without its folder", name, f.Path)
		}
		up[0] -= f.VisibleBytes
		up[1] -= f.WastedBytes
		up[2] -= int64(f.Pieces)
		if up[0] < 0 || up[1] < 0 || up[2] < 0 {
			t.Errorf("%s: %s holds more than its folder", name, f.Path)
		}
		rest[path.Dir(f.Path)] = up
	}
}
