package ui

import (
	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// A map is a list where it would have less room than this.
const (
	leastMapWidth  = 24
	leastMapHeight = 5
)

func (m *treemap) Draw(c screen.Canvas, _ bool) {
	m.load()
	m.flat = c.W < leastMapWidth || c.H < leastMapHeight
	switch a := &m.now.areas; {
	case a.Busy:
		c.Text(1, 0, c.Theme.Dim, "adding up"+c.Theme.Glyph.Ellipsis)
	case len(a.Tops) == 0:
		c.Short(1, 0, c.W-2, c.Theme.Dim, m.of.why())
	case m.flat:
		m.drawRows(c)
	default:
		m.arrange(c.W, c.H)
		m.drawTiles(c)
	}
}

// arrange makes the tiles for a frame of w by h cells.
func (m *treemap) arrange(w, h int) {
	if m.tiles != nil && m.w == w && m.h == h {
		return
	}
	tops := m.now.areas.Tops[m.now.skip:]
	sizes := make([]int64, min(len(tops), w*h))
	rest := m.now.areas.All - m.now.skipped
	for i := range sizes {
		size, gone := m.of.weight(tops[i])
		sizes[i] = size + gone
		rest -= sizes[i]
	}
	if len(tops) > len(sizes) {
		rest = max(rest, 1)
	}
	m.tiles, m.shown = screen.Treemap(w, h, sizes, rest)
	m.w, m.h = w, h
	m.rest = m.now.areas.All - m.now.skipped
	for _, s := range sizes[:m.shown] {
		m.rest -= s
	}
}

func (m *treemap) drawTiles(c screen.Canvas) {
	th, at := c.Theme, m.tile()
	c.Frames(m.tiles, at, th.Dim, th.Cursor(th.Text))
	for i, t := range m.tiles {
		on := func(st tcell.Style) tcell.Style { return st }
		if i == at {
			on = th.Cursor
		}
		a := area{name: m.restName(), text: th.Dim, size: report.Size(m.rest)}
		var size, gone int64 = m.rest, 0
		if i < m.shown {
			n := m.now.areas.Tops[m.now.skip+i]
			a = m.of.area(n)
			size, gone = m.of.weight(n)
		}
		in := c.Sub(t.X+1, t.Y, t.W-1, t.H)
		m.fill(in.Sub(0, 1, in.W, in.H-1), &a, size, gone)
		m.label(in, &a, report.Percent(float64(size+gone)/float64(max(m.now.areas.All, 1))), on)
	}
}

// fill draws the inside of an area: its second part from the bottom, the rest of a folder
// above it.
func (m *treemap) fill(c screen.Canvas, a *area, size, gone int64) {
	if a.dir {
		for y := range c.H {
			c.Fill(0, y, c.W, a.mark, c.Theme.Glyph.Tint)
		}
	}
	if gone == 0 {
		return
	}
	cells := max(int(float64(c.W*c.H)*float64(gone)/float64(size+gone)+0.5), 1)
	for y := c.H - 1; y >= 0 && cells > 0; y-- {
		c.Fill(0, y, min(cells, c.W), c.Theme.Wasted, c.Theme.Glyph.Light)
		cells -= c.W
	}
}

// label draws what is known about an area: the name on its upper line, the other
// figures below, as far as there is room.
func (m *treemap) label(c screen.Canvas, a *area, share string, on func(tcell.Style) tcell.Style) {
	th, x, room := c.Theme, 0, c.W
	if room > 4 {
		x, room = c.Text(0, 0, on(th.Text), " "), room-2
	}
	if a.sign != "" && room > 3 {
		x = c.Text(x, 0, on(a.mark.Bold(true)), a.sign+" ")
		room -= 2
	}
	size := a.size + a.change
	inside := screen.Width(a.name)+1+screen.Width(size) > room
	if room <= 3 { // no room for an ellipsis
		a.name, _ = screen.Cut(a.name, room)
	}
	x = c.Short(x, 0, room, on(a.text), a.name)
	if !inside {
		x = c.Text(x, 0, on(th.Text), " "+size)
	}
	if c.W > 4 {
		c.Text(x, 0, on(th.Text), " ")
	}
	y := 1
	line := func(text string, st tcell.Style) {
		if text != "" && y < c.H && screen.Width(text)+2 <= c.W {
			c.Text(0, y, st, " "+text+" ")
			y++
		}
	}
	if inside {
		line(size, th.Text)
	}
	line(share, th.Dim)
	line(a.also, th.Wasted)
	line(a.files, th.Dim)
}

// drawRows draws the areas as a list.
func (m *treemap) drawRows(c screen.Canvas) {
	tops := m.now.areas.Tops
	m.rows.At = m.now.at
	m.rows.Draw(m.rows.Below(c, 0), len(tops), true, func(y, i int, on func(tcell.Style) tcell.Style) {
		a := m.of.area(tops[i])
		c.Text(0, y, on(a.mark.Bold(true)), a.sign)
		c.Right(11, y, on(c.Theme.Text), a.size)
		c.Tail(12, y, c.W-12, on(a.text), a.name)
	})
}
