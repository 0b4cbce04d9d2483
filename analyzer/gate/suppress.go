package gate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fathom/analyzer/advice"
)

// Day is how days are written: 2027-01-31.
const Day = "2006-01-02"

// Validate says what is wrong with the suppression itself.
func (s *Suppression) Validate() error {
	if err := s.CheckPath(); err != nil {
		return fmt.Errorf("suppressing %s: %w", s.What(), err)
	}
	if strings.TrimSpace(s.Reason) == "" {
		return fmt.Errorf("suppressing %s: there is no reason", s.What())
	}
	known := SuppressibleRules()
	for _, name := range s.Rules {
		if !slices.Contains(known, name) {
			return fmt.Errorf("suppressing %s: %q is neither a rule that denies paths, nor one about packages, nor one that finds something", s.What(), name)
		}
	}
	return nil
}

// SuppressibleRules returns the names that a Suppression can have: of the rules that
// deny paths, of those about packages, and of those that find something.
func SuppressibleRules() []string {
	var names []string
	for _, s := range Specs() {
		if s.DeniesPaths() || s.AboutPackages() {
			names = append(names, s.Name)
		}
	}
	return append(names, FindingRules()...)
}

// aboutPackages reports whether a rule of the gate is about packages.
func aboutPackages(name string) bool {
	s, _ := SpecOf(name)
	return s.AboutPackages()
}

// CheckPath says what is wrong with the globs. Path can be missing if all rules find
// something: a secret in the config has no path.
func (s *Suppression) CheckPath() error {
	if s.Package != "" {
		switch other := slices.IndexFunc(s.Rules, func(name string) bool { return !aboutPackages(name) }); {
		case s.Path != "":
			return errors.New("it has a path and a package")
		case len(s.Rules) == 0:
			return errors.New("it has a package and no rule")
		case other >= 0:
			return fmt.Errorf("%s is not about packages", s.Rules[other])
		}
		return CheckPackageGlob(s.Package)
	}
	finds := func(name string) bool { return slices.Contains(FindingRules(), name) }
	if s.Path == "" && len(s.Rules) > 0 && !slices.ContainsFunc(s.Rules, func(name string) bool { return !finds(name) }) {
		return nil
	}
	return CheckGlob(s.Path)
}

// What returns what is suppressed, in quotes: the glob or, without one, the rules.
func (s *Suppression) What() string {
	return strconv.Quote(cmp.Or(s.Path, s.Package, strings.Join(s.Rules, ", ")))
}

// Expired reports whether today is after the suppression's last day.
func (s *Suppression) Expired(today time.Time) bool {
	return !s.Until.IsZero() && today.Format(Day) > s.Until.Format(Day)
}

// suppressions finds what covers a path or a package.
type suppressions struct {
	all   []Suppressed // of the Verdict
	match []func(path, pkg string) bool
	which []int // those that are about the rule
}

// about is the suppressions for a rule, or with "" for waste.
func (s *suppressions) about(rule string) *suppressions {
	var which []int
	for i, x := range s.all {
		if rule == "" && len(x.Rules) == 0 || slices.Contains(x.Rules, rule) {
			which = append(which, i)
		}
	}
	return &suppressions{s.all, s.match, which}
}

// of is the suppression that the path belongs to, or the package whose database has that
// path: the first that covers it and holds, else the first that covers it and has
// expired; nil where none does. pkg is "" for what is not a package.
func (s *suppressions) of(path, pkg string) *Suppressed {
	var found *Suppressed
	for _, i := range s.which {
		if x := &s.all[i]; (found == nil || found.Expired && !x.Expired) && s.match[i](path, pkg) {
			found = x
		}
	}
	return found
}

// suppress finds out which waste counts.
func (c *check) suppress() error {
	v := c.v
	for _, s := range c.opt.Suppress {
		match := func(path, pkg string) bool { return true }
		if s.Path != "" {
			at := matcher(s.Path)
			match = func(path, _ string) bool { return at(path) }
		} else if s.Package != "" {
			is := packageMatcher(s.Package)
			match = func(_, pkg string) bool { return is(pkg) }
		}
		c.suppressions.match = append(c.suppressions.match, match)
		v.Suppressed = append(v.Suppressed, Suppressed{Suppression: s, Expired: s.Expired(c.opt.Today)})
	}
	c.suppressions.all = v.Suppressed
	known := c.suppressions.about("")
	for i := range c.r.Waste {
		w := &c.r.Waste[i]
		by := known.of(w.Path, "")
		if by != nil {
			by.Pieces++
			by.Bytes += w.Bytes
		}
		suppressed := by != nil && !by.Expired
		known := c.before.wasted(w)
		c.all.add(i, w, suppressed, known)
		if c.own != nil && c.own.counts(w) {
			c.own.add(i, w, suppressed, known)
		}
	}
	if err := c.all.finish(); err != nil {
		return err
	}
	v.Totals = c.all.counted
	if c.own != nil {
		if err := c.own.finish(); err != nil {
			return err
		}
		v.Own = &c.own.counted
	}
	c.suppressFindings()
	return nil
}

// warnOfSuppressions says which suppressions no longer do what they are for.
func (c *check) warnOfSuppressions() {
	v := c.v
	for _, s := range v.Suppressed {
		evaluated := len(s.Rules) == 0 || c.r.Findings != nil && slices.ContainsFunc(s.Rules, func(name string) bool {
			return slices.Contains(FindingRules(), name) && !(name == advice.Secret && c.unsearched())
		})
		for _, r := range v.Rules {
			evaluated = evaluated || r.Err == nil && slices.Contains(s.Rules, r.Name)
		}
		text := ""
		switch below := strings.TrimRight(s.Path, "/*") + "/**"; {
		case s.Expired && s.Pieces > 0 && len(s.Rules) > 0:
			counts, what := "is denied", "paths"
			if aboutPackages(s.Rules[0]) {
				counts, what = "counts", "packages"
			}
			if slices.ContainsFunc(s.Rules, func(name string) bool { return slices.Contains(FindingRules(), name) }) {
				counts = "counts"
			}
			text = fmt.Sprintf("ended on %s: what it covers %s (%s: %d)", s.Until.Format(Day), counts, what, s.Pieces)
		case s.Expired:
			text = fmt.Sprintf("ended on %s: its %d bytes count", s.Until.Format(Day), s.Bytes)
		case !evaluated:
			text = fmt.Sprintf("has no effect: nothing evaluates %s", strings.Join(s.Rules, " or "))
		case s.Pieces > 0:
			continue
		case s.Path == "", below == s.Path, strings.HasSuffix(s.Path, "/"):
			text = "covers nothing"
		default:
			text = fmt.Sprintf("covers nothing; what is below a folder is %q", below)
		}
		v.Warnings = append(v.Warnings, fmt.Sprintf("the suppression of %s %s", s.What(), text))
	}
}

// ParseDay reads "2027-01-31".
func ParseDay(s string) (time.Time, error) {
	t, err := time.Parse(Day, s)
	if err != nil {
		return t, errors.New("not a day, which is written 2027-01-31")
	}
	return t, nil
}
