package compare

import (
	"slices"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// layers says which layer of the new image is which one of the old image. Both lists
// keep their order; a removed layer comes before the first layer behind it.
func (c *Comparison) layers() []facts.LayerPair {
	old, new := c.Old.Report.Layers, c.New.Report.Layers
	to := make([]int, len(new)) // the old layer of each new one, or -1
	for i := range to {
		to[i] = -1
	}
	used := make([]bool, len(old))
	match := func(same func(o, n int) bool) {
		for _, p := range common(len(old), len(new), func(o, n int) bool { return !used[o] && to[n] < 0 && same(o, n) }) {
			to[p[1]], used[p[0]] = p[0], true
		}
	}
	id := func(l *facts.Layer) string { return l.DiffID }
	match(func(o, n int) bool { return id(&old[o]) != "" && id(&old[o]) == id(&new[n]) })
	kept := slices.Clone(to)
	// What has moved is the same too, but not in the same order.
	rest := map[string][]int{}
	for o := range old {
		if !used[o] && id(&old[o]) != "" {
			rest[id(&old[o])] = append(rest[id(&old[o])], o)
		}
	}
	for n := range new {
		if os := rest[id(&new[n])]; to[n] < 0 && len(os) > 0 {
			to[n], used[os[0]], rest[id(&new[n])] = os[0], true, os[1:]
		}
	}
	steps := [2][]string{commands(old), commands(new)}
	match(func(o, n int) bool { return steps[0][o] != "" && steps[0][o] == steps[1][n] })
	match(func(o, n int) bool { return c.stores(o, n) })

	changed := slices.Clone(to)
	for n, o := range changed {
		if o >= 0 && id(&old[o]) == id(&new[n]) && id(&old[o]) != "" {
			changed[n] = -1
		}
	}
	touched := c.touched(changed)

	out := []facts.LayerPair{}
	next := 0
	for n := range new {
		o := to[n]
		for ; o >= next && next < o; next++ {
			if !used[next] {
				out = append(out, facts.LayerPair{Old: next, New: -1, State: facts.LayerRemoved, Reasons: []string{}})
			}
		}
		next = max(next, o+1)
		p := facts.LayerPair{Old: o, New: n, State: facts.LayerAdded, Reasons: []string{}}
		switch {
		case o >= 0 && kept[n] >= 0:
			p.State = facts.LayerSame
			if a, b := old[o].Digest, new[n].Digest; a != b && a != "" && b != "" && c.compressed(o, n) {
				p.Reasons = append(p.Reasons, "compression")
			}
		case o >= 0 && id(&old[o]) == id(&new[n]) && id(&old[o]) != "":
			p.State = facts.LayerMoved
		case o >= 0:
			p.State, p.Reasons = facts.LayerChanged, c.reasons(touched[n])
		}
		out = append(out, p)
	}
	for ; next < len(old); next++ {
		if !used[next] {
			out = append(out, facts.LayerPair{Old: next, New: -1, State: facts.LayerRemoved, Reasons: []string{}})
		}
	}
	return out
}

// commands returns the command of each layer.
func commands(layers []facts.Layer) []string {
	out := make([]string, len(layers))
	for i := range layers {
		if layers[i].Command != "" {
			out[i] = facts.Command(layers[i].Command)
		}
	}
	return out
}

// compressed reports whether the digests of two layers can differ by compression alone:
// both are from sources that store layers in the same way.
func (c *Comparison) compressed(o, n int) bool {
	return c.Old.Report.Image.Source == c.New.Report.Image.Source
}

// common returns a longest common subsequence of two lists of layers, as pairs of
// indexes.
func common(a, b int, same func(i, k int) bool) [][2]int {
	// The usual case is a common start and a common end.
	var out, end [][2]int
	from := 0
	for from < min(a, b) && same(from, from) {
		out = append(out, [2]int{from, from})
		from++
	}
	for a > from && b > from && same(a-1, b-1) {
		a, b = a-1, b-1
		end = append(end, [2]int{a, b})
	}
	n, m := a-from, b-from
	if n*m > maxPairs { // no real image has thousands of layers that all differ
		n, m = 0, 0
	}
	length := make([][]int32, n+1)
	for i := range length {
		length[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for k := m - 1; k >= 0; k-- {
			if same(from+i, from+k) {
				length[i][k] = length[i+1][k+1] + 1
			} else {
				length[i][k] = max(length[i+1][k], length[i][k+1])
			}
		}
	}
	for i, k := 0, 0; i < n && k < m; {
		switch {
		case length[i][k] == length[i+1][k+1]+1 && same(from+i, from+k):
			out = append(out, [2]int{from + i, from + k})
			i++
			k++
		case length[i+1][k] >= length[i][k+1]:
			i++
		default:
			k++
		}
	}
	slices.Reverse(end)
	return append(out, end...)
}

// maxPairs is how many pairs of layers are compared.
const maxPairs = 4 << 20

// stores reports whether two layers store files with the same paths and sizes.
func (c *Comparison) stores(o, n int) bool {
	a, b := &c.Old.Report.Layers[o], &c.New.Report.Layers[n]
	return a.StoredBytes > 0 && a.StoredBytes == b.StoredBytes && a.Added == b.Added && a.Modified == b.Modified && a.Removed == b.Removed
}

// reasons returns the names of a set of reasons why a layer has another diff ID, as far as
// the trees tell.
func (c *Comparison) reasons(found uint16) []string {
	out := []string{}
	if c.Old.Analysis == nil || c.New.Analysis == nil {
		return out
	}
	for r := Added; r <= Kind; r++ {
		if found&(1<<r) != 0 {
			out = append(out, r.String())
		}
	}
	if len(out) == 0 {
		out = append(out, "form") // the order of the entries, the form of the tar or of whiteouts
	}
	return out
}

// touched returns the reasons for which what two layers touch differs: by the new layer,
// of which to has the old one, or -1. All pairs take one walk. It does not read content:
// it takes files of one size for the same unless a hash says otherwise or one of them is
// known to differ.
func (c *Comparison) touched(to []int) []uint16 {
	sets := make([]uint16, len(to))
	if c.Old.Analysis == nil || c.New.Analysis == nil || !slices.ContainsFunc(to, func(o int) bool { return o >= 0 }) {
		return sets
	}
	trees := [2]*filetree.Tree{c.Old.Analysis.Tree, c.New.Analysis.Tree}
	w := &walk{trees: trees}
	from := make([]int, trees[0].Layers()) // the new layer of each old one, or -1
	for o := range from {
		from[o] = -1
	}
	for n, o := range to {
		if o >= 0 {
			from[o] = n
		}
	}
	touches := func(side int, node filetree.Node, layer int) bool {
		return node != filetree.None && trees[side].View(layer-1, layer).Change(node).Touched
	}
	both := func(a, b filetree.Node, o, n int) {
		w.last = [2]int{o, n}
		x, shownOld := w.shown(0, a)
		y, shownNew := w.shown(1, b)
		if shownOld != shownNew {
			sets[n] |= 1 << Content
		}
		if !shownOld || !shownNew {
			return
		}
		w.changes, w.unsure = w.changes[:0], w.unsure[:0]
		w.both(Change{Old: a, New: b}, &x, &y)
		for _, ch := range w.changes {
			if len(w.unsure) == 0 {
				sets[n] |= 1 << ch.Reason
			} else if c.contentDiffers(x.Content, y.Content) {
				sets[n] |= 1 << Content
			}
			sets[n] |= ch.also
		}
	}
	var pair func(a, b filetree.Node)
	pair = func(a, b filetree.Node) {
		if a != filetree.None {
			for o := range trees[0].Marks(a) {
				switch n := from[o]; {
				case n < 0:
				case touches(1, b, n):
					both(a, b, o, n)
				default:
					sets[n] |= 1 << Removed
				}
			}
		}
		if b != filetree.None {
			for n := range trees[1].Marks(b) {
				if o := to[n]; o >= 0 && !touches(0, a, o) {
					sets[n] |= 1 << Added
				}
			}
		}
		w.children(a, b, pair)
	}
	pair(filetree.Root, filetree.Root)
	return sets
}

// contentDiffers reports whether two contents of one size are known to differ.
func (c *Comparison) contentDiffers(a, b filetree.Content) bool {
	x, xTable, xOK := c.Old.Analysis.Tree.Hash(a)
	y, yTable, yOK := c.New.Analysis.Tree.Hash(b)
	if xOK && yOK && xTable == yTable {
		return x != y
	}
	return c.differ[[2]filetree.Content{a, b}]
}
