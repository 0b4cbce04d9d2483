package viewer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/gdamore/tcell/v2"
	"github.com/rogpeppe/go-internal/diff"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// maxDiff is the size up to which texts are compared line by line.
const maxDiff = 16 << 20

// Difference shows what differs between two versions of a path.
type Difference struct {
	screen.List // without a cursor
	name        string
	versions    string
	busy        bool
	lines       []screen.Line // differences other than the content
	rows        []diffRow
	sides       []sides // the same rows in two columns
	least       int     // the width from which on there are two columns
	two         bool    // the last frame had two columns
	w           int     // of the last frame
	left        int
	numbers     int // the width of the largest number of a line
	stop        context.CancelFunc
}

// diffRow is a line of a unified diff.
type diffRow struct {
	old, new int // numbers of lines; 0 for none
	sign     byte
	text     string
	from, to int // the part of the text that changed, if the row has a partner
}

// Compare shows how two states of a path differ: first the given words, then the
// differences of the content.
func Compare(work Work, a *analyzer.Analysis, th *screen.Theme, name string, before, after filetree.State, words []string) *Difference {
	d := &Difference{List: screen.List{NoCursor: true}, name: report.Safe(name), versions: fmt.Sprintf("layer %d to layer %d", before.Layer, after.Layer), least: math.MaxInt}
	say := func(s string, st tcell.Style) {
		d.lines = append(d.lines, screen.Line{Spans: []screen.Span{{Text: " " + s, Style: st}}, Link: -1})
	}
	for _, s := range words {
		say(s, th.Text)
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	if before.Kind != layer.File || after.Kind != layer.File || before.Content == after.Content {
		if len(words) == 0 {
			same := "nothing differs"
			if after.Kind == layer.Dir {
				same += " in the folder itself; compare a file below it"
			}
			say(same, th.Dim)
		}
		return d
	}
	d.busy = true
	work(func(outer context.Context) func() {
		defer context.AfterFunc(outer, stop)()
		rows, says, err := compareContent(ctx, a, before, after)
		sides := align(rows)
		return func() {
			d.busy, d.rows, d.sides = false, rows, sides
			for _, r := range rows {
				d.numbers = max(d.numbers, len(strconv.Itoa(max(r.old, r.new))))
			}
			if says == "" && len(rows) == 0 && err == nil {
				says = "the content is the same"
			}
			if says != "" {
				say(says, th.Text)
			}
			if err != nil {
				say(report.Safe(err.Error()), th.Alarm)
			}
		}
	})
	return d
}

// Title returns the path.
func (d *Difference) Title() string { return d.name }

// Note says which versions are compared, by their layers.
func (d *Difference) Note() string { return d.versions }

// Status returns nothing: there is no cursor.
func (d *Difference) Status() (where, state string) { return "", "" }

// Close stops the comparison.
func (d *Difference) Close() { d.stop() }

// Pan moves the window by n columns.
func (d *Difference) Pan(n int) { d.left = max(d.left+n, 0) }

// compareContent compares two files: line by line if both are text and not too large.
// Otherwise it says where they begin to differ.
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

// firstDifference returns the offset at which two contents begin to differ, at most
// the length of the shorter one.
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

// diffRows returns the unified diff of two texts.
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
				old, new = 0, 0 // no numbers are better than wrong ones
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

// Draw draws the window. There is no cursor, so the focus makes no difference.
func (d *Difference) Draw(c screen.Canvas, _ bool) {
	head := len(d.lines)
	if head > 0 {
		head++ // a blank line
	}
	d.w = c.W
	d.arrange(head, c.W >= d.least)
	n := head + d.count()
	if d.busy {
		n++
	}
	numbers := d.numbers
	if c.W < 2*numbers+24 {
		numbers = 0
	}
	d.List.Draw(c, n, false, func(y, i int, _ func(tcell.Style) tcell.Style) {
		switch {
		case i < len(d.lines):
			c.Text(-d.left, y, d.lines[i].Spans[0].Style, d.lines[i].Text())
		case i < head:
		case d.busy:
			c.Text(1, y, c.Theme.Dim, "comparing"+c.Theme.Glyph.Ellipsis)
		case d.two:
			d.drawSides(c.Sub(0, y, c.W, 1), numbers, d.sides[i-head])
		default:
			d.drawRow(c.Sub(0, y, c.W, 1), numbers, d.rows[i-head])
		}
	})
}

func (d *Difference) drawRow(c screen.Canvas, numbers int, r diffRow) {
	if r.sign == '@' || r.sign == '\\' {
		c.Text(1, 0, c.Theme.Dim, report.Safe(r.text))
		return
	}
	x := 1
	if numbers > 0 {
		for _, n := range []int{r.old, r.new} {
			if n > 0 {
				c.Right(x+numbers, 0, c.Theme.Dim, strconv.Itoa(n))
			}
			x += numbers + 1
		}
	}
	d.drawText(c.Sub(x, 0, c.W-x, 1), r)
}

// drawText draws the sign and the text of a row, and marks what changed of it.
func (d *Difference) drawText(c screen.Canvas, r diffRow) {
	st, sign := c.Theme.Text, string(r.sign)
	switch r.sign {
	case '+':
		st, sign = c.Theme.Added, c.Theme.Glyph.Added
	case '-':
		st, sign = c.Theme.Removed, c.Theme.Glyph.Removed
	}
	c.Text(0, 0, st.Bold(r.sign != ' '), sign)
	t := c.Sub(2, 0, c.W-2, 1)
	drawTabbed(t, -d.left, -d.left, st, r.text)
	if r.from < r.to {
		tint(t, &columns{line: r.text}, d.left, r.from, r.to, st.Bold(true).Underline(true))
	}
}

// Next goes to the next group of lines that differ, or to the previous one.
func (d *Difference) Next(forward bool) {
	head := 0
	if len(d.lines) > 0 {
		head = len(d.lines) + 1
	}
	step := 1
	if !forward {
		step = -1
	}
	for i := d.Top + step; i >= head && i < head+d.count(); i += step {
		if d.rows[d.row(i-head)].sign == '@' {
			d.Scroll(i - d.Top)
			return
		}
	}
	if !forward {
		d.Scroll(-d.Top)
	}
}
