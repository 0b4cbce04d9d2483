package ui

import (
	"strings"

	"github.com/gdamore/tcell/v2"
)

// prompt asks for a line of text at the bottom of the screen.
type prompt struct {
	label   string
	text    string
	note    func() (text string, alarm bool) // stands behind the text
	changed func(text string)                // may be nil
	done    func(text string, ok bool)       // ok is false when a person thought better of it
}

// ask opens a prompt.
func (u *ui) ask(p *prompt) { u.prompt = p }

// promptKey is a key while a prompt is open.
func (u *ui) promptKey(ev *tcell.EventKey, name string) {
	p := u.prompt
	switch name {
	case "enter":
		u.prompt = nil
		p.done(p.text, true)
		return
	case "esc":
		u.prompt = nil
		p.done(p.text, false)
		return
	case "backspace":
		if p.text == "" {
			u.prompt = nil
			p.done("", false)
			return
		}
		p.put(withoutLast(p.text))
	case "ctrl-u":
		p.put("")
	default:
		if ev.Key() == tcell.KeyRune {
			p.put(p.text + string(ev.Rune()))
		}
	}
}

func (p *prompt) put(text string) {
	p.text = text
	if p.changed != nil {
		p.changed(text)
	}
}

// paste puts text into the prompt.
func (p *prompt) paste(text string) {
	add := ""
	for _, r := range text {
		if r >= ' ' {
			add += string(r)
		}
	}
	p.put(p.text + add)
}

// drawAsk draws the prompt over the bottom line.
func (u *ui) drawAsk(c canvas) {
	p := u.prompt
	label := p.label
	if c.w-width(label) < 14 { // its last word must do
		label = label[strings.LastIndexByte(strings.TrimSpace(label), ' ')+1:]
	}
	x := c.text(1, 0, c.th.accent, label)
	note, alarm := p.note()
	st := c.th.dim
	if alarm {
		st = c.th.alarm
	}
	room := c.w - x - 2
	tail := "  " + note
	if width(tail)+12 > room {
		tail = ""
	}
	x = c.tail(x, 0, max(room-width(tail), 4), c.th.strong, safe(p.text))
	c.g.cursorX, c.g.cursorY = c.x+min(x, c.w-1), c.y
	c.text(x+1, 0, st, tail)
}

// openFind asks what to look for in the file.
func (u *ui) openFind() {
	v, ok := u.top().(*viewer)
	if !ok || v.busy {
		return
	}
	old, top, left := v.find.text, v.top, v.left
	v.find.from = v.top
	u.look(v, "")
	u.ask(&prompt{
		label: "/",
		note: func() (string, bool) {
			f := &v.find
			if f.text == "" {
				return "text, or ~ and a regular expression", false
			}
			return f.status(), f.bad != "" || f.done && len(f.hits) == 0
		},
		changed: func(text string) {
			v.top, v.left = top, left
			u.look(v, text)
		},
		done: func(text string, ok bool) {
			if !ok {
				v.top, v.left = top, left
				u.look(v, old)
				v.find.moved = true
			}
		},
	})
}

// again in the viewer goes to the next hit or the one before.
func (u *ui) againInFile(forward bool) {
	v, ok := u.top().(*viewer)
	switch {
	case !ok || v.busy:
	case v.find.text == "":
		u.note = "look for something first (/)"
	case len(v.find.hits) == 0:
		u.note = v.find.status() + ": " + safe(v.find.text)
	default:
		v.nextHit(forward)
	}
}
