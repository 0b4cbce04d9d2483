package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// waste is the pane of what nobody will ever see.
type waste struct {
	screen.List
	tree  *filetree.Tree
	all   []item // folders that went as a whole stand for what was in them
	items []item // the same, sorted, and apart where they are grouped apart
	rows  []wasteRow
	open  map[int]bool // items that show what they stand for
	by    wasteOrder

	layers   *layers // their commands
	grouping wasteGrouping
	groups   []wasteGroup
	opened   map[string]bool // groups, by name

	found []int // items that the search finds, in the order of items
	rev   bool
	max   int64
	total int64
	busy  bool // it is still being added up
}

// item is one piece of wasted content, or all of a folder.
type item struct {
	node   filetree.Node
	bytes  int64
	cause  filetree.Cause
	stored int // layer; the first one when several stored parts of it
	last   int // the last one
	hidden int
	parts  []part // what it stands for, largest first
	folder bool
}

// part is one wasted content.
type part struct {
	content filetree.Content
	lost    filetree.Node // the last name that went
	bytes   int64
	stored  int
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
	wasteOrders
)

// sort orders the items; equal ones by size, then by path.
func (w *waste) sort() {
	w.items = w.apart()
	slices.SortFunc(w.items, func(a, b item) int {
		c := 0
		switch w.by {
		case wasteByCause:
			c = cmp.Compare(a.cause, b.cause)
		case wasteByStored:
			c = cmp.Compare(a.stored, b.stored)
		case wasteByHidden:
			c = cmp.Compare(a.hidden, b.hidden)
		case wasteByPath:
			c = cmp.Compare(a.node, b.node)
		}
		c = cmp.Or(c, cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.node, b.node), cmp.Compare(a.hidden, b.hidden), cmp.Compare(a.stored, b.stored))
		if w.rev {
			return -c
		}
		return c
	})
	clear(w.open)
	w.regroup()
	w.fill()
	w.First()
}

func (w *waste) fill() {
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
	w.Fit(len(w.rows), w.H)
}

// reorder chooses the next order: reversed, then by the next thing.
func (w *waste) reorder() {
	if w.rev {
		w.by = (w.by + 1) % wasteOrders
	}
	w.rev = !w.rev
}

// current is what is under the cursor: an item, or a part of one as an item;
// false on a group.
func (w *waste) current() (item, bool) {
	if w.At >= len(w.rows) || w.rows[w.At].item < 0 {
		return item{}, false
	}
	return w.row(w.rows[w.At]), true
}

func (w *waste) row(r wasteRow) item {
	it := w.items[r.item]
	if r.part < 0 {
		return it
	}
	p := it.parts[r.part]
	return item{node: p.lost, bytes: p.bytes, cause: it.cause, stored: p.stored, last: p.stored, hidden: it.hidden, parts: it.parts[r.part : r.part+1]}
}

// setOpen shows or hides what the folder or group under the cursor stands for;
// what has nothing to hide goes to the group above it.
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
	case w.items[r.item].folder && w.open[r.item] != open:
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
	return true
}

// steps are the layers of an item as its row says them.
func (it item) steps(th *screen.Theme) string {
	stored := strconv.Itoa(it.stored)
	if it.last > it.stored {
		stored += "-" + strconv.Itoa(it.last)
	}
	if it.cause == filetree.Repeated {
		return stored
	}
	return stored + " " + th.Glyph.Arrow + " " + strconv.Itoa(it.hidden)
}

func (w *waste) draw(c screen.Canvas, focused bool, find *search) {
	const bar = 8
	wide := c.W >= 84
	some := c.W >= 44
	steps := c.W >= 34
	head := c.H > 5
	if head {
		x := 1
		c.Right(x+8, 0, c.Theme.Dim, "wasted")
		x += 9
		if wide {
			x += bar + 1
		}
		if some {
			c.Text(x, 0, c.Theme.Dim, "cause")
			x += 12
		}
		if steps {
			c.Text(x, 0, c.Theme.Dim, "layers")
			x += 11
		}
		c.Text(x, 0, c.Theme.Dim, "path")
		c = c.Sub(0, 1, c.W, c.H-1)
	}
	w.Fit(len(w.rows), c.H)
	switch {
	case w.busy:
		c.Text(1, 0, c.Theme.Dim, "adding up"+c.Theme.Glyph.Ellipsis)
		return
	case len(w.rows) == 0:
		c.Short(1, 0, c.W-2, c.Theme.Dim, "nothing is wasted: every stored byte can be seen")
	}
	for y := 0; y < c.H && w.Top+y < len(w.rows); y++ {
		r := w.rows[w.Top+y]
		on := c.Row(y, w.Top+y == w.At, focused)
		if r.item < 0 {
			w.drawGroup(c, y, r.group, wide, on)
			continue
		}
		it := w.row(r)
		x := 1
		c.Right(x+8, y, on(c.Theme.Text), report.Size(it.bytes))
		x += 9
		if wide {
			c.Bar(x, y, bar, 0, it.bytes, w.max, on(c.Theme.Visible), on(c.Theme.Wasted))
			x += bar + 1
		}
		if some {
			c.Text(x, y, on(causeStyle(c.Theme, it.cause)), it.cause.String())
			x += 12
		}
		if steps {
			c.Text(x, y, on(c.Theme.Dim), it.steps(c.Theme))
			x += 11
		}
		if r.group >= 0 {
			x += 2
		}
		w.drawPath(c, x, y, r, it, on, find)
	}
}

func (w *waste) drawPath(c screen.Canvas, x, y int, r wasteRow, it item, on func(tcell.Style) tcell.Style, find *search) {
	path := report.Safe(w.tree.Path(it.node))
	mark := func(from, to int) { // what is looked for, where all of the path is there
		if !find.active() || to-from < screen.Width(path) {
			return
		}
		if i, j, ok := find.pattern.In(path); ok {
			c.Text(from+screen.Width(path[:i]), y, on(c.Theme.Found), path[i:j])
		}
	}
	if !it.folder {
		st := c.Theme.Text
		if r.part >= 0 {
			x += 2
			st = c.Theme.Dim
		}
		mark(x, c.Tail(x, y, c.W-x, on(st), path))
		return
	}
	tri := c.Theme.Glyph.Closed
	if w.open[r.item] {
		tri = c.Theme.Glyph.Open
	}
	x = c.Text(x, y, on(c.Theme.Dim), tri+" ")
	note := "  " + fileCount(len(it.parts))
	room := c.W - x
	if room > screen.Width(note)+16 {
		room -= screen.Width(note)
	} else {
		note = ""
	}
	from := x
	x = c.Tail(x, y, room, on(c.Theme.Dir), path+"/")
	mark(from, x)
	c.Text(x, y, on(c.Theme.Dim), note)
}

func causeStyle(th *screen.Theme, c filetree.Cause) tcell.Style {
	switch c {
	case filetree.Deleted:
		return th.Removed
	case filetree.MetadataOnly:
		return th.Again
	}
	return th.Modified
}

// status is what the line at the bottom says of the pane.
func (w *waste) status(th *screen.Theme) string {
	text := [...]string{"size ", "cause ", "stored by ", "hidden by ", "path "}[w.by]
	if w.rev != (w.by != wasteBySize) {
		text += th.Glyph.Up
	} else {
		text += th.Glyph.Down
	}
	return text
}

func fileCount(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
