package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"fathom/analyzer/facts"
)

const (
	maxAnnotations = 10      // of each kind in a step: GitHub drops the others
	maxAnnotation  = 4 << 10 // bytes of a message
	maxTitle       = 255
)

// GitHub writes the broken rules and then the findings as annotations of GitHub Actions,
// one per line. Rules about findings and denied paths come first. There are at most as
// many annotations of each kind as GitHub shows; the last names those that are left out.
func GitHub(w io.Writer, in *Input) error {
	return buffered(w, func(b *bufio.Writer) error {
		if in.Verdict == nil {
			return nil
		}
		for _, kind := range []string{"error", "warning"} {
			var all []annotation
			for _, r := range brokenRules(in.Verdict) {
				if r.level() == kind {
					all = append(all, annotation{r.Name, func() string {
						first, _, _ := r.First(r.shown())
						return ruleText(&r, slices.Values(first), maxAnnotation)
					}})
				}
			}
			found := in.shownFindings()
			for i := range found {
				if f := &found[i]; levels()[f.Severity] == kind {
					all = append(all, annotation{Safe(f.Rule), func() string { return findingText(in.Report, f) }})
				}
			}
			n := len(all)
			if n > maxAnnotations {
				n = maxAnnotations - 1
			}
			for _, x := range all[:n] {
				writeAnnotation(b, in, kind, "fathom: "+x.name+": "+in.title(), x.text())
			}
			if n < len(all) {
				var more []string
				for _, x := range all[n:] {
					more = append(more, x.name)
				}
				writeAnnotation(b, in, kind, "fathom: "+in.title(), "also: "+strings.Join(more, ", "))
			}
		}
		return nil
	})
}

// annotation is an annotation of GitHub Actions.
type annotation struct {
	name string        // of the rule
	text func() string // several lines
}

func writeAnnotation(b *bufio.Writer, in *Input, kind, title, text string) {
	fmt.Fprintf(b, "::%s file=%s,line=1,title=%s::%s\n", kind, property(in.dockerfile()), property(cut(title, maxTitle)), message(cut(text, maxAnnotation)))
}

// findingText returns a finding with its largest places, its steps and its fix.
func findingText(r *facts.Report, f *facts.Finding) string {
	var b strings.Builder
	writeAdvice(&b, r, f, false)
	return strings.TrimSpace(b.String())
}

// message escapes s for the text of an annotation.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes s for a property of an annotation.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// cut returns the beginning of s, in at most that many bytes and whole characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}
