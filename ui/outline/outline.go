// Package outline keeps which rows of a tree a person has chosen to see: the
// open folders, the order, the filters, the cursor, and the lines around it.
//
// Rows are never listed as a whole. The cursor is a path through the sorted
// children of the open folders, and a window of rows is walked from there, so
// that a key costs what the screen shows, however large the tree is. What was
// chosen belongs to nodes and outlives a change of view.
package outline

import (
	"strings"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// AllMarks is every kind of change that a row can have.
const AllMarks = 1<<filetree.Unchanged | 1<<filetree.Added | 1<<filetree.Modified | 1<<filetree.Removed

// Scope decides which paths of a view have a row.
type Scope struct {
	View *filetree.View
	// Whole shows everything that is there after the view. Otherwise a row is
	// what the view's layers touched.
	Whole bool
	Marks filetree.Marks
}

// Row is one line of the outline.
type Row struct {
	Node  filetree.Node // the last of a folded chain
	Top   filetree.Node // the first of a folded chain; Node when nothing is folded
	Depth int
	Name  string // as the image has it; "a/b/c" for a folded chain
	Dir   bool   // a directory that has rows below it, or had some before
	Open  bool
	Size  int64 // stored by the view's layers, or shown when the scope is Whole; what is below included
	Gone  int64 // sizes of files that are no longer there; 0 when the scope is Whole
	// Below is the strongest change of what is below; Absent for a file.
	Below  filetree.Mark
	Change filetree.Change
	State  filetree.State
	Files  int // regular files below
}

// frame is one level of the path to a row.
type frame struct {
	kids []filetree.Node
	at   int
}

// Outline is the choice of one person over one tree. It is for one goroutine.
type Outline struct {
	tree    *filetree.Tree
	scope   Scope
	order   Order
	reverse bool
	only    []filetree.Node // sorted; nil shows every name

	all     bool                       // folders are open, but for the flipped ones
	flipped map[filetree.Node]struct{} // open, or closed when all is set

	kids map[filetree.Node][]filetree.Node // rows per folder, for the present scope and order
	pos  []frame                           // the cursor; empty when there is no row
	want filetree.Node                     // where a person last put the cursor
	line int                               // of the cursor in the window
}

// New is an outline that has everything folded and the cursor on the first row.
func New(t *filetree.Tree) *Outline {
	return &Outline{
		tree:    t,
		scope:   Scope{Marks: AllMarks},
		flipped: map[filetree.Node]struct{}{},
		kids:    map[filetree.Node][]filetree.Node{},
		want:    filetree.None,
	}
}

// Show changes the view. Open folders, order, filters and the cursor stay; the
// cursor goes to the nearest row while its own is not there.
func (o *Outline) Show(v *filetree.View, whole bool) {
	o.scope.View, o.scope.Whole = v, whole
	o.changed()
}

// Scope is what is shown.
func (o *Outline) Scope() Scope { return o.scope }

// SetMarks shows only the given kinds of change.
func (o *Outline) SetMarks(m filetree.Marks) {
	o.scope.Marks = m & AllMarks
	o.changed()
}

// Only shows no other nodes than these, with what is above and below them; nil
// shows all. The slice is sorted and kept.
func (o *Outline) Only(hits []filetree.Node) {
	o.only = hits
	o.changed()
}

// changed forgets what depended on the scope and finds the cursor again.
func (o *Outline) changed() {
	clear(o.kids)
	o.seek(o.want)
}

// Shown reports whether n has a row when everything above it is open.
func (s Scope) Shown(t *filetree.Tree, n filetree.Node) bool {
	if s.Whole && s.Marks == AllMarks { // what changed doesn't matter
		_, ok := s.View.Size(n)
		return ok
	}
	c := s.View.Change(n)
	if s.Whole {
		if c.Mark == filetree.Absent || c.Mark == filetree.Removed {
			return false
		}
		if s.Marks.Has(c.Mark) {
			return true
		}
		if t.End(n) == n+1 {
			return false
		}
		sum := s.View.Sum(n)
		return sum.Marks&s.Marks&^(1<<filetree.Removed) != 0 ||
			s.Marks.Has(filetree.Unchanged) && sum.Files > 0
	}
	if c.Touched && s.Marks.Has(c.Mark) {
		return true
	}
	return t.End(n) > n+1 && s.View.Sum(n).Marks&s.Marks != 0
}

// size is the size of n's row, and how much of it is gone.
func (s Scope) size(t *filetree.Tree, n filetree.Node) (size, gone int64) {
	var sum filetree.Sum
	if t.End(n) > n+1 {
		sum = s.View.Sum(n)
	}
	if s.Whole {
		own, _ := s.View.Size(n)
		return sum.Size + own, 0
	}
	c := s.View.Change(n)
	size, gone = c.Stored+sum.Stored, sum.Removed
	if c.Mark == filetree.Removed {
		if st, ok := s.View.State(n); ok && st.Kind == layer.File {
			gone += st.Size
		}
	}
	return size, gone
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
	r.Files = sum.Files
	r.Dir = r.State.Kind == layer.Dir || o.tree.End(n) > n+1 && len(o.list(n)) > 0
	r.Open = r.Dir && o.Opened(n)
	r.Size, r.Gone = o.scope.size(o.tree, top) // also what the chain stores on its way
	for m := filetree.Removed; m > filetree.Absent; m-- {
		if sum.Marks.Has(m) {
			r.Below = m
			break
		}
	}
	return r
}

// chain is the folder that a row shows when folders with a single child are
// folded into it: the last one, and whether it is not n itself.
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

// Opened reports whether a folder shows what is below it.
func (o *Outline) Opened(n filetree.Node) bool {
	_, flipped := o.flipped[n]
	return flipped != o.all
}

// setOpen opens or closes every folder of the row's chain.
func (o *Outline) setOpen(r Row, open bool) {
	for n := r.Node; ; n = o.tree.Parent(n) {
		if open != o.all {
			o.flipped[n] = struct{}{}
		} else {
			delete(o.flipped, n)
		}
		if n == r.Top {
			return
		}
	}
}
