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
	if u.note == "" && u.looking {
		u.drawLook(c)
		return
	}
	if u.note != "" {
		c.Short(1, 0, c.W-2, th.Strong, u.note)
		return
	}
	on := u.on()
	where, state := on.Status()
	words := c.W >= 40 // otherwise the hints are keys only
	if !words && where != "" && u.focus != layersPane {
		state = "" // the order
	}
	if in := u.search.in; u.search.text != "" && u.top() == nil && in == u.right() {
		state += "  find " + safe(u.search.text) + "  " + u.foundNote()
	}
	if state != "" {
		state = "  " + state
	}
	sign := u.filterSign(c.W * 2 / 3)
	hints := u.hints()
	// The hints that fit beside the path; the last two always do.
	least := max(c.W/4, 12)
	if !words {
		least = 6
	}
	room := c.W - 2 - min(screen.Width(where), least) - screen.Width(state) - signWidth(sign) - 2
	kept := []binding{}
	for i, b := range hints {
		need := hintWidth(b, words)
		rest := 0
		if i < len(hints)-2 {
			for _, last := range hints[len(hints)-2:] {
				rest += hintWidth(last, words)
			}
		}
		if need+rest <= room {
			kept = append(kept, b)
			room -= need
		}
	}
	x := c.W - 1
	for _, b := range kept {
		x -= hintWidth(b, words)
	}
	end := x
	for _, b := range kept {
		from, next := x+1, x+hintWidth(b, words)
		if words {
			from++
			c.Text(from+screen.Width(b.first()), 0, th.Dim, " "+b.hint)
		}
		c.Text(from, 0, th.Accent, b.first())
		u.spots = append(u.spots, spot{area: c.Sub(from, 0, next-from, 1), of: on, click: func(_, _ int, twice bool) {
			if !twice { // the second click has pressed the key already
				u.note = ""
				b.run(u)
			}
		}})
		x = next
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

// hintWidth returns the cells that a hint takes, with the space before it.
func hintWidth(b binding, words bool) int {
	if !words {
		return 1 + screen.Width(b.first())
	}
	return 2 + screen.Width(b.first()) + 1 + screen.Width(b.hint)
}

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
		if _, ok := u.right().(*waste); ok && b.action == "waste" {
			continue
		}
		if b.hint != "" && b.keys != "" && b.places&at != 0 && u.lacks[b.needs] == "" && !taken {
			if byRow {
				b.hint = row.hint(b.action, b.hint)
			}
			all = append(all, b)
		}
	}
	all = slices.DeleteFunc(all, func(b binding) bool { return b.hint == "" })
	// What most people look for comes first, then the keys that only this place has.
	rank := func(b binding) int {
		switch {
		case b.action == "find":
			return 0
		case b.action == "waste":
			return 1
		case b.places == at || b.places == inOtherLists:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(all, func(a, b binding) int { return rank(a) - rank(b) })
	closes := binding{keys: keyOf(u.keys, "close"), run: (*ui).escape}
	switch {
	case at&inPanes == 0:
		closes.hint = "close"
		all = append(all, closes)
	case u.jumps.returns:
		closes.hint = "back to " + strings.ToLower(u.tabs[u.jumps.behind[len(u.jumps.behind)-1].tab].Title())
		all = slices.Insert(all, 0, closes)
	case u.zoomed:
		all = slices.Insert(all, 0, binding{keys: keyOf(u.keys, "zoom"), hint: "all panes", run: (*ui).zoom})
	}
	return all
}
