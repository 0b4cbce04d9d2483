package ui

import (
	"fmt"
	"strings"
	"time"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// detail is the pane that describes what is selected: a layer, a file with its
// history, or waste.
type detail struct {
	screen.List
	none
	u     *ui
	lines []screen.Line
	of    any // what the lines describe; a change scrolls to the top
}

func (d *detail) place() place           { return inDetail }
func (d *detail) Title() string          { return "Detail" }
func (d *detail) about() string          { return "" }
func (d *detail) Note() string           { return d.subject().about() }
func (d *detail) target() (target, bool) { return d.subject().target() }
func (d *detail) copies() string         { return copyLine(d.lines, d.At) }

// subject is the pane that the details are about.
func (d *detail) subject() pane { return d.u.pane(d.u.subject) }

func (d *detail) Status() (where, state string) { return "details " + d.Note(), "" }

func (d *detail) Draw(c screen.Canvas, focused bool) {
	p := &screen.Page{Theme: c.Theme, W: c.W}
	if of := d.subject().details(p); of != d.of {
		d.List, d.of = screen.List{H: d.H}, of
	}
	d.lines = p.Lines
	screen.DrawLines(c, &d.List, d.lines, focused)
}

// click selects a line; a double click goes to its layer.
func (d *detail) click(_, y int, twice bool) {
	if d.Click(y) && twice {
		d.enter()
	}
}

// enter goes to the layer that the line is about, or to a path that it names.
func (d *detail) enter() {
	if d.At < len(d.lines) && d.lines[d.At].Go != nil {
		d.lines[d.At].Go()
		d.u.setFocus(rightPane)
		return
	}
	if layer := d.layerAt(); layer >= 0 {
		d.u.goLayer(layer)
	}
}

// hint says what enter does on the line under the cursor.
func (d *detail) hint(action, usual string) string {
	switch {
	case action != "go-to-layer":
	case d.At < len(d.lines) && d.lines[d.At].Go != nil:
		return "go to the path"
	case d.layerAt() < 0:
		return ""
	}
	return usual
}

func (d *detail) layerAt() int { return linkAt(d.lines, d.At) }

func timeText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// layerPage describes a layer, or a step without one.
func layerPage(p *screen.Page, rep *facts.Report, s step, hides []hidden) {
	th := p.Theme
	if s.layer < 0 {
		if s.history < 0 {
			return
		}
		h := &rep.History[s.history]
		p.Title("A step without a layer")
		p.Blank()
		p.Wrap(0, command(rep, s), th.Text)
		p.Blank()
		p.Field("created", timeText(h.Created), th.Text)
		p.Field("comment", safe(h.Comment), th.Text)
		p.Field("author", safe(h.Author), th.Text)
		return
	}
	lr := &rep.Layers[s.layer]
	p.Title(layerName(s.layer, len(rep.Layers)))
	p.Blank()
	p.Wrap(0, command(rep, s), th.Text)
	p.Blank()
	if b := rep.Base; b != nil && s.layer < b.Layers {
		p.Field("base", report.BaseName(b), th.Accent)
	}
	if lr.Source != nil {
		p.Field("lines", report.Lines(lr.Source), th.Text)
	}
	if lr.Unverified {
		p.Field("unverified", "listed from its table of contents", th.Alarm)
	}
	p.Field("stored", report.Size(lr.StoredBytes)+"  "+report.Exact(lr.StoredBytes), th.Text)
	p.Field("visible", report.Size(lr.VisibleBytes), th.Visible)
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
		p.Field("comment", safe(rep.History[s.history].Comment), th.Dim)
	}
	if !lr.Unverified {
		p.Field("checked", checkedText(lr.Checked), th.Dim)
	}
	p.Field("diff ID", safe(lr.DiffID), th.Dim)
	p.Field("digest", safe(lr.Digest), th.Dim)
	p.Field("media type", safe(lr.MediaType), th.Dim)
	for _, w := range rep.Warnings {
		if w.Layer == s.layer {
			p.Blank()
			p.Wrap(0, warningText(w), th.Alarm)
		}
	}
}

// checkedText says what the layer's bytes were compared with.
func checkedText(checked string) string {
	switch checked {
	case facts.CheckedHeaders:
		return "headers and size"
	case facts.CheckedDiffID:
		return "diff ID"
	case facts.CheckedBoth:
		return "digest and diff ID"
	case facts.CheckedDigest:
		return "digest"
	}
	return "" // of an unknown kind, or nothing
}

// layerName returns the number of a layer, and says if it is the first or the last.
func layerName(i, n int) string {
	switch i {
	case 0:
		return "Layer 0, the first"
	case n - 1:
		return fmt.Sprintf("Layer %d, the last", i)
	}
	return fmt.Sprintf("Layer %d", i)
}

func warningText(w facts.Warning) string {
	text := "warning: " + safe(w.Text)
	if w.Path != "" {
		text += ": " + safe(w.Path)
	}
	return text
}

// filePage describes a path as a scope shows it, and its history.
func (f *files) filePage(p *screen.Page, n filetree.Node) {
	rep, img, scope := f.u.rep, f.u.img, f.out.Scope()
	th, t, v := p.Theme, img.Tree, scope.View
	p.Title(safe(t.Path(n)))
	if st, ok := v.State(n); !ok {
		p.Wrap(0, "does not exist at this layer", th.Dim)
	} else {
		p.Blank()
		c := v.Change(n)
		since, change := "this layer", changeText(th, c)
		if scope.Both {
			since = fmt.Sprintf("since %d", v.From)
		}
		if before, after := v.Counted(n); scope.Both && c.Mark == filetree.Unchanged && c.Touched {
			change = "unchanged, " + countedElsewhere(after-before)
		}
		p.Field(since, change, th.Text)
		if scope.Both {
			beforeAfter(p, t, scope, v.From, v.To, n, fmt.Sprintf("layer %d", v.From), fmt.Sprintf("layer %d", v.To))
			p.Blank()
		}
		_, at := f.u.shownAt(target{n, v.From, v.To})
		f.describe(p, n, st, at)
		img.packageField(p, st.Content)
		if sum := v.Sum(n); st.Kind == layer.Dir && !scope.Both {
			if c.Mark != filetree.Removed {
				p.Field("holds", report.Size(sum.Size)+" in "+count(sum.Files, "file"), th.Text)
			}
			if sum.Stored > 0 {
				p.Field("stored here", report.Size(sum.Stored), th.Text)
			}
			if sum.Removed > 0 {
				p.Field("gone here", report.Size(sum.Removed), th.Removed)
			}
		}
		f.otherNames(p, n, st.Content, at)
	}
	p.Blank()
	p.Title("History")
	history(p, rep, img, n)
}

// otherName returns the first name of the content that n has after the view; None if
// that is n itself.
func otherName(v *filetree.View, t *filetree.Tree, n filetree.Node, st filetree.State) filetree.Node {
	if st.Content == filetree.NoContent {
		return filetree.None
	}
	if first := t.FirstName(st.Content, v.To); first != n {
		return first
	}
	return filetree.None
}

// describe adds the fields of the state of a path after layer at.
func (f *files) describe(p *screen.Page, n filetree.Node, st filetree.State, at int) {
	th, who, t := p.Theme, &f.u.img.owners, f.tree
	p.Field("kind", kindText(st.Kind), th.Text)
	if st.Implied {
		p.Field("", "no layer lists it: mode, owner and times are not known", th.Dim)
		return
	}
	switch st.Kind {
	case layer.File:
		p.Field("size", report.Size(st.Size)+"  "+report.Exact(st.Size), th.Text)
		if s := t.Stored(st.Content); s.Held < s.Bytes {
			p.Field("in the tar", report.Size(s.Held)+", the rest is holes", th.Text)
		}
	case layer.Symlink:
		p.Field("target", safe(st.Target), th.Link)
		f.linkField(p, n, at)
	case layer.Link:
		p.Field("target", safe(st.Target), th.Link)
	case layer.Char, layer.Block:
		p.Field("device", fmt.Sprintf("%d,%d", st.Major, st.Minor), th.Text)
	}
	p.Field("mode", fmt.Sprintf("%s  %04o", report.Mode(st.Kind, st.Mode), st.Mode), th.Text)
	p.Field("owner", who.long(st.UID, st.GID), th.Text)
	mod := time.Unix(st.ModTime, 0)
	p.Field("modified", timeText(&mod), th.Text)
	for _, x := range strings.Split(strings.TrimSuffix(st.Xattrs, "\x00"), "\x00") {
		p.Field("attribute", safe(x), th.Text)
	}
}

func kindText(k layer.Kind) string {
	return [...]string{"file", "directory", "symbolic link", "hard link without its target", "character device", "block device", "named pipe"}[min(int(k), 6)]
}

// changeText describes a change in words.
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
			return th.Glyph.Again + " the same, stored again: " + report.Size(c.Stored)
		}
		if c.Touched {
			return th.Glyph.Again + " the same, listed again"
		}
		return "unchanged"
	}
	return ""
}

// wastePage describes an item of the waste; all is the sum of all items, and img is nil
// for a saved report.
func wastePage(p *screen.Page, rep *facts.Report, t *filetree.Tree, img *image, all int64, it item) {
	th := p.Theme
	p.Title(safe(t.Path(it.node)))
	p.Blank()
	p.Field("wasted", report.Size(it.bytes)+"  "+report.Exact(it.bytes), th.Wasted)
	shareField(p, it.bytes, all)
	if it.versions != nil {
		wasteVersions(p, it)
		if !it.folder && img != nil {
			p.Blank()
			p.Title("History")
			history(p, rep, img, it.node)
		}
		return
	}
	if it.folder {
		p.Field("in", count(len(it.parts), "file"), th.Text)
	} else if s := t.Stored(it.parts[0].content); s.Node != s.Lost && img != nil {
		p.Field("stored as", safe(t.Path(s.Node)), th.Text)
	}
	p.Field("because", causeText(it.cause), th.Text)
	p.Blank()
	if it.stored == it.last {
		p.Add(it.stored, "", screen.Span{Text: fmt.Sprintf(" stored by layer %d", it.stored), Style: th.Dim})
		p.Wrap(2, layerCommand(rep, it.stored), th.Text)
	} else {
		p.Wrap(0, fmt.Sprintf("stored by layers %d to %d", it.stored, it.last), th.Dim)
	}
	p.Blank()
	p.Add(it.hidden, "", screen.Span{Text: fmt.Sprintf(" hidden by layer %d", it.hidden), Style: th.Dim})
	p.Wrap(2, layerCommand(rep, it.hidden), th.Text)
	if !it.folder && img != nil {
		p.Blank()
		p.Title("History")
		history(p, rep, img, it.node)
	}
}

// shareField says how much of all waste some of it is.
func shareField(p *screen.Page, n, all int64) {
	if all > 0 {
		p.Field("share", report.Percent(float64(n)/float64(all))+" of all waste", p.Theme.Text)
	}
}

// wasteVersions lists the layers that stored and hid the versions of an item, and what
// they have in common.
func wasteVersions(p *screen.Page, it item) {
	th := p.Theme
	p.Field("in", count(len(it.parts), "version"), th.Text)
	p.Field("because", causeText(it.cause), th.Text)
	p.Blank()
	p.Title("Stored by, hidden by")
	for _, v := range it.versions {
		p.Add(v.hidden, "", screen.Span{Text: fmt.Sprintf(" %-9s %8s ", v.steps(th), report.Size(v.bytes)), Style: th.Text}, screen.Span{Text: " " + report.Cause(v.cause.String()), Style: causeStyle(th, v.cause)})
	}
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
