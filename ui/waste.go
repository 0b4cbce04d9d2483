package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
)

// waste is the pane of what nobody will ever see.
type waste struct {
	list
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
	w.first()
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
	w.fit(len(w.rows), w.h)
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
	if w.at >= len(w.rows) || w.rows[w.at].item < 0 {
		return item{}, false
	}
	return w.row(w.rows[w.at]), true
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
	if w.at >= len(w.rows) {
		return false
	}
	switch r := w.rows[w.at]; {
	case r.item < 0:
		name := w.groups[r.group].name
		if w.opened[name] == open {
			return false
		}
		w.opened[name] = open
	case w.items[r.item].folder && w.open[r.item] != open:
		w.open[r.item] = open
		if r.part >= 0 {
			w.at -= r.part + 1
		}
	case !open && r.group >= 0:
		for w.rows[w.at].item >= 0 {
			w.at--
		}
	default:
		return false
	}
	w.fill()
	return true
}

// steps are the layers of an item as its row says them.
func (it item) steps(th *theme) string {
	stored := strconv.Itoa(it.stored)
	if it.last > it.stored {
		stored += "-" + strconv.Itoa(it.last)
	}
	if it.cause == filetree.Repeated {
		return stored
	}
	return stored + " " + th.glyph.arrow + " " + strconv.Itoa(it.hidden)
}

func (w *waste) draw(c canvas, focused bool, find *search) {
	const bar = 8
	wide := c.w >= 84
	some := c.w >= 44
	steps := c.w >= 34
	head := c.h > 5
	if head {
		x := 1
		c.right(x+8, 0, c.th.dim, "wasted")
		x += 9
		if wide {
			x += bar + 1
		}
		if some {
			c.text(x, 0, c.th.dim, "cause")
			x += 12
		}
		if steps {
			c.text(x, 0, c.th.dim, "layers")
			x += 11
		}
		c.text(x, 0, c.th.dim, "path")
		c = c.sub(0, 1, c.w, c.h-1)
	}
	w.fit(len(w.rows), c.h)
	switch {
	case w.busy:
		c.text(1, 0, c.th.dim, "adding up"+c.th.glyph.ellipsis)
		return
	case len(w.rows) == 0:
		c.short(1, 0, c.w-2, c.th.dim, "nothing is wasted: every stored byte can be seen")
	}
	for y := 0; y < c.h && w.top+y < len(w.rows); y++ {
		r := w.rows[w.top+y]
		on := onLine(c, y, w.top+y == w.at, focused)
		if r.item < 0 {
			w.drawGroup(c, y, r.group, wide, on)
			continue
		}
		it := w.row(r)
		x := 1
		c.right(x+8, y, on(c.th.text), report.Size(it.bytes))
		x += 9
		if wide {
			c.bar(x, y, bar, 0, it.bytes, w.max, on(c.th.visible), on(c.th.wasted))
			x += bar + 1
		}
		if some {
			c.text(x, y, on(causeStyle(c.th, it.cause)), it.cause.String())
			x += 12
		}
		if steps {
			c.text(x, y, on(c.th.dim), it.steps(c.th))
			x += 11
		}
		if r.group >= 0 {
			x += 2
		}
		w.drawPath(c, x, y, r, it, on, find)
	}
}

func (w *waste) drawPath(c canvas, x, y int, r wasteRow, it item, on func(tcell.Style) tcell.Style, find *search) {
	path := report.Safe(w.tree.Path(it.node))
	mark := func(from, to int) { // what is looked for, where all of the path is there
		if !find.active() || to-from < width(path) {
			return
		}
		if i, j, ok := find.pattern.In(path); ok {
			c.text(from+width(path[:i]), y, on(c.th.found), path[i:j])
		}
	}
	if !it.folder {
		st := c.th.text
		if r.part >= 0 {
			x += 2
			st = c.th.dim
		}
		mark(x, c.tail(x, y, c.w-x, on(st), path))
		return
	}
	tri := c.th.glyph.closed
	if w.open[r.item] {
		tri = c.th.glyph.open
	}
	x = c.text(x, y, on(c.th.dim), tri+" ")
	note := "  " + fileCount(len(it.parts))
	room := c.w - x
	if room > width(note)+16 {
		room -= width(note)
	} else {
		note = ""
	}
	from := x
	x = c.tail(x, y, room, on(c.th.dir), path+"/")
	mark(from, x)
	c.text(x, y, on(c.th.dim), note)
}

func causeStyle(th *theme, c filetree.Cause) tcell.Style {
	switch c {
	case filetree.Deleted:
		return th.removed
	case filetree.MetadataOnly:
		return th.again
	}
	return th.modified
}

// status is what the line at the bottom says of the pane.
func (w *waste) status(th *theme) string {
	text := [...]string{"size ", "cause ", "stored by ", "hidden by ", "path "}[w.by]
	if w.rev != (w.by != wasteBySize) {
		text += th.glyph.up
	} else {
		text += th.glyph.down
	}
	return text
}

func fileCount(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
