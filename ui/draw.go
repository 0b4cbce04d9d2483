package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// narrow is the width below which one pane fills the screen.
const narrow = 90

// drawn describes the last frame.
type drawn struct {
	frame screen.Grid
	spots []spot // later ones lie over earlier ones
}

// spot is where something was drawn, and what a click there does; x and y are
// from its corner.
type spot struct {
	area  screen.Canvas
	of    part
	click func(x, y int, twice bool)
}

// Draw draws the whole screen.
func (u *ui) Draw(screen tcell.Screen) {
	x, y, w, h := u.GetRect()
	if w < 1 || h < 1 {
		return
	}
	u.spots = u.spots[:0]
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
	if o := u.top(); o != nil {
		ow, oh := o.size()
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

// drawBelow draws what is visible around a box.
func (u *ui) drawBelow(c screen.Canvas) {
	for i := len(u.over) - 2; i >= 0; i-- {
		if w, _ := u.over[i].size(); w == 0 {
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
	top := min(max(u.first.rowCount()+3, 6), max(c.H*11/20, 3))
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
	u.drawPane(c.Sub(left+1, 0, c.W-left-1, c.H), rightPane, false)
}

// drawPane draws a pane below its title.
func (u *ui) drawPane(c screen.Canvas, i int, alone bool) {
	if c.W < 1 || c.H < 1 {
		return
	}
	p, body := u.pane(i), c
	if c.H >= 2 {
		u.drawRule(c.Sub(0, 0, c.W, 1), i, alone)
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.spots = append(u.spots, spot{body, p, func(x, y int, twice bool) {
		u.setFocus(i)
		p.click(x, y, twice)
		u.followLayer()
	}})
	p.Draw(body, i == u.focus && len(u.over) == 0)
}

// label is a name in the line above a pane: of a pane or of a tab.
type label struct {
	key, name string
	shown     bool // what it names is below the line
	choose    func()
}

// text returns the label, without its name if there is no room for it.
func (l *label) text(named bool) string {
	if !named {
		return " " + l.key + " "
	}
	return " " + l.key + " " + l.name + " "
}

// labels returns the labels of the line above a pane: its own or those of the tabs;
// alone, those of all panes.
func (u *ui) labels(pane int, alone bool) []label {
	var all []label
	for i := range rightPane {
		if alone || i == pane {
			all = append(all, label{strconv.Itoa(i + 1), u.pane(i).Title(), i == pane, func() { u.setFocus(i) }})
		}
	}
	if alone || pane == rightPane {
		for i, t := range u.tabs {
			all = append(all, label{u.tabKey(i), t.Title(), pane == rightPane && i == u.tab, func() { u.tabTo(i) }})
		}
	}
	return all
}

// tabKey returns the key that goes to a tab.
func (u *ui) tabKey(i int) string {
	switch u.tabs[i].(type) {
	case *waste:
		return keyOf(u.keys, "waste")
	case *findings:
		return keyOf(u.keys, "findings")
	case *packageList, *packageChanges:
		return keyOf(u.keys, "packages")
	case *dockerfile:
		return keyOf(u.keys, "dockerfile")
	}
	return keyOf(u.keys, "files")
}

// drawRule draws the line above a pane with its name and those of the tabs; alone,
// with the names of all. Where there is little room, names that are not shown go
// first, then the note, then keys.
func (u *ui) drawRule(c screen.Canvas, pane int, alone bool) {
	th := c.Theme
	glyph, st := th.Glyph.Rule, th.Dim
	if pane == u.focus {
		glyph, st = th.Glyph.Heavy, th.Accent
	}
	c.Fill(0, 0, c.W, st, glyph)
	u.spots = append(u.spots, spot{c, u.pane(pane), func(int, int, bool) { u.setFocus(pane) }})
	all := u.labels(pane, alone)
	note := u.pane(pane).Note()
	short := strings.TrimSpace(note[strings.LastIndexByte(note, ',')+1:]) // at least how it is grouped, or which layer it is
	for _, words := range []string{"changed by ", "stored by ", "everything "} {
		short = strings.TrimPrefix(short, words)
	}
	named := func(l *label) bool { return l.shown }
	fits := func(is func(*label) bool, note string) bool {
		w := 1
		for i := range all {
			w += screen.Width(all[i].text(is(&all[i]))) + 1
		}
		if note != "" {
			w += screen.Width(note) + 3
		}
		named = is
		return w <= c.W
	}
	full := func(*label) bool { return true }
	some := named
	switch {
	case fits(full, note):
	case fits(full, short):
		note = short
	case fits(some, note):
	case fits(some, short):
		note = short
	case fits(full, ""), fits(some, ""):
		note = ""
	default:
		all = slices.DeleteFunc(all, func(l label) bool { return !l.shown })
	}
	x := 1
	for i := range all {
		l, st := &all[i], th.Dim
		text := l.text(named(l))
		if l.shown && len(all) > 1 {
			text = "[" + text[1:len(text)-1] + "]"
		}
		if l.shown {
			st = th.Strong
			if pane == u.focus {
				st = th.Accent
			}
		}
		from := x
		x = c.Text(x, 0, st, text)
		u.spots = append(u.spots, spot{c.Sub(from, 0, x-from, 1), u.pane(pane), func(int, int, bool) { l.choose() }})
		if len(all) > 1 {
			x++
		}
	}
	if note != "" && screen.Width(note)+2 <= c.W-x-1 {
		c.Right(c.W-1, 0, th.Dim, " "+note+" ")
	}
}

// drawFull draws an overlay over all of c.
func (u *ui) drawFull(c screen.Canvas, o overlay) {
	body := c
	if c.H >= 2 {
		c.Fill(0, 0, c.W, c.Theme.Accent, c.Theme.Glyph.Heavy)
		note := o.Note()
		room := c.W - 4
		for note != "" && room <= screen.Width(note)+16 {
			note = withoutFirst(note)
		}
		if note != "" {
			c.Right(c.W-1, 0, c.Theme.Dim, " "+note+" ")
			room -= screen.Width(note) + 2
		}
		x := c.Text(1, 0, c.Theme.Accent, " ")
		x = c.Tail(x, 0, room, c.Theme.Accent, o.Title())
		c.Text(x, 0, c.Theme.Accent, " ")
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.spots = append(u.spots, spot{body, o, o.click})
	o.Draw(body, true)
}

// withoutFirst returns a note without its first part: two spaces or a comma end a part.
func withoutFirst(note string) string {
	at := len(note)
	for _, end := range []string{"  ", ", "} {
		if i := strings.Index(note, end); i >= 0 {
			at = min(at, i+len(end))
		}
	}
	return note[at:]
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
	c.Text(2, 0, st, " "+o.Title()+" ")
	body := c.Sub(1, 1, c.W-2, c.H-2)
	u.spots = append(u.spots, spot{body, o, o.click})
	o.Draw(body, true)
}

// drawTitle draws the image and its figures.
func (u *ui) drawTitle(c screen.Canvas) {
	if u.two != nil {
		u.drawTitleOfTwo(c)
		return
	}
	th := c.Theme
	t := &u.rep.Totals
	wasted := report.Size(t.WastedBytes) + " wasted"
	eff := report.Percent(t.Efficiency) + " efficient"
	stored := report.Size(t.StoredBytes)
	ownStored, ownWasted := "", ""
	if t.Own != nil {
		ownStored = ", own " + report.Size(t.Own.StoredBytes)
		ownWasted = ", own " + report.Size(t.Own.WastedBytes+t.Own.CopiedFromBaseBytes)
	}
	name := safe(u.rep.Image.Reference)
	if name == "" && len(u.rep.Image.Tags) > 0 {
		name = safe(u.rep.Image.Tags[0])
	}
	dot := "  " + th.Glyph.Dot + "  "
	right := [][]screen.Span{
		{{Text: stored + " stored" + ownStored, Style: th.Text}, {Text: dot, Style: th.Dim}, {Text: wasted + ownWasted, Style: wastedStyle(th, t.WastedBytes)}, {Text: dot, Style: th.Dim}, {Text: eff, Style: th.Text}},
		{{Text: stored + ownStored, Style: th.Text}, {Text: dot, Style: th.Dim}, {Text: wasted, Style: wastedStyle(th, t.WastedBytes)}, {Text: dot, Style: th.Dim}, {Text: report.Percent(t.Efficiency), Style: th.Text}},
		{{Text: stored + " stored", Style: th.Text}, {Text: dot, Style: th.Dim}, {Text: wasted, Style: wastedStyle(th, t.WastedBytes)}, {Text: dot, Style: th.Dim}, {Text: eff, Style: th.Text}},
		{{Text: stored, Style: th.Text}, {Text: dot, Style: th.Dim}, {Text: wasted, Style: wastedStyle(th, t.WastedBytes)}, {Text: dot, Style: th.Dim}, {Text: report.Percent(t.Efficiency), Style: th.Text}},
		{{Text: stored, Style: th.Text}, {Text: " ", Style: th.Dim}, {Text: report.Percent(t.Efficiency), Style: th.Text}},
		{{Text: report.Percent(t.Efficiency), Style: th.Text}},
	}
	if t.Own == nil {
		right = right[2:]
	}
	brand := " fathom  "
	if c.W < 60 {
		brand = " "
	}
	var says []screen.Span // caveats about the figures
	if u.img == nil {
		says = append(says, screen.Span{Text: "saved report", Style: th.Accent})
	}
	if n := unverified(u.rep); n > 0 {
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
	for _, s := range append(says, screen.Span{Text: safe(u.rep.Image.Platform), Style: th.Dim}) {
		if s.Text != "" && at+screen.Width(s.Text)+4 <= x {
			at = c.Text(at+2, 0, s.Style, s.Text)
		}
	}
}
