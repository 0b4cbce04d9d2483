package ui

import (
	"slices"
	"strings"

	"fathom/ui/screen"
)

// drawStatus draws the bottom line: where the cursor is, order and filter, and the
// keys that are useful now.
func (u *ui) drawStatus(c screen.Canvas) {
	th := c.Theme
	if u.prompt != nil {
		u.prompt.Draw(c, safe)
		return
	}
	if u.note != "" {
		c.Short(1, 0, c.W-2, th.Strong, u.note)
		return
	}
	on := u.on()
	where, state := on.Status()
	if in := u.search.in; u.search.text != "" && u.top() == nil && in == u.right() {
		state += "  find " + safe(u.search.text) + "  " + u.foundNote()
	}
	if state != "" {
		state = "  " + state
	}
	sign := u.filterSign(c.W * 2 / 3)
	hints := u.hints()
	// The hints that fit beside the path; the last two always do.
	room := c.W - 2 - min(screen.Width(where), max(c.W/3, 12)) - screen.Width(state) - signWidth(sign) - 2
	kept := []binding{}
	for i, b := range hints {
		need := hintWidth(b)
		rest := 0
		if i < len(hints)-2 {
			for _, last := range hints[len(hints)-2:] {
				rest += hintWidth(last)
			}
		}
		if need+rest <= room {
			kept = append(kept, b)
			room -= need
		}
	}
	x := c.W - 1
	for _, b := range kept {
		x -= hintWidth(b)
	}
	end := x
	x += 2
	for _, b := range kept {
		x = c.Text(x, 0, th.Accent, b.first())
		x = c.Text(x, 0, th.Dim, " "+b.hint) + 2
	}
	if end <= 2 {
		return
	}
	free := max(end-signWidth(sign), 1) // for the path and the state
	at := c.Tail(1, 0, free-1-screen.Width(state), th.Text, where)
	at = c.Short(at, 0, free-at, th.Dim, state)
	if len(sign) > 0 && at > 1 {
		at += 2
	}
	for _, s := range sign {
		at = c.Short(at, 0, c.W-1-at, s.Style, s.Text)
	}
}

// filterSign says what the tabs are limited to, that in front first, and which keys show
// everything again, as far as that fits in w cells; nil if they show everything.
func (u *ui) filterSign(w int) (sign []screen.Span) {
	if u.top() != nil {
		return nil
	}
	for i := range u.tabs {
		i = (u.tab + i) % len(u.tabs)
		p, ok := u.tabs[i].(partial)
		if !ok || p.only() == "" {
			continue
		}
		what, keys := "only "+p.only(), keyOf(u.keys, "close")
		if i != u.tab {
			what, keys = p.Title()+": "+what, u.tabKey(i)+" "+keys
		}
		add := []screen.Span{{Text: what + "  ", Style: u.th.Strong}, {Text: keys, Style: u.th.Accent}, {Text: " removes  ", Style: u.th.Dim}}
		if i == u.tab && u.jumps.returns { // esc goes back
			add = []screen.Span{{Text: what + "  ", Style: u.th.Strong}}
		}
		switch {
		case signWidth(append(sign, add...)) <= w:
			sign = append(sign, add...)
		case sign == nil:
			sign = []screen.Span{{Text: what, Style: u.th.Strong}}
		}
	}
	return sign
}

// signWidth returns the cells that a sign takes, with the space before it.
func signWidth(sign []screen.Span) int {
	w := 0
	for _, s := range sign {
		w += screen.Width(s.Text)
	}
	if w > 0 {
		w += 2
	}
	return w
}

func hintWidth(b binding) int { return 2 + screen.Width(b.first()) + 1 + screen.Width(b.hint) }

// hinter is a part that says what keys do on the row under the cursor.
type hinter interface {
	hint(action, usual string) string // the label of an action; "" if it does nothing
}

// hints returns the bindings for the bottom line.
func (u *ui) hints() []binding {
	var all []binding
	at := u.on().place()
	row, byRow := u.on().(hinter)
	for _, b := range u.keys {
		taken := slices.ContainsFunc(all, func(a binding) bool { return a.first() == b.first() })
		if b.hint != "" && b.keys != "" && b.places&at != 0 && u.lacks[b.needs] == "" && !taken {
			if byRow {
				b.hint = row.hint(b.action, b.hint)
			}
			all = append(all, b)
		}
	}
	all = slices.DeleteFunc(all, func(b binding) bool { return b.hint == "" })
	// Keys that only this place has come first.
	own := func(b binding) int {
		if b.places == at || b.places == inOtherLists {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b binding) int { return own(a) - own(b) })
	if u.jumps.returns && at&inPanes != 0 {
		all = append([]binding{{keys: keyOf(u.keys, "close"), hint: "back to " + strings.ToLower(u.tabs[u.jumps.behind[len(u.jumps.behind)-1].tab].Title())}}, all...)
	}
	if at&inPanes == 0 {
		all = append(all, binding{keys: keyOf(u.keys, "close"), hint: "close"})
	}
	return all
}
