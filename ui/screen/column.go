package screen

import "github.com/gdamore/tcell/v2"

// Column is a column of a table: its start, and its width including the gap after it.
// A column without a width is left out.
type Column struct {
	X, W  int
	Right bool // aligned to the right
}

// Room is the remaining width of a table.
type Room int

// Take gives a column width w, unless less than least would remain.
func (r *Room) Take(col *Column, w, least int) {
	if int(*r) >= w+least {
		col.W = w
		*r -= Room(w)
	}
}

// Place puts columns side by side, starting at x, and returns where they end.
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
