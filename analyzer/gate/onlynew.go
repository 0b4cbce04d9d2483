package gate

import (
	"errors"
	"fmt"
	"maps"

	"fathom/analyzer/advice"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
)

// old is what the baseline already has, for only-new mode.
type old struct {
	waste    map[[2]string]int64 // bytes by path and cause
	left     map[[2]string]int64 // of waste: what wasted has not returned yet
	packages map[string]bool     // installed
	places   map[place]bool
	more     map[string]int // by rule: how many places the baseline does not list, of one finding
}

// place is a place of a finding, of a secret with its redacted form.
type place struct{ rule, path, redacted string }

func placeOf(f *facts.Finding, p *facts.Place) place {
	x := place{rule: f.Rule, path: p.Path}
	if f.Rule == advice.Secret {
		x.redacted = p.Redacted
	}
	return x
}

// fillOld notes what the baseline has, if only new problems count.
func (c *check) fillOld() {
	if !c.opt.OnlyNew || c.v.Baseline == nil {
		return
	}
	r := c.v.Baseline.report()
	c.before = &old{map[[2]string]int64{}, map[[2]string]int64{}, map[string]bool{}, map[place]bool{}, map[string]int{}}
	for i := range r.Waste {
		c.before.waste[[2]string{r.Waste[i].Path, r.Waste[i].Cause}] += r.Waste[i].Bytes
	}
	maps.Copy(c.before.left, c.before.waste)
	for i := range r.Packages {
		if p := &r.Packages[i]; p.RemovedBy < 0 {
			c.before.packages[p.Type+":"+p.Name] = true
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		for j := range f.Places {
			c.before.places[placeOf(f, &f.Places[j])] = true
		}
		if len(f.Places) == 0 {
			c.before.places[place{rule: f.Rule}] = true
		}
		c.before.more[f.Rule] = max(c.before.more[f.Rule], f.MorePlaces)
	}
}

// wasted returns how much of a piece of waste the baseline has too, at the same path and
// for the same cause. What it returns is counted once.
func (o *old) wasted(w *facts.Waste) int64 {
	if o == nil {
		return 0
	}
	key := [2]string{w.Path, w.Cause}
	n := min(w.Bytes, o.left[key])
	o.left[key] -= n
	return n
}

// found reports whether the baseline has a finding: one of the same rule with a place
// in common. Where places count one by one, each must be there.
func (o *old) found(f *facts.Finding) bool {
	if o == nil {
		return false
	}
	if len(f.Places) == 0 {
		return o.places[place{rule: f.Rule}]
	}
	n := 0
	for i := range f.Places {
		if o.places[placeOf(f, &f.Places[i])] {
			n++
		}
	}
	if compare.ByPlace(f.Rule) {
		return n == len(f.Places) && f.MorePlaces <= o.more[f.Rule]
	}
	return n > 0
}

// listed reports whether the baseline has a place of a finding whose places count one by
// one.
func (o *old) listed(f *facts.Finding, i int) bool {
	return o != nil && compare.ByPlace(f.Rule) && i < len(f.Places) && o.places[placeOf(f, &f.Places[i])]
}

// onlyNew decides a rule that is broken, where what the baseline has does not count.
func (c *check) onlyNew(s *Spec, rule *Rule, l Limit, seen value) error {
	if c.opt.NoBaseline {
		rule.OK, rule.Skipped = true, true
		return nil
	}
	b, err := c.baseline()
	if err != nil {
		return err
	}
	r := b.report()
	switch {
	case s.DeniesPaths() && b.Old.Analysis == nil:
		return fmt.Errorf("which paths are new is unknown: %w", ErrNoFiles)
	case s.about && r.Packages == nil:
		return fmt.Errorf("which packages are new is unknown: the baseline is a report of an older version")
	case s.finds && r.Findings == nil:
		return errors.New("which findings are new is unknown: the baseline is a report of an older version")
	case !s.size:
		return nil
	}
	// The image is too large, but no larger than the baseline.
	o := &check{r: r, opt: Options{AllowUnverified: c.opt.AllowUnverified}, v: &Verdict{}}
	o.all, o.own = scopes(r)
	if o.in = o.all; c.in == c.own {
		if o.in = o.own; o.in == nil {
			return nil
		}
	}
	before, err := s.observe(o, l)
	if err != nil {
		return fmt.Errorf("of the baseline: %w", err)
	}
	if seen.number <= before.number {
		rule.OK, rule.Known = true, true
	}
	return nil
}

// hadPath reports whether the baseline shows a path, or with all, has it in any layer.
func (c *check) hadPath(path string, all bool) bool {
	if c.before == nil || c.v.Baseline.Old.Analysis == nil {
		return false
	}
	if all { // also what a layer stores and hides itself, which no tree has
		for _, cause := range []string{"removed", "overwritten", "metadata"} {
			if _, ok := c.before.waste[[2]string{path, cause}]; ok {
				return true
			}
		}
	}
	return c.v.Baseline.Had(path, all)
}
