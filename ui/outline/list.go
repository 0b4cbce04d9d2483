package outline

import (
	"cmp"
	"slices"

	"fathom/analyzer/filetree"
)

// list is the rows directly below d, sorted.
func (o *Outline) list(d filetree.Node) []filetree.Node {
	if kids, ok := o.kids[d]; ok {
		return kids
	}
	if o.scope.View == nil || o.tree.End(d) == d+1 {
		return nil
	}
	t := o.tree
	var kids []filetree.Node
	free := o.only == nil || o.within(d) // names do not matter here
	for c, end := d+1, t.End(d); c < end; c = t.End(c) {
		if (free || o.hit(c)) && o.scope.Shown(t, c) {
			kids = append(kids, c)
		}
	}
	o.sort(kids)
	o.kids[d] = kids
	return kids
}

// within is whether n or a folder above it is one of the only nodes.
func (o *Outline) within(n filetree.Node) bool {
	for ; n != filetree.None; n = o.tree.Parent(n) {
		if _, ok := slices.BinarySearch(o.only, n); ok {
			return true
		}
	}
	return false
}

// hit is whether one of the only nodes is n or below it.
func (o *Outline) hit(n filetree.Node) bool { return hitIn(o.tree, o.only, n) }

func hitIn(t *filetree.Tree, hits []filetree.Node, n filetree.Node) bool {
	i, _ := slices.BinarySearch(hits, n)
	return i < len(hits) && hits[i] < t.End(n)
}

type weighed struct {
	a, b int64
	n    filetree.Node
}

// sort orders kids, which come in the order of their names.
func (o *Outline) sort(kids []filetree.Node) {
	if len(kids) < 2 {
		return
	}
	if o.order != ByName {
		ws := make([]weighed, len(kids))
		for i, n := range kids {
			ws[i].n = n
			if o.order == ByCount {
				ws[i].a = int64(o.scope.View.Sum(n).Files)
			} else {
				ws[i].a, ws[i].b = o.scope.size(n)
			}
		}
		slices.SortFunc(ws, func(x, y weighed) int {
			if x.a != y.a {
				return cmp.Compare(y.a, x.a)
			}
			if x.b != y.b {
				return cmp.Compare(y.b, x.b)
			}
			return cmp.Compare(x.n, y.n)
		})
		for i, w := range ws {
			kids[i] = w.n
		}
	}
	if o.reverse {
		slices.Reverse(kids)
	}
}
