package ui

import (
	"fmt"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// files is the pane of the tree.
type files struct {
	tree   *filetree.Tree
	out    *outline.Outline // nil for an image without layers, and for a saved report
	layer  int
	whole  bool
	marked int // another layer to compare with; -1 for none
	views  []*filetree.View
	making bool  // a view is being made
	h      int   // rows of the last frame
	all    int64 // what the whole view weighs, gone included
	gone   bool  // something is gone in this view
	heads  []head
	owners owners
	keys   []binding // for what is said about them
	only   bool      // nothing but what the search found is shown
	saved  bool      // there is only a saved report, which holds no files
	below  *folders  // what such a report has instead; may be nil
}

// head is where the title of a column stands, for clicks.
type head struct {
	from, to int
	order    outline.Order
}

func newFiles(t *filetree.Tree) *files {
	f := &files{tree: t, marked: -1}
	if t.Layers() > 0 {
		f.out = outline.New(t)
		f.show(0, false)
	}
	return f
}

// show shows one layer, compared with nothing else; all else that a person
// chose stays.
func (f *files) show(layer int, whole bool) {
	if f.out == nil || layer < 0 {
		return
	}
	f.layer, f.whole, f.marked = layer, whole, -1
	f.set(f.tree.View(layer-1, layer))
}

// set shows a view.
func (f *files) set(v *filetree.View) {
	f.out.Show(v, f.whole)
	sum := v.Sum(filetree.Root)
	f.all, f.gone = sum.Stored+sum.Removed, sum.Removed > 0 && !f.whole
	if f.whole {
		f.all = sum.Size
	}
}

// current is the row under the cursor.
func (f *files) current() (outline.Row, bool) {
	if f.out == nil {
		return outline.Row{}, false
	}
	return f.out.Cursor()
}

// columns are the widths of what stands before the name; 0 leaves one out.
type columns struct {
	bar, size, gone, files, mode, owner int
}

// fit chooses columns. Each comes only where it leaves enough for the name;
// the size is the last to go.
func (f *files) fit(w int) columns {
	order, _ := f.out.Order()
	var c columns
	w -= 3 // the marks
	take := func(col *int, need, name int) {
		if w >= need+name {
			*col = need
			w -= need
		}
	}
	take(&c.size, 9, 14)
	if order == outline.ByCount {
		take(&c.files, 8, 16)
	}
	if f.gone {
		take(&c.gone, 10, 24)
	}
	take(&c.bar, 9, 26)
	take(&c.mode, 11, 34)
	take(&c.owner, 10, 40)
	if len(f.owners.users) > 0 && c.owner > 0 && w >= 50 {
		c.owner += min(w-42, 10) // names are longer than numbers
	}
	return c
}

func (f *files) draw(c screen.Canvas, focused bool, find *search) {
	switch {
	case f.below != nil:
		f.below.draw(c, focused)
		return
	case f.saved:
		f.drawSaved(c)
		return
	}
	if f.out == nil {
		c.Text(1, 0, c.Theme.Dim, "this image has no files")
		return
	}
	cols := f.fit(c.W)
	f.heads = f.heads[:0]
	if c.H > 5 {
		f.drawHead(c, cols)
		c = c.Sub(0, 1, c.W, c.H-1)
	}
	f.h = c.H
	rows, at := f.out.Rows(c.H)
	if len(rows) == 0 && c.H > 0 {
		c.Short(1, 0, c.W-2, c.Theme.Dim, f.why())
	}
	for y, r := range rows {
		f.drawRow(c, y, r, cols, c.Row(y, y == at, focused), find)
	}
}

// why says why there are no rows.
func (f *files) why() string {
	switch {
	case f.only:
		return "nothing here is called that (" + keyOf(f.keys, "only-found") + " shows everything again)"
	case f.out.Scope().Marks != outline.AllMarks:
		return "nothing here passes the filter (" + keyOf(f.keys, "filter") + ")"
	case f.whole:
		return "there are no files yet"
	}
	return "this layer touches no files (" + keyOf(f.keys, "whole") + " shows everything up to it)"
}

func (f *files) drawHead(c screen.Canvas, cols columns) {
	order, reverse := f.out.Order()
	arrow := c.Theme.Glyph.Down
	if reverse != (order == outline.ByName) {
		arrow = c.Theme.Glyph.Up
	}
	title := func(from, to int, right bool, text string, by outline.Order) {
		st := c.Theme.Dim
		if order == by {
			st = c.Theme.Strong
			if right {
				text = arrow + " " + text
			} else {
				text += " " + arrow
			}
		}
		if right {
			c.Right(to, 0, st, text)
		} else {
			c.Text(from, 0, st, text)
		}
		f.heads = append(f.heads, head{from, to, by})
	}
	x := 3
	if cols.bar > 0 {
		x += cols.bar
	}
	if cols.size > 0 {
		name := "stored"
		if f.whole {
			name = "size"
		}
		title(x, x+cols.size-1, true, name, outline.BySize)
		x += cols.size
	}
	if cols.gone > 0 {
		c.Right(x+cols.gone-1, 0, c.Theme.Dim, "gone")
		x += cols.gone
	}
	if cols.files > 0 {
		title(x, x+cols.files-1, true, "files", outline.ByCount)
		x += cols.files
	}
	if cols.mode > 0 {
		c.Text(x, 0, c.Theme.Dim, "mode")
		x += cols.mode
	}
	if cols.owner > 0 {
		c.Text(x, 0, c.Theme.Dim, "owner")
		x += cols.owner
	}
	title(x, c.W, false, "name", outline.ByName)
}

func (f *files) drawRow(c screen.Canvas, y int, r outline.Row, cols columns, on func(tcell.Style) tcell.Style, find *search) {
	th := c.Theme
	mark := r.Change.Mark
	if mark == filetree.Unchanged && !r.Change.Touched {
		mark = filetree.Absent
	}
	sign, st := markSign(th, mark)
	c.Text(0, y, on(st.Bold(true)), sign)
	if r.Below != filetree.Absent && r.Below != mark {
		sign, st = markSign(th, r.Below)
		c.Text(1, y, on(st.Dim(true)), sign)
	}
	x := 3
	if cols.bar > 0 {
		c.Bar(x, y, cols.bar-1, r.Size, r.Gone, f.all, on(th.Visible), on(th.Wasted))
		x += cols.bar
	}
	if cols.size > 0 {
		size, st := report.Size(r.Size), on(sizeStyle(th, r.Size))
		if r.Size == 0 && r.Gone > 0 && cols.gone == 0 {
			size, st = "-"+report.Size(r.Gone), on(th.Removed)
		} else if r.Size == 0 && mark == filetree.Removed {
			size = ""
		} else if f.whole && otherName(f.out.Scope().View, f.tree, r.Node, r.State) != filetree.None {
			st = on(th.Dim) // counted at its first name
		}
		c.Right(x+cols.size-1, y, st, size)
		x += cols.size
	}
	if cols.gone > 0 {
		if r.Gone > 0 {
			c.Right(x+cols.gone-1, y, on(th.Removed), "-"+report.Size(r.Gone))
		}
		x += cols.gone
	}
	if cols.files > 0 {
		if r.Dir {
			c.Right(x+cols.files-1, y, on(th.Text), strconv.Itoa(r.Files))
		}
		x += cols.files
	}
	if cols.mode > 0 {
		c.Text(x, y, on(th.Dim), modeText(r.State))
		x += cols.mode
	}
	if cols.owner > 0 {
		c.Short(x, y, cols.owner-1, on(th.Dim), f.owners.text(r.State.UID, r.State.GID))
		x += cols.owner
	}
	f.drawName(c, x, y, r, on, find)
}

// indent is how far a row of that depth stands in; deep rows stop moving where
// they would leave no room for the name.
func indent(depth, w int) int { return min(2*depth, max(w-16, 0)) }

func (f *files) drawName(c screen.Canvas, x, y int, r outline.Row, on func(tcell.Style) tcell.Style, find *search) {
	th := c.Theme
	x += indent(r.Depth, c.W-x)
	if r.Dir {
		tri := th.Glyph.Closed
		if r.Open {
			tri = th.Glyph.Open
		}
		c.Text(x, y, on(th.Dim), tri)
	}
	x += 2
	st := th.Text
	switch {
	case r.Change.Mark == filetree.Removed:
		st = th.Removed
	case r.Dir:
		st = th.Dir
	case r.State.Kind != layer.File:
		st = th.Link
	}
	name := report.Safe(r.Name)
	from := x
	if r.Dir {
		name += "/"
		x = c.Tail(x, y, c.W-x, on(st), name)
	} else {
		x = c.Short(x, y, c.W-x, on(st), name)
	}
	if find.active() && x-from == screen.Width(name) {
		if i, j, ok := find.pattern.In(name); ok {
			c.Text(from+screen.Width(name[:i]), y, on(th.Found), name[i:j])
		}
	}
	switch k := r.State.Kind; {
	case k == layer.Symlink || k == layer.Link:
		to := " " + th.Glyph.Arrow + " " + report.Safe(r.State.Target)
		if k == layer.Link {
			to += " (missing)"
		}
		c.Short(x, y, c.W-x, on(th.Dim), to)
	case k == layer.Char || k == layer.Block:
		c.Short(x, y, c.W-x, on(th.Dim), fmt.Sprintf("  %s device %d,%d", k, r.State.Major, r.State.Minor))
	case k == layer.Fifo:
		c.Short(x, y, c.W-x, on(th.Dim), "  named pipe")
	case r.Change.Mark == filetree.Unchanged && r.Change.Stored > 0:
		c.Short(x, y, c.W-x, on(th.Again), "  stored again")
	}
}

// triangle is whether column x of a row is the one that folds it.
func (f *files) triangle(r outline.Row, x, w int) bool {
	cols := f.fit(w)
	at := 3 + cols.bar + cols.size + cols.gone + cols.files + cols.mode + cols.owner
	at += indent(r.Depth, w-at)
	return r.Dir && (x == at || x == at+1)
}

// modeText is the mode as ls -l shows it.
func modeText(st filetree.State) string {
	b := []byte("?rwxrwxrwx")
	b[0] = "-dl-cbp??"[min(int(st.Kind), 8)]
	for i := range 9 {
		if st.Mode&(1<<(8-i)) == 0 {
			b[1+i] = '-'
		}
	}
	special := func(bit uint16, at int, on, off byte) {
		if st.Mode&bit == 0 {
			return
		}
		if b[at] == 'x' {
			b[at] = on
		} else {
			b[at] = off
		}
	}
	special(04000, 3, 's', 'S')
	special(02000, 6, 's', 'S')
	special(01000, 9, 't', 'T')
	return string(b)
}

// status is what the line at the bottom says of the pane: its order and filter.
func (f *files) status(th *screen.Theme) string {
	if f.out == nil {
		return ""
	}
	order, reverse := f.out.Order()
	text := [...]string{"size ", "name ", "files "}[order]
	if reverse != (order == outline.ByName) {
		text += th.Glyph.Up
	} else {
		text += th.Glyph.Down
	}
	if marks := f.out.Scope().Marks; marks != outline.AllMarks {
		text += "  only "
		for _, m := range []filetree.Mark{filetree.Added, filetree.Modified, filetree.Removed, filetree.Unchanged} {
			if marks.Has(m) {
				sign, _ := markSign(th, m)
				text += sign
			}
		}
	}
	return text
}

// nextOrder is what s does: the order reversed, then the next one.
func (f *files) nextOrder() {
	if f.out == nil {
		return
	}
	order, reverse := f.out.Order()
	if reverse {
		f.out.SetOrder((order+1)%3, false)
	} else {
		f.out.SetOrder(order, true)
	}
}

// sortBy is a click on a column's title: again reverses.
func (f *files) sortBy(x int) bool {
	for _, h := range f.heads {
		if x >= h.from && x < h.to {
			order, reverse := f.out.Order()
			f.out.SetOrder(h.order, order == h.order && !reverse)
			return true
		}
	}
	return false
}
