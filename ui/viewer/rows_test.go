package viewer

import (
	"bytes"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"fathom/ui/screen"
)

// someText returns lines of random lengths, some of them very long, with characters
// of one to four bytes and sometimes with invalid bytes.
func someText(seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 2))
	letters := []string{"a", "b", "é", "日", "🙂"}
	if seed%3 == 0 {
		letters = append(letters, "\x80")
	}
	var b bytes.Buffer
	for range 1 + rnd.IntN(12) {
		n := rnd.IntN(60)
		if rnd.IntN(3) == 0 {
			n = rnd.IntN(4 * chunk)
		}
		if rnd.IntN(5) == 0 {
			n = chunk - 2 + rnd.IntN(5)
		}
		b.WriteString(strings.Repeat(letters[0], rnd.IntN(2)))
		for range n {
			b.WriteString(letters[rnd.IntN(len(letters))])
		}
		b.WriteByte('\n')
	}
	text := b.Bytes()
	if rnd.IntN(2) == 0 {
		text = text[:len(text)-1]
	}
	return text
}

// TestRows checks that rows are the same from wherever the search for them starts,
// that every line begins a row, and that no row is too long or ends inside a
// character.
func TestRows(t *testing.T) {
	texts := uint64(15)
	if testing.Short() {
		texts = 3
	}
	for seed := range texts {
		text := someText(seed)
		end := int64(len(text))
		r := &rows{at: bytes.NewReader(text), end: end}
		var starts []int64
		for x := int64(0); x < end; {
			starts = append(starts, x)
			next := r.next(x)
			if next <= x || next > end || next-x > 2*chunk+utf8.UTFMax {
				t.Fatalf("seed %d: the row at %d ends at %d of %d", seed, x, next, end)
			}
			if seed%3 != 0 && next < end && !utf8.RuneStart(text[next]) {
				t.Fatalf("seed %d: a row ends inside a character at %d", seed, next)
			}
			x = next
		}
		for i, c := range text {
			if at := int64(i) + 1; c == '\n' && at < end {
				if _, ok := sort.Find(len(starts), func(i int) int { return int(at - starts[i]) }); !ok {
					t.Fatalf("seed %d: no row at the line at %d", seed, at)
				}
			}
		}
		for x := range end {
			i := sort.Search(len(starts), func(i int) bool { return starts[i] > x }) - 1
			if got := r.start(x); got != starts[i] {
				t.Fatalf("seed %d: the row of byte %d begins at %d, want %d", seed, x, got, starts[i])
			}
		}
		v := Content{file: file{rows: *r}}
		if got, want := v.back(end, 3), starts[max(len(starts)-3, 0)]; got != want {
			t.Errorf("seed %d: three rows above the end is %d, want %d", seed, got, want)
		}
	}
}

// TestWrap checks that the rows of the screen are the same from wherever the search for
// them starts, that together they are all of the text, and that each one fits.
func TestWrap(t *testing.T) {
	texts := [][]byte{[]byte("\n\n\t\tx\n\\\\\\\\\\\\\\\\ ##[##[##[\x1b\x1b\x1b\n\U000e0041\U000e0041\r\n👩\u200d👩\u200d👧👩\u200d👩\u200d👧"), {}, []byte("\n")}
	for seed := range uint64(4) {
		texts = append(texts, someText(seed))
	}
	for i, text := range texts {
		end := int64(len(text))
		for _, w := range []int{0, 1, 2, 7, 80} {
			v := &Content{file: file{rows: rows{at: bytes.NewReader(text), end: end}}, window: window{wrap: true, fold: fold{width: w}}}
			for x := int64(0); x < end; {
				next := v.next(x)
				if next <= x || next > end {
					t.Fatalf("text %d, width %d: the row at %d ends at %d of %d", i, w, x, next, end)
				}
				line := strings.TrimRight(string(text[x:next]), "\r\n")
				if got := textWidth(0, line); got > w && uniseg.GraphemeClusterCount(line) > 1 {
					t.Fatalf("text %d, width %d: %q takes %d columns", i, w, line, got)
				}
				if v.rows.start(x) != v.rows.start(next-1) {
					t.Fatalf("text %d, width %d: the row at %d has a line feed inside", i, w, x)
				}
				for y := x; y < next; y++ {
					if got := v.start(y); got != x {
						t.Fatalf("text %d, width %d: the row of byte %d begins at %d, want %d", i, w, y, got, x)
					}
				}
				x = next
			}
		}
	}
}

// TestWrapWithoutRoom checks that a window as narrow as its margin, or narrower, can be
// drawn.
func TestWrapWithoutRoom(t *testing.T) {
	th, err := screen.NewTheme("mono", false, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("a line\nanother")
	for w := range 3 {
		v := &Content{file: file{rows: rows{at: bytes.NewReader(text), end: int64(len(text))}}, window: window{wrap: true}}
		cellsOf(t, th, 3, 2, func(c screen.Canvas) { v.Draw(c.Sub(0, 0, w, 2), true) })
		if got := v.next(0); got < 1 || got > 7 {
			t.Errorf("width %d: the row ends at %d", w, got)
		}
	}
}

// TestLineIndex checks that line numbers are known up to where lines were counted, and
// not beyond.
func TestLineIndex(t *testing.T) {
	text := []byte(strings.Repeat("line\n", 100_000))
	r := &rows{at: bytes.NewReader(text), end: int64(len(text))}
	var x lineIndex
	for _, to := range []int64{0, 10, 300_000, int64(len(text))} {
		x = x.count(r.at, to)
		for _, at := range []int64{0, 7, lineStep - 1, lineStep, lineStep + 3, 299_999, 300_000, int64(len(text))} {
			n, ok := x.before(r, at)
			want := int64(bytes.Count(text[:at], []byte{'\n'}))
			if ok != (at <= to) || ok && n != want {
				t.Errorf("counted up to %d: before %d got %d, %v; want %d", to, at, n, ok, want)
			}
		}
	}
}

func TestKindOf(t *testing.T) {
	tar := append(make([]byte, 257), "ustar\x0000"...)
	for _, test := range []struct{ head, want string }{
		{"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00", "ELF 64-bit x86-64 program or library"},
		{"\x7fELF\x01\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x08", "ELF 32-bit MIPS program"},
		{"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x39\x30", "ELF 64-bit machine 12345 object"},
		{"\x7fELF", "ELF, cut"},
		{"\x1f\x8b\x08\x00", "gzip"},
		{"\x1f", ""},
		{"PK\x03\x04rest", "zip archive"},
		{"SQLite format 3\x00more", "SQLite database"},
		{"\x89PNG\r\n\x1a\n", "PNG image"},
		{string(tar), "tar archive"},
		{"\xa7\x0d\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "Python bytecode"},
		{"", ""},
		{"\x00\x00\x00\x00", ""},
	} {
		if got := kindOf([]byte(test.head)); got != test.want {
			t.Errorf("%.20q: got %q, want %q", test.head, got, test.want)
		}
	}
}
