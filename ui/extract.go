package ui

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/extract"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// openExtract asks where to extract the path under the cursor to.
func (u *ui) openExtract() {
	t, ok := u.on().target()
	if !ok {
		u.note = "choose a file or folder first"
		return
	}
	st, at := u.shownAt(t)
	if at < 0 {
		u.note = u.absent()
		return
	}
	what := safe(u.img.Tree.Name(t.node))
	if what == "" {
		what = "everything"
	}
	as := ""
	if at != t.to {
		as = fmt.Sprintf(" as layer %d left it", st.Layer)
		if u.two != nil {
			as = " from the " + sideName(at)
		}
	}
	u.askPath("extract "+what+as+" to ", "./", "a folder, or a new name", func(dest string) {
		u.extract(&extraction{plan: func(ctx context.Context) (*extract.Plan, error) {
			return extract.New(ctx, u.img.Analysis, t.node, at, dest)
		}})
	})
}

// extraction is an overlay that shows the progress of an extraction.
type extraction struct {
	screen.List
	none
	plan  func(context.Context) (*extract.Plan, error)
	p     *extract.Plan
	task  analyzer.Task
	runs  bool
	ended bool
	stop  context.CancelFunc
}

func (e *extraction) place() place     { return inWork }
func (e *extraction) size() (w, h int) { return 50, 5 }
func (e *extraction) Title() string    { return "Extracting" }

// shut stops the extraction; a running one closes the overlay itself, once it has
// cleaned up.
func (e *extraction) shut() bool {
	e.stop()
	return !e.runs
}

func (e *extraction) Draw(c screen.Canvas, _ bool) {
	if e.p == nil {
		c.Text(1, 0, c.Theme.Dim, "checking what exists"+c.Theme.Glyph.Ellipsis)
		return
	}
	done := e.task.Read.Load()
	c.Tail(1, 0, c.W-2, c.Theme.Text, safe(e.p.Dest))
	c.Bar(1, 1, c.W-2, done, 0, max(e.p.Bytes, 1), c.Theme.Visible, c.Theme.Wasted)
	c.Short(1, 2, c.W-2, c.Theme.Dim, report.Size(done)+" of "+report.Size(e.p.Bytes))
}

// extract plans an extraction in the background, asks about files that exist
// already, and runs it.
func (u *ui) extract(e *extraction) {
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	u.push(e)
	u.do.work(func(outer context.Context) func() {
		context.AfterFunc(outer, stop)
		p, err := e.plan(ctx)
		return func() {
			switch {
			case ctx.Err() != nil && p != nil:
				p.Close()
			case ctx.Err() != nil:
			case err != nil:
				u.closed = time.Now()
				u.drop(e)
				u.tell("Not extracted", []string{err.Error()})
			default:
				e.p = p
				u.settle(ctx, e, 0)
			}
		}
	})
}

// settle asks about conflict i and those after it, then begins.
func (u *ui) settle(ctx context.Context, e *extraction, i int) {
	p := e.p
	if i == len(p.Conflicts) {
		u.carryOut(ctx, e)
		return
	}
	c := &p.Conflicts[i]
	answer := func(a extract.Answer, all bool) func() {
		return func() {
			c.Answer = a
			next := i + 1
			for ; all && next < len(p.Conflicts); next++ {
				p.Conflicts[next].Answer = a
			}
			u.settle(ctx, e, next)
		}
	}
	says := "a " + c.Kind + " exists already"
	choices := []choice{
		{key: "s", name: "skip", do: answer(extract.Skip, false)},
		{key: "o", name: "overwrite", do: answer(extract.Overwrite, false)},
	}
	if left := len(p.Conflicts) - i - 1; left > 0 {
		says += fmt.Sprintf(", and %d more exist already", left)
		choices = append(choices,
			choice{key: "S", name: "skip all", do: answer(extract.Skip, true)},
			choice{key: "O", name: "overwrite all", do: answer(extract.Overwrite, true)})
	}
	u.push(&menu{name: "Overwrite?", about: safe(c.Path), says: says, choices: choices,
		cancel: func() {
			e.stop()
			p.Close()
			u.drop(e)
		}})
}

func (u *ui) carryOut(ctx context.Context, e *extraction) {
	p := e.p
	e.runs = true
	u.do.last(func(context.Context) func() {
		res, err := p.Run(ctx, &e.task)
		p.Close()
		return func() {
			e.ended, u.closed = true, time.Now()
			u.drop(e)
			u.extracted(p, res, err)
		}
	})
	u.watch(&e.ended)
}

// watch redraws the progress of something until it has ended.
func (u *ui) watch(ended *bool) {
	if *ended {
		return
	}
	u.do.work(func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
		case <-time.After(redraw):
		}
		return func() { u.watch(ended) }
	})
}

// extracted reports the result.
func (u *ui) extracted(p *extract.Plan, res extract.Result, err error) {
	made := fmt.Sprintf("%s: %s, %s", safe(p.Dest), count(res.Files+res.Links, "file"), report.Size(res.Bytes))
	if res.Kept > 0 {
		made += fmt.Sprintf("; %d existing ones were kept", res.Kept)
	}
	if err == nil && p.Skipped == 0 && len(p.Notes) == 0 {
		u.note = "extracted to " + made
		return
	}
	lines := []string{made, ""}
	name := "Extracted"
	switch {
	case errors.Is(err, context.Canceled):
		name, lines = "Cancelled", []string{"Files that were complete by then are kept.", made, ""}
	case err != nil:
		name, lines = "Partly extracted", []string{err.Error(), made, ""}
	}
	for _, n := range p.Notes {
		lines = append(lines, n.Path+": "+n.Text)
	}
	if more := p.Skipped - len(p.Notes); more > 0 {
		lines = append(lines, fmt.Sprintf("%d more entries are left out", more))
	}
	u.tell(name, lines)
}

// tell shows a message of several lines, each wrapped.
func (u *ui) tell(name string, lines []string) {
	u.push(&text{in: inHelp, List: screen.List{NoCursor: true}, name: name, write: func(p *screen.Page) {
		for _, l := range lines {
			if l == "" {
				p.Blank()
			} else {
				p.Wrap(0, safe(l), p.Theme.Text)
			}
		}
	}})
}
