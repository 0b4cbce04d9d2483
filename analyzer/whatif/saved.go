package whatif

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"fathom/analyzer/facts"
)

// Saved is a saved report that marks are about.
type Saved struct {
	Report *facts.Report

	once sync.Once
	by   map[fate][]int32 // indexes in Report.Waste, sorted by path
}

// fate is where wasted content was stored and hidden.
type fate struct{ stored, hidden int }

// SavedMark is a Mark of a saved report, which has no files: a step, waste, or a finding.
type SavedMark struct {
	Kind    Kind
	Layer   int
	Waste   []facts.Waste // the path and the layers count
	Finding int
	Place   int
}

// prepare computes what does not depend on marks.
func (s *Saved) prepare() {
	s.once.Do(func() {
		s.by = map[fate][]int32{}
		for i, w := range s.Report.Waste {
			k := fate{w.StoredIn, w.HiddenBy}
			s.by[k] = append(s.by[k], int32(i))
		}
		for _, all := range s.by {
			slices.SortFunc(all, func(a, b int32) int {
				return cmp.Or(cmp.Compare(s.Report.Waste[a].Path, s.Report.Waste[b].Path), cmp.Compare(a, b))
			})
		}
	})
}

// check returns an error if the report alone does not say which bytes a finding, or one
// of its places, counts. Of wasted bytes the list of waste must have them all: other
// marks may be about the same.
func (s *Saved) check(m SavedMark) error {
	switch m.Kind {
	case Step, Waste:
		return nil
	case Path, Package:
		return errors.New("a saved report does not have the files: open the image itself to mark them as fixed")
	}
	f := &s.Report.Findings[m.Finding]
	if m.Place < 0 && f.MorePlaces > 0 && f.Bytes > 0 {
		return fmt.Errorf("the report lists %d of its %d places: open the image itself to mark it as fixed", len(f.Places), len(f.Places)+f.MorePlaces)
	}
	for i := range f.Places {
		if p := &f.Places[i]; (m.Place < 0 || m.Place == i) && p.HiddenBy >= 0 && p.Bytes > 0 && s.wasteOf(p) == nil {
			return errors.New("the report does not say which of the waste it counts: open the image itself to mark it as fixed")
		}
	}
	return nil
}

// wasteOf returns the elements of the list of waste that a place counts, nil if it can't
// be told.
func (s *Saved) wasteOf(p *facts.Place) []int32 {
	all := s.by[fate{p.Layer, p.HiddenBy}]
	out := s.at(all, p.Path)
	below := strings.TrimSuffix(p.Path, "/") + "/"
	from, _ := slices.BinarySearchFunc(all, below, s.path)
	for ; from < len(all) && strings.HasPrefix(s.Report.Waste[all[from]].Path, below); from++ {
		out = append(out, all[from])
	}
	sum := int64(0)
	for _, i := range out {
		sum += s.Report.Waste[i].Bytes
	}
	if sum != p.Bytes {
		return nil
	}
	return out
}

// at returns those of the elements that have a path.
func (s *Saved) at(all []int32, path string) []int32 {
	from, _ := slices.BinarySearchFunc(all, path, s.path)
	to := from
	for to < len(all) && s.Report.Waste[all[to]].Path == path {
		to++
	}
	return slices.Clone(all[from:to])
}

func (s *Saved) path(i int32, path string) int { return strings.Compare(s.Report.Waste[i].Path, path) }

// placeKey is a place of a finding.
type placeKey struct{ finding, place int }

// Without is Without for a saved report. Marks about what a report alone does not say
// have no effect, and an error in Refused. The report that is left has no folders and no
// packages, because it is unknown what is left of them, and all of its layers.
func (s *Saved) Without(marks []SavedMark) *Result {
	s.prepare()
	old := s.Report
	rep := *old
	r := &Result{Report: &rep, Saves: make([]Saving, len(marks)), Refused: make([]error, len(marks))}
	waste := make([]sole, len(old.Waste))
	shown := map[placeKey]sole{} // places of findings that the final filesystem shows
	fixed := make([][]int, len(old.Findings))
	for i, m := range marks {
		if r.Refused[i] = s.check(m); r.Refused[i] != nil {
			continue
		}
		took := map[int32]bool{}
		take := func(k int32) {
			if !took[k] {
				took[k] = true
				waste[k].add(i)
				r.Saves[i].Alone += old.Waste[k].Bytes
			}
		}
		switch m.Kind {
		case Step:
			for k, w := range old.Waste {
				if w.StoredIn == m.Layer || w.HiddenBy == m.Layer {
					take(int32(k))
				}
			}
		case Waste:
			for _, w := range m.Waste {
				for _, k := range s.at(s.by[fate{w.StoredIn, w.HiddenBy}], w.Path) {
					take(k)
				}
			}
		case Finding:
			fixed[m.Finding] = append(fixed[m.Finding], m.Place)
			for k := range old.Findings[m.Finding].Places {
				p := &old.Findings[m.Finding].Places[k]
				switch key := (placeKey{m.Finding, k}); {
				case m.Place >= 0 && m.Place != k || p.Bytes == 0:
				case p.HiddenBy >= 0:
					for _, k := range s.wasteOf(p) {
						take(k)
					}
				default:
					by := shown[key]
					by.add(i)
					shown[key] = by
					r.Saves[i].Alone += p.Bytes
				}
			}
		}
	}
	rep.Layers = slices.Clone(old.Layers)
	more := func(by sole, bytes int64) {
		if by > 0 {
			r.Saves[by-1].More += bytes
		}
	}
	rep.Waste = make([]facts.Waste, 0, len(old.Waste))
	for i, w := range old.Waste {
		if waste[i] == 0 {
			rep.Waste = append(rep.Waste, w)
			continue
		}
		more(waste[i], w.Bytes)
		l := &rep.Layers[w.StoredIn]
		l.StoredBytes -= w.Bytes
		l.WastedBytes -= w.Bytes
		if w.HiddenBy != w.StoredIn {
			rep.Layers[w.HiddenBy].HidesBytes -= w.Bytes
		}
	}
	for key, by := range shown {
		p := &old.Findings[key.finding].Places[key.place]
		more(by, p.Bytes)
		if p.Layer >= 0 {
			l := &rep.Layers[p.Layer]
			l.StoredBytes -= min(p.Bytes, l.VisibleBytes)
			l.VisibleBytes -= min(p.Bytes, l.VisibleBytes)
		}
	}
	t := &rep.Totals
	t.StoredBytes, t.VisibleBytes, t.WastedBytes, t.Efficiency = 0, 0, 0, 1
	for _, l := range rep.Layers {
		t.StoredBytes += l.StoredBytes
		t.VisibleBytes += l.VisibleBytes
		t.WastedBytes += l.WastedBytes
	}
	if t.StoredBytes > 0 {
		t.Efficiency = float64(t.VisibleBytes) / float64(t.StoredBytes)
	}
	if t.StoredBytes != old.Totals.StoredBytes {
		rep.Folders, rep.Packages, rep.Unowned = []facts.Folder{}, nil, nil
	}
	if t.Base != nil && t.Own != nil {
		b, o := *t.Base, *t.Own
		t.Base, t.Own = &b, &o
	}
	r.compress(old)
	r.split(old)
	r.Report.Findings, t.FindingsBytes = s.findings(fixed, waste)
	return r
}

// findings returns the findings that are left, and what they save.
func (s *Saved) findings(fixed [][]int, waste []sole) (left []facts.Finding, sum int64) {
	if s.Report.Findings == nil {
		return nil, 0
	}
	left = []facts.Finding{}
	for i, f := range s.Report.Findings {
		if slices.Contains(fixed[i], -1) {
			continue
		}
		had := len(f.Places) > 0
		kept := make([]facts.Place, 0, len(f.Places))
		for k, p := range f.Places {
			gone, taken := slices.Contains(fixed[i], k), int64(0)
			if gone {
				taken = p.Bytes
			} else if p.HiddenBy >= 0 && p.Bytes > 0 {
				for _, w := range s.wasteOf(&p) {
					if waste[w] != 0 {
						taken += s.Report.Waste[w].Bytes
						p.Files = max(p.Files-1, 0)
					}
				}
				gone = taken == p.Bytes
			}
			f.Bytes -= taken
			if p.Bytes -= taken; !gone {
				kept = append(kept, p)
			}
		}
		slices.SortStableFunc(kept, func(a, b facts.Place) int { return cmp.Compare(b.Bytes, a.Bytes) })
		if f.Places = kept; !had || len(kept) > 0 || f.MorePlaces > 0 {
			left = append(left, f)
			sum += f.Bytes
		}
	}
	slices.SortStableFunc(left, facts.CompareFindings)
	return left, sum
}
