package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// packageChanges is the pane that lists the packages that differ between two images.
type packageChanges struct {
	screen.List
	none
	u    *ui
	all  []facts.PackageChange // nil if unknown
	rows []int                 // indices in all
	by   int                   // in packageChangeOrders
	rev  bool
	titles
	kind string // the only type that has rows; "" for all types
	hits []bool // by index in all; nil without a search
}

// packageChangeOrders is what the packages can be sorted by.
var packageChangeOrders = [...]ordered[*facts.PackageChange]{
	{order{"growth", "g", false}, func(a, b *facts.PackageChange) int { return 0 }},
	{order{"type", "t", true}, func(a, b *facts.PackageChange) int { return strings.Compare(a.Type, b.Type) }},
	{order{"name", "n", true}, func(a, b *facts.PackageChange) int { return strings.Compare(a.Name, b.Name) }},
}

func newPackageChanges(u *ui) *packageChanges {
	l := &packageChanges{u: u, all: u.two.Facts.Packages}
	l.by, l.rev = chosenOrder(l, 0)
	l.fill()
	return l
}

func (l *packageChanges) place() place  { return inPackages }
func (l *packageChanges) Title() string { return "Packages" }
func (l *packageChanges) about() string { return "of the package" }

// Note counts the packages that are shown, by what became of them.
func (l *packageChanges) Note() string {
	var n [3]int
	for _, i := range l.rows {
		switch p := &l.all[i]; {
		case p.Old == nil:
			n[0]++
		case p.New == nil:
			n[1]++
		default:
			n[2]++
		}
	}
	var words []string
	for i, mark := range []filetree.Mark{filetree.Added, filetree.Removed, filetree.Modified} {
		if n[i] > 0 {
			sign, _ := markSign(l.u.th, mark)
			words = append(words, sign+itoa(n[i]))
		}
	}
	return strings.Join(words, " ")
}

func (l *packageChanges) Status() (where, state string) {
	return shown(l.copies()), packageChangeOrders[l.by].status(l.u.th, l.rev)
}

// only says which packages have rows; "" for all.
func (l *packageChanges) only() string {
	return strings.TrimSpace(l.kind + " " + l.u.foundOnly(l))
}

func (l *packageChanges) copies() string {
	if p := l.current(); p != nil {
		return p.Type + ":" + p.Name
	}
	return ""
}

// current returns the package under the cursor, nil if there is none.
func (l *packageChanges) current() *facts.PackageChange {
	if l.At >= len(l.rows) {
		return nil
	}
	return &l.all[l.rows[l.At]]
}

// fill lists the rows.
func (l *packageChanges) fill() {
	l.rows = l.rows[:0]
	only := l.hits != nil && l.u.search.filters(l)
	for i := range l.all {
		if (l.kind == "" || l.all[i].Type == l.kind) && (!only || l.hits[i]) {
			l.rows = append(l.rows, i)
		}
	}
	compare := packageChangeOrders[l.by].compare
	slices.SortFunc(l.rows, func(i, k int) int {
		c := cmp.Or(compare(&l.all[i], &l.all[k]), cmp.Compare(i, k))
		if l.rev {
			return -c
		}
		return c
	})
	l.Fit(len(l.rows), l.H)
}

func (l *packageChanges) orders() []order            { return ordersOf(packageChangeOrders[:]) }
func (l *packageChanges) sorted() (by int, rev bool) { return l.by, l.rev }
func (l *packageChanges) choices() *ListChoices      { return &l.u.choices.PackageChanges }

// sortBy sorts the packages; the cursor goes to the first one.
func (l *packageChanges) sortBy(by int, rev bool) {
	l.by, l.rev = by, rev
	l.fill()
	l.End(false)
}

// nextType shows only the packages of the next type, and after the last one all again.
func (l *packageChanges) nextType() {
	has := map[string]bool{}
	for i := range l.all {
		has[l.all[i].Type] = true
	}
	types := sortedKeys(has)
	i := slices.Index(types, l.kind) + 1
	l.kind = ""
	if i < len(types) {
		l.kind = types[i]
	}
	l.sift()
	l.End(false)
}

// Escape shows the packages of all types, and reports whether some were hidden.
func (l *packageChanges) Escape() bool {
	if l.kind == "" {
		return false
	}
	l.kind = ""
	l.sift()
	return true
}

// click selects a row, or sorts by a column.
func (l *packageChanges) click(x, y int, _ bool) {
	if !l.titles.click(l.u, l, x, y) {
		l.Click(y)
	}
}

// packageMark returns the sign of what became of a package.
func packageMark(th *screen.Theme, p *facts.PackageChange) (string, tcell.Style) {
	switch {
	case p.Old == nil:
		return markSign(th, filetree.Added)
	case p.New == nil:
		return markSign(th, filetree.Removed)
	}
	return markSign(th, filetree.Modified)
}

// versions returns the old and the new version of a package, or the only one.
func versions(th *screen.Theme, p *facts.PackageChange) string {
	switch {
	case p.Old == nil && p.New == nil:
		return ""
	case p.Old == nil:
		return shown(*p.New)
	case p.New == nil, *p.Old == *p.New:
		return shown(*p.Old)
	}
	return shown(*p.Old) + " " + th.Glyph.Arrow + " " + shown(*p.New)
}

func (l *packageChanges) Draw(c screen.Canvas, focused bool) {
	growth := screen.Column{W: 10, Right: true}
	var kind, name, version screen.Column
	room := screen.Room(c.W - growth.W - 3)
	room.Take(&kind, 9, 16)
	room.Take(&version, 15, 16)
	if version.W > 0 {
		more := max(int(room)-24, 0) * 2 / 3
		version.W += more
		room -= screen.Room(more)
	}
	name.W = int(room)
	screen.Place(screen.Place(1, &growth)+1, &kind, &name, &version)
	l.titles = nil
	c = l.Head(c, c.H > 5, func() {
		l.titles = drawTitles(c, l, title{growth, "growth", 0}, title{kind, "type", 1}, title{name, "name", 2}, title{version, "version", -1})
	})
	if len(l.rows) == 0 {
		p := &screen.Page{Theme: c.Theme, W: c.W}
		p.Wrap(0, l.empty(), c.Theme.Dim)
		screen.DrawLines(c, &screen.List{}, p.Lines, false)
	}
	l.List.Draw(c, len(l.rows), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		p, th := &l.all[l.rows[i]], c.Theme
		sign, st := packageMark(th, p)
		c.Text(0, y, on(st.Bold(true)), sign)
		c.Cell(growth, y, on(growthStyle(th, p.DeltaBytes)), growthText(p.DeltaBytes))
		c.Cell(kind, y, on(th.Dim), p.Type)
		text := shown(p.Name)
		end := name.W
		if version.W > 0 {
			end--
		}
		to := c.Short(name.X, y, end, on(th.Text), text)
		l.u.search.highlight(c, name.X, to, y, text, on)
		if version.W > 0 {
			c.Short(version.X, y, version.W, on(th.Dim), versions(th, p))
		}
	})
}

// empty says why there are no rows.
func (l *packageChanges) empty() string {
	switch {
	case l.all == nil:
		return "the packages of one of the images are unknown"
	case len(l.all) == 0:
		return "the packages are the same"
	}
	return "no package matches"
}

func (l *packageChanges) details(p *screen.Page) any {
	x := l.current()
	if x == nil {
		return nil
	}
	th := p.Theme
	p.Title(shown(x.Name))
	p.Blank()
	p.Field("type", x.Type, th.Text)
	for side, v := range []*string{x.Old, x.New} {
		name := [2]string{"old", "new"}[side]
		if v == nil {
			p.Field(name, "the "+sideName(side)+" does not have it", th.Dim)
		} else {
			p.Field(name, shown(*v), th.Text)
		}
	}
	switch {
	case x.DeltaBytes == 0:
		p.Field("growth", "none", th.Dim)
	default:
		p.Field("growth", growthText(x.DeltaBytes)+"  "+report.Exact(x.DeltaBytes), growthStyle(th, x.DeltaBytes))
	}
	for side, rep := range l.u.two.reports {
		for i := range rep.Packages {
			pkg := &rep.Packages[i]
			if pkg.Type != x.Type || pkg.Name != x.Name {
				continue
			}
			p.Blank()
			p.Title("In the " + sideName(side))
			p.Field("version", shown(pkg.Version), th.Text)
			p.Field("listed in", shown(pkg.Database), th.Text)
			p.Field("visible", report.Size(pkg.VisibleBytes)+"  "+report.Exact(pkg.VisibleBytes), th.Visible)
			p.Field("wasted", report.Size(pkg.WastedBytes), wastedStyle(th, pkg.WastedBytes))
			p.Field("brought by", "layer "+itoa(pkg.BroughtBy), th.Dim)
		}
	}
	return l.rows[l.At]
}

// The packages are not searched as a tree.
func (l *packageChanges) paths() *filetree.Tree { return nil }
func (l *packageChanges) scope() outline.Scope  { return outline.Scope{} }

func (l *packageChanges) bookmark() func() {
	at, top := l.At, l.Top
	return func() {
		l.At, l.Top = at, top
		l.fill()
	}
}

// restrict gives rows only to the packages that match, if the user wants that.
func (l *packageChanges) restrict() { l.fill() }

// sift finds the packages of the shown type that match the search: a name, a version, or
// with a colon in the text a type with a name ("npm:express").
func (l *packageChanges) sift() {
	l.hits = nil
	if s := &l.u.search; s.of(l) {
		l.hits = make([]bool, len(l.all))
		has := func(v *string) bool { return v != nil && s.pattern.Matches(*v) }
		for i := range l.all {
			p := &l.all[i]
			l.hits[i] = (l.kind == "" || p.Type == l.kind) &&
				(s.pattern.Matches(p.Name) || has(p.Old) || has(p.New) || strings.Contains(s.text, ":") && s.pattern.Matches(p.Type+":"+p.Name))
		}
	}
	l.fill()
}

func (l *packageChanges) found() (int, string) {
	n := 0
	for _, hit := range l.hits {
		if hit {
			n++
		}
	}
	return n, count(n, "package") + " found"
}

// hit goes to the next or previous package that matches.
func (l *packageChanges) hit(forward, here bool) {
	l.Seek(len(l.rows), forward, here, func(row int) bool { return l.hits != nil && l.hits[l.rows[row]] })
}

func (l *packageChanges) nth() int {
	return nth(l.At, len(l.rows), func(row int) bool { return l.hits != nil && l.hits[l.rows[row]] })
}
