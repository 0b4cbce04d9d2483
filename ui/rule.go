package ui

import (
	"slices"
	"strconv"
	"strings"

	"fathom/ui/screen"
)

// label is a name in the line above a pane: of a pane or of a tab.
type label struct {
	key, name string
	shown     bool // what it names is below the line
	choose    func()
}

// naming says how the labels of a line are written.
type naming uint8

const (
	allNamed   naming = iota
	shownNamed        // the other labels are their keys
	tight             // and nothing is between them
	alone             // there are no other labels
)

// text returns the label; "" if it is left out.
func (l *label) text(n naming) string {
	switch {
	case l.shown && n != alone:
		return "[" + l.key + " " + l.name + "]"
	case l.shown || n == allNamed:
		return " " + l.key + " " + l.name + " "
	case n == shownNamed:
		return " " + l.key + " "
	case n == tight:
		return l.key
	}
	return ""
}

// labels returns the labels of the line above a pane, for the named panes; the tabs
// stand for the right one.
func (u *ui) labels(pane int, named []int) []label {
	var all []label
	for i := range rightPane {
		if slices.Contains(named, i) {
			all = append(all, label{strconv.Itoa(i + 1), u.pane(i).Title(), i == pane, func() { u.setFocus(i) }})
		}
	}
	if slices.Contains(named, rightPane) {
		for i, t := range u.tabs {
			all = append(all, label{u.tabKey(i), t.Title(), pane == rightPane && i == u.tab, func() { u.tabTo(i) }})
		}
	}
	return all
}

// tabKey returns the key that goes to a tab.
func (u *ui) tabKey(i int) string {
	switch u.tabs[i].(type) {
	case *waste:
		return keyOf(u.keys, "waste")
	case *findings:
		return keyOf(u.keys, "findings")
	case *packageList, *packageChanges:
		return keyOf(u.keys, "packages")
	case *dockerfile:
		return keyOf(u.keys, "dockerfile")
	}
	return keyOf(u.keys, "files")
}

// drawRule draws the line above a pane, with the names of panes, or of the tabs of the
// right one. What fitRule has no room for is left out.
func (u *ui) drawRule(c screen.Canvas, pane int, drag func(x, y int), named []int) {
	th := c.Theme
	glyph, st := th.Glyph.Rule, th.Dim
	if pane == u.focus {
		glyph, st = th.Glyph.Heavy, th.Accent
	}
	c.Fill(0, 0, c.W, st, glyph)
	u.spots = append(u.spots, spot{area: c, of: u.pane(pane), drag: drag, click: func(_, _ int, twice bool) {
		u.setFocus(pane)
		if twice {
			u.zoom()
		}
	}})
	labels := u.labels(pane, named)
	note, says := u.pane(pane).Note(), u.pane(pane).Extent().Says
	short := strings.TrimSpace(note[strings.LastIndexByte(note, ',')+1:]) // at least how it is grouped, or which layer it is
	if _, sum, ok := strings.Cut(note, ": "); ok {                        // of what matches
		short = sum
	}
	for _, words := range []string{"changed by ", "stored by ", "everything "} {
		short = strings.TrimPrefix(short, words)
	}
	how := alone
	if len(labels) > 1 {
		how, note, says = fitRule(labels, c.W, u.pane(pane).place() == inFiles, note, short, says)
	}
	x := 1
	if how == tight {
		x = 0
	}
	for i := range labels {
		l, st := &labels[i], th.Dim
		if l.shown {
			st = th.Strong
			if pane == u.focus {
				st = th.Accent
			}
		}
		from := x
		x = c.Text(x, 0, st, l.text(how))
		u.spots = append(u.spots, spot{area: c.Sub(from, 0, x-from, 1), of: u.pane(pane), click: func(_, _ int, twice bool) {
			l.choose()
			if twice && l.shown {
				u.zoom()
			}
		}})
		if how < tight {
			x++
		}
	}
	end := c.W - 1
	if how == tight {
		end++
	}
	for _, text := range []string{says, note} {
		if text == "" {
			continue
		}
		text = " " + text
		if how != tight {
			text += " "
		}
		if w := screen.Width(text); w <= end-x {
			c.Right(end, 0, th.Dim, text)
			end -= w + 1
		}
	}
}

// fitRule chooses what a line of w cells has room for. Names are more important than the
// note, unless that says which layer is shown.
func fitRule(labels []label, w int, layer bool, note, short, says string) (naming, string, string) {
	type rule struct {
		how        naming
		note, says string
	}
	tries := []rule{{allNamed, note, says}, {allNamed, short, says}}
	if !layer {
		tries = append(tries, rule{allNamed, "", says})
	}
	tries = append(tries, rule{shownNamed, note, says}, rule{shownNamed, short, says},
		rule{allNamed, "", says}, rule{shownNamed, "", says}, rule{tight, "", says}, rule{tight, "", ""})
	for _, try := range tries {
		need := 0
		for i := range labels {
			need += screen.Width(labels[i].text(try.how))
			if try.how < tight {
				need++
			}
		}
		for _, text := range []string{try.note, try.says} {
			if text != "" {
				need += screen.Width(text) + 1
				if try.how < tight {
					need += 2
				}
			}
		}
		if try.how < tight {
			need++
		}
		if need <= w {
			return try.how, try.note, try.says
		}
	}
	return alone, "", says
}
