package outline

import (
	"cmp"
	"iter"
	"slices"

	"fathom/analyzer/filetree"
)

// list returns the rows directly below d, sorted.
func (o *Outline) list(d filetree.Node) []filetree.Node {
	if kids, ok := o.kids[d]; ok {
		return kids
	}
	if o.scope.View == nil || o.tree.End(d) == d+1 {
		return nil
	}
	var kids []filetree.Node
	for c := range o.named(d) {
		if o.scope.Shown(o.tree, c) {
			kids = append(kids, c)
		}
	}
	o.sort(kids)
	o.kids[d] = kids
	return kids
}

// named returns the nodes directly below d that have rows if the scope shows them.
func (o *Outline) named(d filetree.Node) iter.Seq[filetree.Node] {
	return func(yield func(filetree.Node) bool) {
		t, hits := o.tree, o.only
		free := hits == nil || o.within(d) // names do not matter here
		for c, end := d+1, t.End(d); c < end; c = t.End(c) {
			if !free {
				if hits = from(hits, c); len(hits) == 0 || hits[0] >= end {
					return
				}
			}
			if (free || hits[0] < t.End(c)) && !yield(c) {
				return
			}
		}
	}
}

// from returns the nodes from n on; they must be sorted. It is fast if that is near.
func from(nodes []filetree.Node, n filetree.Node) []filetree.Node {
	far := 1
	for far < len(nodes) && nodes[far-1] < n {
		far *= 2
	}
	i, _ := slices.BinarySearch(nodes[far/2:min(far, len(nodes))], n)
	return nodes[far/2+i:]
}

// within reports whether n or a folder above it is one of the only nodes.
func (o *Outline) within(n filetree.Node) bool {
	for ; n != filetree.None; n = o.tree.Parent(n) {
		if _, ok := slices.BinarySearch(o.only, n); ok {
			return true
		}
	}
	return false
}

func hitIn(t *filetree.Tree, hits []filetree.Node, n filetree.Node) bool {
	i, _ := slices.BinarySearch(hits, n)
	return i < len(hits) && hits[i] < t.End(n)
}

// single returns the only row directly below d; None if there is not exactly one.
func (o *Outline) single(d filetree.Node) filetree.Node {
	if kids, ok := o.kids[d]; ok {
		if len(kids) == 1 {
			return kids[0]
		}
		return filetree.None
	}
	// Don't use list, which sorts and keeps all rows: d may never be opened.
	one := filetree.None
	if o.scope.View == nil {
		return one
	}
	for c := range o.named(d) {
		if o.scope.Shown(o.tree, c) {
			if one != filetree.None {
				return filetree.None
			}
			one = c
		}
	}
	return one
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
	if weigh := orders[o.order].weigh; weigh != nil {
		ws := make([]weighed, len(kids))
		for i, n := range kids {
			ws[i].n = n
			ws[i].a, ws[i].b = weigh(o, n)
		}
		sortWeighed(kids, ws)
	}
	if o.reverse {
		slices.Reverse(kids)
	}
}

// sortWeighed orders kids, which come in the order of their names, by their weights:
// the heaviest first.
func sortWeighed(kids []filetree.Node, ws []weighed) {
	plain := len(kids) < 1<<24 // a single weight, and small enough for sortPlain
	for i := range ws {
		plain = plain && ws[i].b == 0 && ws[i].a < 1<<40
	}
	if plain {
		sortPlain(kids, ws)
		return
	}
	slices.SortFunc(ws, func(x, y weighed) int {
		return cmp.Or(cmp.Compare(y.a, x.a), cmp.Compare(y.b, x.b), cmp.Compare(x.n, y.n))
	})
	for i, w := range ws {
		kids[i] = w.n
	}
}

// sortPlain sorts by one weight below 2^40. It sorts numbers that combine weight and
// index, which is many times faster: a folder of 50,000 files needs that.
func sortPlain(kids []filetree.Node, ws []weighed) {
	keys := make([]uint64, len(ws))
	heaviest := int64(0)
	for _, w := range ws {
		heaviest = max(heaviest, w.a)
	}
	for i, w := range ws {
		keys[i] = uint64(heaviest-w.a)<<24 | uint64(i)
	}
	if len(keys) < 1<<10 {
		slices.Sort(keys)
	} else {
		keys = sortByDigits(keys, uint64(heaviest))
	}
	for i, k := range keys {
		kids[i] = ws[k&(1<<24-1)].n
	}
}

// sortByDigits is a stable radix sort by the bits above the lowest 24, whose value is
// at most high. It makes one pass for every eleven bits.
func sortByDigits(keys []uint64, high uint64) []uint64 {
	const digit = 11
	other := make([]uint64, len(keys))
	for shift := 24; high > 0; shift, high = shift+digit, high>>digit {
		var starts [1 << digit]int
		for _, k := range keys {
			starts[k>>shift&(1<<digit-1)]++
		}
		at := 0
		for d, n := range starts {
			starts[d] = at
			at += n
		}
		for _, k := range keys {
			d := k >> shift & (1<<digit - 1)
			other[starts[d]] = k
			starts[d]++
		}
		keys, other = other, keys
	}
	return keys
}
