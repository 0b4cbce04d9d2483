package viewer

import (
	"bytes"
	"io"
	"sort"
	"unicode/utf8"
)

const (
	// chunk is how long a line may be before it continues in the next row. The
	// first row of a long line has up to twice as much: rows end at multiples
	// of chunk, so that they can be found from anywhere in a line of any length.
	chunk    = 2 << 10
	windowed = 128 << 10 // bytes that are read at once
)

// rows finds the rows of a text of any size. A row begins at the start, after a line
// feed, and at a multiple of chunk if there is no line feed in the chunk before it (or
// up to three bytes later, so that no character is split). rows reads only the bytes
// near a row, and keeps the last ones it read.
type rows struct {
	at   io.ReaderAt
	end  int64 // of what can be read so far
	base int64 // offset of buf
	buf  []byte
	err  error
}

// bytes returns the content between two offsets, as far as it can be read. The slice is
// valid until the next call.
func (r *rows) bytes(from, to int64) []byte {
	from, to = max(from, 0), min(to, r.end)
	if from >= to {
		return nil
	}
	if from < r.base || to > r.base+int64(len(r.buf)) {
		r.base = max(from-windowed/4, 0)
		n := min(max(to-r.base, windowed), r.end-r.base)
		if int64(cap(r.buf)) < n {
			r.buf = make([]byte, n)
		}
		got, err := r.at.ReadAt(r.buf[:n], r.base)
		r.buf = r.buf[:got]
		if int64(got) < n && err != nil {
			r.err = err
		}
	}
	have := r.base + int64(len(r.buf))
	if from >= have {
		return nil
	}
	return r.buf[from-r.base : min(to, have)-r.base]
}

// cut returns where the row at a multiple of chunk begins, outside of any character.
func (r *rows) cut(m int64) int64 {
	for i, b := range r.bytes(m, m+utf8.UTFMax) {
		if utf8.RuneStart(b) {
			return m + int64(i)
		}
	}
	return m
}

// whole reports whether the chunk before m has no line feed.
func (r *rows) whole(m int64) bool {
	return m >= chunk && bytes.IndexByte(r.bytes(m-chunk, m), '\n') < 0
}

// next returns where the row after the one at x begins; the end if there is none.
func (r *rows) next(x int64) int64 {
	const far = 2*chunk + utf8.UTFMax
	end := min(x+far, r.end)
	if i := bytes.IndexByte(r.bytes(x, end), '\n'); i >= 0 {
		end = x + int64(i) + 1
	}
	for m := x - x%chunk + chunk; m < end; m += chunk {
		if at := r.cut(m); at > x && at < end && r.whole(m) {
			return at
		}
	}
	return max(end, min(x+1, r.end))
}

// start returns where the row with the byte at x begins.
func (r *rows) start(x int64) int64 {
	x = max(min(x, r.end-1), 0)
	const far = 2*chunk + utf8.UTFMax
	from := max(x-far, 0)
	at := int64(0)
	if i := bytes.LastIndexByte(r.bytes(from, x), '\n'); i >= 0 {
		at = from + int64(i) + 1
	}
	for m := x - x%chunk; m > at && m > 0; m -= chunk {
		if c := r.cut(m); c <= x && r.whole(m) {
			return max(at, c)
		}
	}
	return at
}

// lineStep is the distance, in bytes, between noted line counts.
const lineStep = 64 << 10

// lineIndex holds the number of line feeds before every multiple of lineStep, as far as
// they have been counted.
type lineIndex struct {
	marks []int64 // marks[i] counts those before i*lineStep
	done  int64   // bytes counted
	lines int64   // line feeds found
}

// count continues counting in at, up to offset to.
func (x lineIndex) count(at io.ReaderAt, to int64) lineIndex {
	buf := make([]byte, lineStep)
	if len(x.marks) == 0 {
		x.marks = []int64{0}
	}
	for x.done < to {
		n := min(to, int64(len(x.marks))*lineStep) - x.done
		got, err := at.ReadAt(buf[:n], x.done)
		x.lines += int64(bytes.Count(buf[:got], []byte{'\n'}))
		x.done += int64(got)
		if x.done == int64(len(x.marks))*lineStep {
			x.marks = append(x.marks, x.lines)
		}
		if int64(got) < n && err != nil {
			break
		}
	}
	return x
}

// before is how many line feeds come before offset x; false where they have not
// been counted yet.
func (x *lineIndex) before(r *rows, at int64) (int64, bool) {
	i := at / lineStep
	if at > x.done || i >= int64(len(x.marks)) {
		return 0, false
	}
	return x.marks[i] + int64(bytes.Count(r.bytes(i*lineStep, at), []byte{'\n'})), true
}

// line returns the offset at which a line begins, counted from 0, or the end of the
// text if it has fewer lines; false if the line has not been counted yet.
func (x *lineIndex) line(r *rows, n int64) (int64, bool) {
	if n > x.lines {
		return r.end, false
	}
	if n <= 0 {
		return 0, true
	}
	i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i] >= n }) - 1
	at, left := int64(i)*lineStep, n-x.marks[i]
	for {
		b := r.bytes(at, at+lineStep)
		if len(b) == 0 {
			return r.end, false
		}
		for k := range b {
			if b[k] == '\n' {
				if left--; left == 0 {
					return at + int64(k) + 1, true
				}
			}
		}
		at += int64(len(b))
	}
}
