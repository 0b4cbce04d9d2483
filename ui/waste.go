package ui

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// waste is the pane that lists wasted content.
type waste struct {
	screen.List
	none
	*wasteTable
	u     *ui
	img   *image             // for the history of paths; nil for a saved report
	sum   func() *wasteTable // takes a second for a million entries
	begun bool               // sum was called
	busy  bool               // the table is being made in the background
	hits  []int              // items that match the search
	titles
	cols wasteColumns // of the last frame
}

// wasteTable is the sorted and grouped waste.
type wasteTable struct {
	tree     *filetree.Tree
	all      []item // a folder that was removed as a whole is one item
	count    int    // the paths of all
	total    int64
	by       wasteOrder
	rev      bool
	grouping wasteGrouping

	items  []item // all, split by step where steps are groups, one for a path in a group, sorted
	groups []wasteGroup
	rows   []wasteRow
	open   map[int]bool    // items that show their parts
	opened map[string]bool // groups, by name
	max    int64
}

func newWaste(u *ui, t *filetree.Tree, sum func() *wasteTable) *waste {
	w := &waste{wasteTable: newWasteTable(t), u: u, sum: sum}
	w.by, w.rev = chosenOrder(w, wasteBySize)
	return w
}

func newWasteTable(t *filetree.Tree) *wasteTable {
	return &wasteTable{tree: t, open: map[int]bool{}, opened: map[string]bool{}}
}

func (w *waste) place() place  { return inWaste }
func (w *waste) Title() string { return "Waste" }
func (w *waste) about() string { return "of the waste" }

func (w *waste) Note() string {
	if w.busy {
		return ""
	}
	note := report.Size(w.total) + " in " + count(w.count, "path")
	if w.grouping != ungrouped {
		note += ", " + wasteGroupings[w.grouping].title
	}
	return note
}

// follow adds the waste up, once.
func (w *waste) follow() {
	if w.begun {
		return
	}
	w.begun = true
	by, rev := w.by, w.rev
	w.beside(func() *wasteTable {
		t := w.sum()
		if t.by != by || t.rev != rev {
			t.by, t.rev = by, rev
			t.sort()
		}
		return t
	})
}

// beside makes a table in the background, and then uses it.
func (w *waste) beside(table func() *wasteTable) {
	w.busy = true
	w.u.do.work(func(context.Context) func() {
		t := table()
		return func() {
			w.wasteTable, w.busy = t, false
			w.top()
		}
	})
}

// top goes to the first row of a new table.
func (w *waste) top() {
	w.Fit(len(w.rows), w.H)
	w.End(false)
	w.sift()
}

// arrange sorts and groups the waste again, a long list in the background.
func (w *waste) arrange(change func(*wasteTable)) {
	const many = 10_000 // more than a key press can sort within a frame
	if w.busy {
		return
	}
	t := *w.wasteTable
	t.opened = maps.Clone(t.opened)
	change(&t)
	if len(t.all) >= many {
		t.open, t.rows = map[int]bool{}, nil // the old ones are still drawn from
		w.beside(func() *wasteTable {
			t.sort()
			return &t
		})
		return
	}
	t.sort()
	w.wasteTable = &t
	w.top()
}

func (w *waste) orders() []order            { return ordersOf(wasteOrders[:]) }
func (w *waste) sorted() (by int, rev bool) { return int(w.by), w.rev }
func (w *waste) choices() *ListChoices      { return &w.u.choices.Waste }

func (w *waste) sortBy(by int, rev bool) {
	w.arrange(func(t *wasteTable) { t.by, t.rev = wasteOrder(by), rev })
}

// regroupNext groups the waste in the next way.
func (w *waste) regroupNext() {
	w.arrange(func(t *wasteTable) { t.grouping = (t.grouping + 1) % wasteGrouping(len(wasteGroupings)) })
}

func (w *waste) target() (target, bool) {
	it, ok := w.current()
	return target{it.node, it.hidden - 1, it.hidden}, ok
}

func (w *waste) copies() string {
	if it, ok := w.current(); ok {
		return w.tree.Path(it.node)
	}
	return ""
}

func (w *waste) details(p *screen.Page) any {
	if g, ok := w.group(); ok {
		groupPage(p, w.u.rep, w.wasteTable, g)
		return g.name
	}
	it, ok := w.current()
	if !ok {
		return nil
	}
	wastePage(p, w.u.rep, w.tree, w.img, w.total, it)
	return it.parts[0]
}

// Status returns what is under the cursor, and the order.
func (w *waste) Status() (where, state string) {
	where = w.copies()
	if g, ok := w.group(); ok {
		where = g.name
	}
	return safe(where), wasteOrders[w.by].status(w.u.th, w.rev)
}

// click selects a row, and opens or closes it if it is on the triangle; a double click
// does what enter does. On a column's title it sorts by that column; again, it reverses.
func (w *waste) click(x, y int, twice bool) {
	if w.titles.click(w.u, w, x, y) || !w.Click(y) {
		return
	}
	fold := w.foldAt(w.rows[w.At])
	switch {
	case fold >= 0 && (x == fold || x == fold+1):
		if !twice {
			w.fold()
		}
	case twice:
		w.enter()
	}
}

// stepIn opens the group, folder or file under the cursor; if it is open, it goes to its
// first row.
func (w *waste) stepIn() {
	if w.setOpen(true) || w.At >= len(w.rows) {
		return
	}
	if r := w.rows[w.At]; r.item < 0 && len(w.groups[r.group].items) > 0 || r.item >= 0 && r.part < 0 && w.open[r.item] {
		w.Move(1)
	}
}

// enter shows an item in the tree, as of the layer that hid it, or folds a group.
func (w *waste) enter() {
	it, ok := w.current()
	switch {
	case !ok:
		w.fold()
	case w.img != nil:
		w.u.show(0)
		w.u.goTo(it.node, it.hidden, false)
	}
}

// hint says what enter does on the row under the cursor.
func (w *waste) hint(action, usual string) string {
	if g, ok := w.group(); ok && action == "show-in-tree" {
		if w.opened[g.name] {
			return "close"
		}
		return "open"
	}
	if _, ok := w.current(); !ok && action == "show-in-tree" {
		return ""
	}
	return usual
}

// fold opens or closes what is under the cursor.
func (w *waste) fold() {
	if !w.setOpen(true) {
		w.setOpen(false)
	}
}

// item is one wasted content, or all waste of a folder; or all versions of either.
type item struct {
	node          filetree.Node
	bytes         int64
	cause         filetree.Cause // Visible if the versions have several
	stored, last  int            // the first and the last layer that stored parts of it
	since, hidden int            // the first and the last layer that hid parts of it
	parts         []lostFile     // its content, largest first; the versions of a file by layer
	folder        bool
	versions      []item // that were hidden one after the other, if there are several
}

// opens reports whether the row of the item opens to rows of its parts.
func (it *item) opens() bool { return it.folder || it.versions != nil }

// lostFile is one wasted content.
type lostFile struct {
	content        filetree.Content
	lost           filetree.Node // the last name that was removed
	bytes          int64
	stored, hidden int32
	cause          filetree.Cause
}

// wasteRow is a row: an item, with part >= 0 a part of it, with item < 0 a group.
type wasteRow struct{ group, item, part int }

type wasteOrder uint8

const (
	wasteBySize wasteOrder = iota
	wasteByCause
	wasteByStored
	wasteByHidden
	wasteByPath
)

// wasteOrders is what the waste can be sorted by.
var wasteOrders = [...]ordered[item]{
	wasteBySize:   {order{"size", "s", false}, func(a, b item) int { return 0 }},
	wasteByCause:  {order{"cause", "c", true}, func(a, b item) int { return cmp.Compare(a.cause, b.cause) }},
	wasteByStored: {order{"stored", "b", true}, func(a, b item) int { return cmp.Compare(a.stored, b.stored) }},
	wasteByHidden: {order{"hidden", "h", true}, func(a, b item) int { return cmp.Compare(a.hidden, b.hidden) }},
	wasteByPath:   {order{"path", "p", true}, func(a, b item) int { return cmp.Compare(a.node, b.node) }},
}

// sort orders the items; equal ones by size, then by path.
func (w *wasteTable) sort() {
	w.items = onePerPath(w.apart(), wasteOrders[wasteGroupings[w.grouping].order].compare)
	if w.grouping == ungrouped {
		w.count = len(w.items)
	}
	compare := wasteOrders[w.by].compare
	slices.SortFunc(w.items, func(a, b item) int {
		c := cmp.Or(compare(a, b), cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.node, b.node), cmp.Compare(a.hidden, b.hidden), cmp.Compare(a.stored, b.stored))
		if w.rev {
			return -c
		}
		return c
	})
	clear(w.open)
	w.regroup()
	w.fill()
}

// fill lists the rows.
func (w *wasteTable) fill() {
	w.rows = w.rows[:0]
	add := func(group, i int) {
		w.rows = append(w.rows, wasteRow{group, i, -1})
		if w.open[i] {
			for p := range w.items[i].parts {
				w.rows = append(w.rows, wasteRow{group, i, p})
			}
		}
	}
	if w.grouping == ungrouped {
		for i := range w.items {
			add(-1, i)
		}
	}
	for g := range w.groups {
		w.rows = append(w.rows, wasteRow{g, -1, -1})
		if w.opened[w.groups[g].name] {
			for _, i := range w.groups[g].items {
				add(g, i)
			}
		}
	}
}

// current returns what is under the cursor: an item, or a part of one as an item. It
// returns false for a group.
func (w *waste) current() (item, bool) {
	if w.At >= len(w.rows) || w.rows[w.At].item < 0 {
		return item{}, false
	}
	return w.row(w.rows[w.At]), true
}

func (w *wasteTable) row(r wasteRow) item {
	it := w.items[r.item]
	if r.part < 0 {
		return it
	}
	p := it.parts[r.part]
	return item{
		node: p.lost, bytes: p.bytes, cause: p.cause, stored: int(p.stored), last: int(p.stored),
		since: int(p.hidden), hidden: int(p.hidden), parts: it.parts[r.part : r.part+1],
	}
}

// setOpen opens or closes the folder or group under the cursor; closing anything
// else goes to the group above it. It reports whether it did something.
func (w *waste) setOpen(open bool) bool {
	if w.At >= len(w.rows) {
		return false
	}
	switch r := w.rows[w.At]; {
	case r.item < 0:
		name := w.groups[r.group].name
		if w.opened[name] == open {
			return false
		}
		w.opened[name] = open
	case w.items[r.item].opens() && w.open[r.item] != open:
		w.open[r.item] = open
		if r.part >= 0 {
			w.At -= r.part + 1
		}
	case !open && r.group >= 0:
		for w.rows[w.At].item >= 0 {
			w.At--
		}
	default:
		return false
	}
	w.fill()
	w.Fit(len(w.rows), w.H)
	return true
}
