package filetree

import (
	"slices"
	"sort"

	"fathom/analyzer/layer"
)

// figure is what one version, or content that goes over to another name, adds
// to the sums of the directories above a node.
type figure struct {
	node, layer int32
	sum         sum
}

// sumUp makes the sums of every directory for every layer that did something
// below it.
func (t *Tree) sumUp() {
	byLayer, first := t.byLayer()
	moves := t.moves()

	type record struct {
		dir int32
		sum sum
	}
	var records []record
	w := sweep{t: t}
	for i := range int32(t.layers) {
		w.emit = func(dir int32, s sum) {
			s.layer = i
			records = append(records, record{dir, s})
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

	// By directory, oldest layer first; sizes and counts up to the layer.
	for _, r := range records {
		t.nodes[r.dir+1].sum++
	}
	for n := 1; n < len(t.nodes); n++ {
		t.nodes[n].sum += t.nodes[n-1].sum
	}
	t.sums = make([]sum, len(records))
	fill := make([]int32, t.Len())
	for _, r := range records {
		at := t.nodes[r.dir].sum + fill[r.dir]
		if fill[r.dir] > 0 {
			r.sum.size += t.sums[at-1].size
			r.sum.files += t.sums[at-1].files
		}
		t.sums[at] = r.sum
		fill[r.dir]++
	}
}

type nodeVersion struct{ node, version int32 }

// byLayer is every version by layer, then node; first says where each layer
// begins. The root's are left out: it lies below nothing.
func (t *Tree) byLayer() (all []nodeVersion, first []int32) {
	first = make([]int32, t.layers+1)
	each := func(do func(at nodeVersion, i int32)) {
		for n := Root + 1; int(n) < t.Len(); n++ {
			from, to := t.history(n)
			for v := from; v < to; v++ {
				do(nodeVersion{int32(n), v}, t.versions[v].layer)
			}
		}
	}
	each(func(_ nodeVersion, i int32) { first[i+1]++ })
	for i := 1; i < len(first); i++ {
		first[i] += first[i-1]
	}
	fill := slices.Clone(first)
	all = make([]nodeVersion, first[t.layers])
	each(func(at nodeVersion, i int32) {
		all[fill[i]] = at
		fill[i]++
	})
	return all, first
}

// figure is what version i of n adds to the directories above it. The size of
// content with several names is left to moves.
func (t *Tree) figure(n, i int32) sum {
	before := t.before(Node(n), i)
	mark, _ := t.compare(before, i)
	s := sum{stored: t.storedAt(Node(n), i), marks: 1 << mark, removed: t.lost(before, i)}
	count := func(i int32, sign int64) {
		if i < 0 {
			return
		}
		if v := &t.versions[i]; v.alive() && v.kind == layer.File {
			s.files += int32(sign)
			if !t.pieces[v.content].linked {
				s.size += sign * t.pieces[v.content].bytes
			}
		}
	}
	count(before, -1)
	count(i, 1)
	return s
}

// moves is where the size of content with several names counts: at the first
// that shows it, from the layer on in which that one is the first.
func (t *Tree) moves() []figure {
	var out []figure
	for c, names := range t.names2 {
		var when []int32 // layers in which a name came or went
		for _, n := range names {
			from, to := t.history(Node(n))
			for v := from; v < to; v++ {
				when = append(when, t.versions[v].layer)
			}
		}
		slices.Sort(when)
		at := None
		size := t.pieces[c].bytes
		for _, i := range slices.Compact(when) {
			now := t.FirstName(c, int(i))
			if now == at {
				continue
			}
			if at != None {
				out = append(out, figure{int32(at), i, sum{size: -size}})
			}
			if now != None {
				out = append(out, figure{int32(now), i, sum{size: size}})
			}
			at = now
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].layer != out[j].layer {
			return out[i].layer < out[j].layer
		}
		return out[i].node < out[j].node
	})
	return out
}
