package ui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// folders is what a saved report has instead of files: what layers store in the
// largest folders and files. The largest come first, each folder above its
// contents.
type folders struct {
	screen.List
	none
	u      *ui
	rep    *facts.Report
	up     []int // for each folder, the nearest one above it; -1 for the root
	layer  int   // the layer whose bytes are counted; -1 for all
	rows   []folderRow
	shares map[filetree.Node]outline.Areas // of maps of the present rows
}

// folderRow is a folder and what the layer stores below it.
type folderRow struct {
	folder          int
	depth           int
	name            string // safe, from the folder above
	visible, wasted int64
}

func newFolders(u *ui) *folders {
	rep := u.rep
	f := &folders{u: u, rep: rep, up: make([]int, len(rep.Folders)), layer: -2}
	at := map[string]int{}
	for i, d := range rep.Folders {
		f.up[i] = -1
		if i > 0 {
			f.up[i] = 0
		}
		for p := d.Path; strings.Count(p, "/") > 1; {
			p = p[:strings.LastIndexByte(p, '/')]
			if k, ok := at[p]; ok {
				f.up[i] = k
				break
			}
		}
		at[d.Path] = i
	}
	f.follow()
	return f
}

func (f *folders) place() place  { return inFiles }
func (f *folders) Title() string { return "Folders" }
func (f *folders) about() string { return "of the path" }

// Note says which layers' bytes are counted.
func (f *folders) Note() string {
	if f.layer < 0 {
		return "stored by all layers"
	}
	return "stored by layer " + strconv.Itoa(f.layer)
}

func (f *folders) Status() (where, state string) { return safe(f.copies()), "" }
func (f *folders) click(_, y int, _ bool)        { f.Click(y) }

func (f *folders) copies() string {
	if r, ok := f.current(); ok {
		return f.rep.Folders[r.folder].Path
	}
	return ""
}

func (f *folders) details(p *screen.Page) any {
	r, ok := f.current()
	if !ok {
		return nil
	}
	folderPage(p, &f.rep.Folders[r.folder])
	return r.folder
}

// follow lists what the selected layer stores, or all of them; the cursor stays
// with its folder.
func (f *folders) follow() {
	layer := f.u.sel.layer
	if f.u.sel.whole {
		layer = -1
	}
	if layer == f.layer {
		return
	}
	was, had := f.current()
	f.layer, f.rows, f.shares = layer, f.rows[:0], map[filetree.Node]outline.Areas{}
	all := make([]folderRow, len(f.rep.Folders))
	below := make([][]int, len(all))
	for i, d := range f.rep.Folders {
		all[i] = folderRow{folder: i, name: safe(d.Path)}
		for _, l := range d.Layers {
			if layer < 0 || l.Layer == layer {
				all[i].visible += l.VisibleBytes
				all[i].wasted += l.WastedBytes
			}
		}
		if k := f.up[i]; k >= 0 {
			all[i].depth = all[k].depth + 1
			below[k] = append(below[k], i)
			all[i].name = safe(strings.TrimPrefix(strings.TrimPrefix(d.Path, f.rep.Folders[k].Path), "/"))
		}
	}
	for stack := []int{0}; len(stack) > 0; {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if all[i].visible+all[i].wasted == 0 {
			continue
		}
		f.rows = append(f.rows, all[i])
		slices.SortStableFunc(below[i], func(a, b int) int { // the largest on top of the stack
			return cmp.Or(cmp.Compare(all[a].visible+all[a].wasted, all[b].visible+all[b].wasted), cmp.Compare(b, a))
		})
		stack = append(stack, below[i]...)
	}
	f.Fit(len(f.rows), f.H)
	if had {
		f.At = max(slices.IndexFunc(f.rows, func(r folderRow) bool { return r.folder == was.folder }), 0)
	}
}

// current returns the row under the cursor.
func (f *folders) current() (folderRow, bool) {
	if f.At >= len(f.rows) {
		return folderRow{}, false
	}
	return f.rows[f.At], true
}

func (f *folders) Draw(c screen.Canvas, focused bool) {
	stored, wasted, bar := screen.Column{W: 9, Right: true}, screen.Column{Right: true}, screen.Column{}
	room := screen.Room(c.W)
	room.Take(&wasted, 9, 35)
	room.Take(&bar, 9, 42)
	path := screen.Column{X: screen.Place(1, &stored, &wasted, &bar), W: c.W}
	c = f.Head(c, c.H > 5, func() {
		c.Cell(stored, 0, c.Theme.Dim, "stored")
		c.Cell(wasted, 0, c.Theme.Dim, "wasted")
		c.Cell(path, 0, c.Theme.Dim, "path")
	})
	if len(f.rows) == 0 {
		c.Short(1, 0, c.W-2, c.Theme.Dim, "this layer stores no bytes")
	}
	f.List.Draw(c, len(f.rows), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		r := &f.rows[i]
		c.Cell(stored, y, on(c.Theme.Text), report.Size(r.visible+r.wasted))
		c.Cell(wasted, y, on(wastedStyle(c.Theme, r.wasted)), report.Size(r.wasted))
		c.Bar(bar.X, y, bar.W-1, r.visible, r.wasted, f.rows[0].visible+f.rows[0].wasted, on(c.Theme.Visible), on(c.Theme.Wasted))
		x := drawIndent(c, path.X, y, r.depth, on(c.Theme.Dim))
		c.Tail(x, y, c.W-x, on(c.Theme.Dir), r.name)
	})
}

// folderPage describes a folder, and which layers store what is in it.
func folderPage(p *screen.Page, d *facts.Folder) {
	th := p.Theme
	p.Title(safe(d.Path))
	p.Blank()
	p.Field("stored", report.Size(d.VisibleBytes+d.WastedBytes)+"  "+report.Exact(d.VisibleBytes+d.WastedBytes), th.Text)
	p.Field("visible", report.Size(d.VisibleBytes), th.Visible)
	p.Field("wasted", report.Size(d.WastedBytes), wastedStyle(th, d.WastedBytes))
	p.Field("in", count(d.Pieces, "file"), th.Text)
	p.Blank()
	for _, l := range d.Layers {
		storedLine(p, l.Layer, l.VisibleBytes, l.WastedBytes)
	}
}
