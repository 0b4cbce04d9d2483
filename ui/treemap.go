package ui

import (
	"fmt"
	"slices"
	"strconv"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// treemap is an overlay that shows the rows of a folder as areas.
type treemap struct {
	none
	u     *ui
	of    mapped
	moved bool // the cursor of the pane is moved when the map is closed
	now   mapView
	back  []mapView // where the key that goes up returns to

	// The last frame.
	tiles []screen.Tile // of the areas from now.skip on; one after the shown ones is the rest
	shown int
	rest  int64 // the bytes of the rest
	w, h  int
	aim   [2]int      // the column and the line that moves keep
	rows  screen.List // the areas where there is no room for a map
	flat  bool        // the rows are drawn
}

// mapView is what a map shows of a folder.
type mapView struct {
	dir     filetree.Node
	areas   outline.Areas
	skip    int           // the areas left out, which had room in the map of all of them
	skipped int64         // their bytes
	at      int           // the index of the selected area, or of the first one of the rest
	on      filetree.Node // the same as a node; None for the rest of a saved report
}

// openMap shows the folder under the cursor as a map.
func (u *ui) openMap() {
	_, inTree := u.on().(mapped)
	u.show(0)
	of, ok := u.right().(mapped)
	if !ok {
		return
	}
	m := &treemap{u: u, of: of, now: mapView{on: filetree.None}}
	if inTree {
		m.now.dir, m.now.on = of.start()
	}
	m.load()
	u.push(m)
}

func (m *treemap) place() place { return inMap }
func (m *treemap) Note() string { return m.of.Note() }

// Title returns the path of the folder and its bytes.
func (m *treemap) Title() string {
	size, gone := m.of.weight(m.now.dir)
	return safe(m.of.pathOf(m.now.dir)) + "  " + report.Size(size+gone)
}

func (m *treemap) Status() (where, state string) {
	n, bytes, ok := m.selected()
	switch {
	case ok:
		where = safe(m.of.pathOf(m.of.area(n).node))
	case len(m.tiles) > 0:
		where = m.restName()
	default:
		return "", ""
	}
	if all := m.now.areas.All; all > 0 {
		where += "  " + report.Percent(float64(bytes)/float64(all))
	}
	return where, ""
}

// selected returns the selected area; false if that is the rest.
func (m *treemap) selected() (n filetree.Node, bytes int64, ok bool) {
	if m.now.at >= len(m.now.areas.Tops) || !m.flat && m.now.at >= m.now.skip+m.shown {
		return filetree.None, m.rest, false
	}
	n = m.now.areas.Tops[m.now.at]
	size, gone := m.of.weight(n)
	return n, size + gone, true
}

// restName says how many areas have no tile.
func (m *treemap) restName() string {
	if n := len(m.now.areas.Tops) - m.now.skip - m.shown; n > 0 {
		return strconv.Itoa(n) + " more"
	}
	return "the rest" // of a saved report, which lists the largest folders
}

func (m *treemap) target() (target, bool) {
	if n, _, ok := m.selected(); ok {
		return m.of.at(m.of.area(n).node)
	}
	return target{}, false
}

func (m *treemap) copies() string {
	if n, _, ok := m.selected(); ok {
		return m.of.pathOf(m.of.area(n).node)
	}
	return ""
}

// shut puts the cursor of the pane on the selected area, if it was moved.
func (m *treemap) shut() bool {
	if n := m.now.on; m.moved && n != filetree.None {
		m.u.leave()
		m.of.reach(n)
	}
	return true
}

// load takes over the areas of the folder where they have changed, or another folder is
// shown.
func (m *treemap) load() {
	a, old := m.of.areas(m.now.dir), m.now.areas
	same := len(a.Tops) == len(old.Tops) && a.All == old.All && a.Busy == old.Busy
	if same && (len(a.Tops) == 0 || &a.Tops[0] == &old.Tops[0]) {
		return
	}
	m.now.areas, m.now.skip, m.now.skipped, m.tiles = a, 0, 0, nil
	m.now.at = max(slices.Index(a.Tops, m.now.on), 0)
	if m.now.at < len(a.Tops) {
		m.now.on = a.Tops[m.now.at]
	}
	m.listed()
}

// listed makes the list agree with the areas.
func (m *treemap) listed() {
	m.rows.At = m.now.at
	m.rows.Fit(len(m.now.areas.Tops), m.rows.H)
}

// goTo shows another map.
func (m *treemap) goTo(v mapView) {
	m.now, m.tiles, m.moved = v, nil, true
	m.load()
	m.listed()
}

// choose selects an area, or the rest.
func (m *treemap) choose(i int) {
	m.now.at, m.now.on, m.moved = i, filetree.None, true
	if i < len(m.now.areas.Tops) {
		m.now.on = m.now.areas.Tops[i]
	}
}

// enter goes into a folder, views a file, or shows the rest as a map of its own.
func (m *treemap) enter() {
	n, _, ok := m.selected()
	switch {
	case ok && m.of.area(n).dir:
		m.back = append(m.back, m.now)
		m.goTo(mapView{dir: m.of.area(n).node, on: filetree.None})
	case ok:
		m.view()
	case len(m.tiles) == 0:
	case m.now.at >= len(m.now.areas.Tops):
		m.u.note = "the report lists the largest folders only"
	case m.shown == 0:
		m.u.note = "too many for a map: the list shows them"
		m.moved = true
		m.u.closeOver()
	default:
		m.back = append(m.back, m.now)
		m.now.skipped += m.now.areas.All - m.now.skipped - m.rest
		m.now.skip += m.shown
		m.tiles = nil
		m.choose(m.now.skip)
	}
}

// view shows the content of the selected file.
func (m *treemap) view() {
	if why := m.u.lacks[needContent]; why != "" {
		m.u.note = why
		return
	}
	m.u.view()
}

// hint leaves out the key that goes up from the top folder.
func (m *treemap) hint(action, usual string) string {
	if action == "map-up" && len(m.back) == 0 && m.of.above(m.now.dir) == filetree.None {
		return ""
	}
	return usual
}

// up shows the folder above, or what was shown before.
func (m *treemap) up() {
	if n := len(m.back); n > 0 {
		v := m.back[n-1]
		m.back = m.back[:n-1]
		m.goTo(v)
		return
	}
	dir, on := m.of.above(m.now.dir), m.now.dir
	if dir == filetree.None {
		m.u.note = "this is the top folder"
		return
	}
	for up := m.of.above(dir); up != filetree.None && len(m.of.areas(dir).Tops) == 1; up = m.of.above(dir) {
		dir, on = up, dir // a folder in a folder is one row
	}
	m.goTo(mapView{dir: dir, on: on})
}

// tile returns the index of the selected tile; -1 if there are no tiles.
func (m *treemap) tile() int { return min(m.now.at-m.now.skip, len(m.tiles)-1) }

// step moves to the neighbour in a direction, and reports whether there is one.
func (m *treemap) step(dx, dy int) bool {
	i := m.tile()
	if m.flat || i < 0 {
		return false
	}
	t := m.tiles[i]
	if m.aim[0] < t.X || m.aim[0] >= t.X+t.W {
		m.aim[0] = t.X + t.W/2
	}
	if m.aim[1] < t.Y || m.aim[1] >= t.Y+t.H {
		m.aim[1] = t.Y + t.H/2
	}
	x, y := m.aim[0], m.aim[1]
	switch {
	case dx < 0:
		x = t.X - 1
	case dx > 0:
		x = t.X + t.W
	case dy < 0:
		y = t.Y - 1
	default:
		y = t.Y + t.H
	}
	k := screen.TileAt(m.tiles, x, y)
	if k < 0 {
		return false
	}
	m.choose(m.now.skip + k)
	return true
}

// Move moves up or down.
func (m *treemap) Move(n int) {
	if m.flat {
		m.rows.Move(n)
		m.choose(m.rows.At)
		return
	}
	m.step(0, n)
}

// Page moves to the edge, in a list by halves of the window.
func (m *treemap) Page(n int) {
	if m.flat {
		m.rows.Page(n)
		m.choose(m.rows.At)
		return
	}
	for m.step(0, n) {
	}
}

// End selects the largest area, or the last one.
func (m *treemap) End(last bool) {
	switch {
	case m.flat:
		m.rows.End(last)
		m.choose(m.rows.At)
	case len(m.tiles) == 0:
	case last:
		m.choose(m.now.skip + len(m.tiles) - 1)
	default:
		m.choose(m.now.skip)
	}
}

// Scroll goes into the selected folder, or up.
func (m *treemap) Scroll(n int) {
	if m.flat {
		m.rows.Scroll(n)
		m.choose(m.rows.At)
		return
	}
	if at, _, ok := m.selected(); n < 0 && ok && m.of.area(at).dir {
		m.enter()
	} else if n > 0 {
		m.up()
	}
}

// Jump does nothing on a map, which has no scrollbar.
func (m *treemap) Jump(y, h int) {
	if m.flat {
		m.rows.Jump(y, h)
		m.choose(m.rows.At)
	}
}

// Extent returns how many areas there are, and the size rank of the selected one.
func (m *treemap) Extent() screen.Extent {
	if m.flat {
		return m.rows.Extent()
	}
	if _, _, ok := m.selected(); !ok {
		return screen.Extent{}
	}
	return screen.Extent{Says: fmt.Sprintf("%d/%d", m.now.at+1, len(m.now.areas.Tops))}
}

func (m *treemap) click(x, y int, twice bool) {
	if m.flat {
		if !m.rows.Click(y) {
			return
		}
		m.choose(m.rows.At)
	} else {
		k := screen.TileAt(m.tiles, min(x, m.w-2), min(y, m.h-2))
		if k < 0 {
			return
		}
		m.choose(m.now.skip + k)
	}
	if twice {
		m.enter()
	}
}
