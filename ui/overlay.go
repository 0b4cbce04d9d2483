package ui

import (
	"fathom/analyzer/filetree"
	"fathom/ui/screen"
)

// overlay is something that lies over the panes until it is closed.
type overlay interface {
	place() place
	title() string
	subtitle() string
	draw(c screen.Canvas)
	scroller() *screen.List
	// wants is how large it should be; 0 is all there is.
	wants() (w, h int)
}

func (v *viewer) place() place           { return inViewer }
func (v *viewer) scroller() *screen.List { return &v.List }
func (v *viewer) wants() (w, h int)      { return 0, 0 }

// text is an overlay of lines.
type text struct {
	screen.List
	at_   place
	name  string
	note  string
	node  filetree.Node // that it is about; only in a history
	write func(p *screen.Page)
	lines []screen.Line
	wrote int // the width that lines were made for
}

func (t *text) place() place           { return t.at_ }
func (t *text) scroller() *screen.List { return &t.List }
func (t *text) wants() (w, h int)      { return 0, 0 }
func (t *text) title() string          { return t.name }
func (t *text) subtitle() string       { return t.note }

func (t *text) draw(c screen.Canvas) {
	if t.wrote != c.W {
		p := &screen.Page{Theme: c.Theme, W: c.W}
		t.write(p)
		t.lines, t.wrote = p.Lines, c.W
	}
	screen.DrawLines(c, &t.List, t.lines, t.at_ != inHelp)
}

// filter is the menu that chooses which kinds of change are shown.
type filter struct {
	screen.List
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

func (f *filter) place() place           { return inFilter }
func (f *filter) scroller() *screen.List { return &f.List }
func (f *filter) wants() (w, h int)      { return 30, len(filterMarks) + 2 }
func (f *filter) title() string          { return "Show" }
func (f *filter) subtitle() string       { return "" }

func (f *filter) toggle(i int) {
	f.f.out.SetMarks(f.f.out.Scope().Marks ^ 1<<filterMarks[i].mark)
}

func (f *filter) draw(c screen.Canvas) {
	f.Fit(len(filterMarks), c.H)
	for y := 0; y < c.H && f.Top+y < len(filterMarks); y++ {
		m := filterMarks[f.Top+y]
		on := c.Row(y, f.Top+y == f.At, true)
		box := "[ ] "
		if f.f.out.Scope().Marks.Has(m.mark) {
			box = "[x] "
		}
		x := c.Text(1, y, on(c.Theme.Text), box)
		sign, st := markSign(c.Theme, m.mark)
		x = c.Text(x, y, on(st.Bold(true)), sign+" ")
		c.Text(x, y, on(c.Theme.Text), m.name)
		c.Right(c.W-1, y, on(c.Theme.Dim), m.key)
	}
}

// help is every key, from the table, in two columns where there is room.
func help(keys []binding) *text {
	return &text{at_: inHelp, name: "Keys", write: func(p *screen.Page) {
		groups := helpGroups(p.Theme, p.W, keys)
		if p.W >= 100 {
			groups = helpGroups(p.Theme, p.W/2, keys)
			p.Lines = screen.Beside(p.W/2, groups)
			return
		}
		for _, g := range groups {
			p.Lines = append(p.Lines, g...)
		}
	}}
}

// helpKeys is a key table as blocks of lines w wide, each with a title.
func helpKeys(th *screen.Theme, w int, keys []binding) [][]screen.Line {
	var groups [][]screen.Line
	p := &screen.Page{Theme: th, W: w}
	end := func() {
		if len(p.Lines) > 0 {
			p.Blank()
			groups = append(groups, p.Lines)
			p.Lines = nil
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
			p.Title(group)
		}
		p.Explain(b.names(), b.help)
	}
	end()
	return groups
}

// helpGroups is the help: the keys, and what signs mean.
func helpGroups(th *screen.Theme, w int, keys []binding) [][]screen.Line {
	p := &screen.Page{Theme: th, W: w}
	p.Title("Signs")
	g, add := th.Glyph, p.Explain
	add(g.Added, "added by this layer")
	add(g.Modified, "modified: content, mode, owner or attributes")
	add(g.Removed, "removed; its bytes are still in the image")
	add(g.Again, "listed or stored again, nothing is different")
	add(" "+g.Modified, "in the second column: of what is below a folder")
	add(g.Full, "bytes that the image shows")
	add(g.Light, "bytes that nobody will ever see")
	add(g.Unsure, "a layer that is listed from its table of contents, not verified")
	p.Blank()
	return append(helpKeys(th, w, keys), p.Lines)
}
