package report

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/gate"
)

// finding is one thing that a broken rule is about, for the formats that list
// problems. Its texts went through Safe.
type finding struct {
	rule     *gate.Rule
	offender *gate.Offender // nil for a rule without any
	fails    bool
	text     string // several lines: what is wrong with which image, where it comes from, what would fix it
	print    string // a fingerprint: the same for the same problem in the next build
}

// findings are those of a verdict, rule by rule, denied paths first. There are
// at most so many of them, and at least one for each broken rule.
func findings(in *Input, most int) iter.Seq[finding] {
	return func(yield func(finding) bool) {
		broken := brokenRules(in.Verdict)
		times := map[[sha256.Size]byte]int{}
		title, name := in.title(), in.name()
		steps := map[string]string{} // an image has few
		stable := func(createdBy string) string {
			s, ok := steps[createdBy]
			if !ok {
				s = stableStep(createdBy)
				steps[createdBy] = s
			}
			return s
		}
		for i, r := range broken {
			room := max(most-(len(broken)-1-i), 1)
			for o := range orNil(r) {
				if room == 0 {
					break
				}
				room--
				most--
				f := finding{rule: r, offender: o, fails: in.Verdict.Fails(*r), text: title + ": " + ruleLine(*r)}
				key := strings.Join([]string{name, in.dockerfile(), r.Name}, "\x00")
				if o != nil {
					f.text = joinLines(f.text, offenderText(*o))
					key = strings.Join([]string{key, o.Path, o.Cause, stable(o.StoredBy)}, "\x00")
				}
				// What is twice the same is told apart by its order.
				sum := sha256.Sum256([]byte(key))
				times[sum]++
				sum = sha256.Sum256(fmt.Appendf(sum[:], "%d", times[sum]))
				f.print = fmt.Sprintf("%x", sum[:16])
				if !yield(f) {
					return
				}
			}
		}
	}
}

// orNil are the rule's offenders, or one nil where it has none.
func orNil(r *gate.Rule) iter.Seq[*gate.Offender] {
	return func(yield func(*gate.Offender) bool) {
		if r.Count() == 0 {
			yield(nil)
			return
		}
		for o := range r.All() {
			if !yield(&o) {
				return
			}
		}
	}
}

// countFindings is how many findings there are without a limit.
func countFindings(v *gate.Verdict) int {
	n := 0
	for _, r := range brokenRules(v) {
		n += max(r.Count(), 1)
	}
	return n
}

// rulesInOrder are the rules as people read them: denied paths first.
func rulesInOrder(v *gate.Verdict) []*gate.Rule {
	if v == nil {
		return nil
	}
	var denied, others []*gate.Rule
	for i := range v.Rules {
		if r := &v.Rules[i]; r.Denies() && !r.OK {
			denied = append(denied, r)
		} else {
			others = append(others, r)
		}
	}
	return append(denied, others...)
}

func brokenRules(v *gate.Verdict) []*gate.Rule {
	return slices.DeleteFunc(rulesInOrder(v), func(r *gate.Rule) bool { return r.OK })
}

var contentHash = regexp.MustCompile(`\b(file|dir|multi):[0-9a-f]{64}\b`)

// stableStep is a step without the hashes that docker's older builder writes in
// place of what was copied: they change with every build.
func stableStep(createdBy string) string {
	return contentHash.ReplaceAllString(Command(createdBy), "$1")
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
	if r.Denies() {
		s += " of " + Safe(strings.Join(r.Globs, " "))
	}
	return s
}

// row is an offender as it stands in a list.
type row struct {
	gate.Offender
	Steps bool   // the steps stand below it: it is the last of several in a row that come from the same
	Fix   string // the advice, where it stands below it
}

// rows are offenders as they stand in a list.
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
			x := row{Offender: *last}
			x.Steps = o == nil || o.StoredIn != last.StoredIn || o.HiddenBy != last.HiddenBy || o.Advice != last.Advice
			if x.Steps && last.Advice != said {
				x.Fix, said = Safe(last.Advice), last.Advice
			}
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

// storedBy and hiddenBy are the steps below an offender; "" where none is known
// or it goes without saying.
func storedBy(o *gate.Offender) string {
	if o.Path == "" {
		return ""
	}
	return o.StoredBy
}

func hiddenBy(o *gate.Offender) string {
	if o.HiddenBy < 0 || o.HiddenBy == o.StoredIn {
		return ""
	}
	return o.HiddenAs
}

// lines are the row as text.
func (x *row) lines() string {
	stored, hidden, fix := "", "", ""
	if s := storedBy(&x.Offender); x.Steps && s != "" {
		stored = "         stored by  " + step(s)
	}
	if s := hiddenBy(&x.Offender); x.Steps && s != "" {
		hidden = "         hidden by  " + step(s)
	}
	if x.Fix != "" {
		fix = "         to fix     " + x.Fix
	}
	return joinLines(offender(x.Offender), stored, hidden, fix)
}

// offenderText is an offender alone on several lines.
func offenderText(o gate.Offender) string {
	stored, hidden, fix := "", "", ""
	if s := storedBy(&o); s != "" {
		stored = "stored by " + step(s)
	}
	if s := hiddenBy(&o); s != "" {
		hidden = "hidden by " + step(s)
	}
	if o.Advice != "" {
		fix = "to fix: " + Safe(o.Advice)
	}
	return joinLines(strings.TrimLeft(offender(o), " "), stored, hidden, fix)
}

// ruleText is a broken rule with as many of the offenders as fit into so many
// bytes, and how many of the rule's there are beyond those.
func ruleText(r *gate.Rule, offenders iter.Seq[gate.Offender], most int) string {
	var b strings.Builder
	b.WriteString(cut(ruleLine(*r), most/2))
	left := r.Count()
	for x := range rows(offenders) {
		s := x.lines()
		if b.Len()+len(s)+len("\nand 9223372036854775807 more: --json lists all") > most {
			break
		}
		b.WriteString("\n" + s)
		left--
	}
	if left > 0 {
		fmt.Fprintf(&b, "\nand %d more: --json lists all", left)
	}
	return b.String()
}

// sameReasons is the rule before r that is broken for the same reasons, or nil:
// all rules about waste have the same offenders.
func sameReasons(before []*gate.Rule, r *gate.Rule) *gate.Rule {
	waste := func(r *gate.Rule) bool { return len(r.Offenders) > 0 && r.Offenders[0].Cause != "" }
	i := slices.IndexFunc(before, waste)
	if i < 0 || !waste(r) {
		return nil
	}
	return before[i]
}

// shown is how many of a rule's offenders stand in a list for people: some of
// each glob at least.
func shown(r *gate.Rule) int {
	if r.Denies() {
		return max(deniedShown, len(r.Globs))
	}
	return gate.MaxOffenders
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
