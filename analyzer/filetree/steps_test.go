package filetree

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/layer"
)

func built(t *testing.T, diffs ...*layer.Diff) *Tree {
	t.Helper()
	b := NewBuilder()
	for _, d := range diffs {
		if _, err := b.Apply(d); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := b.Build(t.Context(), func(context.Context, []Group) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func diffOf(entries ...layer.Entry) *layer.Diff {
	d := &layer.Diff{}
	for _, e := range entries {
		d.Add(e)
	}
	return d
}

// TestLongHistory queries a path that many layers change.
func TestLongHistory(t *testing.T) {
	const pairs = 300
	file := diffOf(layer.Entry{Path: "d/f"})
	whiteout := diffOf(layer.Entry{Path: "d", Kind: layer.Whiteout})
	tree := built(t, slices.Repeat([]*layer.Diff{file, whiteout}, pairs)...)
	n, _ := tree.Lookup("/d/f")
	from, to := tree.history(n)
	if to-from != 2*pairs {
		t.Fatalf("got a history of %d, want %d", to-from, 2*pairs)
	}
	for i := range 2 * pairs {
		if from, to := tree.narrow(from, to, i); to-from > 1 {
			t.Fatalf("layer %d: %d versions are looked at, want 1", i, to-from)
		}
		if _, shown := tree.At(n, i); shown != (i%2 == 0) {
			t.Fatalf("layer %d: shown %v", i, shown)
		}
		if c := tree.View(i-1, i).Change(n); c.Mark != []Mark{Added, Removed}[i%2] {
			t.Fatalf("layer %d: %v", i, c.Mark)
		}
	}
}

// TestManyNames removes the names of one file, one per layer.
func TestManyNames(t *testing.T) {
	const names = 300
	first := diffOf(layer.Entry{Path: "000", Size: 1, Held: 1})
	diffs := []*layer.Diff{first}
	for i := 1; i < names; i++ {
		first.Add(layer.Entry{Path: fmt.Sprintf("%03d", i), Kind: layer.Link, Link: "000"})
	}
	for i := range names {
		diffs = append(diffs, diffOf(layer.Entry{Path: fmt.Sprintf("%03d", i), Kind: layer.Whiteout}))
	}
	tree := built(t, diffs...)
	for i := range names {
		if got := tree.Name(tree.FirstName(0, i)); got != fmt.Sprintf("%03d", i) {
			t.Fatalf("layer %d: the first name is %q", i, got)
		}
	}
	if n := tree.FirstName(0, names); n != None {
		t.Errorf("at the end: the first name is %q, want none", tree.Name(n))
	}
}

// TestStepsAlongLinks applies few or short entries that take many steps to resolve.
func TestStepsAlongLinks(t *testing.T) {
	chain := diffOf(layer.Entry{Path: "a", Kind: layer.Dir})
	long := strings.Repeat("a/../", 800)
	last := "a"
	for i := range 30 {
		name := fmt.Sprintf("l%d", i)
		chain.Add(layer.Entry{Path: name, Kind: layer.Symlink, Link: long + last})
		last = name
	}
	links := &layer.Diff{}
	name := strings.Repeat("n", 1<<20)
	for i := range 30_000 {
		chain.Add(layer.Entry{Path: fmt.Sprintf("%s/%d", last, i)})
		chain.Add(layer.Entry{Path: fmt.Sprintf("b/%d", i)})
		links.Add(layer.Entry{Path: fmt.Sprint(i), Kind: layer.Link, Link: "z"})
	}
	links.Add(layer.Entry{Path: "z", Kind: layer.Link, Link: name + "/x"})
	deep := diffOf(layer.Entry{Path: strings.Repeat("d/", 4000) + "f"})
	markers := diffOf(layer.Entry{Path: "d", Kind: layer.Whiteout})
	for i := range 4000 {
		markers.Add(layer.Entry{Path: fmt.Sprintf("%s.x%d", strings.Repeat("d/", 4000), i), Kind: layer.Whiteout})
	}
	usual := diffOf(layer.Entry{Path: "lib", Kind: layer.Symlink, Link: "usr/lib"})
	for i := range 30_000 {
		usual.Add(layer.Entry{Path: fmt.Sprintf("lib/%d/f", i)})
	}
	again := diffOf(layer.Entry{Path: name})
	nothing := &layer.Diff{}
	for i := range 1000 {
		nothing.Add(layer.Entry{Path: fmt.Sprint(i), Kind: layer.Whiteout})
	}
	for _, tt := range []struct {
		name  string
		diffs []*layer.Diff
		want  error
	}{
		{"symlinks", []*layer.Diff{chain}, errTooManySteps},
		{"hard links", []*layer.Diff{links}, errTooManySteps},
		{"long names repeatedly", slices.Repeat([]*layer.Diff{again}, 10_000), errTooManySteps},
		{"whiteouts of nothing repeatedly", slices.Repeat([]*layer.Diff{nothing}, 10_000), errTooManySteps},
		{"markers in a deep folder", []*layer.Diff{deep, markers}, nil},
		{"entries through a symlink", []*layer.Diff{usual}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBuilder()
			b.granted = 1 << 22 // the real limit would take seconds
			var err error
			for _, d := range tt.diffs {
				if _, err = b.Apply(d); err != nil {
					break
				}
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			// One entry, marker or link may exceed the limit before it is checked.
			if over := b.steps - b.granted; over > maxHops*(maxTarget+1<<20/stepBytes) {
				t.Errorf("took %d steps more than granted", over)
			}
		})
	}
}

// TestComparePaths checks that paths are ordered like their strings.
func TestComparePaths(t *testing.T) {
	d := &layer.Diff{}
	for _, a := range []string{"a", "a-", "a-b", "a0", "b", "\x01", "a\x01"} {
		for _, b := range []string{"a", "a-b", "a\x01", ""} {
			for _, c := range []string{"x", "-", ""} {
				d.Add(layer.Entry{Path: strings.Trim(a+"/"+b+"/"+c, "/"), Kind: layer.Dir})
				d.Add(layer.Entry{Path: a, Kind: layer.Dir})
			}
		}
	}
	tree := built(t, d)
	for x := Root + 1; int(x) < tree.Len(); x++ {
		for y := Root; int(y) < tree.Len(); y++ {
			if got, want := tree.ComparePaths(x, y), strings.Compare(tree.Path(x), tree.Path(y)); got != want {
				t.Errorf("%q and %q: got %d, want %d", tree.Path(x), tree.Path(y), got, want)
			}
		}
		if got, ok := tree.Lookup(tree.Path(x)); !ok || got != x {
			t.Errorf("%q is not found", tree.Path(x))
		}
		if _, ok := tree.Child(x, "a-a"); ok {
			t.Errorf("%q has a child a-a, want none", tree.Path(x))
		}
	}
}

// TestCompareOnce checks that contents that many paths show one after the other
// are compared only once.
func TestCompareOnce(t *testing.T) {
	const names = 100
	b := NewBuilder()
	for range 3 {
		d := diffOf(layer.Entry{Path: "0", Size: 5, Held: 5})
		for i := 1; i < names; i++ {
			d.Add(layer.Entry{Path: fmt.Sprint(i), Kind: layer.Link, Link: "0"})
		}
		if _, err := b.Apply(d); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	tree, err := b.Build(t.Context(), func(_ context.Context, groups []Group) error {
		for _, g := range groups {
			asked += len(g)
			g[2].Same = 0
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked != 3 {
		t.Errorf("%d pieces are compared, want 3", asked)
	}
	n, _ := tree.Lookup("/7")
	if c := tree.View(0, 2).Change(n); c.Mark != Unchanged && c.Mark != Modified {
		t.Errorf("got %v", c)
	}
	if !tree.sameContent(0, 2) || tree.sameContent(0, 1) {
		t.Error("pieces 0 and 2 must have the same content, and piece 1 other content")
	}
}
