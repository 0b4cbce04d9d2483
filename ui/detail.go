package ui

import (
	"fmt"
	"strings"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
)

// detail is the pane that tells all about what is selected: a layer, a file
// with its history, or a piece of waste.
type detail struct {
	list
	lines []line
	of    any // what the lines are about, to begin at the top for another
}

// set shows lines about a subject.
func (d *detail) set(of any, lines []line) {
	if of != d.of {
		d.of = of
		d.list = list{h: d.h}
	}
	d.lines = lines
	d.fit(len(lines), d.h)
}

func timeText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// layerPage tells about a step of the image.
func layerPage(th *theme, w int, l *layers, s step, hides []hidden) []line {
	p := &page{th: th, w: w}
	if s.layer < 0 {
		if s.history < 0 {
			return nil
		}
		h := &l.rep.History[s.history]
		p.title("A step that made no layer")
		p.blank()
		p.wrap(0, l.command(s), th.text)
		p.blank()
		p.field("created", timeText(h.Created), th.text)
		p.field("comment", report.Safe(h.Comment), th.text)
		p.field("author", report.Safe(h.Author), th.text)
		return p.lines
	}
	lr := &l.rep.Layers[s.layer]
	p.title(layerName(s.layer, len(l.rep.Layers)))
	p.blank()
	p.wrap(0, l.command(s), th.text)
	p.blank()
	if lr.Unverified {
		p.field("unverified", "listed from its table of contents", th.alarm)
	}
	p.field("stored", report.Size(lr.StoredBytes)+"  "+report.Exact(lr.StoredBytes), th.text)
	p.field("seen", report.Size(lr.VisibleBytes), th.visible)
	p.field("wasted", report.Size(lr.WastedBytes), wastedStyle(th, lr.WastedBytes))
	for _, h := range hides {
		if h.stored == s.layer {
			by := fmt.Sprintf("%s hidden by layer %d", report.Size(h.bytes), h.by)
			if h.by == s.layer {
				by = fmt.Sprintf("%s stored twice here", report.Size(h.bytes))
			}
			p.add(h.by, by, span{"               ", th.dim}, span{by, th.dim})
		}
	}
	if lr.HidesBytes > 0 {
		p.field("hides", report.Size(lr.HidesBytes)+" of lower layers", th.text)
	}
	for _, h := range hides {
		if h.by == s.layer && h.stored != s.layer {
			of := fmt.Sprintf("%s of layer %d", report.Size(h.bytes), h.stored)
			p.add(h.stored, of, span{"               ", th.dim}, span{of, th.dim})
		}
	}
	p.field("changes", fmt.Sprintf("%s%d  %s%d  %s%d", th.glyph.added, lr.Added,
		th.glyph.modified, lr.Modified, th.glyph.removed, lr.Removed), th.text)
	if lr.CompressedBytes > 0 {
		p.field("compressed", report.Size(lr.CompressedBytes), th.text)
	}
	p.field("created", timeText(lr.Created), th.text)
	if s.history >= 0 {
		p.field("comment", report.Safe(l.rep.History[s.history].Comment), th.dim)
	}
	if !lr.Unverified {
		p.field("checked", checkedText(lr.Checked), th.dim)
	}
	p.field("diff ID", report.Safe(lr.DiffID), th.dim)
	p.field("digest", report.Safe(lr.Digest), th.dim)
	p.field("media type", report.Safe(lr.MediaType), th.dim)
	for _, w := range l.rep.Warnings {
		if w.Layer == s.layer {
			p.blank()
			p.wrap(0, warningText(w), th.alarm)
		}
	}
	return p.lines
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
func filePage(th *theme, w int, l *layers, f *files, n filetree.Node) []line {
	v, t := f.out.Scope().View, f.tree
	p := &page{th: th, w: w}
	p.title(report.Safe(t.Path(n)))
	st, ok := v.State(n)
	if !ok {
		p.wrap(0, "not there at this layer", th.dim)
	} else {
		p.blank()
		c := v.Change(n)
		if v.To == v.From+1 {
			p.field("this layer", changeText(th, c), th.text)
		} else {
			p.field(fmt.Sprintf("since %d", v.From), changeText(th, c), th.text)
		}
		describe(p, st, &f.owners, t)
		if first := otherName(v, t, n, st); first != filetree.None {
			p.field("same as", report.Safe(t.Path(first))+" (a hard link)", th.link)
		}
		if sum := v.Sum(n); st.Kind == layer.Dir {
			if c.Mark != filetree.Removed {
				p.field("holds", report.Size(sum.Size)+" in "+fileCount(sum.Files), th.text)
			}
			if sum.Stored > 0 {
				p.field("stored here", report.Size(sum.Stored), th.text)
			}
			if sum.Removed > 0 {
				p.field("gone here", report.Size(sum.Removed), th.removed)
			}
		}
	}
	p.blank()
	p.title("History")
	history(p, l, f, n)
	return p.lines
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
func describe(p *page, st filetree.State, who *owners, t *filetree.Tree) {
	th := p.th
	kind := kindText(st.Kind)
	if st.Implied {
		kind += " that no layer lists"
	}
	p.field("kind", kind, th.text)
	switch st.Kind {
	case layer.File:
		p.field("size", report.Size(st.Size)+"  "+report.Exact(st.Size), th.text)
		if s := t.Stored(st.Content); s.Held < s.Bytes {
			p.field("in the tar", report.Size(s.Held)+", the rest is holes", th.text)
		}
	case layer.Symlink, layer.Link:
		p.field("target", report.Safe(st.Target), th.link)
	case layer.Char, layer.Block:
		p.field("device", fmt.Sprintf("%d,%d", st.Major, st.Minor), th.text)
	}
	p.field("mode", fmt.Sprintf("%s  %04o", modeText(st), st.Mode), th.text)
	p.field("owner", who.long(st.UID, st.GID), th.text)
	mod := time.Unix(st.ModTime, 0)
	p.field("modified", timeText(&mod), th.text)
	for _, x := range strings.Split(strings.TrimSuffix(st.Xattrs, "\x00"), "\x00") {
		p.field("attribute", report.Safe(x), th.text)
	}
}

func kindText(k layer.Kind) string {
	return [...]string{"file", "directory", "symbolic link", "hard link without its target", "character device", "block device", "named pipe"}[min(int(k), 6)]
}

// changeText says in words what happened to a path.
func changeText(th *theme, c filetree.Change) string {
	again := ""
	if c.Stored > 0 {
		again = ", stores " + report.Size(c.Stored)
	}
	switch c.Mark {
	case filetree.Added:
		return th.glyph.added + " added" + again
	case filetree.Modified:
		if c.Differs == filetree.Metadata {
			return th.glyph.modified + " modified: mode, owner or attributes" + again
		}
		return th.glyph.modified + " modified: content" + again
	case filetree.Removed:
		return th.glyph.removed + " removed"
	case filetree.Unchanged:
		if c.Stored > 0 {
			return th.glyph.again + " unchanged, but stored again: " + report.Size(c.Stored)
		}
		if c.Touched {
			return th.glyph.again + " listed again, unchanged"
		}
		return "unchanged"
	}
	return ""
}

// wastePage tells about a piece of waste, or a folder of it.
func wastePage(th *theme, w int, l *layers, f *files, it item) []line {
	t := f.tree
	p := &page{th: th, w: w}
	p.title(report.Safe(t.Path(it.node)))
	p.blank()
	p.field("wasted", report.Size(it.bytes)+"  "+report.Exact(it.bytes), th.wasted)
	if it.folder {
		p.field("in", fileCount(len(it.parts)), th.text)
	} else if s := t.Stored(it.parts[0].content); s.Node != s.Lost && !f.saved {
		p.field("stored as", report.Safe(t.Path(s.Node)), th.text)
	}
	p.field("because", causeText(it.cause), th.text)
	p.blank()
	if it.stored == it.last {
		p.add(it.stored, "", span{fmt.Sprintf(" stored by layer %d", it.stored), th.dim})
		p.wrap(2, l.command(l.step(it.stored)), th.text)
	} else {
		p.wrap(0, fmt.Sprintf("stored by layers %d to %d", it.stored, it.last), th.dim)
	}
	p.blank()
	p.add(it.hidden, "", span{fmt.Sprintf(" hidden by layer %d", it.hidden), th.dim})
	p.wrap(2, l.command(l.step(it.hidden)), th.text)
	if !it.folder && !f.saved {
		p.blank()
		p.title("History")
		history(p, l, f, it.node)
	}
	return p.lines
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
