package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

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
