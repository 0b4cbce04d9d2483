package report

import (
	"bufio"
	"io"
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
}

// CodeQuality writes the problems as a code quality report of GitLab, [] if there are
// none.
func CodeQuality(w io.Writer, in *Input) error {
	return buffered(w, func(b *bufio.Writer) error {
		b.WriteByte('[')
		n, err := writeElements(b, "  ", problems(in, math.MaxInt), func(f problem) any {
			severity := "major"
			if f.rule.Result == "warn" {
				severity = "minor"
			}
			return issue{f.text, f.rule.Name, f.print, severity, issueLocation{in.dockerfile(), issueLines{1}}}
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
