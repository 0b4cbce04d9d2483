package gate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"fathom/analyzer/facts"
	"fathom/analyzer/packages"
)

// CheckPackageGlob says what is wrong with a glob of packages, which is matched against
// "type:name". `*` and `?` match any characters, also slashes and colons; `[a-z]`,
// `{a,b}` and a backslash work as in the globs of paths.
func CheckPackageGlob(glob string) error {
	kind, name, colon := strings.Cut(glob, ":")
	switch {
	case glob == "":
		return errors.New("the glob is empty")
	case strings.HasPrefix(glob, "!"):
		return fmt.Errorf("%q: only rules that deny packages have exceptions; [!] is the character", glob)
	case !doublestar.ValidatePattern(flat(glob)):
		return fmt.Errorf("%q is no glob: a bracket or a brace isn't closed, or a backslash ends it", glob)
	case strings.ContainsAny(glob, " \t\n\"'"):
		return fmt.Errorf("%q would match nothing: the names of packages have no spaces and no quotes", glob)
	case strings.Contains(glob, ",") && !strings.Contains(glob, "{"):
		return fmt.Errorf("%q would match nothing: each glob stands alone", glob)
	case !colon:
		return fmt.Errorf("%q would match nothing: it has no type, as in *:%s", glob, glob)
	case name == "":
		return fmt.Errorf("%q would match nothing: it has no name, as in %s:*", glob, kind)
	case !strings.ContainsAny(kind, `*?[]{}\`) && !slices.Contains(facts.PackageTypes(), kind):
		return fmt.Errorf("%q would match nothing: the types are %s", glob, strings.Join(facts.PackageTypes(), ", "))
	}
	return nil
}

// flat returns a glob or a name without slashes, which would end what * matches.
func flat(s string) string { return strings.ReplaceAll(s, "/", "\x00") }

func packageMatcher(glob string) func(name string) bool {
	pattern := flat(glob)
	return func(name string) bool { return doublestar.MatchUnvalidated(pattern, flat(name)) }
}

// packages returns the packages for which is returns true and which the rule counts, as
// offenders: those that are not suppressed, the largest first.
func (c *check) packages(rule string, is func(p *facts.Package) (glob string, ok bool)) ([]Offender, error) {
	if c.r.Packages == nil {
		return nil, ErrNoPackages
	}
	if Unverified(c.r) != nil || c.r.Secrets == facts.SecretsSome { // some layers may not have been read
		return nil, ErrUnreadPackages
	}
	if slices.ContainsFunc(c.r.Warnings, packages.Incomplete) {
		return nil, ErrIncompletePackages
	}
	if slices.ContainsFunc(c.r.Warnings, func(w facts.Warning) bool { return strings.HasPrefix(w.Text, packages.Unreadable) }) {
		c.note(rule + ": a package database can't be read, so its packages are not judged")
	}
	known := c.suppressions.about(rule)
	var out []Offender
	for i := range c.r.Packages {
		p := &c.r.Packages[i]
		glob, ok := is(p)
		if !ok || p.BroughtBy < c.in.from {
			continue
		}
		o := c.packageOffender(p, glob)
		by := known.of(o.Path, o.Package)
		if by != nil {
			by.addPackage(i, o.Bytes)
		}
		if by == nil || by.Expired {
			out = append(out, o)
		}
	}
	return out, nil
}

// addPackage counts a package that is suppressed, once for all rules.
func (s *Suppressed) addPackage(i int, bytes int64) {
	if s.packages[i] {
		return
	}
	if s.packages == nil {
		s.packages = map[int]bool{}
	}
	s.packages[i] = true
	s.Pieces++
	s.Bytes += bytes
}

func (c *check) packageOffender(p *facts.Package, glob string) Offender {
	return Offender{
		Path: p.Database, Package: p.Type + ":" + p.Name, Version: p.Version, Glob: glob, Files: p.Files, Bytes: packageBytes(p),
		StoredIn: p.BroughtBy, StoredBy: c.command(p.BroughtBy), StoredAt: c.source(p.BroughtBy),
		HiddenBy: p.RemovedBy, HiddenAs: c.command(p.RemovedBy), HiddenAt: c.source(p.RemovedBy),
		Advice: c.advise(p.BroughtBy, packageAdvice(p)),
	}
}

// packageBytes returns what the layers store of a package.
func packageBytes(p *facts.Package) int64 { return p.VisibleBytes + p.WastedBytes }

// packageAdvice says how to make an image without a package, or with less of it.
func packageAdvice(p *facts.Package) string {
	needs := map[string]string{
		facts.TypeDeb: "apt-cache rdepends --installed NAME", facts.TypeAPK: "apk info --rdepends NAME", facts.TypeRPM: "rpm -q --whatrequires NAME",
		facts.TypeNPM: "npm explain NAME", facts.TypePython: "pip show NAME", facts.TypeGem: "gem dependency NAME --reverse-dependencies",
		facts.TypeComposer: "composer why NAME",
	}
	switch who := needs[p.Type]; {
	case p.RemovedBy >= 0:
		return fmt.Sprintf("layer %d removes it and the layers below still ship it: leave it out of the step that installs it, or remove it there", p.RemovedBy)
	case p.WastedBytes > p.VisibleBytes:
		return "a later step stores most of its files again: install the version that stays in one step"
	case who != "":
		return "leave it out of the step that installs it; " + who + " says which packages need it"
	}
	return "leave it out of the step that stores it, or build without it in an earlier stage"
}

// largestPackage returns the bytes of the largest package that counts.
func (c *check) largestPackage(l Limit) (value, error) {
	over, err := c.packages(l.Rule, func(p *facts.Package) (string, bool) { return "", packageBytes(p) > l.Number })
	if err != nil {
		return value{}, err
	}
	c.offend(l.Rule, over)
	largest := int64(0)
	for i := range c.r.Packages {
		if p := &c.r.Packages[i]; p.BroughtBy >= c.in.from && packageBytes(p) <= l.Number {
			largest = max(largest, packageBytes(p))
		}
	}
	for _, o := range over {
		largest = max(largest, o.Bytes)
	}
	return value{number: largest}, nil
}

// deniedPackages returns the number of packages that the image has and a rule denies.
func (c *check) deniedPackages(l Limit) (value, error) {
	match := denier(l.Globs, packageMatcher)
	all, err := c.packages(l.Rule, func(p *facts.Package) (string, bool) {
		if p.RemovedBy >= 0 || c.before != nil && c.before.packages[p.Type+":"+p.Name] {
			return "", false
		}
		i := match(p.Type + ":" + p.Name)
		if i < 0 {
			return "", false
		}
		return l.Globs[i], true
	})
	// The largest of each glob come first.
	rank, of := map[Offender]int{}, map[string]int{}
	for _, o := range all {
		rank[o] = of[o.Glob]
		of[o.Glob]++
	}
	slices.SortStableFunc(all, func(a, b Offender) int { return cmp.Compare(rank[a], rank[b]) })
	c.offend(l.Rule, all)
	return value{number: int64(len(all))}, err
}

func (c *check) offend(rule string, all []Offender) {
	if c.offending == nil {
		c.offending = map[string][]Offender{}
	}
	c.offending[rule] = all
}

func (c *check) explainPackages(r *Rule, _ Limit) { r.list(c.offending[r.Name]) }
