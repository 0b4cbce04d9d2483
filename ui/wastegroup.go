package ui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// wasteGrouping is a way to group the waste.
type wasteGrouping uint8

const (
	ungrouped wasteGrouping = iota
	groupByCause
	groupByFolder
	groupByStored
	groupByHidden
)

// wasteGroupings has, for each way, its title, the order besides the size that also
// sorts the groups, and the group of an item, still empty.
var wasteGroupings = [...]struct {
	title string
	order wasteOrder
	of    func(w *wasteTable, it *item) wasteGroup
}{
	groupByCause: {"by cause", wasteByCause, func(_ *wasteTable, it *item) wasteGroup {
		return wasteGroup{name: report.Cause(it.cause.String()), like: item{cause: it.cause}, layer: -1}
	}},
	groupByFolder: {"by folder", wasteByPath, (*wasteTable).folderOf},
	groupByStored: {"by the step that stored it", wasteByStored, func(_ *wasteTable, it *item) wasteGroup {
		return wasteGroup{name: fmt.Sprintf("stored by layer %d", it.stored), like: item{stored: it.stored}, layer: it.stored}
	}},
	groupByHidden: {"by the step that hid it", wasteByHidden, func(_ *wasteTable, it *item) wasteGroup {
		return wasteGroup{name: fmt.Sprintf("hidden by layer %d", it.hidden), like: item{hidden: it.hidden}, layer: it.hidden}
	}},
}

// wasteGroup is a row that sums up some of the items.
type wasteGroup struct {
	name  string
	like  item // what its items have in common
	layer int  // the step; -1 for other groupings
	bytes int64
	items []int
}

// regroup groups the sorted items. Groups are sorted by size, unless the items are
// sorted by what groups them.
func (w *wasteTable) regroup() {
	w.groups, w.max = nil, 0
	at := map[string]int{}
	for i := range w.items {
		it := &w.items[i]
		w.max = max(w.max, it.bytes)
		if w.grouping == ungrouped {
			continue
		}
		g := wasteGroupings[w.grouping].of(w, it)
		k, ok := at[g.name]
		if !ok {
			k = len(w.groups)
			at[g.name] = k
			w.groups = append(w.groups, g)
		}
		w.groups[k].bytes += it.bytes
		w.groups[k].items = append(w.groups[k].items, i)
	}
	for _, g := range w.groups {
		w.max = max(w.max, g.bytes)
	}
	slices.SortStableFunc(w.groups, func(a, b wasteGroup) int {
		c := cmp.Compare(b.bytes, a.bytes)
		switch w.by {
		case wasteBySize:
		case wasteGroupings[w.grouping].order:
			c = wasteOrders[w.by].compare(a.like, b.like)
		default:
			return c // only the items in it are reversed
		}
		if w.rev {
			return -c
		}
		return c
	})
}

// apart returns the items, split by step if the groups are steps.
func (w *wasteTable) apart() []item {
	if w.grouping != groupByStored {
		return slices.Clone(w.all)
	}
	var out []item
	for _, it := range w.all {
		if it.stored == it.last {
			out = append(out, it)
			continue
		}
		parts := slices.Clone(it.parts)
		slices.SortStableFunc(parts, func(a, b lostFile) int { return cmp.Compare(a.stored, b.stored) })
		for len(parts) > 0 {
			one := it
			one.stored, one.last, one.bytes = int(parts[0].stored), int(parts[0].stored), 0
			n := 0
			for n < len(parts) && int(parts[n].stored) == one.stored {
				one.bytes += parts[n].bytes
				n++
			}
			one.parts, parts = parts[:n], parts[n:]
			if one.bytes > 0 {
				out = append(out, one)
			}
		}
	}
	return out
}

// folderOf is the group of the folder above an item, no deeper than two below
// the root.
func (w *wasteTable) folderOf(it *item) wasteGroup {
	var above []filetree.Node
	if it.folder {
		above = append(above, it.node)
	}
	for n := w.tree.Parent(it.node); n != filetree.None; n = w.tree.Parent(n) {
		above = append(above, n)
	}
	n := above[max(len(above)-3, 0)]
	return wasteGroup{name: w.tree.Path(n), like: item{node: n}, layer: -1}
}

// group returns the group under the cursor; false if the cursor is not on a group.
func (w *waste) group() (wasteGroup, bool) {
	if w.At >= len(w.rows) || w.rows[w.At].item >= 0 {
		return wasteGroup{}, false
	}
	return w.groups[w.rows[w.At].group], true
}

// drawGroup draws the row of a group.
func (w *waste) drawGroup(c screen.Canvas, y, i int, cols wasteColumns, on func(tcell.Style) tcell.Style) {
	g := &w.groups[i]
	w.drawBytes(c, y, g.bytes, cols, on(c.Theme.Strong), on)
	x := c.Text(cols.bar.X+cols.bar.W, y, on(c.Theme.Dim), triangle(c.Theme, w.opened[g.name])+" ")
	end := c.W
	if note := count(len(g.items), "path"); c.W-x > screen.Width(note)+16 {
		end -= screen.Width(note) + 1
		c.Text(end, y, on(c.Theme.Dim), note)
		end -= 2
	}
	st := c.Theme.Strong
	if w.grouping == groupByCause {
		st = causeStyle(c.Theme, g.like.cause).Bold(true)
	}
	name := safe(g.name)
	if g.layer >= 0 && c.W >= 60 { // the title says how it is grouped
		name = fmt.Sprintf("layer %d", g.layer)
	}
	x = c.Tail(x, y, end-x, on(st), name)
	says := ""
	switch {
	case g.layer >= 0:
		says = layerCommand(w.u.rep, g.layer)
	case w.grouping == groupByCause:
		says = causeText(g.like.cause)
	}
	c.Short(x+2, y, end-x-2, on(c.Theme.Dim), says)
}

// groupPage describes a group of waste.
func groupPage(p *screen.Page, rep *facts.Report, w *wasteTable, g wasteGroup) {
	th := p.Theme
	p.Title(safe(g.name))
	p.Blank()
	p.Field("wasted", report.Size(g.bytes)+"  "+report.Exact(g.bytes), th.Wasted)
	shareField(p, g.bytes, w.total)
	p.Field("in", count(len(g.items), "path"), th.Text)
	switch {
	case w.grouping == groupByCause:
		p.Field("because", causeText(g.like.cause), th.Text)
	case g.layer >= 0:
		p.Blank()
		p.Add(g.layer, "", screen.Span{Text: fmt.Sprintf(" layer %d", g.layer), Style: th.Dim})
		p.Wrap(2, layerCommand(rep, g.layer), th.Text)
	}
}

func (w *waste) paths() *filetree.Tree { return w.tree }
func (w *waste) scope() outline.Scope  { return outline.Scope{} }

// sift notes which items match the search, by their own path or a path in them.
func (w *waste) sift() {
	w.hits = w.hits[:0]
	s := &w.u.search
	if w.busy || s.in != seeker(w) || !s.active() || len(s.hits) == 0 {
		return
	}
	for i := range w.items {
		if w.holds(&w.items[i], s.hits) >= -1 {
			w.hits = append(w.hits, i)
		}
	}
}

func (w *waste) found() (int, string) { return len(w.hits), count(len(w.hits), "path") + " found" }

// holds returns the part of the item that is a hit; -1 for the item itself, -2 for
// none.
func (w *waste) holds(it *item, hits []filetree.Node) int {
	is := func(n, end filetree.Node) bool {
		for ; n != end; n = w.tree.Parent(n) {
			if _, ok := slices.BinarySearch(hits, n); ok {
				return true
			}
		}
		return false
	}
	if is(it.node, filetree.None) {
		return -1
	}
	for i := range it.parts {
		if is(it.parts[i].lost, w.tree.Parent(it.node)) {
			return i
		}
	}
	return -2
}

// hit goes to the next or previous match and opens what hides it.
func (w *waste) hit(forward, here bool) {
	if w.busy || len(w.hits) == 0 {
		return
	}
	pos := w.order() // of the items, as rows follow one another
	slices.SortFunc(w.hits, func(a, b int) int { return cmp.Compare(pos[a], pos[b]) })
	at, on := 0, false
	if w.At < len(w.rows) {
		if r := w.rows[w.At]; r.item >= 0 {
			at, on = pos[r.item], true
		} else if len(w.groups[r.group].items) > 0 {
			at = pos[w.groups[r.group].items[0]]
		}
	}
	i, exact := slices.BinarySearchFunc(w.hits, at, func(k, at int) int { return cmp.Compare(pos[k], at) })
	switch {
	case exact && on && here:
	case !forward:
		i--
	case exact && on:
		i++
	}
	k := w.hits[(i+len(w.hits))%len(w.hits)]
	for _, g := range w.groups {
		if slices.Contains(g.items, k) {
			w.opened[g.name] = true
		}
	}
	part := w.holds(&w.items[k], w.u.search.hits)
	if part >= 0 {
		w.open[k] = true
	} else {
		part = -1
	}
	w.fill()
	w.Fit(len(w.rows), w.H)
	for y, r := range w.rows {
		if r.item == k && r.part == part {
			w.Move(y - w.At)
			return
		}
	}
}

func (w *waste) bookmark() func() {
	at, top, open, opened := w.At, w.Top, maps.Clone(w.open), maps.Clone(w.opened)
	return func() {
		if w.busy {
			return
		}
		w.open, w.opened = maps.Clone(open), maps.Clone(opened)
		w.At, w.Top = at, top
		w.fill()
		w.Fit(len(w.rows), w.H)
	}
}

// order returns the position of each item in the list.
func (w *wasteTable) order() []int {
	pos := make([]int, len(w.items))
	n := 0
	for _, g := range w.groups {
		for _, i := range g.items {
			pos[i] = n
			n++
		}
	}
	if w.grouping == ungrouped {
		for i := range pos {
			pos[i] = i
		}
	}
	return pos
}

func (w *waste) nth() int {
	if w.busy || len(w.hits) == 0 || w.At >= len(w.rows) || w.rows[w.At].item < 0 {
		return 0
	}
	pos, now := w.order(), w.rows[w.At].item
	n := 0
	for _, i := range w.hits {
		if pos[i] <= pos[now] {
			n++
		}
	}
	if !slices.Contains(w.hits, now) {
		return 0
	}
	return n
}
