package ui

import (
	"slices"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// MouseHandler takes mouse events from tview: a click selects, a double click
// opens, a click on a triangle folds, the wheel scrolls what is under it.
func (u *ui) MouseHandler() func(tview.MouseAction, *tcell.EventMouse, func(tview.Primitive)) (bool, tview.Primitive) {
	return func(action tview.MouseAction, ev *tcell.EventMouse, _ func(tview.Primitive)) (bool, tview.Primitive) {
		x, y := ev.Position()
		switch action {
		case tview.MouseMove, tview.MouseLeftUp:
			return u.drag(x, y, ev.Buttons()&tcell.Button1 == 0), nil
		case tview.MouseLeftDown:
			s, _ := u.spotAt(x, y)
			u.clicks.down(press{s.of, s.area.X, y})
			u.click(x, y, false)
		case tview.MouseLeftDoubleClick:
			if u.clicks.twice() {
				u.click(x, y, true)
			}
		case tview.MouseScrollUp:
			u.wheel(x, y, -3)
		case tview.MouseScrollDown:
			u.wheel(x, y, 3)
		default:
			return false, nil
		}
		return true, nil
	}
}

// clicks holds where the button was pressed, the last time and the time before. For
// tview, two quick clicks are a double click wherever they are.
type clicks [2]press

// press is the part of the screen that was hit, where that begins, and the line.
type press struct {
	of   part
	x, y int
}

func (p *clicks) down(at press) { p[0], p[1] = p[1], at }

// twice reports whether a double click hit the same line both times.
func (p *clicks) twice() bool { return p[0] == p[1] }

// spotAt returns the topmost spot at a cell.
func (u *ui) spotAt(x, y int) (spot, bool) {
	for _, s := range slices.Backward(u.spots) {
		if a := s.area; x >= a.X && x < a.X+a.W && y >= a.Y && y < a.Y+a.H {
			return s, true
		}
	}
	return spot{}, false
}

// drag moves what the mouse holds to a cell, and reports whether it holds something. At
// the end the button is no longer pressed.
func (u *ui) drag(x, y int, end bool) bool {
	s := u.held
	if end || s != nil && len(u.over) > 0 && s.of != part(u.top()) {
		u.held = nil
	}
	if s == nil || u.held == nil && !end {
		return false
	}
	s.drag(x, y)
	return true
}

func (u *ui) click(x, y int, twice bool) {
	s, ok := u.spotAt(x, y)
	u.held = nil
	defer u.arrive()
	u.looking = false
	if u.typing() {
		u.prompt.Key(tcell.NewEventKey(tcell.KeyEnter, 0, 0))
		u.prompt = nil
	}
	list, named := u.top().(*palette)
	switch {
	case named && ok && s.of == part(list):
		s.click(x-s.area.X, y-s.area.Y, twice)
	case named:
		list.done(false)
	case u.prompt != nil || !ok:
	case len(u.over) > 0 && s.of != part(u.top()):
		u.escape() // a click beside a menu closes it
	default:
		if s.drag != nil && !twice {
			u.held = &s
		}
		s.click(x-s.area.X, y-s.area.Y, twice)
	}
}

func (u *ui) wheel(x, y, n int) {
	u.clicks = clicks{} // another row is under the pointer
	if o := u.top(); o != nil {
		o.Scroll(n)
	} else if s, ok := u.spotAt(x, y); ok {
		s.of.Scroll(n)
		u.followLayer()
		u.arrive()
	}
}
