package ui

import "fathom/analyzer/filetree"

// views keeps views that compare two states: each takes a pass over the tree.
type views struct {
	kept   []*filetree.View
	making bool
}

// get returns a view that has been kept; nil for any other.
func (s *views) get(from, to int) *filetree.View {
	for _, v := range s.kept {
		if v.From == from && v.To == to {
			return v
		}
	}
	return nil
}

// keep keeps a view, and drops the oldest one when there are too many.
func (s *views) keep(v *filetree.View) {
	const most = 16
	if len(s.kept) == most {
		s.kept = append(s.kept[:0], s.kept[1:]...)
	}
	s.kept = append(s.kept, v)
}
