package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"fathom/ui/report"
)

const (
	maxView  = 16 << 20 // bytes of a file that the viewer reads
	maxWidth = 4 << 10  // bytes of a line before it goes on in the next row
	sniffed  = 8 << 10  // bytes that decide between text and hex
)

// viewer shows the content of a file. It keeps the bytes and where the rows
// begin; a row is made when it is drawn.
type viewer struct {
	list
	name  string
	size  int64 // of the file
	data  []byte
	err   error
	busy  bool
	hex   bool
	rows  []row
	left  int // first column shown
	close context.CancelFunc
}

// row is where a row of text begins, and the number of its line; 0 where a
// long line goes on.
type row struct {
	at     int32
	number int32
}

// contents is what was read of a file.
type contents struct {
	data []byte
	rows []row
	text bool
	err  error
}

// readContents reads the beginning of r.
func readContents(r io.ReadCloser, err error) contents {
	if err != nil {
		return contents{err: err}
	}
	var c contents
	c.data, c.err = io.ReadAll(io.LimitReader(r, maxView))
	c.err = errors.Join(c.err, r.Close())
	c.text = isText(c.data[:min(len(c.data), sniffed)])
	c.rows = rowsOf(c.data)
	return c
}

// isText is whether the beginning of a file reads as text.
func isText(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && (utf8.FullRune(b[i:]) || len(b) < sniffed) {
			return false
		}
		if r < ' ' && !strings.ContainsRune("\t\n\r\f\b\x1b", r) {
			return false
		}
		i += n
	}
	return true
}

// rowsOf finds the rows of text.
func rowsOf(b []byte) []row {
	rows := make([]row, 0, bytes.Count(b, []byte{'\n'})+1)
	number := int32(1)
	for at := 0; at < len(b); number++ {
		end := len(b)
		if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		n := number
		for at < end {
			rows = append(rows, row{int32(at), n})
			n = 0
			next := min(at+maxWidth, end)
			for next < end && next > at+1 && !utf8.RuneStart(b[next]) {
				next--
			}
			at = next
		}
	}
	return rows
}

func (v *viewer) show(c contents) {
	v.busy = false
	v.data, v.rows, v.err, v.hex = c.data, c.rows, c.err, !c.text
}

func (v *viewer) count() int {
	if v.hex {
		return (len(v.data) + 15) / 16
	}
	return len(v.rows)
}

func (v *viewer) title() string { return v.name }

func (v *viewer) subtitle() string {
	kind := "text"
	if v.hex {
		kind = "hex"
	}
	s := kind + "  " + report.Size(v.size)
	if int64(len(v.data)) < v.size && !v.busy && v.err == nil {
		s = fmt.Sprintf("%s  the first %s of %s", kind, report.Size(int64(len(v.data))), report.Size(v.size))
	}
	return s
}

func (v *viewer) draw(c canvas) {
	switch {
	case v.busy:
		c.text(1, 0, c.th.dim, "reading"+c.th.glyph.ellipsis)
		return
	case v.err != nil:
		p := page{th: c.th, w: c.w}
		p.wrap(0, "reading the file: "+report.Safe(v.err.Error()), c.th.alarm)
		drawLines(c, &v.list, p.lines, false)
		return
	case len(v.data) == 0:
		c.text(1, 0, c.th.dim, "the file is empty")
		return
	}
	v.fit(v.count(), c.h)
	for y := 0; y < c.h && v.top+y < v.n; y++ {
		if v.hex {
			v.drawHex(c, y, v.top+y)
		} else {
			v.drawText(c, y, v.top+y)
		}
	}
}

func (v *viewer) drawText(c canvas, y, i int) {
	end := len(v.data)
	if i+1 < len(v.rows) {
		end = int(v.rows[i+1].at)
	}
	num := len(fmt.Sprint(len(v.rows))) + 1
	if c.w < num+12 {
		num = 0
	} else if v.rows[i].number > 0 {
		c.right(num, y, c.th.dim, fmt.Sprint(v.rows[i].number))
	}
	text := strings.TrimRight(string(v.data[v.rows[i].at:end]), "\r\n")
	t := c.sub(num+1, y, c.w-num-1, 1)
	t.text(-v.left, 0, c.th.text, safe(untab(text)))
}

// untab puts tabs to columns of eight.
func untab(s string) string {
	if !strings.Contains(s, "\t") {
		return s
	}
	var b strings.Builder
	col := 0
	for i, part := range strings.Split(s, "\t") {
		if i > 0 {
			n := 8 - col%8
			b.WriteString(strings.Repeat(" ", n))
			col += n
		}
		b.WriteString(part)
		col += width(part)
	}
	return b.String()
}

func (v *viewer) drawHex(c canvas, y, i int) {
	b := v.data[i*16 : min(i*16+16, len(v.data))]
	x := c.text(1-v.left, y, c.th.dim, fmt.Sprintf("%08x ", i*16))
	for j := range 16 {
		if j%8 == 0 {
			x++
		}
		if j < len(b) {
			st := c.th.text
			if b[j] == 0 {
				st = c.th.dim
			}
			c.text(x, y, st, fmt.Sprintf("%02x", b[j]))
		}
		x += 3
	}
	x++
	for _, ch := range b {
		st := c.th.text
		if ch < ' ' || ch >= 0x7f {
			ch, st = '.', c.th.dim
		}
		x = c.text(x, y, st, string(rune(ch)))
	}
}
