package ui

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// findings is the pane that lists what to change in the image.
type findings struct {
	screen.List
	none
	u      *ui
	all    []facts.Finding  // nil if unknown
	claims [][]advice.Claim // of all; nil if unknown
	new    int              // of two images: how many of all, the first ones, only the new one has; the old one has the others
	keys   []findingKey     // of all
	rows   []findingRow
	by     findingOrder
	rev    bool
	open   map[findingKey]bool // findings that show their places
	hits   []findingRow        // the first match in each finding
	seen   bool                // by the user

	scan
	titles
	fold int // the column of the triangles in it; 0 for none
}

// findingRow is a row: a finding, with place >= 0 one of its places. The row after
// the last place stands for those that the report doesn't list.
type findingRow struct{ finding, place int }

// findingKey identifies a finding when the list is replaced.
type findingKey struct {
	rule, title string // the title without sizes, which other rules may change
	nth         int    // of those with the same rule and title
}

var sizes = regexp.MustCompile(`\b[0-9][0-9.,]* [kMGTPE]?B\b`)

type findingOrder uint8

const (
	findingsBySize findingOrder = iota
	findingsBySeverity
	findingsByRule
)

// findingOrders is what findings can be sorted by.
var findingOrders = [...]ordered[*facts.Finding]{
	findingsBySize:     {order{"size", "s", false}, func(a, b *facts.Finding) int { return 0 }},
	findingsBySeverity: {order{"severity", "v", false}, func(a, b *facts.Finding) int { return cmp.Compare(rank(a), rank(b)) }},
	findingsByRule:     {order{"rule", "r", true}, func(a, b *facts.Finding) int { return cmp.Compare(a.Rule, b.Rule) }},
}

// rank returns 0 for the most serious findings.
func rank(f *facts.Finding) int { return slices.Index(facts.Severities(), f.Severity) }

func newFindings(u *ui, all []facts.Finding) *findings {
	f := &findings{u: u, open: map[findingKey]bool{}}
	f.by, f.rev = chosenOrder(f, findingsBySize)
	f.set(all)
	return f
}

func (f *findings) place() place  { return inFindings }
func (f *findings) Title() string { return "Findings" }
func (f *findings) about() string { return "of the finding" }

// set replaces the list. Open rows stay with their findings, and once the user has
// seen the list the cursor does, too.
func (f *findings) set(all []facts.Finding) {
	replace := func() {
		f.all, f.keys = all, findingKeys(all)
		f.sift()
	}
	if f.seen {
		f.stay(replace)
	} else {
		replace()
	}
}

func (f *findings) follow() { f.seen = true }

// stay changes the rows; the cursor stays with its row, and on its line of the screen.
func (f *findings) stay(change func()) {
	row, had := f.current()
	if !had {
		change()
		return
	}
	key, at, line := f.keys[row.finding], f.placeOf(row), f.At-f.Top
	change()
	i := slices.Index(f.keys, key)
	k := slices.IndexFunc(f.rows, func(r findingRow) bool { return r.finding == i && r.place < 0 })
	if k < 0 {
		return // the same line has to do
	}
	for j, r := range f.rows[k:] {
		if row.place >= 0 && r.finding == i && r.place >= 0 && samePlace(f.placeOf(r), at) {
			k += j
			break
		}
	}
	f.At, f.Top = k, max(k-line, 0)
	f.Fit(len(f.rows), f.H)
}

func samePlace(a, b facts.Place) bool {
	return a.Path == b.Path && a.Layer == b.Layer && a.HiddenBy == b.HiddenBy && a.Redacted == b.Redacted
}

// findingKeys returns the key of each finding.
func findingKeys(all []facts.Finding) []findingKey {
	times := map[findingKey]int{}
	keys := make([]findingKey, len(all))
	for i := range all {
		same := findingKey{rule: all[i].Rule, title: sizes.ReplaceAllString(all[i].Title, "")}
		keys[i] = same
		keys[i].nth = times[same]
		times[same]++
	}
	return keys
}

// fill sorts the findings and lists the rows.
func (f *findings) fill() {
	only := f.filtered()
	order := make([]int, 0, len(f.all))
	for i := range f.all {
		if _, is := f.match(i); is || !only {
			order = append(order, i)
		}
	}
	compare := findingOrders[f.by].compare
	slices.SortStableFunc(order, func(i, k int) int {
		if a, b := f.side(i), f.side(k); a != b {
			return cmp.Compare(b, a)
		}
		c := cmp.Or(compare(&f.all[i], &f.all[k]), facts.CompareFindings(f.all[i], f.all[k]))
		if f.rev {
			return -c
		}
		return c
	})
	f.rows = make([]findingRow, 0, len(order))
	for _, i := range order {
		f.rows = append(f.rows, findingRow{i, -1})
		if f.open[f.keys[i]] {
			for p := range f.places(i) {
				f.rows = append(f.rows, findingRow{i, p})
			}
		}
	}
	f.Fit(len(f.rows), f.H)
}

// places returns the number of rows below a finding.
func (f *findings) places(i int) int {
	n := len(f.all[i].Places)
	if f.all[i].MorePlaces > 0 {
		n++
	}
	return n
}

// current returns the row under the cursor.
func (f *findings) current() (findingRow, bool) {
	if f.At >= len(f.rows) {
		return findingRow{-1, -1}, false
	}
	return f.rows[f.At], true
}

// placeOf returns the place of a row, for a finding its largest one. The zero Place,
// with a layer, stands for none.
func (f *findings) placeOf(r findingRow) facts.Place {
	places := f.all[r.finding].Places
	if i := max(r.place, 0); i < len(places) {
		return places[i]
	}
	return facts.Place{Layer: -1, HiddenBy: -1}
}

func (f *findings) target() (target, bool) {
	r, ok := f.current()
	if !ok || f.u.img == nil {
		return target{}, false
	}
	p := f.placeOf(r)
	n, ok := f.node(p)
	at := shownBy(p)
	if f.u.two != nil {
		at = f.side(r.finding)
	}
	return target{n, at - 1, at}, ok
}

// node returns the path of a place in the tree.
func (f *findings) node(p facts.Place) (filetree.Node, bool) {
	if f.u.img == nil || p.Path == "" || shownBy(p) < 0 {
		return filetree.None, false
	}
	return f.u.img.Tree.Lookup(p.Path)
}

// shownBy returns the layer whose changes show a place: the one that hides it, or
// else the one that stores it.
func shownBy(p facts.Place) int {
	if p.HiddenBy >= 0 {
		return p.HiddenBy
	}
	return p.Layer
}

// copies returns the lines of the fix, or the path of a place.
func (f *findings) copies() string {
	r, ok := f.current()
	switch {
	case !ok:
		return ""
	case r.place >= 0:
		return f.placeOf(r).Path
	}
	words := report.FindingOf(f.report(r.finding), &f.all[r.finding])
	return cmp.Or(strings.Join(words.Lines, "\n"), words.Fix)
}

// Status returns what is under the cursor, and the order.
func (f *findings) Status() (where, state string) {
	if r, ok := f.current(); ok {
		where = safe(f.all[r.finding].Title)
		if p := f.placeOf(r); r.place >= 0 && p.Path != "" {
			where = safe(p.Path)
		}
	}
	return where, findingOrders[f.by].status(f.u.th, f.rev)
}

// Note returns what the findings come to, and whether more are looked for.
func (f *findings) Note() string {
	text := f.sum()
	switch {
	case f.running:
		text = strings.TrimPrefix(text+", "+f.searching(f.u.th), ", ")
	case text == "" && f.all != nil:
		text = count(0, "finding")
	}
	return text
}

// says returns what the layers say about the image: "8 findings in all"; "" for none.
func (f *findings) says() string {
	n := report.SumFindings(f.all).Findings
	if n == 0 {
		return ""
	}
	text := count(n, "finding") + " in all"
	if f.running {
		text += f.u.th.Glyph.Ellipsis
	}
	return text
}

// side returns which of two images has a finding; 0 for one image.
func (f *findings) side(i int) int {
	if f.u.two != nil && i < f.new {
		return newSide
	}
	return oldSide
}

// report returns the report of the image that has a finding.
func (f *findings) report(i int) *facts.Report {
	if f.u.two != nil {
		return f.u.two.reports[f.side(i)]
	}
	return f.u.rep
}

// toLayer goes to a layer of the image that has the finding under the cursor.
func (f *findings) toLayer(layer int) {
	f.u.leave()
	if l, ok := f.u.first.(*aligned); ok {
		if r, ok := f.current(); ok {
			l.choose(f.side(r.finding), layer)
		}
	} else {
		f.u.selectLayer(layer)
	}
	f.u.setFocus(layersPane)
}

// sum returns the findings in words, without those of severity info; "" for none.
func (f *findings) sum() string {
	if f.u.two != nil {
		return fmt.Sprintf("%d new %s %d fixed", f.new, f.u.th.Glyph.Dot, len(f.all)-f.new)
	}
	if s := report.SumFindings(f.all); s.Findings > 0 {
		return s.String()
	}
	return ""
}

// click selects a row, and opens or closes it if it is on the triangle; a double
// click does what enter does. On a column's title it sorts by that column; again, it
// reverses.
func (f *findings) click(x, y int, twice bool) {
	if f.titles.click(f.u, f, x, y) || !f.Click(y) {
		return
	}
	switch r, _ := f.current(); {
	case r.place < 0 && f.fold > 0 && (x == f.fold || x == f.fold+1):
		if !twice {
			f.toggle()
		}
	case twice:
		f.enter()
	}
}

func (f *findings) orders() []order            { return ordersOf(findingOrders[:]) }
func (f *findings) sorted() (by int, rev bool) { return int(f.by), f.rev }
func (f *findings) choices() *ListChoices      { return &f.u.choices.Findings }

// sortBy sorts the findings; the cursor goes to the first one.
func (f *findings) sortBy(by int, rev bool) {
	f.by, f.rev = findingOrder(by), rev
	f.fill()
	f.End(false)
}

// enter goes to the place under the cursor: in the tree, a layer, or the image's
// metadata.
func (f *findings) enter() {
	r, ok := f.current()
	if !ok {
		return
	}
	p := f.placeOf(r)
	switch n, ok := f.node(p); {
	case r.place == len(f.all[r.finding].Places):
		f.u.note = "a report lists the largest places only"
	case ok && f.u.two != nil:
		f.u.show(0)
		f.u.goTo(n, f.side(r.finding), true)
	case ok:
		f.u.show(0)
		f.u.goTo(n, shownBy(p), false)
	case p.Path != "" && f.u.lacks[needTree] != "":
		f.u.note = f.u.lacks[needTree]
	case p.Path != "" && f.u.two != nil:
		f.u.note = "the final files do not have " + safe(p.Path)
	case p.Path != "":
		f.u.note = "no layer lists " + safe(p.Path)
	case p.Layer >= 0:
		f.toLayer(p.Layer)
	case f.u.two != nil:
		f.u.openComparison()
	default:
		f.u.openImage()
	}
}

// hint says what enter does on the row under the cursor.
func (f *findings) hint(action, usual string) string {
	r, ok := f.current()
	if action != "show-in-tree" {
		return usual
	}
	if !ok || r.place == len(f.all[r.finding].Places) && r.place > 0 {
		return ""
	}
	p := f.placeOf(r)
	switch _, ok := f.node(p); {
	case ok:
		return usual
	case p.Path != "":
		return ""
	case p.Layer >= 0:
		return "go to the layer"
	case f.u.two != nil:
		return "figures"
	}
	return "image"
}

// toggle opens or closes the finding under the cursor.
func (f *findings) toggle() {
	if !f.setOpen(true) {
		f.setOpen(false)
	}
}

// stepIn opens the finding under the cursor; if it is open, it goes to its first place.
func (f *findings) stepIn() {
	if r, ok := f.current(); !f.setOpen(true) && ok && r.place < 0 && f.places(r.finding) > 0 {
		f.Move(1)
	}
}

// setOpen opens or closes the finding under the cursor, and reports whether it did.
func (f *findings) setOpen(open bool) bool {
	r, ok := f.current()
	if !ok || f.places(r.finding) == 0 {
		return false
	}
	key := f.keys[r.finding]
	if f.open[key] == open {
		return false
	}
	f.open[key] = open
	f.At -= r.place + 1
	f.fill()
	return true
}
