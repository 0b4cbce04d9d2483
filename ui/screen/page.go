package screen

import (
	"strings"

	"github.com/gdamore/tcell/v2"
)

// Span is text in one style.
type Span struct {
	Text  string
	Style tcell.Style
}

// Line is one line of the details and the overlays.
type Line struct {
	Spans []Span
	Link  int    // the target of enter; -1 for none
	Value string // the text that y copies; "" for the text of the line
	Go    func() // what enter does instead, unless it is nil
}

// Text returns the text of the line.
func (l Line) Text() string {
	var b strings.Builder
	for _, s := range l.Spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Page is text that is written line by line.
type Page struct {
	Theme *Theme
	W     int
	Lines []Line
}

func (p *Page) Add(link int, value string, spans ...Span) {
	p.Lines = append(p.Lines, Line{Spans: spans, Link: link, Value: value})
}

func (p *Page) Blank() { p.Add(-1, "") }

// Title adds a line in bold.
func (p *Page) Title(s string) { p.Wrap(0, s, p.Theme.Strong) }

// Wrap adds s, wrapped to the width of the page, at spaces if possible.
func (p *Page) Wrap(left int, s string, st tcell.Style) {
	value := s
	w := max(p.W-left-2, 4)
	for {
		head, rest := Cut(s, w)
		if head == "" && rest != "" { // a single character is wider than the page
			return
		}
		if rest != "" && rest[0] != ' ' {
			if i := strings.LastIndexByte(head, ' '); i > len(head)/3 {
				head, rest = s[:i], s[i+1:]
			}
		}
		p.Add(-1, value, Span{strings.Repeat(" ", left+1), st}, Span{strings.TrimRight(head, " "), st})
		if s = strings.TrimLeft(rest, " "); s == "" {
			return
		}
	}
}

// Field adds a name and its value. The value wraps next to the name, or below it on a
// narrow page.
func (p *Page) Field(name, value string, st tcell.Style) {
	const left = 12
	if value == "" {
		return
	}
	if p.W < 32 {
		p.Add(-1, value, Span{" " + name, p.Theme.Dim})
		p.Wrap(2, value, st)
		return
	}
	from := len(p.Lines)
	p.Wrap(left, value, st)
	p.Lines[from].Spans[0] = Span{" " + name + strings.Repeat(" ", max(left-len(name), 1)), p.Theme.Dim}
}

// DrawLines draws the lines in the window of the list, with a cursor only if the list
// has the focus.
func DrawLines(c Canvas, l *List, lines []Line, focused bool) {
	l.text = true
	l.Fit(len(lines), c.H)
	for y := 0; y < c.H && l.Top+y < len(lines); y++ {
		x, on := 0, c.Row(y, focused && !l.NoCursor && l.Top+y == l.At, true)
		for _, s := range lines[l.Top+y].Spans {
			x = c.Text(x, y, on(s.Style), s.Text)
		}
	}
}

// Explain adds a key or a sign, and its meaning.
func (p *Page) Explain(name, says string) {
	const left = 20
	if p.W < 40 {
		p.Wrap(1, name+": "+says, p.Theme.Text)
		return
	}
	from := len(p.Lines)
	p.Wrap(left, says, p.Theme.Text)
	p.Lines[from].Spans[0] = Span{"  " + name + strings.Repeat(" ", max(left-1-Width(name), 1)), p.Theme.Accent}
}

// Beside puts blocks of lines into two columns of about the same length, the
// second one w cells to the right.
func Beside(w int, groups [][]Line) []Line {
	total := 0
	for _, g := range groups {
		total += len(g)
	}
	var left, right []Line
	for _, g := range groups {
		if len(right) == 0 && len(left)+len(g)/2 <= total/2 {
			left = append(left, g...)
		} else {
			right = append(right, g...)
		}
	}
	for len(left) < len(right) {
		left = append(left, Line{Link: -1})
	}
	for i, r := range right {
		pad := Span{Text: strings.Repeat(" ", max(w-Width(left[i].Text()), 0))}
		left[i].Spans = append(append(left[i].Spans, pad), r.Spans...)
	}
	return left
}
