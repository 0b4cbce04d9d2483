package ui

import (
	"fmt"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// columns are the widths of what stands before the name; 0 leaves one out.
type columns struct {
	bar, size, gone, sorted, mode, owner int
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
	if _, ok := order.Cell(outline.Row{}); ok {
		take(&c.sorted, 8, 16) // what the rows are sorted by
	}
	if f.gone {
		take(&c.gone, 10, 24)
	}
	take(&c.bar, 9, 26)
	take(&c.mode, 11, 34)
	take(&c.owner, 10, 40)
	if len(f.u.img.owners.users) > 0 && c.owner > 0 && w >= 50 {
		c.owner += min(w-42, 10) // names are longer than numbers
	}
	return c
}

func (f *files) Draw(c screen.Canvas, focused bool) {
	cols := f.fit(c.W)
	f.frame = filesFrame{heads: f.frame.heads[:0], folds: f.frame.folds[:0]}
	if c.H > 5 {
		f.drawHead(c, cols)
		f.frame.head = 1
		c = c.Sub(0, 1, c.W, c.H-1)
	}
	f.frame.h = c.H
	rows, at := f.out.Rows(c.H)
	if len(rows) == 0 && c.H > 0 {
		c.Short(1, 0, c.W-2, c.Theme.Dim, f.why())
	}
	for y, r := range rows {
		f.drawRow(c, y, r, cols, c.Row(y, y == at, focused))
	}
}

// why says why there are no rows.
func (f *files) why() string {
	switch {
	case f.u.search.only:
		return "nothing here is called that (" + keyOf(f.u.keys, "only-found") + " shows everything again)"
	case f.out.Scope().Marks != outline.AllMarks:
		return "nothing here passes the filter (" + keyOf(f.u.keys, "filter") + ")"
	case f.u.sel.whole:
		return "there are no files yet"
	}
	return "this layer touches no files (" + keyOf(f.u.keys, "whole") + " shows everything up to it)"
}

func (f *files) drawHead(c screen.Canvas, cols columns) {
	order, reverse := f.out.Order()
	arrow := arrow(c.Theme, reverse != order.Ascending())
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
		f.frame.heads = append(f.frame.heads, head{from, to, by})
	}
	x := 3
	if cols.bar > 0 {
		x += cols.bar
	}
	if cols.size > 0 {
		name := "stored"
		if f.u.sel.whole {
			name = "size"
		}
		title(x, x+cols.size-1, true, name, outline.BySize)
		x += cols.size
	}
	if cols.gone > 0 {
		c.Right(x+cols.gone-1, 0, c.Theme.Dim, "gone")
		x += cols.gone
	}
	if cols.sorted > 0 {
		title(x, x+cols.sorted-1, true, order.String(), order)
		x += cols.sorted
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

func (f *files) drawRow(c screen.Canvas, y int, r outline.Row, cols columns, on func(tcell.Style) tcell.Style) {
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
		} else if f.u.sel.whole && otherName(f.out.Scope().View, f.tree, r.Node, r.State) != filetree.None {
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
	if cols.sorted > 0 {
		order, _ := f.out.Order()
		cell, _ := order.Cell(r)
		c.Right(x+cols.sorted-1, y, on(th.Text), cell)
		x += cols.sorted
	}
	if cols.mode > 0 {
		c.Text(x, y, on(th.Dim), modeText(r.State))
		x += cols.mode
	}
	if cols.owner > 0 {
		c.Short(x, y, cols.owner-1, on(th.Dim), f.u.img.owners.text(r.State.UID, r.State.GID))
		x += cols.owner
	}
	f.drawName(c, x, y, r, on)
}

// indent is how far a row of that depth stands in; deep rows stop moving where
// they would leave no room for the name.
func indent(depth, w int) int { return min(2*depth, max(w-16, 0)) }

func (f *files) drawName(c screen.Canvas, x, y int, r outline.Row, on func(tcell.Style) tcell.Style) {
	th := c.Theme
	x += indent(r.Depth, c.W-x)
	fold := -1
	if r.Dir {
		fold = x
		c.Text(x, y, on(th.Dim), triangle(th, r.Open))
	}
	f.frame.folds = append(f.frame.folds, fold)
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
	f.u.search.light(c, from, x, y, name, on)
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
