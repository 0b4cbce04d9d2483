package ui

import (
	"fmt"
	"slices"
	"strings"
)

// drawStatus draws the bottom line: where the cursor is, order and filter, and
// the keys that matter now.
func (u *ui) drawStatus(c canvas) {
	th := c.th
	if u.prompt != nil {
		u.drawAsk(c)
		return
	}
	if u.search.typing {
		u.drawPrompt(c)
		return
	}
	if u.note != "" {
		c.short(1, 0, c.w-2, th.strong, u.note)
		return
	}
	where, state := u.where()
	if state != "" {
		state = "  " + state
	}
	hints := u.hints()
	// The hints that fit beside half a line of path; the last two always do.
	room := c.w - 2 - min(width(where), max(c.w/3, 12)) - width(state) - 2
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
	x := c.w - 1
	for _, b := range kept {
		x -= hintWidth(b)
	}
	end := x
	x += 2
	for _, b := range kept {
		x = c.text(x, 0, th.accent, b.first())
		x = c.text(x, 0, th.dim, " "+b.hint) + 2
	}
	if end <= 2 {
		return
	}
	at := c.tail(1, 0, end-1-width(state), th.text, where)
	c.short(at, 0, end-at, th.dim, state)
}

func hintWidth(b binding) int { return 2 + width(b.first()) + 1 + width(b.hint) }

// hints are the bindings that have a word for the bottom line, here.
func (u *ui) hints() []binding {
	var all []binding
	at := u.place()
	for _, b := range u.keys {
		if u.refuses(&b) != "" || u.files.saved && b.action == "layer-files" {
			continue
		}
		taken := slices.ContainsFunc(all, func(a binding) bool { return a.first() == b.first() })
		if b.hint != "" && b.keys != "" && b.places&at != 0 && !taken {
			all = append(all, b)
		}
	}
	// What only this place has comes first.
	own := func(b binding) int {
		if b.places == at {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b binding) int { return own(a) - own(b) })
	if at&inPanes == 0 {
		all = append(all, binding{keys: keyOf(u.keys, "close"), hint: "close"})
	}
	return all
}

// where is what the cursor is on, and how the rows are chosen.
func (u *ui) where() (where, state string) {
	switch u.place() {
	case inFiles, inWaste:
		if n, ok := u.node(); ok {
			where = safe(u.tree.Path(n))
		} else if r, ok := u.files.below.current(); ok && !u.showWaste {
			where = safe(u.a.Report.Folders[r.folder].Path)
		}
		state = u.files.status(u.th)
		if u.showWaste {
			state = u.waste.status(u.th)
			if g, ok := u.waste.group(); ok {
				where = safe(g.name)
			}
		}
		if u.search.text != "" && u.search.waste == u.showWaste {
			state += "  /" + safe(u.search.text) + " " + u.found()
		}
	case inLayers:
		if s, ok := u.layers.current(); ok && s.layer >= 0 {
			where = layerName(s.layer, len(u.layers.rep.Layers))
			if u.layers.rep.Layers[s.layer].Unverified {
				state = "not verified"
			}
		}
	case inDetail:
		where = strings.TrimSpace("details " + u.paneNote(detailPane))
	case inViewer:
		where = u.viewer().where()
	case inHelp, inImage, inHistory, inDiff:
		if l := u.top().scroller(); l.n > l.h && l.h > 0 {
			where = fmt.Sprintf("%d%%", min((l.top+l.h)*100/l.n, 100))
		}
	}
	return where, state
}
