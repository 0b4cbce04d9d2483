package ui

import (
	"context"
	"io"
	"slices"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// The panes. Waste takes the place of files.
const (
	layersPane = iota
	detailPane
	filesPane
	panes
)

// narrow is the width below which one pane fills the screen.
const narrow = 90

// doer is what the UI has others do.
type doer interface {
	work(func(context.Context) func()) // beside the UI; what it returns, within
	last(func(context.Context) func()) // the same, and the program waits for its end
	pager(open func(context.Context) (io.ReadCloser, error)) error
	copy(text string) string // a note on where it went; "" where it can't
	suspend()
	quit()
	giveUp()
}

// ui is the root of the screen, and what a person has chosen.
type ui struct {
	*tview.Box
	do   doer
	a    *analyzer.Analysis
	tree *filetree.Tree
	th   *screen.Theme
	keys []binding

	layers    *layers
	detail    detail
	files     *files
	waste     *waste // nil until it is asked for
	hides     []hidden
	search    search
	over      []overlay // the innermost last
	focus     int
	subject   int // the pane that the details are about
	showWaste bool
	note      string   // said once at the bottom
	notes     []string // how the image was read
	sumWaste  func() *waste
	prompt    *screen.Prompt // nil while nothing is asked
	frame     screen.Grid
	places    []spot // of the last frame, for the mouse
}

// newPanes is a UI whose files are f.
func newPanes(a *analyzer.Analysis, f *files, th *screen.Theme, do doer) *ui {
	u := &ui{
		Box: tview.NewBox(), do: do, a: a, tree: a.Tree, th: th, keys: bindings(),
		layers: newLayers(a.Report), files: f, hides: hides(a.Report),
		sumWaste: func() *waste { return newWaste(a.Tree) },
	}
	u.files.keys = u.keys
	return u
}

func newUI(a *analyzer.Analysis, th *screen.Theme, do doer) *ui {
	u := newPanes(a, newFiles(a.Tree), th, do)
	do.work(func(ctx context.Context) func() {
		who := readOwners(ctx, a)
		return func() { u.files.owners = who }
	})
	return u
}

// configure takes over what a person has settled beforehand.
func (u *ui) configure(set setup) {
	u.keys = set.keys
	u.files.keys = set.keys
	if u.files.out != nil {
		u.files.out.SetOrder(set.order, false)
	}
}

// safe is the one way of text from an image or a person to the screen.
func safe(s string) string { return report.Safe(s) }

// InputHandler is tview's way in for keys.
func (u *ui) InputHandler() func(*tcell.EventKey, func(tview.Primitive)) {
	return func(ev *tcell.EventKey, _ func(tview.Primitive)) { u.key(ev) }
}

// PasteHandler puts what is pasted into the prompt.
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

// place is where keys go now.
func (u *ui) place() place {
	if len(u.over) > 0 {
		return u.over[len(u.over)-1].place()
	}
	switch {
	case u.focus == layersPane:
		return inLayers
	case u.focus == detailPane:
		return inDetail
	case u.showWaste:
		return inWaste
	}
	return inFiles
}

// key does what the key table says.
func (u *ui) key(ev *tcell.EventKey) {
	name := screen.KeyName(ev)
	u.note = ""
	if u.prompt != nil && name != "ctrl-c" && name != "ctrl-z" {
		if p := u.prompt; !p.Key(ev) {
			u.prompt = nil
			p.Done(p.Text, name)
		}
		return
	}
	at := u.place()
	for i := range u.keys {
		if b := &u.keys[i]; b.places&at != 0 && b.has(name) {
			if u.note = u.refuses(b); u.note == "" {
				b.run(u)
			}
			return
		}
	}
}

// setFocus goes to a pane.
func (u *ui) setFocus(pane int) {
	u.focus = (pane + panes) % panes
	if u.focus != detailPane {
		u.subject = u.focus
	}
}

// selectLayer shows another layer, from whichever pane.
func (u *ui) selectLayer(layer int) {
	if layer < 0 || layer >= len(u.a.Report.Layers) {
		return
	}
	u.layers.choose(layer)
	u.followLayer()
}

// followLayer shows the files of the layer under the cursor.
func (u *ui) followLayer() {
	if s, ok := u.layers.current(); ok && s.layer >= 0 && s.layer != u.files.layer {
		u.files.layer = s.layer
		u.showSpan()
	}
}

// stale looks again for what is searched when that was only in what is shown.
func (u *ui) stale() {
	if u.search.active() && !u.search.all && !u.search.waste {
		u.find(func() {
			if u.files.only {
				u.files.out.Only(u.search.hits)
			}
		})
	}
}

// toggleWaste swaps files and waste.
func (u *ui) toggleWaste() {
	u.showWaste = !u.showWaste
	if u.waste == nil {
		u.waste = &waste{tree: u.tree, layers: u.layers, busy: true} // it takes a second for a million entries
		u.do.work(func(context.Context) func() {
			w := u.sumWaste()
			return func() {
				w.H, w.layers = u.waste.H, u.layers
				*u.waste = *w
				u.findWaste()
			}
		})
	}
	u.setFocus(filesPane)
}

// jump goes from the waste to its place in the tree, in the layer that hid it.
func (u *ui) jump(it item) {
	if u.files.saved {
		return
	}
	u.showWaste = false
	u.files.marked = -1
	u.selectLayer(it.hidden)
	u.files.show(it.hidden, false)
	u.goTo(it.node)
}

// goTo puts the cursor on n, undoing filters that hide it.
func (u *ui) goTo(n filetree.Node) {
	if u.files.out == nil || u.files.out.GoTo(n) {
		return
	}
	u.files.out.SetMarks(outline.AllMarks)
	u.files.out.Only(nil)
	u.files.only = false
	if !u.files.out.GoTo(n) {
		u.note = "this layer does not show " + safe(u.tree.Path(n))
	}
}

// goLayer follows a line of the details to its layer.
func (u *ui) goLayer(layer int) {
	node, ok := u.node()
	u.files.marked = -1
	u.selectLayer(layer)
	if ok {
		u.files.show(layer, u.files.whole)
		u.goTo(node)
	}
}

// goTouched shows n in a layer that touched it.
func (u *ui) goTouched(n filetree.Node, layer int) {
	u.showWaste = false
	u.files.marked = -1
	u.selectLayer(layer)
	u.files.show(layer, false)
	u.goTo(n)
	u.setFocus(filesPane)
}

// node is the path that the details are about, if they are about one.
func (u *ui) node() (filetree.Node, bool) {
	if u.subject == layersPane {
		return 0, false
	}
	if u.showWaste {
		it, ok := u.waste.current()
		return it.node, ok
	}
	r, ok := u.files.current()
	return r.Node, ok
}

// fileState is what the target shows, where that is a regular file.
func (u *ui) fileState() (filetree.State, bool) {
	n, from, to, ok := u.target()
	if !ok {
		u.note = "choose a file first"
		return filetree.State{}, false
	}
	st, at := u.shownAt(n, from, to)
	switch {
	case at < 0:
		u.note = "it is not there at this layer"
	case st.Content == filetree.NoContent:
		u.note = "only regular files have content"
	default:
		return st, true
	}
	return st, false
}

// view opens the content of the target.
func (u *ui) view() {
	if st, ok := u.fileState(); ok {
		n, from, to, _ := u.target()
		u.openViewer(n, from, to, st)
	}
}

// closing is an overlay that has something to end; shut is false when it stays
// until that has ended.
type closing interface{ shut(u *ui) bool }

// closeOver closes the innermost overlay.
func (u *ui) closeOver() {
	o := u.top()
	if c, ok := o.(closing); ok && !c.shut(u) {
		return
	}
	u.drop(o)
}

// drop takes an overlay off, wherever it lies.
func (u *ui) drop(o overlay) {
	u.over = slices.DeleteFunc(u.over, func(x overlay) bool { return x == o })
}

// escape closes the innermost thing, and never the UI.
func (u *ui) escape() {
	switch {
	case u.viewer() != nil && u.viewer().find.text != "":
		u.look(u.viewer(), "")
	case len(u.over) > 0:
		u.closeOver()
	case u.files.only:
		u.files.only = false
		u.files.out.Only(nil)
	case u.search.text != "":
		u.search.text = ""
		u.find(nil)
	case u.showWaste:
		u.showWaste = false
	case u.files.marked >= 0:
		u.unmark()
	case u.files.out != nil && u.files.out.Scope().Marks != outline.AllMarks:
		u.files.out.SetMarks(outline.AllMarks)
	case u.focus == detailPane:
		u.setFocus(u.subject)
	}
}

// toggleOnly shows nothing but what the search found, or everything again.
func (u *ui) toggleOnly() {
	switch {
	case u.files.out == nil:
	case u.files.only:
		u.files.only = false
		u.files.out.Only(nil)
	case u.search.active() && !u.search.busy:
		u.files.only = true
		u.files.out.Only(append([]filetree.Node{}, u.search.hits...))
	default:
		u.note = "look for something first (" + keyOf(u.keys, "find") + ")"
	}
}
