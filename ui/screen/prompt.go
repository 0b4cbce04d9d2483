package screen

import (
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
)

// Prompt asks for a line of text.
type Prompt struct {
	Input
	Label string
	// Note returns text to show after the input, and more to show if there is room.
	Note    func() (note, more string, alarm bool)
	Changed func(text string)      // may be nil
	Extra   func(key string) bool  // handles keys that don't edit the text, and reports whether it handled this one; may be nil
	Step    func(down bool)        // what up and down do to a text that was typed; nil if they go through Past
	Past    *Past                  // earlier texts; may be nil
	Done    func(text, key string) // key closed the prompt: enter, esc, or backspace without any text

	recalled int    // how many texts ago the one that is shown was entered; 0 for a text that was typed
	typed    string // the text that was typed before one was recalled
}

// Past holds texts that were entered in prompts. The zero value has none.
type Past struct{ texts []string } // the last one last

// add adds a text, or moves it to the end.
func (p *Past) add(text string) {
	const most = 100
	if strings.TrimSpace(text) == "" {
		return
	}
	p.texts = append(slices.DeleteFunc(p.texts, func(t string) bool { return t == text }), text)
	p.texts = p.texts[max(len(p.texts)-most, 0):]
}

// Key edits the text and reports whether the prompt is still open.
func (p *Prompt) Key(ev *tcell.EventKey) bool {
	name, before := KeyName(ev), p.Text
	switch {
	case p.Extra != nil && p.Extra(name):
		return true
	case name == "enter":
		if p.Past != nil {
			p.Past.add(p.Text)
		}
		return false
	case name == "esc", name == "backspace" && p.Text == "":
		return false
	case (name == "up" || name == "down") && p.Step != nil && p.Text != "" && p.recalled == 0:
		p.Step(name == "down")
	case name == "up", name == "ctrl-p":
		p.recall(p.recalled + 1)
	case name == "down", name == "ctrl-n":
		p.recall(p.recalled - 1)
	case p.Input.Key(ev) && p.Text != before:
		p.recalled = 0
		p.change()
	}
	return true
}

// recall shows the text that was entered n texts ago; 0 is the one that was typed.
func (p *Prompt) recall(n int) {
	if p.Past == nil || n < 0 || n > len(p.Past.texts) {
		return
	}
	if p.recalled == 0 {
		p.typed = p.Text
	}
	p.recalled = n
	if n == 0 {
		p.Set(p.typed)
	} else {
		p.Set(p.Past.texts[len(p.Past.texts)-n])
	}
	p.change()
}

func (p *Prompt) change() {
	if p.Changed != nil {
		p.Changed(p.Text)
	}
}

// Paste adds text at the cursor, without control characters.
func (p *Prompt) Paste(text string) {
	p.Insert(text)
	p.recalled = 0
	p.change()
}

// Draw draws the prompt on the first line. The function safe makes its text safe to show.
func (p *Prompt) Draw(c Canvas, safe func(string) string) {
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
	x = p.Input.Draw(c, x, max(room-Width(tail), 4), c.Theme.Strong, safe)
	c.Text(x+1, 0, st, tail)
}
