package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer"
)

// explain fills in what costs most of a broken rule.
func (c *check) explain(rule *Rule, l Limit) {
	switch rule.Name {
	case MinEfficiency, MaxWastedBytes, MaxWastedPercent:
		if c.wasted == nil {
			c.wasted = c.groups()
		}
		rule.list(c.wasted)
	case MaxLayerSize:
		rule.list(c.layers(func(x *analyzer.LayerReport) int64 { return x.StoredBytes },
			func(x *analyzer.LayerReport) bool { return x.StoredBytes > l.Number }))
	case MaxCompressedSize:
		rule.list(c.layers(func(x *analyzer.LayerReport) int64 { return x.CompressedBytes }, nil))
	case MaxGrowth:
		known := map[string]bool{}
		for _, x := range c.opt.Baseline.Layers {
			known[x.DiffID] = true
		}
		rule.list(c.layers(func(x *analyzer.LayerReport) int64 { return x.StoredBytes },
			func(x *analyzer.LayerReport) bool { return !known[x.DiffID] }))
	case MaxLayers:
		all := c.layers(func(x *analyzer.LayerReport) int64 { return x.StoredBytes }, nil)
		slices.Reverse(all) // the smallest are the easiest to join with another
		for i := range all {
			all[i].Advice = "join steps that belong together: several commands in one RUN, several sources in one COPY"
		}
		rule.list(all)
	case MaxFiles:
		all := c.layers(func(x *analyzer.LayerReport) int64 { return x.StoredBytes }, func(x *analyzer.LayerReport) bool { return x.Added > 0 })
		slices.SortStableFunc(all, func(a, b Offender) int { return cmp.Compare(b.Files, a.Files) })
		rule.list(all)
	default:
		rule.list(c.layers(func(x *analyzer.LayerReport) int64 { return x.StoredBytes }, nil))
	}
}

// list makes the first of all the rule's offenders, and counts the others.
func (r *Rule) list(all []Offender) {
	n := min(len(all), MaxOffenders)
	r.Offenders = slices.Clone(all[:n])
	r.More = len(all) - n
	for _, o := range all[n:] {
		r.MoreBytes += o.Bytes
	}
}

// layers are layers that cost anything, the most expensive first; which is nil
// for all of them.
func (c *check) layers(cost func(*analyzer.LayerReport) int64, which func(*analyzer.LayerReport) bool) []Offender {
	var all []Offender
	for i := range c.r.Layers {
		x := &c.r.Layers[i]
		if which == nil || which(x) {
			all = append(all, Offender{
				Files: x.Added, Bytes: cost(x), StoredIn: x.Index, StoredBy: x.Command, HiddenBy: -1, Advice: stepAdvice(x.Command),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Offender) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return all
}

// groups is the waste that counts, the most expensive ones first. What lies in a
// folder that is known as a whole, such as a cache, and went the same way, is
// one offender.
func (c *check) groups() []Offender {
	type key struct {
		path, cause    string
		stored, hidden int
	}
	at := map[key]int{}
	known := map[string]string{} // by the folder that a file lies in, the known one above it
	var all []Offender
	for _, i := range c.waste {
		w := &c.r.Waste[i]
		path := wastePath(w)
		dir := path[:strings.LastIndexByte(path, '/')+1]
		folder, ok := known[dir]
		if !ok {
			folder, _ = knownFolder(dir)
			known[dir] = folder
		}
		if folder != "" {
			path = folder
		}
		k := key{path, w.Cause, w.StoredIn, w.HiddenBy}
		j, ok := at[k]
		if !ok {
			j = len(all)
			at[k] = j
			all = append(all, Offender{
				Path: path, Cause: w.Cause, StoredIn: w.StoredIn, StoredBy: c.command(w.StoredIn),
				HiddenBy: w.HiddenBy, HiddenAs: c.command(w.HiddenBy),
			})
		}
		all[j].Files++
		all[j].Bytes += w.Bytes
	}
	// The first ones are all that is shown of what may be a hundred thousand.
	for i := range min(len(all), MaxOffenders) {
		best := i
		for j := range all[i:] {
			if before(&all[i+j], &all[best]) {
				best = i + j
			}
		}
		all[i], all[best] = all[best], all[i]
		all[i].Advice = wasteAdvice(&all[i])
	}
	return all
}

// before is whether a costs more than b; for the same, by path, and how it went.
func before(a, b *Offender) bool {
	if a.Bytes != b.Bytes {
		return a.Bytes > b.Bytes
	}
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.StoredIn, b.StoredIn),
		cmp.Compare(a.HiddenBy, b.HiddenBy), cmp.Compare(a.Cause, b.Cause)) < 0
}

// command is what made layer i, "" when nobody knows.
func (c *check) command(i int) string {
	if i < 0 || i >= len(c.r.Layers) {
		return ""
	}
	return c.r.Layers[i].Command
}

// denial is what a rule that denies paths found.
type denial struct {
	match []func(string) bool
	final bool // of the final image only
	paths int64
	last  string
	rule  Rule // its offenders
}

// deny looks at every path once, for all rules that deny some.
func (c *check) deny() {
	c.denied = map[string]*denial{}
	for _, l := range c.limits {
		if len(l.Globs) == 0 {
			continue
		}
		d := &denial{final: l.Rule == DenyPath}
		for _, g := range l.Globs {
			d.match = append(d.match, matcher(g))
		}
		c.denied[l.Rule] = d
	}
	for f := range c.opt.Files {
		for _, d := range c.denied {
			if d.final && f.HiddenBy >= 0 || !slices.ContainsFunc(d.match, func(m func(string) bool) bool { return m(f.Path) }) {
				continue
			}
			if d.paths == 0 || d.last != f.Path {
				d.paths++
				d.last = f.Path
			}
			d.rule.keep(Offender{
				Path: f.Path, Files: 1, Bytes: f.Bytes, StoredIn: f.Layer, StoredBy: c.command(f.Layer),
				HiddenBy: f.HiddenBy, HiddenAs: c.command(f.HiddenBy), Advice: denyAdvice(f),
			})
		}
	}
}

// keep adds an offender to those that are listed, while it is one of the
// largest.
func (r *Rule) keep(o Offender) {
	at, _ := slices.BinarySearchFunc(r.Offenders, o, func(a, b Offender) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path), cmp.Compare(a.StoredIn, b.StoredIn))
	})
	r.Offenders = slices.Insert(r.Offenders, at, o)
	if len(r.Offenders) > MaxOffenders {
		r.More++
		r.MoreBytes += r.Offenders[MaxOffenders].Bytes
		r.Offenders = r.Offenders[:MaxOffenders]
	}
}

func (c *check) judgePaths(rule *Rule) error {
	if c.opt.Files == nil {
		return ErrNoPaths
	}
	if c.denied == nil {
		c.deny()
	}
	d := c.denied[rule.Name]
	rule.atMost(d.paths, 0)
	rule.Offenders, rule.More, rule.MoreBytes = d.rule.Offenders, d.rule.More, d.rule.MoreBytes
	return nil
}

func denyAdvice(f File) string {
	if f.HiddenBy >= 0 {
		return fmt.Sprintf("layer %d hides it and layer %d still ships it: keep it out of the step that stores it (RUN --mount=type=secret, .dockerignore, an earlier stage)", f.HiddenBy, f.Layer)
	}
	return "leave it out of the step that stores it: .dockerignore, an earlier stage, or RUN --mount=type=secret for what is secret"
}
