package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
)

// waste is the pane of what nobody will ever see.
type waste struct {
	list
	tree  *filetree.Tree
	items []item // folders that went as a whole stand for what was in them
	rows  []wasteRow
	open  map[int]bool // items that show what they stand for
	by    wasteOrder
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

// wasteRow is a row: an item, or with part >= 0 a part of it.
type wasteRow struct{ item, part int }

type wasteOrder uint8

const (
	wasteBySize wasteOrder = iota
	wasteByCause
	wasteByStored
	wasteByHidden
	wasteByPath
	wasteOrders
)

// newWaste lists what the tree wastes. It takes a pass over all contents.
func newWaste(t *filetree.Tree) *waste {
	w := &waste{tree: t, open: map[int]bool{}}
	type why struct {
		cause  filetree.Cause
		hidden int
	}
	lost := map[why][]part{}
	var whys []why
	for c := range filetree.Content(t.Contents()) {
		s := t.Stored(c)
		if s.Cause == filetree.Visible {
			continue
		}
		k := why{s.Cause, s.HiddenBy}
		if lost[k] == nil {
			whys = append(whys, k)
		}
		lost[k] = append(lost[k], part{c, s.Lost, s.Bytes, s.Layer})
		w.total += s.Bytes
	}
	for _, k := range whys {
		parts := lost[k]
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.lost, b.lost) })
		w.group(filetree.Root, k.cause, k.hidden, parts)
	}
	w.sort()
	return w
}

// group makes items of the parts, which are sorted by node and lie below d.
func (w *waste) group(d filetree.Node, cause filetree.Cause, hidden int, parts []part) {
	t := w.tree
	for len(parts) > 0 {
		// The child of d that holds the first part, and all the parts in it.
		at := parts[0].lost
		child := at
		for m := at; m != d; m = t.Parent(m) {
			child = m
		}
		end := t.End(child)
		n := 1
		for n < len(parts) && parts[n].lost < end {
			n++
		}
		in := parts[:n]
		parts = parts[n:]
		switch gone, all := w.went(child, cause, hidden, n); {
		case gone, all && n > 1:
			if !gone {
				child = w.common(child, in)
			}
			w.add(child, cause, hidden, in)
		case n == 1:
			w.add(w.taken(at, child, cause, hidden), cause, hidden, in)
		default:
			if in[0].lost == child { // a file that became a folder
				w.add(child, cause, hidden, in[:1])
				in = in[1:]
			}
			w.group(child, cause, hidden, in)
		}
	}
}

// went is whether the layer took folder d away, and whether as many files as d
// had before went for the cause.
func (w *waste) went(d filetree.Node, cause filetree.Cause, hidden, n int) (gone, all bool) {
	if hidden < 1 || cause == filetree.Repeated {
		return false, false
	}
	before, ok := w.tree.At(d, hidden-1)
	if !ok || before.Kind != layer.Dir {
		return false, false
	}
	if cause == filetree.Deleted {
		after, ok := w.tree.At(d, hidden)
		gone = !ok || after.Kind != layer.Dir
	}
	return gone, w.tree.View(hidden-2, hidden-1).Sum(d).Files == n
}

// taken is the highest folder up to d that the layer took away with n in it, or n.
func (w *waste) taken(n, d filetree.Node, cause filetree.Cause, hidden int) filetree.Node {
	high := n
	for m := n; m != d; {
		m = w.tree.Parent(m)
		if gone, _ := w.went(m, cause, hidden, 1); gone {
			high = m
		}
	}
	return high
}

// common is the lowest folder in d that holds all the parts, which are sorted.
func (w *waste) common(d filetree.Node, parts []part) filetree.Node {
	last := parts[len(parts)-1].lost
	for m := parts[0].lost; m != d; m = w.tree.Parent(m) {
		if up := w.tree.Parent(m); last < w.tree.End(up) {
			return up
		}
	}
	return d
}

func (w *waste) add(d filetree.Node, cause filetree.Cause, hidden int, parts []part) {
	it := item{node: d, cause: cause, hidden: hidden, parts: parts}
	it.folder = len(parts) > 1 || parts[0].lost != d
	it.stored, it.last = parts[0].stored, parts[0].stored
	for _, p := range parts {
		it.bytes += p.bytes
		it.stored, it.last = min(it.stored, p.stored), max(it.last, p.stored)
	}
	if it.bytes == 0 {
		return // empty files only count for whether a folder went
	}
	w.max = max(w.max, it.bytes)
	slices.SortFunc(it.parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.lost, b.lost))
	})
	w.items = append(w.items, it)
}

// sort orders the items; equal ones by size, then by path.
func (w *waste) sort() {
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
	w.fill()
	w.first()
}

func (w *waste) fill() {
	w.rows = w.rows[:0]
	for i := range w.items {
		w.rows = append(w.rows, wasteRow{i, -1})
		if w.open[i] {
			for p := range w.items[i].parts {
				w.rows = append(w.rows, wasteRow{i, p})
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

// current is what is under the cursor: an item, or a part of one as an item.
func (w *waste) current() (item, bool) {
	if w.at >= len(w.rows) {
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

// setOpen shows or hides what the folder under the cursor stands for.
func (w *waste) setOpen(open bool) bool {
	if w.at >= len(w.rows) {
		return false
	}
	r := w.rows[w.at]
	if !w.items[r.item].folder || w.open[r.item] == open {
		return false
	}
	w.open[r.item] = open
	if r.part >= 0 {
		w.at -= r.part + 1
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

func (w *waste) draw(c canvas, focused bool) {
	const bar = 8
	wide := c.w >= 84
	some := c.w >= 44
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
		c.text(x, 0, c.th.dim, "layers")
		x += 11
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
		it := w.row(r)
		on := onLine(c, y, w.top+y == w.at, focused)
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
		c.text(x, y, on(c.th.dim), it.steps(c.th))
		x += 11
		w.drawPath(c, x, y, r, it, on)
	}
}

func (w *waste) drawPath(c canvas, x, y int, r wasteRow, it item, on func(tcell.Style) tcell.Style) {
	path := report.Safe(w.tree.Path(it.node))
	if !it.folder {
		st := c.th.text
		if r.part >= 0 {
			x += 2
			st = c.th.dim
		}
		c.tail(x, y, c.w-x, on(st), path)
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
	x = c.tail(x, y, room, on(c.th.dir), path+"/")
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
		return text + th.glyph.up
	}
	return text + th.glyph.down
}

func fileCount(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
