package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/report"
)

// Draw draws the whole screen.
func (c *chooser) Draw(screen tcell.Screen) {
	x, y, w, h := c.GetRect()
	if w < 1 || h < 1 {
		return
	}
	c.frame.begin(w, h, c.th.text)
	c.draw(canvas{&c.frame, 0, 0, w, h, c.th})
	c.frame.show(screen, x, y)
}

func (c *chooser) draw(on canvas) {
	th := on.th
	if on.h >= 4 {
		at := on.text(0, 0, th.accent, " fathom")
		on.short(at+2, 0, on.w-at-3, th.strong, "choose an image")
		on = on.sub(0, 1, on.w, on.h-1)
	}
	if on.h >= 2 {
		c.drawFoot(on.sub(0, on.h-1, on.w, 1))
		on = on.sub(0, 0, on.w, on.h-1)
	}
	if on.h >= 2 {
		c.drawRule(on)
		on = on.sub(0, 1, on.w, on.h-1)
	}
	if c.keys != nil {
		c.keys.draw(on)
		return
	}
	on = c.drawNotes(on)
	cols := fitOffer(on.w)
	if on.h >= 6 {
		cols.head(on)
		on = on.sub(0, 1, on.w, on.h-1)
	}
	c.body = on
	c.fit(len(c.rows), on.h)
	if len(c.rows) == 0 {
		on.short(1, 0, on.w-2, th.dim, "no image is called that (esc shows all)")
	}
	for y := 0; y < on.h && c.top+y < len(c.rows); y++ {
		c.drawOffer(on, y, c.rows[c.top+y], cols, onLine(on, y, c.top+y == c.at, true))
	}
}

// drawNotes draws below the rows who is still asked, and what engines said
// besides images: whole where there is room, else a line each. It returns what
// is left for the rows.
func (c *chooser) drawNotes(on canvas) canvas {
	var notes []span
	if len(c.silent) > 0 {
		notes = append(notes, span{"asking " + safe(strings.Join(c.silent, ", ")) + on.th.glyph.ellipsis, on.th.dim})
	}
	for _, n := range c.notes {
		notes = append(notes, span{safe(n), on.th.alarm})
	}
	rows := len(c.rows) + 2 // their title, and a blank line
	room := max(on.h-rows, on.h/4, min(on.h/2, 1))
	p := page{th: on.th, w: on.w}
	for _, n := range notes {
		p.wrap(0, n.text, n.style)
	}
	if len(p.lines) <= room {
		notes = notes[:0]
		for _, l := range p.lines {
			notes = append(notes, l.spans[1]) // behind the margin
		}
	}
	notes = notes[:min(len(notes), room)]
	from := min(rows, on.h-len(notes))
	for y, n := range notes {
		on.short(1, from+y, on.w-2, n.style, n.text)
	}
	return on.sub(0, 0, on.w, from)
}

func (c *chooser) drawRule(on canvas) {
	th := on.th
	on.fill(0, 0, on.w, th.accent, th.glyph.heavy)
	name, note := " Images ", c.count()
	if c.keys != nil {
		name, note = " Keys ", ""
	}
	x := on.text(1, 0, th.accent, name)
	if note != "" && x+width(note)+4 <= on.w {
		on.right(on.w-1, 0, th.dim, " "+note+" ")
	}
}

// offerColumns are the widths of what stands behind the name; 0 leaves one out.
type offerColumns struct{ name, engine, size, age int }

// fitOffer chooses columns. Each comes only where it leaves enough for the name.
func fitOffer(w int) offerColumns {
	var cols offerColumns
	left := w - 2
	take := func(col *int, need, name int) {
		if left >= need+name {
			*col = need
			left -= need
		}
	}
	take(&cols.size, 10, 16)
	take(&cols.age, 17, 20)
	take(&cols.engine, 12, 24)
	cols.name = min(left, 100)
	return cols
}

func (cols offerColumns) head(on canvas) {
	st := on.th.dim
	on.text(1, 0, st, "image")
	x := 1 + cols.name
	if cols.engine > 0 {
		on.text(x+2, 0, st, "engine")
		x += cols.engine
	}
	if cols.size > 0 {
		on.right(x+cols.size, 0, st, "size")
		x += cols.size
	}
	if cols.age > 0 {
		on.text(x+3, 0, st, "created")
	}
}

func (c *chooser) drawOffer(on canvas, y int, o *offer, cols offerColumns, lit func(tcell.Style) tcell.Style) {
	th := on.th
	if o.Demo {
		x := on.text(1, y, lit(th.text), o.name)
		on.short(x+2, y, on.w-x-3, lit(th.dim), "a small image that is built into fathom")
		return
	}
	end := on.tail(1, y, cols.name, lit(th.text), o.name)
	if o.Name == "" {
		on.short(end+1, y, cols.name-(end-1)-1, lit(th.dim), "(no name)")
	}
	if end-1 == width(o.name) {
		c.markFound(on, y, o, lit)
	}
	x := 1 + cols.name
	if cols.engine > 0 {
		on.short(x+2, y, cols.engine-2, lit(th.dim), safe(o.Engine))
		x += cols.engine
	}
	if cols.size > 0 {
		if o.Size > 0 {
			on.right(x+cols.size, y, lit(th.text), report.Size(o.Size))
		}
		x += cols.size
	}
	if cols.age > 0 {
		on.short(x+3, y, cols.age-3, lit(th.dim), age(o.Created, c.now()))
	}
}

// markFound marks what the filter finds in a name.
func (c *chooser) markFound(on canvas, y int, o *offer, lit func(tcell.Style) tcell.Style) {
	low := strings.ToLower(o.name)
	if len(low) != len(o.name) {
		return
	}
	for _, w := range strings.Fields(strings.ToLower(c.text)) {
		if i := strings.Index(low, w); i >= 0 {
			on.text(1+width(o.name[:i]), y, lit(on.th.found), o.name[i:i+len(w)])
		}
	}
}

// drawFoot draws the filter, or what would open the image, and the keys.
func (c *chooser) drawFoot(on canvas) {
	th := on.th
	if c.note != "" {
		on.short(1, 0, on.w-2, th.strong, c.note)
		return
	}
	x := on.w - 1
	for _, k := range slices.Backward(c.hints()) {
		if at := x - hintWidth(k); at > on.w/3 {
			x = at
			on.text(on.text(x+2, 0, th.accent, k.first()), 0, th.dim, " "+k.hint)
		}
	}
	switch {
	case c.typing:
		at := on.text(1, 0, th.accent, "/")
		note := fmt.Sprintf("  %d of %d", len(c.rows), len(c.all))
		if x-at-width(note) < 10 {
			note = ""
		}
		at = on.tail(at, 0, max(x-at-width(note)-1, 1), th.strong, safe(c.text))
		on.g.cursorX, on.g.cursorY = on.x+min(at, on.w-1), on.y
		on.text(at+1, 0, th.dim, note)
	case c.keys == nil:
		if o, ok := c.current(); ok && !o.Demo {
			on.short(1, 0, x-1, th.dim, safe("fathom "+o.Ref))
		} else if ok {
			on.short(1, 0, x-1, th.dim, "fathom demo")
		}
	}
}

// hints are the keys that the bottom line names.
func (c *chooser) hints() []binding {
	if c.keys != nil {
		return []binding{{keys: "esc", hint: "close"}}
	}
	var hints []binding
	for _, k := range chooserKeys() {
		if k.hint != "" && (!c.typing || k.first() == "enter" && c.frame.w >= 40) {
			hints = append(hints, k.binding)
		}
	}
	return hints
}

// age is how long ago something was, in words.
func age(then, now time.Time) string {
	if then.IsZero() {
		return ""
	}
	d := now.Sub(then)
	ago := func(n int, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return fmt.Sprintf("%d %s ago", n, unit)
	}
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
