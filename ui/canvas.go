package ui

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// grid is a frame while it is drawn. Each of its cells is put on the screen once:
// tcell sends again whatever is put over something else, so that clearing and
// drawing anew would send every cell with every key.
type grid struct {
	w, h             int
	cells            []cell
	cursorX, cursorY int // -1 for none
}

// cell is one cell; its text is empty to the right of a wide character.
type cell struct {
	text  string
	style tcell.Style
}

// begin makes the grid blank.
func (g *grid) begin(w, h int, st tcell.Style) {
	if g.w != w || g.h != h {
		g.w, g.h, g.cells = w, h, make([]cell, w*h)
	}
	for i := range g.cells {
		g.cells[i] = cell{" ", st}
	}
	g.cursorX, g.cursorY = -1, -1
}

// put sets a cell, or two for a wide character. A wide one that is half
// overwritten is blanked.
func (g *grid) put(x, y, w int, text string, st tcell.Style) {
	if x < 0 || y < 0 || y >= g.h || x+w > g.w {
		return
	}
	i := y*g.w + x
	if g.cells[i].text == "" {
		g.cells[i-1].text = " "
	}
	if x+w < g.w && g.cells[i+w].text == "" {
		g.cells[i+w].text = " "
	}
	g.cells[i] = cell{text, st}
	for k := 1; k < w; k++ {
		g.cells[i+k] = cell{"", st}
	}
}

// show brings the grid to the screen, at x, y.
func (g *grid) show(s tcell.Screen, x, y int) {
	for i := range g.cells {
		if c := &g.cells[i]; c.text != "" {
			s.Put(x+i%g.w, y+i/g.w, c.text, c.style)
		}
	}
	if g.cursorX < 0 {
		s.HideCursor()
	} else {
		s.ShowCursor(x+g.cursorX, y+g.cursorY)
	}
}

// canvas is a rectangle of a frame. Nothing drawn on it leaves it, and no text
// is interpreted: what an image names is cells and nothing else.
type canvas struct {
	g          *grid
	x, y, w, h int
	th         *theme
}

// sub is the part of c at x, y, as far as it lies within.
func (c canvas) sub(x, y, w, h int) canvas {
	x, y = max(x, 0), max(y, 0)
	w, h = max(min(w, c.w-x), 0), max(min(h, c.h-y), 0)
	return canvas{c.g, c.x + x, c.y + y, w, h, c.th}
}

// text draws s from column x of line y and returns the column after it. What
// doesn't fit is cut; a wide character is never halved.
func (c canvas) text(x, y int, st tcell.Style, s string) int {
	if y < 0 || y >= c.h {
		return x
	}
	for s != "" && x < c.w {
		if b := s[0]; b >= ' ' && b < 0x7f && (len(s) == 1 || s[1] < 0x80) {
			if x >= 0 {
				c.g.put(c.x+x, c.y+y, 1, s[:1], st)
			}
			x, s = x+1, s[1:]
			continue
		}
		g, rest, w, _ := uniseg.FirstGraphemeClusterInString(s, -1)
		if x+w > c.w {
			return x
		}
		if w > 0 && x >= 0 {
			c.g.put(c.x+x, c.y+y, w, g, st)
		}
		x, s = x+w, rest
	}
	return x
}

// short is text that ends in an ellipsis when it is wider than w.
func (c canvas) short(x, y, w int, st tcell.Style, s string) int {
	w = min(w, c.w-x)
	if w <= 0 {
		return x
	}
	if width(s) <= w {
		return c.text(x, y, st, s)
	}
	head, _ := cut(s, w-width(c.th.glyph.ellipsis))
	return c.text(c.text(x, y, st, head), y, st, c.th.glyph.ellipsis)
}

// tail is text that begins with an ellipsis when it is wider than w: the end
// of a path says most.
func (c canvas) tail(x, y, w int, st tcell.Style, s string) int {
	w = min(w, c.w-x)
	if w <= 0 {
		return x
	}
	over := width(s) - w
	if over <= 0 {
		return c.text(x, y, st, s)
	}
	over += width(c.th.glyph.ellipsis)
	for state := -1; s != "" && over > 0; {
		w := 0
		_, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		over -= w
	}
	return c.text(c.text(x, y, st, c.th.glyph.ellipsis), y, st, s)
}

// right draws s so that it ends before column x.
func (c canvas) right(x, y int, st tcell.Style, s string) {
	c.text(x-width(s), y, st, s)
}

// fill sets w cells of line y.
func (c canvas) fill(x, y, w int, st tcell.Style, glyph string) {
	if y < 0 || y >= c.h {
		return
	}
	for end := min(x+w, c.w); x < end; x++ {
		c.g.put(c.x+x, c.y+y, 1, glyph, st)
	}
}

// clear blanks the whole canvas.
func (c canvas) clear() {
	for y := range c.h {
		c.fill(0, y, c.w, c.th.text, " ")
	}
}

// bar draws a bar of at most w cells, good and bad of all: good in full blocks,
// bad in light ones. Less than half a cell is a sliver, of the greater part; bad
// has a cell from a twentieth on. It draws nothing behind the bar.
func (c canvas) bar(x, y, w int, good, bad, all int64, goodStyle, badStyle tcell.Style) {
	sum := good + bad
	if all <= 0 || w <= 0 || sum <= 0 {
		return
	}
	share := func(n, of int64, cells int) int { return int(float64(n)/float64(of)*float64(cells) + 0.5) }
	total := min(share(sum, all, w), w)
	if total == 0 {
		st := goodStyle
		if bad > good {
			st = badStyle
		}
		c.text(x, y, st, c.th.glyph.sliver)
		return
	}
	light := share(bad, sum, total)
	if light == 0 && bad*20 >= sum && total > 1 {
		light = 1
	}
	if light == total && good*20 >= sum && total > 1 {
		light = total - 1
	}
	c.fill(x, y, total-light, goodStyle, c.th.glyph.full)
	c.fill(x+total-light, y, light, badStyle, c.th.glyph.light)
}

// width is how many cells s takes.
func width(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// cut splits s so that its head takes at most w cells.
func cut(s string, w int) (head, rest string) {
	used, rest := 0, s
	for state := -1; rest != ""; {
		_, after, gw, st := uniseg.FirstGraphemeClusterInString(rest, state)
		if used+gw > w {
			break
		}
		used, rest, state = used+gw, after, st
	}
	return s[:len(s)-len(rest)], rest
}
