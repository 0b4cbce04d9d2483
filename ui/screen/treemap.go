package screen

import (
	"math"

	"github.com/gdamore/tcell/v2"
)

// Tile is a rectangle of a map. Its frame takes the cells from X, Y to X+W, Y+H
// inclusive: neighbours share the line between them.
type Tile struct{ X, Y, W, H int }

// A narrower tile has no room for a part of a name.
const leastWidth = 3

// Treemap divides a frame of w by h cells into tiles, whose areas are proportional to
// sizes. The sizes are sorted, the largest first; rest is the sum of what they leave
// out, 0 if that is nothing. The tiles cover the frame and don't overlap: one for each
// of the first sizes and, if there is more, a last one for everything else. If the
// share of the last one is too small to be drawn, it is larger than its share.
func Treemap(w, h int, sizes []int64, rest int64) (tiles []Tile, shown int) {
	w, h = w-1, h-1 // the last line and the last column only close the frame
	if w < leastWidth || h < 1 {
		return nil, 0
	}
	all := float64(rest)
	for _, s := range sizes {
		all += float64(s)
	}
	cell := max(all, 1) / float64(w*h)
	for shown < len(sizes) && sizes[shown] > 0 && float64(sizes[shown]) >= cell {
		shown++
	}
	for least := leastWidth; ; {
		weights, left := make([]float64, 0, shown+1), all
		for _, s := range sizes[:shown] {
			weights = append(weights, float64(s))
			left -= float64(s)
		}
		if shown < len(sizes) || rest > 0 {
			weights = append(weights, max(left, float64(least)*cell))
		}
		tiles = squarify(w, h, weights)
		fit := len(tiles)
		for i, t := range tiles {
			if t.W < leastWidth || t.H < 1 {
				fit = i
				break
			}
		}
		if fit == len(tiles) {
			return tiles, shown
		}
		if fit == shown && least < min(leastWidth*h, w) { // that is room enough along either side
			least += leastWidth
		} else {
			shown = min(fit, shown-1)
		}
	}
}

// squarify divides a rectangle into tiles that are as square as possible on a screen,
// where a cell is twice as high as wide: the algorithm of Bruls, Huizing and van Wijk.
// Every tile has the cells whose centres are in its exact area.
func squarify(w, h int, weights []float64) []Tile {
	sum := 0.0
	for _, v := range weights {
		sum += v
	}
	const high = 2 // the height of a cell
	scale := float64(w) * float64(h) * high / sum
	x, y, right, bottom := 0.0, 0.0, float64(w), float64(h)*high
	tiles := make([]Tile, 0, len(weights))
	cells := func(from, to float64, cell, all int) (int, int) {
		a := int(math.Round(from / float64(cell)))
		b := int(math.Round(to / float64(cell)))
		return min(a, all), min(b, all) - min(a, all)
	}
	add := func(x0, y0, x1, y1 float64) {
		var t Tile
		t.X, t.W = cells(x0, x1, 1, w)
		t.Y, t.H = cells(y0, y1, high, h)
		tiles = append(tiles, t)
	}
	for i := 0; i < len(weights); {
		side := min(right-x, bottom-y)
		n, area, worst := 0, 0.0, math.Inf(1)
		for i+n < len(weights) {
			a := weights[i+n] * scale
			ratio := worstRatio(side, area+a, weights[i]*scale, a)
			if n > 0 && i+n+1 == len(weights) { // the last one may be the largest
				ratio = max(ratio, worstRatio(side, area+a, a, weights[i+n-1]*scale))
			}
			if n > 0 && ratio > worst {
				break
			}
			n, area, worst = n+1, area+a, ratio
		}
		row := weights[i : i+n]
		i += n
		across := right-x > bottom-y // the row is a column at the left
		end := x + area/(bottom-y)
		if !across {
			end = y + area/(right-x)
		}
		if i == len(weights) { // nothing is lost to rounding
			end = right
			if !across {
				end = bottom
			}
		}
		at, part := y, 0.0
		if !across {
			at = x
		}
		from := at
		for k, v := range row {
			part += v * scale
			to := from + part/area*side
			if k == len(row)-1 {
				to = bottom
				if !across {
					to = right
				}
			}
			if across {
				add(x, at, end, to)
			} else {
				add(at, y, to, end)
			}
			at = to
		}
		if across {
			x = end
		} else {
			y = end
		}
	}
	return tiles
}

// worstRatio returns the ratio of the sides of the least square area in a row that lies
// along a side.
func worstRatio(side, row, largest, smallest float64) float64 {
	return max(side*side*largest/(row*row), row*row/(side*side*smallest))
}

// TileAt returns the tile whose inside, upper line or left line has the cell; -1 if
// there is none.
func TileAt(tiles []Tile, x, y int) int {
	for i, t := range tiles {
		if x >= t.X && x < t.X+t.W && y >= t.Y && y < t.Y+t.H {
			return i
		}
	}
	return -1
}

// The lines that meet in a cell of a frame.
const (
	lineUp = 1 << iota
	lineDown
	lineRight
	lineLeft
)

// Frames draws the frames of tiles, and that of the tile at with the style on top.
func (c Canvas) Frames(tiles []Tile, at int, st, on tcell.Style) {
	lines := make([]uint8, c.W*c.H)
	each := func(t Tile, cell func(i int, lines uint8)) {
		for x := t.X; x <= t.X+t.W; x++ {
			bits := uint8(lineLeft | lineRight)
			switch x {
			case t.X:
				bits = lineRight
			case t.X + t.W:
				bits = lineLeft
			}
			cell(t.Y*c.W+x, bits)
			cell((t.Y+t.H)*c.W+x, bits)
		}
		for y := t.Y; y <= t.Y+t.H; y++ {
			bits := uint8(lineUp | lineDown)
			switch y {
			case t.Y:
				bits = lineDown
			case t.Y + t.H:
				bits = lineUp
			}
			cell(y*c.W+t.X, bits)
			cell(y*c.W+t.X+t.W, bits)
		}
	}
	for _, t := range tiles {
		each(t, func(i int, bits uint8) { lines[i] |= bits })
	}
	draw := func(i int, st tcell.Style) { c.Text(i%c.W, i/c.W, st, c.Theme.Glyph.lines[lines[i]]) }
	for i, bits := range lines {
		if bits != 0 {
			draw(i, st)
		}
	}
	if at >= 0 && at < len(tiles) {
		each(tiles[at], func(i int, _ uint8) { draw(i, on) })
	}
}
