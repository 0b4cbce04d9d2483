package ui

import (
	"fmt"
	"slices"

	"fathom/analyzer/filetree"
	"fathom/ui/viewer"
)

// fileVersions are the states that the layers gave a path, the oldest one first, without
// its removals.
type fileVersions []filetree.Event

// versionsOf returns the versions of a path for which is returns true.
func versionsOf(t *filetree.Tree, n filetree.Node, is func(filetree.State) bool) fileVersions {
	return slices.DeleteFunc(t.History(n), func(e filetree.Event) bool { return e.Removed || !is(e.State) })
}

// at returns the index of the version that the path has after a layer, or that it had
// before it was removed; -1 for none.
func (vs fileVersions) at(layer int) int {
	for i, e := range slices.Backward(vs) {
		if e.Layer <= layer {
			return i
		}
	}
	return -1
}

// versionNote says which version of the file is shown: the layer as of which it is, and
// the layer that stores its content.
func (c *content) versionNote() string {
	st, at := c.u.shownAt(c.of)
	switch {
	case at < 0:
		return ""
	case c.u.two != nil:
		return sideName(at)
	}
	note := ""
	if len(c.versions) > 1 {
		note = fmt.Sprintf("version %d of %d  ", c.versions.at(at)+1, len(c.versions))
	}
	if stored := c.u.img.Tree.Stored(st.Content).Layer; stored != at {
		note += fmt.Sprintf("as of layer %d, ", at)
		return note + fmt.Sprintf("stored by layer %d", stored)
	}
	return note + fmt.Sprintf("stored by layer %d", at)
}

// step shows the next newer version of the file, or the next older one, at the same
// lines.
func (c *content) step(newer bool) {
	_, at := c.u.shownAt(c.of)
	i := c.versions.at(at)
	by := -1
	if newer {
		by = 1
	}
	if i+by < 0 || i+by >= len(c.versions) {
		c.u.note = lastVersion(c.versions[i].Layer, newer)
		if len(c.versions) == 1 {
			c.u.note = fmt.Sprintf("this is the only version: layer %d stores it", c.versions[i].Layer)
		}
		return
	}
	now := c.versions[i+by]
	c.showAt(now.Layer, now.State)
	c.u.note = fmt.Sprintf("version %d of %d, as of layer %d", i+by+1, len(c.versions), now.Layer)
	if ch := c.versions[max(i, i+by)].Change; ch.Mark != filetree.Added && ch.Differs != filetree.Bytes {
		c.u.note += fmt.Sprintf(", with the content of version %d", i+1)
	}
}

// lastVersion says that there is no newer version than that of a layer, or no older
// one.
func lastVersion(layer int, newer bool) string {
	if newer {
		return fmt.Sprintf("this is the last version: no layer above %d stores another one", layer)
	}
	return fmt.Sprintf("this is the first version: layer %d stored it", layer)
}

// side shows the file of one of two images, at the same lines.
func (c *content) side(side int) {
	_, at := c.u.shownAt(c.of)
	st, ok := c.u.img.Tree.At(c.of.node, side)
	switch {
	case at == side:
		c.u.note = "this is the file of the " + sideName(side)
	case !ok:
		c.u.note = "only the " + sideName(at) + " has it"
	case !hasContent(st):
		c.u.note = "it is no regular file in the " + sideName(side)
	default:
		c.showAt(side, st)
	}
}

func hasContent(st filetree.State) bool { return st.Content != filetree.NoContent }

// showAt shows the file as of a layer instead.
func (c *content) showAt(layer int, st filetree.State) {
	old := c.Content
	v := viewer.Open(c.u.do.work, c.u.img.Analysis, c.u.img.Tree.Path(c.of.node), st)
	v.Follow(old)
	old.Close()
	c.Content, c.close = v, v.Close
	c.of.from, c.of.to = layer-1, layer
}

// step shows what differs between the next newer pair of versions, or the next older
// one.
func (d *difference) step(newer bool) {
	vs := versionsOf(d.u.img.Tree, d.of.node, func(filetree.State) bool { return true })
	i, j := vs.at(d.before.Layer), vs.at(d.after.Layer)
	if newer {
		i, j = j, j+1
	} else {
		i, j = i-1, i
	}
	switch {
	case d.u.two != nil:
		d.u.note = "two images have one difference: " + d.Note()
	case i < 0:
		d.u.note = lastVersion(d.before.Layer, newer)
	case j == len(vs):
		d.u.note = lastVersion(d.after.Layer, newer)
	default:
		old := d.Difference
		d.u.drop(d)
		d.u.pushDiff(target{d.of.node, vs[i].Layer, vs[j].Layer}, vs[i].State, vs[j].State)
		old.Close()
		d.u.note = fmt.Sprintf("versions %d and %d of %d", i+1, j+1, len(vs))
	}
}
