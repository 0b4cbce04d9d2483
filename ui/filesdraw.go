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

// columns are those of a row.
type columns struct {
	bar, before, size, gone, growth, sorted, mode, owner, name screen.Column
	files, modified, layer, pkg                                screen.Column // that a person can add
}

// fit chooses columns. A column is shown only if enough room is left for the name;
// the size is the last to go.
func (f *files) fit(w int) columns {
	right := screen.Column{Right: true}
	c := columns{before: right, size: right, gone: right, growth: right, sorted: right, files: right, layer: right}
	room := screen.Room(w - 3) // the marks
	room.Take(&c.size, 9, 14)
	both := f.out.Scope().Both
	if both {
		room.Take(&c.growth, 10, 16)
	}
	order, _ := f.out.Order()
	if _, ok := order.Cell(outline.Row{}); ok && !(order == outline.ByGrowth && (both || f.old())) {
		room.Take(&c.sorted, max(len(order.String())+3, 8), 16) // what the rows are sorted by
	}
	if both {
		room.Take(&c.before, 9, 24)
	} else if f.gone {
		room.Take(&c.gone, 10, 24)
	}
	take := fitting(f, &room)
	take("bar", &c.bar, 9, 26)
	if order != outline.ByFiles { // it has the column already
		take("files", &c.files, 8, 24)
	}
	take("modified", &c.modified, 17, 24)
	take("layer", &c.layer, 7, 24)
	take("package", &c.pkg, 17, 24)
	take("mode", &c.mode, 11, 34)
	take("owner", &c.owner, 10, 40)
	if len(f.u.img.owners.users) > 0 && c.owner.W > 0 && room >= 50 {
		c.owner.W += min(int(room)-42, 10) // names are longer than numbers
	}
	c.name.X = screen.Place(3, &c.bar, &c.before, &c.size, &c.gone, &c.growth, &c.sorted, &c.files, &c.layer)
	c.name.X = screen.Place(c.name.X, &c.mode, &c.owner, &c.modified, &c.pkg)
	c.name.W = w - c.name.X
	return c
}

func (f *files) Draw(c screen.Canvas, focused bool) {
	if f.out.Late() && !f.u.search.busy {
		f.u.stale(f)
	}
	cols := f.fit(c.W)
	f.frame = filesFrame{heads: f.frame.heads[:0], stuck: f.frame.stuck[:0], folds: f.frame.folds[:0]}
	if c.H > 5 {
		f.drawHead(c, cols)
		f.frame.head = 1
		c = c.Sub(0, 1, c.W, c.H-1)
	}
	f.countRows()
	rows, at := f.out.Rows(c.H)
	f.frame.h, f.frame.at = c.H, max(at, 0)
	if len(rows) == 0 && c.H > 0 {
		c.Short(1, 0, c.W-2, c.Theme.Dim, f.why())
	}
	for y, r := range rows {
		on := c.Row(y, y == at, focused)
		if r.Stuck {
			f.frame.stuck = append(f.frame.stuck, r.Node)
			last := y+1 < len(rows) && !rows[y+1].Stuck
			on = func(st tcell.Style) tcell.Style { return st.Dim(true).Underline(last) }
			c.Fill(0, y, c.W, on(c.Theme.Text), " ")
		}
		f.drawRow(c, y, r, cols, on)
	}
}

// why explains why there are no rows.
func (f *files) why() string {
	switch {
	case f.limited && f.u.search.busy:
		return "searching" + f.u.th.Glyph.Ellipsis
	case f.u.search.filters(f):
		return "no file here matches (" + keyOf(f.u.keys, "only-found") + " shows everything again)"
	case f.part.nodes != nil:
		return "no file here is of " + shown(f.part.name) + " (" + keyOf(f.u.keys, "close") + " shows all files)"
	case f.out.Scope().Marks != outline.AllMarks:
		return "nothing here passes the filter (" + keyOf(f.u.keys, "filter") + ")"
	case f.u.two != nil && !f.old() && !f.u.sel.whole:
		return f.u.two.why(f.u)
	case f.u.sel.whole || f.old():
		return "there are no files yet"
	}
	return "this layer touches no files (" + keyOf(f.u.keys, "whole") + " shows everything up to it)"
}

func (f *files) drawHead(c screen.Canvas, cols columns) {
	order, reverse := f.out.Order()
	arrow := arrow(c.Theme, reverse != order.Ascending())
	size := "stored"
	switch s := f.out.Scope(); {
	case s.Both:
		size = "after"
	case s.Whole:
		size = "size"
	}
	c.Cell(cols.before, 0, c.Theme.Dim, "before")
	c.Cell(cols.gone, 0, c.Theme.Dim, "gone")
	c.Cell(cols.mode, 0, c.Theme.Dim, "mode")
	c.Cell(cols.owner, 0, c.Theme.Dim, "owner")
	c.Cell(cols.files, 0, c.Theme.Dim, "files")
	c.Cell(cols.layer, 0, c.Theme.Dim, "layer")
	c.Cell(cols.modified, 0, c.Theme.Dim, "modified")
	c.Cell(cols.pkg, 0, c.Theme.Dim, "package")
	for _, h := range []struct {
		col   screen.Column
		title string
		by    outline.Order
	}{{cols.size, size, outline.BySize}, {cols.growth, "growth", outline.ByGrowth}, {cols.sorted, order.String(), order}, {cols.name, "name", outline.ByName}} {
		st := c.Theme.Dim
		switch {
		case h.by == order && h.col.Right:
			st, h.title = c.Theme.Strong, arrow+" "+h.title
		case h.by == order:
			st, h.title = c.Theme.Strong, h.title+" "+arrow
		}
		c.Cell(h.col, 0, st, h.title)
		f.frame.heads = append(f.frame.heads, head{h.col, h.by})
	}
}

func (f *files) drawRow(c screen.Canvas, y int, r outline.Row, cols columns, on func(tcell.Style) tcell.Style) {
	th := c.Theme
	mark := f.mark(r)
	if f.old() {
		r.Below = filetree.Absent
	}
	sign, st := markSign(th, mark)
	c.Text(0, y, on(st.Bold(true)), sign)
	if r.Below != filetree.Absent && r.Below != mark {
		sign, st = markSign(th, r.Below)
		c.Text(1, y, on(st.Dim(true)), sign)
	}
	f.drawSizes(c, y, r, mark, cols, on)
	order, _ := f.out.Order()
	cell, _ := order.Cell(r)
	c.Cell(cols.sorted, y, on(th.Text), cell)
	if !r.State.Implied {
		c.Cell(cols.mode, y, on(th.Dim), report.Mode(r.State.Kind, r.State.Mode))
	}
	if cols.owner.W > 0 && !r.State.Implied {
		c.Cell(cols.owner, y, on(th.Dim), f.u.img.owners.text(r.State.UID, r.State.GID))
	}
	if cols.files.W > 0 && r.Dir {
		c.Cell(cols.files, y, on(th.Dim), itoa(r.Files))
	}
	if cols.modified.W+cols.layer.W+cols.pkg.W > 0 {
		modified, layer, pkg := f.fileCells(r)
		c.Cell(cols.modified, y, on(th.Dim), modified)
		c.Cell(cols.layer, y, on(th.Dim), layer)
		c.Cell(cols.pkg, y, on(th.Dim), pkg)
	}
	f.drawName(c, cols.name.X, y, r, on)
}

// drawSizes draws the sizes of a row and their bar.
func (f *files) drawSizes(c screen.Canvas, y int, r outline.Row, mark filetree.Mark, cols columns, on func(tcell.Style) tcell.Style) {
	th, s := c.Theme, f.out.Scope()
	if f.u.fixes.has(pathKey(r.Node)) {
		c.Text(2, y, on(th.Accent), th.Glyph.Fixed)
	}
	c.Bar(cols.bar.X, y, cols.bar.W-1, r.Size, max(r.Before-r.Size, r.Gone), f.all, on(th.Visible), on(th.Wasted))
	size, st := report.Size(r.Size), on(sizeStyle(th, r.Size))
	switch {
	case r.Size == 0 && r.Gone > 0 && cols.gone.W == 0:
		size, st = "-"+report.Size(r.Gone), on(th.Removed)
	case r.Size == 0 && mark == filetree.Removed:
		size = ""
	case (s.Whole || s.Both) && otherName(s.View, f.tree, r.Node, r.State) != filetree.None:
		st = on(th.Dim) // counted at its first name
	}
	c.Cell(cols.size, y, st, size)
	if r.Gone > 0 {
		c.Cell(cols.gone, y, on(th.Removed), "-"+report.Size(r.Gone))
	}
	if s.Both && (r.Before > 0 || mark != filetree.Added) {
		c.Cell(cols.before, y, on(th.Dim), report.Size(r.Before))
	}
	c.Cell(cols.growth, y, on(growthStyle(th, r.Growth)), growthText(r.Growth))
}

// countedElsewhere explains that a file is the same, but its size counts at another of its
// names in one of the two states.
func countedElsewhere(growth int64) string {
	if growth > 0 {
		return "counted at another name before"
	}
	return "counted at another name now"
}

// drawIndent draws a line for each folder above a row, and returns where the row begins.
// For a row that is too deep to leave room for its name, it draws the depth instead.
func drawIndent(c screen.Canvas, x, y, depth int, st tcell.Style) int {
	room := max(c.W-x-16, 2)
	if 2*depth <= room {
		for i := range depth {
			c.Text(x+2*i, y, st, c.Theme.Glyph.Wall)
		}
		return x + 2*depth
	}
	sign := strconv.Itoa(depth) + c.Theme.Glyph.Ellipsis
	if screen.Width(sign) > room {
		sign = c.Theme.Glyph.Ellipsis
	}
	c.Text(x, y, st, sign)
	return x + room
}

// mark returns the change that a row has a sign for; Absent for none.
func (f *files) mark(r outline.Row) filetree.Mark {
	if m := r.Change.Mark; !f.old() && (m != filetree.Unchanged || r.Change.Touched) {
		return m
	}
	return filetree.Absent
}

func (f *files) nameStyle(r outline.Row) tcell.Style {
	switch th := f.u.th; {
	case r.Change.Mark == filetree.Removed:
		return th.Removed
	case r.Dir:
		return th.Dir
	case r.State.Kind != layer.File:
		return th.Link
	default:
		return th.Text
	}
}

func (f *files) drawName(c screen.Canvas, x, y int, r outline.Row, on func(tcell.Style) tcell.Style) {
	th := c.Theme
	x = drawIndent(c, x, y, r.Depth, on(th.Dim))
	fold := -1
	if r.Dir {
		fold = x
		c.Text(x, y, on(th.Dim), triangle(th, r.Open))
	}
	f.frame.folds = append(f.frame.folds, fold)
	x += 2
	st := f.nameStyle(r)
	name := report.Safe(r.Name)
	from := x
	if r.Dir {
		name += "/"
		x = c.Tail(x, y, c.W-x, on(st), name)
	} else {
		x = c.Short(x, y, c.W-x, on(st), name)
	}
	f.u.search.highlight(c, from, x, y, name, on)
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
	case f.u.two != nil:
		if mark := r.Change.Mark; mark != filetree.Unchanged && !f.old() {
			why := f.u.two.differs(f.tree, r.Node)
			if why != mark.String() {
				c.Short(x, y, c.W-x, on(th.Dim), "  "+why)
			}
		}
	case r.Change.Mark == filetree.Unchanged && f.out.Scope().Both && r.Change.Touched:
		c.Short(x, y, c.W-x, on(th.Dim), "  "+countedElsewhere(r.Growth))
	case r.Change.Mark == filetree.Unchanged && r.Change.Stored > 0:
		c.Short(x, y, c.W-x, on(th.Again), "  stored again")
	}
}
