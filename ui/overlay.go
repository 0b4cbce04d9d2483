package ui

import (
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
)

// overlay is something that lies over the panes until it is closed.
type overlay interface {
	place() place
	title() string
	subtitle() string
	draw(c canvas)
	scroller() *list
	// wants is how large it should be; 0 is all there is.
	wants() (w, h int)
}

func (v *viewer) place() place      { return inViewer }
func (v *viewer) scroller() *list   { return &v.list }
func (v *viewer) wants() (w, h int) { return 0, 0 }

// text is an overlay of lines.
type text struct {
	list
	at_   place
	name  string
	write func(p *page)
	lines []line
	wrote int // the width that lines were made for
}

func (t *text) place() place      { return t.at_ }
func (t *text) scroller() *list   { return &t.list }
func (t *text) wants() (w, h int) { return 0, 0 }
func (t *text) title() string     { return t.name }
func (t *text) subtitle() string  { return "" }

func (t *text) draw(c canvas) {
	if t.wrote != c.w {
		p := &page{th: c.th, w: c.w}
		t.write(p)
		t.lines, t.wrote = p.lines, c.w
	}
	drawLines(c, &t.list, t.lines, t.at_ == inImage)
}

// filter is the menu that chooses which kinds of change are shown.
type filter struct {
	list
	f *files
}

var filterMarks = [...]struct {
	mark filetree.Mark
	key  string
	name string
}{
	{filetree.Added, "a", "added"},
	{filetree.Modified, "m", "modified"},
	{filetree.Removed, "r", "removed"},
	{filetree.Unchanged, "u", "unchanged"},
}

func (f *filter) place() place      { return inFilter }
func (f *filter) scroller() *list   { return &f.list }
func (f *filter) wants() (w, h int) { return 30, len(filterMarks) + 2 }
func (f *filter) title() string     { return "Show" }
func (f *filter) subtitle() string  { return "" }

func (f *filter) toggle(i int) {
	f.f.out.SetMarks(f.f.out.Scope().Marks ^ 1<<filterMarks[i].mark)
}

func (f *filter) draw(c canvas) {
	f.fit(len(filterMarks), c.h)
	for y := 0; y < c.h && f.top+y < len(filterMarks); y++ {
		m := filterMarks[f.top+y]
		on := onLine(c, y, f.top+y == f.at, true)
		box := "[ ] "
		if f.f.out.Scope().Marks.Has(m.mark) {
			box = "[x] "
		}
		x := c.text(1, y, on(c.th.text), box)
		sign, st := c.th.mark(m.mark)
		x = c.text(x, y, on(st.Bold(true)), sign+" ")
		c.text(x, y, on(c.th.text), m.name)
		c.right(c.w-1, y, on(c.th.dim), m.key)
	}
}

// help is every key, from the table, in two columns where there is room.
func help(keys []binding) *text {
	return &text{at_: inHelp, name: "Keys", write: func(p *page) {
		groups := helpGroups(p.th, p.w, keys)
		if p.w >= 100 {
			groups = helpGroups(p.th, p.w/2, keys)
			p.lines = beside(p.w/2, groups)
			return
		}
		for _, g := range groups {
			p.lines = append(p.lines, g...)
		}
	}}
}

// helpGroups is the help as blocks of lines w wide, each with a title.
func helpGroups(th *theme, w int, keys []binding) [][]line {
	const left = 20
	var groups [][]line
	p := &page{th: th, w: w}
	end := func() {
		if len(p.lines) > 0 {
			p.blank()
			groups = append(groups, p.lines)
			p.lines = nil
		}
	}
	add := func(name, says string) {
		if w < 40 {
			p.wrap(1, name+": "+says, th.text)
			return
		}
		from := len(p.lines)
		p.wrap(left, says, th.text)
		p.lines[from].spans[0] = span{"  " + name + strings.Repeat(" ", max(left-1-width(name), 1)), th.accent}
	}
	group := ""
	for i := range keys {
		b := &keys[i]
		if b.help == "" {
			continue
		}
		if b.group != group {
			end()
			group = b.group
			p.title(group)
		}
		add(b.names(), b.help)
	}
	end()
	p.title("Signs")
	g := th.glyph
	add(g.added, "added by this layer")
	add(g.modified, "modified: content, mode, owner or attributes")
	add(g.removed, "removed; its bytes are still in the image")
	add(g.again, "listed or stored again, nothing is different")
	add(" "+g.modified, "in the second column: of what is below a folder")
	add(g.full, "bytes that the image shows")
	add(g.light, "bytes that nobody will ever see")
	end()
	return groups
}

// beside puts blocks of lines into two columns of about the same length, the
// second one w cells to the right.
func beside(w int, groups [][]line) []line {
	total := 0
	for _, g := range groups {
		total += len(g)
	}
	var left, right []line
	for _, g := range groups {
		if len(right) == 0 && len(left)+len(g)/2 <= total/2 {
			left = append(left, g...)
		} else {
			right = append(right, g...)
		}
	}
	for len(left) < len(right) {
		left = append(left, line{layer: -1})
	}
	for i, r := range right {
		pad := span{text: strings.Repeat(" ", max(w-width(left[i].text()), 0))}
		left[i].spans = append(append(left[i].spans, pad), r.spans...)
	}
	return left
}

// imagePage is what the image says of itself, and what was odd about it.
func imagePage(rep *analyzer.Report, l *layers) *text {
	return &text{at_: inImage, name: "Image", write: func(p *page) {
		th := p.th
		img, t := &rep.Image, &rep.Totals
		p.title(report.Safe(img.Reference))
		p.blank()
		p.field("source", report.Safe(img.Source), th.text)
		p.field("platform", report.Safe(img.Platform), th.text)
		for _, tag := range img.Tags {
			p.field("tag", report.Safe(tag), th.text)
		}
		p.field("created", timeText(img.Created), th.text)
		p.field("image ID", report.Safe(img.ID), th.dim)
		p.field("digest", report.Safe(img.Digest), th.dim)
		p.blank()
		p.field("stored", report.Size(t.StoredBytes)+"  "+report.Exact(t.StoredBytes), th.text)
		p.field("seen", report.Size(t.VisibleBytes)+"  "+report.Exact(t.VisibleBytes), th.visible)
		p.field("wasted", report.Size(t.WastedBytes)+"  "+report.Exact(t.WastedBytes), wastedStyle(th, t.WastedBytes))
		p.field("efficiency", report.Percent(t.Efficiency), th.text)
		if t.CompressedBytes > 0 {
			p.field("compressed", report.Size(t.CompressedBytes), th.text)
		}
		p.blank()
		cfg := &img.Config
		p.field("user", report.Safe(cfg.User), th.text)
		p.field("entrypoint", words(cfg.Entrypoint), th.text)
		p.field("command", words(cfg.Cmd), th.text)
		p.field("folder", report.Safe(cfg.WorkingDir), th.text)
		for _, port := range cfg.ExposedPorts {
			p.field("port", report.Safe(port), th.text)
		}
		for _, v := range cfg.Volumes {
			p.field("volume", report.Safe(v), th.text)
		}
		for _, e := range cfg.Env {
			p.field("env", report.Safe(e), th.text)
		}
		for _, k := range sortedKeys(cfg.Labels) {
			p.field("label", report.Safe(k)+"="+report.Safe(cfg.Labels[k]), th.text)
		}
		p.blank()
		p.title("History")
		for i, h := range rep.History {
			what := report.Safe(report.Command(h.Command))
			if what == "" {
				what = report.Safe(h.Comment)
			}
			number := ""
			if h.Layer >= 0 {
				number = itoa(h.Layer)
			}
			from := len(p.lines)
			p.wrap(4, what, th.text)
			if from < len(p.lines) {
				p.lines[from].spans[0] = span{strings.Repeat(" ", max(4-len(number), 0)) + number + " ", th.dim}
				p.lines[from].layer = rep.History[i].Layer
			}
		}
		if len(rep.Warnings) > 0 {
			p.blank()
			p.title("Warnings")
		}
		for _, w := range rep.Warnings {
			s := strings.TrimPrefix(warningText(w), "warning: ")
			if w.Layer >= 0 {
				s = "layer " + itoa(w.Layer) + ": " + s
			}
			p.wrap(1, s, th.alarm)
		}
	}}
}
