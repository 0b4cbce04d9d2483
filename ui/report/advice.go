package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"

	"fathom/analyzer/facts"
)

// placesShown is how many places of a finding text for people lists.
const placesShown = 5

// AdviceOptions say which findings Advice lists.
type AdviceOptions struct {
	Rules    []string // only findings of these rules; none for all rules
	Severity string   // the least severity; "" for info if All is set or there are Rules, else warn
	All      bool     // all places of a finding, not only the largest
}

// lists reports whether a finding is listed.
func (o *AdviceOptions) lists(f *facts.Finding) bool {
	least := cmp.Or(o.Severity, facts.SeverityWarn)
	if o.Severity == "" && (o.All || len(o.Rules) > 0) {
		least = facts.SeverityInfo
	}
	all := facts.Severities()
	return o.names(f) && slices.Index(all, f.Severity) <= slices.Index(all, least)
}

// names reports whether a finding is of one of the rules.
func (o *AdviceOptions) names(f *facts.Finding) bool {
	return len(o.Rules) == 0 || slices.Contains(o.Rules, f.Rule)
}

// Advice writes what to change in an image, as text: errors first, then what saves most.
// Each finding has its places, the steps that it is about, and lines to paste.
func Advice(w io.Writer, in *Input, opt AdviceOptions) error {
	r := in.Report
	var errors, others, base, left []facts.Finding
	for _, f := range r.Findings {
		switch {
		case opt.lists(&f) && f.Severity == facts.SeverityError:
			errors = append(errors, f)
		case opt.names(&f) && f.Owner == facts.OwnerBase:
			base = append(base, f)
		case opt.lists(&f):
			others = append(others, f)
		case opt.names(&f):
			left = append(left, f)
		}
	}
	listed := slices.Concat(errors, others)
	return buffered(w, func(b *bufio.Writer) error {
		fmt.Fprintf(b, "image     %s\n", in.title())
		found := "none"
		if len(listed) > 0 {
			found = savings(r, len(listed), bytesOf(listed))
		}
		fmt.Fprintf(b, "findings  %s\n", found)
		if r.Base != nil {
			fmt.Fprintf(b, "base      %s\n", BaseName(r.Base))
		}
		if r.Secrets == facts.SecretsOff {
			b.WriteString("secrets   not searched for\n")
		}
		if r.Secrets == facts.SecretsSome {
			b.WriteString("secrets   not searched for in all layers\n")
		}
		for i := range listed {
			b.WriteByte('\n')
			writeAdvice(b, r, &listed[i], opt.All)
		}
		if len(left) > 0 {
			rest := FindingsSum{Findings: len(left), Bytes: bytesOf(left)}
			fmt.Fprintf(b, "\n%s of a lower severity: --all lists them\n", rest)
		}
		writeBaseAdvice(b, r, base, &opt)
		return nil
	})
}

// writeBaseAdvice counts the findings of the base image, or lists them, without steps:
// only another base can change them.
func writeBaseAdvice(b io.Writer, r *facts.Report, all []facts.Finding, opt *AdviceOptions) {
	if len(all) == 0 {
		return
	}
	text := count(len(all), "finding")
	if sum := bytesOf(all); sum > 0 {
		text += ", " + Size(sum)
	}
	listed := slices.DeleteFunc(all, func(f facts.Finding) bool { return !opt.lists(&f) })
	hint := ""
	if len(listed) == 0 {
		hint = "; --all lists them"
	}
	fmt.Fprintf(b, "\n%s in the base image, which only another base can change%s\n", text, hint)
	for i := range listed {
		f := FindingOf(r, &listed[i])
		f.Owner = "" // the line above says it
		fmt.Fprintf(b, "%7s  %-5s  %s\n", f.Size, f.Severity, f.line())
		writePlaces(b, &f, &listed[i], opt.All)
	}
}

func bytesOf(all []facts.Finding) int64 {
	sum := int64(0)
	for i := range all {
		sum += all[i].Bytes
	}
	return sum
}

// writeAdvice writes a finding, with all its places or the largest ones.
func writeAdvice(b io.Writer, r *facts.Report, found *facts.Finding, all bool) {
	f := FindingOf(r, found)
	fmt.Fprintf(b, "%7s  %-5s  %s\n", f.Size, f.Severity, f.line())
	writePlaces(b, &f, found, all)
	for _, s := range f.Steps {
		fmt.Fprintf(b, "         %-7s  %s\n", fmt.Sprintf("layer %d", s.Layer), s.short())
	}
	if len(f.Steps) == 0 && f.At != "" {
		fmt.Fprintf(b, "         %-7s  %s\n", "at", f.At)
	}
	label := "to fix"
	for _, line := range slices.Concat([]string{f.Fix}, f.Lines) {
		if line != "" {
			fmt.Fprintf(b, "         %-7s  %s\n", label, line)
			label = ""
		}
	}
}

// writePlaces writes all places of a finding, or the largest ones.
func writePlaces(b io.Writer, f *Finding, found *facts.Finding, all bool) {
	more := 0
	for i, p := range f.Places {
		if i == placesShown && !all && len(f.Places) > placesShown+1 {
			more = len(f.Places) - placesShown
			break
		}
		fmt.Fprintf(b, "         %7s  %s\n", p.Size, p.Line())
	}
	if more += found.MorePlaces; more > 0 {
		fmt.Fprintf(b, "                  and %s\n", count(more, "more place"))
	}
}
