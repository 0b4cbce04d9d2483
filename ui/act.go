package ui

import "fathom/ui/screen"

// move moves the cursor of the place that has the keys by n rows.
func (u *ui) move(n int) {
	switch at := u.place(); at {
	case inFiles:
		switch {
		case u.files.out != nil:
			u.files.out.Move(n)
		case u.files.below != nil:
			u.files.below.Move(n)
		}
	case inViewer:
		u.viewer().scrollBy(n)
	case inHelp, inDiff:
		u.over[len(u.over)-1].scroller().Scroll(n)
	default:
		u.rows().Move(n)
		u.moved()
	}
}

// rows is the list that has the keys; nil for the tree of files.
func (u *ui) rows() *screen.List {
	switch u.place() {
	case inLayers:
		return &u.layers.List
	case inDetail:
		return &u.detail.List
	case inWaste:
		return &u.waste.List
	case inFiles:
		if u.files.below != nil {
			return &u.files.below.List
		}
		return nil
	}
	return u.over[len(u.over)-1].scroller()
}

// moved follows a cursor that decides what another pane shows.
func (u *ui) moved() {
	if u.place() == inLayers {
		u.followLayer()
	}
}

// page moves by n halves of the window.
func (u *ui) page(n int) {
	switch u.place() {
	case inFiles:
		if u.files.out != nil {
			u.files.out.Page(n * max(u.files.h/2, 1))
		} else if l := u.rows(); l != nil {
			l.Move(n * max(l.H/2, 1))
		}
	case inViewer:
		v := u.viewer()
		v.scrollBy(n * max(v.H/2, 1))
	case inHelp, inDiff:
		l := u.rows()
		l.Scroll(n * max(l.H/2, 1))
	default:
		l := u.rows()
		l.Scroll(n * max(l.H/2, 1))
		l.Move(n * max(l.H/2, 1))
		u.moved()
	}
}

// end goes to the first row or the last one.
func (u *ui) end(last bool) {
	l := u.rows()
	switch {
	case l == nil && u.files.out == nil:
	case l == nil && last:
		u.files.out.Last()
	case l == nil:
		u.files.out.First()
	case u.place() == inViewer:
		u.viewer().scrollEnd(last)
	case u.place()&(inHelp|inDiff) != 0 && last:
		l.Scroll(l.N)
	case u.place()&(inHelp|inDiff) != 0:
		l.Scroll(-l.N)
	case last:
		l.Last()
	default:
		l.First()
	}
	u.moved()
}

// enter opens what is under the cursor.
func (u *ui) enter() {
	if u.place() == inWaste {
		if it, ok := u.waste.current(); ok {
			u.jump(it)
		} else {
			u.fold()
		}
		return
	}
	r, ok := u.files.current()
	switch {
	case !ok:
	case r.Dir:
		u.files.out.Toggle()
	default:
		u.view()
	}
}

// layerFiles goes to what the layer did.
func (u *ui) layerFiles() {
	u.showWaste = u.showWaste && u.files.saved && u.files.below == nil
	u.setFocus(filesPane)
}

func (u *ui) open() {
	if u.files.out != nil {
		u.files.out.Open()
	}
}

func (u *ui) close() {
	if u.files.out != nil {
		u.files.out.Close()
	}
}

func (u *ui) fold() {
	if u.place() == inWaste {
		if !u.waste.setOpen(true) {
			u.waste.setOpen(false)
		}
		return
	}
	if u.files.out != nil {
		u.files.out.Toggle()
	}
}

func (u *ui) foldAll(open bool) {
	if u.files.out != nil {
		u.files.out.OpenAll(open)
	}
}

// whole chooses between a layer's changes and everything up to it.
func (u *ui) whole(all bool) {
	if u.files.out == nil && u.files.below == nil {
		return
	}
	u.showWaste = false
	u.files.whole = all
	u.showSpan()
}

func (u *ui) openFilter() {
	if u.files.out != nil {
		u.showWaste = false
		u.over = append(u.over, &filter{f: u.files})
	}
}

// toggleFilter toggles kind i of the filter menu, or the one under its cursor.
func (u *ui) toggleFilter(i int) {
	f, ok := u.over[len(u.over)-1].(*filter)
	if !ok {
		return
	}
	if i < 0 {
		i = f.At
	}
	f.toggle(i)
}

// again goes to the next or previous hit.
func (u *ui) again(forward bool) {
	switch {
	case u.search.text == "":
		u.note = "look for something first (" + keyOf(u.keys, "find") + ")"
	case u.search.busy:
		u.note = "still looking"
	case u.files.saved && !u.showWaste:
		u.toggleWaste()
		u.lookHere()
	case u.search.waste != u.showWaste: // the files or the waste took the place of the other
		u.lookHere()
	case !u.any():
		u.note = "not found: " + safe(u.search.text)
	default:
		u.setFocus(filesPane)
		u.hit(forward, false)
	}
}

// pan moves the viewer sideways.
func (u *ui) pan(n int) {
	switch o := u.top().(type) {
	case *viewer:
		o.left = max(o.left+n, 0)
	case *difference:
		o.left = max(o.left+n, 0)
	}
}

func (u *ui) toggleHex() {
	if v := u.viewer(); v != nil && !v.busy {
		v.toggle()
		u.prepare(v)
	}
}

// follow goes to the layer that a line is about.
func (u *ui) follow() {
	lines, at := u.detail.lines, u.detail.At
	if t, ok := u.top().(*text); ok {
		lines, at = t.lines, t.At
	}
	if at >= len(lines) || lines[at].Link < 0 {
		return
	}
	layer := lines[at].Link
	if t, ok := u.top().(*text); ok && t.at_ == inHistory {
		for len(u.over) > 0 {
			u.closeOver()
		}
		u.goTouched(t.node, layer)
		return
	}
	if len(u.over) > 0 {
		u.escape()
		u.selectLayer(layer)
		u.setFocus(layersPane)
		return
	}
	u.goLayer(layer)
}

// viewer is the innermost overlay where that shows a file; nil otherwise.
func (u *ui) viewer() *viewer {
	v, _ := u.top().(*viewer)
	return v
}

// top is the innermost overlay; nil when there is none.
func (u *ui) top() overlay {
	if len(u.over) == 0 {
		return nil
	}
	return u.over[len(u.over)-1]
}
