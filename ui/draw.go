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

// narrow is the width below which no panes are side by side.
const narrow = 90

// drawn describes the last frame.
type drawn struct {
	frame screen.Grid
	spots []spot // later ones lie over earlier ones
	held  *spot  // that the mouse drags; nil for none
	last  cut
}

// spot is where something was drawn, and what a click there does; x and y are
// from its corner.
type spot struct {
	area  screen.Canvas
	of    part
	click func(x, y int, twice bool)
	drag  func(x, y int) // takes the cell that the mouse has moved to while it holds the spot; may be nil
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
	if h >= 6 {
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

// drawPane draws a pane below a line that names it and others. Dragging the line calls
// drag, which may be nil.
func (u *ui) drawPane(c screen.Canvas, i int, drag func(x, y int), named ...int) {
	if c.W < 1 || c.H < 1 {
		return
	}
	p, body := u.pane(i), c
	if c.H >= 2 {
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.drawPart(body, p, i == u.focus && len(u.over) == 0, func() { u.setFocus(i) })
	if c.H >= 2 {
		u.drawRule(c.Sub(0, 0, c.W, 1), i, drag, named)
	}
}

// drawPart draws a part and, if it has more rows than fit, its scrollbar. A click calls
// focus first.
func (u *ui) drawPart(c screen.Canvas, p part, focused bool, focus func()) {
	over := func() bool { return c.W >= 8 && p.Extent().Over() }
	bar := over() // as in the last frame
	draw := func() screen.Canvas {
		body := c
		if bar {
			body = c.Sub(0, 0, c.W-1, c.H)
		}
		p.Draw(body, focused)
		return body
	}
	body := draw()
	if over() != bar {
		bar = !bar
		c.Clear()
		body = draw()
	}
	u.spots = append(u.spots, spot{area: body, of: p, click: func(x, y int, twice bool) {
		focus()
		p.click(x, y, twice)
		u.followLayer()
	}})
	if bar {
		side := c.Sub(c.W-1, 0, 1, c.H)
		side.Scrollbar(p.Extent(), focused)
		jump := func(_, y int) {
			focus()
			p.Jump(y-side.Y, side.H)
			u.followLayer()
		}
		u.spots = append(u.spots, spot{area: side, of: p, drag: jump, click: func(_, y int, _ bool) { jump(0, side.Y+y) }})
	}
}

// label is a name in the line above a pane: of a pane or of a tab.
type label struct {
	key, name string
	shown     bool // what it names is below the line
	choose    func()
}

// naming says how the labels of a line are written.
type naming uint8

const (
	allNamed   naming = iota
	shownNamed        // the other labels are their keys
	tight             // and nothing is between them
	alone             // there are no other labels
)

// text returns the label; "" if it is left out.
func (l *label) text(n naming) string {
	switch {
	case l.shown && n != alone:
		return "[" + l.key + " " + l.name + "]"
	case l.shown || n == allNamed:
		return " " + l.key + " " + l.name + " "
	case n == shownNamed:
		return " " + l.key + " "
	case n == tight:
		return l.key
	}
	return ""
}

// labels returns the labels of the line above a pane, for the named panes; the tabs
// stand for the right one.
func (u *ui) labels(pane int, named []int) []label {
	var all []label
	for i := range rightPane {
		if slices.Contains(named, i) {
			all = append(all, label{strconv.Itoa(i + 1), u.pane(i).Title(), i == pane, func() { u.setFocus(i) }})
		}
	}
	if slices.Contains(named, rightPane) {
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

// drawRule draws the line above a pane, with the names of panes, or of the tabs of the
// right one. What fitRule has no room for is left out.
func (u *ui) drawRule(c screen.Canvas, pane int, drag func(x, y int), named []int) {
	th := c.Theme
	glyph, st := th.Glyph.Rule, th.Dim
	if pane == u.focus {
		glyph, st = th.Glyph.Heavy, th.Accent
	}
	c.Fill(0, 0, c.W, st, glyph)
	u.spots = append(u.spots, spot{area: c, of: u.pane(pane), drag: drag, click: func(_, _ int, twice bool) {
		u.setFocus(pane)
		if twice {
			u.zoom()
		}
	}})
	labels := u.labels(pane, named)
	note, says := u.pane(pane).Note(), u.pane(pane).Extent().Says
	short := strings.TrimSpace(note[strings.LastIndexByte(note, ',')+1:]) // at least how it is grouped, or which layer it is
	if _, sum, ok := strings.Cut(note, ": "); ok {                        // of what matches
		short = sum
	}
	for _, words := range []string{"changed by ", "stored by ", "everything "} {
		short = strings.TrimPrefix(short, words)
	}
	how := alone
	if len(labels) > 1 {
		how, note, says = fitRule(labels, c.W, u.pane(pane).place() == inFiles, note, short, says)
	}
	x := 1
	if how == tight {
		x = 0
	}
	for i := range labels {
		l, st := &labels[i], th.Dim
		if l.shown {
			st = th.Strong
			if pane == u.focus {
				st = th.Accent
			}
		}
		from := x
		x = c.Text(x, 0, st, l.text(how))
		u.spots = append(u.spots, spot{area: c.Sub(from, 0, x-from, 1), of: u.pane(pane), click: func(_, _ int, twice bool) {
			l.choose()
			if twice && l.shown {
				u.zoom()
			}
		}})
		if how < tight {
			x++
		}
	}
	end := c.W - 1
	if how == tight {
		end++
	}
	for _, text := range []string{says, note} {
		if text == "" {
			continue
		}
		text = " " + text
		if how != tight {
			text += " "
		}
		if w := screen.Width(text); w <= end-x {
			c.Right(end, 0, th.Dim, text)
			end -= w + 1
		}
	}
}

// fitRule chooses what a line of w cells has room for. Names are more important than the
// note, unless that says which layer is shown.
func fitRule(labels []label, w int, layer bool, note, short, says string) (naming, string, string) {
	type rule struct {
		how        naming
		note, says string
	}
	tries := []rule{{allNamed, note, says}, {allNamed, short, says}}
	if !layer {
		tries = append(tries, rule{allNamed, "", says})
	}
	tries = append(tries, rule{shownNamed, note, says}, rule{shownNamed, short, says},
		rule{allNamed, "", says}, rule{shownNamed, "", says}, rule{tight, "", says}, rule{tight, "", ""})
	for _, try := range tries {
		need := 0
		for i := range labels {
			need += screen.Width(labels[i].text(try.how))
			if try.how < tight {
				need++
			}
		}
		for _, text := range []string{try.note, try.says} {
			if text != "" {
				need += screen.Width(text) + 1
				if try.how < tight {
					need += 2
				}
			}
		}
		if try.how < tight {
			need++
		}
		if need <= w {
			return try.how, try.note, try.says
		}
	}
	return alone, "", says
}

// drawFull draws an overlay over all of c.
func (u *ui) drawFull(c screen.Canvas, o overlay) {
	body := c
	if c.H >= 2 {
		body = c.Sub(0, 1, c.W, c.H-1)
	}
	u.drawPart(body, o, true, func() {})
	if c.H >= 2 {
		c.Fill(0, 0, c.W, c.Theme.Accent, c.Theme.Glyph.Heavy)
		room := c.W - 4
		end := c.W - 1
		note := o.Note()
		for note != "" && room <= screen.Width(note)+16 {
			note = withoutFirst(note)
		}
		e := o.Extent()
		if w, _ := o.size(); w > 0 && !e.Over() {
			e.Says = "" // a menu
		}
		if need := screen.Width(note + e.Says); note == "" && room <= need+8 || note != "" && room <= need+21 {
			e.Says = ""
		}
		for _, text := range []string{e.Says, note} {
			if text != "" {
				c.Right(end, 0, c.Theme.Dim, " "+text+" ")
				end -= screen.Width(text) + 3
				room -= screen.Width(text) + 3
			}
		}
		x := c.Text(1, 0, c.Theme.Accent, " ")
		x = c.Tail(x, 0, room, c.Theme.Accent, o.Title())
		c.Text(x, 0, c.Theme.Accent, " ")
	}
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
	u.drawPart(c.Sub(1, 1, c.W-2, c.H-2), o, true, func() {})
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
	if then := u.fixes.title(th); then != nil {
		right = then
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
