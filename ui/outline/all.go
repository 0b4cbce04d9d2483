package outline

import (
	"iter"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Copy returns an outline of the same rows, all closed, for another goroutine.
func (o *Outline) Copy() *Outline {
	c := New(o.tree)
	c.scope, c.order, c.reverse, c.asked, c.only = o.scope, o.order, o.reverse, o.asked, o.only
	return c
}

// All returns every row that there is if all folders are open, each path as a row of its
// own. The outline must not be used for anything else meanwhile.
func (o *Outline) All() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		var walk func(d filetree.Node, depth int) bool
		walk = func(d filetree.Node, depth int) bool {
			for _, n := range o.list(d) {
				f := o.figures(n)
				st, _ := o.scope.View.State(n)
				r := Row{
					Node: n, Top: n, Depth: depth, Name: o.tree.Name(n), Dir: st.Kind == layer.Dir, Open: true,
					Size: f.size, Before: f.before, Gone: f.gone, Growth: f.growth, Files: f.files,
					Change: o.scope.View.Change(n), State: st,
				}
				if !yield(r) || !walk(n, depth+1) {
					return false
				}
			}
			delete(o.kids, d) // a row is needed once
			return true
		}
		walk(filetree.Root, 0)
	}
}
