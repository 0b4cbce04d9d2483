package gate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The rules, as their flags and their keys in the config file are called.
const (
	MinEfficiency     = "min-efficiency"
	MaxWastedBytes    = "max-wasted-bytes"
	MaxWastedPercent  = "max-wasted-percent"
	MaxSize           = "max-size"
	MaxCompressedSize = "max-compressed-size"
	MaxLayerSize      = "max-layer-size"
	MaxLayers         = "max-layers"
	MaxFiles          = "max-files"
	MaxGrowth         = "max-growth"
	DenyPath          = "deny-path"
	DenyLayerPath     = "deny-layer-path"
)

// Spec is what there is to know of a rule before it has a limit.
type Spec struct {
	Name    string
	Unit    Unit // of max-growth, Bytes or Percent as its limit says
	AtLeast bool
	Waste   bool // suppressed waste doesn't count
	Globs   bool // its limit is a list of globs
	Means   string
}

// Specs are all rules, in the order in which a Verdict has them.
func Specs() []Spec {
	return []Spec{
		{Name: MinEfficiency, Unit: Ratio, AtLeast: true, Waste: true, Means: "at least this share of what is stored is visible"},
		{Name: MaxWastedBytes, Unit: Bytes, Waste: true, Means: "at most this much is wasted"},
		{Name: MaxWastedPercent, Unit: Percent, Waste: true, Means: "at most this share of what is stored is wasted"},
		{Name: MaxSize, Unit: Bytes, Means: "all layers together store at most this much, uncompressed"},
		{Name: MaxCompressedSize, Unit: Bytes, Means: "all layers together are at most this large, compressed"},
		{Name: MaxLayerSize, Unit: Bytes, Means: "no layer stores more than this, uncompressed"},
		{Name: MaxLayers, Unit: Count, Means: "at most so many layers"},
		{Name: MaxFiles, Unit: Count, Means: "at most so many files in the final image"},
		{Name: MaxGrowth, Unit: Bytes, Means: "it stores at most so much more than the baseline"},
		{Name: DenyPath, Unit: Count, Globs: true, Means: "no path of the final image matches"},
		{Name: DenyLayerPath, Unit: Count, Globs: true, Means: "no path of any layer matches, even if a later layer removes it"},
	}
}

// SpecOf is the rule of that name.
func SpecOf(name string) (Spec, bool) {
	all := Specs()
	i := slices.IndexFunc(all, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return all[i], true
}

// Limit is what one rule asks for. One that is met exactly is kept.
type Limit struct {
	Rule     string
	Unit     Unit
	Number   int64    // of Bytes and Count
	Ratio    float64  // of Ratio and Percent
	Globs    []string // of the rules that deny paths; see CheckGlobs
	Severity Severity
	Source   string // becomes the Rule's
}

// Limits is what an image must keep to: at most one limit for each rule.
type Limits []Limit

// Default is what is asked of an image when nobody asked for anything: at
// least 0.9 of what it stores is visible, and so at most 0.1 of it wasted.
func Default() Limits {
	return Limits{
		{Rule: MinEfficiency, Unit: Ratio, Ratio: 0.9, Source: defaultSource},
		{Rule: MaxWastedPercent, Unit: Percent, Ratio: 0.1, Source: defaultSource},
	}
}

const defaultSource = "default"

// Parse reads what people write as the limit of a rule: "20MB", "10%", "12",
// and of the rules that deny paths one glob.
func Parse(rule, text string) (Limit, error) {
	s, ok := SpecOf(rule)
	if !ok {
		return Limit{}, fmt.Errorf("%q is no rule", rule)
	}
	l := Limit{Rule: rule, Unit: s.Unit}
	var err error
	switch {
	case s.Globs:
		l.Globs, err = []string{text}, CheckGlob(strings.TrimPrefix(text, "!"))
	case rule == MaxGrowth && strings.HasSuffix(strings.TrimSpace(text), "%"):
		l.Unit = Percent
		l.Ratio, err = parseGrowth(text)
	case s.Unit == Bytes:
		l.Number, err = ParseBytes(text)
	case s.Unit == Count:
		l.Number, err = parseCount(text)
	default:
		l.Ratio, err = ParseRatio(text)
		if err == nil && s.Unit == Percent && l.Ratio == 1 && !strings.Contains(text, "%") {
			err = fmt.Errorf("%q would be all of it: write 1%% or 100%%", text) // and was hardly meant
		}
	}
	return l, err
}

// parseGrowth reads a percentage that can be above 100%.
func parseGrowth(s string) (float64, error) {
	digits := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%"))
	v, err := strconv.ParseFloat(digits+"e-2", 64)
	if !number.MatchString(digits) || err != nil {
		return 0, fmt.Errorf("%q is neither a percentage (10%%) nor a size (20MB)", s)
	}
	return v, nil
}

func parseCount(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if !whole.MatchString(s) {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return v, nil
}

// Validate says what is wrong with the limits themselves.
func (l Limits) Validate() error {
	seen := map[string]bool{}
	for _, x := range l {
		s, ok := SpecOf(x.Rule)
		switch {
		case !ok:
			return fmt.Errorf("%q is no rule", x.Rule)
		case seen[x.Rule]:
			return fmt.Errorf("%s: there are two limits", x.Rule)
		case x.Unit != s.Unit && (x.Rule != MaxGrowth || x.Unit != Percent):
			return fmt.Errorf("%s: its limit has the wrong unit", x.Rule)
		case x.Number < 0:
			return fmt.Errorf("%s: %d is negative", x.Rule, x.Number)
		case !(x.Ratio >= 0) || math.IsInf(x.Ratio, 1) || x.Rule != MaxGrowth && x.Ratio > 1:
			return fmt.Errorf("%s: %v is not between 0 and 1", x.Rule, x.Ratio)
		case s.Globs && len(x.Globs) == 0:
			return fmt.Errorf("%s: there is no glob", x.Rule)
		case s.Globs:
			if err := CheckGlobs(x.Globs); err != nil {
				return fmt.Errorf("%s: %w", x.Rule, err)
			}
		}
		seen[x.Rule] = true
	}
	return nil
}
