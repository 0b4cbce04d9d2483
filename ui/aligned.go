package ui

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// aligned is the pane that lists the layers of two images side by side.
type aligned struct {
	screen.List
	none
	u     *ui
	pairs []facts.LayerPair
}

func newAligned(u *ui) *aligned {
	l := &aligned{u: u, pairs: u.two.Facts.Layers}
	l.Fit(len(l.pairs), l.H)
	return l
}

func (l *aligned) place() place  { return inLayers }
func (l *aligned) Title() string { return "Layers" }
func (l *aligned) about() string { return "of the layer" }
func (l *aligned) rowCount() int { return len(l.pairs) }

// Note counts the layers that are the same.
func (l *aligned) Note() string {
	same := 0
	for _, p := range l.pairs {
		if p.State == facts.LayerSame {
			same++
		}
	}
	return strconv.Itoa(same) + " of " + strconv.Itoa(len(l.pairs)) + " the same"
}

func (l *aligned) Status() (where, state string) {
	if p, ok := l.current(); ok {
		return pairName(p) + ": " + pairState(p), ""
	}
	return "", ""
}

func (l *aligned) current() (facts.LayerPair, bool) {
	if l.At >= len(l.pairs) {
		return facts.LayerPair{Old: -1, New: -1}, false
	}
	return l.pairs[l.At], true
}

// choose puts the cursor on a layer of one of the images.
func (l *aligned) choose(side, layer int) {
	for i, p := range l.pairs {
		if [2]int{p.Old, p.New}[side] == layer {
			l.At = i
			l.Fit(l.N, l.H)
		}
	}
}

// copies returns the command of the layer under the cursor.
func (l *aligned) copies() string {
	p, ok := l.current()
	if !ok {
		return ""
	}
	return l.command(p)
}

// digest returns what names the layer under the cursor.
func (l *aligned) digest() string {
	p, ok := l.current()
	if !ok {
		return ""
	}
	x := l.layer(newSide, p.New)
	if x == nil {
		x = l.layer(oldSide, p.Old)
	}
	return cmp.Or(x.Digest, x.DiffID)
}

// layer returns a layer of an image, nil for index -1.
func (l *aligned) layer(side, i int) *facts.Layer {
	if layers := l.u.two.reports[side].Layers; i >= 0 && i < len(layers) {
		return &layers[i]
	}
	return nil
}

// command returns the command of the new layer, or of the removed one.
func (l *aligned) command(p facts.LayerPair) string {
	if p.New >= 0 {
		return layerCommand(l.u.two.reports[newSide], p.New)
	}
	return layerCommand(l.u.two.reports[oldSide], p.Old)
}

// growth returns by how much the new layer stores more than the old one.
func (l *aligned) growth(p facts.LayerPair) (n int64) {
	if x := l.layer(newSide, p.New); x != nil {
		n += x.StoredBytes
	}
	if x := l.layer(oldSide, p.Old); x != nil {
		n -= x.StoredBytes
	}
	return n
}

// pairName names the layers of a row.
func pairName(p facts.LayerPair) string {
	switch {
	case p.Old < 0:
		return "New layer " + strconv.Itoa(p.New)
	case p.New < 0:
		return "Old layer " + strconv.Itoa(p.Old)
	}
	return "Old layer " + strconv.Itoa(p.Old) + ", new layer " + strconv.Itoa(p.New)
}

// pairState says what became of a layer, and why.
func pairState(p facts.LayerPair) string {
	if len(p.Reasons) == 0 {
		return safe(p.State)
	}
	return safe(p.State + " (" + strings.Join(p.Reasons, ", ") + ")")
}

// pairMark returns the sign of what became of a layer.
func pairMark(th *screen.Theme, p facts.LayerPair) (string, tcell.Style) {
	switch p.State {
	case facts.LayerAdded:
		return markSign(th, filetree.Added)
	case facts.LayerRemoved:
		return markSign(th, filetree.Removed)
	case facts.LayerChanged:
		return markSign(th, filetree.Modified)
	case facts.LayerMoved:
		return th.Glyph.Arrow, th.Accent
	}
	return " ", th.Dim
}

// click selects a row; a double click goes to the files.
func (l *aligned) click(_, y int, twice bool) {
	if l.Click(y) && twice {
		l.u.layerFiles()
	}
}

func (l *aligned) Draw(c screen.Canvas, focused bool) {
	most := 9
	for _, p := range l.pairs {
		most = max(most, p.Old, p.New)
	}
	digits := len(strconv.Itoa(most)) + 1
	old, new := screen.Column{W: max(digits, 4), Right: true}, screen.Column{W: max(digits, 4), Right: true}
	var state screen.Column
	size, growth := screen.Column{W: 9, Right: true}, screen.Column{Right: true}
	room := screen.Room(c.W - old.W - new.W - 3)
	room.Take(&size, 9, 10)
	room.Take(&growth, 10, 12)
	room.Take(&state, 9, 20)
	x := screen.Place(2, &old, &new, &size, &growth)
	x = screen.Place(x+1, &state)
	step := screen.Column{X: x, W: c.W - x}
	c = l.Head(c, c.H >= 4, func() {
		for _, h := range []struct {
			col  screen.Column
			name string
		}{{old, "old"}, {new, "new"}, {size, "stored"}, {growth, "growth"}, {state, "state"}, {step, "step"}} {
			c.Cell(h.col, 0, c.Theme.Dim, h.name)
		}
	})
	if len(l.pairs) == 0 {
		c.Text(1, 0, c.Theme.Dim, "these images have no layers")
	}
	l.List.Draw(c, len(l.pairs), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		p, th := l.pairs[i], c.Theme
		sign, st := pairMark(th, p)
		c.Text(0, y, on(st.Bold(true)), sign)
		stored := int64(0)
		for side, at := range [2]int{p.Old, p.New} {
			if x := l.layer(side, at); x != nil {
				c.Cell([2]screen.Column{old, new}[side], y, on(th.Dim), strconv.Itoa(at))
				stored = x.StoredBytes
			}
		}
		c.Cell(size, y, on(sizeStyle(th, stored)), report.Size(stored))
		n := l.growth(p)
		c.Cell(growth, y, on(growthStyle(th, n)), growthText(n))
		c.Cell(state, y, on(st), safe(p.State))
		text := th.Text
		if p.State == facts.LayerSame {
			text = th.Dim
		}
		c.Cell(step, y, on(text), l.command(p))
	})
}

func (l *aligned) details(p *screen.Page) any {
	pair, ok := l.current()
	if !ok {
		return nil
	}
	th := p.Theme
	p.Title(pairName(pair))
	p.Blank()
	_, st := pairMark(th, pair)
	p.Field("state", safe(pair.State), st)
	p.Field("differs", safe(strings.Join(pair.Reasons, ", ")), th.Text)
	p.Blank()
	a, b := l.layer(oldSide, pair.Old), l.layer(newSide, pair.New)
	before, after := "", ""
	if a != nil {
		before = layerCommand(l.u.two.reports[oldSide], pair.Old)
	}
	if b != nil {
		after = layerCommand(l.u.two.reports[newSide], pair.New)
	}
	p.Wrap(0, cmp.Or(after, before), th.Text)
	if a != nil && b != nil && before != after {
		p.Blank()
		p.Wrap(0, "before: "+before, th.Dim)
	}
	for side, x := range []*facts.Layer{a, b} {
		if x == nil {
			continue
		}
		p.Blank()
		p.Title("In the " + sideName(side))
		p.Field("stored", report.Size(x.StoredBytes)+"  "+report.Exact(x.StoredBytes), th.Text)
		p.Field("wasted", report.Size(x.WastedBytes), wastedStyle(th, x.WastedBytes))
		if x.CompressedBytes > 0 {
			p.Field("compressed", report.Size(x.CompressedBytes), th.Text)
		}
		p.Field("created", timeText(x.Created), th.Text)
		p.Field("diff ID", safe(x.DiffID), th.Dim)
		p.Field("digest", safe(x.Digest), th.Dim)
	}
	return pair.Old<<32 | pair.New&0xffffffff
}
