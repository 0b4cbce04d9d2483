package screen

import "github.com/gdamore/tcell/v2"

// Column is a column of a table: where it begins, and its width with the gap
// behind it. One without a width is left out.
type Column struct {
	X, W  int
	Right bool // aligned to the right
}

// Room is the width that a table has left.
type Room int

// Take gives a column its width, unless that leaves less than least.
func (r *Room) Take(col *Column, w, least int) {
	if int(*r) >= w+least {
		col.W = w
		*r -= Room(w)
	}
}

// Place puts columns side by side, from x on, and returns where they end.
func Place(x int, cols ...*Column) int {
	for _, col := range cols {
		col.X = x
		x += col.W
	}
	return x
}

// Cell draws s in a column of line y, as far as it fits.
func (c Canvas) Cell(col Column, y int, st tcell.Style, s string) {
	switch {
	case col.W <= 0:
	case col.Right:
		c.Right(col.X+col.W-1, y, st, s)
	default:
		c.Short(col.X, y, col.W-1, st, s)
	}
}
