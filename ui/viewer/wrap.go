package viewer

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// fold divides rows into rows of the screen, of a width in columns. It keeps the rows
// of the last frames, as every frame goes through its rows a few times. A line that is
// so long that it has several rows has a short row of the screen where one ends.
type fold struct {
	width int
	now   divided
	kept  map[int64]divided // by where the row begins
	made  made
}

// made is what divided rows depend on.
type made struct {
	limit int64 // the end of what could be read
	width int
}

// divided is a row and where its parts begin; the first one begins the row.
type divided struct {
	end   int64
	parts []int64
}

// divide divides the row with the byte at x.
func (f *fold) divide(r *rows, x int64) *divided {
	const most = 256
	if m := (made{r.end, f.width}); m != f.made || len(f.kept) == most {
		f.made, f.now, f.kept = m, divided{}, map[int64]divided{}
	}
	if d := &f.now; len(d.parts) > 0 && x >= d.parts[0] && x < d.end {
		return d
	}
	at := r.start(x)
	var ok bool
	if f.now, ok = f.kept[at]; ok {
		return &f.now
	}
	f.now = divided{r.next(at), []int64{at}}
	line := strings.TrimRight(string(r.bytes(at, f.now.end)), "\r\n")
	for start := at; line != ""; {
		n := fitting(line, f.width)
		line = line[n:]
		if at += int64(n); line != "" {
			f.now.parts = append(f.now.parts, at)
		} else {
			f.kept[start] = f.now
		}
	}
	return &f.now
}

// fitting returns how many bytes of a line fit into w columns, at least one character.
func fitting(line string, w int) int {
	var ends []int // of characters
	x, i := 0, 0
	for state := -1; i < len(line) && x <= w; ends = append(ends, i) {
		if c := line[i]; c != '\t' && plain(c) && (i+1 == len(line) || line[i+1] < utf8.RuneSelf) {
			x, i, state = x+1, i+1, -1
			continue
		}
		var g string
		g, _, _, state = uniseg.FirstGraphemeClusterInString(line[i:], state)
		x += textWidth(x, g)
		i += len(g)
	}
	if x <= w && textWidth(0, line) <= w {
		return len(line)
	}
	// An escape can take more room among its neighbours than it does alone.
	n := sort.Search(len(ends)-1, func(i int) bool { return textWidth(0, line[:ends[i]]) > w })
	return ends[max(n-1, 0)]
}

// next returns where the row of the screen after the one at x begins.
func (v *Content) next(x int64) int64 {
	if !v.wrap {
		return v.rows.next(x)
	}
	d := v.fold.divide(&v.rows, x)
	if i := d.after(x); i < len(d.parts) {
		return d.parts[i]
	}
	return d.end
}

// start returns where the row of the screen with the byte at x begins.
func (v *Content) start(x int64) int64 {
	if !v.wrap {
		return v.rows.start(x)
	}
	d := v.fold.divide(&v.rows, x)
	return d.parts[max(d.after(x)-1, 0)]
}

// after returns the index of the first part after x.
func (d *divided) after(x int64) int {
	return sort.Search(len(d.parts), func(i int) bool { return d.parts[i] > x })
}

// back returns the start of the row of the screen n rows above x, which is the start of
// a row or the end of the text.
func (v *Content) back(x int64, n int) int64 {
	for ; n > 0 && x > 0; n-- {
		x = v.start(x - 1)
	}
	return x
}

// Wrap sets whether lines are wrapped at the edge of the window.
func (v *Content) Wrap(wrap bool) {
	v.wrap, v.left = wrap, 0
	if !v.busy && !v.hex && !wrap {
		v.top = v.rows.start(v.top)
	}
}
