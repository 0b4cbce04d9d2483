package ui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/inspect"
	"fathom/analyzer/packages"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// doer does things outside of the UI.
type doer interface {
	work(func(context.Context) func()) // runs it in the background, and what it returns in the UI
	last(func(context.Context) func()) // like work, but the program waits for its end
	pager(open func(context.Context) (io.ReadCloser, error)) error
	copy(text string) string // returns a note about where the text went; "" if it can't copy
	suspend()
	quit()
	leave() // quits, or goes back to the list that the image was chosen from
	giveUp()
}

// image is what a saved report doesn't have: tree, content, names of owners, packages
// by file.
type image struct {
	*analyzer.Analysis
	owners   owners
	packages *packages.Packages // nil while unknown
}

// ui is the root of the screen: the panes, the overlays, and the user's choices.
type ui struct {
	*tview.Box
	setup
	layout
	bottom
	drawn
	do     doer
	rep    *facts.Report
	img    *image          // nil for a saved report
	two    *comparison     // nil unless two images are compared
	lacks  map[need]string // why this screen can't do what keys need
	notes  []string        // how the image was read
	sel    selection
	search search
	jumps  jumps
	recent []string  // names of commands, the last one first
	over   []overlay // the innermost last
	clicks
	fixes fixes
	viewing
	// goTo shows a path as of a layer, in the tree if there is one.
	goTo func(n filetree.Node, layer int, whole bool)
}

// bottom holds texts that replace the usual bottom line.
type bottom struct {
	note    string         // shown until the next key
	prompt  *screen.Prompt // nil if none is open
	past    struct{ searches, paths screen.Past }
	looking bool // no key was pressed yet: it says what to look at
	slips
}

// newRoot returns a UI whose right side is still empty.
func newRoot(rep *facts.Report, set setup, do doer) *ui {
	if set.choices == nil {
		set.choices = &Choices{}
	}
	u := &ui{
		Box: tview.NewBox(), setup: set, do: do, rep: inspect.Hidden(rep), sel: selection{marked: -1, whole: set.choices.Whole}, lacks: map[need]string{},
		goTo: func(filetree.Node, int, bool) {},
	}
	u.layers, u.detail = newLayers(u), &detail{u: u}
	u.split = split{Left: float64(set.choices.Left) / 100, Top: float64(set.choices.Top) / 100}
	u.first, u.leaves = u.layers, u.leave
	u.fixes.u = u
	return u
}

// newUI returns the UI for an image.
func newUI(a *analyzer.Analysis, set setup, do doer) *ui {
	set.keys = keysOfOne(set.keys)
	u := newRoot(a.Report, set, do)
	u.img = &image{Analysis: a}
	w := newWaste(u, a.Tree, func() *wasteTable { return sumWaste(a.Tree) })
	w.img = u.img
	found := newFindings(u, a.Report.Findings)
	list := newPackages(u, a.Report.Packages, a.Report.Unowned)
	if a.Tree.Layers() == 0 {
		const none = "this image has no files"
		u.lacks = map[need]string{needSpan: none, needTree: none, needContent: none}
		u.tabs = []pane{&blank{write: func(p *screen.Page) { p.Wrap(0, none, p.Theme.Dim) }}, w, found, list}
	} else {
		f := newFiles(u, a.Tree)
		u.goTo = f.goTo
		u.tabs = []pane{f, w, found, list}
		do.work(func(ctx context.Context) func() {
			who := readOwners(ctx, a)
			return func() { u.img.owners = who }
		})
	}
	u.addDockerfile()
	u.explore(a, list, found)
	return u
}

// explore looks for packages and then for findings, in the background.
func (u *ui) explore(a *analyzer.Analysis, list *packageList, found *findings) {
	advise := func(known *packages.Packages) {
		if u.setup.find != nil {
			opt := u.advice
			opt.Packages = known
			found.run(a, u.setup.find, opt)
		}
	}
	if u.packages == nil {
		advise(nil)
		return
	}
	found.running = u.setup.find != nil
	list.run(a, u.packages, advise)
}

// addDockerfile adds the tab of the Dockerfile, if that is known.
func (u *ui) addDockerfile() {
	if u.rep.Dockerfile == nil {
		u.lacks[needDockerfile] = "the Dockerfile of this image is unknown: --dockerfile FILE names it"
		return
	}
	u.tabs = append(u.tabs, newDockerfile(u))
}

// safe makes text safe to show. All text from an image or a user must pass through it.
func safe(s string) string { return report.Safe(s) }

// InputHandler handles the keys from tview.
func (u *ui) InputHandler() func(*tcell.EventKey, func(tview.Primitive)) {
	return func(ev *tcell.EventKey, _ func(tview.Primitive)) { u.key(ev) }
}

// PasteHandler adds pasted text to the prompt.
func (u *ui) PasteHandler() func(string, func(tview.Primitive)) {
	return func(text string, _ func(tview.Primitive)) {
		if u.prompt != nil {
			u.prompt.Paste(text)
		}
	}
}

// capture keeps ctrl-c from tview, which would stop the application itself.
func (u *ui) capture(ev *tcell.EventKey) *tcell.EventKey {
	u.key(ev)
	return nil
}

// on returns the part that handles the keys.
func (u *ui) on() part {
	if o := u.top(); o != nil {
		return o
	}
	return u.pane(u.focus)
}

// top returns the innermost overlay; nil if there is none.
func (u *ui) top() overlay {
	if len(u.over) == 0 {
		return nil
	}
	return u.over[len(u.over)-1]
}

// push opens an overlay.
func (u *ui) push(o overlay) { u.over = append(u.over, o) }

// drop removes an overlay, even if others are above it.
func (u *ui) drop(o overlay) {
	u.over = slices.DeleteFunc(u.over, func(x overlay) bool { return x == o })
}

// closeOver closes the innermost overlay.
func (u *ui) closeOver() {
	if o := u.top(); o.shut() {
		u.drop(o)
	}
}

// key runs the first row of the key table that has the key and that this screen can
// do. If it can do none, a note says why.
func (u *ui) key(ev *tcell.EventKey) {
	name := screen.KeyName(ev)
	u.note, u.looking, u.pressed = "", false, ev.When()
	defer u.arrive()
	if p := u.prompt; p != nil && name != "ctrl-c" && name != "ctrl-z" {
		if !p.Key(ev) {
			u.prompt = nil
			p.Done(p.Text, name)
		}
		return
	}
	if u.letter(name) {
		return
	}
	at, refused := u.on().place(), ""
	for i := range u.keys {
		b := &u.keys[i]
		if b.places&at == 0 || !b.has(name) {
			continue
		}
		if why := u.lacks[b.needs]; why == "" {
			b.run(u)
			return
		} else if refused == "" {
			refused = why
		}
	}
	if refused == "" && u.top() == nil {
		refused = u.elsewhere(name)
	}
	u.note = refused
}

// elsewhere says in which panes a key does something; "" if it does nothing in any.
func (u *ui) elsewhere(key string) string {
	var titles []string
	for _, p := range append([]pane{u.first, u.detail}, u.tabs...) {
		if slices.ContainsFunc(u.keys, func(b binding) bool { return b.places&p.place() != 0 && b.has(key) && u.lacks[b.needs] == "" }) {
			titles = append(titles, p.Title())
		}
	}
	if len(titles) == 0 {
		return ""
	}
	return key + " works in " + strings.Join(titles, ", ")
}

// move moves the cursor of the part that handles the keys.
func (u *ui) move(by func(part)) {
	by(u.on())
	u.followLayer()
}

// selectLayer jumps to a layer.
func (u *ui) selectLayer(layer int) {
	u.leave()
	u.stepTo(layer)
}

// stepTo selects a layer, if it exists.
func (u *ui) stepTo(layer int) {
	if layer >= 0 && layer < len(u.rep.Layers) {
		u.layers.choose(layer)
		u.followLayer()
	}
}

// followLayer shows the layer under the cursor.
func (u *ui) followLayer() {
	if s, ok := u.layers.current(); ok && s.layer >= 0 && s.layer != u.sel.layer {
		u.sel.layer = s.layer
		u.right().follow()
	}
}

// whole chooses between a layer's changes and everything up to it.
func (u *ui) whole(all bool) {
	u.sel.whole = all
	if u.two == nil {
		u.choices.Whole = all
	}
	u.show(0)
}

// mark marks the selected layer, to compare others with it, or removes the mark.
func (u *ui) mark() {
	if u.sel.marked == u.sel.layer {
		u.note = "no longer comparing"
		u.unmark()
		return
	}
	u.sel.marked = u.sel.layer
	u.note = fmt.Sprintf("layer %d is marked: select another layer to compare the two, %s or %s removes the mark",
		u.sel.layer, keyOf(u.keys, "compare"), keyOf(u.keys, "close"))
	u.right().follow()
}

// unmark stops comparing.
func (u *ui) unmark() {
	u.sel.marked = -1
	u.right().follow()
}

// goLayer selects the layer of a line of the details, and shows the path that the
// details are about as of that layer.
func (u *ui) goLayer(layer int) {
	if f, ok := u.pane(u.subject).(*findings); ok && u.two != nil {
		f.toLayer(layer)
		return
	}
	t, ok := u.pane(u.subject).target()
	u.leave()
	u.sel.marked = -1
	u.selectLayer(layer)
	if ok {
		u.goTo(t.node, layer, u.sel.whole || u.two != nil)
	}
}

// layerFiles goes to the files of the selected layer.
func (u *ui) layerFiles() {
	u.show(0)
	u.setFocus(rightPane)
}

// escape closes the innermost open thing, but never the UI.
func (u *ui) escape() {
	type escaper interface{ Escape() bool } // closes something in the part, and reports whether it did
	o, _ := u.top().(escaper)
	right, _ := u.right().(escaper)
	switch {
	case o != nil && o.Escape():
	case len(u.over) > 0:
		u.closeOver()
	case u.jumps.returns:
		u.jumpBack()
	case u.endSearch():
	case right != nil && right.Escape():
	case u.zoomed:
		u.zoomed = false
	case u.tab != 0:
		u.show(0)
	case u.focus == detailPane:
		u.setFocus(u.subject)
	case u.listed:
		u.do.leave()
	}
}

// closeByQ closes the innermost overlay.
func (u *ui) closeByQ() {
	u.closed = u.pressed
	u.closeOver()
}

// leaveImage ends the program, or goes back to the list that the image was chosen from:
// but not with a key that was meant for a dialog that has just closed.
func (u *ui) leaveImage() {
	if u.slipped() {
		u.note = keyOf(u.keys, "quit") + " again quits"
		return
	}
	u.do.leave()
}
