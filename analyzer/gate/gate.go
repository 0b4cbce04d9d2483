// Package gate judges a report by limits.
package gate

import (
	"errors"
	"fmt"
	"math"

	"fathom/analyzer"
)

// Limits is what an image must keep to. A nil field is no rule. A limit that
// is met exactly is kept.
type Limits struct {
	MinEfficiency    *float64 // visible / stored, 0 to 1
	MaxWastedBytes   *int64
	MaxWastedPercent *float64 // wasted / stored, 0 to 1
}

// Default is what is asked of an image when nobody asked for anything: at
// least 0.9 of what it stores is visible, and so at most 0.1 of it wasted.
func Default() Limits {
	efficiency, wasted := 0.9, 0.1
	return Limits{MinEfficiency: &efficiency, MaxWastedPercent: &wasted}
}

// None is whether there is no rule at all.
func (l Limits) None() bool { return l == Limits{} }

// Unit is what the numbers of a Rule count.
type Unit uint8

const (
	Ratio   Unit = iota // 0 to 1
	Percent             // also 0 to 1, but meant to be read as a percentage
	Bytes
)

// Rule is one limit and what was seen of it.
type Rule struct {
	Name     string // as the flag spells it: "min-efficiency"
	Unit     Unit
	AtLeast  bool    // else at most
	Limit    float64 // bytes are exact below 2^53
	Observed float64
	OK       bool
}

// Verdict is what Check found.
type Verdict struct {
	Rules []Rule // those that are active, in a fixed order
	// Default is whether the rules are the default ones, for want of any.
	Default bool
}

// Pass is whether every rule is kept. The zero Verdict judged nothing and does
// not pass.
func (v Verdict) Pass() bool { return len(v.Rules) > 0 && v.Failed() == 0 }

// Failed is the number of rules that are broken.
func (v Verdict) Failed() int {
	n := 0
	for _, r := range v.Rules {
		if !r.OK {
			n++
		}
	}
	return n
}

// Validate says what is wrong with the limits themselves.
func (l Limits) Validate() error {
	for _, r := range []struct {
		name  string
		limit *float64
	}{{"min-efficiency", l.MinEfficiency}, {"max-wasted-percent", l.MaxWastedPercent}} {
		if r.limit != nil && !(*r.limit >= 0 && *r.limit <= 1) {
			return fmt.Errorf("%s: %v is not between 0 and 1", r.name, *r.limit)
		}
	}
	if l.MaxWastedBytes != nil && *l.MaxWastedBytes < 0 {
		return fmt.Errorf("max-wasted-bytes: %d is negative", *l.MaxWastedBytes)
	}
	return nil
}

// Check judges the report, by Default when l is empty. An error means that it
// could not be judged: the limits make no sense, or the figures don't.
func Check(r *analyzer.Report, l Limits) (Verdict, error) {
	if err := l.Validate(); err != nil {
		return Verdict{}, err
	}
	v := Verdict{Default: l.None()}
	if v.Default {
		l = Default()
	}
	t := r.Totals
	if t.StoredBytes < 0 || t.WastedBytes < 0 || t.VisibleBytes < 0 || t.StoredBytes-t.VisibleBytes != t.WastedBytes {
		return Verdict{}, errors.New("the report's totals contradict each other")
	}
	efficiency, wasted := 1.0, 0.0
	if t.StoredBytes > 0 {
		// One correctly rounded division each, like the limit's own parsing:
		// 9 of 10 bytes is the very number that "0.9" is.
		efficiency = float64(t.VisibleBytes) / float64(t.StoredBytes)
		wasted = float64(t.WastedBytes) / float64(t.StoredBytes)
	}
	if math.Abs(t.Efficiency-efficiency) > 1e-9 || math.IsNaN(t.Efficiency) {
		return Verdict{}, fmt.Errorf("the report's efficiency is %v, its totals make it %v", t.Efficiency, efficiency)
	}
	if l.MinEfficiency != nil {
		v.Rules = append(v.Rules, Rule{"min-efficiency", Ratio, true, *l.MinEfficiency, efficiency, efficiency >= *l.MinEfficiency})
	}
	if l.MaxWastedBytes != nil {
		v.Rules = append(v.Rules, Rule{"max-wasted-bytes", Bytes, false, float64(*l.MaxWastedBytes), float64(t.WastedBytes), t.WastedBytes <= *l.MaxWastedBytes})
	}
	if l.MaxWastedPercent != nil {
		v.Rules = append(v.Rules, Rule{"max-wasted-percent", Percent, false, *l.MaxWastedPercent, wasted, wasted <= *l.MaxWastedPercent})
	}
	return v, nil
}
