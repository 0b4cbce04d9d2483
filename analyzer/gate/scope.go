package gate

import (
	"fmt"

	"fathom/analyzer/facts"
)

// Scope says which layers a rule judges.
type Scope uint8

const (
	// Auto is All, except that the default rules judge the own layers where the base
	// image is known for sure.
	Auto Scope = iota
	All
	Own // the layers above the base image
)

// String is the scope as flags and the config file spell it.
func (s Scope) String() string { return Scopes()[s] }

// Scopes are the names of the scopes.
func Scopes() []string { return []string{"auto", "all", "own"} }

// scope is the part of the image that rules judge.
type scope struct {
	from    int           // the first layer
	layers  []facts.Layer // of the report
	figures facts.Totals  // as reported
	counted Totals        // without what is suppressed
	waste   []int         // indexes of the report's Waste that are not suppressed
	wasted  *Rule         // its offenders are the waste that counts
}

// scopes returns the whole image and, if its base is known, its own layers. What own
// layers store again of the base, unchanged, is waste of theirs.
func scopes(r *facts.Report) (all, own *scope) {
	all = &scope{layers: r.Layers, figures: r.Totals, waste: []int{}}
	if r.Base == nil || r.Totals.Own == nil {
		return all, nil
	}
	o := r.Totals.Own
	own = &scope{from: r.Base.Layers, layers: r.Layers[r.Base.Layers:], waste: []int{}}
	own.figures = facts.Totals{
		StoredBytes: o.StoredBytes, WastedBytes: o.WastedBytes + o.CopiedFromBaseBytes, VisibleBytes: o.VisibleBytes - o.CopiedFromBaseBytes,
		CompressedBytes: o.CompressedBytes, Files: o.Files, Layers: o.Layers,
	}
	return all, own
}

// counts reports whether waste is that of the scope's layers.
func (s *scope) counts(w *facts.Waste) bool { return w.StoredIn >= s.from || w.OwnCopy }

// add counts a piece of waste, of which known bytes are the baseline's too.
func (s *scope) add(i int, w *facts.Waste, suppressed bool, known int64) {
	if suppressed {
		s.counted.SuppressedBytes += w.Bytes
		return
	}
	s.counted.KnownBytes += known
	s.counted.WastedBytes += w.Bytes - known
	if known > 0 && known == w.Bytes {
		return
	}
	s.waste = append(s.waste, i)
}

// finish computes the shares. It returns an error if the waste is not as much as the
// report says.
func (s *scope) finish() error {
	t := &s.counted
	t.StoredBytes = s.figures.StoredBytes
	t.Efficiency, t.WastedRatio = shares(t.StoredBytes, t.WastedBytes)
	if sum := t.WastedBytes + t.SuppressedBytes + t.KnownBytes; sum != s.figures.WastedBytes {
		return fmt.Errorf("the report contradicts itself: its list of waste adds up to %d bytes, and its totals say %d", sum, s.figures.WastedBytes)
	}
	return nil
}

// certain reports whether the base image is known for sure.
func certain(r *facts.Report) bool {
	return r.Base != nil && r.Base.Certainty != facts.CertainGuessed
}

// scope returns what a limit judges.
func (c *check) scope(spec *Spec, l Limit) *scope {
	s := l.Scope
	if spec.unscoped {
		if l.Rule == MaxOwnGrowth && c.own != nil {
			return c.own
		}
		return c.all
	}
	if s == Auto {
		s = c.opt.Scope
	}
	switch {
	case s == Own && c.own == nil:
		c.note("the base image is unknown: rules for own layers judge all of them")
	case s == Own && !certain(c.r):
		c.note("the base image is guessed: --base IMAGE names it")
		return c.own
	case s == Own, s == Auto && l.Source == defaultSource && certain(c.r):
		return c.own
	}
	return c.all
}

// littleWaste is what own layers may waste whatever their size is, by the default
// rules: a few small files on a large base are a large share of nearly nothing.
const littleWaste = 1_000_000

// little reports whether a default rule about a share of own layers is broken by waste
// that is not worth a change.
func (c *check) little(s *Spec, rule *Rule) bool {
	return rule.Own && rule.Source == defaultSource && (s.Unit == Ratio || s.Unit == Percent) && c.in.counted.WastedBytes <= littleWaste
}
