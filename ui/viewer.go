package ui

import (
	"context"
	"fmt"
	"io"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

const (
	headSize  = 33 << 10 // first bytes, for what the file is
	firstStep = 4 << 20  // what is looked at before the file is shown
	nextStep  = 32 << 20 // what is looked at between two frames
)

// viewer shows the content of a file. A place in it is an offset: rows are
// found around it when they are drawn, however large the file is.
type viewer struct {
	screen.List // of the window only its height counts
	name        string
	node        filetree.Node
	from        int // the layers that the path was and is shown after
	to          int
	layer       int // that stores the content
	size        int64
	kind        string
	read        *analyzer.Reading
	rows        rows
	index       lineIndex
	busy        bool // nothing can be shown yet
	more        bool // is to be unpacked
	work        bool // somebody unpacks or counts lines
	err         error
	hex         bool
	top         int64 // offset of the first row
	left        int   // first column shown
	w           int   // columns of the last frame
	per         int64 // bytes in a row of hex
	find        find
	ctx         context.Context
	close       context.CancelFunc
}

// openViewer shows what path n holds in state st, as it was and is after layers
// from and to.
func (u *ui) openViewer(n filetree.Node, from, to int, st filetree.State) {
	v := &viewer{name: safe(u.tree.Path(n)), node: n, from: from, to: to, layer: u.tree.Stored(st.Content).Layer, size: st.Size, busy: true, per: 16}
	v.ctx, v.close = context.WithCancel(context.Background())
	u.over = append(u.over, v)
	u.do.work(func(outer context.Context) func() {
		stop := context.AfterFunc(outer, v.close)
		context.AfterFunc(v.ctx, func() { stop() })
		r, err := u.a.Reading(st.Content)
		if err != nil {
			return func() { v.busy, v.err = false, err }
		}
		context.AfterFunc(v.ctx, r.Close)
		more, err := r.Fill(v.ctx, firstStep)
		head := make([]byte, min(headSize, r.Arrived()))
		n, _ := r.ReadAt(head, 0) // an error comes again with the first row
		head = head[:n]
		text := isText(head[:min(n, sniffed)])
		var index lineIndex
		if text {
			index = index.count(r, min(r.Arrived(), firstStep))
		}
		return func() {
			v.read, v.err, v.hex, v.index = r, err, !text, index
			v.kind = "text"
			if !text {
				v.kind = kindOf(head)
			}
			v.busy, v.more = false, more
			v.rows = rows{at: r, end: r.Arrived()}
			u.prepare(v)
		}
	})
}

// prepare unpacks what is still to come and counts the lines of a text, beside
// the UI, a step between two frames.
func (u *ui) prepare(v *viewer) {
	if v.busy || v.work || !v.more && (v.hex || v.index.done >= v.rows.end) {
		return
	}
	v.work = true
	r, index, more, count := v.read, v.index, v.more, !v.hex
	u.do.work(func(context.Context) func() {
		var err error
		if more {
			more, err = r.Fill(v.ctx, nextStep)
		}
		to, before := r.Arrived(), index.done
		if count {
			index = index.count(r, min(to, before+nextStep))
		}
		stuck := !more && index.done == before // it can't be read
		if v.ctx.Err() != nil {
			return nil
		}
		return func() {
			v.work, v.more, v.rows.end, v.index = false, more, to, index
			if err != nil {
				v.err = err
			}
			if !stuck {
				u.prepare(v)
			}
			u.lookOn(v)
		}
	})
}

// copyContent copies the whole file, as far as a clipboard takes one.
func (u *ui) copyContent(v *viewer) {
	if v.busy || v.rows.end < v.size || v.size > maxClip*3/4 {
		u.note = "too much for a clipboard: " + report.Size(v.size)
		return
	}
	b := make([]byte, v.size)
	if _, err := v.read.ReadAt(b, 0); err != nil && err != io.EOF {
		u.note = safe(err.Error())
		return
	}
	if len(b) == 0 {
		u.note = "the file is empty"
		return
	}
	if u.note = u.do.copy(string(b)); u.note == "" {
		u.note = "can't copy this"
	}
	u.note += ": " + report.Size(v.size)
}

func (v *viewer) title() string { return v.name }

func (v *viewer) shut(*ui) bool {
	v.close()
	return true
}

func (v *viewer) subtitle() string {
	if v.busy {
		return report.Size(v.size)
	}
	s := v.kind
	if v.hex && s == "" {
		s = "binary"
	}
	if v.hex && v.kind == "text" {
		s = "hex"
	}
	size := report.Size(v.size)
	if v.rows.end < v.size {
		size = report.Size(v.rows.end) + " of " + size
	}
	return s + "  " + size
}

// where is what the bottom line says of the place in the file.
func (v *viewer) where() string {
	if v.busy || v.rows.end == 0 {
		return ""
	}
	var parts []string
	if v.top > 0 || v.bottom() < v.rows.end {
		parts = append(parts, fmt.Sprintf("%d%%", int(float64(v.bottom())/float64(max(v.size, 1))*100)))
	}
	if v.find.text != "" {
		parts = append(parts, "/"+safe(v.find.text)+"  "+v.find.status())
	}
	return strings.Join(parts, "  ")
}

// bottom is the offset behind the last row of the window.
func (v *viewer) bottom() int64 {
	if v.hex {
		return min(v.top+int64(v.H)*v.per, v.rows.end)
	}
	x := v.top
	for range v.H {
		x = v.rows.next(x)
	}
	return x
}

// lastTop is the highest offset that the window may begin at.
func (v *viewer) lastTop() int64 {
	if v.hex {
		n := (v.rows.end + v.per - 1) / v.per
		return max(n-int64(v.H), 0) * v.per
	}
	return v.rows.back(v.rows.end, v.H)
}

// scrollBy moves the window by n rows.
func (v *viewer) scrollBy(n int) {
	switch {
	case v.busy:
	case v.hex:
		v.top = max(v.top+int64(n)*v.per, 0)
	case n < 0:
		v.top = v.rows.back(v.top, -n)
	default:
		for ; n > 0; n-- {
			v.top = v.rows.next(v.top)
		}
	}
	v.top = min(v.top, v.lastTop())
}

// scrollEnd goes to the beginning, or to the end of what has arrived.
func (v *viewer) scrollEnd(last bool) {
	v.top = 0
	if last && !v.busy {
		v.top = v.lastTop()
	}
}

// toggle changes between text and hex, at the same place.
func (v *viewer) toggle() {
	if v.hex = !v.hex; v.hex {
		v.top -= v.top % v.per
	} else if v.top > 0 {
		v.top = v.rows.start(v.top)
	}
	v.left = 0
}

// reveal brings bytes into the window, with some rows above.
func (v *viewer) reveal(at, n int64) {
	row := func(x int64) int64 { return x - x%v.per }
	if !v.hex {
		row = v.rows.start
	}
	if at < v.top || at >= v.bottom() {
		v.top = row(at)
		v.scrollBy(-v.H / 3)
	}
	if v.hex {
		v.left = 0
		return
	}
	from := row(at)
	x := v.columns(from, at)
	end := x + v.columns(at, min(at+n, v.rows.next(from)))
	if room := v.w - v.margin() - 1; end > v.left+room || x < v.left {
		v.left = 0
		if end > room {
			v.left = max(min(x, end-room+room/4), 0)
		}
	}
}

// columns is how many columns the text from one offset to another takes, when
// it begins a row.
func (v *viewer) columns(from, to int64) int {
	return textWidth(0, string(v.rows.bytes(from, to)))
}
