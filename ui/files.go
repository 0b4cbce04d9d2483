package ui

import (
	"context"
	"fmt"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// files is the pane that shows the tree.
type files struct {
	none
	u     *ui
	tree  *filetree.Tree
	out   *outline.Outline
	views views
	part  treePart // the only files that are shown; the zero value for all
	all   int64    // size of the whole view, removed files included; comparing, the larger size of both states
	gone  bool     // the view removes something
	count bool     // the rows are being counted
	total string   // how many files are shown, and their size

	limited bool // to what matches the search
	seq     sequence
	stop    context.CancelFunc // of the work on seq
	frame   filesFrame
}

// filesFrame has the positions in the last frame, for the mouse.
type filesFrame struct {
	h     int // rows
	at    int // the line of the cursor among them
	head  int // lines above them
	heads []head
	stuck []filetree.Node // folders on the first lines
	folds []int           // the column of each row's triangle; -1 where it has none
}

// head is the title of a column by which rows can be sorted.
type head struct {
	col   screen.Column
	order outline.Order
}

func newFiles(u *ui, t *filetree.Tree) *files {
	f := &files{u: u, tree: t, out: outline.New(t)}
	usual := outline.BySize
	if u.two != nil {
		usual = outline.ByGrowth
	}
	f.sortBy(f.choices().order(f.orders(), int(usual)))
	f.out.SetMarks(u.choices.marks())
	f.follow()
	return f
}

func (f *files) place() place  { return inFiles }
func (f *files) Title() string { return "Files" }
func (f *files) about() string { return "of the file" }

func (f *files) Move(n int)   { f.out.Move(n) }
func (f *files) Page(n int)   { f.out.Page(n * max(f.frame.h/2, 1)) }
func (f *files) Scroll(n int) { f.out.Scroll(n, f.frame.h) }

// Jump goes to the row that is as far down as line y is of h lines.
func (f *files) Jump(y, h int) {
	if _, n, ok := f.out.Position(); ok {
		f.out.Jump(screen.Far(y, h, n), y)
	}
}

// Extent returns which rows are shown; nothing while they are counted.
func (f *files) Extent() screen.Extent {
	at, n, ok := f.out.Position()
	if !ok || n == 0 {
		return screen.Extent{}
	}
	return screen.Extent{Top: max(at-f.frame.at, 0), H: f.frame.h, N: n, Says: fmt.Sprintf("%d/%d", at+1, n)}
}

// countRows counts the rows in the background if there are too many to count them now.
func (f *files) countRows() {
	if _, _, ok := f.out.Position(); ok || f.count {
		return
	}
	f.count = true
	count := f.out.Count()
	f.u.do.work(func(context.Context) func() {
		counted := count()
		return func() {
			f.count = false
			counted()
		}
	})
}

func (f *files) End(last bool) {
	if last {
		f.out.Last()
	} else {
		f.out.First()
	}
}

// follow shows what is selected: at once where that is free, otherwise when the
// view has been made in the background, one view at a time.
func (f *files) follow() {
	from, to := f.u.sel.span()
	var v *filetree.View
	if f.compares() {
		v = f.views.get(from, to)
	} else {
		v = f.tree.View(from, to)
	}
	switch {
	case v != nil:
		f.set(v)
		f.u.stale(f)
	case f.u.two != nil: // the one view of two images, when they are opened
		f.views.keep(f.tree.Compare(from, to, true))
		f.follow()
	case !f.views.making:
		f.views.making = true
		f.u.do.work(func(context.Context) func() {
			v := f.tree.Compare(from, to, false)
			return func() {
				f.views.making = false
				f.views.keep(v)
				f.follow()
			}
		})
	}
}

// compares reports whether two states are selected, of two layers or two images.
func (f *files) compares() bool { return f.u.sel.compares() || f.u.two != nil && !f.old() }

// set shows a view.
func (f *files) set(v *filetree.View) {
	if f.compares() {
		f.out.Compare(v, f.u.sel.whole)
	} else {
		f.out.Show(v, f.u.sel.whole || f.old())
	}
	f.sum()
}

// old reports whether the older one of two images is shown as it is.
func (f *files) old() bool { return f.u.two != nil && f.u.sel.layer == oldSide }

// sum adds up what is shown.
func (f *files) sum() {
	size, before, gone, files := f.out.Sum()
	f.all, f.gone, f.total = max(size+gone, before), gone > 0, count(files, "file")+", "+report.Size(size)
	if gone > 0 {
		f.total += ", " + report.Size(gone) + " gone"
	}
}

// goTo puts the cursor on n as of a layer, and drops filters that hide it.
func (f *files) goTo(n filetree.Node, layer int, whole bool) {
	f.u.leave()
	f.u.jumps.shown = true
	f.u.sel.marked, f.u.sel.whole = -1, whole
	f.u.selectLayer(layer)
	f.follow()
	if f.out.GoTo(n) {
		return
	}
	f.showEverything()
	if !f.out.GoTo(n) {
		f.u.note = "this layer does not show " + safe(f.tree.Path(n))
		if f.u.two != nil {
			f.u.note = "the " + sideName(layer) + " does not have " + safe(f.tree.Path(n))
		}
	}
}

func (f *files) target() (target, bool) {
	r, ok := f.out.Cursor()
	v := f.out.Scope().View
	return target{r.Node, v.From, v.To}, ok
}

func (f *files) copies() string {
	if r, ok := f.out.Cursor(); ok {
		return f.tree.Path(r.Node)
	}
	return ""
}

func (f *files) details(p *screen.Page) any {
	r, ok := f.out.Cursor()
	if !ok {
		return nil
	}
	if f.u.two != nil {
		f.u.two.page(p, f, r.Node)
	} else {
		f.filePage(p, r.Node)
	}
	return r.Node
}

// enter follows a symlink, opens a folder, or shows the content of a file.
func (f *files) enter() {
	switch r, ok := f.out.Cursor(); {
	case ok && r.State.Kind == layer.Symlink:
		f.followLink(r.Node)
	case ok && r.Dir:
		f.out.Toggle()
	case ok:
		f.u.view()
	}
}

// hint says what enter does on the row under the cursor.
func (f *files) hint(action, usual string) string {
	r, ok := f.out.Cursor()
	switch {
	case action != "open":
		return usual
	case !ok:
		return ""
	case r.State.Kind == layer.Symlink:
		return "follow"
	case r.Dir && r.Open:
		return "close"
	case r.Dir:
		return "open"
	}
	return "view"
}

// Escape stops comparing, shows all packages, or removes the filter, and reports whether
// it did one of these.
func (f *files) Escape() bool {
	switch {
	case f.u.sel.marked >= 0:
		f.u.unmark()
	case f.part.nodes != nil:
		f.show(treePart{})
	case f.out.Scope().Marks != outline.AllMarks:
		f.showMarks(outline.AllMarks)
	default:
		return false
	}
	return true
}

// Note says which files are shown.
func (f *files) Note() string {
	note := f.span()
	if f.part.nodes != nil {
		note += ", only " + f.part.short(f.u.th, 40)
	}
	if f.limited {
		note += ": " + f.total
	}
	return note
}

// span says which layers are shown.
func (f *files) span() string {
	from, to := f.u.sel.span()
	switch s := f.u.sel; {
	case f.old():
		return "the old image"
	case f.u.two != nil && s.whole:
		return "everything in both images"
	case f.u.two != nil:
		return "what differs"
	case f.views.making && s.compares():
		return fmt.Sprintf("comparing layers %d %s %d%s", from, f.u.th.Glyph.Arrow, to, f.u.th.Glyph.Ellipsis)
	case s.compares() && s.whole:
		return fmt.Sprintf("everything up to layers %d and %d", from, to)
	case s.compares():
		return fmt.Sprintf("layers %d %s %d", from, f.u.th.Glyph.Arrow, to)
	case s.whole:
		return fmt.Sprintf("everything up to layer %d", s.layer)
	}
	return fmt.Sprintf("changed by layer %d", f.u.sel.layer)
}

// Status returns the path under the cursor, and the order and the filter.
func (f *files) Status() (where, state string) {
	by, reverse := f.sorted()
	return safe(f.copies()), f.orders()[by].status(f.u.th, reverse)
}

// only says which files have rows; "" for all.
func (f *files) only() string {
	var words []string
	if f.part.nodes != nil {
		words = append(words, f.part.short(f.u.th, 20))
	}
	if marks := f.out.Scope().Marks; marks != outline.AllMarks {
		signs := ""
		for _, m := range []filetree.Mark{filetree.Added, filetree.Modified, filetree.Removed, filetree.Unchanged} {
			if marks.Has(m) {
				sign, _ := markSign(f.u.th, m)
				signs += sign
			}
		}
		words = append(words, signs)
	}
	if found := f.u.foundOnly(f); found != "" {
		words = append(words, found)
	}
	return strings.Join(words, " ")
}

// click selects a row, folds it if it is on the triangle, and opens it on a double
// click. On a column's title it sorts by that column; again, it reverses.
func (f *files) click(x, y int, twice bool) {
	y -= f.frame.head
	if y < 0 {
		for _, h := range f.frame.heads {
			if x >= h.col.X && x < h.col.X+h.col.W {
				f.u.sortTo(f, int(h.order))
			}
		}
		return
	}
	if y < len(f.frame.stuck) {
		f.out.GoTo(f.frame.stuck[y])
		return
	}
	if !f.out.Select(y) {
		return
	}
	if fold := f.frame.folds[y]; fold >= 0 && (x == fold || x == fold+1) {
		if !twice {
			f.out.Toggle()
		}
	} else if twice {
		f.enter()
	}
}

// filterMarks are the kinds of change that can be shown or hidden.
var filterMarks = [...]struct {
	mark filetree.Mark
	key  string
	name string
}{
	{filetree.Added, "a", "added"},
	{filetree.Modified, "m", "modified"},
	{filetree.Removed, "r", "removed"},
	{filetree.Unchanged, "u", "unchanged"},
}

// openFilter opens the menu that chooses kinds of change.
func (f *files) openFilter() {
	f.u.show(0)
	m := &menu{name: "Show", stays: true, closes: keyOf(f.u.keys, "filter")}
	for _, k := range filterMarks {
		sign, st := markSign(f.u.th, k.mark)
		m.choices = append(m.choices, choice{key: k.key, name: k.name, sign: screen.Span{Text: sign + " ", Style: st.Bold(true)},
			on: func() bool { return f.out.Scope().Marks.Has(k.mark) },
			do: func() { f.showMarks(f.out.Scope().Marks ^ 1<<k.mark) }})
	}
	f.u.push(m)
}

// showMarks shows only some kinds of change, as a person has chosen.
func (f *files) showMarks(marks filetree.Marks) {
	f.out.SetMarks(marks)
	f.u.choices.setMarks(marks)
	f.u.stale(f)
	f.sum()
}

// toggleMark is a key's action that shows or hides one kind of change.
func toggleMark(mark filetree.Mark) func(*ui) {
	return on(func(f *files) { f.showMarks(f.out.Scope().Marks ^ 1<<mark) })
}

func (f *files) orders() []order         { return fileOrders() }
func (f *files) sortBy(by int, rev bool) { f.out.SetOrder(outline.Order(by), rev) }

func (f *files) sorted() (by int, rev bool) {
	o, rev := f.out.Order()
	return int(o), rev
}

func (f *files) choices() *ListChoices {
	if f.u.two != nil {
		return &f.u.choices.Compared
	}
	return &f.u.choices.Files
}

func (f *files) paths() *filetree.Tree { return f.tree }
func (f *files) scope() outline.Scope  { return f.out.Scope() }

func (f *files) bookmark() func() {
	at, scope, part := f.out.Bookmark(), f.out.Scope(), f.part
	return func() {
		if f.part.name != part.name {
			f.show(part)
		}
		if f.out.Scope().Marks != scope.Marks {
			f.out.SetMarks(scope.Marks)
		}
		if !f.out.Scope().Same(scope) {
			f.follow()
		}
		f.out.Restore(at)
	}
}
