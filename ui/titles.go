package ui

import "fathom/ui/screen"

// title is the title of a column.
type title struct {
	col  screen.Column
	name string
	by   int // the order that a click chooses; -1 for a column that is none
}

// titles are the titles of a list's columns in the last frame.
type titles []title

// drawTitles draws the titles of a list's columns, with an arrow at the sorted one.
func drawTitles(c screen.Canvas, p sortable, all ...title) titles {
	by, reverse := p.sorted()
	for _, t := range all {
		st := c.Theme.Dim
		if t.by == by {
			st = c.Theme.Strong
			sign := arrow(c.Theme, reverse != p.orders()[by].ascending)
			if t.col.Right {
				t.name = sign + " " + t.name
			} else {
				t.name += " " + sign
			}
		}
		c.Cell(t.col, 0, st, t.name)
	}
	return all
}

// click sorts by the column whose title is at x, and again reverses. It reports whether
// there is a title.
func (ts titles) click(u *ui, p sortable, x, y int) bool {
	for _, t := range ts {
		if y == 0 && t.by >= 0 && x >= t.col.X && x < t.col.X+t.col.W {
			u.sortTo(p, t.by)
			return true
		}
	}
	return false
}
