package ui

import (
	"cmp"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// span returns the layers from one to another as text.
func span(from, to int) string {
	if to > from {
		return strconv.Itoa(from) + "-" + strconv.Itoa(to)
	}
	return strconv.Itoa(from)
}

// steps returns the layers that stored and hid an item as text.
func (it item) steps(th *screen.Theme) string {
	if it.cause == filetree.Repeated {
		return span(it.stored, it.last)
	}
	return span(it.stored, it.last) + " " + th.Glyph.Arrow + " " + span(it.since, it.hidden)
}

// wasteColumns are the columns of a row.
type wasteColumns struct{ wasted, share, bar, cause, stored, hidden, path screen.Column }

func fitWaste(p *waste, w, layers int) wasteColumns {
	right := screen.Column{Right: true}
	c := wasteColumns{wasted: right, share: right, stored: right, hidden: right}
	c.wasted.W = 9
	room := screen.Room(w)
	var by screen.Column
	take := fitting(p, &room)
	if take("layers", &by, 2*max(8, 2*len(strconv.Itoa(layers-1))+3), 28); by.W > 0 {
		c.stored.W, c.hidden.W = by.W/2, by.W/2
	}
	take("cause", &c.cause, 13, 21)
	take("share", &c.share, 7, 33)
	take("bar", &c.bar, 9, 35)
	c.path.X = screen.Place(1, &c.wasted, &c.share, &c.bar, &c.cause, &c.stored, &c.hidden) + 1
	c.path.W = w - c.path.X
	return c
}

func (w *waste) Draw(c screen.Canvas, focused bool) {
	cols := fitWaste(w, c.W, len(w.u.rep.Layers))
	w.titles, w.cols = nil, cols
	c = w.Head(c, c.H > 5, func() {
		w.titles = drawTitles(c, w, title{cols.wasted, "size", int(wasteBySize)}, title{cols.share, "share", -1},
			title{cols.cause, "cause", int(wasteByCause)}, title{cols.stored, "stored", int(wasteByStored)},
			title{cols.hidden, "hidden", int(wasteByHidden)}, title{cols.path, "path", int(wasteByPath)})
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
		w.u.fixes.sign(c, y, w.fixKey(r), on)
		if r.item < 0 {
			w.drawGroup(c, y, r.group, cols, on)
			return
		}
		it := w.row(r)
		w.drawBytes(c, y, it.bytes, cols, on(c.Theme.Text), on)
		c.Cell(cols.cause, y, on(causeStyle(c.Theme, it.cause)), cmp.Or(report.Cause(it.cause.String()), "several"))
		c.Cell(cols.stored, y, on(c.Theme.Dim), span(it.stored, it.last))
		if it.cause != filetree.Repeated {
			c.Cell(cols.hidden, y, on(c.Theme.Dim), span(it.since, it.hidden))
		}
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

// foldAt returns the column of a row's triangle; -1 if it has none.
func (w *waste) foldAt(r wasteRow) int {
	switch {
	case r.item < 0:
		return w.cols.bar.X + w.cols.bar.W
	case r.part >= 0 || !w.items[r.item].opens():
		return -1
	case r.group >= 0:
		return w.cols.path.X + 2
	}
	return w.cols.path.X
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
	if it.versions != nil {
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
