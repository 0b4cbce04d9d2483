package ui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// layers is the pane that lists the image's layers, bottom first, in the order of
// a Dockerfile.
type layers struct {
	screen.List
	none
	u     *ui
	rep   *facts.Report
	steps []step // the rows
	empty bool   // steps without a layer have rows, too
	max   int64  // stored bytes of the largest layer
	hides []hidden
}

// step is a row: a layer, or a step of the history without one.
type step struct {
	layer   int // -1 for an empty step
	history int // index in the report's history; -1 when it has no such step
}

func newLayers(u *ui) *layers {
	l := &layers{u: u, rep: u.rep, hides: hides(u.rep)}
	for _, lr := range l.rep.Layers {
		l.max = max(l.max, lr.StoredBytes)
	}
	l.fill()
	return l
}

func (l *layers) place() place  { return inLayers }
func (l *layers) Title() string { return "Layers" }
func (l *layers) about() string { return "of the layer" }
func (l *layers) rowCount() int { return len(l.steps) }

// Note names the base image, whose layers have a line before them.
func (l *layers) Note() string {
	b := l.rep.Base
	if b == nil {
		return ""
	}
	return l.u.th.Glyph.Wall + " base " + safe(b.Reference)
}

// ofBase reports whether a layer is the base image's.
func (l *layers) ofBase(i int) bool { return l.rep.Base != nil && i < l.rep.Base.Layers }

func (l *layers) Status() (where, state string) {
	if f, _, ok := paneOf[*findings](&l.u.layout); ok {
		state = f.says()
	}
	s, ok := l.current()
	if !ok || s.layer < 0 {
		return "", state
	}
	if l.rep.Layers[s.layer].Unverified {
		state = strings.TrimSuffix("not verified  "+state, "  ")
	}
	return layerName(s.layer, len(l.rep.Layers)), state
}

func (l *layers) copies() string {
	s, ok := l.current()
	if !ok {
		return ""
	}
	return command(l.rep, s)
}

func (l *layers) details(p *screen.Page) any {
	s, _ := l.current()
	layerPage(p, l.rep, s, l.hides)
	return s
}

// click selects a layer; a double click goes to its files.
func (l *layers) click(_, y int, twice bool) {
	if l.Click(y) && twice {
		l.u.setFocus(rightPane)
	}
}

// fill lists the rows again; the cursor stays on its layer.
func (l *layers) fill() {
	was, had := l.current()
	l.steps = l.steps[:0]
	next := 0
	add := func(to, history int) {
		for ; next < to; next++ { // layers that the history doesn't mention
			l.steps = append(l.steps, step{next, -1})
		}
		if next < len(l.rep.Layers) && history >= 0 {
			l.steps = append(l.steps, step{next, history})
			next++
		}
	}
	for i, h := range l.rep.History {
		if h.Layer >= 0 && h.Layer < len(l.rep.Layers) {
			add(h.Layer, i)
		} else if h.Layer < 0 && l.empty {
			l.steps = append(l.steps, step{-1, i})
		}
	}
	add(len(l.rep.Layers), -1)
	l.Fit(len(l.steps), l.H)
	if had {
		l.choose(was.layer)
	}
}

// current returns the row under the cursor.
func (l *layers) current() (step, bool) {
	if l.At >= len(l.steps) {
		return step{-1, -1}, false
	}
	return l.steps[l.At], true
}

// choose puts the cursor on a layer.
func (l *layers) choose(layer int) {
	for i, s := range l.steps {
		if s.layer == layer && layer >= 0 {
			l.At = i
			l.Fit(l.N, l.H)
		}
	}
}

func (l *layers) toggleEmpty() {
	l.empty = !l.empty
	l.fill()
}

// command returns the step as its author wrote it, safe to show.
func command(rep *facts.Report, s step) string {
	switch {
	case s.layer >= 0 && rep.Layers[s.layer].Command != "":
		return safe(facts.Command(rep.Layers[s.layer].Command))
	case s.history >= 0 && rep.History[s.history].Command != "":
		return safe(facts.Command(rep.History[s.history].Command))
	case s.history >= 0 && rep.History[s.history].Comment != "":
		return safe(rep.History[s.history].Comment)
	}
	return "(the image does not say)"
}

// layerCommand returns the command of a layer.
func layerCommand(rep *facts.Report, layer int) string {
	return command(rep, step{layer, slices.IndexFunc(rep.History, func(h facts.Step) bool { return h.Layer == layer })})
}

// layerColumns are the columns of a row.
type layerColumns struct{ num, stored, bar, packed, added, modified, removed, step screen.Column }

// fit chooses columns. A column is shown only if enough room is left for the
// command.
func (l *layers) fit(w int) layerColumns {
	right := screen.Column{Right: true}
	c := layerColumns{num: right, stored: right, packed: right, added: right, modified: right, removed: right}
	c.num.W, c.stored.W = len(strconv.Itoa(max(len(l.rep.Layers)-1, 9)))+2, 9
	room := screen.Room(w - c.num.W - c.stored.W)
	room.Take(&c.bar, 11, 11)
	if l.rep.Totals.CompressedBytes > 0 {
		room.Take(&c.packed, 11, 26)
	}
	var a, m, r int
	for i := range l.rep.Layers {
		lr := &l.rep.Layers[i]
		a, m, r = max(a, lr.Added), max(m, lr.Modified), max(r, lr.Removed)
	}
	digits := func(n int) int { return len(strconv.Itoa(n)) + 2 }
	var changes screen.Column
	if room.Take(&changes, digits(a)+digits(m)+digits(r)+1, 26); changes.W > 0 {
		c.added.W, c.modified.W, c.removed.W, c.step.X = digits(a), digits(m), digits(r), 1
	}
	c.step.X += screen.Place(0, &c.num, &c.stored, &c.bar, &c.packed, &c.added, &c.modified, &c.removed)
	c.step.W = w - c.step.X
	return c
}

func (l *layers) drawHead(c screen.Canvas, cols layerColumns) {
	st := c.Theme.Dim
	c.Cell(cols.num, 0, st, "#")
	c.Cell(cols.stored, 0, st, "stored")
	c.Cell(cols.bar, 0, st, c.Theme.Glyph.Light+" wasted")
	c.Cell(cols.packed, 0, st, "compressed")
	c.Cell(cols.removed, 0, st, "changes")
	c.Cell(cols.step, 0, st, "step")
}

func (l *layers) Draw(c screen.Canvas, focused bool) {
	cols := l.fit(c.W)
	c = l.Head(c, c.H >= 4, func() { l.drawHead(c, cols) })
	if len(l.steps) == 0 {
		c.Text(1, 0, c.Theme.Dim, "this image has no layers")
	}
	l.List.Draw(c, len(l.steps), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		l.drawStep(c, y, l.steps[i], cols, on)
	})
}

// drawStep draws the row of a layer, or of a step without one.
func (l *layers) drawStep(c screen.Canvas, y int, s step, cols layerColumns, on func(tcell.Style) tcell.Style) {
	th := c.Theme
	number, st := th.Glyph.Dot, th.Dim
	var lr facts.Layer
	if s.layer >= 0 {
		lr, number, st = l.rep.Layers[s.layer], strconv.Itoa(s.layer), th.Text
		if l.ofBase(s.layer) {
			st = th.Dim
			c.Text(0, y, on(th.Dim), th.Glyph.Wall)
		}
		if s.layer == l.u.sel.marked {
			c.Text(0, y, on(th.Accent), th.Glyph.Flag)
		}
		l.u.fixes.sign(c, y, stepKey(s.layer), on)
	}
	c.Cell(cols.num, y, on(th.Dim), number)
	if s.layer >= 0 {
		c.Cell(cols.stored, y, on(sizeStyle(th, lr.StoredBytes)), report.Size(lr.StoredBytes))
		if lr.Unverified {
			c.Text(cols.bar.X-1, y, on(th.Alarm), th.Glyph.Unsure)
		}
	}
	c.Bar(cols.bar.X, y, cols.bar.W-1, lr.VisibleBytes, lr.WastedBytes, l.max, on(th.Visible), on(th.Wasted))
	if lr.CompressedBytes > 0 {
		c.Cell(cols.packed, y, on(th.Dim), report.Size(lr.CompressedBytes))
	}
	for _, ch := range []struct {
		col  screen.Column
		n    int
		mark filetree.Mark
	}{{cols.added, lr.Added, filetree.Added}, {cols.modified, lr.Modified, filetree.Modified}, {cols.removed, lr.Removed, filetree.Removed}} {
		if ch.n > 0 {
			sign, st := markSign(th, ch.mark)
			c.Cell(ch.col, y, on(st), sign+strconv.Itoa(ch.n))
		}
	}
	c.Cell(cols.step, y, on(st), command(l.rep, s))
}

// sizeStyle returns the style of a size, which is dim for 0.
func sizeStyle(th *screen.Theme, n int64) tcell.Style {
	if n == 0 {
		return th.Dim
	}
	return th.Text
}

// hidden holds how many bytes of one layer another layer hides.
type hidden struct {
	stored, by int
	bytes      int64
}

// hides sums the waste by the layers that stored and hid it.
func hides(rep *facts.Report) []hidden {
	sums := map[[2]int]int64{}
	for _, w := range rep.Waste {
		sums[[2]int{w.StoredIn, w.HiddenBy}] += w.Bytes
	}
	all := make([]hidden, 0, len(sums))
	for k, n := range sums {
		all = append(all, hidden{k[0], k[1], n})
	}
	slices.SortFunc(all, func(a, b hidden) int {
		return cmp.Or(cmp.Compare(a.stored, b.stored), cmp.Compare(a.by, b.by))
	})
	return all
}

// unverified returns the number of layers that were not verified.
func unverified(rep *facts.Report) int {
	n := 0
	for i := range rep.Layers {
		if rep.Layers[i].Unverified {
			n++
		}
	}
	return n
}

func wastedStyle(th *screen.Theme, n int64) tcell.Style {
	if n == 0 {
		return th.Dim
	}
	return th.Wasted
}
