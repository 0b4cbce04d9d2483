package viewer

import (
	"context"
	"fmt"
	"io"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

const (
	headSize  = 33 << 10 // first bytes, for the kind of the file
	firstStep = 4 << 20  // bytes read before the file is shown
	nextStep  = 32 << 20 // bytes read between two frames
)

// Work runs a function in the background, and then the function that it returns in
// the UI's goroutine.
type Work func(func(context.Context) func())

// Content shows the content of a file. Positions are offsets. The rows around an
// offset are found when they are drawn, so the file can have any size.
type Content struct {
	file
	window
	find  find
	goal  goal
	work  Work
	ctx   context.Context
	close context.CancelFunc
}

// file holds the content that has been read so far.
type file struct {
	path    string
	name    string // the path, safe to show
	layer   int    // the layer that stores the content
	size    int64
	kind    string
	read    *analyzer.Reading
	rows    rows
	index   lineIndex
	runs    []run // the syntax of a text, as far as it is known; the last one ends it
	busy    bool  // nothing can be shown yet
	more    bool  // not all of it is unpacked yet
	working bool  // more is being unpacked, or lines are being counted
	err     error
}

// window is the part of the content on the screen.
type window struct {
	hex  bool
	top  int64 // offset of the first row
	left int   // first column shown
	w, h int   // of the last frame
	per  int64 // bytes in a row of hex
	wrap bool  // of text
	fold fold
}

// goal is where the window goes when enough of the file has been read. The zero value
// is nowhere.
type goal struct {
	set     bool
	flipped bool // text shown as hex, or the other way round
	line    int64
	at      int64 // an offset, in hex or if the line is unknown
	byLine  bool
	find    string
}

// Open shows the content of a file with a name, in state st.
func Open(work Work, a *analyzer.Analysis, name string, st filetree.State) *Content {
	v := &Content{work: work, file: file{path: name, name: report.Safe(name), layer: a.Tree.Stored(st.Content).Layer, size: st.Size, busy: true}, window: window{per: 16}}
	v.ctx, v.close = context.WithCancel(context.Background())
	work(func(outer context.Context) func() {
		stop := context.AfterFunc(outer, v.close)
		context.AfterFunc(v.ctx, func() { stop() })
		r, err := a.Reading(st.Content)
		if err != nil {
			return func() { v.busy, v.err = false, err }
		}
		context.AfterFunc(v.ctx, r.Close)
		more, err := r.Fill(v.ctx, firstStep)
		head := make([]byte, min(headSize, r.Arrived()))
		n, _ := r.ReadAt(head, 0) // the first row shows an error
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
			v.reach()
			v.prepare()
			v.colour()
		}
	})
	return v
}

// Follow shows the lines that another content shows, as soon as they are read, and
// searches for the same text.
func (v *Content) Follow(old *Content) {
	if old.busy {
		v.goal = old.goal
	} else {
		v.goal = goal{set: true, flipped: old.hex == (old.kind == "text"), at: old.top, find: old.find.text}
		if !old.hex {
			v.goal.line, v.goal.byLine = old.index.before(&old.rows, old.top)
		}
	}
	v.left, v.wrap = old.left, old.wrap
	v.fold.width = old.fold.width
	v.reach()
}

// reach goes to the goal if that has been read.
func (v *Content) reach() {
	g := v.goal
	if !g.set || v.busy {
		return
	}
	if g.find != v.find.text {
		v.look(g.find, true)
	}
	if g.flipped {
		v.goal.flipped = false
		v.Toggle()
		v.left = 0
	}
	switch at, ok := v.index.line(&v.rows, g.line); {
	case v.hex:
		v.top = g.at
	case !g.byLine:
		v.top = v.rows.start(g.at)
	case !ok && (v.more || v.index.done < v.rows.end):
		return
	default:
		v.top = at
	}
	v.goal = goal{}
}

// prepare unpacks the rest and counts the lines of a text, in the background, one step
// between two frames.
func (v *Content) prepare() {
	if v.busy || v.working || !v.more && (v.hex || v.index.done >= v.rows.end) {
		return
	}
	v.working = true
	r, index, more, count := v.read, v.index, v.more, !v.hex
	v.work(func(context.Context) func() {
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
			v.working, v.more, v.rows.end, v.index = false, more, to, index
			if err != nil {
				v.err = err
			}
			v.reach()
			if !stuck {
				v.prepare()
			}
			v.lookOn()
		}
	})
}

// Busy reports whether nothing can be shown yet.
func (v *Content) Busy() bool { return v.busy }

// Size returns the size of the whole file, in bytes.
func (v *Content) Size() int64 { return v.size }

// Bytes returns the whole content. It returns false if that has more than most bytes,
// or is not read completely yet.
func (v *Content) Bytes(most int64) ([]byte, bool, error) {
	if v.busy || v.rows.end < v.size || v.size > most {
		return nil, false, nil
	}
	b := make([]byte, v.size)
	if _, err := v.read.ReadAt(b, 0); err != nil && err != io.EOF {
		return nil, true, err
	}
	return b, true, nil
}

// Title returns the name of the file.
func (v *Content) Title() string { return v.name }

// Close stops reading the file.
func (v *Content) Close() { v.close() }

// Escape ends the search and reports whether there was one.
func (v *Content) Escape() bool {
	if v.find.text == "" {
		return false
	}
	v.look("", false)
	return true
}

// Note returns the kind and the size of the file.
func (v *Content) Note() string {
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

// Status returns what the search found.
func (v *Content) Status() (where, state string) {
	if v.busy || v.rows.end == 0 || v.find.text == "" {
		return "", ""
	}
	return "/" + report.Safe(v.find.text) + "  " + v.find.status(), ""
}

// Extent returns which bytes the window shows and, if not all of them, its last line: of
// a file that is not text, or whose lines are not counted yet, how far down it is.
func (v *Content) Extent() screen.Extent {
	if v.busy || v.rows.end == 0 {
		return screen.Extent{}
	}
	bottom := v.bottom()
	e := screen.Extent{Top: int(v.top), H: int(bottom - v.top), N: int(v.size)}
	if !e.Over() {
		return e
	}
	e.Says = fmt.Sprintf("%d%%", int(float64(bottom)/float64(v.size)*100))
	if n, ok := v.index.before(&v.rows, bottom); ok && !v.hex && v.index.done == v.size {
		all := v.index.lines
		if string(v.rows.bytes(v.size-1, v.size)) != "\n" {
			all++
		}
		if string(v.rows.bytes(bottom-1, bottom)) != "\n" {
			n++
		}
		e.Says = fmt.Sprintf("%d/%d", n, all)
	}
	return e
}

// Jump goes as far down the file as line y is of h lines.
func (v *Content) Jump(y, h int) {
	if v.busy || v.rows.end == 0 {
		return
	}
	v.top = int64(screen.Far(y, h, int(v.lastTop())+1))
	if v.hex {
		v.top -= v.top % v.per
	} else {
		v.top = v.rows.start(v.top)
	}
}

// bottom returns the offset after the last row of the window.
func (v *Content) bottom() int64 {
	if v.hex {
		return min(v.top+int64(v.h)*v.per, v.rows.end)
	}
	x := v.top
	for range v.h {
		x = v.next(x)
	}
	return x
}

// lastTop returns the highest offset at which the window may begin.
func (v *Content) lastTop() int64 {
	if v.hex {
		n := (v.rows.end + v.per - 1) / v.per
		return max(n-int64(v.h), 0) * v.per
	}
	return v.back(v.rows.end, v.h)
}

// Move moves the window by n rows.
func (v *Content) Move(n int) {
	v.goal = goal{}
	switch {
	case v.busy:
	case v.hex:
		v.top = max(v.top+int64(n)*v.per, 0)
	case n < 0:
		v.top = v.back(v.top, -n)
	default:
		for ; n > 0; n-- {
			v.top = v.next(v.top)
		}
	}
	v.top = min(v.top, v.lastTop())
}

// Scroll does the same as Move, as there is no cursor.
func (v *Content) Scroll(n int) { v.Move(n) }

// Page moves the window by n halves of its height.
func (v *Content) Page(n int) { v.Move(n * max(v.h/2, 1)) }

// End goes to the start, or to the end of the content read so far.
func (v *Content) End(last bool) {
	v.goal = goal{}
	v.top = 0
	if last && !v.busy {
		v.top = v.lastTop()
	}
}

// Pan moves the window by n columns. Wrapped lines have no more than the window has.
func (v *Content) Pan(n int) {
	if !v.wrap || v.hex {
		v.left = max(v.left+n, 0)
	}
}

// Toggle switches between text and hex, at the same offset.
func (v *Content) Toggle() {
	if v.busy {
		return
	}
	if v.hex = !v.hex; v.hex {
		v.top -= v.top % v.per
	} else if v.top > 0 {
		v.top = v.start(v.top)
	}
	v.left = 0
	v.prepare()
}

// reveal brings bytes into the window, with some rows above.
func (v *Content) reveal(at, n int64) {
	row := func(x int64) int64 { return x - x%v.per }
	if !v.hex {
		row = v.start
	}
	if at < v.top || at >= v.bottom() {
		v.top = row(at)
		v.Move(-v.h / 3)
	}
	if v.hex || v.wrap {
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

// columns returns how many columns the text between two offsets takes at the start of
// a row.
func (v *Content) columns(from, to int64) int {
	return textWidth(0, string(v.rows.bytes(from, to)))
}
