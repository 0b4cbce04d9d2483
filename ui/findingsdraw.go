package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// findingColumns are the columns of a row.
type findingColumns struct{ severity, saves, title screen.Column }

func fitFindings(w int, bySeverity bool) findingColumns {
	c := findingColumns{severity: screen.Column{W: 9}, saves: screen.Column{W: 9, Right: true}}
	if bySeverity {
		c.severity.W = 11 // an arrow
	}
	if w < 40 {
		c.severity.W, c.saves.W = 2, 7
	}
	c.title.X = screen.Place(1, &c.severity, &c.saves)
	c.title.W = w - c.title.X
	return c
}

func (f *findings) Draw(c screen.Canvas, focused bool) {
	if text := f.caveat(); text != "" && c.H >= 2 && (len(f.rows) > 0 || f.failed == nil) {
		c.Short(1, c.H-1, c.W-2, c.Theme.Alarm, text)
		c = c.Sub(0, 0, c.W, c.H-1)
	}
	cols := fitFindings(c.W, f.by == findingsBySeverity)
	f.titles, f.fold = nil, 0
	c = f.Head(c, c.H > 5, func() {
		severity := title{cols.severity, "severity", int(findingsBySeverity)}
		if cols.severity.W < 8 {
			severity.name = ""
		}
		f.titles = drawTitles(c, f, severity, title{cols.saves, "size", int(findingsBySize)}, title{cols.title, "finding", int(findingsByRule)})
	})
	if len(f.rows) == 0 {
		p := &screen.Page{Theme: c.Theme, W: c.W}
		p.Wrap(0, f.empty(), c.Theme.Dim)
		screen.DrawLines(c, &screen.List{}, p.Lines, false)
	}
	if c.W >= 30 {
		f.fold = cols.title.X
		cols.title.X += 2
	}
	f.List.Draw(c, len(f.rows), focused, func(y, i int, on func(tcell.Style) tcell.Style) {
		if len(f.u.fixes.marks) > 0 && f.rows[i].place < len(f.all[f.rows[i].finding].Places) {
			f.u.fixes.sign(c, y, f.fixKey(f.rows[i]), on)
		}
		if r := f.rows[i]; r.place < 0 {
			f.drawFinding(c, y, r.finding, cols, on)
		} else {
			f.drawPlace(c, y, r, cols, on)
		}
	})
}

// empty says why there are no rows.
func (f *findings) empty() string {
	switch {
	case f.running:
		return f.searching(f.u.th)
	case f.failed != nil:
		return f.caveat()
	case f.filtered():
		return "no finding matches"
	case f.all == nil && f.u.two != nil:
		return "the findings of one of the images are unknown"
	case f.all == nil:
		return "this report has no findings: an older version of fathom wrote it"
	}
	if f.u.two != nil {
		return "no finding is new or fixed"
	}
	return "nothing to change was found"
}

// mark returns the sign of a finding that only one of two images has.
func (f *findings) mark(th *screen.Theme, i int) (string, tcell.Style) {
	if f.side(i) == newSide {
		return markSign(th, filetree.Added)
	}
	return markSign(th, filetree.Removed)
}

func (f *findings) drawFinding(c screen.Canvas, y, i int, cols findingColumns, on func(tcell.Style) tcell.Style) {
	x := &f.all[i]
	if f.u.two != nil {
		sign, st := f.mark(c.Theme, i)
		c.Text(0, y, on(st.Bold(true)), sign)
	}
	c.Cell(cols.severity, y, on(severityStyle(c.Theme, x.Severity)), severityWord(x.Severity, cols.severity.W))
	if x.Bytes > 0 {
		c.Cell(cols.saves, y, on(c.Theme.Text), report.Size(x.Bytes))
	}
	if f.fold > 0 && f.places(i) > 0 {
		c.Text(f.fold, y, on(c.Theme.Dim), triangle(c.Theme, f.open[f.keys[i]]))
	}
	title := fitTitle(c.Theme, shown(x.Title), c.W-cols.title.X)
	end := c.Short(cols.title.X, y, c.W-cols.title.X, on(c.Theme.Text), title)
	f.u.search.highlight(c, cols.title.X, end, y, title, on)
}

func (f *findings) drawPlace(c screen.Canvas, y int, r findingRow, cols findingColumns, on func(tcell.Style) tcell.Style) {
	x := &f.all[r.finding]
	at := cols.title.X + 2
	if r.place == len(x.Places) {
		c.Short(at, y, c.W-at, on(c.Theme.Dim), fmt.Sprintf("and %d more", x.MorePlaces))
		return
	}
	p := &x.Places[r.place]
	if p.Bytes > 0 {
		c.Cell(cols.saves, y, on(c.Theme.Dim), report.Size(p.Bytes))
	}
	end := c.W
	what, layers := placeNote(c.Theme, p)
	for _, note := range []string{strings.Trim(what+"  "+layers, " "), what, layers} {
		if w := screen.Width(note); w > 0 && end-at >= w+18 {
			end -= w + 1
			c.Text(end, y, on(c.Theme.Dim), note)
			end -= 2
			break
		}
	}
	path := shown(p.Path)
	switch {
	case p.Path == "" && p.Layer >= 0:
		path = "layer " + strconv.Itoa(p.Layer)
	case p.Path == "":
		path = "the config"
	}
	to := c.Tail(at, y, end-at, on(c.Theme.Text), path)
	f.u.search.highlight(c, at, to, y, path, on)
}

// fitTitle shortens the paths in a title that is wider than w at their starts, the
// longest first.
func fitTitle(th *screen.Theme, title string, w int) string {
	const least = 20 // columns of a path
	words := strings.Split(title, " ")
	for over := screen.Width(title) - w; over > 0; {
		at, most := -1, least
		for i, s := range words {
			if n := screen.Width(s); n > most && strings.HasPrefix(s, "/") {
				at, most = i, n
			}
		}
		if at < 0 {
			break
		}
		drop := min(over+screen.Width(th.Glyph.Ellipsis), most-least)
		_, tail := screen.Cut(words[at], drop)
		if screen.Width(tail) > most-drop { // half of a wide character
			_, tail = screen.Cut(words[at], drop+1)
		}
		words[at] = th.Glyph.Ellipsis + tail
		over -= most - screen.Width(words[at])
	}
	return strings.Join(words, " ")
}

// placeNote says what is at a place, and which layers store and hide it.
func placeNote(th *screen.Theme, p *facts.Place) (what, layers string) {
	what = shown(p.Redacted)
	if p.Files > 1 && what == "" {
		what = count(p.Files, "file")
	}
	if p.Path == "" || p.Layer < 0 {
		return what, ""
	}
	layers = "layer " + strconv.Itoa(p.Layer)
	if p.HiddenBy >= 0 && p.HiddenBy != p.Layer {
		layers += " " + th.Glyph.Arrow + " " + strconv.Itoa(p.HiddenBy)
	}
	return what, layers
}

// shown returns the part of a text that a row can show, made safe.
func shown(s string) string {
	const most = 4000 // bytes; rows are no wider
	return safe(s[:min(len(s), most)])
}

// severityWord returns a severity, or its first letter where there is no room.
func severityWord(severity string, room int) string {
	if room <= len(severity) {
		return severity[:1]
	}
	return severity
}

func severityStyle(th *screen.Theme, severity string) tcell.Style {
	switch severity {
	case facts.SeverityError:
		return th.Alarm
	case facts.SeverityWarn:
		return th.Wasted
	}
	return th.Dim
}

func (f *findings) details(p *screen.Page) any {
	r, ok := f.current()
	if !ok {
		return nil
	}
	x := &f.all[r.finding]
	if r.place < 0 || r.place == len(x.Places) {
		f.findingPage(p, r.finding)
	} else {
		f.placePage(p, x, r)
	}
	return [2]any{f.keys[r.finding], r.place}
}

// findingPage describes a finding.
func (f *findings) findingPage(p *screen.Page, i int) {
	x := &f.all[i]
	th, words := p.Theme, report.FindingOf(f.report(i), x)
	p.Title(words.Title)
	p.Blank()
	if f.u.two != nil {
		sign, st := f.mark(p.Theme, i)
		p.Field("state", sign+" "+[2]string{"fixed: only the old image has it", "new: only the new image has it"}[f.side(i)], st)
	}
	if x.Bytes > 0 {
		p.Field("saves", words.Size+"  "+report.Exact(x.Bytes), th.Wasted)
	}
	p.Field("severity", words.Severity, severityStyle(th, x.Severity))
	p.Field("rule", words.Rule, th.Text)
	if x.Certainty != facts.CertainProven {
		p.Field("certainty", words.Sure, th.Text)
	}
	if x.Owner == facts.OwnerBase {
		p.Field("of", "the base image", th.Text)
	}
	if len(words.Steps) == 0 {
		p.Field("line", words.At, th.Text)
	}
	fixPage(p, words)
	if len(words.Steps) > 0 {
		p.Blank()
		p.Title("Steps")
	}
	for _, s := range words.Steps {
		f.addStep(p, words, s.Layer, "")
	}
	if len(words.Places) > 0 {
		p.Blank()
		p.Title("Places")
	}
	for i := range words.Places {
		at := &words.Places[i]
		from := len(p.Lines)
		p.Wrap(11, at.Line(), th.Text)
		p.Lines[from].Spans[0].Text = fmt.Sprintf(" %9s  ", at.Size)
	}
	if words.More != "" {
		p.Wrap(11, words.More, th.Dim)
	}
}

// fixPage says how to fix a finding.
func fixPage(p *screen.Page, x report.Finding) {
	if x.Fix == "" && len(x.Lines) == 0 {
		return
	}
	p.Blank()
	p.Title("Fix")
	p.Wrap(0, x.Fix, p.Theme.Text)
	for _, l := range x.Lines {
		from := len(p.Lines)
		p.Wrap(2, l, p.Theme.Accent)
		for k := range p.Lines[from:] {
			p.Lines[from+k].Value = l
		}
	}
}

// addStep adds a layer of the finding and its command; enter on them goes to the
// layer.
func (f *findings) addStep(p *screen.Page, words report.Finding, layer int, what string) {
	from := len(p.Lines)
	at := ""
	i := slices.IndexFunc(words.Steps, func(s report.FindingStep) bool { return s.Layer == layer })
	if i >= 0 && words.Steps[i].At != "" {
		at = "  " + words.Steps[i].At
	}
	p.Add(layer, "", screen.Span{Text: fmt.Sprintf(" %slayer %d%s", what, layer, at), Style: p.Theme.Dim})
	if i >= 0 {
		p.Wrap(2, words.Steps[i].Command, p.Theme.Text)
	}
	for i := range p.Lines[from:] {
		p.Lines[from+i].Link = layer
	}
}

// placePage describes a place of a finding.
func (f *findings) placePage(p *screen.Page, x *facts.Finding, r findingRow) {
	th, at, words := p.Theme, &x.Places[r.place], report.FindingOf(f.report(r.finding), x)
	p.Title(words.Places[r.place].Path)
	p.Blank()
	if at.Bytes > 0 {
		p.Field("saves", report.Size(at.Bytes)+"  "+report.Exact(at.Bytes), th.Wasted)
	}
	p.Field("in", words.Places[r.place].Files, th.Text)
	p.Field("secret", words.Places[r.place].Value, th.Text)
	if at.Layer >= 0 {
		p.Blank()
		f.addStep(p, words, at.Layer, "stored by ")
	}
	if at.HiddenBy >= 0 {
		p.Blank()
		f.addStep(p, words, at.HiddenBy, "hidden by ")
	}
	p.Blank()
	p.Title(words.Title)
	fixPage(p, words)
}
