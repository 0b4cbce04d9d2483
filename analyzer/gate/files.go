package gate

import (
	"iter"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Files returns every path of the tree once for each layer that has it, and then the
// files that a layer stores but hides itself: those below a path that a later entry
// of the same layer turns into a file. The tree doesn't have these, but their bytes
// are in the layer.
func Files(t *filetree.Tree, waste []facts.Waste) iter.Seq[File] {
	return FilesLeft(t, waste, func(filetree.Node, filetree.State) bool { return true })
}

// FilesLeft is Files without the paths of the tree for which left returns false. waste
// has what is left of the waste.
func FilesLeft(t *filetree.Tree, waste []facts.Waste, left func(filetree.Node, filetree.State) bool) iter.Seq[File] {
	return func(yield func(File) bool) {
		for n := filetree.Root + 1; int(n) < t.Len(); n++ {
			path := ""
			events := t.History(n)
			for i, e := range events {
				if e.Removed || !left(n, e.State) {
					continue
				}
				if path == "" {
					path = t.Path(n)
				}
				f := File{Path: path, Layer: e.Layer, HiddenBy: -1}
				if e.State.Kind == layer.File {
					f.Bytes = e.State.Size
				}
				if i+1 < len(events) {
					f.HiddenBy = events[i+1].Layer
				}
				if !yield(f) {
					return
				}
			}
		}
		for i := range waste {
			w := &waste[i]
			if w.StoredIn == w.HiddenBy && w.Cause != "repeated" && !yield(File{w.Path, w.Bytes, w.StoredIn, w.HiddenBy}) {
				return
			}
		}
	}
}
