package ui

import (
	"context"
	"fmt"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/inspect"
	"fathom/analyzer/secrets"
	"fathom/ui/screen"
)

// finder is advice.Find.
type finder func(context.Context, *analyzer.Analysis, advice.Options) ([]facts.Finding, int64, error)

// scan is a search in the background: for packages or for findings.
type scan struct {
	running  bool
	progress *analyzer.Progress
	failed   error // why it has ended early
	unread   []int // layers whose content could not be searched
}

// run looks for findings in the background: at first quickly, then for all of them.
// The program waits for the search when it ends.
func (f *findings) run(a *analyzer.Analysis, find finder, opt advice.Options) {
	f.scan = scan{running: true, progress: &analyzer.Progress{}}
	opt.Quick, opt.Progress = true, f.progress
	f.stage(a, find, opt)
	f.scan.watch(f.u)
}

func (f *findings) stage(a *analyzer.Analysis, find finder, opt advice.Options) {
	f.u.do.last(func(ctx context.Context) func() {
		var unread []int
		opt.Unread = func(layers []int) { unread = layers }
		var claims [][]advice.Claim
		opt.Claims = func(all [][]advice.Claim) { claims = all }
		all, _, err := find(ctx, a, opt)
		hideSecrets(all)
		return func() {
			f.failed, f.unread = err, unread
			if err == nil {
				f.set(all)
				f.claims = claims
			}
			defer f.u.fixes.renew()
			if err == nil && opt.Quick {
				opt.Quick = false
				f.stage(a, find, opt)
			} else {
				f.running = false
			}
		}
	})
}

// hideSecrets takes secrets out of the words about findings, which may quote steps.
func hideSecrets(all []facts.Finding) {
	for i := range all {
		f := &all[i]
		f.Title, f.Fix.Text = secrets.Hide(f.Title), secrets.Hide(f.Fix.Text)
		f.Fix.Lines = inspect.HideLines(f.Fix.Lines)
	}
}

// watch redraws the progress until the search has ended.
func (s *scan) watch(u *ui) {
	if !s.running {
		return
	}
	u.do.work(func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
		case <-time.After(redraw):
		}
		return func() { s.watch(u) }
	})
}

// searching says how far the search is.
func (s *scan) searching(th *screen.Theme) string {
	var read, total int64
	for _, t := range s.progress.Tasks() {
		total += t.Total
		read += min(t.Read.Load(), t.Total)
	}
	text := "searching"
	if read < total {
		text += fmt.Sprintf(" %d%%", int(float64(read)/float64(total)*100))
	}
	return text + th.Glyph.Ellipsis
}

// caveat says what the search has left out; "" for nothing.
func (f *findings) caveat() string {
	switch {
	case f.failed != nil:
		return "the search for findings failed: " + safe(f.failed.Error())
	case len(f.unread) > 0:
		whose := "its"
		if len(f.unread) > 1 {
			whose = "their"
		}
		return "not searched, as " + whose + " content is not on this machine: " + layerList(f.unread)
	}
	return ""
}

// layerList returns "layer 3" or "layers 3, 4, 7".
func layerList(layers []int) string {
	text := "layer"
	if len(layers) > 1 {
		text += "s"
	}
	for i, l := range layers {
		if i > 0 {
			text += ","
		}
		text += " " + itoa(l)
	}
	return text
}
