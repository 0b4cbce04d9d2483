package report

import (
	"bufio"
	"io"
	"iter"
	"math"
)

type issue struct {
	Description string        `json:"description"`
	CheckName   string        `json:"check_name"`
	Fingerprint string        `json:"fingerprint"`
	Severity    string        `json:"severity"`
	Location    issueLocation `json:"location"`
}

type issueLocation struct {
	Path  string     `json:"path"`
	Lines issueLines `json:"lines"`
}

type issueLines struct {
	Begin int `json:"begin"`
	End   int `json:"end"`
}

// CodeQuality writes the problems that are not suppressed as a code quality report of
// GitLab, [] if there are none.
func CodeQuality(w io.Writer, in *Input) error {
	return buffered(w, func(b *bufio.Writer) error {
		b.WriteByte('[')
		severities := map[string]string{"error": "major", "warning": "minor", "note": "info"}
		n, err := writeElements(b, "  ", open(problems(in, math.MaxInt)), func(x problem) any {
			return issue{x.text, x.id, x.print, severities[x.level], issueLocation{x.lines.file, issueLines{x.lines.begin, x.lines.end}}}
		})
		if err != nil {
			return err
		}
		if n > 0 {
			b.WriteByte('\n')
		}
		_, err = b.WriteString("]\n")
		return err
	})
}

// open returns the problems that are not suppressed.
func open(all iter.Seq[problem]) iter.Seq[problem] {
	return func(yield func(problem) bool) {
		for x := range all {
			if x.suppressed == nil && !yield(x) {
				return
			}
		}
	}
}
