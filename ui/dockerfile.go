package ui

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// dockerfile is the pane that shows the Dockerfile, with what each instruction costs
// beside its first line.
type dockerfile struct {
	screen.List
	none
	u     *ui
	name  string
	lines []dockerLine
	hits  []int // the lines that match the search
}

// dockerLine is a line of the Dockerfile.
type dockerLine struct {
	text   string // safe to show
	kind   dockerWord
	layers []int // that the instruction at this line made; only at its first line
	within int   // the first line of the instruction, from 0; -1 for none that made a layer
	end    int   // the last one, at its first line
}

// dockerWord is what a line begins with.
type dockerWord uint8

const (
	plainLine dockerWord = iota
	commentLine
	instructionLine
)

func newDockerfile(u *ui) *dockerfile {
	file := u.rep.Dockerfile
	d := &dockerfile{u: u, name: file.Name}
	continued, heredocs, escape := false, []string(nil), escapeOf(file.Text)
	for line := range strings.Lines(file.Text) {
		line = strings.TrimRight(line, "\r\n")
		l := dockerLine{text: safe(strings.ReplaceAll(line, "\t", "    ")), within: -1}
		trimmed := strings.TrimSpace(line)
		switch {
		case len(heredocs) > 0 && !continued:
			if trimmed == heredocs[0] {
				heredocs = heredocs[1:]
			}
		case strings.HasPrefix(trimmed, "#"):
			l.kind = commentLine
		case trimmed != "":
			if !continued {
				l.kind = instructionLine
			}
			continued = strings.HasSuffix(trimmed, escape)
			for _, m := range heredocStart.FindAllStringSubmatch(trimmed, -1) {
				heredocs = append(heredocs, m[1])
			}
		}
		d.lines = append(d.lines, l)
	}
	for i := range u.rep.Layers {
		s := u.rep.Layers[i].Source
		if s == nil || s.File != file.Name || s.End > len(d.lines) {
			continue
		}
		first := &d.lines[s.Line-1]
		first.layers = append(first.layers, i)
		first.end = max(first.end, s.End-1)
		for k := s.Line - 1; k < s.End; k++ {
			d.lines[k].within = s.Line - 1
		}
	}
	d.N = len(d.lines)
	return d
}

// heredocStart matches what begins a here-document, with its name.
var heredocStart = regexp.MustCompile(`(?:^|\s)\d*<<-?["']?([A-Za-z_][A-Za-z0-9_]*)`)

// escapeOf returns the character that continues a line: that of a directive in the first
// lines, or a backslash.
func escapeOf(text string) string {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "#"), "=")
		if !strings.HasPrefix(strings.TrimSpace(line), "#") || !ok {
			break
		}
		if strings.EqualFold(strings.TrimSpace(name), "escape") && strings.TrimSpace(value) == "`" {
			return "`"
		}
	}
	return `\`
}

func (d *dockerfile) place() place  { return inDockerfile }
func (d *dockerfile) Title() string { return "Dockerfile" }
func (d *dockerfile) about() string { return "of the instruction" }

// Note says how sure it is that the image was built from this file.
func (d *dockerfile) Note() string {
	if d.u.rep.Dockerfile.Certainty == facts.CertainExact {
		return safe(d.name)
	}
	return safe(d.name) + ", likely"
}

// sum adds up the figures of the layers of an instruction.
func (d *dockerfile) sum(l *dockerLine) facts.Part {
	var p facts.Part
	for _, i := range l.layers {
		x := &d.u.rep.Layers[i]
		p.StoredBytes += x.StoredBytes
		p.VisibleBytes += x.VisibleBytes
		p.WastedBytes += x.WastedBytes
	}
	return p
}

// findings returns, by line, how many findings above severity info are about it.
func (d *dockerfile) findings() map[int]int {
	counts := map[int]int{}
	if f, _, ok := paneOf[*findings](&d.u.layout); ok {
		for i := range f.all {
			if s := f.all[i].Source; s != nil && s.File == d.name && f.all[i].Severity != facts.SeverityInfo {
				counts[s.Line-1]++
			}
		}
	}
	return counts
}

// instruction returns the line that begins the instruction under the cursor.
func (d *dockerfile) instruction() (*dockerLine, bool) {
	if d.At >= len(d.lines) || d.lines[d.At].within < 0 {
		return nil, false
	}
	return &d.lines[d.lines[d.At].within], true
}

// enter goes to the layer of the instruction under the cursor: to the largest if there
// are several.
func (d *dockerfile) enter() {
	l, ok := d.instruction()
	if !ok {
		d.u.note = "no layer of this image was made by this line"
		return
	}
	best := slices.MaxFunc(l.layers, func(a, b int) int {
		return int(min(max(d.u.rep.Layers[a].StoredBytes-d.u.rep.Layers[b].StoredBytes, -1), 1))
	})
	d.u.selectLayer(best)
	d.u.show(0)
	d.u.setFocus(layersPane)
}

func (d *dockerfile) copies() string {
	if d.At >= len(d.lines) {
		return ""
	}
	return d.lines[d.At].text
}

func (d *dockerfile) Status() (where, state string) {
	where = fmt.Sprintf("%s:%d", safe(d.name), d.At+1)
	if l, ok := d.instruction(); ok {
		var names []string
		for _, i := range l.layers {
			names = append(names, strconv.Itoa(i))
		}
		state = "layer " + strings.Join(names, ", ")
	}
	return where, state
}

func (d *dockerfile) click(_, y int, twice bool) {
	if d.Click(y) && twice {
		d.enter()
	}
}

const detailLines = 100 // of an instruction

// details describes the instruction: its layers, and the findings about it.
func (d *dockerfile) details(p *screen.Page) any {
	if d.At >= len(d.lines) {
		return d.At
	}
	from, end := d.At, d.At
	l, ok := d.instruction()
	if ok {
		from, end = d.lines[d.At].within, l.end
	} else {
		l = &dockerLine{}
		p.Wrap(0, "no layer of this image was made by this line", p.Theme.Dim)
		p.Blank()
	}
	for _, i := range l.layers {
		x := &d.u.rep.Layers[i]
		p.Wrap(0, layerName(i, len(d.u.rep.Layers)), p.Theme.Strong)
		p.Wrap(2, fmt.Sprintf("stored %s, visible %s, wasted %s", report.Size(x.StoredBytes), report.Size(x.VisibleBytes), report.Size(x.WastedBytes)), p.Theme.Text)
		p.Blank()
	}
	if f, _, ok := paneOf[*findings](&d.u.layout); ok {
		for i := range f.all {
			if s := f.all[i].Source; s != nil && s.File == d.name && s.Line-1 == from {
				p.Wrap(0, safe(f.all[i].Title), severityStyle(p.Theme, f.all[i].Severity))
				p.Blank()
			}
		}
	}
	for i := from; i <= end && i < from+detailLines; i++ {
		p.Wrap(0, d.lines[i].text, p.Theme.Text)
	}
	return from
}

// show goes to a line.
func (d *dockerfile) showLine(line int) {
	d.At = line - 1
	d.Top = max(d.At-d.H/2, 0)
	d.Fit(len(d.lines), d.H)
}

func (d *dockerfile) follow() {}

// The lines are searched one by one.
func (d *dockerfile) paths() *filetree.Tree { return nil }
func (d *dockerfile) scope() outline.Scope  { return outline.Scope{} }

func (d *dockerfile) bookmark() func() {
	at, top := d.At, d.Top
	return func() {
		d.At, d.Top = at, top
		d.Fit(len(d.lines), d.H)
	}
}

func (d *dockerfile) sift() {
	d.hits = d.hits[:0]
	s := &d.u.search
	if s.in != seeker(d) || !s.active() {
		return
	}
	for i := range d.lines {
		if s.pattern.Matches(d.lines[i].text) {
			d.hits = append(d.hits, i)
		}
	}
}

func (d *dockerfile) nth() int {
	i, is := slices.BinarySearch(d.hits, d.At)
	if !is {
		return 0
	}
	return i + 1
}

func (d *dockerfile) found() (int, string) { return len(d.hits), count(len(d.hits), "line") + " found" }

// hit goes to the next or previous line that matches.
func (d *dockerfile) hit(forward, here bool) {
	if len(d.hits) == 0 {
		return
	}
	at := d.At
	if here {
		at--
		forward = true
	}
	k, same := slices.BinarySearch(d.hits, at)
	switch {
	case forward && same:
		k++
	case !forward:
		k--
	}
	d.At = d.hits[(k+len(d.hits))%len(d.hits)]
	d.Fit(len(d.lines), d.H)
}

// toDockerfile goes to the line that made what is under the cursor, or from the
// Dockerfile back to the files.
func (u *ui) toDockerfile() {
	d, tab, ok := paneOf[*dockerfile](&u.layout)
	if !ok {
		u.note = u.lacks[needDockerfile]
		return
	}
	if u.on() == part(d) {
		u.tabTo(0)
		return
	}
	s, ofBase := u.source(), false
	if _, ok := u.on().(*layers); ok && u.rep.Base != nil {
		ofBase = u.sel.layer >= 0 && u.sel.layer < u.rep.Base.Layers
	}
	for len(u.over) > 0 && u.top().shut() {
		u.drop(u.top())
	}
	u.tabTo(tab)
	switch {
	case s != nil && s.File == d.name:
		d.showLine(s.Line)
	case s == nil && ofBase:
		u.note = "this layer is from the base image, not from this Dockerfile"
	default:
		u.note = "the line that made this is unknown"
	}
}

// source returns the lines that made what is under the cursor; nil if they are unknown.
func (u *ui) source() *facts.Source {
	switch p := u.on().(type) {
	case *findings:
		if r, ok := p.current(); ok {
			return p.all[r.finding].Source
		}
	case *layers:
		if s, ok := p.current(); ok && s.layer < 0 && s.history >= 0 {
			return u.rep.History[s.history].Source
		}
	case *waste:
		if it, ok := p.current(); ok {
			return u.rep.Layers[it.stored].Source
		}
	case *packageList:
		if r, ok := p.current(); ok && r.index >= 0 {
			return u.rep.Layers[p.all[r.index].BroughtBy].Source
		}
	case interface{ layerAt() int }: // details, and the history of a path
		if i := p.layerAt(); i >= 0 {
			return u.rep.Layers[i].Source
		}
	}
	if t, ok := u.on().target(); ok && u.img != nil {
		if st, ok := u.img.Tree.At(t.node, t.to); ok && st.Layer >= 0 {
			return u.rep.Layers[st.Layer].Source
		}
	}
	if u.sel.layer >= 0 && u.sel.layer < len(u.rep.Layers) {
		return u.rep.Layers[u.sel.layer].Source
	}
	return nil
}
