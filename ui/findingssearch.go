package ui

import (
	"cmp"
	"maps"
	"slices"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
)

// restrict gives rows only to the findings that match, if the user wants that.
func (f *findings) restrict() { f.stay(f.fill) }

// The findings have paths that the image doesn't list in this form, so they are not
// searched as a tree.
func (f *findings) paths() *filetree.Tree { return nil }
func (f *findings) scope() outline.Scope  { return outline.Scope{} }

func (f *findings) bookmark() func() {
	at, top, open := f.At, f.Top, maps.Clone(f.open)
	return func() {
		f.open = maps.Clone(open)
		f.At, f.Top = at, top
		f.fill()
	}
}

// filtered reports whether only findings that match have rows.
func (f *findings) filtered() bool { return f.u.search.filters(f) }

// only says which findings have rows; "" for all.
func (f *findings) only() string { return f.u.foundOnly(f) }

// sift finds what matches the search: a title, a rule, a severity, or a path.
func (f *findings) sift() {
	f.hits = f.hits[:0]
	s := &f.u.search
	active := s.of(f)
	for i := range f.all {
		if !active {
			break
		}
		x := &f.all[i]
		switch p := slices.IndexFunc(x.Places, func(p facts.Place) bool { return s.pattern.Matches(p.Path) }); {
		case s.pattern.Matches(x.Title), s.pattern.Matches(x.Rule), s.pattern.Matches(x.Severity):
			f.hits = append(f.hits, findingRow{i, -1})
		case p >= 0:
			f.hits = append(f.hits, findingRow{i, p})
		}
	}
	f.fill()
}

// match returns which of the hits a finding is; false for none.
func (f *findings) match(i int) (int, bool) {
	return slices.BinarySearchFunc(f.hits, i, func(h findingRow, i int) int { return cmp.Compare(h.finding, i) })
}

func (f *findings) found() (int, string) {
	return len(f.hits), count(len(f.hits), "finding") + " found"
}

// hit goes to the next or previous finding that matches, and opens it if one of its
// places does.
func (f *findings) hit(forward, here bool) {
	if len(f.hits) == 0 {
		return
	}
	at := make([]int, len(f.hits)) // where the findings that match are
	for y, r := range f.rows {
		if r.place < 0 {
			if k, is := f.match(r.finding); is {
				at[k] = y
			}
		}
	}
	row, _ := f.current()
	now := f.At - row.place - 1
	next, ok := 0, false
	for k, y := range at {
		switch {
		case here && y >= now && (!ok || y < at[next]),
			!here && forward && y > now && (!ok || y < at[next]),
			!here && !forward && y < now && (!ok || y > at[next]):
			next, ok = k, true
		}
	}
	if !ok { // wrap around
		for k, y := range at {
			if forward && y < at[next] || !forward && y > at[next] {
				next = k
			}
		}
	}
	f.At = at[next]
	h := f.hits[next]
	if h.place >= 0 {
		f.setOpen(true)
		f.At += h.place + 1
	}
	f.Fit(len(f.rows), f.H)
}

func (f *findings) nth() int {
	now, _ := f.current()
	if _, is := f.match(now.finding); !is {
		return 0
	}
	n := 0
	for _, r := range f.rows[:f.At+1] {
		if _, is := f.match(r.finding); is && r.place < 0 {
			n++
		}
	}
	return n
}
