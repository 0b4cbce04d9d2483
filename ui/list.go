package ui

// list is a cursor over n rows and a window of h of them.
type list struct {
	n, h    int
	at, top int
}

// fit sets the number of rows and the height of the window, and brings cursor
// and window inside.
func (l *list) fit(n, h int) {
	l.n, l.h = n, max(h, 0)
	l.at = max(min(l.at, n-1), 0)
	l.top = min(l.top, l.at)
	if l.h > 0 {
		l.top = max(l.top, l.at-l.h+1)
	}
	l.top = max(min(l.top, n-l.h), 0)
}

func (l *list) move(n int) {
	l.at += n
	l.fit(l.n, l.h)
}

func (l *list) first() { l.move(-l.n) }
func (l *list) last()  { l.move(l.n) }

// scroll moves the window; the cursor stays inside it.
func (l *list) scroll(n int) {
	l.top = max(min(l.top+n, l.n-l.h), 0)
	l.at = max(min(l.at, l.top+l.h-1), l.top)
	l.fit(l.n, l.h)
}

// click puts the cursor on line y of the window; false when no row is there.
func (l *list) click(y int) bool {
	if y < 0 || y >= l.h || l.top+y >= l.n {
		return false
	}
	l.at = l.top + y
	return true
}
