package ui

import (
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// dockerColumns are the columns of a row.
type dockerColumns struct{ number, stored, visible, wasted, found, text screen.Column }

func fitDockerfile(w, lines int) dockerColumns {
	right := func(w int) screen.Column { return screen.Column{W: w, Right: true} }
	c := dockerColumns{number: right(len(strconv.Itoa(lines)) + 2), stored: right(9), visible: right(9), wasted: right(9), found: right(10)}
	if w < 110 {
		c.visible.W = 0
	}
	if w < 70 {
		c.found.W = 0
	}
	if w < 45 {
		c.wasted.W = 0
	}
	if w < 30 {
		c.stored.W = 0
	}
	c.text.X = 1 + screen.Place(0, &c.number, &c.stored, &c.visible, &c.wasted, &c.found)
	c.text.W = w - c.text.X
	return c
}

func (d *dockerfile) Draw(c screen.Canvas, focused bool) {
	cols := fitDockerfile(c.W, len(d.lines))
	c = d.Head(c, c.H > 5, func() {
		for _, h := range []struct {
			col  screen.Column
			name string
		}{{cols.stored, "stored"}, {cols.visible, "visible"}, {cols.wasted, "wasted"}, {cols.found, "findings"}} {
			if h.col.W > 0 {
				c.Cell(h.col, 0, c.Theme.Dim, h.name)
			}
		}
	})
	found := d.findings()
	d.List.Draw(c, len(d.lines), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		l := &d.lines[i]
		c.Cell(cols.number, y, on(c.Theme.Dim), strconv.Itoa(i+1))
		if len(l.layers) > 0 {
			sum := d.sum(l)
			d.cost(c, cols.stored, y, on(c.Theme.Text), sum.StoredBytes)
			d.cost(c, cols.visible, y, on(c.Theme.Visible), sum.VisibleBytes)
			d.cost(c, cols.wasted, y, on(c.Theme.Wasted), sum.WastedBytes)
		}
		if n := found[i]; n > 0 && cols.found.W > 0 {
			c.Cell(cols.found, y, on(c.Theme.Alarm), strconv.Itoa(n))
		}
		d.drawText(c, cols.text.X, y, l, on)
	})
}

func (d *dockerfile) cost(c screen.Canvas, col screen.Column, y int, st tcell.Style, bytes int64) {
	if col.W > 0 {
		c.Cell(col, y, st, report.Size(bytes))
	}
}

// drawText draws a line with colours: comments, the word of an instruction, its flags,
// quoted text and variables.
func (d *dockerfile) drawText(c screen.Canvas, x, y int, l *dockerLine, on func(tcell.Style) tcell.Style) {
	th, start := c.Theme, x
	for _, w := range dockerTokens(l) {
		st := th.Text
		switch w.kind {
		case tokenComment:
			st = th.Dim
		case tokenWord:
			st = th.Accent
		case tokenFlag:
			st = th.Dir
		case tokenQuoted:
			st = th.Added
		case tokenVariable:
			st = th.Link
		}
		if x < c.W {
			x = c.Short(x, y, c.W-x, on(st), w.text)
		}
	}
	d.u.search.highlight(c, start, x, y, l.text, on)
}

// dockerToken is a piece of a line that has a colour of its own.
type dockerToken struct {
	text string
	kind tokenKind
}

type tokenKind uint8

const (
	tokenText tokenKind = iota
	tokenComment
	tokenWord
	tokenFlag
	tokenQuoted
	tokenVariable
)

func dockerTokens(l *dockerLine) []dockerToken {
	if l.kind == commentLine {
		return []dockerToken{{l.text, tokenComment}}
	}
	var out []dockerToken
	text := l.text
	if l.kind == instructionLine {
		n := len(text) - len(strings.TrimLeft(text, " "))
		end := n + len(text[n:])
		if k := strings.IndexByte(text[n:], ' '); k >= 0 {
			end = n + k
		}
		out, text = append(out, dockerToken{text[:end], tokenWord}), text[end:]
	}
	for text != "" {
		kind, n := tokenText, 0
		switch {
		case text[0] == '"' || text[0] == '\'':
			kind, n = tokenQuoted, quoted(text)
		case text[0] == '$':
			kind, n = tokenVariable, 1+len(text[1:])-len(strings.TrimLeft(text[1:], "{}_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-"))
		case strings.HasPrefix(text, "--") && (len(out) == 0 || strings.HasSuffix(out[len(out)-1].text, " ") || out[len(out)-1].kind == tokenWord):
			kind, n = tokenFlag, strings.IndexByte(text+" ", ' ')
		default:
			n = 1 + strings.IndexAny(text[1:]+"$", `"'$ `)
			if text[0] == ' ' {
				n = len(text) - len(strings.TrimLeft(text, " "))
			}
		}
		n = max(min(n, len(text)), 1)
		out, text = append(out, dockerToken{text[:n], kind}), text[n:]
	}
	return out
}

// quoted returns the length of the quoted text that s begins with: all of s if it goes
// on in the next line.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i + 1
		case s[i] == '\\' && s[0] == '"':
			i++
		}
	}
	return len(s)
}
