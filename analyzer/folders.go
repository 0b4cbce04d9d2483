package analyzer

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

const (
	maxFolders  = 500
	folderShare = 1000 // list folders with at least a thousandth of the stored bytes
)

// listFolders lists the root and the largest folders and files, by visible and
// wasted bytes together. They are in the order of the tree: a folder comes before
// its content. Visible content counts at its first name. Wasted content counts at
// the last name it had, as in the list of waste.
func listFolders(r *facts.Report, t *filetree.Tree, what Contents) {
	sums := make([]int64, t.Len())
	for c := range filetree.Content(t.Contents()) {
		if s, place, ok := what(c); ok {
			sums[place] += s.Bytes
		}
	}
	for n := t.Len() - 1; n > 0; n-- { // children come after their parents
		sums[t.Parent(filetree.Node(n))] += sums[n]
	}

	listed := largest(sums)
	nearest := make([]int32, t.Len()) // by node: the innermost listed folder that contains it, or the node itself
	r.Folders = make([]facts.Folder, len(listed))
	for i, n := range listed {
		nearest[n] = int32(i)
		f := facts.Folder{Path: t.Path(n), Layers: []facts.FolderLayer{}}
		if !utf8.ValidString(f.Path) {
			f.PathBytes = []byte(f.Path)
		}
		r.Folders[i] = f
	}
	for n, i := filetree.Node(1), 1; int(n) < t.Len(); n++ {
		if i < len(listed) && listed[i] == n {
			i++
			continue
		}
		nearest[n] = nearest[t.Parent(n)]
	}
	for c := range filetree.Content(t.Contents()) { // layer by layer
		s, place, ok := what(c)
		if !ok {
			continue
		}
		f := &r.Folders[nearest[place]]
		f.Pieces++
		if len(f.Layers) == 0 || f.Layers[len(f.Layers)-1].Layer != s.Layer {
			f.Layers = append(f.Layers, facts.FolderLayer{Layer: s.Layer})
		}
		l := &f.Layers[len(f.Layers)-1]
		if s.Cause == filetree.Visible {
			l.VisibleBytes += s.Bytes
		} else {
			l.WastedBytes += s.Bytes
		}
	}
	for i := len(listed) - 1; i >= 0; i-- {
		f := &r.Folders[i]
		for _, l := range f.Layers {
			f.VisibleBytes += l.VisibleBytes
			f.WastedBytes += l.WastedBytes
		}
		if i > 0 {
			parent := &r.Folders[nearest[t.Parent(listed[i])]]
			parent.Pieces += f.Pieces
			parent.Layers = joinLayers(parent.Layers, f.Layers)
		}
	}
}

// largest returns the root and the nodes with the largest sums, in the order of
// the tree. The sum of a folder is at least that of anything in it, so that the
// parents of every node in the list are in the list too.
func largest(sums []int64) []filetree.Node {
	var nodes []filetree.Node
	for n := 1; n < len(sums); n++ {
		if sums[n] > 0 && sums[n] >= sums[0]/folderShare {
			nodes = append(nodes, filetree.Node(n))
		}
	}
	if len(nodes) > maxFolders-1 {
		slices.SortFunc(nodes, func(a, b filetree.Node) int { return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b)) })
		nodes = nodes[:maxFolders-1]
		slices.Sort(nodes)
	}
	return append([]filetree.Node{filetree.Root}, nodes...)
}

// joinLayers merges two lists and adds up their bytes by layer. Both lists and the
// result are in the order of the layers.
func joinLayers(a, b []facts.FolderLayer) []facts.FolderLayer {
	out := make([]facts.FolderLayer, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Layer < b[0].Layer:
			out, a = append(out, a[0]), a[1:]
		case a[0].Layer > b[0].Layer:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, facts.FolderLayer{Layer: a[0].Layer, VisibleBytes: a[0].VisibleBytes + b[0].VisibleBytes, WastedBytes: a[0].WastedBytes + b[0].WastedBytes})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
