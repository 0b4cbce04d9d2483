package report

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"regexp"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// problem is one problem of a broken rule, for the formats that list problems. Its
// texts are safe to show.
type problem struct {
	rule     *rule
	offender *gate.Offender // nil for a rule without offenders
	text     string         // several lines: the problem and the image, where it comes from, how to fix it
	print    string         // a fingerprint: the same for the same problem in the next build
}

// problems returns the problems of a verdict, rule by rule, denied paths first: at most
// that many, but at least one for each broken rule.
func problems(in *Input, most int) iter.Seq[problem] {
	return func(yield func(problem) bool) {
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
		for i := range broken {
			r := &broken[i]
			room := max(most-(len(broken)-1-i), 1)
			for o := range orNil(r.Rule) {
				if room == 0 {
					break
				}
				room--
				most--
				f := problem{rule: r, offender: o, text: title + ": " + r.line()}
				key := strings.Join([]string{name, in.dockerfile(), r.Name}, "\x00")
				if o != nil {
					x := alone(o)
					f.text += "\n" + strings.TrimLeft(x.text("stored by ", "hidden by ", "to fix: "), " ")
					key = strings.Join([]string{key, o.Path, o.Cause, stable(o.StoredBy)}, "\x00")
				}
				// Their order distinguishes identical problems.
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

// orNil returns the rule's offenders, or one nil if it has none.
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

// countProblems returns the number of problems without a limit.
func countProblems(v *gate.Verdict) int {
	n := 0
	for _, r := range brokenRules(v) {
		n += max(r.Count(), 1)
	}
	return n
}

var contentHash = regexp.MustCompile(`\b(file|dir|multi):[0-9a-f]{64}\b`)

// stableStep returns a step without the hashes that docker's older builder writes
// instead of the names of copied files. They change with every build.
func stableStep(createdBy string) string {
	return contentHash.ReplaceAllString(facts.Command(createdBy), "$1")
}

// text returns the row on several lines. Each line after the first has a label.
func (x *row) text(stored, hidden, fix string) string {
	lines := []string{offender(x.Offender)}
	if x.Stored != "" {
		lines = append(lines, stored+short(x.Stored))
	}
	if x.Hidden != "" {
		lines = append(lines, hidden+short(x.Hidden))
	}
	if x.Fix != "" {
		lines = append(lines, fix+x.Fix)
	}
	return strings.Join(lines, "\n")
}

// lines returns the row for a list below a rule.
func (x *row) lines() string {
	return x.text("         stored by  ", "         hidden by  ", "         to fix     ")
}

// ruleText returns a broken rule with as many offenders as fit into most bytes, and the
// number of the others.
func ruleText(r *rule, offenders iter.Seq[gate.Offender], most int) string {
	var b strings.Builder
	b.WriteString(cut(r.line(), most/2))
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
