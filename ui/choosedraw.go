package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// Draw draws the whole screen.
func (c *chooser) Draw(screen tcell.Screen) {
	x, y, w, h := c.GetRect()
	if w < 1 || h < 1 {
		return
	}
	c.draw(c.frame.Begin(w, h, c.th))
	c.frame.Show(screen, x, y)
}

func (c *chooser) draw(on screen.Canvas) {
	th := on.Theme
	if on.H >= 4 {
		at := on.Text(0, 0, th.Accent, " fathom")
		on.Short(at+2, 0, on.W-at-3, th.Strong, "choose an image")
		on = on.Sub(0, 1, on.W, on.H-1)
	}
	if on.H >= 2 {
		c.drawFoot(on.Sub(0, on.H-1, on.W, 1))
		on = on.Sub(0, 0, on.W, on.H-1)
	}
	if on.H >= 2 {
		c.drawRule(on)
		on = on.Sub(0, 1, on.W, on.H-1)
	}
	if c.keys != nil {
		c.keys.Draw(on, true)
		return
	}
	on = c.drawNotes(on)
	cols := fitOffer(on.W)
	if on.H >= 6 {
		cols.head(on)
		on = on.Sub(0, 1, on.W, on.H-1)
	}
	c.body = on
	c.Fit(len(c.rows), on.H)
	if len(c.rows) == 0 {
		on.Short(1, 0, on.W-2, th.Dim, "no image matches (esc shows all)")
	}
	for y := 0; y < on.H && c.Top+y < len(c.rows); y++ {
		c.drawOffer(on, y, c.rows[c.Top+y], cols, on.Row(y, c.Top+y == c.At, true))
	}
}

// drawNotes draws, below the rows, which engines have not answered and the errors of
// the others: wrapped if there is room, otherwise one line each. It returns the
// remaining canvas for the rows.
func (c *chooser) drawNotes(on screen.Canvas) screen.Canvas {
	var notes []screen.Span
	if len(c.silent) > 0 {
		notes = append(notes, screen.Span{Text: "asking " + safe(strings.Join(c.silent, ", ")) + on.Theme.Glyph.Ellipsis, Style: on.Theme.Dim})
	}
	for _, n := range c.relevant() {
		notes = append(notes, screen.Span{Text: safe(n), Style: on.Theme.Alarm})
	}
	rows := len(c.rows) + 2 // their title, and a blank line
	room := max(on.H-rows, on.H/4, min(on.H/2, 1))
	p := screen.Page{Theme: on.Theme, W: on.W}
	for _, n := range notes {
		p.Wrap(0, n.Text, n.Style)
	}
	if len(p.Lines) <= room {
		notes = notes[:0]
		for _, l := range p.Lines {
			notes = append(notes, l.Spans[1]) // behind the margin
		}
	}
	notes = notes[:min(len(notes), room)]
	from := min(rows, on.H-len(notes))
	for y, n := range notes {
		on.Short(1, from+y, on.W-2, n.Style, n.Text)
	}
	return on.Sub(0, 0, on.W, from)
}

// relevant returns the notes that can explain why an image is not listed: none while
// the filter matches, and only errors if another engine has images.
func (c *chooser) relevant() []string {
	switch {
	case c.typing && len(c.rows) > 0:
		return nil
	case len(c.all) > 1:
		return slices.DeleteFunc(slices.Clone(c.notes), func(n string) bool { return strings.HasSuffix(n, hasNone) })
	}
	return c.notes
}

func (c *chooser) drawRule(on screen.Canvas) {
	th := on.Theme
	on.Fill(0, 0, on.W, th.Accent, th.Glyph.Heavy)
	name, note := " Images ", c.count()
	if c.keys != nil {
		name, note = " Keys ", ""
	}
	x := on.Text(1, 0, th.Accent, name)
	if note != "" && x+screen.Width(note)+4 <= on.W {
		on.Right(on.W-1, 0, th.Dim, " "+note+" ")
	}
}

// offerColumns are the columns of a row.
type offerColumns struct{ name, engine, size, age screen.Column }

// fitOffer chooses columns. A column is shown only if enough room is left for the
// name.
func fitOffer(w int) offerColumns {
	cols := offerColumns{size: screen.Column{Right: true}}
	room := screen.Room(w - 2)
	room.Take(&cols.size, 10, 16)
	room.Take(&cols.age, 17, 20)
	room.Take(&cols.engine, 12, 24)
	cols.name.W = min(int(room), 100)
	screen.Place(1, &cols.name, &cols.engine, &cols.size, &cols.age)
	cols.engine.X, cols.engine.W = cols.engine.X+2, cols.engine.W-1
	cols.age.X, cols.age.W = cols.age.X+3, cols.age.W-2
	cols.size.X++
	return cols
}

func (cols offerColumns) head(on screen.Canvas) {
	on.Text(1, 0, on.Theme.Dim, "image")
	on.Cell(cols.engine, 0, on.Theme.Dim, "engine")
	on.Cell(cols.size, 0, on.Theme.Dim, "size")
	on.Cell(cols.age, 0, on.Theme.Dim, "created")
}

func (c *chooser) drawOffer(on screen.Canvas, y int, o *offer, cols offerColumns, lit func(tcell.Style) tcell.Style) {
	th := on.Theme
	if o.Demo {
		x := on.Text(1, y, lit(th.Text), o.name)
		on.Short(x+2, y, on.W-x-3, lit(th.Dim), "a small image that is built into fathom")
		return
	}
	end := on.Tail(1, y, cols.name.W, lit(th.Text), o.name)
	if o.Name == "" {
		on.Short(end+1, y, cols.name.W-(end-1)-1, lit(th.Dim), "(no name)")
	}
	if end-1 == screen.Width(o.name) {
		c.markFound(on, y, o, lit)
	}
	on.Cell(cols.engine, y, lit(th.Dim), safe(o.Engine))
	if o.Size > 0 {
		on.Cell(cols.size, y, lit(th.Text), report.Size(o.Size))
	}
	on.Cell(cols.age, y, lit(th.Dim), age(o.Created, c.now()))
}

// markFound highlights what the filter matches in a name.
func (c *chooser) markFound(on screen.Canvas, y int, o *offer, lit func(tcell.Style) tcell.Style) {
	low := strings.ToLower(o.name)
	if len(low) != len(o.name) {
		return
	}
	for _, w := range strings.Fields(strings.ToLower(c.line.Text)) {
		if i := strings.Index(low, w); i >= 0 {
			on.Text(1+screen.Width(o.name[:i]), y, lit(on.Theme.Found), o.name[i:i+len(w)])
		}
	}
}

// drawFoot draws the filter, or what would open the image, and the keys.
func (c *chooser) drawFoot(on screen.Canvas) {
	th := on.Theme
	if c.note != "" {
		on.Short(1, 0, on.W-2, th.Strong, c.note)
		return
	}
	x := on.W - 1
	for _, k := range slices.Backward(c.hints()) {
		if at := x - hintWidth(k, true); at > on.W/3 {
			x = at
			on.Text(on.Text(x+2, 0, th.Accent, k.first()), 0, th.Dim, " "+k.hint)
		}
	}
	switch {
	case c.typing:
		at := on.Text(1, 0, th.Accent, "filter ")
		images := 0 // the demo is not counted, as in the title
		for _, o := range c.rows {
			if !o.Demo {
				images++
			}
		}
		note := fmt.Sprintf("  %d of %d", images, len(c.all)-1)
		if x-at-screen.Width(note) < 10 {
			note = ""
		}
		at = c.line.Draw(on, at, max(x-at-screen.Width(note)-1, 1), th.Strong, safe)
		on.Text(at+1, 0, th.Dim, note)
	case c.keys == nil:
		if o, ok := c.current(); ok && !o.Demo {
			on.Short(1, 0, x-1, th.Dim, safe("fathom "+o.Ref))
		} else if ok {
			on.Short(1, 0, x-1, th.Dim, "fathom demo")
		}
	}
}

// hints returns the keys for the bottom line.
func (c *chooser) hints() []binding {
	if c.keys != nil {
		return []binding{{keys: "esc", hint: "close"}}
	}
	var hints []binding
	for _, k := range chooserKeys() {
		if k.first() == "enter" && len(c.rows) == 0 {
			continue
		}
		if k.hint != "" && (!c.typing || k.first() == "enter" && c.frame.W >= 40) {
			hints = append(hints, k.binding)
		}
	}
	return hints
}

// age returns in words how long ago something was.
func age(then, now time.Time) string {
	if then.IsZero() {
		return ""
	}
	d := now.Sub(then)
	ago := func(n int, unit string) string { return count(n, unit) + " ago" }
	const day = 24 * time.Hour
	switch {
	case d < -day:
		return then.UTC().Format(time.DateOnly) // its clock or ours is wrong
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return ago(int(d/time.Minute), "minute")
	case d < 2*day:
		return ago(int(d/time.Hour), "hour")
	case d < 14*day:
		return ago(int(d/day), "day")
	case d < 60*day:
		return ago(int(d/(7*day)), "week")
	case d < 730*day:
		return ago(int(d/(30*day)), "month")
	}
	return ago(int(d/(365*day)), "year")
}
