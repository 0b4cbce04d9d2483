package ui

import (
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/screen"
)

// part handles keys: it is a pane, or an overlay over the panes.
type part interface {
	place() place // says which rows of the key table apply
	Title() string
	Note() string // returns what its title says in addition
	Draw(c screen.Canvas, focused bool)
	Move(n int)    // the cursor, by rows
	Page(n int)    // by halves of the window
	End(last bool) // to the first row or the last one
	Scroll(n int)  // the window, by rows
	Jump(y, h int) // to the row that is as far down as line y is of h lines
	Extent() screen.Extent
	// click is a click on column x and line y of what was drawn last; twice for
	// the second one.
	click(x, y int, twice bool)
	Status() (where, state string) // what the bottom line says: what the cursor is on, how the rows are chosen
	target() (target, bool)        // the path under the cursor; false for none
	copies() string                // what y copies; "" for nothing
}

// pane is a part of the screen that is always there, or a tab on its right side.
type pane interface {
	part
	about() string // what its details are of: "of the layer"
	// details describes what is under the cursor, and returns something that
	// is different for another row.
	details(p *screen.Page) any
	follow() // shows what is selected now
}

// listing is a pane that takes the room of its rows.
type listing interface {
	pane
	rowCount() int
}

// overlay is something that lies over the panes until it is closed.
type overlay interface {
	part
	size() (w, h int) // 0 is all there is
	shut() bool       // ends what it does; false when it stays until that has ended
}

// seeker is a pane whose rows can be searched.
type seeker interface {
	pane
	paths() *filetree.Tree      // that are searched; nil if sift searches the rows itself
	scope() outline.Scope       // which of them, unless all layers are
	bookmark() func()           // what it returns goes back to where things are now
	sift()                      // finds its rows among the hits
	hit(forward, here bool)     // goes to the next one or the one before; here: the row under the cursor will do
	found() (n int, say string) // how many there are, in words
	nth() int                   // which of them the cursor is on, from 1 and as rows follow; 0 for none
}

// limiter is a seeker whose rows can be limited to those that match.
type limiter interface {
	seeker
	restrict() // lists the rows again, after the user has turned that on or off
}

// partial is a pane that can show only some of its rows.
type partial interface {
	pane
	only() string // says which; "" if it shows all
}

// selection holds what the user has chosen to see of the layers.
type selection struct {
	layer  int
	marked int  // another layer to compare with; -1 for none
	whole  bool // everything up to the layer, not only what it changed
}

// span is what is compared: after layer from, and after layer to. It is one
// layer, unless another one is marked.
func (s selection) span() (from, to int) {
	if !s.compares() {
		return s.layer - 1, s.layer
	}
	return min(s.marked, s.layer), max(s.marked, s.layer)
}

// compares reports whether two layers are compared.
func (s selection) compares() bool { return s.marked >= 0 && s.marked != s.layer }

// target is a path, and the layers after which it was and is shown.
type target struct {
	node     filetree.Node
	from, to int
}

// none has empty methods, for parts that don't need all of them.
type none struct{}

func (none) Note() string                  { return "" }
func (none) click(int, int, bool)          {}
func (none) Status() (where, state string) { return "", "" }
func (none) target() (target, bool)        { return target{}, false }
func (none) copies() string                { return "" }
func (none) details(*screen.Page) any      { return nil }
func (none) follow()                       {}
func (none) size() (w, h int)              { return 0, 0 }
func (none) shut() bool                    { return true }

// blank is a pane that only says why it is empty.
type blank struct {
	screen.List
	none
	write func(p *screen.Page)
}

func (b *blank) place() place  { return inFiles }
func (b *blank) Title() string { return "Files" }
func (b *blank) about() string { return "of the file" }

func (b *blank) Draw(c screen.Canvas, _ bool) {
	p := &screen.Page{Theme: c.Theme, W: c.W}
	b.write(p)
	screen.DrawLines(c, &b.List, p.Lines, false)
}

// layout is the panes: layers above their details, and on the right one of the
// tabs.
type layout struct {
	first   listing // above the details: layers, or those of two images
	layers  *layers
	detail  *detail
	tabs    []pane // the first one is what esc goes back to
	tab     int
	focus   int
	subject int    // the pane that the details are about
	leaves  func() // runs before another tab comes to the front
	upper   int    // layers or details: above the tabs where there is room for one of them
	split   split
	zoomed  bool // the pane with the focus fills the screen
}

// Where panes are.
const (
	layersPane = iota
	detailPane
	rightPane
	panes
)

// pane returns pane i. On the right that is the tab in front.
func (l *layout) pane(i int) pane {
	return [panes]pane{l.first, l.detail, l.right()}[i]
}

func (l *layout) right() pane { return l.tabs[l.tab] }

// setFocus goes to a pane.
func (l *layout) setFocus(i int) {
	l.focus = (i + panes) % panes
	if l.focus != detailPane {
		l.subject = l.focus
	}
	if l.focus != rightPane {
		l.upper = l.focus
	}
}

// show brings a tab to the front.
func (l *layout) show(tab int) {
	if tab != l.tab {
		l.leaves()
	}
	l.tab = tab
	l.right().follow()
}

// tabTo brings a tab to the front and goes to it.
func (l *layout) tabTo(tab int) {
	l.show(tab)
	l.setFocus(rightPane)
}

// toggle goes to a tab, or from there to the first one.
func (l *layout) toggle(tab int) {
	if l.tab == tab && l.focus == rightPane {
		tab = 0
	}
	l.tabTo(tab)
}

// paneOf is the pane of a type, and its tab; false where this screen has none.
func paneOf[P pane](l *layout) (p P, tab int, ok bool) {
	for i, t := range append([]pane{l.first, l.detail}, l.tabs...) {
		if p, ok := t.(P); ok {
			return p, i - 2, true
		}
	}
	return p, -1, false
}

// the is a key's action on the pane of a type, wherever the keys are. The key
// does nothing where there is no such pane.
func the[P pane](do func(P)) func(*ui) {
	return func(u *ui) {
		if p, _, ok := paneOf[P](&u.layout); ok {
			do(p)
		}
	}
}

// on is a key's action on the part that has the keys, when it is of a type.
func on[P part](do func(P)) func(*ui) {
	return func(u *ui) {
		if p, ok := u.on().(P); ok {
			do(p)
		}
	}
}

// tab is a key's action that brings the tab of a type to the front and back.
func tab[P pane](u *ui) {
	if _, i, ok := paneOf[P](&u.layout); ok {
		u.toggle(i)
	}
}
