package filetree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// tree analyzes an image written as text.
func tree(t *testing.T, text string) *filetree.Tree {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a.Tree
}

func lookup(t *testing.T, tr *filetree.Tree, path string) filetree.Node {
	t.Helper()
	n, ok := tr.Lookup(path)
	if !ok {
		t.Fatalf("no node for %s", path)
	}
	return n
}

// growing is an image with a log directory that grows, changes and is removed.
const growing = `
layer
  dir  var/
  dir  var/log/
  file var/log/a 100xa
  file var/log/b 10xb
  file etc/conf  5xc

layer
  file var/log/a 200xA
  file var/log/b 10xb 600
  file var/log/c 1xc

layer
  file var/.wh.log
  file etc/conf 5xc
`

func TestSums(t *testing.T) {
	tr := tree(t, growing)
	marks := func(ms ...filetree.Mark) (s filetree.Marks) {
		for _, m := range ms {
			s |= 1 << m
		}
		return s
	}
	for _, test := range []struct {
		path     string
		from, to int
		want     filetree.Sum
	}{
		{"/", -1, 0, filetree.Sum{Size: 115, Files: 3, Stored: 115, Marks: marks(filetree.Added), Touched: [5]int32{filetree.Added: 3}}},
		{"/var/log", -1, 0, filetree.Sum{Size: 110, Files: 2, Stored: 110, Marks: marks(filetree.Added), Touched: [5]int32{filetree.Added: 2}}},
		// a was replaced (100 gone), b only got another mode.
		{"/var", 0, 1, filetree.Sum{Size: 211, Files: 3, Stored: 211, Removed: 100, Marks: marks(filetree.Added, filetree.Modified), Touched: [5]int32{filetree.Added: 1, filetree.Modified: 2}}},
		{"/etc", 0, 1, filetree.Sum{Size: 5, Files: 1}},
		{"/var", 1, 2, filetree.Sum{Removed: 211, Marks: marks(filetree.Removed), Touched: [5]int32{filetree.Removed: 3}}},
		{"/etc", 1, 2, filetree.Sum{Size: 5, Files: 1, Stored: 5, Marks: marks(filetree.Unchanged), Touched: [5]int32{filetree.Unchanged: 1}}},
		{"/", 1, 2, filetree.Sum{Size: 5, Files: 1, Stored: 5, Removed: 211, Marks: marks(filetree.Removed, filetree.Unchanged), Touched: [5]int32{filetree.Unchanged: 1, filetree.Removed: 3}}},
		// Over two layers: c was added and removed again, and conf was only stored again.
		{"/var", 0, 2, filetree.Sum{Removed: 110, Marks: marks(filetree.Removed), Before: 110, Touched: [5]int32{filetree.Removed: 2}}},
		{"/etc", 0, 2, filetree.Sum{Size: 5, Files: 1}},
		{"/", -1, 2, filetree.Sum{Size: 5, Files: 1, Marks: marks(filetree.Added), After: 5, Touched: [5]int32{filetree.Added: 1}}},
		{"/etc/conf", 0, 2, filetree.Sum{}},
	} {
		t.Run(fmt.Sprintf("%s %d-%d", test.path, test.from, test.to), func(t *testing.T) {
			got := tr.View(test.from, test.to).Sum(lookup(t, tr, test.path))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestChange(t *testing.T) {
	tr := tree(t, growing)
	for _, test := range []struct {
		path     string
		from, to int
		want     filetree.Change
	}{
		{"/var/log/a", -1, 0, filetree.Change{Mark: filetree.Added, Touched: true, Stored: 100}},
		{"/var/log/a", 0, 1, filetree.Change{Mark: filetree.Modified, Differs: filetree.Bytes, Touched: true, Stored: 200}},
		{"/var/log/b", 0, 1, filetree.Change{Mark: filetree.Modified, Differs: filetree.Metadata, Touched: true, Stored: 10}},
		{"/var/log/b", 1, 2, filetree.Change{Mark: filetree.Removed, Touched: true}},
		{"/var/log/b", 0, 2, filetree.Change{Mark: filetree.Removed, Touched: true}},
		{"/var/log/c", 0, 2, filetree.Change{Mark: filetree.Absent}},
		{"/etc/conf", 0, 2, filetree.Change{Mark: filetree.Unchanged}},
		{"/var/log/c", -1, 0, filetree.Change{Mark: filetree.Absent}},
		{"/etc/conf", 1, 2, filetree.Change{Mark: filetree.Unchanged, Touched: true, Stored: 5}},
		{"/etc/conf", 0, 1, filetree.Change{Mark: filetree.Unchanged}},
		{"/etc", -1, 0, filetree.Change{Mark: filetree.Added, Touched: true}},
		{"/etc", -1, 2, filetree.Change{Mark: filetree.Added, Touched: true}},
	} {
		t.Run(fmt.Sprintf("%s %d-%d", test.path, test.from, test.to), func(t *testing.T) {
			got := tr.View(test.from, test.to).Change(lookup(t, tr, test.path))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestHistory(t *testing.T) {
	tr := tree(t, growing)
	var got []string
	for _, e := range tr.History(lookup(t, tr, "var/log/b")) {
		got = append(got, fmt.Sprintf("%d %v %v stored=%d mode=%o", e.Layer, e.Change.Mark, e.Change.Differs, e.Change.Stored, e.State.Mode))
	}
	want := []string{
		"0 added  stored=10 mode=644",
		"1 modified metadata stored=10 mode=600",
		"2 removed  stored=0 mode=600",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Content with several names counts once, at its first name. When that name goes,
// the size moves to the next one.
func TestSizeOfHardLinks(t *testing.T) {
	tr := tree(t, `
layer
  file a/x   100xa
  link a-b/y -> a/x
  link b/z   -> a/x
layer
  file a-b/.wh.y
layer
  file a/x 1xa
`)
	c := filetree.Content(0)
	for i, want := range []struct {
		first      string
		a, ab, b   int64
		root       int64
		names      int
		filesInAll int
	}{
		// "/a-b/y" sorts before "/a/x": '-' is less than '/'.
		{"/a-b/y", 0, 100, 0, 100, 3, 3},
		{"/a/x", 100, 0, 0, 100, 2, 2},
		{"/b/z", 1, 0, 100, 101, 1, 2},
	} {
		v := tr.View(i-1, i)
		if got := tr.Path(tr.FirstName(c, i)); got != want.first {
			t.Errorf("after layer %d the first name is %s, want %s", i, got, want.first)
		}
		if got := len(tr.Names(c, i)); got != want.names {
			t.Errorf("after layer %d there are %d names, want %d", i, got, want.names)
		}
		got := [...]int64{v.Sum(lookup(t, tr, "a")).Size, v.Sum(lookup(t, tr, "a-b")).Size, v.Sum(lookup(t, tr, "b")).Size, v.Sum(filetree.Root).Size}
		if w := [...]int64{want.a, want.ab, want.b, want.root}; got != w {
			t.Errorf("after layer %d sizes of a, a-b, b and the root are %v, want %v", i, got, w)
		}
		if got := v.Sum(filetree.Root).Files; got != want.filesInAll {
			t.Errorf("after layer %d there are %d files, want %d", i, got, want.filesInAll)
		}
	}
}

func TestNodes(t *testing.T) {
	tr := tree(t, growing)
	var got []string
	for n := filetree.Root; int(n) < tr.Len(); n++ {
		got = append(got, fmt.Sprintf("%s ends before %d", tr.Path(n), tr.End(n)))
		if back, ok := tr.Lookup(tr.Path(n)); !ok || back != n {
			t.Errorf("Lookup(%s) = %d, %v; want %d", tr.Path(n), back, ok, n)
		}
	}
	want := []string{
		"/ ends before 8", "/etc ends before 3", "/etc/conf ends before 3", "/var ends before 8",
		"/var/log ends before 8", "/var/log/a ends before 6", "/var/log/b ends before 7", "/var/log/c ends before 8",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, ok := tr.Lookup("/var/nothing"); ok {
		t.Error("Lookup found a path that no layer has")
	}
}

// Hostile layers must take little time and end with a result or an error.
func TestHostile(t *testing.T) {
	apply := func(t *testing.T, entries ...layer.Entry) ([]layer.Warning, error) {
		d := &layer.Diff{}
		for _, e := range entries {
			d.Add(e)
		}
		b := filetree.NewBuilder()
		w, err := b.Apply(d)
		if err == nil {
			if _, err := b.Build(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		return w, err
	}
	deep := strings.Repeat("d/", 5000) + "x"
	if _, err := apply(t, layer.Entry{Path: deep}); err == nil || !strings.Contains(err.Error(), "more than 4096 directories deep") {
		t.Errorf("a path 5000 deep: got error %v", err)
	}
	if _, err := apply(t, layer.Entry{Path: deep, Kind: layer.Whiteout}); err == nil {
		t.Error("a whiteout 5000 deep: got no error")
	}
	if _, err := apply(t, layer.Entry{Path: strings.Repeat("d/", 4000) + "x"}); err != nil {
		t.Errorf("a path 4000 deep: %v", err)
	}

	var loops []layer.Entry
	for i := range 1000 {
		loops = append(loops, layer.Entry{Path: fmt.Sprint("l", i), Kind: layer.Symlink, Link: fmt.Sprint("l", (i+1)%1000)})
	}
	loops = append(loops, layer.Entry{Path: "l0/x", Kind: layer.File, Held: 1, Size: 1})
	w, err := apply(t, loops...)
	if err != nil || len(w) != 1 || w[0].Path != "l0" {
		t.Errorf("a loop of symlinks: got warnings %v, error %v; want one warning about l0", w, err)
	}

	var links []layer.Entry
	for i := range 1000 {
		links = append(links, layer.Entry{Path: fmt.Sprint("h", i), Kind: layer.Link, Link: fmt.Sprint("h", i+1)})
	}
	w, err = apply(t, links...)
	if err != nil || len(w) > 50 {
		t.Errorf("a chain of hard links to nothing: got %d warnings, error %v; want at most 50 and no error", len(w), err)
	}
}
