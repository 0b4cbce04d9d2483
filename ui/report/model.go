package report

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// This file has the words and numbers of a result, which the formats share. All
// strings in it are safe to show.

// result returns the verdict in a word: pass, fail or error.
func result(v *gate.Verdict) string {
	switch {
	case v == nil || v.Errors() > 0:
		return "error"
	case v.Pass():
		return "pass"
	}
	return "fail"
}

// rule is a rule of a verdict.
type rule struct {
	*gate.Rule
	Result string // ok, warn, fail or error
	Seen   string // what was observed: "12 bytes"
	Most   string // the limit: "10 bytes"
	Bound  string // "at most 10 bytes"
	Why    string // why it can't be evaluated, or ""
	From   string // where the limit was set, or "" for defaults and flags
	Same   string // an earlier rule that is broken for the same reasons, or ""
}

// rulesOf returns the rules of a verdict in the order for people: broken ones about
// what findings there are first, then those about denied paths.
func rulesOf(v *gate.Verdict) []rule {
	if v == nil {
		return nil
	}
	var found, denied, others []rule
	waste := "" // the first rule that is broken by waste: all of them have the same offenders
	for i := range v.Rules {
		r := &v.Rules[i]
		x := rule{Rule: r, Result: word(v, r), Bound: "at most "}
		if r.Err != nil {
			x.Why = Safe("can't be evaluated: " + r.Err.Error())
		}
		if r.AtLeast {
			x.Bound = "at least "
		}
		x.Seen, x.Most = RuleValues(r)
		x.Bound += x.Most + ofNames(r)
		if r.Own {
			x.Bound += " in own layers"
		}
		if r.Little {
			x.Bound += "; up to 1 MB of waste passes"
		}
		if r.Known {
			x.Bound += "; the baseline is no better"
		}
		if r.Skipped {
			x.Seen = "not judged: there is no baseline yet"
		}
		if r.Source != "default" && !strings.HasPrefix(r.Source, "--") {
			x.From = Safe(r.Source)
		}
		if len(r.Offenders) > 0 && r.Offenders[0].Cause != "" {
			x.Same = waste
			waste = cmp.Or(waste, r.Name)
		}
		switch {
		case r.Name == gate.FailOnFinding && !r.OK:
			found = append(found, x)
		case r.Denies() && !r.OK:
			denied = append(denied, x)
		default:
			others = append(others, x)
		}
	}
	return slices.Concat(found, denied, others)
}

// word returns the result of a rule: ok, warn, fail or error.
func word(v *gate.Verdict, r *gate.Rule) string {
	switch {
	case r.Err != nil:
		return "error"
	case r.OK:
		return "ok"
	case v.Fails(*r):
		return "fail"
	}
	return "warn"
}

func brokenRules(v *gate.Verdict) []rule {
	return slices.DeleteFunc(rulesOf(v), func(r rule) bool { return r.OK })
}

// line returns the rule, the observed value and the limit: "max-size: 12 bytes, at most
// 10 bytes".
func (r *rule) line() string {
	switch {
	case r.Err != nil:
		return r.Name + " " + r.Why
	case r.Denies():
		return fmt.Sprintf("%s: %s, %s of %s", r.Name, r.Seen, r.Bound, r.globs())
	case r.Skipped:
		return fmt.Sprintf("%s: %s (%s)", r.Name, r.Seen, r.Bound)
	}
	return fmt.Sprintf("%s: %s, %s", r.Name, r.Seen, r.Bound)
}

// ofNames returns " of error, docs" for a rule that names findings, and "" for others.
func ofNames(r *gate.Rule) string {
	if len(r.Names) == 0 {
		return ""
	}
	if r.Name == gate.Require {
		return " differences: " + strings.Join(r.Names, ", ")
	}
	return " of " + strings.Join(r.Names, ", ")
}

func (r *rule) globs() string { return Safe(strings.Join(r.Globs, " ")) }

// shown returns how many of the rule's offenders to list for people, enough for some of
// each glob.
func (r *rule) shown() int {
	switch {
	case r.Denies():
		return max(deniedShown, len(r.Globs))
	case len(r.Names) > 0:
		return deniedShown
	}
	return gate.MaxOffenders
}

// RuleValues returns the observed value and the limit, with enough digits to tell them
// apart.
func RuleValues(r *gate.Rule) (observed, limit string) {
	if len(r.Folders) > 0 {
		return grownFolders(r.Folders)
	}
	switch r.Unit {
	case gate.Bytes:
		return Exact(int64(r.Observed)), Exact(int64(r.Limit))
	case gate.Count:
		return humanize.Comma(int64(r.Observed)), humanize.Comma(int64(r.Limit))
	}
	scale, unit := 1.0, ""
	if r.Unit == gate.Percent {
		scale, unit = 100, "%"
	}
	for digits := 3; ; digits++ {
		observed, limit = decimal(r.Observed*scale, digits), decimal(r.Limit*scale, digits)
		if observed != limit || r.Observed == r.Limit || digits == 17 {
			return observed + unit, limit + unit
		}
	}
}

// grownFolders returns by how much each folder grew, and how much each may grow.
func grownFolders(all []gate.Grown) (observed, limit string) {
	var seen, most []string
	for _, g := range all {
		sign := ""
		if g.Bytes > 0 {
			sign = "+"
		}
		seen = append(seen, Safe(g.Glob)+" "+sign+Exact(g.Bytes))
		most = append(most, Exact(g.Limit))
	}
	return strings.Join(seen, "; "), strings.Join(most, "; ")
}

// decimal formats v with at most that many digits after the point, without trailing
// zeros.
func decimal(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// row is an offender in a list.
type row struct {
	gate.Offender
	Stored, Hidden string // the steps, if they are known and listed below it
	Fix            string // the advice, if it is listed below it
}

// alone returns the row of an offender with both steps and the advice.
func alone(o *gate.Offender) row {
	x := row{Offender: *o, Fix: Safe(o.Advice)}
	if o.Path != "" || o.Finding != "" || o.Package != "" { // without a path, the offender is the layer itself
		x.Stored = knownStep(o.StoredBy, o.StoredAt)
	}
	if o.HiddenBy >= 0 && o.HiddenBy != o.StoredIn {
		x.Hidden = knownStep(o.HiddenAs, o.HiddenAt)
	}
	return x
}

// shortStep returns a step on a line that is not too long, and its lines of the
// Dockerfile if they are known.
func shortStep(step string, at *facts.Source) string { return short(step) + inParentheses(Lines(at)) }

func inParentheses(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// knownStep returns a step, or "" if nothing is known of it.
func knownStep(command string, at *facts.Source) string {
	if command == "" && at == nil {
		return ""
	}
	return stepOr(command)
}

// rows returns the rows of a list of offenders. Consecutive ones of the same steps name
// these once, below the last.
func rows(offenders iter.Seq[gate.Offender]) iter.Seq[row] {
	return func(yield func(row) bool) {
		var held *gate.Offender
		said := ""
		next := func(o *gate.Offender) bool {
			last := held
			held = o
			if last == nil {
				return true
			}
			if o != nil && o.StoredIn == last.StoredIn && o.HiddenBy == last.HiddenBy && o.Advice == last.Advice {
				return yield(row{Offender: *last})
			}
			x := alone(last)
			if last.Advice == said {
				x.Fix = ""
			}
			said = last.Advice
			return yield(x)
		}
		for o := range offenders {
			if !next(&o) {
				return
			}
		}
		next(nil)
	}
}

// growth describes how the size of the image differs from the baseline's.
type growth struct {
	Size, Exact, Percent string // with their sign
	Since                string // the baseline's name
	Before, Now          string
}

func growthOf(v *gate.Verdict) *growth {
	if v == nil {
		return nil
	}
	bytes, ratio, ok := v.Growth()
	if !ok {
		return nil
	}
	g := &growth{
		Size: Size(bytes), Exact: Exact(bytes), Percent: strconv.FormatFloat(ratio*100, 'f', 1, 64) + "%",
		Since: Safe(v.Baseline.Reference), Before: Exact(v.Baseline.StoredBytes()), Now: Exact(v.Totals.StoredBytes),
	}
	if bytes > 0 {
		g.Size, g.Exact, g.Percent = "+"+g.Size, "+"+g.Exact, "+"+g.Percent
	}
	if math.IsInf(ratio, 0) {
		g.Percent = "from nothing"
	}
	return g
}

// amount is one of the totals in bytes.
type amount struct{ Name, Size, Exact string }

// amounts returns the totals in bytes, without unknown ones.
func amounts(t *facts.Totals) []amount {
	var all []amount
	for _, x := range []struct {
		name  string
		bytes int64
	}{{"stored", t.StoredBytes}, {"visible", t.VisibleBytes}, {"wasted", t.WastedBytes}, {"compressed", t.CompressedBytes}} {
		if x.name != "compressed" || x.bytes > 0 {
			all = append(all, amount{x.name, Size(x.bytes), Exact(x.bytes)})
		}
	}
	return all
}

// stepOr returns the step that made a layer, or a text if the step is unknown.
func stepOr(command string) string { return cmp.Or(Safe(facts.Command(command)), "(no command)") }

// suppressed returns a line about a suppression and what it covers.
func suppressed(s gate.Suppressed) string {
	until := ""
	if !s.Until.IsZero() {
		until = ", until " + s.Until.Format(gate.Day)
	}
	word := "suppressed "
	if s.Expired {
		word, until = "expired    ", ", ended "+s.Until.Format(gate.Day)
	}
	of, what := Safe(cmp.Or(s.Path, s.Package)), "file"
	if len(s.Rules) > 0 {
		of, what = strings.TrimPrefix(of+" of ", " of ")+strings.Join(s.Rules, ", "), "path"
		if spec, _ := gate.SpecOf(s.Rules[0]); spec.AboutPackages() {
			what = "package"
		}
	}
	return fmt.Sprintf("%s %s %s in %s: %s%s", word, of, Exact(s.Bytes), count(s.Pieces, what), Safe(s.Reason), until)
}

// Warning formats w as one line that is safe to show: "layer 3: /a/b: TEXT".
func Warning(w facts.Warning) string {
	s := Safe(w.Text)
	if w.Path != "" {
		s = Safe(w.Path) + ": " + s
	}
	if w.Layer >= 0 {
		s = fmt.Sprintf("layer %d: %s", w.Layer, s)
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
