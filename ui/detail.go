package ui

import (
	"fmt"
	"strings"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// detail is the pane that tells all about what is selected: a layer, a file
// with its history, or a piece of waste.
type detail struct {
	screen.List
	lines []screen.Line
	of    any // what the lines are about, to begin at the top for another
}

// set shows lines about a subject.
func (d *detail) set(of any, lines []screen.Line) {
	if of != d.of {
		d.of = of
		d.List = screen.List{H: d.H}
	}
	d.lines = lines
	d.Fit(len(lines), d.H)
}

func timeText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// layerPage tells about a step of the image.
func layerPage(th *screen.Theme, w int, l *layers, s step, hides []hidden) []screen.Line {
	p := &screen.Page{Theme: th, W: w}
	if s.layer < 0 {
		if s.history < 0 {
			return nil
		}
		h := &l.rep.History[s.history]
		p.Title("A step that made no layer")
		p.Blank()
		p.Wrap(0, l.command(s), th.Text)
		p.Blank()
		p.Field("created", timeText(h.Created), th.Text)
		p.Field("comment", report.Safe(h.Comment), th.Text)
		p.Field("author", report.Safe(h.Author), th.Text)
		return p.Lines
	}
	lr := &l.rep.Layers[s.layer]
	p.Title(layerName(s.layer, len(l.rep.Layers)))
	p.Blank()
	p.Wrap(0, l.command(s), th.Text)
	p.Blank()
	if lr.Unverified {
		p.Field("unverified", "listed from its table of contents", th.Alarm)
	}
	p.Field("stored", report.Size(lr.StoredBytes)+"  "+report.Exact(lr.StoredBytes), th.Text)
	p.Field("seen", report.Size(lr.VisibleBytes), th.Visible)
	p.Field("wasted", report.Size(lr.WastedBytes), wastedStyle(th, lr.WastedBytes))
	for _, h := range hides {
		if h.stored == s.layer {
			by := fmt.Sprintf("%s hidden by layer %d", report.Size(h.bytes), h.by)
			if h.by == s.layer {
				by = fmt.Sprintf("%s stored twice here", report.Size(h.bytes))
			}
			p.Add(h.by, by, screen.Span{Text: "               ", Style: th.Dim}, screen.Span{Text: by, Style: th.Dim})
		}
	}
	if lr.HidesBytes > 0 {
		p.Field("hides", report.Size(lr.HidesBytes)+" of lower layers", th.Text)
	}
	for _, h := range hides {
		if h.by == s.layer && h.stored != s.layer {
			of := fmt.Sprintf("%s of layer %d", report.Size(h.bytes), h.stored)
			p.Add(h.stored, of, screen.Span{Text: "               ", Style: th.Dim}, screen.Span{Text: of, Style: th.Dim})
		}
	}
	p.Field("changes", fmt.Sprintf("%s%d  %s%d  %s%d", th.Glyph.Added, lr.Added,
		th.Glyph.Modified, lr.Modified, th.Glyph.Removed, lr.Removed), th.Text)
	if lr.CompressedBytes > 0 {
		p.Field("compressed", report.Size(lr.CompressedBytes), th.Text)
	}
	p.Field("created", timeText(lr.Created), th.Text)
	if s.history >= 0 {
		p.Field("comment", report.Safe(l.rep.History[s.history].Comment), th.Dim)
	}
	if !lr.Unverified {
		p.Field("checked", checkedText(lr.Checked), th.Dim)
	}
	p.Field("diff ID", report.Safe(lr.DiffID), th.Dim)
	p.Field("digest", report.Safe(lr.Digest), th.Dim)
	p.Field("media type", report.Safe(lr.MediaType), th.Dim)
	for _, w := range l.rep.Warnings {
		if w.Layer == s.layer {
			p.Blank()
			p.Wrap(0, warningText(w), th.Alarm)
		}
	}
	return p.Lines
}

// checkedText is what was compared with a layer's bytes.
func checkedText(checked string) string {
	switch checked {
	case analyzer.CheckedHeaders:
		return "headers and size"
	case analyzer.CheckedDiffID:
		return "diff ID"
	case analyzer.CheckedBoth:
		return "digest and diff ID"
	case analyzer.CheckedDigest:
		return "digest"
	}
	return "" // of an unknown kind, or nothing
}

// layerName is the number of a layer, and whether it is at an end.
func layerName(i, n int) string {
	switch i {
	case 0:
		return "Layer 0, the first"
	case n - 1:
		return fmt.Sprintf("Layer %d, the last", i)
	}
	return fmt.Sprintf("Layer %d", i)
}

func warningText(w analyzer.Warning) string {
	text := "warning: " + report.Safe(w.Text)
	if w.Path != "" {
		text += ": " + report.Safe(w.Path)
	}
	return text
}

// filePage tells about a path as a view shows it, and its history.
func filePage(th *screen.Theme, w int, l *layers, f *files, n filetree.Node) []screen.Line {
	v, t := f.out.Scope().View, f.tree
	p := &screen.Page{Theme: th, W: w}
	p.Title(report.Safe(t.Path(n)))
	st, ok := v.State(n)
	if !ok {
		p.Wrap(0, "not there at this layer", th.Dim)
	} else {
		p.Blank()
		c := v.Change(n)
		if v.To == v.From+1 {
			p.Field("this layer", changeText(th, c), th.Text)
		} else {
			p.Field(fmt.Sprintf("since %d", v.From), changeText(th, c), th.Text)
		}
		describe(p, st, &f.owners, t)
		if first := otherName(v, t, n, st); first != filetree.None {
			p.Field("same as", report.Safe(t.Path(first))+" (a hard link)", th.Link)
		}
		if sum := v.Sum(n); st.Kind == layer.Dir {
			if c.Mark != filetree.Removed {
				p.Field("holds", report.Size(sum.Size)+" in "+fileCount(sum.Files), th.Text)
			}
			if sum.Stored > 0 {
				p.Field("stored here", report.Size(sum.Stored), th.Text)
			}
			if sum.Removed > 0 {
				p.Field("gone here", report.Size(sum.Removed), th.Removed)
			}
		}
	}
	p.Blank()
	p.Title("History")
	history(p, l, f, n)
	return p.Lines
}

// otherName is the first name of the content that n shows after the view, where
// that is not n.
func otherName(v *filetree.View, t *filetree.Tree, n filetree.Node, st filetree.State) filetree.Node {
	if st.Content == filetree.NoContent {
		return filetree.None
	}
	if first := t.FirstName(st.Content, v.To); first != n {
		return first
	}
	return filetree.None
}

// describe adds the fields of what a path shows.
func describe(p *screen.Page, st filetree.State, who *owners, t *filetree.Tree) {
	th := p.Theme
	kind := kindText(st.Kind)
	if st.Implied {
		kind += " that no layer lists"
	}
	p.Field("kind", kind, th.Text)
	switch st.Kind {
	case layer.File:
		p.Field("size", report.Size(st.Size)+"  "+report.Exact(st.Size), th.Text)
		if s := t.Stored(st.Content); s.Held < s.Bytes {
			p.Field("in the tar", report.Size(s.Held)+", the rest is holes", th.Text)
		}
	case layer.Symlink, layer.Link:
		p.Field("target", report.Safe(st.Target), th.Link)
	case layer.Char, layer.Block:
		p.Field("device", fmt.Sprintf("%d,%d", st.Major, st.Minor), th.Text)
	}
	p.Field("mode", fmt.Sprintf("%s  %04o", modeText(st), st.Mode), th.Text)
	p.Field("owner", who.long(st.UID, st.GID), th.Text)
	mod := time.Unix(st.ModTime, 0)
	p.Field("modified", timeText(&mod), th.Text)
	for _, x := range strings.Split(strings.TrimSuffix(st.Xattrs, "\x00"), "\x00") {
		p.Field("attribute", report.Safe(x), th.Text)
	}
}

func kindText(k layer.Kind) string {
	return [...]string{"file", "directory", "symbolic link", "hard link without its target", "character device", "block device", "named pipe"}[min(int(k), 6)]
}

// changeText says in words what happened to a path.
func changeText(th *screen.Theme, c filetree.Change) string {
	again := ""
	if c.Stored > 0 {
		again = ", stores " + report.Size(c.Stored)
	}
	switch c.Mark {
	case filetree.Added:
		return th.Glyph.Added + " added" + again
	case filetree.Modified:
		if c.Differs == filetree.Metadata {
			return th.Glyph.Modified + " modified: mode, owner or attributes" + again
		}
		return th.Glyph.Modified + " modified: content" + again
	case filetree.Removed:
		return th.Glyph.Removed + " removed"
	case filetree.Unchanged:
		if c.Stored > 0 {
			return th.Glyph.Again + " unchanged, but stored again: " + report.Size(c.Stored)
		}
		if c.Touched {
			return th.Glyph.Again + " listed again, unchanged"
		}
		return "unchanged"
	}
	return ""
}

// wastePage tells about a piece of waste, or a folder of it.
func wastePage(th *screen.Theme, w int, l *layers, f *files, it item) []screen.Line {
	t := f.tree
	p := &screen.Page{Theme: th, W: w}
	p.Title(report.Safe(t.Path(it.node)))
	p.Blank()
	p.Field("wasted", report.Size(it.bytes)+"  "+report.Exact(it.bytes), th.Wasted)
	if it.folder {
		p.Field("in", fileCount(len(it.parts)), th.Text)
	} else if s := t.Stored(it.parts[0].content); s.Node != s.Lost && !f.saved {
		p.Field("stored as", report.Safe(t.Path(s.Node)), th.Text)
	}
	p.Field("because", causeText(it.cause), th.Text)
	p.Blank()
	if it.stored == it.last {
		p.Add(it.stored, "", screen.Span{Text: fmt.Sprintf(" stored by layer %d", it.stored), Style: th.Dim})
		p.Wrap(2, l.command(l.step(it.stored)), th.Text)
	} else {
		p.Wrap(0, fmt.Sprintf("stored by layers %d to %d", it.stored, it.last), th.Dim)
	}
	p.Blank()
	p.Add(it.hidden, "", screen.Span{Text: fmt.Sprintf(" hidden by layer %d", it.hidden), Style: th.Dim})
	p.Wrap(2, l.command(l.step(it.hidden)), th.Text)
	if !it.folder && !f.saved {
		p.Blank()
		p.Title("History")
		history(p, l, f, it.node)
	}
	return p.Lines
}

func causeText(c filetree.Cause) string {
	switch c {
	case filetree.Deleted:
		return "a later step removed it"
	case filetree.Overwritten:
		return "a later step put something else there"
	case filetree.MetadataOnly:
		return "a later step stored the same content again: only its mode, owner, time or attributes differ, or nothing at all"
	case filetree.Repeated:
		return "the same layer stores this path more than once"
	}
	return ""
}
