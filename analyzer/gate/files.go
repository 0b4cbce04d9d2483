package gate

import (
	"iter"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Files is every path of the tree as every layer has it.
func Files(t *filetree.Tree) iter.Seq[File] {
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
	}
}
