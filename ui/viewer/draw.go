package viewer

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// Draw draws the window. There is no cursor, so the focus makes no difference.
func (v *Content) Draw(c screen.Canvas, _ bool) {
	v.h, v.w = c.H, c.W
	switch {
	case v.busy:
		c.Short(1, 0, c.W-2, c.Theme.Dim, fmt.Sprintf("reading; layer %d may have to be unpacked up to the file%s", v.layer, c.Theme.Glyph.Ellipsis))
		return
	case v.err != nil || v.rows.err != nil:
		err := v.err
		if err == nil {
			err = v.rows.err
		}
		p := screen.Page{Theme: c.Theme, W: c.W}
		p.Wrap(0, report.Safe(err.Error()), c.Theme.Alarm)
		n := min(len(p.Lines), max(c.H/2, 1))
		if v.rows.end == 0 {
			n = min(len(p.Lines), c.H)
		}
		for y, l := range p.Lines[:n] {
			c.Text(0, c.H-n+y, c.Theme.Alarm, l.Text())
		}
		c = c.Sub(0, 0, c.W, c.H-n)
		v.h = c.H
	case v.rows.end == 0 && v.size == 0:
		c.Text(1, 0, c.Theme.Dim, "the file is empty")
		return
	}
	if v.hex {
		v.drawHex(c)
	} else {
		v.drawText(c)
	}
}

// margin returns the width of the line numbers and the space next to them.
func (v *Content) margin() int {
	lines := v.index.lines + 1
	if v.index.done > 0 && v.index.done < v.size {
		lines = int64(float64(v.size) / float64(v.index.done) * float64(lines))
	}
	n := len(fmt.Sprint(lines)) + 2
	if v.w < n+11 {
		return 1
	}
	return n
}

func (v *Content) drawText(c screen.Canvas) {
	margin := v.margin()
	if v.wrap {
		v.fold.width = max(c.W-margin, 0)
		v.top = v.start(v.top)
	}
	v.top = min(v.top, v.lastTop())
	before, counted := v.index.before(&v.rows, v.top)
	at := v.top
	for y := 0; y < c.H && at < v.rows.end; y++ {
		next := v.next(at)
		fresh := at == 0 || string(v.rows.bytes(at-1, at)) == "\n"
		if counted && fresh && margin > 1 {
			c.Right(margin-1, y, c.Theme.Dim, fmt.Sprint(before+1))
		}
		v.drawLine(c.Sub(margin, y, c.W-margin, 1), at, next)
		if string(v.rows.bytes(next-1, next)) == "\n" {
			before++
		}
		at = next
	}
}

// drawLine draws a row of text, and then the styles of its syntax and hits. The text is drawn in
// one piece, so that no style can change it.
func (v *Content) drawLine(c screen.Canvas, from, to int64) {
	line := strings.TrimRight(string(v.rows.bytes(from, to)), "\r\n")
	drawTabbed(c, -v.left, -v.left, c.Theme.Text, line)
	v.tintSyntax(c, line, from)
	col := columns{line: line}
	for _, h := range v.find.within(from, to) {
		if col.x-v.left >= c.W {
			break
		}
		tint(c, &col, v.left, int(max(h.at-from, 0)), int(h.end()-from), v.foundStyle(c.Theme, h))
	}
}

// tint changes the style of a part of a line that is drawn left columns to the left.
func tint(c screen.Canvas, col *columns, left, from, to int, st tcell.Style) {
	x := col.at(from)
	c.Tint(x-left, 0, col.at(to)-x, st)
}

// columns finds the columns of offsets in a line. They are asked for in order.
type columns struct {
	line string
	i, x int // an offset, and its column
}

// at returns the column of offset i. The text before i may have another width where
// it ends than in the whole line: only where a character and an escape can't begin
// does at go on from i.
func (c *columns) at(i int) int {
	i = min(i, len(c.line))
	x := c.x + textWidth(c.x, c.line[c.i:i])
	const far = 256 // a column that is wrong is better than a frame that takes long
	if i == len(c.line) || i-c.i > far || i > 0 && plain(c.line[i-1]) && plain(c.line[i]) {
		c.i, c.x = i, x
	}
	return x
}

// plain reports whether b is a character by itself, and no escape depends on it.
func plain(b byte) bool { return b == '\t' || b >= ' ' && b < 0x7f && b != '\\' && b != '#' }

func (v *Content) foundStyle(th *screen.Theme, h hit) tcell.Style {
	if v.find.current(h) {
		return th.Cursor(th.Found)
	}
	return th.Found
}

// drawTabbed draws text of a row that begins at column zero; tab stops are every
// eight columns from there.
func drawTabbed(c screen.Canvas, x, zero int, st tcell.Style, s string) int {
	for i, part := range strings.Split(s, "\t") {
		if i > 0 {
			n := 8 - (x-zero)%8
			c.Text(x, 0, st, "        "[:n])
			x += n
		}
		if x >= c.W {
			return x
		}
		x = c.Text(x, 0, st, report.Safe(part))
	}
	return x
}

// textWidth returns how many columns s takes if it starts at column x.
func textWidth(x int, s string) int {
	from := x
	for i, part := range strings.Split(s, "\t") {
		if i > 0 {
			x += 8 - x%8
		}
		x += screen.Width(report.Safe(part))
	}
	return x - from
}

func (v *Content) drawHex(c screen.Canvas) {
	v.per = 16
	switch {
	case c.W < 44:
		v.per = 4
	case c.W < 77:
		v.per = 8
	}
	v.top = min(v.top-v.top%v.per, v.lastTop())
	for y := range c.H {
		at := v.top + int64(y)*v.per
		if at < v.rows.end {
			v.drawBytes(c, y, at)
		}
	}
}

func (v *Content) drawBytes(c screen.Canvas, y int, at int64) {
	b := v.rows.bytes(at, at+v.per)
	hits := v.find.within(at, at+v.per)
	style := func(i int, st tcell.Style) tcell.Style {
		for _, h := range hits {
			if x := at + int64(i); x >= h.at && x < h.end() {
				return v.foundStyle(c.Theme, h)
			}
		}
		return st
	}
	x := c.Text(1-v.left, y, c.Theme.Dim, fmt.Sprintf("%08x ", at))
	for j := range int(v.per) {
		if j%8 == 0 {
			x++
		}
		if j < len(b) {
			st := c.Theme.Text
			if b[j] == 0 {
				st = c.Theme.Dim
			}
			c.Text(x, y, style(j, st), fmt.Sprintf("%02x", b[j]))
		}
		x += 3
	}
	x++
	for j, ch := range b {
		st := c.Theme.Text
		if ch < ' ' || ch >= 0x7f {
			ch, st = '.', c.Theme.Dim
		}
		x = c.Text(x, y, style(j, st), string(rune(ch)))
	}
}
