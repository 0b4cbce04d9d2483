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

// help is every key, from the table.
func help(keys []binding) *text {
	return &text{at_: inHelp, name: "Keys", write: func(p *page) {
		const left = 20
		group := ""
		for i := range keys {
			b := &keys[i]
			if b.help == "" {
				continue
			}
			if b.group != group {
				if group != "" {
					p.blank()
				}
				group = b.group
				p.title(group)
			}
			names := b.names(p.th)
			if p.w < 40 {
				p.wrap(1, names+": "+b.help, p.th.text)
				continue
			}
			from := len(p.lines)
			p.wrap(left, b.help, p.th.text)
			p.lines[from].spans[0] = span{"  " + names + strings.Repeat(" ", max(left-1-width(names), 1)), p.th.accent}
		}
		p.blank()
		p.title("Signs")
		for _, s := range []struct{ sign, says string }{
			{p.th.glyph.added, "added by this layer"},
			{p.th.glyph.modified, "modified: content, mode, owner or attributes"},
			{p.th.glyph.removed, "removed; its bytes are still in the image"},
			{p.th.glyph.again, "listed or stored again, and nothing is different"},
			{" " + p.th.glyph.modified, "in the second column: something below the folder is"},
			{p.th.glyph.full + p.th.glyph.light, "bytes that the image shows, and bytes that nobody will see"},
		} {
			p.wrap(left, s.says, p.th.text)
			p.lines[len(p.lines)-1].spans[0] = span{"  " + s.sign + strings.Repeat(" ", left-1-width(s.sign)), p.th.accent}
		}
	}}
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
			s := warningText(w)
			if w.Layer >= 0 {
				s = "layer " + itoa(w.Layer) + ": " + s
			}
			p.wrap(1, s, th.alarm)
		}
	}}
}
