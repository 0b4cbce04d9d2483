package gate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
)

// FindingRules returns the names of the rules that find what to change. They can be
// named in a Suppression and in a limit of the form Names.
func FindingRules() []string {
	var names []string
	for _, r := range advice.Rules() {
		names = append(names, r.Name)
	}
	return names
}

// FindingNames returns what a limit of the form Names can name: the severities of
// findings, the most serious first, and the rules that find something.
func FindingNames() []string { return append(facts.Severities(), FindingRules()...) }

func (s *Spec) checkNames(names []string) error {
	known := s.names()
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("%q is none of %s", n, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		return errors.New("there is no name")
	}
	return nil
}

// placeKey is a place of a finding in the report. The places that the report doesn't
// list are one more, behind the others.
type placeKey struct{ finding, place int }

// SuppressedBy returns the suppression that covers a place of a finding of the
// report, nil if there is none. A place of len(Places) stands for those that the
// report doesn't list.
func (v *Verdict) SuppressedBy(finding, place int) *Suppressed {
	return v.covered[placeKey{finding, place}]
}

// offenders returns the places of a finding as offenders. The last one stands for
// those that the report doesn't list, if there are any.
func (c *check) offenders(f *facts.Finding) []Offender {
	all := make([]Offender, 0, len(f.Places)+1)
	rest := f.Bytes
	for i := range f.Places {
		p := &f.Places[i]
		rest -= p.Bytes
		all = append(all, Offender{
			Path: p.Path, Files: p.Files, Bytes: p.Bytes, StoredIn: p.Layer, StoredBy: c.command(p.Layer), StoredAt: c.source(p.Layer),
			HiddenBy: p.HiddenBy, HiddenAs: c.command(p.HiddenBy), HiddenAt: c.source(p.HiddenBy), Finding: f.Rule, Redacted: p.Redacted, Advice: f.Fix.Text,
		})
	}
	if f.MorePlaces > 0 || len(all) == 0 {
		all = append(all, Offender{Bytes: rest, StoredIn: -1, HiddenBy: -1, Finding: f.Rule, Places: max(f.MorePlaces, 1), Advice: f.Fix.Text})
	}
	return all
}

// suppressFindings finds out which places of findings are suppressed.
func (c *check) suppressFindings() {
	c.v.covered = map[placeKey]*Suppressed{}
	for i := range c.r.Findings {
		f := &c.r.Findings[i]
		known := c.suppressions.about(f.Rule)
		if len(known.which) == 0 {
			continue
		}
		for j, o := range c.offenders(f) {
			by := known.of(o.Path, "")
			if by == nil {
				continue
			}
			by.Pieces += max(o.Places, 1)
			by.Bytes += o.Bytes
			if !by.Expired {
				c.v.covered[placeKey{i, j}] = by
			}
		}
	}
}

// found returns how many findings count, of those that is returns true for, and all
// their places that are not suppressed.
func (c *check) found(is func(*facts.Finding) bool) (findings int, places []Offender) {
	for i := range c.r.Findings {
		f := &c.r.Findings[i]
		if !is(f) || c.before.found(f) || c.in == c.own && f.Owner == facts.OwnerBase {
			continue
		}
		before := len(places)
		for j, o := range c.offenders(f) {
			if c.v.SuppressedBy(i, j) == nil && !c.before.listed(f, j) {
				places = append(places, o)
			}
		}
		if len(places) > before {
			findings++
		}
	}
	return findings, places
}

// saves reports whether a finding counts for max-findings-bytes.
func saves(f *facts.Finding) bool { return f.Severity != facts.SeverityInfo && f.Bytes > 0 }

func (c *check) findingsBytes(Limit) (value, error) {
	if c.r.Findings == nil {
		return value{}, ErrNoFindings
	}
	_, places := c.found(saves)
	sum := int64(0)
	for _, o := range places {
		sum += o.Bytes
	}
	return value{number: sum}, nil
}

func (c *check) explainFindingsBytes(r *Rule, _ Limit) {
	_, places := c.found(saves)
	slices.SortStableFunc(places, func(a, b Offender) int { return cmp.Compare(b.Bytes, a.Bytes) })
	r.list(places)
}

// fails returns which findings break a limit of the form Names: those of a rule that
// it names, and those that are at least as serious as a severity that it names.
func (l *Limit) fails() func(*facts.Finding) bool {
	least := -1
	for i, s := range facts.Severities() {
		if slices.Contains(l.Names, s) {
			least = i
		}
	}
	return func(f *facts.Finding) bool {
		return slices.Index(facts.Severities(), f.Severity) <= least || slices.Contains(l.Names, f.Rule)
	}
}

func (c *check) failingFindings(l Limit) (value, error) {
	switch {
	case c.r.Findings == nil:
		return value{}, ErrNoFindings
	case c.unsearched() && slices.Contains(l.Names, advice.Secret):
		return value{}, ErrNoSecrets
	case c.unsearched():
		c.note(FailOnFinding + ": the image was not searched for secrets, or not in all layers")
	}
	n, _ := c.found(l.fails())
	return value{number: int64(n)}, nil
}

// unsearched reports whether some layers were not searched for secrets.
func (c *check) unsearched() bool {
	return c.r.Secrets == facts.SecretsOff || c.r.Secrets == facts.SecretsSome
}

// explainFailing lists the places of the most serious findings first.
func (c *check) explainFailing(r *Rule, l Limit) {
	var all []Offender
	for _, s := range facts.Severities() {
		fails := l.fails()
		_, places := c.found(func(f *facts.Finding) bool { return f.Severity == s && fails(f) })
		all = append(all, places...)
	}
	r.list(all)
}

// old reports whether the default rules about findings don't apply: an older version
// wrote the report, which looked for none. If no other rule is left, they apply, and
// can't be evaluated.
func (c *check) old() bool {
	return c.r.Findings == nil && c.v.Default && slices.ContainsFunc(c.limits, func(l Limit) bool {
		s, _ := SpecOf(l.Rule)
		return !s.finds
	})
}
