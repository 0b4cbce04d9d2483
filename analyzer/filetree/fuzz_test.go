package filetree_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// FuzzTree applies random layers to the tree and to the model, and compares the
// results of all queries.
func FuzzTree(f *testing.F) {
	for seed := range 32 {
		data := make([]byte, 200)
		x := uint32(seed)*2654435761 + 1
		for i := range data {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			data[i] = byte(x >> 11)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		diffs := layers(data)
		if why := compare(diffs); why != "" {
			diffs, why = reduce(diffs, why)
			t.Fatalf("%s\n%s", why, text(diffs))
		}
	})
}

// TestModel compares the tree with the model for every image of testdata, and for
// images that FuzzTree found.
func TestModel(t *testing.T) {
	images := map[string]*imagetest.Image{
		"back through a link": imagetest.Must(t, `
layer
  file a 30xy
  link c -> a
  dir  a
  link a -> c
`),
		"marker before and behind": imagetest.Must(t, `
layer
  file c/c/a 20xy
layer
  file c/c
  file c/a/.wh..wh..opq
  file .wh.c
layer
  file c/a/.wh..wh..opq
  file .wh.c
  file c/c
`),
		"marker through two symlinks": imagetest.Must(t, `
layer
  file e/x 10xe
  file d/s/x 20xd
layer
  symlink ln   -> d
  symlink ln/s -> ../e
  file    d/s/.wh.x
`),
		"symlink replaced before the marker": imagetest.Must(t, `
layer
  file d/x 10xd
  file ln/x 20xl
layer
  symlink ln -> d
  dir     ln
  file    ln/.wh.x
`),
		"link through a symlink over nothing": imagetest.Must(t, `
layer
  symlink b   -> ./c/../a
  symlink a/b -> c/a
  link    a/a -> b/b
`),
		"links in a circle, one twice": imagetest.Must(t, `
layer
  link a -> b/b
layer
  link b -> b/a/a
  link a -> b
  link b -> a
`),
		"loop as a parent": imagetest.Must(t, `
layer
  symlink a -> x/b
  symlink x/b -> ../a
  file    a/f 5xf
  file    b/.wh.a
`),
	}
	for _, name := range imagetest.Names(t) {
		images[name] = imagetest.Load(t, name)
	}
	for name, img := range images {
		var diffs []*layer.Diff
		for i := range img.Layers {
			blob := imagetest.Compress(img.LayerTar(i), imagetest.Gzip) // so that it is hashed
			d, err := layer.Read(t.Context(), layer.Blob{At: bytes.NewReader(blob), Size: int64(len(blob))}, layer.Options{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			diffs = append(diffs, d)
		}
		if why := compare(diffs); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
}

// compare builds the tree and the model and returns where they first differ, or "".
func compare(diffs []*layer.Diff) (why string) {
	if len(diffs) == 0 {
		return ""
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case disagreement:
			why = string(r)
		default:
			why = fmt.Sprintf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	fail := func(format string, args ...any) { panic(disagreement(fmt.Sprintf(format, args...))) }
	var m model
	b := filetree.NewBuilder()
	stored := int64(0)
	for i, d := range diffs {
		m.apply(d)
		stored += d.Stored
		warnings, err := b.Apply(d)
		if err != nil {
			fail("applying: %v", err)
		}
		var resets []string
		for _, w := range warnings {
			if strings.Contains(w.Text, "none for it: docker (overlay2)") {
				resets = append(resets, w.Path)
			}
		}
		slices.Sort(resets)
		if !slices.Equal(m.resets[i], resets) {
			fail("layer %d: directories without an entry: got %q, want %q", i, resets, m.resets[i])
		}
	}
	tree, err := b.Build(context.Background(), same(diffs, fail))
	if err != nil {
		fail("building: %v", err)
	}
	paths := checkNodes(tree, &m, fail)
	for _, p := range paths {
		n, ok := tree.Lookup("/" + p)
		if !ok {
			fail("no node for %q", p)
		}
		checkHistory(tree, &m, n, p, fail)
		for from := -1; from < len(diffs); from++ {
			got, shown := tree.At(n, from)
			want, ok := m.before(from + 1)[p]
			if shown != ok || ok && !equal(got, want) {
				fail("%q after layer %d: got %v %+v, want %v %+v", p, from, shown, got, ok, want)
			}
		}
	}
	for from := -1; from < len(diffs); from++ {
		for to := from + 1; to < len(diffs); to++ {
			checkView(tree, &m, tree.View(from, to), to == from+1, to > from+1, paths, fail)
			checkView(tree, &m, tree.Compare(from, to, true), true, true, paths, fail)
			checkView(tree, &m, tree.Compare(from, to, false), false, true, paths, fail)
		}
	}
	checkContents(tree, &m, stored, fail)
	return ""
}

// checkView compares a view with the model. listed is as in Compare; compare reports
// whether Compare made the view.
func checkView(tree *filetree.Tree, m *model, v *filetree.View, listed, compare bool, paths []string, fail failure) {
	sums := m.sums(paths, v.From, v.To, listed, compare)
	for _, p := range paths {
		n, _ := tree.Lookup(p)
		if got, want := settled(v.Change(n)), settled(m.change(p, v.From, v.To, listed)); got != want {
			fail("change of %q from %d to %d: got %+v, want %+v", p, v.From, v.To, got, want)
		}
		sum, model := v.Sum(n), sums[p]
		sum.Marks &^= 1 << filetree.Absent
		model.Marks &^= 1 << filetree.Absent
		if sum != model {
			fail("sum below %q from %d to %d: got %+v, want %+v", p, v.From, v.To, sum, model)
		}
		s, ok := v.State(n)
		want, is := m.before(v.To + 1)[p]
		if !is {
			want, is = m.before(v.From + 1)[p]
		}
		if ok != is || ok && !equal(s, want) {
			fail("state of %q from %d to %d: got %v %+v, want %v %+v", p, v.From, v.To, ok, s, is, want)
		}
	}
}

type disagreement string

// settled clears Touched of an Absent path. It may be a directory that existed only
// while a layer was applied, which the tree and the model record differently.
func settled(c filetree.Change) filetree.Change {
	if c.Mark == filetree.Absent {
		c.Touched = false
	}
	return c
}

type failure func(format string, args ...any)

func equal(a, b filetree.State) bool {
	if a.Kind == layer.Dir && a.Implied && b.Implied {
		a.ModTime, b.ModTime = 0, 0
	}
	return a == b
}

// checkNodes checks the order of the nodes. It returns every path of the tree or
// the model.
func checkNodes(tree *filetree.Tree, m *model, fail failure) []string {
	known := map[string]bool{"": true}
	for i := range m.after {
		for p := range m.after[i] {
			known[p] = true
		}
		for p := range m.touched[i] {
			known[p] = true
		}
	}
	for n := filetree.Root; int(n) < tree.Len(); n++ {
		p := strings.TrimPrefix(tree.Path(n), "/")
		known[p] = true
		if at, ok := tree.Lookup(p); !ok || at != n {
			fail("lookup of %q: got %d %v, want %d", p, at, ok, n)
		}
		if dir, base := cut(p); n != filetree.Root && (strings.TrimPrefix(tree.Path(tree.Parent(n)), "/") != dir || tree.Name(n) != base) {
			fail("node %d is %q: parent %q, name %q", n, p, tree.Path(tree.Parent(n)), tree.Name(n))
		}
		last := ""
		for c := n + 1; c < tree.End(n); c = tree.End(c) {
			if tree.Parent(c) != n || tree.Name(c) <= last {
				fail("children of %q: %q after %q, parent %d", p, tree.Name(c), last, tree.Parent(c))
			}
			last = tree.Name(c)
		}
	}
	paths := make([]string, 0, len(known))
	for p := range known {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

func checkHistory(tree *filetree.Tree, m *model, n filetree.Node, p string, fail failure) {
	var want []filetree.Event
	marks := map[int]filetree.Mark{}
	for i := range m.after {
		if !m.touched[i][p] {
			continue
		}
		e := filetree.Event{Layer: i, Change: m.change(p, i-1, i, true)}
		if e.Change.Mark == filetree.Absent && e.Change.Stored == 0 {
			continue
		}
		s, ok := m.after[i][p]
		if !ok {
			s, e.Removed = m.before(i)[p], true
		}
		e.State = s
		want = append(want, e)
		marks[i] = e.Change.Mark
	}
	got := slices.DeleteFunc(tree.History(n), func(e filetree.Event) bool {
		return e.Change.Mark == filetree.Absent && e.Change.Stored == 0
	})
	for i := range got {
		if i < len(want) && equal(got[i].State, want[i].State) {
			got[i].State = want[i].State
		}
	}
	if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
		fail("history of %q (-want +got):\n%s", p, d)
	}
	all := map[int]filetree.Mark{}
	for i, mark := range tree.Marks(n) {
		if _, ok := marks[i]; ok || mark != filetree.Absent {
			all[i] = mark
		}
	}
	if d := cmp.Diff(marks, all); d != "" {
		fail("marks of %q (-want +got):\n%s", p, d)
	}
}

func checkContents(tree *filetree.Tree, m *model, stored int64, fail failure) {
	if tree.Contents() != len(m.contents) {
		fail("got %d pieces of content, want %d", tree.Contents(), len(m.contents))
	}
	var all, visible, wasted int64
	for c := range m.contents {
		want, got := &m.contents[c], tree.Stored(filetree.Content(c))
		node, lost := strings.TrimPrefix(tree.Path(got.Node), "/"), strings.TrimPrefix(tree.Path(got.Lost), "/")
		if node != want.path || got.Layer != want.layer || got.Bytes != want.bytes || got.Held != want.held || got.HiddenBy != want.hiddenBy {
			fail("content %d: got %+v at %q, want %+v", c, got, node, *want)
		}
		all += got.Bytes
		if want.hiddenBy < 0 {
			visible += got.Bytes
			if got.Cause != filetree.Visible || got.Lost != got.Node {
				fail("content %d is visible: got cause %v, lost %q", c, got.Cause, lost)
			}
		} else {
			wasted += got.Bytes
			if !slices.Contains(want.lost, lost) {
				fail("content %d: the name lost is %q, want one of %q", c, lost, want.lost)
			}
			if cause := m.cause(c, lost); got.Cause != cause {
				fail("content %d: got cause %v, want %v", c, got.Cause, cause)
			}
		}
		for i := range m.after {
			want := names(m.after[i], filetree.Content(c))
			var got []string
			for _, n := range tree.Names(filetree.Content(c), i) {
				got = append(got, strings.TrimPrefix(tree.Path(n), "/"))
			}
			if !slices.Equal(got, want) {
				fail("names of content %d after layer %d: got %q, want %q", c, i, got, want)
			}
			first := tree.FirstName(filetree.Content(c), i)
			if len(want) == 0 && first != filetree.None || len(want) > 0 && strings.TrimPrefix(tree.Path(first), "/") != want[0] {
				fail("first name of content %d after layer %d: got %d, want %q", c, i, first, want)
			}
		}
	}
	if all != stored || visible+wasted != stored {
		fail("layers store %d bytes: %d in the tree, %d visible + %d wasted", stored, all, visible, wasted)
	}
}

// same compares pieces by the hashes of their entries, which the tree ignores
// where Hashed is not set.
func same(diffs []*layer.Diff, fail failure) func(context.Context, []filetree.Group) error {
	type at struct {
		layer  int
		offset int64
	}
	hashes := map[at]layer.Hash{}
	for i, d := range diffs {
		for n := range d.Len() {
			e := d.At(n)
			hashes[at{i, e.Offset}] = e.Hash
		}
	}
	return func(_ context.Context, groups []filetree.Group) error {
		for _, g := range groups {
			if len(g) < 2 {
				fail("got a group of %d, want at least 2", len(g))
			}
			for i := range g {
				if g[i].Same != i || g[i].Bytes != g[0].Bytes {
					fail("group %+v: got pieces of different sizes or with Same set", g)
				}
				for j := range i {
					if hashes[at{g[j].Layer, g[j].Offset}] == hashes[at{g[i].Layer, g[i].Offset}] {
						g[i].Same = j
						break
					}
				}
			}
		}
		return nil
	}
}

// FuzzWork applies random layers repeatedly. Twice as many rounds must not take
// much more than twice the steps and memory: the cost of a layer must not grow with
// the number of layers below it, or with the length of a path's history.
func FuzzWork(f *testing.F) {
	for seed := range 8 {
		f.Add(bytes.Repeat([]byte{byte(seed * 37), byte(seed * 101), byte(seed + 7)}, 60))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<10 {
			return
		}
		diffs := layers(data)
		work := func(rounds int) (steps, bytes int64) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b := filetree.NewBuilder()
			for range rounds {
				for _, d := range diffs {
					if _, err := b.Apply(d); err != nil {
						t.Fatal(err)
					}
				}
			}
			taken, _ := b.Steps()
			if _, err := b.Build(t.Context(), func(context.Context, []filetree.Group) error { return nil }); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return int64(taken), int64(after.TotalAlloc - before.TotalAlloc)
		}
		const rounds = 16
		steps, bytes := work(rounds)
		moreSteps, moreBytes := work(2 * rounds)
		if moreSteps > steps*5/2+1000 {
			t.Errorf("%d rounds take %d steps, twice as many %d", rounds, steps, moreSteps)
		}
		if moreBytes > bytes*3+1<<20 {
			t.Errorf("%d rounds take %d bytes, twice as many %d", rounds, bytes, moreBytes)
		}
	})
}
