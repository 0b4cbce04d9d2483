// Package screen draws text on the cells of a terminal: canvases, themes, lists
// with a cursor, pages of lines, a prompt. It does not depend on images.
package screen

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// Grid is a frame that is being drawn. Show puts each of its cells on the screen
// once. tcell resends a cell after any change, even if a later change reverts it:
// clearing the screen before each frame would send all cells every time.
type Grid struct {
	W, h             int
	cells            []cell
	cursorX, cursorY int // -1 for none
}

// cell is one cell; its text is empty to the right of a wide character.
type cell struct {
	text  string
	style tcell.Style
}

// Begin blanks the grid and returns a canvas that covers it.
func (g *Grid) Begin(w, h int, th *Theme) Canvas {
	if g.W != w || g.h != h {
		g.W, g.h, g.cells = w, h, make([]cell, w*h)
	}
	for i := range g.cells {
		g.cells[i] = cell{" ", th.Text}
	}
	g.cursorX, g.cursorY = -1, -1
	return Canvas{g, 0, 0, w, h, th}
}

// put sets a cell, or two for a wide character. If it overwrites one half of a wide
// character, the other half becomes blank.
func (g *Grid) put(x, y, w int, text string, st tcell.Style) {
	if x < 0 || y < 0 || y >= g.h || x+w > g.W {
		return
	}
	i := y*g.W + x
	if g.cells[i].text == "" {
		g.cells[i-1].text = " "
	}
	if x+w < g.W && g.cells[i+w].text == "" {
		g.cells[i+w].text = " "
	}
	g.cells[i] = cell{text, st}
	for k := 1; k < w; k++ {
		g.cells[i+k] = cell{"", st}
	}
}

// Show puts the grid on the screen at x, y.
func (g *Grid) Show(s tcell.Screen, x, y int) {
	for i := range g.cells {
		if c := &g.cells[i]; c.text != "" {
			s.Put(x+i%g.W, y+i/g.W, c.text, c.style)
		}
	}
	if g.cursorX < 0 {
		s.HideCursor()
	} else {
		s.ShowCursor(x+g.cursorX, y+g.cursorY)
	}
}

// Canvas is a rectangle of a frame. Drawing on it does not change cells outside, and
// no text is interpreted: control characters in names of an image have no effect.
type Canvas struct {
	g          *Grid
	X, Y, W, H int
	Theme      *Theme
}

// Sub returns the rectangle of c at x, y, cut at the edges of c.
func (c Canvas) Sub(x, y, w, h int) Canvas {
	x, y = max(x, 0), max(y, 0)
	w, h = max(min(w, c.W-x), 0), max(min(h, c.H-y), 0)
	return Canvas{c.g, c.X + x, c.Y + y, w, h, c.Theme}
}

// Text draws s from column x of line y and returns the column after it. It cuts
// what doesn't fit, and never draws half of a wide character.
func (c Canvas) Text(x, y int, st tcell.Style, s string) int {
	if y < 0 || y >= c.H {
		return x
	}
	for s != "" && x < c.W {
		if b := s[0]; b >= ' ' && b < 0x7f && (len(s) == 1 || s[1] < 0x80) {
			if x >= 0 {
				c.g.put(c.X+x, c.Y+y, 1, s[:1], st)
			}
			x, s = x+1, s[1:]
			continue
		}
		g, rest, w, _ := uniseg.FirstGraphemeClusterInString(s, -1)
		if x+w > c.W {
			return x
		}
		if w > 0 && x >= 0 {
			c.g.put(c.X+x, c.Y+y, w, g, st)
		}
		x, s = x+w, rest
	}
	return x
}

// Short is like Text, but cuts s to w columns, with an ellipsis at the end.
func (c Canvas) Short(x, y, w int, st tcell.Style, s string) int {
	w = min(w, c.W-x)
	if w <= 0 {
		return x
	}
	if Width(s) <= w {
		return c.Text(x, y, st, s)
	}
	head, _ := Cut(s, w-Width(c.Theme.Glyph.Ellipsis))
	return c.Text(c.Text(x, y, st, head), y, st, c.Theme.Glyph.Ellipsis)
}

// Tail is like Text, but cuts s to w columns, with an ellipsis at the start. It suits
// paths, whose end says most.
func (c Canvas) Tail(x, y, w int, st tcell.Style, s string) int {
	w = min(w, c.W-x)
	if w <= 0 {
		return x
	}
	over := Width(s) - w
	if over <= 0 {
		return c.Text(x, y, st, s)
	}
	over += Width(c.Theme.Glyph.Ellipsis)
	for state := -1; s != "" && over > 0; {
		w := 0
		_, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		over -= w
	}
	return c.Text(c.Text(x, y, st, c.Theme.Glyph.Ellipsis), y, st, s)
}

// Right draws s so that it ends in the column before x.
func (c Canvas) Right(x, y int, st tcell.Style, s string) {
	c.Text(x-Width(s), y, st, s)
}

// Fill sets w cells of line y, from column x, to glyph.
func (c Canvas) Fill(x, y, w int, st tcell.Style, glyph string) {
	if y < 0 || y >= c.H {
		return
	}
	for end := min(x+w, c.W); x < end; x++ {
		c.g.put(c.X+x, c.Y+y, 1, glyph, st)
	}
}

// Tint changes the style of w cells of line y, from column x, but not their text.
func (c Canvas) Tint(x, y, w int, st tcell.Style) {
	if y < 0 || y >= c.H {
		return
	}
	end := min(x+w, c.W)
	for x = max(x, 0); x < end; x++ {
		if at := c.X + x; at < c.g.W && c.Y+y < c.g.h {
			c.g.cells[(c.Y+y)*c.g.W+at].style = st
		}
	}
}

// Clear blanks the whole canvas.
func (c Canvas) Clear() {
	for y := range c.H {
		c.Fill(0, y, c.W, c.Theme.Text, " ")
	}
}

// Bar draws a bar of good and bad, as shares of all, in at most w cells: good in
// full blocks, bad in light ones. A bar shorter than half a cell becomes a sliver in
// the style of the larger part. A part that is at least a twentieth of the bar gets
// at least one cell. Bar does not blank the cells after the bar.
func (c Canvas) Bar(x, y, w int, good, bad, all int64, goodStyle, badStyle tcell.Style) {
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
		c.Text(x, y, st, c.Theme.Glyph.sliver)
		return
	}
	light := share(bad, sum, total)
	if light == 0 && bad*20 >= sum && total > 1 {
		light = 1
	}
	if light == total && good*20 >= sum && total > 1 {
		light = total - 1
	}
	c.Fill(x, y, total-light, goodStyle, c.Theme.Glyph.Full)
	c.Fill(x+total-light, y, light, badStyle, c.Theme.Glyph.Light)
}

// Width returns the number of cells that s takes.
func Width(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// Cut splits s into the longest head that takes at most w cells, and the rest.
func Cut(s string, w int) (head, rest string) {
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

// Row prepares line y. If the cursor is there, it draws the cursor's background.
// It returns a function that adapts a style to that background.
func (c Canvas) Row(y int, cursor, focused bool) func(tcell.Style) tcell.Style {
	if !cursor {
		return func(s tcell.Style) tcell.Style { return s }
	}
	on := c.Theme.CursorAside
	if focused {
		on = c.Theme.Cursor
	}
	c.Fill(0, y, c.W, on(c.Theme.Text), " ")
	return on
}

// Cursor moves the terminal's cursor to column x of the first line.
func (c Canvas) Cursor(x int) { c.g.cursorX, c.g.cursorY = c.X+min(x, c.W-1), c.Y }
