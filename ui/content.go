package ui

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/viewer"
)

// ofFile has what the overlays for a file have in common.
type ofFile struct {
	in    place
	u     *ui
	of    target
	close func()
}

func (o *ofFile) place() place           { return o.in }
func (o *ofFile) target() (target, bool) { return o.of, true }
func (o *ofFile) copies() string         { return o.u.img.Tree.Path(o.of.node) }
func (o *ofFile) size() (w, h int)       { return 0, 0 }
func (o *ofFile) click(int, int, bool)   {}

func (o *ofFile) shut() bool {
	o.close()
	return true
}

// content is an overlay over the content of a file, difference over what differs
// between two versions of it.
type (
	content struct {
		ofFile
		*viewer.Content
		versions fileVersions
	}
	difference struct {
		ofFile
		*viewer.Difference
		before, after filetree.State
	}
)

// Note says in addition which version of the file is shown.
func (c *content) Note() string {
	return strings.Trim(c.Content.Note()+"  "+c.versionNote(), " ")
}

// Note says which versions are compared.
func (d *difference) Note() string {
	if d.u.two != nil {
		return sideName(oldSide) + " " + d.u.th.Glyph.Arrow + " " + sideName(newSide)
	}
	return d.Difference.Note()
}

// copy copies the whole file, unless it is too large for the clipboard.
func (c *content) copy() {
	size := report.Size(c.Size())
	switch b, ok, err := c.Bytes(maxClip * 3 / 4); {
	case err != nil:
		c.u.note = safe(err.Error())
	case !ok:
		c.u.note = "too large for the clipboard: " + size
	case len(b) == 0:
		c.u.note = "the file is empty"
	default:
		c.u.note = cmp.Or(c.u.do.copy(string(b)), "can't copy this") + ": " + size
	}
}

// shownAt returns the state of a target and the layer after which it is shown: the upper
// one or, if the path does not exist there, the lower one; -1 for neither.
func (u *ui) shownAt(t target) (filetree.State, int) {
	if st, ok := u.img.Tree.At(t.node, t.to); ok {
		return st, t.to
	}
	if st, ok := u.img.Tree.At(t.node, t.from); ok {
		return st, t.from
	}
	return filetree.State{Content: filetree.NoContent}, -1
}

// absent says that the path under the cursor is not there.
func (u *ui) absent() string {
	if u.two != nil {
		return "it does not exist in this image"
	}
	return "it does not exist at this layer"
}

// file returns the path under the cursor and its state, if it is a regular file.
func (u *ui) file() (target, filetree.State, bool) {
	t, ok := u.on().target()
	if !ok {
		u.note = "choose a file first"
		return t, filetree.State{}, false
	}
	st, at := u.shownAt(t)
	switch {
	case at < 0:
		u.note = u.absent()
	case st.Content == filetree.NoContent:
		u.note = "only regular files have content"
	default:
		return t, st, true
	}
	return t, st, false
}

// view opens the content of the file under the cursor.
func (u *ui) view() {
	if t, st, ok := u.file(); ok {
		v := viewer.Open(u.do.work, u.img.Analysis, u.img.Tree.Path(t.node), st)
		v.Wrap(u.choices.Wrap)
		u.push(&content{ofFile{inViewer, u, t, v.Close}, v, versionsOf(u.img.Tree, t.node, hasContent)})
	}
}

// openPager shows the file under the cursor in the pager.
func (u *ui) openPager() {
	_, st, ok := u.file()
	if !ok {
		return
	}
	err := u.do.pager(func(ctx context.Context) (io.ReadCloser, error) { return u.img.Open(ctx, st.Content) })
	if err != nil {
		u.note = safe(err.Error())
	}
}

// openDiff compares the path under the cursor with its previous version.
func (u *ui) openDiff() {
	t, ok := u.on().target()
	if !ok {
		u.note = "choose a file first"
		return
	}
	tree := u.img.Tree
	if u.two != nil {
		t.from, t.to = oldSide, newSide
	}
	after, is := tree.At(t.node, t.to)
	before, was := tree.At(t.node, t.from)
	if u.two == nil && is && (!was || before.Layer == after.Layer) {
		before, was = tree.At(t.node, after.Layer-1)
	}
	switch {
	case u.two != nil && was != is:
		u.note = "only the " + sideName(newSide) + " has it: there is nothing to compare with"
		if was {
			u.note = "only the " + sideName(oldSide) + " has it: there is nothing to compare with"
		}
	case !is && was:
		u.note = "it was removed: there is no version to compare with"
	case !is:
		u.note = "it does not exist at this layer"
	case !was:
		u.note = "layer " + strconv.Itoa(after.Layer) + " stores its first version: there is nothing below to compare with"
	default:
		u.pushDiff(t, before, after)
	}
}

// pushDiff shows how two states of a path differ.
func (u *ui) pushDiff(t target, before, after filetree.State) {
	words := differences(u.th, before, after, &u.img.owners)
	d := viewer.Compare(u.do.work, u.img.Analysis, u.th, u.img.Tree.Path(t.node), before, after, words)
	d.Beside(u.leastBeside())
	u.push(&difference{ofFile{inDiff, u, t, d.Close}, d, before, after})
}

// viewing is what the user has chosen for all files that are viewed.
type viewing struct {
	unified bool // differences have one column, whatever the width
}

// wrap wraps lines, or cuts them at the edge.
func (c *content) wrap() {
	on := &c.u.choices.Wrap
	*on = !*on
	c.Wrap(*on)
	c.u.note = map[bool]string{true: "lines are wrapped", false: "lines are cut at the edge"}[*on]
}

// besideFits is the least width in which two versions of a file can be beside each
// other, besideUsual the least one in which they are by default.
const (
	besideFits  = 60
	besideUsual = 160
)

// leastBeside returns the width from which on a difference has two columns.
func (u *ui) leastBeside() int {
	switch {
	case u.viewing.unified:
		return math.MaxInt
	case u.choices.SideBySide:
		return besideFits
	}
	return besideUsual
}

// beside puts the two versions beside each other, or into one column.
func (d *difference) beside() {
	w, two := d.Window()
	if !two && w < besideFits {
		d.u.note = fmt.Sprintf("two columns need a width of %d", besideFits)
		return
	}
	d.u.viewing.unified, d.u.choices.SideBySide = two, !two
	d.Beside(d.u.leastBeside())
}

// find asks what to search for in the file.
func (c *content) find() {
	if !c.Busy() {
		c.u.prompt = c.Prompt(&c.u.past.searches)
	}
}

// next goes to the next match, or to the previous one.
func (c *content) next(forward bool) { c.u.note = c.Next(forward) }

// pan moves the content of the file sideways.
func (u *ui) pan(n int) {
	if o, ok := u.top().(interface{ Pan(n int) }); ok {
		o.Pan(n)
	}
}
