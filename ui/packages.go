package ui

import (
	"cmp"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// packageList is the pane that lists the packages of the image, after a row for what
// belongs to no package.
type packageList struct {
	screen.List
	none
	u       *ui
	all     []facts.Package // nil if unknown
	unowned *facts.Unowned
	order   []int32 // indices in all, sorted
	rows    []packageRow
	by      packageOrder
	rev     bool
	kind    string // the only type that has rows; "" for all types
	count   int    // packages that have rows
	visible int64  // their bytes
	open    bool   // the folders of what belongs to no package have rows
	hits    []bool // by index in all: whether the package matches the search
	matches int

	scan
	damaged []facts.Warning // about databases that can't be read
	titles
	fold int // the column of the triangle in it
}

// packageRow is a row: a package; with index < 0 what belongs to no package, with
// folder >= 0 a folder of that. The row after the last folder stands for those that
// the report doesn't list.
type packageRow struct{ index, folder int32 }

type packageOrder uint8

const (
	packagesBySize packageOrder = iota
	packagesByWaste
	packagesByLayer
	packagesByType
	packagesByName
)

// packageOrders is what packages can be sorted by.
var packageOrders = [...]ordered[*facts.Package]{
	packagesBySize:  {order{"size", "s", false}, func(a, b *facts.Package) int { return cmp.Compare(b.VisibleBytes, a.VisibleBytes) }},
	packagesByWaste: {order{"wasted", "w", false}, func(a, b *facts.Package) int { return cmp.Compare(b.WastedBytes, a.WastedBytes) }},
	packagesByLayer: {order{"layer", "l", true}, func(a, b *facts.Package) int {
		return cmp.Or(cmp.Compare(a.BroughtBy, b.BroughtBy), cmp.Compare(b.VisibleBytes, a.VisibleBytes))
	}},
	packagesByType: {order{"type", "t", true}, func(a, b *facts.Package) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), cmp.Compare(b.VisibleBytes, a.VisibleBytes))
	}},
	packagesByName: {order{"name", "n", true}, func(a, b *facts.Package) int { return strings.Compare(a.Name, b.Name) }},
}

func newPackages(u *ui, all []facts.Package, unowned *facts.Unowned) *packageList {
	l := &packageList{u: u}
	l.by, l.rev = chosenOrder(l, packagesBySize)
	l.set(all, unowned)
	return l
}

func (l *packageList) place() place  { return inPackages }
func (l *packageList) Title() string { return "Packages" }
func (l *packageList) about() string { return "of the package" }

// set replaces the list.
func (l *packageList) set(all []facts.Package, unowned *facts.Unowned) {
	l.all, l.unowned = all, unowned
	l.order = make([]int32, len(all))
	for i := range l.order {
		l.order[i] = int32(i)
	}
	l.arrange()
	l.sift()
}

// arrange sorts the packages.
func (l *packageList) arrange() {
	compare := packageOrders[l.by].compare
	slices.SortFunc(l.order, func(i, k int32) int {
		c := cmp.Or(compare(&l.all[i], &l.all[k]), cmp.Compare(i, k))
		if l.rev {
			return -c
		}
		return c
	})
}

// fill lists the rows, and adds up the packages of the type that is shown.
func (l *packageList) fill() {
	l.rows, l.count, l.visible = l.rows[:0], 0, 0
	only := l.filtered()
	if l.unowned != nil && !only && l.kind == "" {
		l.rows = append(l.rows, packageRow{-1, -1})
		for i := range l.folders() {
			l.rows = append(l.rows, packageRow{-1, int32(i)})
		}
	}
	for _, i := range l.order {
		if !l.shows(int(i)) || only && !l.hits[i] {
			continue
		}
		l.count++
		l.visible += l.all[i].VisibleBytes
		l.rows = append(l.rows, packageRow{i, -1})
	}
	l.Fit(len(l.rows), l.H)
}

// shows reports whether a package has the type that is shown.
func (l *packageList) shows(i int) bool { return l.kind == "" || l.all[i].Type == l.kind }

// folders returns the number of rows below what belongs to no package.
func (l *packageList) folders() int {
	switch {
	case !l.open:
		return 0
	case l.unowned.MoreFolders > 0:
		return len(l.unowned.Folders) + 1
	}
	return len(l.unowned.Folders)
}

// stay changes the rows; the cursor stays with its package, or what belongs to none,
// and on its line of the screen.
func (l *packageList) stay(change func()) {
	row, had := l.current()
	line := l.At - l.Top
	change()
	if i := slices.Index(l.rows, row); had && i >= 0 {
		l.At, l.Top = i, max(i-line, 0)
		l.Fit(len(l.rows), l.H)
	}
}

// current returns the row under the cursor.
func (l *packageList) current() (packageRow, bool) {
	if l.At >= len(l.rows) {
		return packageRow{-1, -1}, false
	}
	return l.rows[l.At], true
}

// folder returns the folder of a row, nil if it is not one.
func (l *packageList) folder(r packageRow) *facts.UnownedFolder {
	if r.folder < 0 || int(r.folder) >= len(l.unowned.Folders) {
		return nil
	}
	return &l.unowned.Folders[r.folder]
}

// packageName returns what names a package, as the gate's globs do.
func packageName(p *facts.Package) string { return p.Type + ":" + p.Name }

// copies returns the type and name of the package, or the path of the folder.
func (l *packageList) copies() string {
	r, ok := l.current()
	switch f := l.folder(r); {
	case !ok:
		return ""
	case r.index >= 0:
		return packageName(&l.all[r.index])
	case f != nil:
		return f.Path
	}
	return ""
}

// noPackage names what belongs to no package.
const noPackage = "belongs to no package"

// Status returns what is under the cursor, the order and the filter.
func (l *packageList) Status() (where, state string) {
	if r, ok := l.current(); ok {
		where = shown(l.copies())
		if r.index < 0 && r.folder < 0 {
			where = noPackage
		}
	}
	return where, packageOrders[l.by].status(l.u.th, l.rev)
}

// only says which packages have rows; "" for all.
func (l *packageList) only() string {
	return strings.TrimSpace(l.kind + " " + l.u.foundOnly(l))
}

// Note returns what the packages come to, and whether they are still being looked for.
func (l *packageList) Note() string {
	switch {
	case l.running:
		return l.searching(l.u.th)
	case l.all == nil:
		return ""
	}
	if l.kind != "" || l.filtered() {
		return count(l.count, strings.TrimSpace(l.kind+" package")) + ", " + report.Size(l.visible)
	}
	return count(l.count, "package") + ", " + report.Size(l.visible) + ", " + report.Size(l.unowned.VisibleBytes) + " in no package"
}

// click selects a row, and opens or closes it if it is on the triangle; a double click
// does what enter does. On a column's title it sorts by that column; again, it reverses.
func (l *packageList) click(x, y int, twice bool) {
	if l.titles.click(l.u, l, x, y) || !l.Click(y) {
		return
	}
	switch r, _ := l.current(); {
	case r.index < 0 && r.folder < 0 && (x == l.fold || x == l.fold+1):
		if !twice {
			l.toggle()
		}
	case twice:
		l.enter()
	}
}

func (l *packageList) orders() []order            { return ordersOf(packageOrders[:]) }
func (l *packageList) sorted() (by int, rev bool) { return int(l.by), l.rev }
func (l *packageList) choices() *ListChoices      { return &l.u.choices.Packages }

// sortBy sorts the packages; the cursor goes to the first row.
func (l *packageList) sortBy(by int, rev bool) {
	l.by, l.rev = packageOrder(by), rev
	l.arrange()
	l.fill()
	l.End(false)
}

// nextType shows only the packages of the next type that the image has, and after the
// last one all packages again.
func (l *packageList) nextType() {
	has := map[string]bool{}
	for i := range l.all {
		has[l.all[i].Type] = true
	}
	types := slices.DeleteFunc(facts.PackageTypes(), func(t string) bool { return !has[t] })
	i := slices.Index(types, l.kind) + 1
	l.stay(func() {
		l.kind = ""
		if i < len(types) {
			l.kind = types[i]
		}
		l.sift()
	})
}

// Escape shows the packages of all types, and reports whether some were hidden.
func (l *packageList) Escape() bool {
	if l.kind == "" {
		return false
	}
	l.stay(func() {
		l.kind = ""
		l.sift()
	})
	return true
}

// enter shows the files of the package or the folder under the cursor in the tree.
func (l *packageList) enter() {
	r, ok := l.current()
	switch f := l.folder(r); {
	case !ok:
	case r.index < 0 && r.folder < 0:
		l.toggle()
	case r.index < 0 && f == nil:
		l.u.note = "a report lists the largest folders only"
	case l.u.lacks[needTree] != "":
		l.u.note = l.u.lacks[needTree]
	case f != nil:
		the(func(tree *files) { tree.showUnowned(f) })(l.u)
	default:
		the(func(tree *files) { tree.showPackage(int(r.index)) })(l.u)
	}
}

// hint says what enter does on the row under the cursor.
func (l *packageList) hint(action, usual string) string {
	r, ok := l.current()
	switch {
	case action != "show-in-tree":
		return usual
	case !ok, r.index < 0 && r.folder >= 0 && l.folder(r) == nil:
		return ""
	case r.index < 0 && r.folder < 0 && l.open:
		return "close"
	case r.index < 0 && r.folder < 0:
		return "open"
	}
	return usual
}

// toggle opens or closes what belongs to no package.
func (l *packageList) toggle() {
	if !l.setOpen(true) {
		l.setOpen(false)
	}
}

// stepIn opens what belongs to no package; if it is open, it goes to its first folder.
func (l *packageList) stepIn() {
	if r, ok := l.current(); !l.setOpen(true) && ok && r.index < 0 && r.folder < 0 && l.folders() > 0 {
		l.Move(1)
	}
}

// setOpen opens or closes what belongs to no package, and reports whether it did.
func (l *packageList) setOpen(open bool) bool {
	r, ok := l.current()
	if !ok || r.index >= 0 || l.open == open || len(l.unowned.Folders) == 0 {
		return false
	}
	l.open = open
	l.At -= int(r.folder) + 1
	l.fill()
	return true
}
