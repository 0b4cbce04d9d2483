package outline

import (
	"context"
	"slices"

	"fathom/analyzer/filetree"
)

// Selection is a set of nodes that an outline can show alone, with their figures.
type Selection struct {
	scope  Scope
	growth bool            // the figures have it
	asked  []filetree.Node // sorted
	only   []filetree.Node // those that the scope shows
	sums   []figures
}

// Prepare returns a function that prepares to show only the given nodes, in the scope and
// order of the outline. The nodes must be sorted; shown says that the scope shows them
// all. The function may run while the outline is in use. It returns nil if ctx is done.
func (o *Outline) Prepare() func(ctx context.Context, nodes []filetree.Node, shown bool) *Selection {
	c := Outline{tree: o.tree, scope: o.scope, order: o.order}
	return func(ctx context.Context, nodes []filetree.Node, shown bool) *Selection {
		if nodes == nil { // which would be all
			nodes = []filetree.Node{}
		}
		c.asked, c.only = nodes, nodes
		if !shown {
			c.only = c.shown()
		}
		c.sums = c.addUp(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return &Selection{c.scope, c.order == ByGrowth, nodes, c.only, c.sums}
	}
}

// many is how many nodes may be looked at in the time of a key.
const many = 20_000

// Found shows only the selected nodes, with everything below them and the folders above
// them, which are open.
func (o *Outline) Found(s *Selection) {
	o.asked, o.found = s.asked, true
	if !s.scope.Same(o.scope) || s.growth != (o.order == ByGrowth) {
		o.narrow()
		return
	}
	o.only, o.sums, o.late = s.only, s.sums, false
	o.changed()
}

// Late reports whether there are no rows because a large selection was made for another
// scope or order: Found has to be called with a new one.
func (o *Outline) Late() bool { return o.late }

// Inside returns the nodes that are hits or below one; both must be sorted.
func Inside(t *filetree.Tree, nodes, hits []filetree.Node) []filetree.Node {
	in := []filetree.Node{}
	end := filetree.Root // of the hits so far
	for _, n := range nodes {
		for len(hits) > 0 && hits[0] <= n {
			end, hits = max(end, t.End(hits[0])), hits[1:]
		}
		if n < end {
			in = append(in, n)
		}
	}
	return in
}

// Above returns the hits that are one of the nodes or above one; both must be sorted.
func Above(t *filetree.Tree, hits, nodes []filetree.Node) []filetree.Node {
	above := []filetree.Node{}
	for _, n := range hits {
		for len(nodes) > 0 && nodes[0] < n {
			nodes = nodes[1:]
		}
		if len(nodes) > 0 && nodes[0] < t.End(n) {
			above = append(above, n)
		}
	}
	return above
}

// Sequence returns a function that computes the sequence of the rows of hits, which must
// be sorted: indices of those that have a row when the folders above them are open. The
// function may run while the outline is in use. It returns nil if ctx is done.
func (o *Outline) Sequence(hits []filetree.Node) func(context.Context) []int32 {
	c := Outline{tree: o.tree, scope: o.scope, order: o.order, reverse: o.reverse, only: o.only, sums: o.sums}
	return func(ctx context.Context) []int32 { return c.sequence(ctx, hits) }
}

func (o *Outline) sequence(ctx context.Context, hits []filetree.Node) []int32 {
	var seq []int32
	if o.scope.View == nil {
		return seq
	}
	// walk appends the hits between two indices, which are below d.
	var walk func(d filetree.Node, from, to int)
	walk = func(d filetree.Node, from, to int) {
		if ctx.Err() != nil {
			return
		}
		var kids []filetree.Node
		for i := from; i < to; {
			k := hits[i]
			for o.tree.Parent(k) != d {
				k = o.tree.Parent(k)
			}
			if o.scope.Shown(o.tree, k) {
				kids = append(kids, k)
			}
			for end := o.tree.End(k); i < to && hits[i] < end; {
				i++
			}
		}
		o.sort(kids)
		for _, k := range kids {
			i, is := slices.BinarySearch(hits[from:to], k)
			i += from
			if is {
				seq = append(seq, int32(i))
				i++
			}
			if end := o.tree.End(k); i < to && hits[i] < end {
				n, _ := slices.BinarySearch(hits[i:to], end)
				walk(k, i, i+n)
			}
		}
	}
	from := 0
	if len(hits) > 0 && hits[0] == filetree.Root { // which has no row
		from++
	}
	walk(filetree.Root, from, len(hits))
	if ctx.Err() != nil {
		return nil
	}
	return seq
}
