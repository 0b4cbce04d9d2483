package outline

import (
	"slices"
	"sort"

	"fathom/analyzer/filetree"
)

// tally holds how many rows there are, for the present scope and the folders that are
// open. A tally that no longer holds is replaced.
type tally struct {
	below map[filetree.Node]int   // rows below a folder that is open
	until map[filetree.Node][]int // for each row of a folder: the rows before it, from the folder's first one
	long  bool                    // Position has given up
}

func newTally() *tally {
	return &tally{below: map[filetree.Node]int{}, until: map[filetree.Node][]int{}}
}

// budget is the number of nodes that Position visits at most: about a millisecond.
const budget = 20_000

// Position returns the index of the cursor's row, and the number of rows. It returns
// false if they take long to count: then Count counts them.
func (o *Outline) Position() (at, n int, ok bool) {
	if o.rows.long {
		return 0, 0, false
	}
	at, n, ok = o.position(budget)
	o.rows.long = !ok
	return at, n, ok
}

func (o *Outline) position(left int) (at, n int, ok bool) {
	n = o.count(filetree.Root, &left)
	for _, f := range o.pos {
		at += o.before(f, &left) + 1
	}
	return max(at-1, 0), n, left >= 0
}

// Count returns a function that counts the rows, and that may run in another goroutine.
// That returns a function that hands over the result, which is ignored if the rows have
// changed in the meantime.
func (o *Outline) Count() func() func() {
	c := &Outline{
		tree: o.tree, scope: o.scope, order: ByName, only: o.only, found: o.found, folds: cloneFolds(o.folds),
		kids: map[filetree.Node][]filetree.Node{}, rows: newTally(), pos: slices.Clone(o.pos),
	}
	was := o.rows
	return func() func() {
		c.position(16 * c.tree.Len())
		return func() {
			if o.rows == was {
				o.rows = c.rows
			}
		}
	}
}

// count returns the number of rows below d if d is open. It takes the nodes that it
// visits from left, and gives up when nothing is left. Folders are counted once.
func (o *Outline) count(d filetree.Node, left *int) int {
	if n, ok := o.rows.below[d]; ok {
		return n
	}
	n := 0
	if kids, ok := o.kids[d]; ok {
		for i := 0; i < len(kids) && *left >= 0; i++ {
			n += o.with(kids[i], left)
		}
	} else if o.scope.View != nil {
		for k := range o.named(d) {
			if *left--; *left < 0 {
				break
			}
			if o.scope.Shown(o.tree, k) {
				n += o.with(k, left)
			}
		}
	}
	if *left >= 0 {
		o.rows.below[d] = n
	}
	return n
}

// with returns the number of rows of the chain that begins at k: its own, and those
// below it.
func (o *Outline) with(k filetree.Node, left *int) int {
	*left--
	if o.tree.End(k) == k+1 {
		return 1
	}
	last, _ := o.chain(k)
	if !o.Opened(last) {
		return 1
	}
	return 1 + o.count(last, left)
}

// before returns the number of rows between a row's folder and the row.
func (o *Outline) before(f frame, left *int) int {
	d := o.tree.Parent(f.kids[0])
	if o.rows.below[d] == len(f.kids) { // none of them has rows below it
		return f.at
	}
	sums := o.rows.until[d]
	if sums == nil {
		sums = make([]int, 0, len(f.kids))
		for i, sum := 0, 0; i < len(f.kids) && *left >= 0; i++ {
			sums = append(sums, sum)
			sum += o.with(f.kids[i], left)
		}
		if *left < 0 {
			return 0
		}
		o.rows.until[d] = sums
	}
	return sums[f.at]
}

// Jump puts the cursor on row i, on a line of the window. It counts the rows first.
func (o *Outline) Jump(i, line int) {
	if len(o.pos) == 0 {
		return
	}
	left := 16 * o.tree.Len()
	i = max(min(i, o.count(filetree.Root, &left)-1), 0)
	o.pos, o.line = o.pos[:0], line
	for d := filetree.Root; ; {
		f := frame{o.list(d), 0}
		f.at = sort.Search(len(f.kids), func(k int) bool { return o.before(frame{f.kids, k}, &left) > i }) - 1
		o.pos = append(o.pos, f)
		if i -= o.before(f, &left); i == 0 {
			break
		}
		i--
		d, _ = o.chain(top(o.pos))
	}
	o.chosen()
}

// toggled forgets the numbers of rows that change when a folder is opened or closed.
func (o *Outline) toggled(n filetree.Node) {
	t := *o.rows
	for n = o.tree.Parent(n); n != filetree.None; n = o.tree.Parent(n) {
		delete(t.below, n)
		delete(t.until, n)
	}
	t.long = false
	o.rows = &t // another one, so that a count of the old rows is ignored
}
