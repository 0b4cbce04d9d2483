package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/whatif"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// title returns the figures that the title shows while something is marked, the longest
// first: those of now and those without what is marked. It returns nil if nothing is.
func (x *fixes) title(th *screen.Theme) [][]screen.Span {
	o := x.out
	if o == nil {
		return nil
	}
	was, is := &o.old.Totals, &o.Report.Totals
	to := " " + th.Glyph.Arrow + " "
	dot := screen.Span{Text: "  " + th.Glyph.Dot + "  ", Style: th.Dim}
	text := func(s string) screen.Span { return screen.Span{Text: s, Style: th.Accent} }
	stored, efficient := report.Size(was.StoredBytes)+to+report.Size(is.StoredBytes), report.Percent(was.Efficiency)+to+report.Percent(is.Efficiency)
	verdict := screen.Span{Text: "gate: " + o.before.word() + to + o.after.word(), Style: verdictStyle(th, o.after.word())}
	after := screen.Span{Text: o.after.word(), Style: verdict.Style}
	return [][]screen.Span{
		{text(stored + " stored"), dot, text(efficient + " efficient"), dot, verdict},
		{text(stored), dot, text(efficient), dot, verdict},
		{text(to[1:] + report.Size(is.StoredBytes)), dot, text(report.Percent(is.Efficiency)), dot, after},
		{text(to[1:] + report.Percent(is.Efficiency)), {Text: " "}, after},
	}
}

func verdictStyle(th *screen.Theme, word string) tcell.Style {
	if word == "pass" {
		return th.Added
	}
	return th.Alarm
}

// openFixes shows what is marked as fixed, and what that would change.
func (u *ui) openFixes() {
	x := &u.fixes
	x.page = &text{in: inFixes, name: "What if", write: x.write, open: x.show, does: x.does}
	if len(x.marks) > 0 {
		x.page.At = firstMark
	}
	u.push(x.page)
}

// does reports whether an action of the page does something on the line under its cursor.
func (x *fixes) does(action string) bool {
	switch action {
	case "fix", "show-in-tree":
		return x.page.layerAt() >= 0
	case "copy", "clear-fixes":
		return len(x.marks) > 0
	}
	return true
}

// write writes the page. The link of a line is the mark that it is about.
func (x *fixes) write(p *screen.Page) {
	th := p.Theme
	if len(x.marks) == 0 {
		p.Wrap(0, "nothing is marked as fixed", th.Strong)
		p.Blank()
		p.Wrap(0, keyOf(x.u.keys, "fix")+" marks a layer, a file or folder, an item of the waste, a finding or a package as fixed. This page then shows how large the image would be without what it stores, and whether it would pass the gate.", th.Dim)
		x.limits(p)
		return
	}
	x.writeMarks(p)
	if x.out != nil {
		x.writeFigures(p)
		x.writeGate(p)
	}
	x.limits(p)
}

// limits says what can't be marked, or is not exact.
func (x *fixes) limits(p *screen.Page) {
	p.Blank()
	if x.u.img == nil {
		p.Wrap(0, "a saved report does not have the files: layers, waste and findings can be marked, as far as it lists what they count; files, folders and packages can't", p.Theme.Dim)
	}
	if o := x.out; o != nil && o.Estimated {
		p.Wrap(0, "compressed sizes are estimates, in proportion to what each layer stores", p.Theme.Dim)
	}
}

// firstMark is the line of the first mark on the page.
const firstMark = 2

// writeMarks lists the marks, with what each saves alone and in addition to the others.
func (x *fixes) writeMarks(p *screen.Page) {
	th := p.Theme
	p.Title(fmt.Sprintf("Marked (%d)", len(x.marks)))
	wide := p.W >= 50
	head := "    alone"
	if wide {
		head += " in addition"
	}
	p.Add(-1, "", screen.Span{Text: "   " + head, Style: th.Dim})
	for i, f := range x.marks {
		saves, ok := whatif.Saving{}, false
		if x.out != nil {
			saves, ok = x.out.saves[f.fixKey]
		}
		sizes := fmt.Sprintf("%9s", sizeOr(saves.Alone, ok))
		if wide {
			sizes += fmt.Sprintf(" %11s", sizeOr(saves.More, ok))
		}
		name := f.name
		if room := p.W - len(sizes) - 6; screen.Width(name) > room {
			name, _ = screen.Cut(name, max(room-screen.Width(th.Glyph.Ellipsis), 1))
			name += th.Glyph.Ellipsis
		}
		p.Add(i, f.name, screen.Span{Text: " " + th.Glyph.Fixed + " ", Style: th.Accent}, screen.Span{Text: sizes, Style: th.Text}, screen.Span{Text: "  " + name, Style: th.Text})
	}
}

func sizeOr(n int64, known bool) string {
	if !known {
		return "?"
	}
	return report.Size(n)
}

// writeFigures writes the figures of now and those without what is marked.
func (x *fixes) writeFigures(p *screen.Page) {
	th, o := p.Theme, x.out
	p.Blank()
	p.Title("Figures")
	const left, col = 13, 11
	row := func(name, was, is, change string, st tcell.Style) {
		spans := []screen.Span{{Text: " " + name + strings.Repeat(" ", max(left-screen.Width(name), 1)), Style: th.Dim}}
		cell := func(s string, st tcell.Style) {
			spans = append(spans, screen.Span{Text: strings.Repeat(" ", max(col-screen.Width(s), 1)) + s, Style: st})
		}
		if p.W >= 40 {
			cell(was, th.Text)
		} else {
			spans[0].Text = " " + name + strings.Repeat(" ", max(11-screen.Width(name), 1))
			spans = append(spans, screen.Span{Text: is, Style: st})
			p.Add(-1, was+" "+is, spans...)
			return
		}
		cell(is, st)
		if p.W >= 50 {
			cell(change, th.Dim)
		}
		p.Add(-1, was+" "+is, spans...)
	}
	row("", "now", "then", "", th.Dim)
	bytes := func(name string, was, is int64) {
		change, st := "", th.Text
		if is != was {
			change, st = report.Size(is-was), th.Accent
			if is > was {
				change = "+" + change
			}
		}
		row(name, report.Size(was), report.Size(is), change, st)
	}
	was, is := &o.old.Totals, &o.Report.Totals
	bytes("stored", was.StoredBytes, is.StoredBytes)
	bytes("visible", was.VisibleBytes, is.VisibleBytes)
	bytes("wasted", was.WastedBytes, is.WastedBytes)
	row("efficiency", report.Percent(was.Efficiency), report.Percent(is.Efficiency), "", th.Text)
	if was.Own != nil && is.Own != nil {
		bytes("own stored", was.Own.StoredBytes, is.Own.StoredBytes)
		bytes("own wasted", was.Own.WastedBytes+was.Own.CopiedFromBaseBytes, is.Own.WastedBytes+is.Own.CopiedFromBaseBytes)
	}
	if was.CompressedBytes > 0 {
		bytes("compressed", was.CompressedBytes, is.CompressedBytes)
	}
	counts := func(name string, was, is int) {
		change := ""
		if is != was {
			change = fmt.Sprintf("%+d", is-was)
		}
		row(name, itoa(was), itoa(is), change, th.Text)
	}
	counts("files", was.Files, is.Files)
	counts("layers", was.Layers, is.Layers)
	if o.old.Findings != nil {
		counts("findings", report.SumFindings(o.old.Findings).Findings, report.SumFindings(o.Report.Findings).Findings)
	}
	if n := len(o.Empty); n > 0 {
		p.Wrap(1, "nothing is left of "+layerList(o.Empty), th.Accent)
	}
}

// writeGate writes the verdict and each rule's result, now and without what is marked.
func (x *fixes) writeGate(p *screen.Page) {
	th, o := p.Theme, x.out
	p.Blank()
	p.Title("Gate: " + o.before.word() + " " + th.Glyph.Arrow + " " + o.after.word())
	for _, r := range []*ruling{&o.before, &o.after} {
		if r.err != nil {
			p.Wrap(1, safe(r.err.Error()), th.Alarm)
			return
		}
	}
	if o.after.Default {
		p.Wrap(1, "by the default rules: no other is set", th.Dim)
	}
	for i := range o.after.Rules {
		is := &o.after.Rules[i]
		var was *gate.Rule
		for j := range o.before.Rules {
			if o.before.Rules[j].Name == is.Name {
				was = &o.before.Rules[j]
			}
		}
		words := ruleWord(&o.after.Verdict, is)
		st := th.Text
		if words == "fail" || words == "error" {
			st = th.Alarm
		}
		if was != nil && ruleWord(&o.before.Verdict, was) != words {
			if words == "pass" {
				st = th.Added
			}
			words = ruleWord(&o.before.Verdict, was) + " " + th.Glyph.Arrow + " " + words
		}
		p.Wrap(1, is.Name+": "+words, st)
		p.Wrap(3, ruleChange(th, was, is), th.Dim)
	}
}

// ruleWord returns the result of a rule.
func ruleWord(v *gate.Verdict, r *gate.Rule) string {
	switch {
	case r.Err != nil:
		return "error"
	case r.Skipped:
		return "not judged"
	case r.OK:
		return "pass"
	case v.Fails(*r):
		return "fail"
	}
	return "warn"
}

// ruleChange says what a rule observes, now and then, and its limit.
func ruleChange(th *screen.Theme, was, is *gate.Rule) string {
	switch {
	case is.Err != nil:
		return safe(is.Err.Error())
	case is.Skipped:
		return "it needs a baseline"
	}
	seen, limit := report.RuleValues(is)
	if was != nil && was.Err == nil {
		if before, _ := report.RuleValues(was); before != seen {
			seen = before + " " + th.Glyph.Arrow + " " + seen
		}
	}
	bound := "at most "
	if is.AtLeast {
		bound = "at least "
	}
	if is.Own {
		seen += " of own layers"
	}
	return seen + ", " + bound + limit
}

// show goes to what a mark is about.
func (x *fixes) show(i int) {
	u, f := x.u, &x.marks[i]
	u.closeOver()
	switch f.kind {
	case whatif.Step:
		u.selectLayer(f.layer)
		u.setFocus(layersPane)
	case whatif.Path:
		u.goTo(f.node, f.at, f.whole)
		u.setFocus(rightPane)
	case whatif.Waste:
		if w, tab, _ := paneOf[*waste](&u.layout); !w.find(f.fixKey) && u.img != nil && len(f.waste) > 0 {
			u.show(0)
			u.goTo(f.waste[0][0].lost, f.at, false)
			u.setFocus(rightPane)
		} else {
			u.tabTo(tab)
		}
	case whatif.Finding:
		list, tab, _ := paneOf[*findings](&u.layout)
		list.find(f.text)
		u.tabTo(tab)
	case whatif.Package:
		list, tab, _ := paneOf[*packageList](&u.layout)
		list.find(f.text)
		u.tabTo(tab)
	}
}

// find goes to the row of a mark, if there is one.
func (w *waste) find(k fixKey) bool {
	for i, r := range w.rows {
		if w.fixKey(r) == k {
			w.At = i
			w.Fit(len(w.rows), w.H)
			return true
		}
	}
	return false
}

// find goes to the row of a mark, and shows it if it is hidden.
func (f *findings) find(text string) {
	i, place := f.named(text)
	if i < 0 {
		f.u.note = "this finding is no longer found"
		return
	}
	if place >= 0 && !f.open[f.keys[i]] {
		f.open[f.keys[i]] = true
		f.fill()
	}
	for k, r := range f.rows {
		if r.finding == i && r.place == place {
			f.At = k
			f.Fit(len(f.rows), f.H)
		}
	}
}

// find goes to the row of a mark, if there is one.
func (l *packageList) find(key string) {
	for i, r := range l.rows {
		if r.index >= 0 && packageKey(&l.all[r.index]) == key {
			l.At = i
			l.Fit(len(l.rows), l.H)
		}
	}
}

// unfix removes the mark under the cursor of the page.
func (u *ui) unfix() {
	t, ok := u.top().(*text)
	if !ok {
		return
	}
	if i := linkAt(t.lines, t.At); i >= 0 && i < len(u.fixes.marks) {
		u.fixes.remove(i)
	} else {
		u.note = "this line is not a mark"
	}
}

// copyTasks copies the marks as a list of tasks.
func (u *ui) copyTasks() {
	if len(u.fixes.marks) == 0 {
		u.note = "nothing is marked as fixed"
		return
	}
	u.copyText(u.fixes.tasks())
}

// tasks returns the marks as a list of tasks, as Markdown.
func (x *fixes) tasks() string {
	all := make([]report.Task, len(x.marks))
	for i, f := range x.marks {
		all[i] = f.task
		if x.out == nil {
			continue
		}
		if s := x.out.saves[f.fixKey]; s.Alone > 0 {
			all[i].Saves = report.Size(s.Alone)
			if s.More < s.Alone {
				all[i].Saves += " (" + report.Size(s.More) + " in addition to the others)"
			}
		}
	}
	name := safe(imageName(x.u.rep))
	if x.out == nil {
		return report.Tasks(name, all)
	}
	was, is := &x.out.old.Totals, &x.out.Report.Totals
	return report.Tasks(fmt.Sprintf("%s: %s → %s stored, %s → %s efficient, gate: %s → %s", name,
		report.Size(was.StoredBytes), report.Size(is.StoredBytes), report.Percent(was.Efficiency), report.Percent(is.Efficiency), x.out.before.word(), x.out.after.word()), all)
}

// imageName returns the reference of an image, or else its first tag.
func imageName(rep *facts.Report) string {
	if rep.Image.Reference == "" && len(rep.Image.Tags) > 0 {
		return rep.Image.Tags[0]
	}
	return rep.Image.Reference
}
