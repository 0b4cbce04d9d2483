package filetree

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"slices"

	"fathom/analyzer/layer"
)

// figure is what one change in a layer adds to the sums of the directories above
// node. The change is a version, or a move of content to another first name.
type figure struct {
	node  int32
	layer int16
	sum   sum
}

// sumUp computes the sums of every directory, for every layer that changed
// something below it.
func (t *Tree) sumUp(memory *layer.Quota) error {
	byLayer, first := t.byLayer()
	moves := t.moves()
	if err := t.placeSums(memory, byLayer, first, moves); err != nil {
		return err
	}

	// placeSums has set where the sums of each directory begin. They are in the
	// order of the layers. Sizes and file counts include all lower layers.
	fill := make([]int32, t.Len())
	w := sweep{t: t}
	for i := range int16(t.layers) {
		w.emit = func(dir int32, s sum) {
			s.layer = i
			at := t.nodes[dir].sum + fill[dir]
			if fill[dir] > 0 {
				s.size += t.sums[at-1].size
				s.files += t.sums[at-1].files
			}
			t.sums[at] = s
			fill[dir]++
		}
		for _, at := range byLayer[first[i]:first[i+1]] {
			n := at.node
			for len(moves) > 0 && moves[0].layer == i && moves[0].node <= n {
				w.add(moves[0].node, moves[0].sum)
				moves = moves[1:]
			}
			w.add(n, t.figure(at.node, at.version))
		}
		for len(moves) > 0 && moves[0].layer == i {
			w.add(moves[0].node, moves[0].sum)
			moves = moves[1:]
		}
		w.finish()
	}
	return nil
}

// placeSums counts the sums of every directory, sets where they begin, and
// allocates them.
func (t *Tree) placeSums(memory *layer.Quota, byLayer []nodeVersion, first []int32, moves []figure) error {
	seen := make([]int16, t.Len()) // by directory: the last layer counted, plus one
	total := int64(0)
	for i := range int16(t.layers) {
		before := total
		count := func(n int32) {
			for d := t.nodes[n].parent; d >= 0 && seen[d] != i+1; d = t.nodes[d].parent {
				seen[d] = i + 1
				t.nodes[d+1].sum++
				total++
			}
		}
		for _, at := range byLayer[first[i]:first[i+1]] {
			count(at.node)
		}
		for ; len(moves) > 0 && moves[0].layer == i; moves = moves[1:] {
			count(moves[0].node)
		}
		if total > math.MaxInt32 {
			return fmt.Errorf("layer %d: %w", i, errTooManyNames)
		}
		if err := memory.Take((total - before) * sumBytes); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	for n := 1; n < len(t.nodes); n++ {
		t.nodes[n].sum += t.nodes[n-1].sum
	}
	t.sums = make([]sum, total)
	return nil
}

type nodeVersion struct{ node, version int32 }

// byLayer returns all versions, sorted by layer, then node; first holds the index
// at which each layer begins. Versions of the root are left out because no
// directory contains it.
func (t *Tree) byLayer() (all []nodeVersion, first []int32) {
	first = make([]int32, t.layers+1)
	each := func(do func(at nodeVersion, i int16)) {
		for n := Root + 1; int(n) < t.Len(); n++ {
			from, to := t.history(n)
			for v := from; v < to; v++ {
				do(nodeVersion{int32(n), v}, t.versions[v].layer)
			}
		}
	}
	each(func(_ nodeVersion, i int16) { first[i+1]++ })
	for i := 1; i < len(first); i++ {
		first[i] += first[i-1]
	}
	fill := slices.Clone(first)
	all = make([]nodeVersion, first[t.layers])
	each(func(at nodeVersion, i int16) {
		all[fill[i]] = at
		fill[i]++
	})
	return all, first
}

// figure returns what version i of n adds to the sums of the directories above n.
// It omits the size of content with several names, which moves adds.
func (t *Tree) figure(n, i int32) sum {
	before := t.before(Node(n), i)
	mark, _ := t.compare(before, i)
	s := sum{stored: t.storedAt(Node(n), i), removed: t.lost(before, i)}
	s.touch(mark, t.isFile(i) || !t.isAlive(i) && t.isFile(before))
	count := func(i int32, sign int64) {
		if i < 0 {
			return
		}
		if v := &t.versions[i]; v.alive() && v.kind == layer.File {
			s.files += int32(sign)
			if !t.pieces[v.content()].linked {
				s.size += sign * t.pieces[v.content()].bytes
			}
		}
	}
	count(before, -1)
	count(i, 1)
	return s
}

// first is the first name, in the order of paths, that shows some content from a
// layer on.
type first struct {
	layer int16
	node  int32 // None if no name shows the content
}

// findFirsts sets t.firsts for all content with several names.
func (t *Tree) findFirsts() {
	t.firsts = make(map[Content][]first, len(t.linkNames))
	for c, names := range t.linkNames {
		t.firsts[c] = t.firstNames(c, names)
	}
}

// firstNames returns the first name of c, with one element for each layer that
// changes it. names holds every node that shows c after any layer, in the order of
// paths.
func (t *Tree) firstNames(c Content, names []int32) []first {
	type event struct {
		rank  int32 // the index in names
		layer int16
		shows bool
	}
	var events []event
	for rank, n := range names {
		shows := false
		from, to := t.history(Node(n))
		for v := from; v < to; v++ {
			if now := t.versions[v].content() == c; now != shows {
				events = append(events, event{int32(rank), t.versions[v].layer, now})
				shows = now
			}
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.layer, b.layer) })

	var out []first
	var up ranks // the names that show c, and some that no longer do
	shows := make([]bool, len(names))
	at := int32(None)
	for len(events) > 0 {
		i := events[0].layer
		for len(events) > 0 && events[0].layer == i {
			e := events[0]
			events = events[1:]
			if shows[e.rank] = e.shows; e.shows {
				heap.Push(&up, e.rank)
			}
		}
		for len(up) > 0 && !shows[up[0]] {
			heap.Pop(&up)
		}
		now := int32(None)
		if len(up) > 0 {
			now = names[up[0]]
		}
		if now != at {
			out = append(out, first{i, now})
			at = now
		}
	}
	return out
}

// ranks is a min-heap.
type ranks []int32

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return r[i] < r[j] }
func (r ranks) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranks) Push(x any)        { *r = append(*r, x.(int32)) }
func (r *ranks) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// moves returns the figures that count the size of content with several names.
// The size counts at the first name that shows the content. When a layer changes
// the first name, the size moves from the old one to the new one.
func (t *Tree) moves() []figure {
	var out []figure
	for c, firsts := range t.firsts {
		size := t.pieces[c].bytes
		at := int32(None)
		for _, f := range firsts {
			if at != int32(None) {
				out = append(out, figure{at, f.layer, sum{size: -size}})
			}
			if f.node != int32(None) {
				out = append(out, figure{f.node, f.layer, sum{size: size}})
			}
			at = f.node
		}
	}
	slices.SortFunc(out, func(a, b figure) int {
		return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(a.node, b.node))
	})
	return out
}
