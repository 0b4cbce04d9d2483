package outline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
)

// find returns what matches a text in the scope of an outline.
func find(t *testing.T, tr *filetree.Tree, o *outline.Outline, text string) []filetree.Node {
	t.Helper()
	p, err := outline.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return p.Find(t.Context(), tr, o.Scope())
}

// TestFound shows only what matches: the folders above are open, a folder that matches is
// not, and the sums are those of what matches.
func TestFound(t *testing.T) {
	tr := tree(t, "etc/ etc/motd=8 usr/ usr/lib/ usr/lib/libc=30 usr/lib/x=5 usr/share/ usr/share/doc/ usr/share/doc/libc=7 usr/share/man=1 var/ var/lib/ var/lib/a=2 var/lib/b=3")
	o := outline.New(tr)
	o.Show(tr.View(-1, 0), true)
	etc, _ := tr.Lookup("etc/motd")
	o.GoTo(etc)
	found := func(text string) {
		t.Helper()
		o.Found(o.Prepare()(t.Context(), find(t, tr, o, text), true))
	}
	sum := func(size int64, files int) {
		t.Helper()
		if got, _, _, n := o.Sum(); got != size || n != files {
			t.Errorf("got %d bytes in %d files, want %d in %d", got, n, size, files)
		}
	}
	found("lib")
	o.First()
	want(t, o, ">usr/v 42\n   lib/ 35\n   share/doc/v 7\n     libc 7\n var/lib/ 5\n")
	sum(47, 5)
	found("libc")
	o.First()
	want(t, o, ">usr/v 37\n   lib/v 30\n     libc 30\n   share/doc/v 7\n     libc 7\n")
	sum(37, 2)
	// What the user folds there stays so as the search goes on, and nowhere else.
	o.Toggle()
	want(t, o, ">usr/ 37\n")
	o.Toggle()
	o.OpenAll(false)
	want(t, o, ">usr/ 37\n")
	found("lib")
	want(t, o, ">usr/ 42\n var/lib/ 5\n")
	o.OpenAll(true)
	want(t, o, ">usr/v 42\n   lib/v 35\n     libc 30\n     x 5\n   share/doc/v 7\n     libc 7\n var/lib/v 5\n   b 3\n   a 2\n")
	// Another order or another scope adds up again.
	o.SetOrder(outline.ByGrowth, true)
	sum(47, 5)
	o.Show(tr.View(-1, 0), false)
	sum(47, 5)
	found("none")
	want(t, o, "")
	sum(0, 0)
	o.SetOrder(outline.BySize, false)
	o.Show(tr.View(-1, 0), true)
	o.Only(nil)
	o.First()
	want(t, o, ">usr/ 43\n etc/v 8\n   motd 8\n var/lib/ 5\n")
	sum(56, 7)
}

// TestFoundLate checks that a large selection is not added up again in the time of a key.
func TestFoundLate(t *testing.T) {
	var words strings.Builder
	for i := range 150 * 150 {
		fmt.Fprintf(&words, " d/%d/f%d=1", i/150, i)
	}
	tr := tree(t, words.String(), "new=5")
	o := outline.New(tr)
	o.Show(tr.View(-1, 0), true)
	hits := find(t, tr, o, "f")
	if len(hits) != 150*150 {
		t.Fatalf("found %d", len(hits))
	}
	o.Found(o.Prepare()(t.Context(), hits, true))
	if _, _, _, n := o.Sum(); n != len(hits) || o.Late() {
		t.Errorf("%d files, late: %t", n, o.Late())
	}
	o.Show(tr.View(0, 1), true)
	if rows, _ := o.Rows(10); len(rows) > 0 || !o.Late() {
		t.Errorf("%d rows of another view", len(rows))
	}
	o.Found(o.Prepare()(t.Context(), hits, false))
	if _, _, _, n := o.Sum(); n != len(hits) || o.Late() {
		t.Errorf("%d files, late: %t", n, o.Late())
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if o.Prepare()(done, hits, true) != nil || o.Sequence(hits)(done) != nil {
		t.Error("work goes on when it was cancelled")
	}
}

// TestSequence compares the sequence of random hits with the rows when all folders are
// open, of all rows and of those that are found.
func TestSequence(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		tr := tree(t, randomLayers(rnd)...)
		o := outline.New(tr)
		to := rnd.IntN(tr.Layers())
		o.Show(tr.View(to-1, to), rnd.IntN(2) == 0)
		o.SetOrder(outline.Order(rnd.IntN(len(outline.Orders()))), rnd.IntN(2) == 0)
		var hits, shown []filetree.Node
		for n := filetree.Root; int(n) < tr.Len(); n++ {
			if rnd.IntN(3) == 0 {
				hits = append(hits, n)
				if n != filetree.Root && o.Scope().Shown(tr, n) {
					shown = append(shown, n)
				}
			}
		}
		if rnd.IntN(2) == 0 {
			o.Found(o.Prepare()(t.Context(), shown, true))
			only := outline.New(tr)
			only.Show(o.Scope().View, o.Scope().Whole)
			only.Only(append([]filetree.Node{}, shown...))
			size, _, gone, files := o.Sum()
			if s, _, g, f := only.Sum(); s != size || g != gone || f != files {
				t.Errorf("seed %d: %d, %d, %d found, and %d, %d, %d alone", seed, size, gone, files, s, g, f)
			}
		}
		o.OpenAll(true)
		rows, _ := o.Rows(10_000)
		var wanted []filetree.Node
		for _, r := range rows {
			var chain []filetree.Node
			for n := r.Node; ; n = tr.Parent(n) {
				if slices.Contains(hits, n) {
					chain = append(chain, n)
				}
				if n == r.Top {
					break
				}
			}
			slices.Reverse(chain)
			wanted = append(wanted, chain...)
		}
		var got []filetree.Node
		for _, i := range o.Sequence(hits)(t.Context()) {
			got = append(got, hits[i])
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("seed %d: got %v, want %v", seed, got, wanted)
		}
	}
}

// TestInside compares Inside and Above with their definitions.
func TestInside(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		tr := tree(t, randomLayers(rnd)...)
		var nodes, hits, in, above []filetree.Node
		for n := filetree.Root; int(n) < tr.Len(); n++ {
			if rnd.IntN(3) == 0 {
				nodes = append(nodes, n)
			}
			if rnd.IntN(4) == 0 {
				hits = append(hits, n)
			}
		}
		below := func(n, top filetree.Node) bool { return n >= top && n < tr.End(top) }
		for _, n := range nodes {
			if slices.ContainsFunc(hits, func(h filetree.Node) bool { return below(n, h) }) {
				in = append(in, n)
			}
		}
		for _, h := range hits {
			if slices.ContainsFunc(nodes, func(n filetree.Node) bool { return below(n, h) }) {
				above = append(above, h)
			}
		}
		if got := outline.Inside(tr, nodes, hits); !slices.Equal(got, in) {
			t.Errorf("seed %d: inside: got %v, want %v", seed, got, in)
		}
		if got := outline.Above(tr, hits, nodes); !slices.Equal(got, above) {
			t.Errorf("seed %d: above: got %v, want %v", seed, got, above)
		}
	}
}
