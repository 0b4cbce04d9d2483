package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/inspect"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// The two layers of a merged image: the old image, and what makes it the new one.
const (
	oldSide = iota
	newSide
)

// OpenComparison compares two images in the background and shows how they differ until
// a person quits. It is like Open otherwise. load returns the comparison, which must be
// valid until OpenComparison returns.
func OpenComparison(ctx context.Context, name string, p *analyzer.Progress, load func(context.Context) (*compare.Comparison, error), opt Options) error {
	return open(ctx, name, p, opt, func(ctx context.Context) (func(*session, setup), error) {
		c, err := load(ctx)
		if c == nil || err != nil {
			return nil, err
		}
		a, err := merge(ctx, c)
		if err != nil {
			return nil, err
		}
		return func(s *session, set setup) {
			u := newComparison(c, a, set, s)
			u.notes = p.Notes()
			s.app.SetRoot(u, true).SetInputCapture(u.capture)
		}, nil
	})
}

// merge returns the analysis of both images as one; nil if one of them is a saved
// report.
func merge(ctx context.Context, c *compare.Comparison) (*analyzer.Analysis, error) {
	if c.Old.Analysis == nil || c.New.Analysis == nil {
		return nil, nil
	}
	a, err := analyzer.Analyze(ctx, c.Merged(), analyzer.Options{})
	if err != nil {
		return nil, fmt.Errorf("comparing %s with %s: %w", report.Safe(c.Facts.Old.Reference), report.Safe(c.Facts.New.Reference), err)
	}
	return a, nil
}

// comparison is what the UI shows of two images.
type comparison struct {
	*compare.Comparison
	reports [2]*facts.Report // of both images, without secrets
	changes [2][]int32       // by node of either image: the change, counted from 1; 0 for none
}

// newComparison returns the UI for a comparison; a is the analysis of both images as
// one, nil if there are no files.
func newComparison(c *compare.Comparison, a *analyzer.Analysis, set setup, do doer) *ui {
	set.keys = keysOfTwo(set.keys)
	inspect.HideComparison(&c.Facts)
	two := &comparison{Comparison: c, reports: [2]*facts.Report{inspect.Hidden(c.Old.Report), inspect.Hidden(c.New.Report)}}
	rep := &facts.Report{Layers: make([]facts.Layer, 2)}
	if a != nil {
		rep = a.Report
	}
	u := newRoot(rep, set, do)
	u.two, u.sel.whole = two, false
	u.lacks[needOne] = "this is for one image: open it by itself"
	u.first = newAligned(u)
	u.layers.choose(newSide)
	u.sel.layer = newSide
	found := newFindings(u, nil)
	if d := &c.Facts.Findings; c.Old.Report.Findings != nil && c.New.Report.Findings != nil {
		found.new = len(d.New)
		found.set(slices.Concat([]facts.Finding{}, d.New, d.Fixed))
	}
	list := newPackageChanges(u)
	if a == nil {
		none := "a saved report holds no files: compare the images themselves to see which files differ"
		for _, n := range []need{needTree, needContent, needSpan, needBoth} {
			u.lacks[n] = none
		}
		u.tabs = []pane{&blank{write: func(p *screen.Page) { p.Wrap(0, none, p.Theme.Dim) }}, found, list}
		return u
	}
	for i, side := range []*analyzer.Analysis{c.Old.Analysis, c.New.Analysis} {
		two.changes[i] = make([]int32, side.Tree.Len())
	}
	for i := range c.Changes {
		ch := &c.Changes[i]
		for k, n := range [2]filetree.Node{ch.Old, ch.New} {
			if n != filetree.None {
				two.changes[k][n] = int32(i) + 1
			}
		}
	}
	u.img = &image{Analysis: a}
	f := newFiles(u, a.Tree)
	u.goTo = f.goTo
	u.tabs = []pane{f, found, list}
	u.setFocus(rightPane)
	do.work(func(ctx context.Context) func() {
		who := readOwners(ctx, a)
		return func() { u.img.owners = who }
	})
	return u
}

// sideName names one of the images.
func sideName(side int) string { return [2]string{"old image", "new image"}[side] }

// nodes returns a path of the merged tree in the trees of both images, None where it
// is not there.
func (c *comparison) nodes(t *filetree.Tree, n filetree.Node) (nodes [2]filetree.Node) {
	path := t.Path(n)
	for i, side := range []*analyzer.Analysis{c.Old.Analysis, c.New.Analysis} {
		nodes[i] = filetree.None
		if at, ok := side.Tree.Lookup(path); ok {
			nodes[i] = at
		}
	}
	return nodes
}

// change returns how a path differs, nil if it doesn't.
func (c *comparison) change(t *filetree.Tree, n filetree.Node) *compare.Change {
	nodes := c.nodes(t, n)
	for _, side := range []int{newSide, oldSide} {
		if at := nodes[side]; at != filetree.None && c.changes[side][at] > 0 {
			return &c.Changes[c.changes[side][at]-1]
		}
	}
	return nil
}

// differs says in short why a path differs.
func (c *comparison) differs(t *filetree.Tree, n filetree.Node) string {
	ch := c.change(t, n)
	if ch == nil {
		return ""
	}
	words := []string{ch.Reason.String()}
	if ch.Reason == compare.Renamed {
		if from, to := c.Old.Analysis.Tree.Path(ch.Old), c.New.Analysis.Tree.Path(ch.New); from != t.Path(n) {
			words[0] = "renamed from " + safe(from)
		} else {
			words[0] = "renamed to " + safe(to)
		}
	}
	for _, r := range ch.Also() {
		words = append(words, r.String())
	}
	return strings.Join(words, ", ")
}

// time returns the modification time of a path in one image, if the times differ; "" if
// not.
func (c *comparison) time(ch *compare.Change, side int) string {
	if ch == nil || ch.Reason != compare.MTime && !slices.Contains(ch.Also(), compare.MTime) {
		return ""
	}
	t, n := c.Old.Analysis.Tree, ch.Old
	if side == newSide {
		t, n = c.New.Analysis.Tree, ch.New
	}
	st, _ := t.At(n, t.Layers()-1)
	mod := time.Unix(st.ModTime, 0)
	return timeText(&mod)
}

// onlyTimes returns how many paths differ in their times alone: the tree does not show
// them as modified.
func (c *comparison) onlyTimes() int {
	n := 0
	for i := range c.Changes {
		if ch := &c.Changes[i]; ch.Reason == compare.MTime && len(ch.Also()) == 0 {
			n++
		}
	}
	return n
}

// why explains why the tree of what differs is empty.
func (c *comparison) why(u *ui) string {
	if n := c.onlyTimes(); n > 0 {
		return "only times differ, of " + count(n, "path") + " (" + keyOf(u.keys, "whole") + " shows everything)"
	}
	return "nothing differs (" + keyOf(u.keys, "whole") + " shows everything)"
}
