package report

import (
	"strings"
)

// Task is something to do, for a list of tasks in Markdown. Its texts must be safe to
// show.
type Task struct {
	Text  string   // a sentence without a period
	Code  string   // what it is about: a path or a step; may be ""
	Saves string   // what it saves; may be ""
	Lines []string // to paste
}

// Tasks returns a list of tasks as Markdown, below a sentence.
func Tasks(sentence string, tasks []Task) string {
	var b strings.Builder
	b.WriteString(plain(sentence) + "\n\n")
	for _, t := range tasks {
		b.WriteString("- [ ] " + plain(t.Text))
		if t.Code != "" {
			b.WriteString(" " + code(t.Code))
		}
		if t.Saves != "" {
			b.WriteString(", saves " + t.Saves)
		}
		b.WriteByte('\n')
		if len(t.Lines) == 0 {
			continue
		}
		fence := "```"
		for _, l := range t.Lines {
			fence = max(fence, strings.Repeat("`", longestRun(l)+1))
		}
		b.WriteString("\n  " + fence + "\n")
		for _, l := range t.Lines {
			b.WriteString("  " + l + "\n")
		}
		b.WriteString("  " + fence + "\n\n")
	}
	return b.String()
}
