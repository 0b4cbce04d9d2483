package screen

import (
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// Prompt asks for a line of text.
type Prompt struct {
	Label string
	Text  string
	// Note returns text to show after the input, and more to show if there is room.
	Note    func() (note, more string, alarm bool)
	Changed func(text string)      // may be nil
	Extra   func(key string) bool  // handles keys that don't edit the text, and reports whether it handled this one; may be nil
	Done    func(text, key string) // key closed the prompt: enter, esc, or backspace without any text
}

// Key edits the text and reports whether the prompt is still open.
func (p *Prompt) Key(ev *tcell.EventKey) bool {
	name := KeyName(ev)
	switch {
	case p.Extra != nil && p.Extra(name):
	case name == "enter", name == "esc", name == "backspace" && p.Text == "":
		return false
	case name == "backspace":
		p.put(WithoutLast(p.Text))
	case name == "ctrl-u":
		p.put("")
	case ev.Key() == tcell.KeyRune:
		p.put(p.Text + string(ev.Rune()))
	}
	return true
}

func (p *Prompt) put(text string) {
	p.Text = text
	if p.Changed != nil {
		p.Changed(text)
	}
}

// Paste adds text, without control characters.
func (p *Prompt) Paste(text string) { p.put(p.Text + Typable(text)) }

// Typable returns text without its control characters.
func Typable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, text)
}

// Draw draws the prompt on the first line; shown is its text, made safe.
func (p *Prompt) Draw(c Canvas, shown string) {
	label := p.Label
	if c.W-Width(label) < 14 { // its last word has to do
		label = label[strings.LastIndexByte(strings.TrimSpace(label), ' ')+1:]
	}
	x := c.Text(1, 0, c.Theme.Accent, label)
	note, more, alarm := p.Note()
	st := c.Theme.Dim
	if alarm {
		st = c.Theme.Alarm
	}
	room := c.W - x - 2
	tail := "  " + note
	if Width(tail+more)+16 <= room {
		tail += more
	}
	if Width(tail)+12 > room {
		tail = ""
	}
	x = c.Tail(x, 0, max(room-Width(tail), 4), c.Theme.Strong, shown)
	c.Cursor(x)
	c.Text(x+1, 0, st, tail)
}

// WithoutLast returns s without its last character.
func WithoutLast(s string) string {
	end := 0
	for rest, state := s, -1; rest != ""; {
		end = len(s) - len(rest)
		_, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
	}
	return s[:end]
}
