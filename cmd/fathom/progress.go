package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"

	"fathom/analyzer"
	"fathom/ui/report"
)

const (
	progressAfter = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

// showProgress draws how far the tasks are, once it has taken half a second,
// on standard error if that is a terminal. The returned function takes the bar
// off the screen again.
func (a *app) showProgress(p *analyzer.Progress) (stop func()) {
	if !a.isTerminal(a.stderr) {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		start := time.Now()
		next := time.NewTimer(progressAfter)
		defer next.Stop()
		shown := false
		for {
			select {
			case <-done:
				if shown {
					fmt.Fprint(a.stderr, "\r\x1b[K")
				}
				return
			case <-next.C:
				fmt.Fprint(a.stderr, "\r\x1b[K"+bar(p.Tasks(), time.Since(start), a.columns()-1))
				shown = true
				next.Reset(progressEvery)
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// columns is the width of the terminal on standard error.
func (a *app) columns() int {
	if f, ok := a.stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// bar is one line, at most width columns wide, about the tasks: what is being
// done, and how much of it is behind us.
func bar(tasks []*analyzer.Task, took time.Duration, width int) string {
	var read, total int64
	name, finished, known := "", 0, true
	for _, t := range tasks {
		got := t.Read.Load()
		switch {
		case t.Done():
			finished++
			got = max(got, t.Total) // what was skipped counts as done
		case name == "":
			name = t.Name
		}
		if t.Total > 0 {
			got = min(got, t.Total)
		} else if !t.Done() {
			known = false
		}
		read, total = read+got, total+max(t.Total, got)
	}
	if name == "" {
		return cut("analysing", width)
	}
	s := fmt.Sprintf("%s  %s", report.Safe(name), report.Size(read))
	if known && total > 0 {
		const cells = 20
		full := int(cells * read / total)
		s = fmt.Sprintf("[%s%s] %3d%%  %s of %s", strings.Repeat("=", full), strings.Repeat(" ", cells-full),
			100*read/total, s, report.Size(total))
	}
	if took > time.Second {
		s += fmt.Sprintf("  %s/s", report.Size(int64(float64(read)/took.Seconds())))
	}
	if len(tasks) > 1 {
		s += fmt.Sprintf("  (%d of %d done)", finished, len(tasks))
	}
	return cut(s, width)
}

func cut(s string, width int) string {
	if width < 1 {
		return ""
	}
	return runewidth.Truncate(s, width, "…")
}
