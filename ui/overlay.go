package ui

import (
	"strings"

	"fathom/analyzer/filetree"
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
	note  string
	node  filetree.Node // that it is about; only in a history
	write func(p *page)
	lines []line
	wrote int // the width that lines were made for
}

func (t *text) place() place      { return t.at_ }
func (t *text) scroller() *list   { return &t.list }
func (t *text) wants() (w, h int) { return 0, 0 }
func (t *text) title() string     { return t.name }
func (t *text) subtitle() string  { return t.note }

func (t *text) draw(c canvas) {
	if t.wrote != c.w {
		p := &page{th: c.th, w: c.w}
		t.write(p)
		t.lines, t.wrote = p.lines, c.w
	}
	drawLines(c, &t.list, t.lines, t.at_ != inHelp)
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

// explain adds a key or a sign, and what it means.
func (p *page) explain(name, says string) {
	const left = 20
	if p.w < 40 {
		p.wrap(1, name+": "+says, p.th.text)
		return
	}
	from := len(p.lines)
	p.wrap(left, says, p.th.text)
	p.lines[from].spans[0] = span{"  " + name + strings.Repeat(" ", max(left-1-width(name), 1)), p.th.accent}
}

// helpKeys is a key table as blocks of lines w wide, each with a title.
func helpKeys(th *theme, w int, keys []binding) [][]line {
	var groups [][]line
	p := &page{th: th, w: w}
	end := func() {
		if len(p.lines) > 0 {
			p.blank()
			groups = append(groups, p.lines)
			p.lines = nil
		}
	}
	group := ""
	for i := range keys {
		b := &keys[i]
		if b.help == "" || b.keys == "" {
			continue
		}
		if b.group != group {
			end()
			group = b.group
			p.title(group)
		}
		p.explain(b.names(), b.help)
	}
	end()
	return groups
}

// helpGroups is the help: the keys, and what signs mean.
func helpGroups(th *theme, w int, keys []binding) [][]line {
	p := &page{th: th, w: w}
	p.title("Signs")
	g, add := th.glyph, p.explain
	add(g.added, "added by this layer")
	add(g.modified, "modified: content, mode, owner or attributes")
	add(g.removed, "removed; its bytes are still in the image")
	add(g.again, "listed or stored again, nothing is different")
	add(" "+g.modified, "in the second column: of what is below a folder")
	add(g.full, "bytes that the image shows")
	add(g.light, "bytes that nobody will ever see")
	add(g.unsure, "a layer that is listed from its table of contents, not verified")
	p.blank()
	return append(helpKeys(th, w, keys), p.lines)
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
