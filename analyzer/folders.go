package analyzer

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"fathom/analyzer/filetree"
)

const (
	maxFolders  = 500
	folderShare = 1000 // a folder is listed from a thousandth of what is stored
)

// Folder is what layers store below one path, as much as is needed to draw a
// map of the image. What a folder has beyond those listed directly below it is
// in smaller ones.
type Folder struct {
	Path         string        `json:"path"`                // rooted
	PathBytes    []byte        `json:"pathBytes,omitempty"` // the path as it is, where Path can't carry it
	VisibleBytes int64         `json:"visibleBytes"`
	WastedBytes  int64         `json:"wastedBytes"`
	Pieces       int           `json:"pieces"` // of content, as many as files were stored
	Layers       []FolderLayer `json:"layers"` // those that store any of it, bottom first
}

// FolderLayer is the part of a Folder that one layer stores.
type FolderLayer struct {
	Layer        int   `json:"layer"`
	VisibleBytes int64 `json:"visibleBytes"`
	WastedBytes  int64 `json:"wastedBytes"`
}

// listFolders lists the root and the folders and files that hold most, visible
// and wasted bytes taken together, in the order of the tree: a folder comes
// before what is in it. Visible content counts at the first of its names,
// wasted content where its last name went, as in the list of waste.
func listFolders(r *Report, t *filetree.Tree) {
	last := t.Layers() - 1
	place := func(c filetree.Content, s filetree.Stored) filetree.Node {
		if s.Cause != filetree.Visible {
			return s.Lost
		}
		if n := t.FirstName(c, last); n != filetree.None {
			return n
		}
		return s.Node
	}
	sums := make([]int64, t.Len())
	for c := range filetree.Content(t.Contents()) {
		s := t.Stored(c)
		sums[place(c, s)] += s.Bytes
	}
	for n := t.Len() - 1; n > 0; n-- { // children come after their folder
		sums[t.Parent(filetree.Node(n))] += sums[n]
	}

	listed := largest(sums)
	nearest := make([]int32, t.Len()) // the folder of the list that a node counts in first
	r.Folders = make([]Folder, len(listed))
	for i, n := range listed {
		nearest[n] = int32(i)
		f := Folder{Path: t.Path(n), Layers: []FolderLayer{}}
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
		s := t.Stored(c)
		f := &r.Folders[nearest[place(c, s)]]
		f.Pieces++
		if len(f.Layers) == 0 || f.Layers[len(f.Layers)-1].Layer != s.Layer {
			f.Layers = append(f.Layers, FolderLayer{Layer: s.Layer})
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

// largest are the nodes with the largest sums, in the order of the tree, and
// the root in any case. A folder's sum is at least that of what is in it, so
// that with a node the folders on the way to it are listed too.
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

// joinLayers adds two lists up, each in the order of layers.
func joinLayers(a, b []FolderLayer) []FolderLayer {
	out := make([]FolderLayer, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Layer < b[0].Layer:
			out, a = append(out, a[0]), a[1:]
		case a[0].Layer > b[0].Layer:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, FolderLayer{a[0].Layer, a[0].VisibleBytes + b[0].VisibleBytes, a[0].WastedBytes + b[0].WastedBytes})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// checkFolders says what in a saved report's folders makes no sense. A report
// may have none: earlier versions wrote none.
func (r *Report) checkFolders() error {
	seen := map[string]bool{}
	for i, f := range r.Folders {
		name := fmt.Sprintf("folder %d", i)
		if err := counts(name, f.VisibleBytes, f.WastedBytes, int64(f.Pieces)); err != nil {
			return err
		}
		if len(f.PathBytes) > 0 && f.Path != string(f.PathBytes) {
			return fmt.Errorf("%s has two paths", name)
		}
		if (f.Path == "/") != (i == 0) || i > 0 && !clean(f.Path) || seen[f.Path] {
			return fmt.Errorf("%s: the path %.80q is out of place", name, f.Path)
		}
		seen[f.Path] = true
		var visible, wasted total
		at := -1
		for _, l := range f.Layers {
			if err := counts(name, l.VisibleBytes, l.WastedBytes); err != nil {
				return err
			}
			if l.Layer <= at || l.Layer >= len(r.Layers) {
				return fmt.Errorf("%s: layer %d is out of place", name, l.Layer)
			}
			at = l.Layer
			visible.add(l.VisibleBytes)
			wasted.add(l.WastedBytes)
		}
		if int64(visible) != f.VisibleBytes || int64(wasted) != f.WastedBytes {
			return fmt.Errorf("%s has %d visible and %d wasted bytes, and its layers add up to %d and %d", name, f.VisibleBytes, f.WastedBytes, visible, wasted)
		}
		if i == 0 && (f.VisibleBytes != r.Totals.VisibleBytes || f.WastedBytes != r.Totals.WastedBytes) {
			return fmt.Errorf("%s is not as large as the image", name)
		}
	}
	return nil
}
