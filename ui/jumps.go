package ui

import (
	"fathom/ui/screen"
)

// position is where the user is: the tab in front, what is selected, which files are
// shown, and the rows under the cursors.
type position struct {
	tab, focus, subject int
	sel                 selection
	part                string // the name of the only files that are shown
	first, rows         window // of the pane above the details, and of the tab
	detail              screen.List
	of                  any      // what the details describe
	back                []func() // restore the files and the rows of the tab
}

// window is the row under a cursor, and the first one on the screen.
type window struct{ at, top int }

// jumps is the history of positions that the user has left with a jump: anything but
// moving a cursor, folding, and going to another pane.
type jumps struct {
	behind, ahead []position // the last one is the nearest
	from          *position  // what the action that runs leaves; nil if it has not jumped
	shown         bool       // it goes to a path in the tree
	returns       bool       // the last action did so from another tab: esc goes back
}

// mostJumps is how many positions can be gone back to.
const mostJumps = 100

// here returns where the user is.
func (u *ui) here() position {
	p := position{tab: u.tab, focus: u.focus, subject: u.subject, sel: u.sel, detail: u.detail.List, of: u.detail.of}
	p.first = windowOf(u.first)
	p.rows = windowOf(u.right())
	if in, ok := u.right().(seeker); ok {
		p.back = append(p.back, in.bookmark())
	}
	if f, tab, ok := paneOf[*files](&u.layout); ok {
		p.part = f.part.name
		if tab != u.tab {
			p.back = append(p.back, f.bookmark())
		}
		if r, ok := f.out.Cursor(); ok && u.tab == 0 {
			p.rows.at = int(r.Node)
		}
	}
	return p
}

// windowOf returns the window of a list; the zero value for anything else.
func windowOf(p pane) (w window) {
	if l, ok := p.(interface{ Window() (at, top int) }); ok {
		w.at, w.top = l.Window()
	}
	return w
}

// is reports whether two positions show the same rows.
func (p *position) is(o *position) bool {
	return p.tab == o.tab && p.sel == o.sel && p.first.at == o.first.at && p.rows.at == o.rows.at && p.part == o.part
}

// leave notes where the user is, before the first change of an action that jumps.
func (u *ui) leave() {
	if u.jumps.from == nil {
		p := u.here()
		u.jumps.from = &p
	}
}

// arrive ends an action: the position that it has left can be gone back to.
func (u *ui) arrive() {
	j := &u.jumps
	if u.prompt != nil {
		return // what is typed into it is one action
	}
	j.returns = j.from != nil && j.shown && j.from.tab != u.tab
	if j.from != nil {
		u.left(*j.from)
	}
	j.from, j.shown = nil, false
}

// left adds a position to those that the user can go back to.
func (u *ui) left(p position) {
	j := &u.jumps
	if n := len(j.behind); n > 0 && j.behind[n-1].is(&p) {
		j.behind = j.behind[:n-1]
	}
	if len(j.behind) == mostJumps {
		j.behind = append(j.behind[:0], j.behind[1:]...)
	}
	j.behind, j.ahead = append(j.behind, p), nil
}

// jumpBack goes to where the user was before the last jump.
func (u *ui) jumpBack() {
	if !u.travel(&u.jumps.behind, &u.jumps.ahead) {
		u.note = "there is no jump to go back from"
	}
}

// jumpForward undoes jumpBack.
func (u *ui) jumpForward() {
	if !u.travel(&u.jumps.ahead, &u.jumps.behind) {
		u.note = "there is no jump to go forward to"
	}
}

// travel goes to the last of the positions from that is not the present one, and adds
// the present one to the others. It reports whether there was one.
func (u *ui) travel(from, to *[]position) bool {
	now := u.here()
	for n := len(*from); n > 0; n = len(*from) {
		p := (*from)[n-1]
		*from = (*from)[:n-1]
		if !p.is(&now) {
			*to = append(*to, now)
			u.restore(p)
			if f, ok := u.right().(*files); ok {
				f.unhide(p)
			}
			u.jumps.from = nil // this is not another jump
			return true
		}
	}
	return false
}

// restore goes to a position.
func (u *ui) restore(p position) {
	moved := u.sel != p.sel || u.tab != p.tab
	u.sel = p.sel
	u.tab, u.focus, u.subject = p.tab, p.focus, p.subject
	setWindow(u.first, p.first)
	if s, ok := u.layers.current(); !ok || s.layer >= 0 && s.layer != p.sel.layer {
		u.layers.choose(p.sel.layer)
	}
	u.detail.List, u.detail.of = p.detail, p.of
	if moved { // otherwise a search would start again
		u.right().follow()
	}
	setWindow(u.right(), p.rows)
	for _, back := range p.back {
		back()
	}
}

// setWindow puts the cursor of a list on a row.
func setWindow(p pane, w window) {
	if l, ok := p.(interface{ SetWindow(at, top int) }); ok {
		l.SetWindow(w.at, w.top)
	}
}

// unhide removes what hides the row that the cursor was on at a position.
func (f *files) unhide(p position) {
	r, ok := f.out.Cursor()
	if ok && int(r.Node) == p.rows.at || !f.u.search.only {
		return
	}
	f.u.search.only = false
	f.restrict()
	f.u.restore(p)
}
