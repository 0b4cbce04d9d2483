package report

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"fathom/analyzer/gate"
)

// finding is one thing that a broken rule is about, for the formats that list
// problems. Its texts went through Safe.
type finding struct {
	rule     gate.Rule
	offender *gate.Offender // nil for a rule without any
	fails    bool
	text     string // several lines: what is wrong, where it comes from, what would mend it
	print    string // a fingerprint: the same for the same problem in the next build
}

// findings are those of a verdict, rule by rule.
func findings(v *gate.Verdict) []finding {
	if v == nil {
		return nil
	}
	var out []finding
	times := map[string]int{}
	add := func(r gate.Rule, o *gate.Offender) {
		f := finding{rule: r, offender: o, fails: v.Fails(r), text: ruleLine(r)}
		key := r.Name
		if o != nil {
			f.text = joinLines(f.text, offenderText(*o))
			key += "\x00" + o.Path + "\x00" + o.Cause + "\x00" + Command(o.StoredBy)
		}
		// What is twice the same is told apart by its order.
		times[key]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, times[key]))
		f.print = fmt.Sprintf("%x", sum[:16])
		out = append(out, f)
	}
	for _, r := range v.Rules {
		if r.OK {
			continue
		}
		for i := range r.Offenders {
			add(r, &r.Offenders[i])
		}
		if len(r.Offenders) == 0 {
			add(r, nil)
		}
	}
	return out
}

// ruleLine is the rule and what was seen of it: "max-size: 12 bytes, at most
// 10 bytes".
func ruleLine(r gate.Rule) string {
	if r.Err != nil {
		return r.Name + " " + Safe(unevaluated(r))
	}
	observed, limit := ruleValues(r)
	bound := "at most"
	if r.AtLeast {
		bound = "at least"
	}
	s := fmt.Sprintf("%s: %s, %s %s", r.Name, observed, bound, limit)
	if len(r.Globs) > 0 {
		s += " of " + Safe(strings.Join(r.Globs, " "))
	}
	return s
}

// offenderText is an offender on several lines.
func offenderText(o gate.Offender) string {
	stored, hidden, advice := "", "", ""
	if o.StoredBy != "" && o.Path != "" {
		stored = "stored by " + step(o.StoredBy)
	}
	if o.HiddenBy >= 0 && o.HiddenAs != "" && o.HiddenBy != o.StoredIn {
		hidden = "hidden by " + step(o.HiddenAs)
	}
	if o.Advice != "" {
		advice = "to mend: " + Safe(o.Advice)
	}
	return joinLines(strings.TrimLeft(offender(o), " "), stored, hidden, advice)
}

// ruleText is a broken rule with all that is known of why.
func ruleText(r gate.Rule) string {
	lines := []string{ruleLine(r)}
	for _, o := range r.Offenders {
		lines = append(lines, offenderText(o))
	}
	if r.More > 0 {
		lines = append(lines, fmt.Sprintf("%s in %d more", Size(r.MoreBytes), r.More))
	}
	return joinLines(lines...)
}

// word is how a rule came out.
func word(v *gate.Verdict, r gate.Rule) string {
	switch {
	case r.Err != nil:
		return "error"
	case r.OK:
		return "ok"
	case v.Fails(r):
		return "fail"
	}
	return "warn"
}
