package whatif

import (
	"slices"

	"fathom/analyzer/filetree"
)

// counting says which content is left without what is marked.
type counting struct {
	im    *Image
	tree  *filetree.Tree
	marks []Mark
	by    []sole // by content: the mark that takes it as a whole, wherever its names are
	cover []sole // by node: the mark of it or of a folder above it; nil if no path is marked
	parts map[filetree.Content]part
	// back is content of the base that is visible again, by the own copy that is gone.
	back  map[filetree.Content]filetree.Content
	again map[filetree.Content]bool // the content in back
	gone  []bool                    // by content
	save  []Saving
}

// sole is the only mark that has something: its index plus one. The zero value is none,
// several is more than one.
type sole int32

const several sole = -1

func (s *sole) add(mark int) {
	if *s == 0 {
		*s = sole(mark + 1)
	} else if *s != sole(mark+1) {
		*s = several
	}
}

// part is what marks take of content that stays.
type part struct {
	bytes int64
	by    sole
}

func newCounting(im *Image, marks []Mark) *counting {
	t := im.Analysis.Tree
	c := &counting{
		im: im, tree: t, marks: marks, by: make([]sole, t.Contents()), save: make([]Saving, len(marks)),
		parts: map[filetree.Content]part{}, back: map[filetree.Content]filetree.Content{}, again: map[filetree.Content]bool{},
		gone: make([]bool, t.Contents()),
	}
	for i, m := range marks {
		switch m.Kind {
		case Step:
			for x := range filetree.Content(t.Contents()) {
				if s := t.Stored(x); s.Cause != filetree.Visible && (s.Layer == m.Layer || s.HiddenBy == m.Layer) {
					c.unwaste(x, i)
				}
			}
		case Path:
			if c.cover == nil {
				c.cover = make([]sole, t.Len())
			}
			for n := m.Node; n < t.End(m.Node); n++ {
				c.cover[n].add(i)
			}
		case Waste:
			for _, x := range m.Waste {
				c.unwaste(x, i)
			}
		case Finding:
			c.fix(i)
		case Package:
			for x := range filetree.Content(t.Contents()) {
				if p := im.Packages; p != nil && p.Of(x) == m.Package {
					c.take(x, i)
				}
			}
		}
	}
	for x := range filetree.Content(t.Contents()) {
		c.gone[x] = c.by[x] != 0 || c.cover != nil && c.covered(x)
	}
	return c
}

// take takes content as a whole.
func (c *counting) take(x filetree.Content, mark int) {
	c.by[x].add(mark)
	c.save[mark].Alone += c.tree.Stored(x).Bytes
}

// unwaste takes wasted content. An own layer that stores content of the base again,
// unchanged, no longer does so: the base's is visible again.
func (c *counting) unwaste(x filetree.Content, mark int) {
	d, ok := c.im.copies[x]
	if !ok || c.tree.Linked(x) || c.tree.Linked(d) {
		c.take(x, mark)
		return
	}
	c.take(d, mark)
	c.back[d], c.again[x] = x, true
}

// fix takes what a finding, or one of its places, counts.
func (c *counting) fix(mark int) {
	m := &c.marks[mark]
	for _, claim := range c.im.claims(m.Finding) {
		if m.Place >= 0 && int(claim.Place) != m.Place {
			continue
		}
		s := c.tree.Stored(claim.Content)
		switch keep := keepsFiles(c.im.Report.Findings[m.Finding].Rule); {
		case claim.Bytes < s.Bytes || keep:
			p := c.parts[claim.Content]
			p.bytes = claim.Bytes // no other finding counts the content
			p.by.add(mark)
			c.parts[claim.Content] = p
			c.save[mark].Alone += claim.Bytes
		case s.Cause != filetree.Visible:
			c.unwaste(claim.Content, mark)
		default:
			c.take(claim.Content, mark)
		}
	}
}

// covered reports whether every name of content is at or below a marked path.
func (c *counting) covered(x filetree.Content) bool {
	if !c.tree.Linked(x) {
		return c.cover[c.tree.Stored(x).Node] != 0
	}
	for _, n := range c.tree.Links(x) {
		if c.cover[n] == 0 {
			return false
		}
	}
	return true
}

// under reports whether a path is at or below a marked one.
func (c *counting) under(n filetree.Node) bool { return c.cover != nil && c.cover[n] != 0 }

// shows reports whether a version of a path is left.
func (c *counting) shows(n filetree.Node, s filetree.State) bool {
	return !c.under(n) && (s.Content == filetree.NoContent || !c.lost(s.Content))
}

// lost reports whether a name that shows content no longer shows it, nor the same
// content of the base.
func (c *counting) lost(x filetree.Content) bool {
	if b, ok := c.back[x]; ok && !c.gone[b] {
		return false
	}
	return c.gone[x]
}

// of describes content as it is left; it is analyzer.Contents.
func (c *counting) of(x filetree.Content) (s filetree.Stored, place filetree.Node, ok bool) {
	if c.gone[x] {
		return s, filetree.None, false
	}
	if c.cover != nil && c.tree.Linked(x) {
		s, place, ok = c.tree.Without(x, c.under)
	} else {
		s, ok = c.tree.Stored(x), true
		if place = s.Lost; s.Cause == filetree.Visible {
			if place = c.tree.FirstName(x, c.tree.Layers()-1); place == filetree.None {
				place = s.Node
			}
		}
	}
	if c.again[x] {
		s.Cause, s.HiddenBy, s.Lost, place = filetree.Visible, -1, s.Node, s.Node
	}
	s.Bytes -= c.parts[x].bytes
	return s, place, ok
}

// packaged is of for package packages.
func (c *counting) packaged(x filetree.Content) (s filetree.Stored, place filetree.Node, files int, ok bool) {
	if s, place, ok = c.of(x); !ok || s.Cause != filetree.Visible {
		return s, s.Node, 0, ok
	}
	if !c.tree.Linked(x) {
		return s, place, 1, ok
	}
	for _, n := range c.tree.Names(x, c.tree.Layers()-1) {
		if !c.under(n) {
			files++
		}
	}
	return s, place, files, ok
}

// savings returns what each mark saves.
func (c *counting) savings() []Saving {
	c.alonePaths()
	var sole []int
	for x := range filetree.Content(c.tree.Contents()) {
		bytes, cut := c.tree.Stored(x).Bytes, c.parts[x]
		if !c.gone[x] {
			if cut.by > 0 {
				c.save[cut.by-1].More += cut.bytes
			}
			continue
		}
		sole = c.needed(x, sole[:0])
		for _, m := range sole {
			c.save[m].More += bytes - cut.bytes
		}
	}
	return c.save
}

// needed appends the marks without which content that is gone would be left.
func (c *counting) needed(x filetree.Content, to []int) []int {
	paths := c.cover != nil && c.covered(x)
	switch by := c.by[x]; {
	case by == several || by != 0 && paths:
	case by != 0:
		to = append(to, int(by)-1)
	default:
		for _, n := range c.tree.Links(x) {
			if m := int(c.cover[n]) - 1; m >= 0 && !slices.Contains(to, m) {
				to = append(to, m)
			}
		}
	}
	return to
}

// alonePaths adds up what each marked path holds.
func (c *counting) alonePaths() {
	if c.cover == nil {
		return
	}
	t := c.tree
	sums := make([]int64, t.Len()+1) // of content with one name, of all nodes before
	type span struct {
		first, last filetree.Node
		bytes       int64
	}
	var linked []span
	for x := range filetree.Content(t.Contents()) {
		s := t.Stored(x)
		if !t.Linked(x) {
			sums[s.Node+1] += s.Bytes
			continue
		}
		if !c.covered(x) {
			continue
		}
		all := span{s.Node, s.Node, s.Bytes}
		for _, n := range t.Links(x) {
			all.first, all.last = min(all.first, n), max(all.last, n)
		}
		linked = append(linked, all)
	}
	for n := range t.Len() {
		sums[n+1] += sums[n]
	}
	for i, m := range c.marks {
		if m.Kind != Path {
			continue
		}
		c.save[i].Alone = sums[t.End(m.Node)] - sums[m.Node]
		for _, l := range linked {
			if m.Node <= l.first && l.last < t.End(m.Node) {
				c.save[i].Alone += l.bytes
			}
		}
	}
}
