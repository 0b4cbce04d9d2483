package report

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"regexp"
	"strings"

	"fathom/analyzer/gate"
)

// finding is one thing that a broken rule is about, for the formats that list
// problems. Its texts went through Safe.
type finding struct {
	rule     *rule
	offender *gate.Offender // nil for a rule without any
	text     string         // several lines: what is wrong with which image, where it comes from, what would fix it
	print    string         // a fingerprint: the same for the same problem in the next build
}

// findings are those of a verdict, rule by rule, denied paths first: at most
// this many, and at least one for each broken rule.
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
		for i := range broken {
			r := &broken[i]
			room := max(most-(len(broken)-1-i), 1)
			for o := range orNil(r.Rule) {
				if room == 0 {
					break
				}
				room--
				most--
				f := finding{rule: r, offender: o, text: title + ": " + r.line()}
				key := strings.Join([]string{name, in.dockerfile(), r.Name}, "\x00")
				if o != nil {
					x := alone(o)
					f.text += "\n" + strings.TrimLeft(x.text("stored by ", "hidden by ", "to fix: "), " ")
					key = strings.Join([]string{key, o.Path, o.Cause, stable(o.StoredBy)}, "\x00")
				}
				// Identical findings differ by their order.
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

var contentHash = regexp.MustCompile(`\b(file|dir|multi):[0-9a-f]{64}\b`)

// stableStep is a step without the hashes that docker's older builder writes in
// place of what was copied: they change with every build.
func stableStep(createdBy string) string {
	return contentHash.ReplaceAllString(Command(createdBy), "$1")
}

// text is the row on several lines, with a label before each.
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

// lines are the row as it stands below a rule.
func (x *row) lines() string {
	return x.text("         stored by  ", "         hidden by  ", "         to fix     ")
}

// ruleText is a broken rule with as many of the offenders as fit into most
// bytes, and how many more the rule has.
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
