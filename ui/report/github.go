package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxAnnotations = 10      // of each kind in a step: GitHub drops the others
	maxAnnotation  = 4 << 10 // bytes of a message
	maxTitle       = 255
)

// GitHub writes the broken rules as annotations of GitHub Actions, one per line.
// Denied paths come first. There are at most as many annotations of each kind as
// GitHub shows.
func GitHub(w io.Writer, in *Input) error {
	return buffered(w, func(b *bufio.Writer) error {
		if in.Verdict == nil {
			return nil
		}
		for _, kind := range []string{"error", "warning"} {
			n := 0
			var more []string
			var last string
			for _, r := range brokenRules(in.Verdict) {
				if (r.Result == "warn") != (kind == "warning") {
					continue
				}
				n++
				first, _, _ := r.First(r.shown())
				text := ruleText(&r, slices.Values(first), maxAnnotation)
				line := fmt.Sprintf("::%s file=%s,line=1,title=%s::%s\n", kind, property(in.dockerfile()), property(cut("fathom: "+r.Name+": "+in.title(), maxTitle)), message(text))
				switch {
				case n < maxAnnotations:
					b.WriteString(line)
				case n == maxAnnotations:
					last = line
					more = append(more, r.Name)
				default:
					more = append(more, r.Name)
				}
			}
			if n > maxAnnotations {
				last = fmt.Sprintf("::%s file=%s,line=1,title=%s::%s\n", kind, property(in.dockerfile()), property(cut("fathom: "+in.title(), maxTitle)), message("also broken: "+strings.Join(more, ", ")))
			}
			b.WriteString(last)
		}
		return nil
	})
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
