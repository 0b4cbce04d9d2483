package ui

import (
	"cmp"
	"slices"

	"fathom/analyzer/advice"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// sumWaste lists the waste of a tree. It is a pass over all contents.
func sumWaste(t *filetree.Tree) *wasteTable {
	w := newWasteTable(t)
	type why struct {
		cause  filetree.Cause
		hidden int
	}
	lost := map[why][]lostFile{}
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
		lost[k] = append(lost[k], lostFile{c, s.Lost, s.Bytes, int32(s.Layer), int32(s.HiddenBy), s.Cause})
		w.total += s.Bytes
	}
	for _, k := range whys {
		parts := lost[k]
		slices.SortFunc(parts, func(a, b lostFile) int { return cmp.Compare(a.lost, b.lost) })
		w.gather(filetree.Root, k.cause, k.hidden, parts)
	}
	w.sort()
	return w
}

// gather makes items of the parts, which are sorted by node and below d. Many items
// below one folder become one, as in advice.Groups.
func (w *wasteTable) gather(d filetree.Node, cause filetree.Cause, hidden int, parts []lostFile) {
	t := w.tree
	whole, first := parts, len(w.all)
	children := 0
	for ; len(parts) > 0; children++ {
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
			if in[0].lost == child { // a file that was replaced by a folder
				w.add(child, cause, hidden, in[:1])
				in = in[1:]
			}
			w.gather(child, cause, hidden, in)
		}
	}
	if children > advice.MaxChildren && d != filetree.Root {
		w.all = w.all[:first]
		w.add(d, cause, hidden, whole)
	}
}

// went reports whether the layer removed folder d, and whether all the files that d
// had before were lost for this cause.
func (w *wasteTable) went(d filetree.Node, cause filetree.Cause, hidden, n int) (gone, all bool) {
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

// taken returns the highest folder up to d that the layer removed with n in it, or n.
func (w *wasteTable) taken(n, d filetree.Node, cause filetree.Cause, hidden int) filetree.Node {
	high := n
	for m := n; m != d; {
		m = w.tree.Parent(m)
		if gone, _ := w.went(m, cause, hidden, 1); gone {
			high = m
		}
	}
	return high
}

// common returns the lowest folder in d that contains all the parts, which are sorted.
func (w *wasteTable) common(d filetree.Node, parts []lostFile) filetree.Node {
	last := parts[len(parts)-1].lost
	for m := parts[0].lost; m != d; m = w.tree.Parent(m) {
		if up := w.tree.Parent(m); last < w.tree.End(up) {
			return up
		}
	}
	return d
}

func (w *wasteTable) add(d filetree.Node, cause filetree.Cause, hidden int, parts []lostFile) {
	it := item{node: d, cause: cause, since: hidden, hidden: hidden, parts: parts}
	it.folder = len(parts) > 1 || parts[0].lost != d
	it.stored, it.last = int(parts[0].stored), int(parts[0].stored)
	for _, p := range parts {
		it.bytes += p.bytes
		it.stored, it.last = min(it.stored, int(p.stored)), max(it.last, int(p.stored))
	}
	if it.bytes == 0 {
		return // empty files only matter for whether a folder is lost
	}
	slices.SortFunc(it.parts, bySize)
	w.all = append(w.all, it)
}

// bySize orders parts: the largest first, versions of the same size by layer.
func bySize(a, b lostFile) int {
	return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.lost, b.lost), byLayer(a, b))
}

// byLayer orders the versions of a file.
func byLayer(a, b lostFile) int {
	return cmp.Or(cmp.Compare(a.stored, b.stored), cmp.Compare(a.hidden, b.hidden))
}

// onePerPath returns the items, sorted by path, with one item for those of a path that
// are in the same group: compare returns 0 for them. It uses the slice again.
func onePerPath(items []item, compare func(a, b item) int) []item {
	same := func(a, b item) int { return cmp.Or(cmp.Compare(a.node, b.node), compare(a, b)) }
	slices.SortFunc(items, same)
	out := items[:0]
	for i := 0; i < len(items); {
		it, from := items[i], i
		for i++; i < len(items) && same(it, items[i]) == 0; i++ {
			v := &items[i]
			it.bytes += v.bytes
			it.stored, it.last = min(it.stored, v.stored), max(it.last, v.last)
			it.since, it.hidden = min(it.since, v.since), max(it.hidden, v.hidden)
			it.folder = it.folder || v.folder
			if it.cause != v.cause {
				it.cause = filetree.Visible
			}
		}
		if i > from+1 {
			it.parts, it.versions = nil, slices.Clone(items[from:i])
			slices.SortFunc(it.versions, func(a, b item) int {
				return cmp.Or(cmp.Compare(a.stored, b.stored), cmp.Compare(a.hidden, b.hidden), cmp.Compare(a.cause, b.cause))
			})
			for _, v := range items[from:i] {
				it.parts = append(it.parts, v.parts...)
			}
			order := byLayer
			if it.folder {
				order = bySize
			}
			slices.SortFunc(it.parts, order)
		}
		out = append(out, it)
	}
	return out
}
