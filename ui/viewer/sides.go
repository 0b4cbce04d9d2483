package viewer

import (
	"strconv"
	"unicode/utf8"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// sides is a row of a difference in two columns: the indexes of a row of the old text
// and of one of the new text, -1 for none. A row of both is on both sides.
type sides struct{ old, new int }

// align puts the rows of a unified diff beside each other. Of the lines that were
// removed and added at one place, those that are most alike become partners, in their
// order, and get the part that changed; the others fill the rows between them.
func align(rows []diffRow) []sides {
	var out []sides
	for i := 0; i < len(rows); {
		if s := rows[i].sign; s != '-' && s != '+' {
			out = append(out, sides{i, i})
			i++
			continue
		}
		var old, new []int
		for ; i < len(rows) && rows[i].sign != ' ' && rows[i].sign != '@'; i++ {
			// A note about a missing line feed belongs to the row before it.
			if rows[i].sign == '-' || rows[i].sign == '\\' && rows[i-1].sign == '-' {
				old = append(old, i)
			} else {
				new = append(new, i)
			}
		}
		k, l := 0, 0
		for _, p := range append(partners(rows, old, new), sides{len(old), len(new)}) {
			for k < p.old || l < p.new {
				row := sides{-1, -1}
				if k < p.old {
					row.old = old[k]
					k++
				}
				if l < p.new {
					row.new = new[l]
					l++
				}
				out = append(out, row)
			}
			if k < len(old) && l < len(new) {
				out = append(out, sides{old[k], new[l]})
				markChanged(&rows[old[k]], &rows[new[l]])
				k, l = k+1, l+1
			}
		}
	}
	return out
}

// partners returns which of the removed and added rows are alike, as indexes of old and
// new in ascending order, so that together they are as much alike as possible.
func partners(rows []diffRow, old, new []int) []sides {
	const most = 4096 // comparisons; more lines than that are compared in order
	var out []sides
	if len(old)*len(new) > most {
		for i := range min(len(old), len(new)) {
			if alike(&rows[old[i]], &rows[new[i]]) > 0 {
				out = append(out, sides{i, i})
			}
		}
		return out
	}
	// best[i][j] is for the rows from i and j on.
	best := make([][]int, len(old)+1)
	for i := range best {
		best[i] = make([]int, len(new)+1)
	}
	score := make([]int, len(old)*len(new))
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(new) - 1; j >= 0; j-- {
			n := alike(&rows[old[i]], &rows[new[j]])
			score[i*len(new)+j] = n
			best[i][j] = max(best[i+1][j], best[i][j+1], best[i+1][j+1]+n)
		}
	}
	for i, j := 0, 0; i < len(old) && j < len(new); {
		n := score[i*len(new)+j]
		switch {
		case n > 0 && best[i][j] == best[i+1][j+1]+n:
			out = append(out, sides{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return out
}

// alike returns how much of two rows is the same at their ends, in percent of the
// longer one; 0 if it is less than a third, or if one is not a line.
func alike(a, b *diffRow) int {
	const far = 1 << 10
	if a.sign == '\\' || b.sign == '\\' {
		return 0
	}
	s, t := a.text[:min(len(a.text), far)], b.text[:min(len(b.text), far)]
	head, tail := common(s, t)
	if n := (head + tail + 1) * 100 / (max(len(s), len(t)) + 1); n >= 33 {
		return n
	}
	return 0
}

// common returns how many bytes two texts have in common at the start, and then at the
// end, in whole characters.
func common(a, b string) (head, tail int) {
	n := min(len(a), len(b))
	for head < n && a[head] == b[head] {
		head++
	}
	for head > 0 && (head < len(a) && !utf8.RuneStart(a[head]) || head < len(b) && !utf8.RuneStart(b[head])) {
		head--
	}
	for tail < n-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for tail > 0 && !utf8.RuneStart(a[len(a)-tail]) {
		tail--
	}
	return head, tail
}

// markChanged sets the part of two partners that changed.
func markChanged(a, b *diffRow) {
	head, tail := common(a.text, b.text)
	a.from, a.to = head, len(a.text)-tail
	b.from, b.to = head, len(b.text)-tail
}

// Beside puts the two versions beside each other in windows of at least a width.
func (d *Difference) Beside(least int) { d.least = least }

// Window returns the width of the last frame, and whether the two versions were beside
// each other in it.
func (d *Difference) Window() (w int, beside bool) { return d.w, d.two }

// count returns the number of rows below the words.
func (d *Difference) count() int {
	if d.two {
		return len(d.sides)
	}
	return len(d.rows)
}

// row returns the index of the first diffRow of a row of the window.
func (d *Difference) row(i int) int {
	switch {
	case !d.two:
		return i
	case d.sides[i].old >= 0:
		return d.sides[i].old
	}
	return d.sides[i].new
}

// arrange chooses one column or two. The window stays where it is in the text; head
// lines are above the rows.
func (d *Difference) arrange(head int, two bool) {
	if d.two == two {
		return
	}
	i := d.Top - head
	if i < 0 || i >= d.count() {
		d.two = two
		return
	}
	at := d.row(i)
	d.two = two
	top := at
	if two {
		for top = 0; top+1 < len(d.sides) && d.sides[top].old != at && d.sides[top].new != at; top++ {
		}
	}
	d.Fit(head+d.count(), d.H)
	d.Scroll(head + top - d.Top)
}

// drawSides draws a row in two columns.
func (d *Difference) drawSides(c screen.Canvas, numbers int, s sides) {
	half := (c.W - 1) / 2
	if s.old >= 0 && d.rows[s.old].sign == '@' {
		c.Text(1, 0, c.Theme.Dim, report.Safe(d.rows[s.old].text))
		return
	}
	c.Text(half, 0, c.Theme.Dim, c.Theme.Glyph.Wall)
	for k, i := range [2]int{s.old, s.new} {
		if i < 0 {
			continue
		}
		r, side := d.rows[i], c.Sub(k*(half+1), 0, half, 1)
		if r.sign == '\\' {
			side.Short(1, 0, side.W-1, c.Theme.Dim, report.Safe(r.text))
			continue
		}
		x := 1
		if numbers > 0 {
			side.Right(x+numbers, 0, c.Theme.Dim, strconv.Itoa([2]int{r.old, r.new}[k]))
			x += numbers + 1
		}
		d.drawText(side.Sub(x, 0, side.W-x, 1), r)
	}
}
