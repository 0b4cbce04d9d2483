package ui

import (
	"time"

	"fathom/ui/screen"
)

// slips keeps a q that was meant for a dialog from ending the program.
type slips struct {
	pressed time.Time // when the last key was pressed
	closed  time.Time // when a dialog last closed with q or by itself
}

// slipTime is how long after a dialog has closed a q may have been meant for it.
const slipTime = time.Second / 2

// slipped reports whether the key may have been meant for a dialog that has just
// closed. The next key isn't.
func (s *slips) slipped() bool {
	since := s.pressed.Sub(s.closed)
	s.closed = time.Time{}
	return since >= 0 && since < slipTime
}

// text is an overlay of lines.
type text struct {
	screen.List
	none
	in    place
	name  string
	note  string
	write func(p *screen.Page)
	open  func(layer int)          // what enter does on a line that is about a layer
	does  func(action string) bool // reports whether an action does something on the line; nil if all do
	lines []screen.Line
	wrote int // the width that lines were made for
}

func (t *text) place() place           { return t.in }
func (t *text) Title() string          { return t.name }
func (t *text) Note() string           { return t.note }
func (t *text) copies() string         { return copyLine(t.lines, t.At) }
func (t *text) click(_, y int, _ bool) { t.Click(y) }

func (t *text) Draw(c screen.Canvas, _ bool) {
	if t.wrote != c.W {
		p := &screen.Page{Theme: c.Theme, W: c.W}
		t.write(p)
		t.lines, t.wrote = p.Lines, c.W
	}
	screen.DrawLines(c, &t.List, t.lines, true)
}

func (t *text) enter() {
	if layer := linkAt(t.lines, t.At); layer >= 0 {
		t.open(layer)
	}
}

// hint says what keys do on the line under the cursor.
func (t *text) hint(action, usual string) string {
	if t.does != nil && !t.does(action) || action == "go-to-layer" && t.layerAt() < 0 {
		return ""
	}
	return usual
}

func (t *text) layerAt() int { return linkAt(t.lines, t.At) }

// linkAt returns the layer that a line is about, or -1.
func linkAt(lines []screen.Line, i int) int {
	if i >= len(lines) {
		return -1
	}
	return lines[i].Link
}

// help returns an overlay with all keys of the key table, in two columns if there is
// room.
func help(keys []binding, two bool) *text {
	return &text{in: inHelp, List: screen.List{NoCursor: true}, name: "Keys", write: func(p *screen.Page) {
		groups := helpGroups(p.Theme, p.W, keys, two)
		if p.W >= 100 {
			groups = helpGroups(p.Theme, p.W/2, keys, two)
			p.Lines = screen.Beside(p.W/2, groups)
			return
		}
		for _, g := range groups {
			p.Lines = append(p.Lines, g...)
		}
	}}
}

// helpKeys returns a key table as titled blocks of lines, w cells wide.
func helpKeys(th *screen.Theme, w int, keys []binding) [][]screen.Line {
	var groups [][]screen.Line
	p := &screen.Page{Theme: th, W: w}
	end := func() {
		if len(p.Lines) > 0 {
			p.Blank()
			groups = append(groups, p.Lines)
			p.Lines = nil
		}
	}
	group := ""
	for i := range keys {
		b := &keys[i]
		if b.help == "" || b.keys == "" {
			continue
		}
		if b.group != group {
			end()
			group = b.group
			p.Title(group)
		}
		p.Explain(b.names(), b.help)
	}
	end()
	return groups
}

// helpGroups returns the lines of the help: the keys, and the meaning of signs.
func helpGroups(th *screen.Theme, w int, keys []binding, two bool) [][]screen.Line {
	p := &screen.Page{Theme: th, W: w}
	p.Title("Signs")
	g, add := th.Glyph, p.Explain
	if two {
		add(g.Added, "only in the new image")
		add(g.Modified, "in both, but not the same")
		add(g.Removed, "only in the old image")
		add(g.Again, "in both, with other hard links")
		add(" "+g.Modified, "in the second column: something below the folder differs; "+g.Removed+" if any of it is only in the old image")
		add(g.Full, "size in the new image")
		add(g.Light, "by how much the old image was larger")
		p.Blank()
		return append(helpKeys(th, w, keys), p.Lines)
	}
	add(g.Added, "added by this layer")
	add(g.Modified, "modified: content, mode, owner or attributes")
	add(g.Removed, "removed; its bytes are still in the image")
	add(g.Again, "listed or stored again without a change")
	add(" "+g.Modified, "in the second column: a change below the folder")
	add(g.Full, "visible bytes")
	add(g.Light, "wasted bytes: hidden by a later layer, or stored twice")
	add(g.Unsure, "a layer that is listed from its table of contents, not verified")
	p.Blank()
	return append(helpKeys(th, w, keys), p.Lines)
}
