package ui

import (
	"fmt"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// history adds every layer that touched n, with what it changed; enter on a line
// goes to that layer.
func history(p *screen.Page, rep *facts.Report, img *image, n filetree.Node) {
	th := p.Theme
	var before *filetree.State // nil where the path did not exist
	for _, e := range img.Tree.History(n) {
		sign, st := markSign(th, e.Change.Mark)
		what := strings.TrimPrefix(changeText(th, e.Change), sign+" ")
		var differ []string
		if before != nil && !e.Removed {
			differ = differences(th, *before, e.State, &img.owners)
		}
		switch {
		case e.Change.Mark == filetree.Unchanged && before != nil && before.ModTime != e.State.ModTime:
			what = strings.Replace(what, "again", "again with another time", 1)
			differ = nil
		case e.Removed && e.State.Kind == layer.File && before != nil:
			what = "removed, " + report.Size(e.State.Size) + " gone"
		case e.Removed:
			what = "removed"
		}
		from := len(p.Lines)
		p.Wrap(6, what, th.Text)
		p.Lines[from].Spans = append([]screen.Span{{Text: fmt.Sprintf(" %3d ", e.Layer), Style: th.Dim}, {Text: sign + " ", Style: st.Bold(true)}}, p.Lines[from].Spans[1:]...)
		for _, d := range differ {
			p.Wrap(6, d, th.Again)
		}
		for i := range p.Lines[from:] {
			p.Lines[from+i].Link = e.Layer
		}
		cmd := layerCommand(rep, e.Layer)
		text := cmd
		if w := p.W - 8; screen.Width(text) > w {
			text, _ = screen.Cut(text, max(w-1, 0))
			text += th.Glyph.Ellipsis
		}
		p.Add(e.Layer, cmd, screen.Span{Text: "       " + text, Style: th.Dim})
		before = nil
		if !e.Removed {
			before = &e.State
		}
	}
}

// differences describes how two states of a path differ.
func differences(th *screen.Theme, a, b filetree.State, who *owners) []string {
	var out []string
	add := func(name, was, is string) {
		if was != is {
			out = append(out, name+" "+was+" "+th.Glyph.Arrow+" "+is)
		}
	}
	add("kind", kindText(a.Kind), kindText(b.Kind))
	switch {
	case a.Kind != b.Kind:
	case a.Kind == layer.File && a.Size != b.Size:
		add("size", report.Size(a.Size), report.Size(b.Size))
	case a.Kind == layer.Symlink, a.Kind == layer.Link:
		add("target", safe(a.Target), safe(b.Target))
	case a.Kind == layer.Char, a.Kind == layer.Block:
		add("device", fmt.Sprintf("%d,%d", a.Major, a.Minor), fmt.Sprintf("%d,%d", b.Major, b.Minor))
	}
	if a.Kind != layer.Symlink || b.Kind != layer.Symlink {
		add("mode", fmt.Sprintf("%04o", a.Mode), fmt.Sprintf("%04o", b.Mode))
	}
	if a.UID != b.UID || a.GID != b.GID {
		add("owner", who.text(a.UID, a.GID), who.text(b.UID, b.GID))
	}
	if a.Xattrs != b.Xattrs {
		out = append(out, "different attributes")
	}
	if len(out) == 0 && a.ModTime != b.ModTime && a.Content == b.Content {
		out = append(out, "another time")
	}
	return out
}

// openHistory shows the history of the path under the cursor; enter on a line
// goes to the path as of its layer.
func (u *ui) openHistory() {
	t, ok := u.on().target()
	if !ok {
		u.note = "choose a file first: every path has a history"
		return
	}
	u.push(&text{in: inHistory, name: "History of " + safe(u.img.Tree.Path(t.node)), write: func(p *screen.Page) {
		if u.two != nil {
			u.two.history(p, u, t.node)
			return
		}
		history(p, u.rep, u.img, t.node)
		if len(p.Lines) == 0 {
			p.Wrap(0, "no layer lists it: it exists because there is something in it", p.Theme.Dim)
		}
	}, open: func(layer int) {
		for len(u.over) > 0 {
			u.closeOver()
		}
		u.show(0)
		u.goTo(t.node, layer, u.two != nil)
		u.setFocus(rightPane)
	}})
}
