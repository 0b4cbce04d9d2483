package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
)

// spot is where something was drawn: for the mouse.
type spot struct {
	x, y, w, h int
	pane       int
	body       canvas // where its rows are
}

// Draw draws the whole screen.
func (u *ui) Draw(screen tcell.Screen) {
	x, y, w, h := u.GetRect()
	if w < 1 || h < 1 {
		return
	}
	u.frame.begin(w, h, u.th.text)
	u.places = u.places[:0]
	u.draw(canvas{&u.frame, 0, 0, w, h, u.th})
	u.frame.show(screen, x, y)
}

func (u *ui) draw(c canvas) {
	w, h := c.w, c.h
	if h >= 4 {
		u.drawTitle(c.sub(0, 0, w, 1))
		c = c.sub(0, 1, w, h-1)
	}
	if c.h >= 2 {
		defer u.drawStatus(c.sub(0, c.h-1, w, 1))
		c = c.sub(0, 0, w, c.h-1)
	}
	if len(u.over) > 0 {
		o := u.over[len(u.over)-1]
		ow, oh := o.wants()
		if ow == 0 || ow+2 > c.w || oh > c.h {
			u.drawFull(c, o)
			return
		}
		u.drawBelow(c)
		u.drawBox(c.sub((c.w-ow)/2, (c.h-oh)/3, ow, oh), o)
		return
	}
	u.drawPanes(c)
}

// drawBelow draws what a box lies over.
func (u *ui) drawBelow(c canvas) {
	for i := len(u.over) - 2; i >= 0; i-- {
		if w, _ := u.over[i].wants(); w == 0 {
			u.drawFull(c, u.over[i])
			return
		}
	}
	u.drawPanes(c)
}

func (u *ui) drawPanes(c canvas) {
	if c.w < narrow {
		u.drawPane(c, u.focus, true)
		return
	}
	left := min(max(c.w*2/5, 44), 76)
	top := min(max(len(u.layers.steps)+3, 6), max(c.h*11/20, 3))
	u.drawPane(c.sub(0, 0, left, top), layersPane, false)
	u.drawPane(c.sub(0, top, left, c.h-top), detailPane, false)
	for y := 0; y < c.h; y++ {
		wall := c.th.glyph.wall
		switch y {
		case 0:
			wall = c.th.glyph.tee
		case top:
			wall = c.th.glyph.side
		}
		c.text(left, y, c.th.dim, wall)
	}
	u.drawPane(c.sub(left+1, 0, c.w-left-1, c.h), filesPane, false)
}

// paneName is the title of a pane.
func (u *ui) paneName(pane int) string {
	switch {
	case pane == layersPane:
		return "Layers"
	case pane == detailPane:
		return "Detail"
	case u.showWaste:
		return "Waste"
	case u.files.below != nil:
		return "Folders"
	}
	return "Files"
}

// paneNote is what a pane's title says besides its name.
func (u *ui) paneNote(pane int) string {
	switch {
	case pane == layersPane:
		return ""
	case pane == filesPane && u.showWaste && u.waste.busy:
		return ""
	case pane == filesPane && u.showWaste:
		note := report.Size(u.waste.total) + " in " + places(len(u.waste.all))
		if u.waste.grouping != ungrouped {
			note += ", " + groupingNames[u.waste.grouping]
		}
		return note
	case pane == filesPane && u.files.below != nil:
		return u.files.below.title()
	case pane == filesPane && u.files.out == nil:
		return ""
	case pane == filesPane:
		return u.files.title(u.th)
	}
	switch {
	case u.subject == layersPane:
		return "of the layer"
	case u.showWaste:
		return "of the waste"
	case u.files.below != nil:
		return "of the path"
	}
	return "of the file"
}

// drawPane draws a pane below its title.
func (u *ui) drawPane(c canvas, pane int, alone bool) {
	if c.w < 1 || c.h < 1 {
		return
	}
	focused := pane == u.focus
	body := c
	if c.h >= 2 {
		u.drawRule(c, pane, focused, alone)
		body = c.sub(0, 1, c.w, c.h-1)
	}
	u.places = append(u.places, spot{c.x, c.y, c.w, c.h, pane, body})
	focused = focused && len(u.over) == 0
	switch {
	case pane == layersPane:
		u.layers.draw(body, focused, u.files)
	case pane == detailPane:
		u.fillDetail(body.w)
		drawLines(body, &u.detail.list, u.detail.lines, focused)
	case u.showWaste:
		u.waste.draw(body, focused, &u.search)
	default:
		u.files.draw(body, focused, &u.search)
	}
}

// drawRule draws the line above a pane with its name; alone, with the names of
// all.
func (u *ui) drawRule(c canvas, pane int, focused, alone bool) {
	th := c.th
	glyph, st := th.glyph.rule, th.dim
	if focused {
		glyph, st = th.glyph.heavy, th.accent
	}
	c.fill(0, 0, c.w, st, glyph)
	name := func(x, p int) int {
		label := fmt.Sprintf(" %d %s ", p+1, u.paneName(p))
		if p == u.focus {
			return c.text(x, 0, th.accent, label)
		}
		return c.text(x, 0, th.dim, label)
	}
	x := 1
	if alone && c.w >= 36 {
		for p := range panes {
			x = name(x, p) + 1
		}
	} else {
		x = name(x, pane)
	}
	if note := u.paneNote(pane); note != "" && c.w-x > 10 {
		if short := note[strings.LastIndexByte(note, ',')+1:]; width(note)+2 > c.w-x-1 {
			note = strings.TrimSpace(short) // how it is grouped, at least
		}
		note = " " + note + " "
		if w := width(note); w <= c.w-x-1 {
			c.right(c.w-1, 0, th.dim, note)
		}
	}
}

// fillDetail makes the lines of the detail pane.
func (u *ui) fillDetail(w int) {
	n, ok := u.node()
	var g wasteGroup
	grouped := false
	if u.showWaste {
		g, grouped = u.waste.group()
	}
	switch {
	case u.subject == layersPane:
		s, _ := u.layers.current()
		u.detail.set(s, layerPage(u.th, w, u.layers, s, u.hides))
	case grouped:
		u.detail.set(g.name, groupPage(u.th, w, u.layers, u.waste, g))
	case !ok && u.files.below != nil && !u.showWaste:
		r, _ := u.files.below.current()
		u.detail.set(r.folder, folderPage(u.th, w, u.files.below, r))
	case !ok:
		u.detail.set(nil, nil)
	case u.showWaste:
		it, _ := u.waste.current()
		u.detail.set(it.parts[0], wastePage(u.th, w, u.layers, u.files, it))
	default:
		u.detail.set(n, filePage(u.th, w, u.layers, u.files, n))
	}
}

// drawFull draws an overlay over all of c.
func (u *ui) drawFull(c canvas, o overlay) {
	body := c
	if c.h >= 2 {
		c.fill(0, 0, c.w, c.th.accent, c.th.glyph.heavy)
		note := o.subtitle()
		room := c.w - 4
		if note != "" && room > width(note)+16 {
			c.right(c.w-1, 0, c.th.dim, " "+note+" ")
			room -= width(note) + 2
		}
		x := c.text(1, 0, c.th.accent, " ")
		x = c.tail(x, 0, room, c.th.accent, o.title())
		c.text(x, 0, c.th.accent, " ")
		body = c.sub(0, 1, c.w, c.h-1)
	}
	u.places = append(u.places, spot{c.x, c.y, c.w, c.h, -1, body})
	o.draw(body)
}

// drawBox draws an overlay in a box.
func (u *ui) drawBox(c canvas, o overlay) {
	g, st := c.th.glyph, c.th.accent
	c.clear()
	c.fill(0, 0, c.w, st, g.boxTop)
	c.fill(0, c.h-1, c.w, st, g.boxTop)
	for y := range c.h {
		c.text(0, y, st, g.boxSide)
		c.text(c.w-1, y, st, g.boxSide)
	}
	c.text(0, 0, st, g.topLeft)
	c.text(c.w-1, 0, st, g.topRight)
	c.text(0, c.h-1, st, g.botLeft)
	c.text(c.w-1, c.h-1, st, g.botRight)
	c.text(2, 0, st, " "+o.title()+" ")
	body := c.sub(1, 1, c.w-2, c.h-2)
	u.places = append(u.places, spot{c.x, c.y, c.w, c.h, -1, body})
	o.draw(body)
}

// drawTitle draws the image and its figures.
func (u *ui) drawTitle(c canvas) {
	th := c.th
	t := &u.a.Report.Totals
	wasted := report.Size(t.WastedBytes) + " wasted"
	eff := report.Percent(t.Efficiency) + " efficient"
	stored := report.Size(t.StoredBytes)
	name := safe(u.a.Report.Image.Reference)
	if name == "" && len(u.a.Report.Image.Tags) > 0 {
		name = safe(u.a.Report.Image.Tags[0])
	}
	dot := "  " + th.glyph.dot + "  "
	right := [][]span{
		{{stored + " stored", th.text}, {dot, th.dim}, {wasted, wastedStyle(th, t.WastedBytes)}, {dot, th.dim}, {eff, th.text}},
		{{stored, th.text}, {dot, th.dim}, {wasted, wastedStyle(th, t.WastedBytes)}, {dot, th.dim}, {report.Percent(t.Efficiency), th.text}},
		{{stored, th.text}, {" ", th.dim}, {report.Percent(t.Efficiency), th.text}},
		{{report.Percent(t.Efficiency), th.text}},
	}
	brand := " fathom  "
	if c.w < 60 {
		brand = " "
	}
	var says []span // what a reader has to know about the figures
	if u.files.saved {
		says = append(says, span{"saved report", th.accent})
	}
	if n := unverified(u.a.Report); n > 0 {
		says = append(says, span{fmt.Sprintf("%d not verified", n), th.alarm})
	}
	want := width(brand) + min(width(name), c.w/2)
	for _, s := range says {
		if c.w >= 60 {
			want += 2 + width(s.text)
		}
	}
	x := c.w
	for _, spans := range right {
		w := 1
		for _, s := range spans {
			w += width(s.text)
		}
		if want+2+w <= c.w {
			x = c.w - w
			for i, at := 0, x; i < len(spans); i++ {
				at = c.text(at, 0, spans[i].style, spans[i].text)
			}
			break
		}
	}
	at := c.text(0, 0, th.accent, brand)
	at = c.tail(at, 0, x-at-1, th.strong, name)
	for _, s := range append(says, span{safe(u.a.Report.Image.Platform), th.dim}) {
		if s.text != "" && at+width(s.text)+4 <= x {
			at = c.text(at+2, 0, s.style, s.text)
		}
	}
}
