package ui

import (
	"slices"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/screen"
)

// packageField names the package that content belongs to, once that is known.
func (img *image) packageField(p *screen.Page, c filetree.Content) {
	if img.packages == nil || c == filetree.NoContent {
		return
	}
	switch i := img.packages.Of(c); {
	case i >= 0:
		x := &img.packages.List[i]
		p.Field("package", shown(packageName(x)+" "+x.Version), p.Theme.Text)
	case len(img.packages.Warnings) > 0:
		p.Field("package", "none that is known", p.Theme.Dim)
	default:
		p.Field("package", "no package", p.Theme.Dim)
	}
}

// treePart is a part of the tree: the files of a package, or those of none.
type treePart struct {
	name  string
	nodes []filetree.Node // every path that shows one of the files after some layer, sorted
}

// short returns the name in at most w columns.
func (p *treePart) short(th *screen.Theme, w int) string {
	name, rest := screen.Cut(shown(p.name), w-1)
	if rest != "" {
		name += th.Glyph.Ellipsis
	}
	return name
}

// fileView is a file, and how it is shown: after all layers, or as a change of one.
type fileView struct {
	node  filetree.Node
	layer int
	whole bool
}

// partOf returns the paths of the files of package i, -1 for those of no package, and
// the largest of those that counts: a file that is visible in the end, unless none is.
func (img *image) partOf(i int, counts func(filetree.Node) bool) (nodes []filetree.Node, best fileView) {
	t := img.Tree
	last, most := t.Layers()-1, int64(-1)
	best.node = filetree.None
	for c := range filetree.Content(t.Contents()) {
		if img.packages.Of(c) != i {
			continue
		}
		s := t.Stored(c)
		now := fileView{s.Node, s.Layer, false}
		if s.Cause == filetree.Visible {
			now = fileView{t.FirstName(c, last), last, true}
		}
		nodes = append(append(append(nodes, s.Node), t.Names(c, s.Layer)...), t.Names(c, last)...)
		better := now.whole && !best.whole || now.whole == best.whole && s.Bytes > most
		if better && counts(now.node) {
			best, most = now, s.Bytes
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes), best
}

// showPackage shows only the files of package i, with the cursor on the largest: after
// the last layer or, if none of them is left, as the layer stored it.
func (f *files) showPackage(i int) {
	x := &f.u.img.packages.List[i]
	nodes, best := f.u.img.partOf(i, func(filetree.Node) bool { return true })
	f.u.show(0)
	if len(nodes) > 0 {
		f.showPart(treePart{packageName(x), nodes}, best)
		return
	}
	f.showEverything()
	if n, ok := f.tree.Lookup(x.Database); ok {
		layer := f.tree.Layers() - 1
		if x.RemovedBy >= 0 {
			layer = x.RemovedBy - 1
		}
		f.goTo(n, layer, true)
	}
	f.u.note = "no file counts for " + shown(packageName(x)) + ": this is what lists it"
}

// showUnowned shows only the files that belong to no package, with the cursor on a
// folder or, if none of its files is left, on the largest as a layer stored it.
func (f *files) showUnowned(folder *facts.UnownedFolder) {
	n, ok := f.tree.Lookup(folder.Path)
	if !ok {
		f.u.note = "no layer lists " + shown(folder.Path)
		return
	}
	nodes, best := f.u.img.partOf(-1, func(file filetree.Node) bool {
		if n == filetree.Root {
			return f.tree.Parent(file) == n
		}
		return file >= n && file < f.tree.End(n)
	})
	if best.whole && n != filetree.Root {
		best.node = n
	}
	f.u.show(0)
	f.showPart(treePart{"no package", nodes}, best)
}

// showPart shows only a part of the tree, with the cursor on a file.
func (f *files) showPart(p treePart, at fileView) {
	f.out.SetMarks(outline.AllMarks)
	f.u.search.only = false
	f.show(p)
	f.goTo(at.node, at.layer, at.whole)
	h := max(f.frame.h, 10)
	f.out.Scroll(-h/2, h) // the folders above are of interest, too
}

// showEverything removes all filters.
func (f *files) showEverything() {
	f.out.SetMarks(outline.AllMarks)
	f.u.search.only = false
	f.show(treePart{})
}

// show shows only a part of the tree; the zero value shows all.
func (f *files) show(p treePart) {
	f.part = p
	f.restrict()
}

// restrict gives rows only to the files of the package that is shown and, if the user
// wants that, only to those that match the search.
func (f *files) restrict() {
	hits := f.u.search.hits
	f.limited = f.u.search.filters(f)
	switch {
	case !f.limited:
		f.out.Only(f.part.nodes)
	case f.part.nodes == nil:
		f.out.Only(append([]filetree.Node{}, hits...))
	default:
		both := []filetree.Node{}
		for _, n := range f.part.nodes {
			for up := n; up != filetree.None; up = f.tree.Parent(up) {
				if _, ok := slices.BinarySearch(hits, up); ok {
					both = append(both, n)
					break
				}
			}
		}
		f.out.Only(both)
	}
	f.sum()
}

// sift leaves out what is found elsewhere than in the package that is shown. While the
// search is running, the rows stay.
func (f *files) sift() {
	s := &f.u.search
	if s.busy {
		return
	}
	if s.of(f) && f.part.nodes != nil {
		s.hits = slices.DeleteFunc(s.hits, func(n filetree.Node) bool {
			i, _ := slices.BinarySearch(f.part.nodes, n)
			return i == len(f.part.nodes) || f.part.nodes[i] >= f.tree.End(n)
		})
	}
	if f.limited || s.filters(f) {
		f.restrict()
	}
}
