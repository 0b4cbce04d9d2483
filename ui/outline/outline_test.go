package outline_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
)

// tree builds a tree of layers, each a list of paths: "name/" is a directory, "name=7"
// a file of seven bytes, "-name" a whiteout.
func tree(t testing.TB, layers ...string) *filetree.Tree {
	t.Helper()
	b := filetree.NewBuilder()
	for i, text := range layers {
		d := &layer.Diff{}
		for _, word := range strings.Fields(text) {
			e := layer.Entry{Mode: 0o644, ModTime: int64(i)}
			switch path, size, isFile := strings.Cut(word, "="); {
			case word[0] == '-':
				e.Kind, e.Path = layer.Whiteout, word[1:]
			case isFile:
				e.Path = path
				if _, err := fmt.Sscan(size, &e.Size); err != nil {
					t.Fatal(err)
				}
				e.Held = e.Size
			default:
				e.Kind, e.Path, e.Mode = layer.Dir, strings.TrimSuffix(word, "/"), 0o755
			}
			d.Add(e)
		}
		if _, err := b.Apply(d); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := b.Build(t.Context(), func(context.Context, []filetree.Group) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// show returns the window as text, one line for each row, with ">" at the cursor.
func show(o *outline.Outline, h int) string {
	rows, at := o.Rows(h)
	var b strings.Builder
	for i, r := range rows {
		sign := " "
		if i == at {
			sign = ">"
		}
		fold := ""
		if r.Dir && r.Open {
			fold = "/v"
		} else if r.Dir {
			fold = "/"
		}
		fmt.Fprintf(&b, "%s%s%s%s %d\n", sign, strings.Repeat("  ", r.Depth), r.Name, fold, r.Size)
	}
	return b.String()
}

func want(t *testing.T, o *outline.Outline, want string) {
	t.Helper()
	want = strings.TrimPrefix(want, "\n")
	if got := show(o, 20); got != want {
		t.Fatalf("got\n%swant\n%s", got, want)
	}
}

func TestOutline(t *testing.T) {
	tr := tree(t,
		"bin/ bin/sh=50 etc/ etc/a=1 etc/b=2 usr/ usr/lib/ usr/lib/x/ usr/lib/x/one=10 usr/lib/x/two=20",
		"etc/a=5 -usr/lib/x/two",
		"usr/share/ usr/share/doc=7",
	)
	o := outline.New(tr)
	o.Show(tr.View(-1, 0), false)
	want(t, o, `
>bin/ 50
 usr/lib/x/ 30
 etc/ 3
`)
	// A folded chain of folders opens as one, and stays open when a layer splits it.
	o.Move(1)
	o.Toggle()
	o.Move(1)
	want(t, o, `
 bin/ 50
 usr/lib/x/v 30
>  two 20
   one 10
 etc/ 3
`)
	// The layer shows the paths that it changed; the cursor does not move.
	o.Show(tr.View(0, 1), false)
	want(t, o, `
 etc/ 5
 usr/lib/x/v 0
>  two 0
`)
	// The third layer does not have two: the cursor is on the nearest row.
	o.Show(tr.View(1, 2), false)
	want(t, o, `
>usr/share/ 7
`)
	o.Show(tr.View(1, 2), true)
	want(t, o, `
 bin/ 50
 usr/v 17
   lib/x/v 10
>    one 10
   share/ 7
 etc/ 7
`)
	// Back in the first layer, folders and cursor are as before.
	o.Show(tr.View(-1, 0), false)
	want(t, o, `
 bin/ 50
 usr/lib/x/v 30
>  two 20
   one 10
 etc/ 3
`)
	o.SetOrder(outline.ByName, false)
	o.Close() // moves to the folder above
	want(t, o, `
 bin/ 50
 etc/ 3
>usr/lib/x/v 30
   one 10
   two 20
`)
	o.Close()
	o.OpenAll(true)
	o.SetOrder(outline.ByFiles, true)
	want(t, o, `
 bin/v 50
   sh 50
>usr/lib/x/v 30
   two 20
   one 10
 etc/v 3
   b 2
   a 1
`)
}

func TestMarks(t *testing.T) {
	tr := tree(t, "a/ a/x=1 a/y=2 b/ b/z=3", "a/x=9 -a/y b/new=4")
	o := outline.New(tr)
	o.SetOrder(outline.ByName, false)
	o.Show(tr.View(0, 1), false)
	o.OpenAll(true)
	for _, c := range []struct {
		marks filetree.Marks
		whole bool
		want  string
	}{
		{1 << filetree.Added, false, ">b/v 4\n   new 4\n"},
		{1 << filetree.Modified, false, ">a/v 9\n   x 9\n"},
		{1 << filetree.Removed, false, ">a/v 9\n   y 0\n"},
		{1 << filetree.Unchanged, false, ""},
		{1 << filetree.Unchanged, true, ">a/v 9\n b/v 7\n   z 3\n"},
		{1 << filetree.Removed, true, ""},
		{outline.AllMarks, true, ">a/v 9\n   x 9\n b/v 7\n   new 4\n   z 3\n"},
	} {
		o.Show(tr.View(0, 1), c.whole)
		o.SetMarks(c.marks)
		o.First()
		if got := show(o, 20); got != c.want {
			t.Errorf("marks %b, whole %v: got\n%swant\n%s", c.marks, c.whole, got, c.want)
		}
	}
}

// TestGrowth compares two states: it sorts by how much sizes differ, in either direction,
// and shows what is removed beside what stays. What is stored in between does not count.
func TestGrowth(t *testing.T) {
	tr := tree(t,
		"a/ a/x=100 a/y=2 b/ b/z=3 c=7 d/ d/gone=50 f/",
		"a/x=95 b/ f/ d/brief=1000 e/ e/brief=9",
		"a/x=90 -a/y b/ b/new=40 f/ -d -e")
	o := outline.New(tr)
	o.Compare(tr.Compare(0, 2, false), false)
	o.SetOrder(outline.ByGrowth, false)
	o.OpenAll(true)
	check := func(name, want string) {
		t.Helper()
		var b strings.Builder
		rows, _ := o.Rows(20)
		for _, r := range rows {
			fmt.Fprintf(&b, "%s %d %d %+d\n", r.Name, r.Before, r.Size, r.Growth)
		}
		if got := b.String(); got != want {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
	// Only what differs counts: /b has 3 bytes more that stay, /f is listed again, and
	// /e only existed in between.
	const differ = "d 50 0 -50\ngone 50 0 -50\nb 0 40 +40\nnew 0 40 +40\na 102 90 -12\nx 100 90 -10\ny 2 0 -2\n"
	check("what differs", differ)
	o.Compare(tr.Compare(0, 2, false), true)
	check("everything", "d 50 0 -50\ngone 50 0 -50\nb 3 43 +40\nnew 0 40 +40\nz 3 3 +0\na 102 90 -12\nx 100 90 -10\ny 2 0 -2\nc 7 7 +0\nf 0 0 +0\n")
	o.SetMarks(1 << filetree.Removed)
	check("removed", "d 50 0 -50\ngone 50 0 -50\na 102 90 -12\ny 2 0 -2\n")
	o.SetMarks(outline.AllMarks)
	x, _ := tr.Lookup("a/x")
	z, _ := tr.Lookup("b/z")
	o.Only([]filetree.Node{x, z})
	check("only two", "a 100 90 -10\nx 100 90 -10\nb 3 3 +0\nz 3 3 +0\n")
	o.Only(nil)
	// Two layers that follow one another: /f is listed again, and does not differ.
	o.Compare(tr.Compare(1, 2, false), false)
	check("the next layer", "d 1050 0 -1050\nbrief 1000 0 -1000\ngone 50 0 -50\nb 0 40 +40\nnew 0 40 +40\ne 9 0 -9\nbrief 9 0 -9\na 97 90 -7\nx 95 90 -5\ny 2 0 -2\n")
}

func TestFind(t *testing.T) {
	tr := tree(t, "usr/ usr/Lib/ usr/Lib/libc.so=3 usr/lib.txt=9 var/ var/lib/ var/lib/dpkg=1", "etc/ etc/libfoo=2")
	v := tr.View(-1, 0)
	for _, c := range []struct {
		text  string
		scope outline.Scope
		want  string
	}{
		{"lib", outline.Scope{}, "/etc/libfoo /usr/Lib /usr/Lib/libc.so /usr/lib.txt /var/lib"},
		{"lib", outline.Scope{View: v, Marks: outline.AllMarks}, "/usr/Lib /usr/Lib/libc.so /usr/lib.txt /var/lib"},
		{"Lib", outline.Scope{}, "/usr/Lib"},
		{"usr/l", outline.Scope{}, "/usr/Lib /usr/Lib/libc.so /usr/lib.txt"},
		{"~^/var/.*g$", outline.Scope{}, "/var/lib/dpkg"},
		{"~", outline.Scope{}, ""},
		{"", outline.Scope{}, ""},
		{"none", outline.Scope{}, ""},
	} {
		p, err := outline.Compile(c.text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range p.Find(t.Context(), tr, c.scope) {
			got = append(got, tr.Path(n))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: got %s, want %s", c.text, s, c.want)
		}
	}
	if _, err := outline.Compile("~("); err == nil {
		t.Error("~( is a pattern")
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	p, _ := outline.Compile("lib")
	if hits := p.Find(done, tree(t, strings.Repeat("lib=1 ", 1)), outline.Scope{}); len(hits) > 1 {
		t.Errorf("found %d", len(hits))
	}

	// The cursor visits matches in the order of the rows, and opens their folders.
	o := outline.New(tr)
	o.Show(v, false)
	hits := p.Find(t.Context(), tr, o.Scope())
	var order []string
	for range hits {
		n := o.NextHit(hits, true)
		o.GoTo(n)
		order = append(order, tr.Path(n))
	}
	if got, want := strings.Join(order, " "), "/usr/lib.txt /usr/Lib /usr/Lib/libc.so /var/lib"; got != want {
		t.Errorf("forward: got %s, want %s", got, want)
	}
	order = nil
	for range hits {
		n := o.NextHit(hits, false)
		o.GoTo(n)
		order = append(order, tr.Path(n))
	}
	if got, want := strings.Join(order, " "), "/usr/Lib/libc.so /usr/Lib /usr/lib.txt /var/lib"; got != want {
		t.Errorf("back: got %s, want %s", got, want)
	}
	// Show only the matches, with the folders above and the entries below them. A folder
	// above has the size of what is shown.
	o.OpenAll(true)
	o.SetOrder(outline.ByName, false)
	o.Only(hits[2:3])
	o.First()
	want(t, o, ">usr/v 9\n   lib.txt 9\n")
}

// model computes every row of an outline in a simple, slow way.
type model struct {
	tr    *filetree.Tree
	s     outline.Scope
	order outline.Order
	rev   bool
	open  map[filetree.Node]bool
}

// files counts the files below n that have rows of their own.
func (m *model) files(n filetree.Node) (count int) {
	for k := n + 1; k < m.tr.End(n); k++ {
		c := m.s.View.Change(k)
		shown := c.Touched && m.s.Marks.Has(c.Mark)
		if m.s.Whole {
			shown = c.Mark != filetree.Absent && m.s.Marks.Has(c.Mark) && (m.s.Both || c.Mark != filetree.Removed)
		}
		if st, ok := m.s.View.State(k); ok && shown && st.Kind == layer.File {
			count++
		}
	}
	return count
}

// both adds up the sizes after and before the view of n and what is below it.
func (m *model) both(n filetree.Node, whole bool) (size, before int64) {
	for k := n; k < m.tr.End(n); k++ {
		if !whole && !m.s.View.Change(k).Touched {
			continue
		}
		if st, ok := m.tr.At(k, m.s.View.To); ok {
			size += st.Size
		}
		if st, ok := m.tr.At(k, m.s.View.From); ok {
			before += st.Size
		}
	}
	return size, before
}

// size returns what rows are sorted by if that is the size.
func (m *model) size(n filetree.Node) (size, gone int64) {
	if m.s.Both {
		return m.both(n, m.s.Whole)
	}
	sum, c := m.s.View.Sum(n), m.s.View.Change(n)
	st, _ := m.s.View.State(n)
	size, gone = c.Stored+sum.Stored, sum.Removed
	if c.Mark == filetree.Removed {
		gone += st.Size
	}
	if m.s.Whole {
		size = sum.Size
		if c.Mark != filetree.Removed {
			size += st.Size
		}
		gone = 0
	}
	return size, gone
}

func (m *model) kids(d filetree.Node) []filetree.Node {
	var kids []filetree.Node
	for n := filetree.Root + 1; int(n) < m.tr.Len(); n++ {
		if m.tr.Parent(n) == d && m.s.Shown(m.tr, n) {
			kids = append(kids, n)
		}
	}
	weigh := func(n filetree.Node) (a, b int64) {
		switch {
		case m.order == outline.ByName:
			return 0, 0
		case m.order == outline.ByFiles:
			return int64(m.files(n)), 0
		case m.order == outline.ByGrowth:
			a, b = m.both(n, true)
			return max(a-b, b-a), 0
		case m.order != outline.BySize:
			panic("the model does not know how to sort by " + m.order.String())
		}
		return m.size(n)
	}
	slices.SortStableFunc(kids, func(x, y filetree.Node) int {
		xa, xb := weigh(x)
		ya, yb := weigh(y)
		return cmp.Or(cmp.Compare(ya, xa), cmp.Compare(yb, xb))
	})
	if m.rev {
		slices.Reverse(kids)
	}
	return kids
}

func (m *model) rows(d filetree.Node) (all []filetree.Node) {
	for _, k := range m.kids(d) {
		for {
			kids := m.kids(k)
			if len(kids) != 1 || m.tr.End(kids[0]) == kids[0]+1 {
				break
			}
			if st, ok := m.s.View.State(kids[0]); !ok || st.Kind != layer.Dir {
				break
			}
			if c := m.s.View.Change(k).Mark; c != filetree.Unchanged && c != m.s.View.Change(kids[0]).Mark {
				break
			}
			k = kids[0]
		}
		all = append(all, k)
		if m.open[k] {
			all = append(all, m.rows(k)...)
		}
	}
	return all
}

// TestModel performs random actions on an outline of random layers and compares each
// window with model.
func TestModel(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		tr := tree(t, randomLayers(rnd)...)
		o := outline.New(tr)
		o.Show(tr.View(-1, 0), false)
		for step := range 120 {
			did := act(rnd, tr, o)
			h := 1 + rnd.IntN(30)
			var counted func()
			if step%3 == 0 {
				counted = o.Count()()
			}
			if step%9 == 0 {
				o.Toggle()
			}
			if counted != nil {
				counted() // of the rows before the toggle
			}
			rows, at := o.Rows(h)
			order, rev := o.Order()
			m := model{tr: tr, s: o.Scope(), order: order, rev: rev, open: map[filetree.Node]bool{}}
			for n := filetree.Root; int(n) < tr.Len(); n++ {
				m.open[n] = o.Opened(n)
			}
			all := m.rows(filetree.Root)
			var got []filetree.Node
			stuck := 0
			for _, r := range rows {
				got = append(got, r.Node)
				if want := m.files(r.Node); r.Files != want {
					t.Fatalf("seed %d step %d %s: %s: %d files, want %d", seed, step, did, r.Name, r.Files, want)
				}
				if size, before := m.both(r.Top, m.s.Whole); m.s.Both && (r.Size != size || r.Before != before || r.Growth != size-before) {
					t.Fatalf("seed %d step %d %s: %s: from %d to %d, %+d, want from %d to %d", seed, step, did, r.Name, r.Before, r.Size, r.Growth, before, size)
				}
				if r.Stuck {
					stuck++
				}
			}
			if len(all) == 0 {
				if len(got) > 0 || at != -1 {
					t.Fatalf("seed %d step %d %s: %d rows where there are none", seed, step, did, len(got))
				}
				continue
			}
			if len(got) != min(h, len(all)) || at < 0 || at >= len(got) {
				t.Fatalf("seed %d step %d %s: %d rows of %d, cursor %d, height %d", seed, step, did, len(got), len(all), at, h)
			}
			cursor := slices.Index(all, got[at])
			if i, n, ok := o.Position(); !ok || i != cursor || n != len(all) {
				t.Fatalf("seed %d step %d %s: the cursor is on row %d of %d, want %d of %d", seed, step, did, i, n, cursor, len(all))
			}
			top := cursor - at
			if top < 0 || stuck > at || stuck > h/6 || !slices.Equal(got[stuck:], all[top+stuck:top+len(got)]) {
				t.Fatalf("seed %d step %d %s: window\n%v, %d of them stuck, is no part of\n%v", seed, step, did, got, stuck, all)
			}
			m.checkStuck(t, all, top, rows[:stuck], h)
		}
	}
}

// checkStuck checks the rows above which a window has folders that stay in sight.
func (m *model) checkStuck(t *testing.T, all []filetree.Node, top int, stuck []outline.Row, h int) {
	t.Helper()
	shown := map[filetree.Node]bool{}
	for _, n := range all {
		shown[n] = true
	}
	above := func(n filetree.Node) (rows []filetree.Node) { // the rows of the folders above a row
		for n = m.tr.Parent(n); n != filetree.None; n = m.tr.Parent(n) {
			if shown[n] {
				rows = append([]filetree.Node{n}, rows...)
			}
		}
		return rows
	}
	// The number of lines is the smallest one that is enough for the row below.
	n := 0
	for n < min(h/6, 4) && top+n < len(all) && len(above(all[top+n])) > n {
		n++
	}
	if len(stuck) != n {
		t.Fatalf("%d folders stay in sight, want %d, at row %d of %v", len(stuck), n, top, all)
	}
	if n == 0 {
		return
	}
	of := above(all[top+n])
	if len(of) < n {
		of = above(all[top+n-1])
	}
	for i, r := range stuck {
		if want := of[len(of)-n+i]; r.Node != want || r.Depth != len(of)-n+i {
			t.Fatalf("line %d has %d at depth %d, want %d of %v", i, r.Node, r.Depth, want, of)
		}
	}
}

func randomLayers(rnd *rand.Rand) []string {
	names := []string{"a", "b", "c"}
	var layers []string
	for range 1 + rnd.IntN(4) {
		var words []string
		for range rnd.IntN(14) {
			path := names[rnd.IntN(3)]
			for rnd.IntN(3) > 0 && len(path) < 10 {
				path += "/" + names[rnd.IntN(3)]
			}
			switch rnd.IntN(5) {
			case 0:
				words = append(words, "-"+path)
			case 1:
				words = append(words, path+"/")
			default:
				words = append(words, fmt.Sprintf("%s/f%d=%d", path, rnd.IntN(3), rnd.IntN(5)))
			}
		}
		layers = append(layers, strings.Join(words, " "))
	}
	return layers
}

// act performs a random action and returns its name.
func act(rnd *rand.Rand, tr *filetree.Tree, o *outline.Outline) string {
	n := rnd.IntN(16)
	switch n {
	case 0:
		to := rnd.IntN(tr.Layers())
		if rnd.IntN(2) == 0 {
			o.Show(tr.View(to-1, to), rnd.IntN(2) == 0)
		} else {
			o.Compare(tr.Compare(rnd.IntN(to+1)-1, to, rnd.IntN(2) == 0), rnd.IntN(2) == 0)
		}
	case 1:
		o.SetMarks(filetree.Marks(rnd.IntN(64)))
	case 2, 3:
		o.SetMarks(outline.AllMarks)
	case 4:
		o.SetOrder(outline.Order(rnd.IntN(len(outline.Orders()))), rnd.IntN(2) == 0)
	case 5:
		o.OpenAll(rnd.IntN(2) == 0)
	case 6:
		o.Toggle()
	case 7:
		o.Open()
	case 8:
		o.Close()
	case 9:
		o.Move(rnd.IntN(9) - 4)
	case 10:
		o.Scroll(rnd.IntN(9)-4, 5)
	case 11:
		o.GoTo(filetree.Node(rnd.IntN(tr.Len())))
	case 12:
		o.Last()
	case 13:
		o.First()
	case 14:
		o.Select(rnd.IntN(6))
	case 15:
		o.Jump(rnd.IntN(30), rnd.IntN(6))
	}
	return fmt.Sprint("action ", n)
}

// TestNearest checks that a cursor whose path is not in the view moves to the next
// path by name, or else to the last one before.
func TestNearest(t *testing.T) {
	tr := tree(t, "a=4 c=2 e=3", "a=9 e=1", "a=1")
	o := outline.New(tr)
	o.Show(tr.View(-1, 0), false)
	n, _ := tr.Lookup("c")
	o.GoTo(n)
	o.Show(tr.View(0, 1), false)
	want(t, o, " a 9\n>e 1\n")
	o.Show(tr.View(1, 2), false)
	want(t, o, ">a 1\n")
	o.Show(tr.View(-1, 0), false)
	want(t, o, " a 4\n e 3\n>c 2\n")
}
