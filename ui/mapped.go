package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
)

// mapped is a pane whose folders can be shown as a map. Its nodes are those of the
// tree, or the indexes of the folders in a saved report.
type mapped interface {
	pane
	start() (dir, at filetree.Node)         // the folder under the cursor, or that of the file under it
	areas(dir filetree.Node) outline.Areas  // the rows of a folder
	weight(n filetree.Node) (a, b int64)    // the bytes of a row, in the two parts of its bar
	area(top filetree.Node) area            // describes a row
	above(n filetree.Node) filetree.Node    // the folder that n is in; None for the root
	pathOf(n filetree.Node) string          // as the image has it
	at(n filetree.Node) (t target, ok bool) // as part.target
	reach(n filetree.Node)                  // puts the cursor on a row
	why() string                            // why there are no rows
}

// area describes a row as an area of a map.
type area struct {
	name         string        // safe; with a slash after a folder
	node         filetree.Node // what the row is of: of folders with one child, the last one
	dir          bool          // enter goes into it
	sign         string        // of the change; "" for none
	mark         tcell.Style   // of the sign and of a folder's area
	text         tcell.Style   // of the name
	size, change string        // the bytes, and how many less or more there are
	also         string        // what to say about them in addition
	files        string        // how many there are in a folder
}

func (f *files) start() (dir, at filetree.Node) {
	r, ok := f.out.Cursor()
	if !ok {
		return filetree.Root, filetree.None
	}
	if a := f.areas(r.Node); a.Busy || len(a.Tops) > 0 {
		return r.Node, filetree.None
	}
	return f.tree.Parent(r.Top), r.Top
}

func (f *files) areas(dir filetree.Node) outline.Areas {
	return f.out.Areas(dir, func(do func() func()) {
		f.u.do.work(func(context.Context) func() { return do() })
	})
}

func (f *files) weight(n filetree.Node) (size, gone int64) { return f.out.Weight(n) }
func (f *files) above(n filetree.Node) filetree.Node       { return f.tree.Parent(n) }
func (f *files) pathOf(n filetree.Node) string             { return f.tree.Path(n) }
func (f *files) reach(n filetree.Node)                     { f.out.GoTo(n) }

func (f *files) at(n filetree.Node) (target, bool) {
	v := f.out.Scope().View
	return target{n, v.From, v.To}, true
}

func (f *files) area(n filetree.Node) area {
	r, th := f.out.Row(n), f.u.th
	a := area{name: safe(r.Name), node: r.Node, dir: r.Dir, text: f.nameStyle(r), mark: th.Dir, size: report.Size(r.Size)}
	if mark := f.mark(r); mark != filetree.Absent {
		a.sign, a.mark = markSign(th, mark)
	}
	switch lost := max(r.Before-r.Size, r.Gone); {
	case lost > 0 && r.Size == 0:
		a.size = "-" + report.Size(lost)
	case lost > 0:
		a.change = " -" + report.Size(lost)
	case r.Growth > 0 && r.Before > 0:
		a.change = " +" + report.Size(r.Growth)
	}
	if r.Dir {
		a.name += "/"
		if r.Files > 0 {
			a.files = count(r.Files, "file")
		}
	}
	return a
}

func (f *folders) start() (dir, at filetree.Node) {
	r, ok := f.current()
	switch {
	case !ok:
		return filetree.Root, filetree.None
	case len(f.areas(filetree.Node(r.folder)).Tops) > 0:
		return filetree.Node(r.folder), filetree.None
	}
	return f.above(filetree.Node(r.folder)), filetree.Node(r.folder)
}

// areas returns the folders and files below dir that the report lists, and the bytes of
// everything below it.
func (f *folders) areas(dir filetree.Node) outline.Areas {
	if a, ok := f.shares[dir]; ok {
		return a
	}
	var a outline.Areas
	for _, r := range f.rows {
		if f.up[r.folder] == int(dir) {
			a.Tops = append(a.Tops, filetree.Node(r.folder))
		}
	}
	slices.SortStableFunc(a.Tops, func(x, y filetree.Node) int { return cmp.Compare(f.bytes(y), f.bytes(x)) })
	a.All = f.bytes(dir)
	f.shares[dir] = a
	return a
}

// bytes returns what the layer stores below a folder.
func (f *folders) bytes(n filetree.Node) int64 {
	visible, wasted := f.weight(n)
	return visible + wasted
}

func (f *folders) weight(n filetree.Node) (visible, wasted int64) {
	if i := f.row(n); i >= 0 {
		return f.rows[i].visible, f.rows[i].wasted
	}
	return 0, 0
}

// row returns the index of the row of a folder; -1 if the layer stores nothing there.
func (f *folders) row(n filetree.Node) int {
	return slices.IndexFunc(f.rows, func(r folderRow) bool { return r.folder == int(n) })
}

func (f *folders) above(n filetree.Node) filetree.Node {
	if n < 0 {
		return filetree.None
	}
	return filetree.Node(f.up[n])
}

func (f *folders) pathOf(n filetree.Node) string   { return f.rep.Folders[n].Path }
func (f *folders) at(filetree.Node) (target, bool) { return target{}, false }
func (f *folders) why() string                     { return "this layer stores no bytes" }

func (f *folders) reach(n filetree.Node) {
	if i := f.row(n); i >= 0 {
		f.At = i
		f.Fit(len(f.rows), f.H)
	}
}

func (f *folders) area(n filetree.Node) area {
	visible, wasted := f.weight(n)
	th := f.u.th
	a := area{name: f.rows[f.row(n)].name, node: n, text: th.Dir, mark: th.Dir, size: report.Size(visible + wasted)}
	if wasted > 0 {
		a.also = report.Size(wasted) + " wasted"
	}
	if len(f.areas(n).Tops) > 0 {
		a.name = strings.TrimSuffix(a.name, "/") + "/"
		a.dir = true
	}
	return a
}
