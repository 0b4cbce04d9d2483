package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/inspect"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
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

// page describes a path of both images, and its history in either.
func (c *comparison) page(p *screen.Page, f *files, n filetree.Node) {
	u, scope := f.u, f.out.Scope()
	th, t := p.Theme, u.img.Tree
	p.Title(safe(t.Path(n)))
	p.Blank()
	before, was := t.At(n, oldSide)
	after, is := t.At(n, newSide)
	ch := c.change(t, n)
	change := t.View(oldSide, newSide).Change(n)
	sign, st := markSign(th, change.Mark)
	if !change.Touched { // only the time differs
		sign, st = "", th.Text
	}
	switch why := c.differs(t, n); {
	case ch != nil:
		p.Field("differs", strings.TrimSpace(sign+" "+why), st)
	case was && is && t.View(oldSide, newSide).Sum(n).Marks != 0:
		p.Field("differs", "only below", th.Text)
	case was && is:
		p.Field("differs", "no", th.Dim)
	}
	if ch != nil && ch.Reason == compare.Content {
		p.Field("because", safe(compare.Culprit(t.Path(n))), th.Again)
	}
	if a, b := c.time(ch, oldSide), c.time(ch, newSide); a != b {
		p.Field("", a+" "+th.Glyph.Arrow+" "+b, th.Again)
	}
	if was && is {
		for _, d := range differences(th, before, after, &u.img.owners) {
			p.Field("", d, th.Again)
		}
	}
	beforeAfter(p, t, scope, oldSide, newSide, n, "old", "new")
	p.Blank()
	shown, at := after, newSide
	if !is {
		shown, at = before, oldSide
	}
	if is || was {
		f.describe(p, n, shown, at)
		f.otherNames(p, n, shown.Content, at)
	}
	p.Blank()
	c.history(p, u, n)
}

// beforeAfter adds the sizes of a path in two states, after the layers from and to, and
// how much it grew. For a folder whose rows show what differs it also has their sum.
func beforeAfter(p *screen.Page, t *filetree.Tree, scope outline.Scope, from, to int, n filetree.Node, before, after string) {
	th := p.Theme
	var sizes [2]int64
	for i, at := range [2]int{from, to} {
		name := [2]string{before, after}[i]
		st, ok := t.At(n, at)
		sum := t.View(at-1, at).Sum(n)
		switch sizes[i] = st.Size + sum.Size; {
		case !ok:
			p.Field(name, "does not exist", th.Dim)
		case st.Content != filetree.NoContent:
			p.Field(name, report.Size(st.Size)+"  "+report.Exact(st.Size), th.Text)
		case st.Kind == layer.Dir:
			p.Field(name, report.Size(sum.Size)+" in "+count(sum.Files, "file"), th.Text)
		default:
			p.Field(name, kindText(st.Kind), th.Text)
		}
	}
	growth := sizes[1] - sizes[0]
	p.Field("growth", growthText(growth), growthStyle(th, growth))
	if sum := scope.View.Sum(n); scope.Both && !scope.Whole && sum.Before+sum.After > 0 && sum.Before != sizes[0] && sum.After != sizes[1] {
		p.Field("differing", report.Size(sum.Before)+" "+th.Glyph.Arrow+" "+report.Size(sum.After), th.Text)
	}
}

// history adds the history of a path in both images; enter on a line goes to the path
// in its image.
func (c *comparison) history(p *screen.Page, u *ui, n filetree.Node) {
	for side, at := range c.nodes(u.img.Tree, n) {
		a := [2]*analyzer.Analysis{c.Old.Analysis, c.New.Analysis}[side]
		if side == newSide {
			p.Blank()
		}
		from := len(p.Lines)
		p.Title("History in the " + sideName(side))
		if at == filetree.None {
			p.Wrap(0, "it never had this path", p.Theme.Dim)
			continue
		}
		title := len(p.Lines)
		history(p, c.reports[side], &image{Analysis: a, owners: u.img.owners}, at)
		if len(p.Lines) == title {
			p.Wrap(0, "no layer lists it: it exists because there is something in it", p.Theme.Dim)
		}
		for i := range p.Lines[from:] {
			p.Lines[from+i].Link = side
		}
	}
}

// drawTitleOfTwo draws the names of both images and how much they differ.
func (u *ui) drawTitleOfTwo(c screen.Canvas) {
	th, f := c.Theme, &u.two.Facts
	size := f.Totals.StoredBytes
	grown, st := "the same size", th.Dim
	switch {
	case size.Delta > 0:
		grown, st = "+"+report.Size(size.Delta), th.Added
	case size.Delta < 0:
		grown, st = report.Size(size.Delta), th.Removed
	}
	arrow := " " + th.Glyph.Arrow + " "
	right := []screen.Span{{Text: report.Size(size.Old) + arrow + report.Size(size.New) + " stored  ", Style: th.Text}, {Text: grown + " ", Style: st}}
	brand := " fathom  "
	if c.W < 60 {
		brand, right = " ", right[1:]
	}
	x := c.W
	for _, s := range right {
		x -= screen.Width(s.Text)
	}
	at := c.Text(0, 0, th.Accent, brand)
	old, new := safe(f.Old.Reference), safe(f.New.Reference)
	room := x - at - 2 - screen.Width(arrow)
	if room < 8 {
		x, right = c.W, nil
		room = x - at - 1 - screen.Width(arrow)
	}
	// The shorter name leaves its room to the other one.
	w := max(room/2, room-screen.Width(new))
	at = c.Tail(at, 0, min(w, screen.Width(old)), th.Strong, old)
	at = c.Text(at, 0, th.Dim, arrow)
	c.Tail(at, 0, max(min(x-at-1, c.W-at), 0), th.Strong, new)
	for _, s := range right {
		x = c.Text(x, 0, s.Style, s.Text)
	}
}

// openComparison shows the figures and settings of both images.
func (u *ui) openComparison() {
	u.push(&text{in: inImage, name: "Comparison", write: func(p *screen.Page) {
		u.two.figures(p)
		u.two.config(p)
		for side, rep := range u.two.reports {
			p.Blank()
			p.Title("The " + sideName(side))
			p.Field("name", safe(rep.Image.Reference), p.Theme.Text)
			p.Field("source", safe(rep.Image.Source), p.Theme.Text)
			p.Field("platform", safe(rep.Image.Platform), p.Theme.Text)
			p.Field("created", timeText(rep.Image.Created), p.Theme.Text)
			p.Field("image ID", safe(rep.Image.ID), p.Theme.Dim)
			p.Field("digest", safe(rep.Image.Digest), p.Theme.Dim)
			warnings(p, rep)
		}
		for i := range p.Lines {
			p.Lines[i].Link = -1 // the layers of warnings are those of one of the images
		}
		for _, n := range u.notes {
			p.Field("note", safe(n), p.Theme.Text)
		}
	}})
}

// figures adds the totals of both images.
func (c *comparison) figures(p *screen.Page) {
	th, t := p.Theme, &c.Facts.Totals
	p.Title(safe(c.Facts.Old.Reference) + " " + th.Glyph.Arrow + " " + safe(c.Facts.New.Reference))
	p.Blank()
	add := func(name string, d *facts.Delta, text func(int64) string) {
		if d == nil {
			return
		}
		s, st := text(d.Old)+" "+th.Glyph.Arrow+" "+text(d.New), th.Text
		switch {
		case d.Delta > 0:
			s += "  +" + text(d.Delta)
		case d.Delta < 0:
			s += "  " + text(d.Delta)
		default:
			s, st = text(d.New)+", the same", th.Dim
		}
		p.Field(name, s, st)
	}
	add("stored", &t.StoredBytes, report.Size)
	if t.Own != nil {
		add("own", &t.Own.StoredBytes, report.Size)
	}
	if t.Base != nil {
		add("base", &t.Base.StoredBytes, report.Size)
	}
	number := func(n int64) string { return fmt.Sprint(n) }
	add("visible", &t.VisibleBytes, report.Size)
	add("wasted", &t.WastedBytes, report.Size)
	add("compressed", t.CompressedBytes, report.Size)
	add("files", &t.Files, number)
	add("layers", &t.Layers, number)
	if n := c.Facts.PullBytes; n != nil {
		p.Field("to pull", report.Size(*n)+" for those who have the old image", th.Text)
	}
	if n := c.onlyTimes(); n > 0 {
		p.Field("times", count(n, "path")+" of which only the time differs", th.Text)
	}
}

// config adds the settings that differ.
func (c *comparison) config(p *screen.Page) {
	th := p.Theme
	p.Blank()
	p.Title("Settings that differ")
	if len(c.Facts.Config) == 0 {
		p.Wrap(0, "none", th.Dim)
	}
	for _, s := range c.Facts.Config {
		key, old, new := safe(s.Key), setting(s.Old), setting(s.New)
		line := func(mark filetree.Mark, text string) {
			sign, st := markSign(th, mark)
			from := len(p.Lines)
			p.Wrap(2, text, th.Text)
			if from < len(p.Lines) {
				p.Lines[from].Spans[0] = screen.Span{Text: " " + sign + " ", Style: st}
			}
		}
		switch {
		case s.Old == nil:
			line(filetree.Added, key+": "+new)
		case s.New == nil:
			line(filetree.Removed, key+": "+old)
		default:
			line(filetree.Modified, key+": "+old+" "+th.Glyph.Arrow+" "+new)
		}
	}
}

// setting returns the value of a setting that is safe to show.
func setting(value *string) string {
	if value == nil {
		return ""
	}
	return safe(*value)
}

// growthStyle returns the style of a difference of sizes.
func growthStyle(th *screen.Theme, n int64) tcell.Style {
	switch {
	case n > 0:
		return th.Added
	case n < 0:
		return th.Removed
	}
	return th.Dim
}

// growthText returns a difference of sizes with its sign; "" for none.
func growthText(n int64) string {
	switch {
	case n > 0:
		return "+" + report.Size(n)
	case n < 0:
		return report.Size(n)
	}
	return ""
}
