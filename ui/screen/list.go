package screen

import "github.com/gdamore/tcell/v2"

// List is a list of rows with a cursor, and the window of rows on the screen.
type List struct {
	N, H     int  // rows, and how many of them the window has
	At, Top  int  // the row under the cursor, the first one of the window
	NoCursor bool // moving scrolls
	head     int  // lines above the window in the last frame
	text     bool // its rows are lines of text, not items
}

// Seek moves the cursor to the next of n rows for which is returns true, or to the
// previous one. It goes on at the other end. With here, the row of the cursor counts.
func (l *List) Seek(n int, forward, here bool, is func(row int) bool) {
	step := 1
	if !forward {
		step = n - 1
	}
	at := l.At
	if !here {
		at += step
	}
	for range n {
		at %= n
		if is(at) {
			l.At = at
			l.Fit(n, l.H)
			return
		}
		at += step
	}
}

// Fit sets the number of rows and the height of the window, and moves cursor and
// window to valid positions.
func (l *List) Fit(n, h int) {
	l.N, l.H = n, max(h, 0)
	l.At = max(min(l.At, n-1), 0)
	l.Top = min(l.Top, l.At)
	if l.H > 0 {
		l.Top = max(l.Top, l.At-l.H+1)
	}
	l.Top = max(min(l.Top, n-l.H), 0)
}

// Window returns the row under the cursor and the first row of the window.
func (l *List) Window() (at, top int) { return l.At, l.Top }

// SetWindow puts the cursor on a row, and the window where its first row is top.
func (l *List) SetWindow(at, top int) {
	l.At, l.Top = at, top
	l.Fit(l.N, l.H)
}

// Move moves the cursor by n rows.
func (l *List) Move(n int) {
	if l.NoCursor {
		l.Scroll(n)
		return
	}
	l.At += n
	l.Fit(l.N, l.H)
}

// Page moves cursor and window by n halves of the window.
func (l *List) Page(n int) {
	n *= max(l.H/2, 1)
	l.Scroll(n)
	if !l.NoCursor {
		l.Move(n)
	}
}

// End moves the cursor to the first row or the last one.
func (l *List) End(last bool) {
	if last {
		l.Move(l.N)
	} else {
		l.Move(-l.N)
	}
}

// Scroll moves the window; the cursor stays inside it.
func (l *List) Scroll(n int) {
	l.Top = max(min(l.Top+n, l.N-l.H), 0)
	l.At = max(min(l.At, l.Top+l.H-1), l.Top)
	l.Fit(l.N, l.H)
}

// Click puts the cursor on the row in line y of the last frame. It returns false if
// there is no row.
func (l *List) Click(y int) bool {
	y -= l.head
	if y < 0 || y >= l.H || l.Top+y >= l.N {
		return false
	}
	l.At = l.Top + y
	return true
}

// Head calls draw for the line above the rows if there is room for it, and returns
// the canvas of the rows.
func (l *List) Head(c Canvas, room bool, draw func()) Canvas {
	if !room {
		return l.Below(c, 0)
	}
	draw()
	return l.Below(c, 1)
}

// Below returns the canvas of the rows, below n other lines.
func (l *List) Below(c Canvas, n int) Canvas {
	l.head = n
	return c.Sub(0, n, c.W, c.H-n)
}

// Draw draws the rows of the window; the list has n rows. The function row draws row i
// on line y. Its parameter on adds the background of the cursor to a style, in the
// cursor's row.
func (l *List) Draw(c Canvas, n int, focused bool, row func(y, i int, on func(tcell.Style) tcell.Style)) {
	l.Fit(n, c.H)
	for y := 0; y < c.H && l.Top+y < n; y++ {
		row(y, l.Top+y, c.Row(y, !l.NoCursor && l.Top+y == l.At, focused))
	}
}
