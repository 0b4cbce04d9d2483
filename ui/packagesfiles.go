package ui

import (
	"context"
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
		nodes = slices.AppendSeq(slices.AppendSeq(append(nodes, s.Node), t.EachName(c, s.Layer)), t.EachName(c, last))
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
	if f.u.search.filters(f) {
		f.u.find(func() {})
	} else {
		f.restrict()
	}
}

// restrict gives rows only to the files of the package that is shown and, if the user
// wants that, only to those that match the search. The folders above those are open.
func (f *files) restrict() {
	s := &f.u.search
	was := f.limited
	f.limited = s.filters(f)
	switch {
	case f.limited && s.selection != nil:
		f.out.Found(s.selection)
	case f.limited: // the search goes on
	default:
		r, ok := f.out.Cursor()
		f.out.Only(f.part.nodes)
		if was && ok {
			f.out.GoTo(r.Node)
		}
	}
	f.sum()
}

// prepare returns what has to be done with what is found in the tree, in the background:
// it leaves out what is not in the package that is shown and, if only what matches is
// shown, adds that up.
func (f *files) prepare() func(context.Context, []filetree.Node) ([]filetree.Node, *outline.Selection) {
	part, all, only, choose := f.part.nodes, f.u.search.all, f.u.search.only, f.out.Prepare()
	return func(ctx context.Context, hits []filetree.Node) ([]filetree.Node, *outline.Selection) {
		rows := hits
		if part != nil {
			rows = outline.Inside(f.tree, part, hits)
			hits = outline.Above(f.tree, hits, part)
		}
		if !only {
			return hits, nil
		}
		return hits, choose(ctx, rows, !all && part == nil)
	}
}

// sift lists the rows again when a search has ended. While it goes on, the rows stay.
func (f *files) sift() {
	s := &f.u.search
	if !s.of(f) { // the search is over
		if f.stop != nil {
			f.stop()
		}
		f.seq, f.stop = sequence{}, nil
	}
	if !(s.of(f) && s.busy) && (f.limited || s.filters(f)) {
		f.restrict()
	}
}
