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
	match(func(o, n int) bool {
		return old[o].Command != "" && facts.Command(old[o].Command) == facts.Command(new[n].Command)
	})
	match(func(o, n int) bool { return c.stores(o, n) })

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
			p.State, p.Reasons = facts.LayerChanged, c.reasons(o, n)
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

// reasons says why a layer has another diff ID, as far as the trees tell.
func (c *Comparison) reasons(o, n int) []string {
	out := []string{}
	if c.Old.Analysis == nil || c.New.Analysis == nil {
		return out
	}
	found := c.touched(o, n)
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

// touched returns the reasons for which what two layers touch differs. It does not read
// content: it takes files of one size for the same unless a hash says otherwise or one
// of them is known to differ.
func (c *Comparison) touched(o, n int) uint16 {
	trees := [2]*filetree.Tree{c.Old.Analysis.Tree, c.New.Analysis.Tree}
	at := [2]int{o, n}
	w := &walk{trees: trees, last: at}
	set := uint16(0)
	views := [2]*filetree.View{trees[0].View(o-1, o), trees[1].View(n-1, n)}
	var pair func(a, b filetree.Node)
	pair = func(a, b filetree.Node) {
		nodes := [2]filetree.Node{a, b}
		var changed [2]filetree.Change
		var below bool
		for i, node := range nodes {
			if node != filetree.None {
				changed[i] = views[i].Change(node)
				below = below || views[i].Sum(node).Marks != 0
			}
		}
		switch was, is := changed[0].Touched, changed[1].Touched; {
		case was && is:
			x, shownOld := w.shown(0, a)
			y, shownNew := w.shown(1, b)
			if shownOld && shownNew {
				w.changes, w.unsure = w.changes[:0], w.unsure[:0]
				w.both(Change{Old: a, New: b}, &x, &y)
				for _, ch := range w.changes {
					if len(w.unsure) == 0 {
						set |= 1 << ch.Reason
					} else if c.contentDiffers(x.Content, y.Content) {
						set |= 1 << Content
					}
					set |= ch.also
				}
			} else if shownOld != shownNew {
				set |= 1 << Content
			}
		case was:
			set |= 1 << Removed
		case is:
			set |= 1 << Added
		}
		if below {
			w.children(a, b, pair)
		}
	}
	pair(filetree.Root, filetree.Root)
	return set
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
