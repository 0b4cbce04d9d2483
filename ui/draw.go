package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// spot is where something was drawn: for the mouse.
type spot struct {
	x, y, w, h int
	pane       int
	body       screen.Canvas // where its rows are
}

// Draw draws the whole screen.
func (u *ui) Draw(screen tcell.Screen) {
	x, y, w, h := u.GetRect()
	if w < 1 || h < 1 {
		return
	}
	u.places = u.places[:0]
	u.draw(u.frame.Begin(w, h, u.th))
	u.frame.Show(screen, x, y)
}

func (u *ui) draw(c screen.Canvas) {
	w, h := c.W, c.H
	if h >= 4 {
		u.drawTitle(c.Sub(0, 0, w, 1))
		c = c.Sub(0, 1, w, h-1)
	}
	if c.H >= 2 {
		defer u.drawStatus(c.Sub(0, c.H-1, w, 1))
		c = c.Sub(0, 0, w, c.H-1)
	}
	if len(u.over) > 0 {
		o := u.over[len(u.over)-1]
		ow, oh := o.wants()
		if ow == 0 || ow+2 > c.W || oh > c.H {
			u.drawFull(c, o)
			return
		}
		u.drawBelow(c)
		u.drawBox(c.Sub((c.W-ow)/2, (c.H-oh)/3, ow, oh), o)
		return
	}
	u.drawPanes(c)
}

// drawBelow draws what a box lies over.
func (u *ui) drawBelow(c screen.Canvas) {
	for i := len(u.over) - 2; i >= 0; i-- {
		if w, _ := u.over[i].wants(); w == 0 {
			u.drawFull(c, u.over[i])
			return
		}
	}
	u.drawPanes(c)
}

func (u *ui) drawPanes(c screen.Canvas) {
	if c.W < narrow {
		u.drawPane(c, u.focus, true)
		return
	}
	left := min(max(c.W*2/5, 44), 76)
	top := min(max(len(u.layers.steps)+3, 6), max(c.H*11/20, 3))
	u.drawPane(c.Sub(0, 0, left, top), layersPane, false)
	u.drawPane(c.Sub(0, top, left, c.H-top), detailPane, false)
	for y := 0; y < c.H; y++ {
		wall := c.Theme.Glyph.Wall
		switch y {
		case 0:
			wall = c.Theme.Glyph.Tee
		case top:
			wall = c.Theme.Glyph.Side
		}
		c.Text(left, y, c.Theme.Dim, wall)
	}
	u.drawPane(c.Sub(left+1, 0, c.W-left-1, c.H), filesPane, false)
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
func (u *ui) drawPane(c screen.Canvas, pane int, alone bool) {
	if c.W < 1 || c.H < 1 {
		return
	}
	focused := pane == u.focus
	body := c
	if c.H >= 2 {
		u.drawRule(c, pane, focused, alone)
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.places = append(u.places, spot{c.X, c.Y, c.W, c.H, pane, body})
	focused = focused && len(u.over) == 0
	switch {
	case pane == layersPane:
		u.layers.draw(body, focused, u.files)
	case pane == detailPane:
		u.fillDetail(body.W)
		screen.DrawLines(body, &u.detail.List, u.detail.lines, focused)
	case u.showWaste:
		u.waste.draw(body, focused, &u.search)
	default:
		u.files.draw(body, focused, &u.search)
	}
}

// drawRule draws the line above a pane with its name; alone, with the names of
// all.
func (u *ui) drawRule(c screen.Canvas, pane int, focused, alone bool) {
	th := c.Theme
	glyph, st := th.Glyph.Rule, th.Dim
	if focused {
		glyph, st = th.Glyph.Heavy, th.Accent
	}
	c.Fill(0, 0, c.W, st, glyph)
	name := func(x, p int) int {
		label := fmt.Sprintf(" %d %s ", p+1, u.paneName(p))
		if p == u.focus {
			return c.Text(x, 0, th.Accent, label)
		}
		return c.Text(x, 0, th.Dim, label)
	}
	x := 1
	if alone && c.W >= 36 {
		for p := range panes {
			x = name(x, p) + 1
		}
	} else {
		x = name(x, pane)
	}
	if note := u.paneNote(pane); note != "" && c.W-x > 10 {
		if short := note[strings.LastIndexByte(note, ',')+1:]; screen.Width(note)+2 > c.W-x-1 {
			note = strings.TrimSpace(short) // how it is grouped, at least
		}
		note = " " + note + " "
		if w := screen.Width(note); w <= c.W-x-1 {
			c.Right(c.W-1, 0, th.Dim, note)
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
func (u *ui) drawFull(c screen.Canvas, o overlay) {
	body := c
	if c.H >= 2 {
		c.Fill(0, 0, c.W, c.Theme.Accent, c.Theme.Glyph.Heavy)
		note := o.subtitle()
		room := c.W - 4
		if note != "" && room > screen.Width(note)+16 {
			c.Right(c.W-1, 0, c.Theme.Dim, " "+note+" ")
			room -= screen.Width(note) + 2
		}
		x := c.Text(1, 0, c.Theme.Accent, " ")
		x = c.Tail(x, 0, room, c.Theme.Accent, o.title())
		c.Text(x, 0, c.Theme.Accent, " ")
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.places = append(u.places, spot{c.X, c.Y, c.W, c.H, -1, body})
	o.draw(body)
}

// drawBox draws an overlay in a box.
func (u *ui) drawBox(c screen.Canvas, o overlay) {
	g, st := c.Theme.Glyph, c.Theme.Accent
	c.Clear()
	c.Fill(0, 0, c.W, st, g.BoxTop)
	c.Fill(0, c.H-1, c.W, st, g.BoxTop)
	for y := range c.H {
		c.Text(0, y, st, g.BoxSide)
		c.Text(c.W-1, y, st, g.BoxSide)
	}
	c.Text(0, 0, st, g.TopLeft)
	c.Text(c.W-1, 0, st, g.TopRight)
	c.Text(0, c.H-1, st, g.BotLeft)
	c.Text(c.W-1, c.H-1, st, g.BotRight)
	c.Text(2, 0, st, " "+o.title()+" ")
	body := c.Sub(1, 1, c.W-2, c.H-2)
	u.places = append(u.places, spot{c.X, c.Y, c.W, c.H, -1, body})
	o.draw(body)
}

// drawTitle draws the image and its figures.
func (u *ui) drawTitle(c screen.Canvas) {
	th := c.Theme
	t := &u.a.Report.Totals
	wasted := report.Size(t.WastedBytes) + " wasted"
	eff := report.Percent(t.Efficiency) + " efficient"
	stored := report.Size(t.StoredBytes)
	name := safe(u.a.Report.Image.Reference)
	if name == "" && len(u.a.Report.Image.Tags) > 0 {
		name = safe(u.a.Report.Image.Tags[0])
	}
	dot := "  " + th.Glyph.Dot + "  "
	right := [][]screen.Span{
		{{Text: stored + " stored", Style: th.Text}, {Text: dot, Style: th.Dim}, {Text: wasted, Style: wastedStyle(th, t.WastedBytes)}, {Text: dot, Style: th.Dim}, {Text: eff, Style: th.Text}},
		{{Text: stored, Style: th.Text}, {Text: dot, Style: th.Dim}, {Text: wasted, Style: wastedStyle(th, t.WastedBytes)}, {Text: dot, Style: th.Dim}, {Text: report.Percent(t.Efficiency), Style: th.Text}},
		{{Text: stored, Style: th.Text}, {Text: " ", Style: th.Dim}, {Text: report.Percent(t.Efficiency), Style: th.Text}},
		{{Text: report.Percent(t.Efficiency), Style: th.Text}},
	}
	brand := " fathom  "
	if c.W < 60 {
		brand = " "
	}
	var says []screen.Span // what a reader has to know about the figures
	if u.files.saved {
		says = append(says, screen.Span{Text: "saved report", Style: th.Accent})
	}
	if n := unverified(u.a.Report); n > 0 {
		says = append(says, screen.Span{Text: fmt.Sprintf("%d not verified", n), Style: th.Alarm})
	}
	want := screen.Width(brand) + min(screen.Width(name), c.W/2)
	for _, s := range says {
		if c.W >= 60 {
			want += 2 + screen.Width(s.Text)
		}
	}
	x := c.W
	for _, spans := range right {
		w := 1
		for _, s := range spans {
			w += screen.Width(s.Text)
		}
		if want+2+w <= c.W {
			x = c.W - w
			for i, at := 0, x; i < len(spans); i++ {
				at = c.Text(at, 0, spans[i].Style, spans[i].Text)
			}
			break
		}
	}
	at := c.Text(0, 0, th.Accent, brand)
	at = c.Tail(at, 0, x-at-1, th.Strong, name)
	for _, s := range append(says, screen.Span{Text: safe(u.a.Report.Image.Platform), Style: th.Dim}) {
		if s.Text != "" && at+screen.Width(s.Text)+4 <= x {
			at = c.Text(at+2, 0, s.Style, s.Text)
		}
	}
}
