package ui

import (
	"fmt"

	"fathom/ui/report"
	"fathom/ui/screen"
)

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

// drawTitleOfTwo draws the names of both images and how much they differ.
func (u *ui) drawTitleOfTwo(c screen.Canvas) {
	th, f := c.Theme, &u.two.Facts
	size := f.Totals.StoredBytes
	grown, st := "the same size", th.Dim
	switch {
	case size.Delta > 0:
		grown, st = "+"+report.Size(size.Delta), th.Added
	case size.Delta < 0:
		grown, st = report.Size(size.Delta), th.Removed
	}
	arrow := " " + th.Glyph.Arrow + " "
	right := []screen.Span{{Text: report.Size(size.Old) + arrow + report.Size(size.New) + " stored  ", Style: th.Text}, {Text: grown + " ", Style: st}}
	brand := " fathom  "
	if c.W < 60 {
		brand, right = " ", right[1:]
	}
	x := c.W
	for _, s := range right {
		x -= screen.Width(s.Text)
	}
	at := c.Text(0, 0, th.Accent, brand)
	old, new := safe(f.Old.Reference), safe(f.New.Reference)
	room := x - at - 2 - screen.Width(arrow)
	if room < 8 {
		x, right = c.W, nil
		room = x - at - 1 - screen.Width(arrow)
	}
	// The shorter name leaves its room to the other one.
	w := max(room/2, room-screen.Width(new))
	at = c.Tail(at, 0, min(w, screen.Width(old)), th.Strong, old)
	at = c.Text(at, 0, th.Dim, arrow)
	c.Tail(at, 0, max(min(x-at-1, c.W-at), 0), th.Strong, new)
	for _, s := range right {
		x = c.Text(x, 0, s.Style, s.Text)
	}
}
