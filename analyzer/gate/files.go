package gate

import (
	"iter"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Files is every path of the tree as every layer has it, and then what a layer
// holds and itself hides: a file below what its archive has as a file further
// on. The tree doesn't show that, but the layer has the bytes.
func Files(t *filetree.Tree, waste []facts.Waste) iter.Seq[File] {
	return func(yield func(File) bool) {
		for n := filetree.Root + 1; int(n) < t.Len(); n++ {
			path := ""
			events := t.History(n)
			for i, e := range events {
				if e.Removed {
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
