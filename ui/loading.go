package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

const (
	patience = 300 * time.Millisecond // a load that is faster shows no progress
	redraw   = 100 * time.Millisecond
)

// ErrCancelled means that a person cancelled the load, or the choice with ctrl-c.
var ErrCancelled = errors.New("cancelled")

// errLoad closes the screen after a load that failed.
var errLoad = errors.New("not loaded")

// Open loads an image in the background and shows it until a person quits. A slow
// load shows the progress of p's tasks. load has returned when Open does; its
// error is returned once the terminal has been restored. Open returns ErrLeft if the
// person goes back to the list of images (see Options.Chosen), ctx.Err() when ctx is
// done, and a *Crash after a panic in any of its goroutines.
func Open(ctx context.Context, name string, p *analyzer.Progress, load func(context.Context) (*analyzer.Analysis, error), opt Options) error {
	return open(ctx, name, p, opt, func(ctx context.Context) (func(*session, setup), error) {
		a, err := load(ctx)
		if a == nil || err != nil {
			return nil, err
		}
		return func(s *session, set setup) { s.show(a, p.Notes(), set) }, nil
	})
}

// open shows what load returns, which runs in the background.
func open(ctx context.Context, name string, p *analyzer.Progress, opt Options, load func(context.Context) (func(*session, setup), error)) error {
	set, err := opt.setup()
	if err != nil {
		return err
	}
	s := newSession(ctx)
	defer s.cancel(nil)
	var show func(*session, setup)
	var failed error
	l := newLoading(name, p, set.th, s)
	ended := s.start(func() { show, failed = load(s.ctx) })
	select {
	case <-ended:
		if show != nil {
			err = s.run(opt, set.th, func() { show(s, set) })
		}
	case <-s.ctx.Done():
	case <-time.After(patience):
		err = s.run(opt, set.th, func() {
			s.app.SetRoot(l, true).SetInputCapture(l.capture)
			s.start(func() {
				l.watch(ended)
				if s.ctx.Err() != nil { // load may still be running
					return
				}
				if show == nil {
					s.cancel(errLoad)
					return
				}
				select {
				case s.updates <- func() { show(s, set) }:
				case <-s.ctx.Done():
				}
			})
		})
	}
	s.cancel(nil)
	<-ended
	if opt.Keep != nil {
		opt.Keep(*set.choices)
	}
	if crash := s.fault(); crash != nil {
		return crash
	}
	if err != nil {
		return err
	}
	return failed
}

// loading is the screen while an image is opened: a bar for each task.
type loading struct {
	*tview.Box
	name    string
	p       *analyzer.Progress
	th      *screen.Theme
	s       *session
	elapsed func() time.Duration
	paces   map[*analyzer.Task]*report.Pace
	all     report.Pace
	frame   screen.Grid
}

func newLoading(name string, p *analyzer.Progress, th *screen.Theme, s *session) *loading {
	began := time.Now()
	return &loading{
		Box: tview.NewBox(), name: safe(name), p: p, th: th, s: s,
		elapsed: func() time.Duration { return time.Since(began) }, paces: map[*analyzer.Task]*report.Pace{},
	}
}

// capture takes every key: there are no panes yet.
func (l *loading) capture(ev *tcell.EventKey) *tcell.EventKey {
	switch screen.KeyName(ev) {
	case "q", "esc":
		if l.s.chosen {
			l.s.leave()
			break
		}
		l.s.giveUp()
	case "ctrl-c":
		l.s.giveUp()
	case "ctrl-z":
		l.s.suspend()
	}
	return nil
}

// watch draws until the loading has ended.
func (l *loading) watch(ended <-chan struct{}) {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-l.s.ctx.Done():
			return
		case <-tick.C:
			select {
			case l.s.updates <- func() {}:
			case <-ended:
				return
			case <-l.s.ctx.Done():
				return
			}
		}
	}
}

// Draw draws the whole screen.
func (l *loading) Draw(screen tcell.Screen) {
	x, y, w, h := l.GetRect()
	if w < 1 || h < 1 {
		return
	}
	l.draw(l.frame.Begin(w, h, l.th))
	l.frame.Show(screen, x, y)
}

func (l *loading) draw(c screen.Canvas) {
	th, tasks, took := c.Theme, l.p.Tasks(), l.elapsed()
	l.measure(tasks, took)
	if c.H >= 3 {
		brand := " fathom  "
		if c.W < 60 {
			brand = " "
		}
		at := c.Text(0, 0, th.Accent, brand)
		c.Tail(at, 0, c.W-at-1, th.Strong, l.name)
		c.Fill(0, 1, c.W, th.Accent, th.Glyph.Heavy)
		c.Text(1, 1, th.Accent, " Opening the image ")
		c = c.Sub(0, 2, c.W, c.H-2)
	}
	if c.H >= 2 {
		l.drawFoot(c.Sub(0, c.H-1, c.W, 1), tasks)
		c = c.Sub(0, 0, c.W, c.H-1)
	}
	if c.H >= 8 {
		c = c.Sub(0, 1, c.W, c.H-2)
	}
	notes := l.p.Notes()
	if most := max(c.H/4, 1); len(notes) > most {
		notes = notes[len(notes)-most:]
	}
	if len(tasks) == 0 && len(notes) == 0 {
		notes = []string{"opening it" + th.Glyph.Ellipsis}
	}
	if len(tasks) == 0 || c.H >= 4 {
		for y, n := range notes {
			c.Short(1, y, c.W-2, th.Dim, safe(n))
		}
		if len(notes) > 0 && c.H >= 8 {
			notes = append(notes, "")
		}
		c = c.Sub(0, len(notes), c.W, c.H-len(notes))
	}
	rows, rest := pick(tasks, c.H), ""
	if len(rows) < len(tasks) && c.H >= 4 {
		rows = pick(tasks, c.H-1)
		rest = hiddenTasks(tasks, rows)
	}
	for y, t := range rows {
		l.drawTask(c, y, t)
	}
	c.Short(1, len(rows), c.W-2, th.Dim, rest)
}

// measure records the progress of the tasks.
func (l *loading) measure(tasks []*analyzer.Task, took time.Duration) {
	var sum int64
	for _, t := range tasks {
		read := t.Read.Load()
		sum += read
		if t.Done() {
			delete(l.paces, t)
			continue
		}
		if l.paces[t] == nil {
			l.paces[t] = &report.Pace{}
		}
		l.paces[t].Add(took, read)
	}
	l.all.Add(took, sum)
}

// pick is at most n of the tasks. Tasks that are done are dropped first, from the
// first one on, then tasks that wait, from the last one on.
func pick(tasks []*analyzer.Task, n int) []*analyzer.Task {
	over := len(tasks) - n
	gone := map[*analyzer.Task]bool{}
	drop := func(t *analyzer.Task, is bool) {
		if is && len(gone) < over {
			gone[t] = true
		}
	}
	for _, t := range tasks {
		drop(t, t.Done())
	}
	for _, t := range slices.Backward(tasks) {
		drop(t, !t.Done() && t.Read.Load() == 0)
	}
	left := slices.DeleteFunc(slices.Clone(tasks), func(t *analyzer.Task) bool { return gone[t] })
	return left[:min(len(left), max(n, 0))]
}

// hiddenTasks counts the tasks that rows leaves out.
func hiddenTasks(tasks, rows []*analyzer.Task) string {
	var words []string
	count := func(what string, is func(*analyzer.Task) bool) {
		n := 0
		for _, t := range tasks {
			if is(t) && !slices.Contains(rows, t) {
				n++
			}
		}
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, what))
		}
	}
	count("done", (*analyzer.Task).Done)
	count("running", func(t *analyzer.Task) bool { return !t.Done() && t.Read.Load() > 0 })
	count("waiting", func(t *analyzer.Task) bool { return !t.Done() && t.Read.Load() == 0 })
	return "and " + strings.Join(words, ", ")
}

// drawTask draws one task: its name, a bar where its size is known, bytes, and
// while it runs its speed and how long the rest will take.
func (l *loading) drawTask(c screen.Canvas, y int, t *analyzer.Task) {
	th := c.Theme
	read, done := t.Read.Load(), t.Done()
	note, st := "waiting", th.Dim
	switch {
	case done:
		note = report.Size(max(t.Total, read))
	case read > 0:
		st = th.Text
		note = report.Size(read)
		switch {
		case t.Total > 0 && c.W < 36:
			note = fmt.Sprintf("%d%%", int(min(float64(read)/float64(t.Total), 1)*100))
		case t.Total > 0:
			note += " of " + report.Size(t.Total)
		}
		left := t.Total - read
		if c.W < 72 {
			left = 0
		}
		if p := l.paces[t]; p != nil && c.W >= 56 {
			note += "  " + p.Words(left)
		}
	}
	name := min(max(c.W/4, 10), 24)
	beside := 36 // columns to the right of the bar
	if c.W >= 72 {
		beside = 46
	}
	bar := min(max(c.W-name-beside, 0), 40)
	x := 1
	c.Short(x, y, name, st, safe(t.Name))
	x += name + 1
	if bar >= 8 {
		switch {
		case done:
			c.Fill(x, y, bar, th.Visible, th.Glyph.Full)
		case t.Total > 0:
			full := int(float64(min(read, t.Total)) / float64(t.Total) * float64(bar))
			c.Fill(x, y, full, th.Visible, th.Glyph.Full)
			c.Fill(x+full, y, bar-full, th.Dim, th.Glyph.Dot)
		}
		x += bar + 2
	}
	x = c.Short(x, y, c.W-x-1, st, note)
	if done && c.W-x > 8 {
		c.Text(x, y, th.Visible, "  done")
	}
}

// drawFoot draws the overall progress, and the key that cancels.
func (l *loading) drawFoot(c screen.Canvas, tasks []*analyzer.Task) {
	th := c.Theme
	var read, left int64
	done, known := 0, true
	for _, t := range tasks {
		got := t.Read.Load()
		read += got
		switch {
		case t.Done():
			done++
		case t.Total > 0:
			left += max(t.Total-got, 0)
		default:
			known = false
		}
	}
	if !known {
		left = 0
	}
	text := fmt.Sprintf("%d of %d done  %s  %s", done, len(tasks), report.Size(read), l.all.Words(left))
	switch {
	case len(tasks) == 0:
		text = ""
	case done == len(tasks):
		text = "comparing what the layers store" + th.Glyph.Ellipsis
	}
	const way = "ctrl-c cancel"
	x := c.W
	if c.W >= len(way)+2 {
		x = c.W - len(way) - 1
		c.Text(c.Text(x, 0, th.Accent, "ctrl-c"), 0, th.Dim, " cancel")
	}
	c.Short(1, 0, x-3, th.Text, text)
}
