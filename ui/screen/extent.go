package screen

import "fmt"

// Extent is which part of a list its window shows. Rows may be counted in any unit.
type Extent struct {
	Top, H, N int    // the first row of the window, how many rows it has, and all rows
	Says      string // where the cursor is, as in "12/30"; "" for nothing
}

// Over reports whether there are more rows than the window shows.
func (e Extent) Over() bool { return e.H > 0 && e.N > e.H }

// Scrollbar draws on the only column of c which part of a list is shown. It draws
// nothing for a list that is shown whole.
func (c Canvas) Scrollbar(e Extent, focused bool) {
	if !e.Over() {
		return
	}
	st := c.Theme.Dim
	if focused {
		st = c.Theme.Accent
	}
	n := max(c.H*e.H/e.N, 1)
	from := int(float64(c.H-n)*float64(e.Top)/float64(e.N-e.H) + 0.5)
	for y := from; y < from+n; y++ {
		c.Text(0, y, st, c.Theme.Glyph.Thumb)
	}
}

// Extent returns which rows the window shows, and the row of the cursor. Without a
// cursor the last row of the window stands for it. Lines of text and lists without a
// cursor have a position only if the window does not show all rows.
func (l *List) Extent() Extent {
	e := Extent{Top: l.Top, H: l.H, N: l.N}
	at := l.At + 1
	if l.NoCursor {
		at = min(l.Top+l.H, l.N)
	}
	if l.N > 0 && !l.text && !l.NoCursor || e.Over() {
		e.Says = fmt.Sprintf("%d/%d", at, l.N)
	}
	return e
}

// Jump goes to the row that is as far down the list as line y is of h lines.
func (l *List) Jump(y, h int) {
	if l.NoCursor {
		l.Scroll(Far(y, h, l.N-l.H+1) - l.Top)
		return
	}
	l.At = Far(y, h, l.N)
	l.Fit(l.N, l.H)
}

// Far returns the index that is as far down n rows as line y is of h lines: the first
// one for the first line, the last one for the last line.
func Far(y, h, n int) int {
	y = max(min(y, h-1), 0)
	if h < 2 || n < 1 {
		return 0
	}
	return int(float64(y)/float64(h-1)*float64(n-1) + 0.5)
}
