// Package outline holds the state of a list of a tree's rows: the open folders, the
// order, the filters, the cursor, and its line in the window.
//
// There is no list of all rows. The cursor is a path through the sorted children of
// the open folders, and the rows of the window are found from there. So the cost of a
// key depends on the size of the window, not on that of the tree. The state refers to
// nodes, and outlives a change of view.
package outline

import (
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
	if m &= AllMarks; m != o.scope.Marks {
		o.scope.Marks = m
		o.narrow()
	}
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
