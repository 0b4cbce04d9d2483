package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
)

func stored(x *facts.Layer) int64     { return x.StoredBytes }
func compressed(x *facts.Layer) int64 { return x.CompressedBytes }
func stores(x *facts.Layer) bool      { return x.StoredBytes > 0 }

// explainWaste lists the waste that counts. All rules about waste share it.
func (c *check) explainWaste(r *Rule, _ Limit) {
	if c.in.wasted == nil {
		c.in.wasted = c.groups()
	}
	w := c.in.wasted
	r.Offenders, r.More, r.MoreBytes, r.all = w.Offenders, w.More, w.MoreBytes, w.all
}

// list makes all of them the rule's offenders.
func (r *Rule) list(all []Offender) {
	n := min(len(all), MaxOffenders)
	r.Offenders, r.More, r.all = all[:n], len(all)-n, slices.Values(all)
	for _, o := range all[n:] {
		r.MoreBytes += o.Bytes
	}
}

// layers are the layers for which the question is answered with yes, those
// that cost most first.
func (c *check) layers(cost func(*facts.Layer) int64, which func(*facts.Layer) bool) []Offender {
	var all []Offender
	for i := range c.in.layers {
		if x := &c.in.layers[i]; which(x) {
			all = append(all, Offender{
				Files: x.Added, Bytes: cost(x), StoredIn: x.Index, StoredBy: x.Command, StoredAt: x.Source, HiddenBy: -1, Advice: c.advise(x.Index, advice.OfStep(x.Command)),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Offender) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return all
}

// groups lists the waste that counts, grouped by the tree.
func (c *check) groups() *Rule {
	all := advice.Groups(c.r, c.in.waste)
	n := min(len(all), MaxOffenders)
	rule := &Rule{More: len(all) - n}
	for i := range all[:n] {
		rule.Offenders = append(rule.Offenders, c.offender(&all[i]))
	}
	for i := range all[n:] {
		rule.MoreBytes += all[n+i].Bytes
	}
	rule.all = func(yield func(Offender) bool) {
		for i := range all {
			if !yield(c.offender(&all[i])) {
				return
			}
		}
	}
	return rule
}

func (c *check) offender(g *advice.Group) Offender {
	o := Offender{
		Path: g.Path, Files: g.Files, Bytes: g.Bytes, Cause: g.Cause, StoredIn: g.StoredIn, StoredBy: c.command(g.StoredIn), StoredAt: c.source(g.StoredIn),
		HiddenBy: g.HiddenBy, HiddenAs: c.command(g.HiddenBy), HiddenAt: c.source(g.HiddenBy),
	}
	f := c.findingAt(g)
	switch {
	case f != nil:
		o.Advice = f.Fix.Text // it knows more than the path and the step
	case c.ofBase(o.StoredIn):
		o.Advice = advice.OfBaseWaste(c.r.Base, o.Cause, o.HiddenBy)
	default:
		o.Advice = advice.OfWaste(o.Path, o.Cause, o.HiddenAs)
	}
	return o
}

// advise returns the advice about what a layer stores. No step of the base image can be
// changed.
func (c *check) advise(layer int, own string) string {
	if c.ofBase(layer) {
		return advice.OfBase(c.r.Base)
	}
	return own
}

// ofBase reports whether a layer is the base image's for sure.
func (c *check) ofBase(layer int) bool {
	return certain(c.r) && layer >= 0 && layer < c.r.Base.Layers
}

// wasteKey is a place of waste, or of a finding about it.
type wasteKey struct {
	path           string
	stored, hidden int
}

// findingAt returns the finding that has waste as one of its places, or nil.
func (c *check) findingAt(g *advice.Group) *facts.Finding {
	if c.about == nil {
		c.about = map[wasteKey]*facts.Finding{}
		for i := range c.r.Findings {
			f := &c.r.Findings[i]
			for _, p := range f.Places {
				if p.HiddenBy >= 0 && p.Bytes > 0 {
					c.about[wasteKey{p.Path, p.Layer, p.HiddenBy}] = f
				}
			}
		}
	}
	return c.about[wasteKey{strings.TrimSuffix(g.Path, "/"), g.StoredIn, g.HiddenBy}]
}

// command is the step that made layer i, "" when it is unknown.
func (c *check) command(i int) string {
	if i < 0 || i >= len(c.r.Layers) {
		return ""
	}
	return c.r.Layers[i].Command
}

// source returns the lines of the step that made layer i, nil if they are unknown.
func (c *check) source(i int) *facts.Source {
	if i < 0 || i >= len(c.r.Layers) {
		return nil
	}
	return c.r.Layers[i].Source
}

// denial is what a rule that denies paths found.
type denial struct {
	about func(File) bool
	from  int // the first layer that counts
	globs []string
	all   bool                  // paths of any layer
	match func(path string) int // the glob that denies it, or -1
	known *suppressions
	paths int64
	last  string // the path that was looked at before, and counted
	bytes int64
	hits  []hit    // all offenders
	first [][]File // of each glob the first by path
}

// hit is a denied file: which one of Options.Files it is, and the glob that
// denies it. All makes its path again: a short archive can
// hold gigabytes of paths.
type hit struct{ file, glob uint32 }

// deny looks at every path once, for all rules that deny some.
func (c *check) deny() {
	c.denied = map[string]*denial{}
	for _, l := range c.limits {
		s, _ := SpecOf(l.Rule)
		if !s.DeniesPaths() {
			continue
		}
		c.denied[l.Rule] = &denial{
			about: s.paths, from: c.scope(&s, l).from, globs: l.Globs, all: l.Rule == DenyLayerPath, match: denier(l.Globs, matcher),
			known: c.suppressions.about(l.Rule), first: make([][]File, len(l.Globs)),
		}
	}
	last := map[*Suppressed]string{} // the path that it covered last
	n := uint32(0)
	for f := range c.opt.Files {
		var counted *Suppressed
		for _, d := range c.denied {
			if f.Layer < d.from || !d.about(f) {
				continue
			}
			glob := d.match(f.Path)
			if glob < 0 {
				continue
			}
			if c.hadPath(f.Path, d.all) {
				continue
			}
			first := d.last != f.Path // no path is ""
			d.last = f.Path
			by := d.known.of(f.Path, "")
			if by != nil && by != counted { // once, also where both rules deny it
				counted = by
				by.Bytes += f.Bytes
				if last[by] != f.Path {
					by.Pieces++
					last[by] = f.Path
				}
			}
			if by != nil && !by.Expired {
				continue
			}
			if first {
				d.paths++
			}
			d.bytes += f.Bytes
			d.hits = append(d.hits, hit{n, uint32(glob)})
			d.first[glob] = append(d.first[glob], f)
			if len(d.first[glob]) == 2*MaxDenied {
				d.first[glob] = firstByPath(d.first[glob])
			}
		}
		n++
	}
}

func (c *check) deniedFile(f File, glob string) Offender {
	return Offender{
		Path: f.Path, Files: 1, Bytes: f.Bytes, StoredIn: f.Layer, StoredBy: c.command(f.Layer), StoredAt: c.source(f.Layer),
		HiddenBy: f.HiddenBy, HiddenAs: c.command(f.HiddenBy), HiddenAt: c.source(f.HiddenBy), Glob: glob, Advice: c.advise(f.Layer, denyAdvice(f)),
	}
}

func firstByPath(all []File) []File {
	slices.SortFunc(all, func(a, b File) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer)) })
	return all[:min(len(all), MaxDenied)]
}

func (c *check) deniedPaths(l Limit) (value, error) {
	if c.opt.Files == nil {
		return value{}, ErrNoPaths
	}
	if c.denied == nil {
		c.deny()
	}
	return value{number: c.denied[l.Rule].paths}, nil
}

func (c *check) explainDenied(rule *Rule, _ Limit) {
	d := c.denied[rule.Name]
	for i := range d.first {
		d.first[i] = firstByPath(d.first[i])
	}
	rule.More, rule.MoreBytes = len(d.hits), d.bytes
	for i := range MaxDenied {
		for glob, first := range d.first {
			if i < len(first) {
				rule.Offenders = append(rule.Offenders, c.deniedFile(first[i], d.globs[glob]))
				rule.More--
				rule.MoreBytes -= first[i].Bytes
			}
		}
	}
	rule.all = func(yield func(Offender) bool) {
		n, hits := uint32(0), d.hits
		for f := range c.opt.Files {
			if hits[0].file == n {
				if !yield(c.deniedFile(f, d.globs[hits[0].glob])) {
					return
				}
				if hits = hits[1:]; len(hits) == 0 {
					return
				}
			}
			n++
		}
	}
}

func denyAdvice(f File) string {
	if f.HiddenBy >= 0 {
		return fmt.Sprintf("layer %d hides it and layer %d still ships it: keep it out of the step that stores it (RUN --mount=type=secret, .dockerignore, an earlier stage)", f.HiddenBy, f.Layer)
	}
	return "leave it out of the step that stores it: .dockerignore, an earlier stage, or RUN --mount=type=secret for what is secret"
}
