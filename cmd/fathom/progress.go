package main

import (
	"fmt"
	"io"
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

// showProgress prints notes to standard error and, on a terminal, draws a
// progress bar once half a second has passed. stop prints the remaining notes and
// clears the bar.
func (a *app) showProgress(p *analyzer.Progress) (stop func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		l := progressLine{w: a.stderr, p: p}
		start := time.Now()
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				l.note()
				l.clear()
				return
			case <-tick.C:
				l.note()
				if took := time.Since(start); a.isTerminal(a.stderr) {
					l.draw(took, a.columns()-1)
				}
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// progressLine is the last line of standard error while an image is read.
type progressLine struct {
	w     io.Writer
	p     *analyzer.Progress
	pace  report.Pace
	said  int // notes so far
	shown bool
}

// note prints new notes above the bar.
func (l *progressLine) note() {
	for _, n := range l.p.Notes()[l.said:] {
		l.clear()
		fmt.Fprintf(l.w, "fathom: note: %s\n", line(n))
		l.said++
	}
}

func (l *progressLine) clear() {
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = false
	}
}

// draw draws the bar. took is the time since the start.
func (l *progressLine) draw(took time.Duration, width int) {
	tasks := l.p.Tasks()
	l.pace.Add(took, arrived(tasks))
	if took >= progressAfter {
		fmt.Fprint(l.w, "\r\x1b[K"+bar(tasks, &l.pace, width))
		l.shown = true
	}
}

// arrived returns how many bytes the tasks have read.
func arrived(tasks []*analyzer.Task) int64 {
	var read int64
	for _, t := range tasks {
		read += t.Read.Load()
	}
	return read
}

// columns returns the width of the terminal on standard error.
func (a *app) columns() int {
	if f, ok := a.stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// bar returns one line, at most width columns wide: the current task, and how
// much of all tasks is done.
func bar(tasks []*analyzer.Task, pace *report.Pace, width int) string {
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
		full := int(float64(cells) * float64(read) / float64(total))
		s = fmt.Sprintf("[%s%s] %3d%%  %s of %s", strings.Repeat("=", full), strings.Repeat(" ", cells-full),
			int(100*float64(read)/float64(total)), s, report.Size(total))
	}
	left := int64(0)
	if known {
		left = total - read
	}
	if words := pace.Words(left); words != "" {
		s += "  " + words
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
