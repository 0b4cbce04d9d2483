package ui

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// MouseHandler is tview's way in for the mouse: a click selects, a second one
// opens, a click on a triangle folds, the wheel scrolls what it is over.
func (u *ui) MouseHandler() func(tview.MouseAction, *tcell.EventMouse, func(tview.Primitive)) (bool, tview.Primitive) {
	return func(action tview.MouseAction, ev *tcell.EventMouse, _ func(tview.Primitive)) (bool, tview.Primitive) {
		x, y := ev.Position()
		switch action {
		case tview.MouseLeftDown:
			u.click(x, y, false)
		case tview.MouseLeftDoubleClick:
			u.click(x, y, true)
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

// spotAt is what was drawn last at a cell.
func (u *ui) spotAt(x, y int) (spot, bool) {
	for i := len(u.places) - 1; i >= 0; i-- {
		s := u.places[i]
		if x >= s.x && x < s.x+s.w && y >= s.y && y < s.y+s.h {
			return s, true
		}
	}
	return spot{}, false
}

func (u *ui) click(x, y int, twice bool) {
	s, ok := u.spotAt(x, y)
	if u.typing() {
		u.prompt = nil
	}
	if u.prompt != nil {
		return
	}
	if !ok {
		return
	}
	if len(u.over) > 0 {
		if o := u.over[len(u.over)-1]; s.pane < 0 && o.scroller().Click(y-s.body.Y) {
			if f, ok := o.(*filter); ok && !twice {
				f.toggle(f.At)
			}
		} else if s.pane >= 0 {
			u.escape() // a click beside a menu closes it
		}
		return
	}
	if y < s.body.Y {
		u.clickRule(s, x)
		return
	}
	u.setFocus(s.pane)
	line := y - s.body.Y
	head := 0
	switch {
	case s.pane == layersPane && s.body.H >= 4, s.pane == filesPane && s.body.H > 5:
		head = 1
	}
	switch u.place() {
	case inFiles:
		u.clickFile(x-s.body.X, line-head, s.body.W, twice)
	case inWaste:
		if u.waste.Click(line-head) && twice {
			u.enter()
		}
	case inLayers:
		if u.layers.Click(line - head) {
			u.followLayer()
			if twice {
				u.setFocus(filesPane)
			}
		}
	case inDetail:
		if u.detail.Click(line) && twice {
			u.follow()
		}
	}
}

// clickRule is a click on a pane's title: alone on the screen it has the names
// of all panes.
func (u *ui) clickRule(s spot, x int) {
	pane := s.pane
	if _, _, w, _ := u.GetRect(); w < narrow && w >= 36 {
		at := s.x + 1
		for p := range panes {
			end := at + len(u.paneName(p)) + 4
			if x >= at && x < end {
				pane = p
			}
			at = end + 1
		}
	}
	u.setFocus(pane)
}

func (u *ui) clickFile(x, line, w int, twice bool) {
	out := u.files.out
	if out == nil {
		if u.files.below != nil {
			u.files.below.Click(line)
		}
		return
	}
	if line < 0 {
		u.files.sortBy(x)
		return
	}
	if !out.Select(line) {
		return
	}
	r, ok := out.Cursor()
	switch {
	case !ok:
	case u.files.triangle(r, x, w):
		if !twice {
			out.Toggle()
		}
	case twice:
		u.enter()
	}
}

func (u *ui) wheel(x, y, n int) {
	s, ok := u.spotAt(x, y)
	switch {
	case u.viewer() != nil:
		u.viewer().scrollBy(n)
	case len(u.over) > 0:
		u.over[len(u.over)-1].scroller().Scroll(n)
	case !ok:
	case s.pane == layersPane:
		u.layers.Scroll(n)
		u.followLayer()
	case s.pane == detailPane:
		u.detail.Scroll(n)
	case u.showWaste:
		u.waste.Scroll(n)
	case u.files.out != nil:
		u.files.out.Scroll(n, u.files.h)
	case u.files.below != nil:
		u.files.below.Scroll(n)
	}
}
