package ui

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
)

// span is text in one style.
type span struct {
	text  string
	style tcell.Style
}

// line is one line of the details and the overlays.
type line struct {
	spans []span
	layer int    // enter goes there; -1 for nowhere
	value string // what y copies; "" is the text itself
}

// text is the line without styles.
func (l line) text() string {
	var b strings.Builder
	for _, s := range l.spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// page is text that was made of pieces: a list of lines.
type page struct {
	th    *theme
	w     int
	lines []line
}

func (p *page) add(layer int, value string, spans ...span) {
	p.lines = append(p.lines, line{spans, layer, value})
}

func (p *page) blank() { p.add(-1, "") }

// title is a line that stands out.
func (p *page) title(s string) { p.wrap(0, s, p.th.strong) }

// wrap adds s, broken where it is too wide, at spaces where there are some.
func (p *page) wrap(left int, s string, st tcell.Style) {
	value := s
	w := max(p.w-left-2, 4)
	for {
		head, rest := cut(s, w)
		if head == "" && rest != "" { // one character wider than the page
			return
		}
		if rest != "" && rest[0] != ' ' {
			if i := strings.LastIndexByte(head, ' '); i > len(head)/3 {
				head, rest = s[:i], s[i+1:]
			}
		}
		p.add(-1, value, span{strings.Repeat(" ", left+1), st}, span{strings.TrimRight(head, " "), st})
		if s = strings.TrimLeft(rest, " "); s == "" {
			return
		}
	}
}

// field adds a name and its value; the value wraps beside the name, or below it
// where there is little room.
func (p *page) field(name, value string, st tcell.Style) {
	const left = 12
	if value == "" {
		return
	}
	if p.w < 32 {
		p.add(-1, value, span{" " + name, p.th.dim})
		p.wrap(2, value, st)
		return
	}
	from := len(p.lines)
	p.wrap(left, value, st)
	p.lines[from].spans[0] = span{" " + name + strings.Repeat(" ", max(left-len(name), 1)), p.th.dim}
}

// drawLines draws a list of lines with a cursor when there is one.
func drawLines(c canvas, l *list, lines []line, focused bool) {
	l.fit(len(lines), c.h)
	for y := 0; y < c.h && l.top+y < len(lines); y++ {
		on := func(s tcell.Style) tcell.Style { return s }
		if focused {
			on = onLine(c, y, l.top+y == l.at, true)
		}
		x := 0
		for _, s := range lines[l.top+y].spans {
			x = c.text(x, y, on(s.style), s.text)
		}
	}
}

// words is a command's words as one line.
func words(ws []string) string {
	safe := make([]string, len(ws))
	for i, w := range ws {
		safe[i] = report.Safe(w)
		if w == "" || strings.ContainsAny(w, " \t\n\"'") {
			safe[i] = `"` + safe[i] + `"`
		}
	}
	return strings.Join(safe, " ")
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

func itoa(n int) string { return strconv.Itoa(n) }
