package compare

import (
	"math/rand/v2"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// TestMerged checks that the layers of a merged image show what both images show, and
// that its marks are those of the changes.
func TestMerged(t *testing.T) {
	rnd := rand.New(rand.NewPCG(14, 2))
	for range 300 {
		oldText, newText := randomImages(rnd)
		old, new := side(t, oldText, imagetest.None), side(t, newText, imagetest.Zstd)
		c := compared(t, old, new)
		m, err := analyzer.Analyze(t.Context(), c.Merged(), analyzer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range []Side{old, new} {
			checkShown(t, m.Tree, i, m, s.Analysis)
		}
		view := m.Tree.View(0, 1)
		for f := range c.Files() {
			n, ok := m.Tree.Lookup(f.Path)
			if !ok {
				t.Errorf("%s is missing", f.Path)
				continue
			}
			got := view.Change(n)
			want := filetree.Modified
			switch f.Change {
			case "added", "renamed":
				want = filetree.Added
			case "removed":
				want = filetree.Removed
			case "mtime":
				want = filetree.Unchanged
			case "link":
				continue // other hard links, of the same content
			}
			if s, ok := m.Tree.At(n, 1); ok && s.Implied {
				continue
			}
			if got.Mark != want {
				t.Errorf("%s is %s, the change is %s", f.Path, got.Mark, f.Change)
			}
		}
		if t.Failed() {
			t.Fatalf("old:\n%s\nnew:\n%s", oldText, newText)
		}
	}
}

// checkShown checks that m shows after layer i what a shows in the end, apart from
// times.
func checkShown(t *testing.T, tree *filetree.Tree, i int, m, a *analyzer.Analysis) {
	t.Helper()
	count := 0
	for n := range filetree.Node(a.Tree.Len()) {
		want, ok := a.Tree.At(n, a.Tree.Layers()-1)
		if !ok {
			continue
		}
		count++
		at, found := tree.Lookup(a.Tree.Path(n))
		if !found {
			t.Errorf("layer %d: %s is missing", i, a.Tree.Path(n))
			continue
		}
		if want.Kind == layer.Link {
			want.Kind = layer.Symlink
		}
		got, shown := tree.At(at, i)
		if !shown || got.Kind != want.Kind || got.Mode != want.Mode || got.UID != want.UID || got.Size != want.Size || got.Target != want.Target {
			t.Errorf("layer %d: %s is %+v, want %+v", i, a.Tree.Path(n), got, want)
			continue
		}
		if want.Kind == layer.File && text(t, m, got.Content) != text(t, a, want.Content) {
			t.Errorf("layer %d: %s has other content", i, a.Tree.Path(n))
		}
	}
	for n := range filetree.Node(tree.Len()) {
		if _, ok := tree.At(n, i); ok {
			count--
		}
	}
	if count != 0 {
		t.Errorf("layer %d shows %d paths too many", i, -count)
	}
}
