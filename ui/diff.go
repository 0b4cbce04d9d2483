package ui

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/gdamore/tcell/v2"
	"github.com/rogpeppe/go-internal/diff"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// maxDiff is how large a text may be whose lines are compared.
const maxDiff = 16 << 20

// target is the path that the keys for content are about, and the layers after
// which it was and is shown as it is on the screen; ok is false for none.
func (u *ui) target() (n filetree.Node, from, to int, ok bool) {
	if v := u.viewer(); v != nil {
		return v.node, v.from, v.to, true
	}
	if d, is := u.top().(*difference); is {
		return d.node, d.from, d.to, true
	}
	if u.showWaste && u.focus != layersPane {
		it, ok := u.waste.current()
		return it.node, it.hidden - 1, it.hidden, ok
	}
	if n, ok = u.node(); !ok || u.files.out == nil {
		return n, 0, 0, false
	}
	view := u.files.out.Scope().View
	return n, view.From, view.To, true
}

// shownAt is the layer after which a target is shown: the upper one, unless the
// path is gone there; -1 for neither.
func (u *ui) shownAt(n filetree.Node, from, to int) (filetree.State, int) {
	if st, ok := u.tree.At(n, to); ok {
		return st, to
	}
	if st, ok := u.tree.At(n, from); ok {
		return st, from
	}
	return filetree.State{Content: filetree.NoContent}, -1
}

// difference shows what differs between two versions of a path.
type difference struct {
	screen.List
	name     string
	node     filetree.Node
	from, to int
	versions string
	busy     bool
	lines    []screen.Line // what differs but for the content
	rows     []diffRow
	left     int
	stop     context.CancelFunc
}

// diffRow is a line of a unified diff.
type diffRow struct {
	old, new int // numbers of lines; 0 for none
	sign     byte
	text     string
}

func (d *difference) place() place           { return inDiff }
func (d *difference) scroller() *screen.List { return &d.List }
func (d *difference) wants() (w, h int)      { return 0, 0 }
func (d *difference) title() string          { return d.name }
func (d *difference) subtitle() string       { return d.versions }

func (d *difference) shut(*ui) bool {
	d.stop()
	return true
}

// openDiff compares a path with the version before.
func (u *ui) openDiff() {
	n, from, to, ok := u.target()
	if !ok {
		u.note = "choose a file first"
		return
	}
	after, is := u.tree.At(n, to)
	before, was := u.tree.At(n, from)
	if is && (!was || before.Layer == after.Layer) {
		before, was = u.tree.At(n, after.Layer-1)
	}
	switch {
	case !is && was:
		u.note = "it is gone: there is nothing to compare with what it was"
		return
	case !is:
		u.note = "it is not there at this layer"
		return
	case !was:
		u.note = fmt.Sprintf("layer %d stores its first version: there is nothing below to compare with", after.Layer)
		return
	}
	d := &difference{
		name: safe(u.tree.Path(n)), node: n, from: from, to: to,
		versions: fmt.Sprintf("layer %d to layer %d", before.Layer, after.Layer),
	}
	plain := func(s string, st tcell.Style) {
		d.lines = append(d.lines, screen.Line{Spans: []screen.Span{{Text: " " + s, Style: st}}, Link: -1})
	}
	for _, s := range differences(u.th, before, after, &u.files.owners) {
		plain(s, u.th.Text)
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	u.over = append(u.over, d)
	if before.Kind != layer.File || after.Kind != layer.File || before.Content == after.Content {
		if len(d.lines) == 0 {
			plain("nothing differs", u.th.Dim)
		}
		return
	}
	d.busy = true
	u.do.work(func(outer context.Context) func() {
		defer context.AfterFunc(outer, stop)()
		rows, says, err := compareContent(ctx, u.a, before, after)
		return func() {
			d.busy, d.rows = false, rows
			if says == "" && len(rows) == 0 && err == nil {
				says = "the content is the same"
			}
			if says != "" {
				plain(says, u.th.Text)
			}
			if err != nil {
				plain(safe(err.Error()), u.th.Alarm)
			}
		}
	})
}

// compareContent compares two files: line by line when both are text of some
// size, otherwise says where they begin to differ.
func compareContent(ctx context.Context, a *analyzer.Analysis, before, after filetree.State) ([]diffRow, string, error) {
	rb, err := a.Open(ctx, before.Content)
	if err != nil {
		return nil, "", err
	}
	defer rb.Close()
	ra, err := a.Open(ctx, after.Content)
	if err != nil {
		return nil, "", err
	}
	defer ra.Close()
	if max(before.Size, after.Size) <= maxDiff {
		was, err := io.ReadAll(rb)
		if err != nil {
			return nil, "", err
		}
		is, err := io.ReadAll(ra)
		if err != nil {
			return nil, "", err
		}
		if isText(was[:min(len(was), sniffed)]) && isText(is[:min(len(is), sniffed)]) {
			return diffRows(was, is), "", nil
		}
		if bytes.Equal(was, is) {
			return nil, "", nil
		}
		return nil, differAt("binary files", before, after, firstDifference(was, is)), nil
	}
	var pb, pa [64 << 10]byte
	what, at := "binary files", int64(0)
	for {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		if hb, ok := rb.(layer.Holed); ok {
			if ha, ok := ra.(layer.Holed); ok {
				n := min(hb.Hole(), ha.Hole())
				hb.SkipHole(n)
				ha.SkipHole(n)
				at += n
			}
		}
		nb, err1 := io.ReadFull(rb, pb[:])
		na, err2 := io.ReadFull(ra, pa[:])
		if at == 0 && isText(pb[:min(nb, sniffed)]) && isText(pa[:min(na, sniffed)]) {
			what = "texts too large to compare line by line"
		}
		if i := firstDifference(pb[:nb], pa[:na]); i < int64(max(nb, na)) {
			return nil, differAt(what, before, after, at+i), nil
		}
		for _, err := range []error{err1, err2} {
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return nil, "", err
			}
		}
		if at += int64(nb); err1 != nil {
			return nil, "", nil
		}
	}
}

// firstDifference is where two contents begin to differ: at the end of the
// shorter one if not before.
func firstDifference(a, b []byte) int64 {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return int64(i)
		}
	}
	return int64(n)
}

func differAt(what string, before, after filetree.State, at int64) string {
	return fmt.Sprintf("%s differ: %s, %s, first difference at byte %d", what, report.Exact(before.Size), report.Exact(after.Size), at)
}

// diffRows is the unified diff of two texts.
func diffRows(was, is []byte) []diffRow {
	var rows []diffRow
	var old, new int
	text := diff.Diff("a", was, "b", is)
	for i := 0; len(text) > 0; i++ {
		l, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		if i < 3 || len(l) == 0 { // the head with the names
			continue
		}
		row := diffRow{sign: l[0], text: string(l[1:])}
		switch row.sign {
		case '@':
			row.text = string(l)
			var n int
			if _, err := fmt.Sscanf(row.text, "@@ -%d,%d +%d,%d @@", &old, &n, &new, &n); err != nil {
				old, new = 0, 0 // without numbers rather than with wrong ones
			}
		case '-':
			row.old = old
			old++
		case '+':
			row.new = new
			new++
		case ' ':
			row.old, row.new = old, new
			old++
			new++
		}
		rows = append(rows, row)
	}
	return rows
}

func (d *difference) draw(c screen.Canvas) {
	head := len(d.lines)
	if head > 0 {
		head++ // a blank line
	}
	n := head + len(d.rows)
	if d.busy {
		n++
	}
	d.Fit(n, c.H)
	numbers := 0
	for _, r := range d.rows {
		numbers = max(numbers, len(itoa(max(r.old, r.new))))
	}
	if c.W < 2*numbers+24 {
		numbers = 0
	}
	for y := 0; y < c.H && d.Top+y < n; y++ {
		i := d.Top + y
		switch {
		case i < len(d.lines):
			c.Text(-d.left, y, d.lines[i].Spans[0].Style, d.lines[i].Text())
		case i < head:
		case d.busy:
			c.Text(1, y, c.Theme.Dim, "comparing"+c.Theme.Glyph.Ellipsis)
		default:
			d.drawRow(c.Sub(0, y, c.W, 1), numbers, d.rows[i-head])
		}
	}
}

func (d *difference) drawRow(c screen.Canvas, numbers int, r diffRow) {
	st := c.Theme.Text
	switch r.sign {
	case '@', '\\':
		c.Text(1, 0, c.Theme.Dim, safe(r.text))
		return
	case '+':
		st = c.Theme.Added
	case '-':
		st = c.Theme.Removed
	}
	x := 1
	if numbers > 0 {
		for _, n := range []int{r.old, r.new} {
			if n > 0 {
				c.Right(x+numbers, 0, c.Theme.Dim, itoa(n))
			}
			x += numbers + 1
		}
	}
	sign := string(r.sign)
	switch r.sign {
	case '+':
		sign = c.Theme.Glyph.Added
	case '-':
		sign = c.Theme.Glyph.Removed
	}
	c.Text(x, 0, st.Bold(r.sign != ' '), sign)
	t := c.Sub(x+2, 0, c.W-x-2, 1)
	drawTabbed(t, -d.left, -d.left, st, r.text)
}

// nextChange goes to the next group of lines that differ, or to the one before.
func (d *difference) nextChange(forward bool) {
	head := 0
	if len(d.lines) > 0 {
		head = len(d.lines) + 1
	}
	step := 1
	if !forward {
		step = -1
	}
	for i := d.Top + step; i >= head && i < head+len(d.rows); i += step {
		if d.rows[i-head].sign == '@' {
			d.Scroll(i - d.Top)
			return
		}
	}
	if !forward {
		d.Scroll(-d.Top)
	}
}

func (u *ui) nextChange(forward bool) {
	if d, ok := u.top().(*difference); ok {
		d.nextChange(forward)
	}
}
