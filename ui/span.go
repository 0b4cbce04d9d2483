package ui

import (
	"context"
	"fmt"

	"fathom/analyzer/filetree"
	"fathom/ui/screen"
)

// span is what the files are compared from and to: after layer from, and after
// layer to. It is one layer, unless another one is marked.
func (f *files) span() (from, to int) {
	if f.marked < 0 || f.marked == f.layer {
		return f.layer - 1, f.layer
	}
	return min(f.marked, f.layer), max(f.marked, f.layer)
}

// compares is whether the files of two layers are compared.
func (f *files) compares() bool { return f.marked >= 0 && f.marked != f.layer }

// title is what the files are.
func (f *files) title(th *screen.Theme) string {
	from, to := f.span()
	switch {
	case f.making && f.compares():
		return fmt.Sprintf("comparing layers %d %s %d%s", from, th.Glyph.Arrow, to, th.Glyph.Ellipsis)
	case f.compares() && f.whole:
		return fmt.Sprintf("everything up to layer %d, changed since %d", to, from)
	case f.compares():
		return fmt.Sprintf("layers %d %s %d", from, th.Glyph.Arrow, to)
	case f.whole:
		return fmt.Sprintf("everything up to layer %d", f.layer)
	}
	return fmt.Sprintf("changed by layer %d", f.layer)
}

// keptViews is how many comparisons are kept: each is a pass over the tree.
const keptViews = 16

// view is a view that costs nothing, or one that was kept; nil for any other.
func (f *files) view(from, to int) *filetree.View {
	if to == from+1 {
		return f.tree.View(from, to)
	}
	for _, v := range f.views {
		if v.From == from && v.To == to {
			return v
		}
	}
	return nil
}

func (f *files) keep(v *filetree.View) {
	if len(f.views) == keptViews {
		f.views = append(f.views[:0], f.views[1:]...)
	}
	f.views = append(f.views, v)
}

// mark marks the selected layer, to compare it with others, or takes the mark
// off it.
func (u *ui) mark() {
	f := u.files
	switch {
	case f.out == nil:
		return
	case f.marked == f.layer:
		f.marked = -1
		u.note = "nothing is compared any more"
	default:
		f.marked = f.layer
		u.note = fmt.Sprintf("layer %d is marked: select another layer to compare the two, %s or %s takes the mark away",
			f.layer, keyOf(u.keys, "compare"), keyOf(u.keys, "close"))
	}
	u.showSpan()
}

// unmark ends the comparing.
func (u *ui) unmark() {
	u.files.marked = -1
	u.showSpan()
}

// showSpan shows what is chosen: at once where that costs nothing, otherwise
// when it has been made beside the UI, one at a time.
func (u *ui) showSpan() {
	f := u.files
	switch {
	case f.below != nil && f.whole:
		f.below.show(-1)
		return
	case f.below != nil:
		f.below.show(f.layer)
		return
	case f.out == nil:
		return
	}
	from, to := f.span()
	if v := f.view(from, to); v != nil {
		f.set(v)
		u.stale()
		return
	}
	if f.making {
		return
	}
	f.making = true
	u.do.work(func(context.Context) func() {
		v := u.tree.View(from, to)
		return func() {
			f.making = false
			f.keep(v)
			u.showSpan()
		}
	})
}
