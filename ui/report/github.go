package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
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
					first, _, _ := r.First(r.shown())
					all = append(all, annotation{r.Name, in.ruleLines(first), func() string {
						return ruleText(&r, slices.Values(first), maxAnnotation)
					}})
				}
			}
			found := in.shownFindings()
			for i := range found {
				if f := &found[i]; levels()[f.Severity] == kind {
					all = append(all, annotation{Safe(f.Rule), in.lines(f.Source), func() string { return findingText(in.Report, f) }})
				}
			}
			n := len(all)
			if n > maxAnnotations {
				n = maxAnnotations - 1
			}
			for _, x := range all[:n] {
				writeAnnotation(b, kind, x.at, "fathom: "+x.name+": "+in.title(), x.text())
			}
			if n < len(all) {
				var more []string
				for _, x := range all[n:] {
					more = append(more, x.name)
				}
				writeAnnotation(b, kind, in.lines(nil), "fathom: "+in.title(), "also: "+strings.Join(more, ", "))
			}
		}
		return nil
	})
}

// annotation is an annotation of GitHub Actions.
type annotation struct {
	name string // of the rule
	at   lines
	text func() string // several lines
}

func writeAnnotation(b *bufio.Writer, kind string, at lines, title, text string) {
	fmt.Fprintf(b, "::%s %s,title=%s::%s\n", kind, at.properties(), property(cut(title, maxTitle)), message(cut(text, maxAnnotation)))
}

// findingText returns a finding with its largest places, its steps and its fix.
func findingText(r *facts.Report, f *facts.Finding) string {
	var b strings.Builder
	writeAdvice(&b, r, f, false)
	return strings.TrimSpace(b.String())
}

// ruleLines returns the lines of the first offender that has some.
func (in *Input) ruleLines(first []gate.Offender) lines {
	for _, o := range first {
		if s := sourceOf(in.Report, o.StoredIn, o.HiddenBy, o.Cause == "metadata"); s != nil {
			return in.lines(s)
		}
	}
	return in.lines(nil)
}

// properties returns the place of an annotation.
func (l lines) properties() string {
	s := fmt.Sprintf("file=%s,line=%d", property(l.file), l.begin)
	if l.end > l.begin {
		s += fmt.Sprintf(",endLine=%d", l.end)
	}
	return s
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
