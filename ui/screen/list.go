package screen

// list is a cursor over n rows and a window of h of them.
type List struct {
	N, H    int
	At, Top int
}

// fit sets the number of rows and the height of the window, and brings cursor
// and window inside.
func (l *List) Fit(n, h int) {
	l.N, l.H = n, max(h, 0)
	l.At = max(min(l.At, n-1), 0)
	l.Top = min(l.Top, l.At)
	if l.H > 0 {
		l.Top = max(l.Top, l.At-l.H+1)
	}
	l.Top = max(min(l.Top, n-l.H), 0)
}

func (l *List) Move(n int) {
	l.At += n
	l.Fit(l.N, l.H)
}

func (l *List) First() { l.Move(-l.N) }
func (l *List) Last()  { l.Move(l.N) }

// scroll moves the window; the cursor stays inside it.
func (l *List) Scroll(n int) {
	l.Top = max(min(l.Top+n, l.N-l.H), 0)
	l.At = max(min(l.At, l.Top+l.H-1), l.Top)
	l.Fit(l.N, l.H)
}

// click puts the cursor on line y of the window; false when no row is there.
func (l *List) Click(y int) bool {
	if y < 0 || y >= l.H || l.Top+y >= l.N {
		return false
	}
	l.At = l.Top + y
	return true
}
