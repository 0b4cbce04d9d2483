package filetree

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"

	"fathom/analyzer/layer"
)

// Piece is content to compare with other content of its Group.
type Piece struct {
	Layer     int
	Offset    int64 // in the layer's tar, as in layer.Entry
	Bytes     int64
	Sparse    bool
	Hashed    bool // Hash is known
	FromTable bool // as in layer.Entry
	Hash      layer.Hash
	// Same is the index in the group of the first piece with the same bytes. It is
	// the piece's own index until the callback of Build sets it.
	Same int
}

// Group is a list of pieces of equal size that one path, or names of the same
// content, showed one after the other, the bottom one first.
type Group []Piece

// Build returns the tree of all applied layers. b must not be used afterwards.
//
// If layers store different content of the same size at one path, Build must know
// whether the bytes are the same. Where hashes don't tell, it calls same, once
// with all groups, to compare them and to set Same in every Piece.
func (b *Builder) Build(ctx context.Context, same func(context.Context, []Group) error) (*Tree, error) {
	t := &Tree{
		pieces:  b.pieces.flat(),
		held:    b.held,
		owners:  b.owners,
		texts:   b.texts,
		devices: b.devices,
		layers:  int(b.layers),
	}
	// Free what is only needed to apply layers.
	b.pieces, b.alive, b.table, b.ownerID, b.applied = pile[piece]{}, pile[int32]{}, nil, nil, nil
	collect(b.nodes.n) // that, and the entries of all layers
	order := b.order(t)
	b.arrange(t, order)
	collect(t.Len()) // the memory of b
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := b.settle(ctx, t, same); err != nil {
		return nil, err
	}
	t.findNames()
	t.findFirsts()
	t.explain()
	if err := t.sumUp(b.Memory); err != nil {
		return nil, err
	}
	return t, ctx.Err()
}

// collect runs the garbage collector if the tree is large. Otherwise the heap
// could double before the collector runs by itself.
func collect(nodes int) {
	if nodes > 1<<17 {
		runtime.GC()
	}
}

// order numbers the nodes depth first, children in the order of their names. It
// fills t.nodes and returns the old number of each node by its new one.
func (b *Builder) order(t *Tree) []int32 {
	// Collect the children of all nodes in one array.
	first := make([]int32, b.nodes.n+1)
	for n := int32(1); n < int32(b.nodes.n); n++ {
		first[b.nodes.at(n).parent+1]++
	}
	for i := 1; i < len(first); i++ {
		first[i] += first[i-1]
	}
	children := make([]int32, b.nodes.n-1)
	fill := append([]int32(nil), first...)
	for n := int32(1); n < int32(b.nodes.n); n++ {
		p := b.nodes.at(n).parent
		children[fill[p]] = n
		fill[p]++
	}
	name := func(n int32) string {
		x := b.nodes.at(n)
		return b.names.at(x.nameAt, x.nameLen)
	}
	for n := range b.nodes.n {
		sortByName(children[first[n]:first[n+1]], name)
	}

	// Visit the nodes depth first. fill holds the next child of every directory.
	copy(fill, first)
	order := make([]int32, 0, b.nodes.n)
	t.nodes = make([]place, 0, b.nodes.n+1)
	type open struct{ old, new int32 }
	var stack []open
	visit := func(old, parent int32) {
		stack = append(stack, open{old, int32(len(order))})
		order = append(order, old)
		x := b.nodes.at(old)
		t.nodes = append(t.nodes, place{parent: parent, name: x.nameAt, length: x.nameLen})
	}
	visit(0, -1)
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		if at := fill[top.old]; at < first[top.old+1] {
			fill[top.old]++
			visit(children[at], top.new)
			continue
		}
		t.nodes[top.new].end = int32(len(order))
		stack = stack[:len(stack)-1]
	}
	t.nodes = append(t.nodes, place{parent: -1, end: int32(len(order))})
	t.names = names{pieces: b.names.pieces}
	return order
}

// arrange sorts the versions by node, then layer, and replaces the old numbers of
// nodes and versions by the new ones.
func (b *Builder) arrange(t *Tree, order []int32) {
	t.versions = make([]version, b.versions.n)
	t.repeats = make(map[int32]int64, len(b.repeats))
	renumber := make([]int32, len(order))
	at := int32(0)
	for n, old := range order {
		renumber[old] = int32(n)
		t.nodes[n].version = at
		count := int32(0)
		for v := b.nodes.at(old).last; v >= 0; v = b.versions.at(v).prev {
			count++
		}
		at += count
		to := at
		for v := b.nodes.at(old).last; v >= 0; v = b.versions.at(v).prev {
			to--
			t.versions[to] = b.versions.at(v).version
			if b.versions.at(v).flags&again != 0 {
				t.repeats[to] = b.repeats[v]
			}
		}
	}
	t.nodes[len(order)].version = at
	for i := range t.pieces {
		p := &t.pieces[i]
		p.node, p.lost = renumber[p.node], renumber[p.lost]
	}
	*b = Builder{hashes: b.hashes, Memory: b.Memory} // t has the rest
}

// settle finds out which contents that one path showed have the same bytes.
func (b *Builder) settle(ctx context.Context, t *Tree, same func(context.Context, []Group) error) error {
	q := questions{b: b, t: t}
	var found []Content
	for n := Node(0); int(n) < t.Len(); n++ {
		from, to := t.history(n)
		if to-from < 2 {
			continue
		}
		found = found[:0]
		for v := from; v < to; v++ {
			if c := t.versions[v].content(); c != NoContent && t.pieces[c].bytes > 0 {
				found = append(found, c)
			}
		}
		q.ask(found)
	}
	q.askLinked()
	if groups := q.groups(); len(groups) > 0 {
		if err := same(ctx, groups); err != nil {
			return err
		}
		at := 0
		for _, g := range groups {
			for i := range g {
				t.unite(q.names[at+g[i].Same], q.names[at+i])
			}
			at += len(g)
		}
	}
	for c := range t.pieces {
		t.pieces[c].same = t.root(Content(c))
	}
	t.hashes, b.hashes = b.hashes, nil
	return nil
}

// questions collects the groups of pieces to compare, all in one slice.
type questions struct {
	b      *Builder
	t      *Tree
	pieces []Piece
	names  []Content    // the Content of each piece
	ends   []int        // where each group ends in pieces
	linked [][2]Content // pairs to compare, for askLinked to group
}

// ask splits the contents that one path showed by size. It compares those of one
// size by their hashes if it can; otherwise it adds a group.
func (q *questions) ask(found []Content) {
	t := q.t
	slices.SortFunc(found, func(x, y Content) int {
		return cmp.Or(cmp.Compare(t.pieces[x].bytes, t.pieces[y].bytes), cmp.Compare(x, y))
	})
	found = slices.Compact(found)
	for len(found) > 1 {
		run := 1
		for run < len(found) && t.pieces[found[run]].bytes == t.pieces[found[0]].bytes {
			run++
		}
		switch group := found[:run]; {
		case run < 2, q.hashed(group):
		case slices.ContainsFunc(group, func(c Content) bool { return t.pieces[c].linked }):
			for _, c := range group[1:] {
				q.linked = append(q.linked, [2]Content{group[0], c})
			}
		default:
			q.add(group)
		}
		found = found[run:]
	}
}

// add adds a group.
func (q *questions) add(group []Content) {
	for i, c := range group {
		p := &q.t.pieces[c]
		piece := Piece{Layer: int(p.layer), Offset: p.offset, Bytes: p.bytes, Sparse: p.sparse, Same: i}
		if p.hashed {
			piece.Hash, piece.Hashed, piece.FromTable = q.b.hashes[c], true, p.fromTable
		}
		q.pieces = append(q.pieces, piece)
		q.names = append(q.names, c)
	}
	q.ends = append(q.ends, len(q.pieces))
}

// askLinked adds the groups of content with several names. Many paths may have
// shown the same two pieces one after the other. To read each piece only once,
// askLinked puts all pieces that are connected by pairs into one group.
func (q *questions) askLinked() {
	top := map[Content]Content{} // a union-find forest: the parent of each piece
	find := func(c Content) Content {
		if _, ok := top[c]; !ok {
			top[c] = c
		}
		for top[c] != c {
			top[c] = top[top[c]]
			c = top[c]
		}
		return c
	}
	for _, pair := range q.linked {
		a, b := find(pair[0]), find(pair[1])
		top[max(a, b)] = min(a, b)
	}
	groups := map[Content][]Content{}
	for c := range top {
		groups[find(c)] = append(groups[find(c)], c)
	}
	for _, first := range slices.Sorted(maps.Keys(groups)) {
		slices.Sort(groups[first])
		q.add(groups[first])
	}
}

// hashed compares the contents of run by their hashes. It reports false, and does
// nothing, unless all hashes are known and of the same kind.
func (q *questions) hashed(run []Content) bool {
	for _, c := range run {
		if p := &q.t.pieces[c]; !p.hashed || p.fromTable != q.t.pieces[run[0]].fromTable {
			return false
		}
	}
	first := make(map[layer.Hash]Content, len(run))
	for _, c := range run {
		if f, ok := first[q.b.hashes[c]]; ok {
			q.t.unite(f, c)
		} else {
			first[q.b.hashes[c]] = c
		}
	}
	return true
}

func (q *questions) groups() []Group {
	out := make([]Group, len(q.ends))
	from := 0
	for i, end := range q.ends {
		out[i] = q.pieces[from:end:end]
		from = end
	}
	return out
}

// unite records that pieces a and b have the same bytes.
func (t *Tree) unite(a, b Content) {
	a, b = t.root(a), t.root(b)
	t.pieces[max(a, b)].same = min(a, b)
}

// root returns the first piece that is known to have the same bytes as c.
func (t *Tree) root(c Content) Content {
	for t.pieces[c].same != c {
		t.pieces[c].same = t.pieces[t.pieces[c].same].same
		c = t.pieces[c].same
	}
	return c
}

// findNames sets t.linkNames: all names of content with several.
func (t *Tree) findNames() {
	t.linkNames = map[Content][]int32{}
	for n := Node(0); int(n) < t.Len(); n++ {
		from, to := t.history(n)
		for v := from; v < to; v++ {
			c := t.versions[v].content()
			if c == NoContent || !t.pieces[c].linked {
				continue
			}
			if names := t.linkNames[c]; len(names) == 0 || names[len(names)-1] != int32(n) {
				t.linkNames[c] = append(names, int32(n))
			}
		}
	}
	for _, names := range t.linkNames {
		t.sortByPath(names)
	}
}

// explain sets the Cause of wasted content.
func (t *Tree) explain() {
	for c := range t.pieces {
		if p := &t.pieces[c]; p.hiddenBy >= 0 {
			p.cause = t.causeOf(Content(c), p.lost, p.hiddenBy)
		}
	}
}

// causeOf returns why content that lost its last name in a layer is wasted. It depends
// on what that layer has at the name.
func (t *Tree) causeOf(c Content, lost int32, hiddenBy int16) Cause {
	v := &t.versions[t.at(Node(lost), int(hiddenBy))]
	switch {
	case v.layer != hiddenBy || !v.alive() || v.flags&implied != 0:
		return Deleted
	case t.pieces[c].layer == hiddenBy:
		return Repeated
	case v.kind == layer.File && t.sameContent(c, v.content()):
		return MetadataOnly
	}
	return Overwritten
}

// sortByName sorts siblings. In most tars they are sorted already.
func sortByName(nodes []int32, name func(int32) string) {
	byName := func(a, b int32) int { return strings.Compare(name(a), name(b)) }
	if !slices.IsSortedFunc(nodes, byName) {
		slices.SortFunc(nodes, byName)
	}
}
