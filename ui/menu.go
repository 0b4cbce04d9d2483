package ui

import (
	"slices"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/screen"
)

// menu is an overlay of choices. The letter of a choice takes it; enter takes the one
// under the cursor. Letters come before the keys of the key table.
type menu struct {
	screen.List
	none
	name        string
	about, says string // lines above the choices; "" for none
	choices     []choice
	stays       bool   // open after a choice, as for switches that are on or off
	closes      string // the key that opened it closes it, too; "" for none
	cancel      func() // runs when it is closed without a choice; may be nil
}

// choice is a row of a menu, and what it does.
type choice struct {
	key  string // its letter; "" for none
	name string
	do   func()
	sign screen.Span // drawn before the name
	note string      // drawn at the right edge
	on   func() bool // reports whether its box has a cross; nil for a choice without a box
}

func (m *menu) place() place           { return inMenu }
func (m *menu) Title() string          { return m.name }
func (m *menu) click(_, y int, _ bool) { m.clicked(y) }

func (m *menu) size() (w, h int) {
	w, h = max(screen.Width(m.name)+6, 30), len(m.choices)+2
	for i := range m.choices {
		w = max(w, m.width(&m.choices[i])+4)
	}
	if m.about != "" || m.says != "" {
		w, h = max(w, 60), h+3
	}
	return w, h
}

// width returns the cells that a row needs.
func (m *menu) width(ch *choice) int {
	w := 4 + screen.Width(ch.sign.Text) + screen.Width(ch.name)
	if ch.on != nil {
		w += 4
	}
	if ch.note != "" {
		w += 2 + screen.Width(ch.note)
	}
	return w
}

func (m *menu) shut() bool {
	if m.cancel != nil {
		m.cancel()
	}
	return true
}

// clicked takes the choice on a line of the last frame, if it is a switch.
func (m *menu) clicked(y int) {
	if m.Click(y) && m.stays {
		m.choices[m.At].do()
	}
}

func (m *menu) Draw(c screen.Canvas, _ bool) {
	above := 0
	if m.about != "" && c.H > len(m.choices) {
		c.Tail(1, 0, c.W-2, c.Theme.Strong, m.about)
		above = 1
	}
	if m.says != "" && c.H > len(m.choices)+2 {
		c.Short(1, 1, c.W-2, c.Theme.Text, m.says)
		above = 3
	}
	c = m.Below(c, above)
	m.List.Draw(c, len(m.choices), true, func(y, i int, on func(tcell.Style) tcell.Style) {
		ch := &m.choices[i]
		c.Text(1, y, on(c.Theme.Accent), ch.key)
		x := 4
		if ch.on != nil {
			box := "[ ] "
			if ch.on() {
				box = "[x] "
			}
			x = c.Text(x, y, on(c.Theme.Text), box)
		}
		x = c.Text(x, y, on(ch.sign.Style), ch.sign.Text)
		x = c.Text(x, y, on(c.Theme.Text), ch.name)
		if ch.note != "" && x+screen.Width(ch.note)+2 < c.W {
			c.Right(c.W-1, y, on(c.Theme.Dim), ch.note)
		}
	})
}

// choose takes a choice of the menu.
func (u *ui) choose(m *menu, i int) {
	m.At = i
	if !m.stays {
		u.drop(m)
	}
	m.choices[i].do()
}

// chosen takes the choice under the cursor.
func (u *ui) chosen() {
	if m, ok := u.top().(*menu); ok && m.At < len(m.choices) {
		u.choose(m, m.At)
	}
}

// letter takes the choice of the open menu that has the key, or closes the menu with
// the key that opened it. It returns false if no menu is open or the menu has no such key.
func (u *ui) letter(key string) bool {
	m, ok := u.top().(*menu)
	if !ok || key == "" {
		return false
	}
	if i := slices.IndexFunc(m.choices, func(ch choice) bool { return ch.key == key }); i >= 0 {
		u.choose(m, i)
		return true
	}
	if key == m.closes {
		u.closeOver()
		return true
	}
	return false
}
