package compare

import (
	"slices"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// Without returns the comparison without what differs for one reason only. A path for
// which others apply too has the first of those.
func (c *Comparison) Without(r Reason) *Comparison {
	out := *c
	out.Changes = nil
	for _, ch := range c.Changes {
		if ch.Reason == r {
			if ch.also == 0 {
				continue
			}
			ch.Reason = first(ch.also)
			ch.also &^= 1 << ch.Reason
		} else {
			ch.also &^= 1 << r
		}
		out.Changes = append(out.Changes, ch)
	}
	return &out
}

// DetailedRows returns Rows, except that a row of at most that many paths is replaced by a row
// for each of them, unless it is about a folder itself.
func (c *Comparison) DetailedRows(most int) []Row {
	type key struct {
		folder string
		reason Reason
	}
	rows := c.Rows()
	whole, direct := map[string]int{}, map[key]int{} // the indexes of rows with few paths
	for i, r := range rows {
		switch {
		case r.Count == 1 || r.Count > most || r.Reason == MTime || r.Culprit != "":
		case r.Whole:
			whole[r.Path] = i
		default:
			direct[key{r.Path, r.Reason}] = i
		}
	}
	of := map[int][]Row{}
	for i := range c.Changes {
		ch := &c.Changes[i]
		path := c.path(ch)
		if c.culprit(ch, path) != "" {
			continue
		}
		r := Row{Path: path, Reason: ch.Reason, File: !c.isFolder(ch)}
		r.Whole = !r.File
		row, ok := direct[key{parentOf(path), ch.Reason}]
		if ok = ok && r.File; !ok {
			at := path
			row, ok = whole[at]
			for !ok && at != "/" {
				at = parentOf(at)
				row, ok = whole[at]
			}
		}
		if ok {
			if ch.Reason == Renamed {
				r.From = c.Old.Analysis.Tree.Path(ch.Old)
			}
			r.add(ch)
			of[row] = append(of[row], r)
		}
	}
	var out []Row
	for i, r := range rows {
		parts := of[i]
		if parts == nil || slices.ContainsFunc(parts, func(p Row) bool { return p.Path == r.Path }) {
			parts = []Row{r}
		}
		out = append(out, parts...)
	}
	return out
}

// SameLayers reports whether both images consist of the same layers in the same order.
// Both then have the same files. It is false if a diff ID is unknown or not verified.
func (c *Comparison) SameLayers() bool {
	return slices.EqualFunc(c.Old.Report.Layers, c.New.Report.Layers, func(a, b facts.Layer) bool {
		return a.DiffID != "" && a.DiffID == b.DiffID && !a.Unverified && !b.Unverified
	})
}

// Grown returns by how many bytes of visible files the paths grew that match, of each
// matcher. It is exact: what does not differ is as large in both images.
func (c *Comparison) Grown(match []func(path string) bool) []int64 {
	out := make([]int64, len(match))
	add := func(path string, bytes int64) {
		if bytes == 0 {
			return
		}
		for i, m := range match {
			if m(path) {
				out[i] += bytes
			}
		}
	}
	for i := range c.Changes {
		ch := &c.Changes[i]
		switch {
		case ch.Reason == Renamed:
			add(c.Old.Analysis.Tree.Path(ch.Old), -ch.OldBytes)
			add(c.New.Analysis.Tree.Path(ch.New), ch.NewBytes)
		case ch.OldBytes != ch.NewBytes:
			add(c.path(ch), ch.NewBytes-ch.OldBytes)
		}
	}
	return out
}

// Had reports whether the old image shows a path in the end, or with any, whether one
// of its layers has it. The old image must have its files.
func (c *Comparison) Had(path string, any bool) bool {
	t := c.Old.Analysis.Tree
	n, ok := t.Lookup(path)
	if !ok || n == filetree.None {
		return false
	}
	if !any {
		_, ok = t.At(n, t.Layers()-1)
		return ok
	}
	return slices.ContainsFunc(t.History(n), func(e filetree.Event) bool { return !e.Removed })
}
