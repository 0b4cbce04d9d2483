package ui

import (
	"fmt"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/whatif"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// packageColumns are the columns of a row.
type packageColumns struct{ size, wasted, layer, kind, name, version screen.Column }

// fitPackages chooses columns. A column is shown only if enough room is left for the
// name; the size is the last to go.
func fitPackages(l *packageList, w int) packageColumns {
	c := packageColumns{size: screen.Column{W: 9, Right: true}, wasted: screen.Column{Right: true}, layer: screen.Column{Right: true}}
	if w < 40 {
		c.size.W = 7
	}
	room := screen.Room(w - c.size.W - 1)
	take := fitting(l, &room)
	take("type", &c.kind, 9, 16)
	take("waste", &c.wasted, 9, 26)
	take("version", &c.version, 14, 18)
	take("layer", &c.layer, 9, 20)
	if c.version.W > 0 && room > 24 {
		more := min((int(room)-24)/2+1, 16)
		c.version.W += more
		room -= screen.Room(more)
	}
	c.name.W = int(room)
	screen.Place(0, &c.size, &c.wasted, &c.layer)
	screen.Place(c.layer.X+c.layer.W+1, &c.kind, &c.name, &c.version)
	return c
}

func (l *packageList) Draw(c screen.Canvas, focused bool) {
	if text := l.caveat(); text != "" && c.H >= 2 && len(l.rows) > 0 {
		st := c.Theme.Alarm
		if len(l.all) == 0 && l.failed == nil && len(l.unread)+len(l.damaged) == 0 {
			st = c.Theme.Dim
		}
		c.Short(1, c.H-1, c.W-2, st, text)
		c = c.Sub(0, 0, c.W, c.H-1)
	}
	cols := fitPackages(l, c.W)
	l.titles, l.fold = nil, cols.kind.X
	c = l.Head(c, c.H > 5, func() {
		l.titles = drawTitles(c, l, title{cols.size, "size", int(packagesBySize)}, title{cols.wasted, "wasted", int(packagesByWaste)},
			title{cols.layer, "layer", int(packagesByLayer)}, title{cols.kind, "type", int(packagesByType)},
			title{cols.name, "name", int(packagesByName)}, title{cols.version, "version", -1})
	})
	if len(l.rows) == 0 {
		p := &screen.Page{Theme: c.Theme, W: c.W}
		p.Wrap(0, l.empty(), c.Theme.Dim)
		screen.DrawLines(c, &screen.List{}, p.Lines, false)
	}
	l.List.Draw(c, len(l.rows), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		if r := l.rows[i]; r.index < 0 {
			l.drawUnowned(c, y, r, cols, on)
		} else {
			if len(l.u.fixes.marks) > 0 {
				l.u.fixes.sign(c, y, fixKey{kind: whatif.Package, text: packageKey(&l.all[r.index])}, on)
			}
			l.drawPackage(c, y, &l.all[r.index], cols, on)
		}
	})
}

// empty says why there are no rows.
func (l *packageList) empty() string {
	switch {
	case l.running:
		return l.searching(l.u.th)
	case l.failed != nil:
		return l.caveat()
	case l.filtered(), l.kind != "":
		return "no package matches"
	}
	return "this report has no packages: an older version of fathom wrote it"
}

func (l *packageList) drawPackage(c screen.Canvas, y int, p *facts.Package, cols packageColumns, on func(tcell.Style) tcell.Style) {
	th := c.Theme
	c.Cell(cols.size, y, on(sizeStyle(th, p.VisibleBytes)), report.Size(p.VisibleBytes))
	if p.WastedBytes > 0 {
		c.Cell(cols.wasted, y, on(th.Wasted), report.Size(p.WastedBytes))
	}
	c.Cell(cols.layer, y, on(th.Dim), packageLayers(th, p))
	c.Cell(cols.kind, y, on(th.Dim), p.Type)
	st, x, end := th.Text, cols.name.X, cols.name.X+cols.name.W
	if p.RemovedBy >= 0 {
		st = th.Removed
		x = c.Text(x, y, on(st), th.Glyph.Removed+" ")
	}
	if cols.version.W > 0 {
		end--
	}
	name := shown(p.Name)
	to := c.Short(x, y, end-x, on(st), name)
	l.u.search.highlight(c, x, to, y, name, on)
	version := shown(p.Version)
	c.Cell(cols.version, y, on(th.Dim), version)
}

// packageLayers returns the layer that brought a package and the one that removed it.
func packageLayers(th *screen.Theme, p *facts.Package) string {
	if p.RemovedBy < 0 {
		return itoa(p.BroughtBy)
	}
	return itoa(p.BroughtBy) + " " + th.Glyph.Arrow + " " + itoa(p.RemovedBy)
}

// drawUnowned draws what belongs to no package, or a folder of it.
func (l *packageList) drawUnowned(c screen.Canvas, y int, r packageRow, cols packageColumns, on func(tcell.Style) tcell.Style) {
	th, x := c.Theme, cols.kind.X
	visible, wasted := l.unowned.VisibleBytes, l.unowned.WastedBytes
	f := l.folder(r)
	switch {
	case f != nil:
		visible, wasted = f.VisibleBytes, f.WastedBytes
		c.Tail(x+2, y, c.W-x-2, on(th.Dir), folderName(f))
	case r.folder >= 0:
		c.Short(x+2, y, c.W-x-2, on(th.Dim), fmt.Sprintf("and %d more", l.unowned.MoreFolders))
		return
	default:
		if len(l.unowned.Folders) > 0 {
			c.Text(x, y, on(th.Dim), triangle(th, l.open))
		}
		c.Short(x+2, y, c.W-x-2, on(th.Strong), noPackage)
	}
	c.Cell(cols.size, y, on(sizeStyle(th, visible)), report.Size(visible))
	if wasted > 0 {
		c.Cell(cols.wasted, y, on(th.Wasted), report.Size(wasted))
	}
}

// folderName returns the path of a folder, with a slash at its end.
func folderName(f *facts.UnownedFolder) string {
	if f.Path == "/" {
		return "/"
	}
	return shown(f.Path) + "/"
}

func (l *packageList) details(p *screen.Page) any {
	r, ok := l.current()
	switch f := l.folder(r); {
	case !ok:
		return nil
	case r.index >= 0:
		packagePage(p, l.u.rep, &l.all[r.index])
	case f != nil:
		unownedFolderPage(p, f)
	default:
		l.unownedPage(p)
	}
	return r
}

// packagePage describes a package.
func packagePage(p *screen.Page, rep *facts.Report, x *facts.Package) {
	th := p.Theme
	p.Title(shown(x.Name))
	p.Blank()
	p.Field("version", shown(x.Version), th.Text)
	p.Field("type", x.Type, th.Text)
	p.Field("arch", shown(x.Arch), th.Text)
	p.Field("listed in", shown(x.Database), th.Text)
	p.Field("visible", report.Size(x.VisibleBytes)+"  "+report.Exact(x.VisibleBytes), th.Visible)
	p.Field("wasted", report.Size(x.WastedBytes)+"  "+report.Exact(x.WastedBytes), wastedStyle(th, x.WastedBytes))
	p.Field("in", count(x.Files, "file"), th.Text)
	for _, l := range x.Layers {
		storedLine(p, l.Layer, l.VisibleBytes, l.WastedBytes)
	}
	p.Blank()
	stepLines(p, rep, x.BroughtBy, "brought by ")
	if x.RemovedBy >= 0 {
		p.Blank()
		stepLines(p, rep, x.RemovedBy, "removed by ")
	}
	if len(x.Modules) == 0 {
		return
	}
	const most = 1000
	p.Blank()
	p.Title("Built from")
	for _, m := range x.Modules[:min(len(x.Modules), most)] {
		p.Wrap(0, shown(m), th.Text)
	}
	if more := len(x.Modules) - most; more > 0 {
		p.Wrap(0, fmt.Sprintf("and %d more", more), th.Dim)
	}
}

// storedLine adds what a layer stores; enter on the line goes to the layer.
func storedLine(p *screen.Page, layer int, visible, wasted int64) {
	says := fmt.Sprintf("%8s by layer %d", report.Size(visible+wasted), layer)
	spans := []screen.Span{{Text: " " + says, Style: p.Theme.Text}}
	if wasted > 0 {
		spans = append(spans, screen.Span{Text: ", " + report.Size(wasted) + " wasted", Style: p.Theme.Wasted})
	}
	p.Add(layer, "", spans...)
}

// stepLines adds a layer and its command; enter on the lines goes to the layer.
func stepLines(p *screen.Page, rep *facts.Report, layer int, what string) {
	from := len(p.Lines)
	p.Add(layer, "", screen.Span{Text: fmt.Sprintf(" %slayer %d", what, layer), Style: p.Theme.Dim})
	p.Wrap(2, layerCommand(rep, layer), p.Theme.Text)
	for i := range p.Lines[from:] {
		p.Lines[from+i].Link = layer
	}
}

// unownedPage describes what belongs to no package.
func (l *packageList) unownedPage(p *screen.Page) {
	th, x := p.Theme, l.unowned
	p.Title("Belongs to no package")
	p.Blank()
	if len(l.all) == 0 {
		p.Wrap(0, "No package database was found: dpkg, apk, rpm, npm, pip and other package managers leave one in the image. So no file belongs to a package.", th.Text)
	} else {
		p.Wrap(0, "What no package database lists: copied or built by the steps, or left behind by them.", th.Text)
	}
	p.Blank()
	unownedFields(p, x.VisibleBytes, x.WastedBytes, x.Files)
	if len(x.Folders) == 0 {
		return
	}
	p.Blank()
	p.Title("Largest folders")
	for i := range x.Folders {
		f := &x.Folders[i]
		from := len(p.Lines)
		p.Wrap(10, folderName(f), th.Dir)
		if from < len(p.Lines) {
			p.Lines[from].Spans[0] = screen.Span{Text: fmt.Sprintf(" %8s  ", report.Size(f.VisibleBytes+f.WastedBytes)), Style: th.Text}
		}
	}
	if x.MoreFolders > 0 {
		p.Wrap(10, fmt.Sprintf("and %d more", x.MoreFolders), th.Dim)
	}
}

func unownedFolderPage(p *screen.Page, f *facts.UnownedFolder) {
	p.Title(folderName(f))
	p.Blank()
	p.Wrap(0, "Here these files belong to no package.", p.Theme.Text)
	p.Blank()
	unownedFields(p, f.VisibleBytes, f.WastedBytes, f.Files)
}

func unownedFields(p *screen.Page, visible, wasted int64, files int) {
	p.Field("visible", report.Size(visible)+"  "+report.Exact(visible), p.Theme.Visible)
	p.Field("wasted", report.Size(wasted)+"  "+report.Exact(wasted), wastedStyle(p.Theme, wasted))
	p.Field("in", count(files, "file"), p.Theme.Text)
}
