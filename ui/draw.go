package ui

import (
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/screen"
)

// narrow is the width below which no panes are side by side.
const narrow = 90

// drawn describes the last frame.
type drawn struct {
	frame screen.Grid
	spots []spot // later ones lie over earlier ones
	held  *spot  // that the mouse drags; nil for none
	last  cut
}

// spot is where something was drawn, and what a click there does; x and y are
// from its corner.
type spot struct {
	area  screen.Canvas
	of    part
	click func(x, y int, twice bool)
	drag  func(x, y int) // takes the cell that the mouse has moved to while it holds the spot; may be nil
}

// Draw draws the whole screen.
func (u *ui) Draw(screen tcell.Screen) {
	x, y, w, h := u.GetRect()
	if w < 1 || h < 1 {
		return
	}
	u.spots = u.spots[:0]
	u.draw(u.frame.Begin(w, h, u.th))
	u.frame.Show(screen, x, y)
}

func (u *ui) draw(c screen.Canvas) {
	w, h := c.W, c.H
	if h >= 6 {
		u.drawTitle(c.Sub(0, 0, w, 1))
		c = c.Sub(0, 1, w, h-1)
	}
	if c.H >= 2 {
		defer u.drawStatus(c.Sub(0, c.H-1, w, 1))
		c = c.Sub(0, 0, w, c.H-1)
	}
	if o := u.top(); o != nil {
		ow, oh := o.size()
		if ow == 0 || ow+2 > c.W || oh > c.H {
			u.drawFull(c, o)
			return
		}
		u.drawBelow(c)
		u.drawBox(c.Sub((c.W-ow)/2, (c.H-oh)/3, ow, oh), o)
		return
	}
	u.drawPanes(c)
}

// drawBelow draws what is visible around a box.
func (u *ui) drawBelow(c screen.Canvas) {
	for i := len(u.over) - 2; i >= 0; i-- {
		if w, _ := u.over[i].size(); w == 0 {
			u.drawFull(c, u.over[i])
			return
		}
	}
	u.drawPanes(c)
}

// drawPane draws a pane below a line that names it and others. Dragging the line calls
// drag, which may be nil.
func (u *ui) drawPane(c screen.Canvas, i int, drag func(x, y int), named ...int) {
	if c.W < 1 || c.H < 1 {
		return
	}
	p, body := u.pane(i), c
	if c.H >= 2 {
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.drawPart(body, p, i == u.focus && len(u.over) == 0, func() { u.setFocus(i) })
	if c.H >= 2 {
		u.drawRule(c.Sub(0, 0, c.W, 1), i, drag, named)
	}
}

// drawPart draws a part and, if it has more rows than fit, its scrollbar. A click calls
// focus first.
func (u *ui) drawPart(c screen.Canvas, p part, focused bool, focus func()) {
	over := func() bool { return c.W >= 8 && p.Extent().Over() }
	bar := over() // as in the last frame
	draw := func() screen.Canvas {
		body := c
		if bar {
			body = c.Sub(0, 0, c.W-1, c.H)
		}
		p.Draw(body, focused)
		return body
	}
	body := draw()
	if over() != bar {
		bar = !bar
		c.Clear()
		body = draw()
	}
	u.spots = append(u.spots, spot{area: body, of: p, click: func(x, y int, twice bool) {
		focus()
		p.click(x, y, twice)
		u.followLayer()
	}})
	if bar {
		side := c.Sub(c.W-1, 0, 1, c.H)
		side.Scrollbar(p.Extent(), focused)
		jump := func(_, y int) {
			focus()
			p.Jump(y-side.Y, side.H)
			u.followLayer()
		}
		u.spots = append(u.spots, spot{area: side, of: p, drag: jump, click: func(_, y int, _ bool) { jump(0, side.Y+y) }})
	}
}

// drawFull draws an overlay over all of c.
func (u *ui) drawFull(c screen.Canvas, o overlay) {
	body := c
	if c.H >= 2 {
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.drawPart(body, o, true, func() {})
	if c.H >= 2 {
		c.Fill(0, 0, c.W, c.Theme.Accent, c.Theme.Glyph.Heavy)
		room := c.W - 4
		end := c.W - 1
		note := o.Note()
		for note != "" && room <= screen.Width(note)+16 {
			note = withoutFirst(note)
		}
		e := o.Extent()
		if w, _ := o.size(); w > 0 && !e.Over() {
			e.Says = "" // a menu
		}
		if need := screen.Width(note + e.Says); note == "" && room <= need+8 || note != "" && room <= need+21 {
			e.Says = ""
		}
		for _, text := range []string{e.Says, note} {
			if text != "" {
				c.Right(end, 0, c.Theme.Dim, " "+text+" ")
				end -= screen.Width(text) + 3
				room -= screen.Width(text) + 3
			}
		}
		x := c.Text(1, 0, c.Theme.Accent, " ")
		x = c.Tail(x, 0, room, c.Theme.Accent, o.Title())
		c.Text(x, 0, c.Theme.Accent, " ")
	}
}

// withoutFirst returns a note without its first part: two spaces or a comma end a part.
func withoutFirst(note string) string {
	at := len(note)
	for _, end := range []string{"  ", ", "} {
		if i := strings.Index(note, end); i >= 0 {
			at = min(at, i+len(end))
		}
	}
	return note[at:]
}

// drawBox draws an overlay in a box.
func (u *ui) drawBox(c screen.Canvas, o overlay) {
	g, st := c.Theme.Glyph, c.Theme.Accent
	c.Clear()
	c.Fill(0, 0, c.W, st, g.BoxTop)
	c.Fill(0, c.H-1, c.W, st, g.BoxTop)
	for y := range c.H {
		c.Text(0, y, st, g.BoxSide)
		c.Text(c.W-1, y, st, g.BoxSide)
	}
	c.Text(0, 0, st, g.TopLeft)
	c.Text(c.W-1, 0, st, g.TopRight)
	c.Text(0, c.H-1, st, g.BotLeft)
	c.Text(c.W-1, c.H-1, st, g.BotRight)
	c.Text(2, 0, st, " "+o.Title()+" ")
	u.drawPart(c.Sub(1, 1, c.W-2, c.H-2), o, true, func() {})
}
