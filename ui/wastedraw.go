package ui

import (
	"cmp"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// steps returns the layers of an item as text for its row.
func (it item) steps(th *screen.Theme) string {
	stored := strconv.Itoa(it.stored)
	if it.last > it.stored {
		stored += "-" + strconv.Itoa(it.last)
	}
	if it.cause == filetree.Repeated {
		return stored
	}
	hidden := strconv.Itoa(it.since)
	if it.hidden > it.since {
		hidden += "-" + strconv.Itoa(it.hidden)
	}
	return stored + " " + th.Glyph.Arrow + " " + hidden
}

// wasteColumns are the columns of a row.
type wasteColumns struct{ wasted, share, bar, cause, steps, path screen.Column }

func fitWaste(w, layers int) wasteColumns {
	c := wasteColumns{wasted: screen.Column{W: 9, Right: true}, share: screen.Column{Right: true}}
	room := screen.Room(w)
	room.Take(&c.steps, max(11, 4*len(strconv.Itoa(layers-1))+6), 23)
	room.Take(&c.cause, 12, 21)
	room.Take(&c.share, 7, 33)
	room.Take(&c.bar, 9, 41)
	c.path.X = screen.Place(1, &c.wasted, &c.share, &c.bar, &c.cause, &c.steps)
	c.path.W = w - c.path.X
	return c
}

func (w *waste) Draw(c screen.Canvas, focused bool) {
	cols := fitWaste(c.W, len(w.u.rep.Layers))
	c = w.Head(c, c.H > 5, func() {
		c.Cell(cols.wasted, 0, c.Theme.Dim, "wasted")
		c.Cell(cols.share, 0, c.Theme.Dim, "share")
		c.Cell(cols.cause, 0, c.Theme.Dim, "cause")
		c.Cell(cols.steps, 0, c.Theme.Dim, "layers")
		c.Cell(cols.path, 0, c.Theme.Dim, "path")
	})
	switch {
	case w.busy:
		c.Text(1, 0, c.Theme.Dim, "adding up"+c.Theme.Glyph.Ellipsis)
		return
	case len(w.rows) == 0:
		c.Short(1, 0, c.W-2, c.Theme.Dim, "nothing is wasted: every stored byte is visible")
	}
	w.List.Draw(c, len(w.rows), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		r := w.rows[i]
		if r.item < 0 {
			w.drawGroup(c, y, r.group, cols, on)
			return
		}
		it := w.row(r)
		w.drawBytes(c, y, it.bytes, cols, on(c.Theme.Text), on)
		c.Cell(cols.cause, y, on(causeStyle(c.Theme, it.cause)), cmp.Or(it.cause.String(), "several"))
		c.Cell(cols.steps, y, on(c.Theme.Dim), it.steps(c.Theme))
		x := cols.path.X
		if r.group >= 0 {
			x += 2
		}
		w.drawPath(c, x, y, r, it, on)
	})
}

// drawBytes draws the size, its share of all waste, and its bar.
func (w *waste) drawBytes(c screen.Canvas, y int, n int64, cols wasteColumns, st tcell.Style, on func(tcell.Style) tcell.Style) {
	c.Cell(cols.wasted, y, st, report.Size(n))
	c.Cell(cols.share, y, on(c.Theme.Dim), report.Percent(float64(n)/float64(w.total)))
	c.Bar(cols.bar.X, y, cols.bar.W-1, 0, n, w.max, on(c.Theme.Visible), on(c.Theme.Wasted))
}

func (w *waste) drawPath(c screen.Canvas, x, y int, r wasteRow, it item, on func(tcell.Style) tcell.Style) {
	path := safe(w.tree.Path(it.node))
	if r.part >= 0 && !w.items[r.item].folder { // a version
		c.Short(x+2, y, c.W-x-2, on(c.Theme.Dim), layerCommand(w.u.rep, it.stored))
		return
	}
	if !it.opens() {
		st := c.Theme.Text
		if r.part >= 0 {
			x += 2
			st = c.Theme.Dim
		}
		w.u.search.highlight(c, x, c.Tail(x, y, c.W-x, on(st), path), y, path, on)
		return
	}
	x = c.Text(x, y, on(c.Theme.Dim), triangle(c.Theme, w.open[r.item])+" ")
	note, st := "  "+count(len(it.parts), "file"), c.Theme.Text
	if it.versions {
		note = "  " + count(len(it.parts), "version")
	}
	if it.folder {
		path, st = path+"/", c.Theme.Dir
	}
	room := c.W - x
	if room >= screen.Width(note)+min(screen.Width(path), 16) {
		room -= screen.Width(note)
	} else {
		note = ""
	}
	from := x
	x = c.Tail(x, y, room, on(st), path)
	w.u.search.highlight(c, from, x, y, path, on)
	c.Text(x, y, on(c.Theme.Dim), note)
}

func causeStyle(th *screen.Theme, c filetree.Cause) tcell.Style {
	switch c {
	case filetree.Deleted:
		return th.Removed
	case filetree.MetadataOnly:
		return th.Again
	}
	return th.Modified
}
