package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// folders is what a saved report has in the place of files: what layers store
// below the folders that hold most, and in the largest files. The largest come
// first, each folder above what is in it.
type folders struct {
	screen.List
	rep   *analyzer.Report
	up    []int // of each folder, the nearest one above; -1 for the root
	layer int   // whose bytes count; -1 for those of all
	rows  []folderRow
}

// folderRow is a folder and what the layer stores below it.
type folderRow struct {
	folder          int
	depth           int
	name            string // safe, from the folder above
	visible, wasted int64
}

// newFolders is nil for a report that lists none.
func newFolders(rep *analyzer.Report) *folders {
	if len(rep.Folders) == 0 {
		return nil
	}
	f := &folders{rep: rep, up: make([]int, len(rep.Folders)), layer: -2}
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
	return f
}

// show lists what one layer stores, or with -1 all of them; the cursor stays
// with its folder.
func (f *folders) show(layer int) {
	if layer == f.layer {
		return
	}
	was, had := f.current()
	f.layer, f.rows = layer, f.rows[:0]
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

// current is the row under the cursor.
func (f *folders) current() (folderRow, bool) {
	if f == nil || f.At >= len(f.rows) {
		return folderRow{}, false
	}
	return f.rows[f.At], true
}

func (f *folders) draw(c screen.Canvas, focused bool) {
	const bar = 8
	wasted, wide := c.W >= 44, c.W >= 60
	if c.H > 5 {
		c.Right(9, 0, c.Theme.Dim, "stored")
		x := 10
		if wasted {
			c.Right(x+8, 0, c.Theme.Dim, "wasted")
			x += 9
		}
		if wide {
			x += bar + 1
		}
		c.Text(x, 0, c.Theme.Dim, "path")
		c = c.Sub(0, 1, c.W, c.H-1)
	}
	f.Fit(len(f.rows), c.H)
	if len(f.rows) == 0 {
		c.Short(1, 0, c.W-2, c.Theme.Dim, "this layer stores no bytes")
	}
	for y := 0; y < c.H && f.Top+y < len(f.rows); y++ {
		f.drawRow(c, y, f.rows[f.Top+y], wasted, wide, c.Row(y, f.Top+y == f.At, focused))
	}
}

func (f *folders) drawRow(c screen.Canvas, y int, r folderRow, wasted, wide bool, on func(tcell.Style) tcell.Style) {
	const bar = 8
	c.Right(9, y, on(c.Theme.Text), report.Size(r.visible+r.wasted))
	x := 10
	if wasted {
		c.Right(x+8, y, on(wastedStyle(c.Theme, r.wasted)), report.Size(r.wasted))
		x += 9
	}
	if wide {
		c.Bar(x, y, bar, r.visible, r.wasted, f.rows[0].visible+f.rows[0].wasted, on(c.Theme.Visible), on(c.Theme.Wasted))
		x += bar + 1
	}
	x += indent(r.depth, c.W-x)
	c.Tail(x, y, c.W-x, on(c.Theme.Dir), r.name)
}

// title is what the folders are.
func (f *folders) title() string {
	if f.layer < 0 {
		return "stored by all layers"
	}
	return "stored by layer " + strconv.Itoa(f.layer)
}

// folderPage tells about a folder, and which layers store what is in it.
func folderPage(th *screen.Theme, w int, f *folders, r folderRow) []screen.Line {
	d := &f.rep.Folders[r.folder]
	p := &screen.Page{Theme: th, W: w}
	p.Title(safe(d.Path))
	p.Blank()
	p.Field("stored", report.Size(d.VisibleBytes+d.WastedBytes)+"  "+report.Exact(d.VisibleBytes+d.WastedBytes), th.Text)
	p.Field("seen", report.Size(d.VisibleBytes), th.Visible)
	p.Field("wasted", report.Size(d.WastedBytes), wastedStyle(th, d.WastedBytes))
	p.Field("in", fileCount(d.Pieces), th.Text)
	p.Blank()
	for _, l := range d.Layers {
		says := fmt.Sprintf("%8s by layer %d", report.Size(l.VisibleBytes+l.WastedBytes), l.Layer)
		spans := []screen.Span{{Text: " " + says, Style: th.Text}}
		if l.WastedBytes > 0 {
			spans = append(spans, screen.Span{Text: ", " + report.Size(l.WastedBytes) + " wasted", Style: th.Wasted})
		}
		p.Add(l.Layer, "", spans...)
	}
	return p.Lines
}
