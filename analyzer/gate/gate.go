// Package gate judges a report by limits.
package gate

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"fathom/analyzer/facts"
)

// Options for Check. The zero value judges a report alone.
type Options struct {
	FailOn   Severity
	Suppress []Suppression
	// Today decides which suppressions have expired. It must be set if one of them
	// has an end.
	Today time.Time
	// Baseline is compared with; its New side is the image that is judged.
	Baseline *Baseline
	// BaselineErr says why the requested baseline is missing.
	BaselineErr error
	// NoBaseline says that there is no baseline yet: rules that need one are skipped.
	NoBaseline bool
	// OnlyNew does not count what the baseline already has.
	OnlyNew bool
	// Files returns every path of every layer, for the rules that deny paths. If
	// several layers have the same path, these follow one another. Files is nil if
	// there is only the report.
	Files iter.Seq[File]
	// AllowUnverified also judges layers that are listed from a table of
	// contents that was not compared with their content.
	AllowUnverified bool
	// Scope is that of limits without one.
	Scope Scope
}

// File is a path as one layer has it.
type File struct {
	Path     string // rooted, with the image's own bytes
	Bytes    int64  // of content; 0 for anything but a regular file
	Layer    int    // the layer that has it
	HiddenBy int    // the layer that removed or replaced it; -1 if the final image shows it
}

// Check judges the report by the limits, or by Default if there are none. An error
// means that the limits, the suppressions or the report's figures are invalid. A rule
// that can't be evaluated is not an error of Check: its Err in the Verdict says why.
func Check(r *facts.Report, l Limits, opt Options) (Verdict, error) {
	if err := l.Validate(); err != nil {
		return Verdict{}, err
	}
	if err := r.Totals.Check(); err != nil {
		return Verdict{}, fmt.Errorf("the report contradicts itself: %w", err)
	}
	for _, s := range opt.Suppress {
		if err := s.Validate(); err != nil {
			return Verdict{}, err
		}
	}
	var none error // why no rule can be evaluated
	if !opt.AllowUnverified {
		none = Unverified(r)
	}
	if len(l) == 0 {
		l = Default()
	}
	v := Verdict{FailOn: opt.FailOn, Baseline: opt.Baseline}
	v.Default = !slices.ContainsFunc(l, func(x Limit) bool { return x.Source != defaultSource })
	c := check{r: r, opt: opt, limits: l, v: &v}
	c.all, c.own = scopes(r)
	c.fillOld()
	if err := c.suppress(); err != nil {
		return Verdict{}, err
	}
	var left []string
	old := c.old()
	for _, s := range Specs() {
		i := slices.IndexFunc(l, func(x Limit) bool { return x.Rule == s.Name })
		if i < 0 {
			if s.Name == MaxGrowth && opt.BaselineErr != nil && !l.compares() { // the baseline was requested, so that it is missing is an error
				v.Rules = append(v.Rules, Rule{Name: s.Name, Unit: s.Unit, Err: opt.BaselineErr})
			}
			continue
		}
		if old && s.finds {
			left = append(left, s.Name)
			continue
		}
		rule := Rule{Name: s.Name, Unit: l[i].Unit, AtLeast: s.AtLeast, Severity: l[i].Severity, Source: l[i].Source, Globs: l[i].Globs, Names: l[i].Names}
		c.in = c.scope(&s, l[i])
		rule.Own = c.in == c.own && c.own != nil
		if rule.Err = none; none == nil {
			rule.Err = c.judge(&s, &rule, l[i])
		}
		v.Rules = append(v.Rules, rule)
	}
	if len(left) > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%v; left out of the default rules: %s", ErrNoFindings, strings.Join(left, ", ")))
	}
	if opt.OnlyNew && opt.Baseline != nil {
		c.note("only-new: what the baseline already has does not count")
	}
	if opt.Baseline != nil {
		if a, b := opt.Baseline.report().Image.Platform, r.Image.Platform; a != b && a != "" && b != "" {
			c.note(fmt.Sprintf("the baseline is for %s, and the image is for %s", a, b))
		}
	}
	c.noteSkipped()
	c.warnOfSuppressions()
	return v, nil
}

// check is the state of one call of Check.
type check struct {
	r            *facts.Report
	opt          Options
	limits       Limits
	v            *Verdict // filled in by the methods
	suppressions suppressions
	all, own     *scope                      // own is nil if the base is unknown
	in           *scope                      // what the current rule judges
	denied       map[string]*denial          // by rule; filled by deny
	about        map[wasteKey]*facts.Finding // filled by findingAt
	offending    map[string][]Offender       // of rules that observe their offenders
	before       *old                        // what the baseline has; nil if that counts too
	grown        []Grown                     // of max-folder-growth
}

// judge fills in the observed value of a rule and, if the rule is broken, why. An
// error says why the rule can't be evaluated.
func (c *check) judge(s *Spec, rule *Rule, l Limit) error {
	if s.since {
		if c.opt.NoBaseline {
			rule.OK, rule.Skipped = true, true
			rule.setLimit(l)
			return nil
		}
		if _, err := c.baseline(); err != nil {
			return err
		}
	}
	seen, err := s.observe(c, l)
	if err != nil {
		return err
	}
	if s.Form == Folders {
		rule.Folders = c.grown
	}
	rule.setLimit(l)
	if l.Unit == Bytes || l.Unit == Count { // compared exactly, as integers
		rule.Observed, rule.OK = float64(seen.number), passes(s, seen.number, l.Number)
	} else {
		rule.Observed, rule.OK = seen.ratio, passes(s, seen.ratio, l.Ratio)
	}
	if !rule.OK && c.little(s, rule) {
		rule.OK, rule.Little = true, true
	}
	if !rule.OK && c.opt.OnlyNew && !s.since {
		if err := c.onlyNew(s, rule, l, seen); err != nil {
			rule.Limit, rule.Observed = 0, 0
			return err
		}
	}
	if !rule.OK {
		s.explain(c, rule, l)
	}
	return nil
}

func (r *Rule) setLimit(l Limit) {
	r.Limit = l.Ratio
	if l.Unit == Bytes || l.Unit == Count {
		r.Limit = float64(l.Number)
	}
}

func passes[T int64 | float64](s *Spec, seen, limit T) bool {
	if s.AtLeast {
		return seen >= limit
	}
	return seen <= limit
}

// shares returns the visible and the wasted share of the stored bytes. Each is one
// correctly rounded division. A parsed limit is correctly rounded, too: 9 of 10
// bytes is the same number as "0.9".
func shares(stored, wasted int64) (visible, waste float64) {
	if stored == 0 {
		return 1, 0
	}
	return float64(stored-wasted) / float64(stored), float64(wasted) / float64(stored)
}

func growth(bytes, baseline int64) float64 {
	switch {
	case bytes == 0:
		return 0
	case baseline == 0:
		return math.Inf(1)
	}
	return float64(bytes) / float64(baseline)
}

// note adds a note to the verdict, once.
func (c *check) note(text string) {
	if !slices.Contains(c.v.Notes, text) {
		c.v.Notes = append(c.v.Notes, text)
	}
}

// noteSkipped adds a note about the rules that were skipped.
func (c *check) noteSkipped() {
	var names []string
	for _, r := range c.v.Rules {
		if r.Skipped {
			names = append(names, r.Name)
		}
	}
	if len(names) > 0 {
		c.note("there is no baseline yet, so these rules pass unjudged: " + strings.Join(names, ", "))
	}
}
