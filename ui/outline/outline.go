// Package outline holds the state of a list of a tree's rows: the open folders, the
// order, the filters, the cursor, and its line in the window.
//
// There is no list of all rows. The cursor is a path through the sorted children of
// the open folders, and the rows of the window are found from there. So the cost of a
// key depends on the size of the window, not on that of the tree. The state refers to
// nodes, and outlives a change of view.
package outline

import (
	"context"
	"slices"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// AllMarks has every kind of change that a row can have.
const AllMarks = 1<<filetree.Unchanged | 1<<filetree.Added | 1<<filetree.Modified | 1<<filetree.Removed

// Scope decides which paths of a view have a row.
type Scope struct {
	View *filetree.View
	// Whole shows every path that exists after the view. Otherwise only the paths
	// that the view's layers changed have rows.
	Whole bool
	// Both compares two states: rows have the sizes before the view, too, and a Whole
	// scope also shows what only exists before.
	Both  bool
	Marks filetree.Marks
}

// Same reports whether both scopes give rows to the same paths.
func (s Scope) Same(t Scope) bool {
	v, w := s.View, t.View
	s.View, t.View = nil, nil
	return s == t && (v == w || v != nil && w != nil && v.From == w.From && v.To == w.To)
}

// Row is one line of the outline.
type Row struct {
	Node  filetree.Node // the last of a folded chain
	Top   filetree.Node // the first of a folded chain; Node if nothing is folded
	Depth int
	Name  string // as the image has it; "a/b/c" for a folded chain
	Dir   bool   // a directory that has rows below it, or had some before
	Open  bool
	// Size is what the view's layers store, or what is shown if the scope is Whole; if it
	// is Both, what is shown after the view of the paths that have rows. It includes all
	// rows below.
	Size   int64
	Before int64 // as Size, before the view; 0 unless the scope is Both
	Gone   int64 // sizes of removed files; 0 if the scope is Whole or Both
	// Below is the strongest change of the paths below; Absent for a file.
	Below  filetree.Mark
	Change filetree.Change
	State  filetree.State
	Files  int   // regular files below that have rows
	Stuck  bool  // a folder above the first row of the window, which covers a row to stay in sight
	Growth int64 // of the size shown, by the view; known if the scope is Both or the rows are sorted by it
}

// frame is one level of the path to a row.
type frame struct {
	kids []filetree.Node
	at   int
}

// Outline is the state of one user's list of a tree. Only one goroutine may use it.
type Outline struct {
	tree    *filetree.Tree
	scope   Scope
	order   Order
	reverse bool
	asked   []filetree.Node // what Only was called with: sorted; nil shows every name
	found   bool            // asked is a Selection's
	late    bool            // there are no rows until Found is called again
	only    []filetree.Node // those in asked that the scope shows
	sums    []figures       // of the first nodes in only; nil until they are needed

	folds [2]folds // the folders that are open, and those among what is found

	kids  map[filetree.Node][]filetree.Node // rows per folder, for the present scope and order
	areas map[filetree.Node]Areas           // per folder, for the present scope
	rows  *tally                            // how many there are
	pos   []frame                           // the cursor; empty if there are no rows
	want  filetree.Node                     // where the user last put the cursor
	line  int                               // of the cursor in the window
	far   bool                              // the cursor has jumped: the next window shows the folders above it
}

// New returns an outline with all folders closed and the cursor on the first row.
func New(t *filetree.Tree) *Outline {
	return &Outline{
		tree:  t,
		scope: Scope{Marks: AllMarks},
		folds: [2]folds{{flipped: map[filetree.Node]struct{}{}}, {flipped: map[filetree.Node]struct{}{}}},
		kids:  map[filetree.Node][]filetree.Node{},
		areas: map[filetree.Node]Areas{},
		rows:  newTally(),
		want:  filetree.None,
	}
}

// folds says which folders are open.
type folds struct {
	open, closed bool                       // all of them are; if neither is set, those above what is found
	flipped      map[filetree.Node]struct{} // these are not as the others
}

// fold returns the state of the folders in use.
func (o *Outline) fold() *folds {
	if o.found {
		return &o.folds[1]
	}
	return &o.folds[0]
}

// Show changes the view, of one layer. Open folders, order, filters and the cursor stay.
// While the cursor's path has no row, the cursor is on the nearest one.
func (o *Outline) Show(v *filetree.View, whole bool) {
	o.scope.View, o.scope.Whole, o.scope.Both = v, whole, false
	o.narrow()
}

// Compare is like Show, but compares two states; Tree.Compare must have made the view.
func (o *Outline) Compare(v *filetree.View, whole bool) {
	o.scope.View, o.scope.Whole, o.scope.Both = v, whole, true
	o.narrow()
}

// Scope returns the scope of the outline.
func (o *Outline) Scope() Scope { return o.scope }

// SetMarks shows only the given kinds of change.
func (o *Outline) SetMarks(m filetree.Marks) {
	o.scope.Marks = m & AllMarks
	o.narrow()
}

// Only shows only the given nodes, with everything above and below them; nil shows all
// nodes. Only sorts the slice and keeps it.
func (o *Outline) Only(hits []filetree.Node) {
	o.asked, o.found = hits, false
	o.narrow()
}

// narrow finds the nodes of asked that the scope shows.
func (o *Outline) narrow() {
	o.only, o.sums = nil, nil
	o.late = o.found && len(o.asked) > many
	switch {
	case o.late:
		o.only = []filetree.Node{}
	case o.asked != nil:
		o.only = o.shown()
	}
	o.changed()
}

// shown returns the nodes of asked that the scope shows.
func (o *Outline) shown() []filetree.Node {
	only := make([]filetree.Node, 0, len(o.asked))
	for _, n := range o.asked {
		if o.scope.View != nil && o.scope.Shown(o.tree, n) {
			only = append(only, n)
		}
	}
	return only
}

// changed drops the rows, which depend on the scope, and finds the cursor again.
func (o *Outline) changed() {
	clear(o.kids)
	o.rows = newTally()
	o.areas = map[filetree.Node]Areas{}
	o.seek(o.want)
}

// Shown reports whether n has a row if all folders above it are open.
func (s Scope) Shown(t *filetree.Tree, n filetree.Node) bool {
	if s.Whole && s.Marks == AllMarks { // the changes don't matter
		if _, ok := s.View.Size(n); ok || !s.Both {
			return ok
		}
	}
	c := s.View.Change(n)
	if s.Whole {
		if c.Mark == filetree.Absent || c.Mark == filetree.Removed && !s.Both {
			return false
		}
		if s.Marks.Has(c.Mark) {
			return true
		}
		if t.End(n) == n+1 {
			return false
		}
		marks := s.Marks
		if !s.Both {
			marks &^= 1 << filetree.Removed
		}
		sum := s.View.Sum(n)
		return sum.Marks&marks != 0 ||
			s.Marks.Has(filetree.Unchanged) && sum.Files > 0
	}
	if c.Touched && s.Marks.Has(c.Mark) {
		return true
	}
	return t.End(n) > n+1 && s.View.Sum(n).Marks&s.Marks != 0
}

// figures are the Size, Before, Gone, Growth and Files of a row.
type figures struct {
	size, before, gone, growth int64
	files                      int
}

func (f figures) plus(g figures, sign int64) figures {
	return figures{f.size + sign*g.size, f.before + sign*g.before, f.gone + sign*g.gone, f.growth + sign*g.growth, f.files + int(sign)*g.files}
}

// figures returns the figures of n's row.
func (s Scope) figures(t *filetree.Tree, n filetree.Node) figures {
	var sum filetree.Sum
	if t.End(n) > n+1 {
		sum = s.View.Sum(n)
	}
	if s.Both {
		return s.both(t, n, sum)
	}
	if s.Whole {
		own, _ := s.View.Size(n)
		return figures{size: sum.Size + own, files: s.files(sum)}
	}
	c := s.View.Change(n)
	f := figures{size: c.Stored + sum.Stored, gone: sum.Removed, files: s.files(sum)}
	if c.Mark == filetree.Removed {
		if st, ok := s.View.State(n); ok && st.Kind == layer.File {
			f.gone += st.Size
		}
	}
	return f
}

// files returns how many of the regular files below a folder have rows.
func (s Scope) files(sum filetree.Sum) int {
	count := func(m filetree.Mark) int {
		switch {
		case !s.Marks.Has(m) || m == filetree.Removed && s.Whole && !s.Both:
			return 0
		case m == filetree.Unchanged && s.Whole:
			return sum.Files - int(sum.Touched[filetree.Added]+sum.Touched[filetree.Modified])
		}
		return int(sum.Touched[m])
	}
	return count(filetree.Unchanged) + count(filetree.Added) + count(filetree.Modified) + count(filetree.Removed)
}

// both returns the figures of n's row if two states are compared; sum is what is below n.
// Another name of a file has the file's size too, unless that counts here only before or
// only afterwards.
func (s Scope) both(t *filetree.Tree, n filetree.Node, sum filetree.Sum) figures {
	f := figures{size: sum.After, before: sum.Before, files: s.files(sum)}
	old := t.View(s.View.From-1, s.View.From)
	if s.Whole {
		f.size, f.before = sum.Size, old.Sum(n).Size
	}
	before, after := s.View.Counted(n)
	if before == after {
		before, _ = old.Size(n)
		after, _ = s.View.Size(n)
		f.growth = f.size - f.before
	} else {
		f.growth = f.size - f.before + after - before
	}
	f.size, f.before = f.size+after, f.before+before
	return f
}

// growth returns by how much the size shown at n and below it grows in the view.
func (s Scope) growth(t *filetree.Tree, n filetree.Node) int64 {
	s.Whole = true
	return s.both(t, n, s.View.Sum(n)).growth
}

// one returns the figures of n's row if all nodes are shown. Growth costs as much as
// the rest, so it is there only if the rows are sorted by it.
func (o *Outline) one(n filetree.Node) figures {
	f := o.scope.figures(o.tree, n)
	if o.order == ByGrowth && !o.scope.Both {
		f.growth = o.scope.growth(o.tree, n)
	}
	return f
}

// figures returns the figures of n's row: where only some nodes are shown, their sum.
func (o *Outline) figures(n filetree.Node) figures {
	if o.only == nil || o.within(n) {
		return o.one(n)
	}
	if o.sums == nil {
		o.sums = o.addUp(context.Background())
	}
	from, _ := slices.BinarySearch(o.only, n)
	to, _ := slices.BinarySearch(o.only, o.tree.End(n))
	return o.sums[to].plus(o.sums[from], -1)
}

// addUp returns, for each number of nodes in only, the sum of so many first ones. It stops
// when ctx is done.
func (o *Outline) addUp(ctx context.Context) []figures {
	sums := make([]figures, len(o.only)+1)
	end := filetree.Node(0) // of the last node that was added
	v := o.scope.View
	seen := [2]map[filetree.Content]bool{{}, {}} // before and after the view: content that was added under a name
	again := func(i int, st filetree.State, ok bool) int64 {
		if !ok || st.Kind != layer.File || !o.tree.Linked(st.Content) {
			return 0
		}
		if !seen[i][st.Content] {
			seen[i][st.Content] = true
			return 0
		}
		return st.Size
	}
	for i, n := range o.only {
		if i&0x3fff == 0 && ctx.Err() != nil {
			return sums
		}
		sums[i+1] = sums[i]
		if n < end {
			continue // below a node that was added
		}
		end = o.tree.End(n)
		now, has := o.tree.At(n, v.To)
		if has && end == n+1 && o.scope.Whole && !o.scope.Both && o.order != ByGrowth { // as below, but twice as fast
			f := figures{size: now.Size - again(1, now, has)}
			if now.Kind == layer.File {
				f.files = 1
			}
			sums[i+1] = sums[i].plus(f, 1)
			continue
		}
		f := o.one(n)
		old, had := o.tree.At(n, v.From)
		before, after := again(0, old, had), again(1, now, has)
		if has && now.Kind == layer.File || !has && had && old.Kind == layer.File {
			f.files++
		}
		switch {
		case o.scope.Both:
			f.before, f.size = f.before-before, f.size-after
			f.growth = f.size - f.before
		case o.scope.Whole:
			f.size, f.growth = f.size-after, f.growth-after+before
		case !has:
			f.gone = max(f.gone-before, 0)
		}
		sums[i+1] = sums[i].plus(f, 1)
	}
	return sums
}

// Sum returns the Size, Before, Gone and Files of all rows together.
func (o *Outline) Sum() (size, before, gone int64, files int) {
	all := o.figures(filetree.Root)
	return all.size, all.before, all.gone, all.files
}

// row describes the row of the chain that begins at top.
func (o *Outline) row(top filetree.Node, depth int) Row {
	v := o.scope.View
	r := Row{Top: top, Depth: depth}
	n, fold := o.chain(top)
	r.Node, r.Name = n, o.tree.Name(n)
	if fold {
		path := make([]string, 0, 4)
		for m := n; ; m = o.tree.Parent(m) {
			path = append(path, o.tree.Name(m))
			if m == top {
				break
			}
		}
		for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
			path[i], path[j] = path[j], path[i]
		}
		r.Name = strings.Join(path, "/")
	}
	r.Change = v.Change(n)
	r.State, _ = v.State(n)
	sum := v.Sum(n)
	r.Files = o.figures(n).files
	r.Dir = r.State.Kind == layer.Dir || o.tree.End(n) > n+1 && len(o.list(n)) > 0
	r.Open = r.Dir && o.Opened(n)
	all := o.figures(top) // includes what the folders of the chain store
	r.Size, r.Before, r.Gone, r.Growth = all.size, all.before, all.gone, all.growth
	for m := filetree.Removed; m > filetree.Absent; m-- {
		if sum.Marks.Has(m) {
			r.Below = m
			break
		}
	}
	return r
}

// chain follows n down while it has a folder as its single child: a row shows such a
// chain as one. It returns the last folder, and reports whether that is not n.
func (o *Outline) chain(n filetree.Node) (filetree.Node, bool) {
	fold := false
	for {
		k := o.single(n)
		if k == filetree.None || o.tree.End(k) == k+1 || !o.dir(k) {
			return n, fold
		}
		if m := o.scope.View.Change(n).Mark; m != filetree.Unchanged && m != o.scope.View.Change(k).Mark {
			return n, fold
		}
		n, fold = k, true
	}
}

func (o *Outline) dir(n filetree.Node) bool {
	st, ok := o.scope.View.State(n)
	return ok && st.Kind == layer.Dir
}

// Opened reports whether a folder is open.
func (o *Outline) Opened(n filetree.Node) bool {
	f := o.fold()
	_, flipped := f.flipped[n]
	return flipped != (f.open || o.found && !f.closed && !o.within(n))
}

// setOpen opens or closes every folder of the row's chain.
func (o *Outline) setOpen(r Row, open bool) {
	o.toggled(r.Top)
	f := o.fold()
	for n := r.Node; ; n = o.tree.Parent(n) {
		if o.Opened(n) != open {
			if _, flipped := f.flipped[n]; flipped {
				delete(f.flipped, n)
			} else {
				f.flipped[n] = struct{}{}
			}
		}
		if n == r.Top {
			return
		}
	}
}
