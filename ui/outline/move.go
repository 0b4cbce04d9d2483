package outline

import (
	"maps"
	"slices"

	"fathom/analyzer/filetree"
)

// top returns the first node of the row at the end of a path.
func top(pos []frame) filetree.Node {
	f := pos[len(pos)-1]
	return f.kids[f.at]
}

// seek puts the cursor on the row that shows n, or on the nearest one.
func (o *Outline) seek(n filetree.Node) {
	o.pos = nil
	var path []filetree.Node // from below the root down to n
	for m := n; m != filetree.None && m != filetree.Root; m = o.tree.Parent(m) {
		path = append(path, m)
	}
	slices.Reverse(path)
	dir, i := filetree.Root, 0
	for {
		kids := o.list(dir)
		if len(kids) == 0 {
			return
		}
		if i == len(path) {
			if len(o.pos) == 0 {
				o.pos = append(o.pos, frame{kids, 0})
			}
			return
		}
		at := slices.Index(kids, path[i])
		if at < 0 {
			o.pos = append(o.pos, frame{kids, nearest(kids, path[i])})
			return
		}
		o.pos = append(o.pos, frame{kids, at})
		last, _ := o.chain(kids[at])
		for path[i] != last {
			if i+1 == len(path) || path[i+1] != o.single(path[i]) {
				return
			}
			i++
		}
		if i+1 == len(path) || !o.Opened(last) {
			return
		}
		dir, i = last, i+1
	}
}

// nearest returns the index of the row that follows n by name, or else of the last
// one by name.
func nearest(kids []filetree.Node, n filetree.Node) int {
	after, before := -1, 0
	for i, k := range kids {
		if k > n && (after < 0 || k < kids[after]) {
			after = i
		}
		if k < n && (kids[before] > n || k > kids[before]) {
			before = i
		}
	}
	if after >= 0 {
		return after
	}
	return before
}

// next moves the path to the following row.
func (o *Outline) next(pos []frame) ([]frame, bool) {
	if n, _ := o.chain(top(pos)); o.Opened(n) {
		if kids := o.list(n); len(kids) > 0 {
			return append(pos, frame{kids, 0}), true
		}
	}
	for i := len(pos) - 1; i >= 0; i-- {
		if pos[i].at+1 < len(pos[i].kids) {
			pos[i].at++
			return pos[:i+1], true
		}
	}
	return pos, false
}

// prev moves the path to the previous row.
func (o *Outline) prev(pos []frame) ([]frame, bool) {
	last := len(pos) - 1
	if pos[last].at == 0 {
		if last == 0 {
			return pos, false
		}
		return pos[:last], true
	}
	pos[last].at--
	return o.deepest(pos), true
}

// deepest extends the path to the last row below it.
func (o *Outline) deepest(pos []frame) []frame {
	for {
		n, _ := o.chain(top(pos))
		if !o.Opened(n) {
			return pos
		}
		kids := o.list(n)
		if len(kids) == 0 {
			return pos
		}
		pos = append(pos, frame{kids, len(kids) - 1})
	}
}

// chosen stores the node under the cursor as the one that was last chosen.
func (o *Outline) chosen() {
	if len(o.pos) > 0 {
		o.want, _ = o.chain(top(o.pos))
	}
}

// Cursor returns the row under the cursor; false if there is none.
func (o *Outline) Cursor() (Row, bool) {
	if len(o.pos) == 0 {
		return Row{}, false
	}
	return o.row(top(o.pos), len(o.pos)-1), true
}

// most is the number of lines that a window of h lines has for the folders above its
// first row.
func most(h int) int { return min(h/6, 4) }

// margin returns the first line of a window of h lines that the cursor may be on: folders
// above it stay in sight.
func (o *Outline) margin(h int) int { return min(most(h), len(o.pos)-1) }

// Rows returns the window of at most h rows around the cursor, and the line of the
// cursor in it; -1 if there are no rows. The folders above the first row cover the
// first lines of a window that is high enough.
func (o *Outline) Rows(h int) ([]Row, int) {
	if len(o.pos) == 0 || h < 1 {
		return nil, -1
	}
	o.line = min(max(o.line, o.margin(h)), h-1)
	pos, line := o.back(slices.Clone(o.pos), o.line)
	// If there are too few rows below the cursor, the window moves up.
	at, n := slices.Clone(pos), 1
	for ; n < h; n++ {
		next, ok := o.next(at)
		if !ok {
			break
		}
		at = next
	}
	more := 0
	pos, more = o.back(pos, h-n)
	o.line = line + more
	rows := make([]Row, 0, n+more)
	var first [][]frame // the paths to the rows that may be covered, and to the one after them
	for ok := true; ok && len(rows) < h; pos, ok = o.next(pos) {
		rows = append(rows, o.row(top(pos), len(pos)-1))
		if len(first) <= most(h) {
			first = append(first, slices.Clone(pos))
		}
	}
	o.stick(rows, first)
	if o.far {
		o.far = false
		if up := len(o.pos) - 1; up > 0 && !slices.ContainsFunc(rows[:o.line], func(r Row) bool { return r.Top == top(o.pos[:up]) }) {
			o.line = 0 // the folder above the cursor is out of sight
			return o.Rows(h)
		}
	}
	return rows, o.line
}

// stick puts the folders above a window, the nearest ones, on its first rows; the paths
// are those of these rows and of the one after them. Rows are covered as long as there
// are more folders above them than lines for these.
func (o *Outline) stick(rows []Row, paths [][]frame) {
	n := 0
	for n+1 < len(paths) && rows[n].Depth > n {
		n++
	}
	if n == 0 {
		return
	}
	of := paths[n]
	if len(of)-1 < n {
		of = paths[n-1] // the last row covered; the next one has fewer folders above it
	}
	for i := range n {
		depth := len(of) - 1 - n + i
		rows[i] = o.row(top(of[:depth+1]), depth)
		rows[i].Stuck = true
	}
}

// back moves the path up by at most n rows and returns by how many.
func (o *Outline) back(pos []frame, n int) ([]frame, int) {
	for i := range n {
		ok := false
		if pos, ok = o.prev(pos); !ok {
			return pos, i
		}
	}
	return pos, n
}

// Move moves the cursor by n rows, up if n is negative. The window follows.
func (o *Outline) Move(n int) {
	if len(o.pos) == 0 {
		return
	}
	ok := true
	for ; n > 0 && ok; n-- {
		if o.pos, ok = o.next(o.pos); ok {
			o.line++
		}
	}
	for ; n < 0 && ok; n++ {
		if o.pos, ok = o.prev(o.pos); ok {
			o.line--
		}
	}
	o.chosen()
}

// Page moves the cursor and the window together, so that the cursor stays on its line
// of the window if possible.
func (o *Outline) Page(n int) {
	line := o.line
	o.Move(n)
	o.line = line
}

// First puts the cursor on the first row.
func (o *Outline) First() {
	if len(o.pos) > 0 {
		o.pos = o.pos[:1]
		o.pos[0].at = 0
		o.line = 0
		o.chosen()
	}
}

// Last puts the cursor on the last row.
func (o *Outline) Last() {
	if len(o.pos) > 0 {
		o.pos = o.pos[:1]
		o.pos[0].at = len(o.pos[0].kids) - 1
		o.pos = o.deepest(o.pos)
		o.line = 1 << 20 // the bottom, however high the window is
		o.chosen()
	}
}

// Scroll moves a window of h rows by n. The cursor stays on its row as long as that
// is inside the window.
func (o *Outline) Scroll(n, h int) {
	if len(o.pos) == 0 || h < 1 {
		return
	}
	step := 1
	if n < 0 {
		step = -1
	}
	for ; n != 0; n -= step {
		if !o.canScroll(step, h) {
			return
		}
		o.line -= step
		for was := -1; o.line < o.margin(h) && o.line != was; {
			was = o.line
			o.Move(1)
		}
		if o.line >= h {
			o.Move(-1)
		}
	}
}

// canScroll reports whether there is a row beyond the window's edge.
func (o *Outline) canScroll(step, h int) bool {
	ok := true
	pos := slices.Clone(o.pos)
	if step < 0 {
		for i := 0; i <= o.line && ok; i++ {
			pos, ok = o.prev(pos)
		}
		return ok
	}
	for i := 0; i < h-o.line && ok; i++ {
		pos, ok = o.next(pos)
	}
	return ok
}

// Select puts the cursor on a line of the window. It returns false if there is no row.
func (o *Outline) Select(line int) bool {
	if len(o.pos) == 0 || line < 0 {
		return false
	}
	pos, n := slices.Clone(o.pos), line-o.line
	ok := true
	for ; n > 0 && ok; n-- {
		pos, ok = o.next(pos)
	}
	for ; n < 0 && ok; n++ {
		pos, ok = o.prev(pos)
	}
	if !ok {
		return false
	}
	o.pos, o.line = pos, line
	o.chosen()
	return true
}

// Toggle opens or closes the folder under the cursor.
func (o *Outline) Toggle() {
	if r, ok := o.Cursor(); ok && r.Dir {
		o.setOpen(r, !r.Open)
		o.chosen()
	}
}

// Open opens the folder under the cursor, or enters it if it is open. It returns false
// if the cursor is not on a folder.
func (o *Outline) Open() bool {
	r, ok := o.Cursor()
	if !ok || !r.Dir {
		return false
	}
	if r.Open {
		if len(o.list(r.Node)) > 0 {
			o.Move(1)
		}
		return true
	}
	o.setOpen(r, true)
	o.chosen()
	return true
}

// Close closes the folder under the cursor. If there is no open one, the cursor moves
// to the folder that contains the row.
func (o *Outline) Close() {
	r, ok := o.Cursor()
	if !ok {
		return
	}
	if r.Open && len(o.list(r.Node)) > 0 {
		o.setOpen(r, false)
		o.chosen()
		return
	}
	if len(o.pos) > 1 {
		up := len(o.pos) - 1
		o.line -= o.pos[up].at + 1 // a guess; Rows keeps it inside
		o.pos = o.pos[:up]
		o.chosen()
	}
}

// OpenAll opens or closes every folder.
func (o *Outline) OpenAll(open bool) {
	f := o.fold()
	f.open, f.closed = open, !open
	clear(f.flipped)
	o.rows = newTally()
	o.seek(o.want)
}

// FoldAll closes every folder, or opens every one if all are closed.
func (o *Outline) FoldAll() {
	f := o.fold()
	o.OpenAll(!f.open && len(f.flipped) == 0 && (f.closed || !o.found))
}

// GoTo opens the folders above n and puts the cursor on n. If n has no row, GoTo puts
// the cursor on the nearest one and returns false.
func (o *Outline) GoTo(n filetree.Node) bool {
	for m := o.tree.Parent(n); m != filetree.None; m = o.tree.Parent(m) {
		if !o.Opened(m) {
			o.setOpen(Row{Node: m, Top: m}, true)
		}
	}
	o.want, o.far = n, true
	o.seek(n)
	if len(o.pos) == 0 {
		return false
	}
	r, _ := o.Cursor()
	for m := r.Node; ; m = o.tree.Parent(m) {
		if m == n {
			return true
		}
		if m == r.Top {
			return false
		}
	}
}

// Bookmark is a state that Restore can bring back: the open folders and the cursor.
type Bookmark struct {
	folds [2]folds
	want  filetree.Node
	line  int
}

// Bookmark returns the open folders and the cursor.
func (o *Outline) Bookmark() Bookmark {
	return Bookmark{cloneFolds(o.folds), o.want, o.line}
}

// Restore brings back the open folders and the cursor of a bookmark.
func (o *Outline) Restore(m Bookmark) {
	o.folds, o.want, o.line = cloneFolds(m.folds), m.want, m.line
	o.rows = newTally()
	o.seek(o.want)
}

func cloneFolds(f [2]folds) [2]folds {
	for i := range f {
		f[i].flipped = maps.Clone(f[i].flipped)
	}
	return f
}
