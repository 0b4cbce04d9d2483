package ui

import "fathom/ui/screen"

// split is how the panes share the screen. A fraction of 0 leaves it to the layout.
type split struct {
	Left float64 // of the width, for the layers and their details
	Top  float64 // of the height, for the layers, or for what is above the tabs
}

// cut is where the panes of a frame meet, in cells.
type cut struct {
	w, h int
	left int // width of the layers and the details; 0 if nothing is beside them
	top  int // height of the upper pane; 0 if one pane fills the screen
}

// The smallest screen whose tabs have a pane above them, without the title and the
// bottom line.
const (
	stackedWidth  = 40
	stackedHeight = 16
)

// cut returns where the panes meet on w x h cells.
func (u *ui) cut(w, h int) cut {
	k := cut{w: w, h: h}
	switch {
	case u.zoomed:
		return k
	case w >= narrow:
		k.left = share(u.split.Left, w, min(max(w*2/5, 44), 76), 20, w-30)
		k.top = share(u.split.Top, h, min(max(u.first.rowCount()+3, 6), max(h*11/20, 3)), 3, h-3)
	case w >= stackedWidth && h >= stackedHeight && u.upper == layersPane:
		k.top = share(u.split.Top, h, min(max(u.first.rowCount()+2, 5), h*2/5), 3, h-5)
	case w >= stackedWidth && h >= stackedHeight:
		k.top = share(u.split.Top, h, h/2, 3, h-5)
	}
	return k
}

// fraction returns which part of all cells n is: not 0, which a split does not have.
func fraction(n, all int) float64 { return max(min(float64(n)/float64(all), 1), 0.01) }

// share returns a fraction of n cells, between least and most; usual if it is 0.
func share(fraction float64, n, usual, least, most int) int {
	if fraction == 0 {
		return usual
	}
	return max(min(int(fraction*float64(n)+0.5), most), least)
}

// drawPanes draws the panes and the border between them: all of them, or as many as
// there is room for.
func (u *ui) drawPanes(c screen.Canvas) {
	k := u.cut(c.W, c.H)
	u.last = k
	setTop := func(_, y int) { u.setTop(fraction(y-c.Y, c.H)) }
	switch {
	case k.left > 0:
		u.drawPane(c.Sub(0, 0, k.left, k.top), layersPane, nil, layersPane)
		u.drawPane(c.Sub(0, k.top, k.left, c.H-k.top), detailPane, setTop, detailPane)
		for y := 0; y < c.H; y++ {
			wall := c.Theme.Glyph.Wall
			switch y {
			case 0:
				wall = c.Theme.Glyph.Tee
			case k.top:
				wall = c.Theme.Glyph.Side
			}
			c.Text(k.left, y, c.Theme.Dim, wall)
		}
		u.spots = append(u.spots, spot{
			area: c.Sub(k.left, 0, 1, c.H), of: u.right(), click: func(int, int, bool) {},
			drag: func(x, _ int) { u.setLeft(fraction(x-c.X, c.W)) },
		})
		u.drawPane(c.Sub(k.left+1, 0, c.W-k.left-1, c.H), rightPane, nil, rightPane)
	case k.top > 0:
		u.drawPane(c.Sub(0, 0, c.W, k.top), u.upper, nil, layersPane, detailPane)
		u.drawPane(c.Sub(0, k.top, c.W, c.H-k.top), rightPane, setTop, rightPane)
	default:
		u.drawPane(c, u.focus, nil, layersPane, detailPane, rightPane)
	}
}

// resize moves the borders between the panes by so many columns and lines.
func (u *ui) resize(columns, lines int) {
	k := u.last
	switch {
	case k.top == 0:
		u.note = "there is room for one pane only"
		if u.zoomed {
			u.note = keyOf(u.keys, "zoom") + " shows the other panes"
		}
	case columns != 0 && k.left == 0:
		u.note = "there are no panes side by side"
	case columns != 0:
		u.setLeft(fraction(k.left+columns, k.w))
	default:
		u.setTop(fraction(k.top+lines, k.h))
	}
}

// zoom lets the pane with the focus fill the screen, or shows the others again.
func (u *ui) zoom() {
	if !u.zoomed && u.last.top == 0 {
		u.note = "there is room for one pane only"
		return
	}
	u.zoomed = !u.zoomed
}

func (u *ui) setLeft(f float64) { u.split.Left, u.choices.Left = f, percent(f) }
func (u *ui) setTop(f float64)  { u.split.Top, u.choices.Top = f, percent(f) }

// percent returns a fraction as the choice that is remembered.
func percent(f float64) int { return min(max(int(f*100+0.5), 10), 90) }
