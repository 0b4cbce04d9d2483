package layer

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// A looker with Whole gets the whole file up to that size however the layer is read.
// Another looker of the same file gets what it gets without the first.
func TestLookWhole(t *testing.T) {
	const most = 5 << 20
	var files []testFile
	for i, size := range []int{10, MaxWhole, MaxWhole + 1, most, most + 1} {
		for _, start := range "abc" {
			p := bytes.Repeat([]byte{byte('d' + i), 'x', 'y'}, size/3+1)[:size]
			p[0], p[size-1] = byte(start), 'z'
			files = append(files, testFile{fmt.Sprintf("f%d%c", i, start), p})
		}
	}
	// Files that begin with 'a' are wanted by both, 'b' by the one with Whole, 'c' by
	// the other one.
	look := func(name, starts string, whole int64, sparing bool) Looker {
		return Looker{
			Name: name, Whole: whole, Sparing: sparing,
			Sniff: func(head []byte) bool { return strings.IndexByte(starts, head[0]) >= 0 },
			Look: func(path string, s *Sample) []string {
				p := append(bytes.Clone(s.Head), s.Tail...)
				if sparing {
					p = make([]byte, s.Size)
					if _, err := s.ReadAt(p, 0); err != nil {
						t.Errorf("%s: %v", path, err)
					}
				}
				return []string{fmt.Sprintf("%s: %s %v %d %s", name, path, s.Has(MaxWhole/2, 1), len(p), sha(p).Hex[:8])}
			},
		}
	}
	for _, sparing := range []bool{false, true} {
		lookers := []Looker{look("whole", "ab", most, sparing), look("ends", "ac", 0, false)}
		var want []string
		for _, f := range files {
			n := len(f.data)
			ends := append(bytes.Clone(f.data[:min(n, MaxWhole/2)]), f.data[max(min(n, MaxWhole/2), n-MaxWhole/2):]...)
			whole := f.data
			if n > most {
				whole = ends
				if sparing { // ReadAt puts zeros between the ends
					whole = slices.Concat(ends[:MaxWhole/2], make([]byte, n-MaxWhole), ends[MaxWhole/2:])
				}
			}
			if f.data[0] != 'c' {
				want = append(want, fmt.Sprintf("whole: %s %v %d %s", f.path, n > MaxWhole/2 && n <= most, len(whole), sha(whole).Hex[:8]))
			}
			if f.data[0] != 'b' {
				want = append(want, fmt.Sprintf("ends: %s %v %d %s", f.path, n == MaxWhole, len(ends), sha(ends).Hex[:8]))
			}
		}
		check := func(name string, notes []Note) {
			t.Helper()
			var got []string
			for _, n := range notes {
				got = append(got, n.Data)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, sparing %v: got\n%s\nwant\n%s", name, sparing, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		tar := fileTar(t, files)
		for name, blob := range map[string]Blob{"stream": streamed(tar), "gzip": at(gz(t, tar)), "zstd": at(zs(t, tar))} {
			memory := NewQuota(Memory, 1<<30)
			d, err := Read(t.Context(), blob, Options{Look: lookers, Limits: Limits{Memory: memory}})
			if err != nil {
				t.Fatal(err)
			}
			check(name, d.Notes)
			notes := int64(0)
			for _, n := range d.Notes {
				notes += n.Memory()
			}
			if memory.Used() != d.Memory+notes {
				t.Errorf("%s: %d bytes of memory are taken, want %d", name, memory.Used(), d.Memory+notes)
			}
			memory = NewQuota(Memory, most-1)
			if _, err := Read(t.Context(), blob, Options{Look: lookers, Limits: Limits{Memory: memory}}); !isQuota(err) {
				t.Errorf("%s: a file that is larger than the memory: %v", name, err)
			}
		}
		l := Looking{Lookers: lookers, Memory: NewQuota(Memory, 1<<30)}
		var random, stream []Note
		for _, f := range files {
			n, err := l.At(f.path, int64(len(f.data)), bytes.NewReader(f.data))
			if err != nil {
				t.Fatal(err)
			}
			random = append(random, n...)
			if n, err = l.Read(f.path, int64(len(f.data)), bytes.NewReader(f.data)); err != nil {
				t.Fatal(err)
			}
			stream = append(stream, n...)
			if cap(l.all) > keptFile || l.Memory.Used() != 0 {
				t.Errorf("%s: a buffer of %d bytes is kept, %d are taken", f.path, cap(l.all), l.Memory.Used())
			}
		}
		check("at offsets", random)
		check("from the start", stream)
	}
}

func isQuota(err error) bool {
	_, ok := err.(*QuotaError)
	return ok
}

// A file that ends before its size costs no more memory than it has bytes, twice.
func TestLookWholeOfShortFile(t *testing.T) {
	l := Looking{Memory: NewQuota(Memory, 8<<20), Lookers: []Looker{{Name: "whole", Whole: 1 << 40, Look: func(string, *Sample) []string { return []string{"x"} }}}}
	short := bytes.Repeat([]byte("x"), 3<<20)
	if _, err := l.At("f", 1<<40, bytes.NewReader(short)); err == nil || isQuota(err) {
		t.Errorf("at offsets: %v", err)
	}
	if _, err := l.Read("f", 1<<40, bytes.NewReader(short)); err == nil || isQuota(err) {
		t.Errorf("from the start: %v", err)
	}
	if l.begin("f", 1<<40); l.Memory.Used() != 0 {
		t.Errorf("%d bytes stay taken", l.Memory.Used())
	}
	l.Memory = NewQuota(Memory, 2<<20)
	if _, err := l.At("f", 3<<20, bytes.NewReader(short)); !isQuota(err) {
		t.Errorf("at offsets: %v", err)
	}
	if _, err := l.Read("f", 3<<20, bytes.NewReader(short)); !isQuota(err) {
		t.Errorf("from the start: %v", err)
	}
	if l.Memory.Used() != 0 {
		t.Errorf("%d bytes stay taken", l.Memory.Used())
	}
}

// A sparing looker with Whole reads only what it asks for.
func TestLookWholeSparing(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 3<<20)
	r := &countingAt{r: bytes.NewReader(data)}
	l := Looking{Lookers: []Looker{{Name: "s", Whole: 1 << 30, Sparing: true, Look: func(_ string, s *Sample) []string {
		if !s.Has(0, s.Size) || s.Has(1, s.Size) {
			t.Error("it does not have the whole file")
		}
		if n, err := s.ReadAt(make([]byte, 100), 2<<20); n != 100 || err != nil {
			t.Errorf("got %d bytes, %v", n, err)
		}
		if n, err := s.ReadAt(make([]byte, 100), s.Size-60); n != 60 || err != io.EOF {
			t.Errorf("got %d bytes, %v", n, err)
		}
		return nil
	}}}}
	if _, err := l.At("f", int64(len(data)), r); err != nil || r.n != SniffSize+160 {
		t.Errorf("%d bytes were read, %v", r.n, err)
	}
}

// A looker with Window gets the start, the end and its window, however the layer is
// read and whatever other lookers of the file get.
func TestLookWindow(t *testing.T) {
	const size = 4<<20 + 123
	data := bytes.Repeat([]byte("abcdefghijklm"), size/13+1)[:size]
	for _, tt := range []struct{ off, n, from, to int64 }{
		{2 << 20, 1000, 2 << 20, 2<<20 + 1000},
		{2 << 20, 3 << 20, 2 << 20, 3 << 20},
		{100, 200, 100, 300},
		{MaxWhole/2 - 10, 20, MaxWhole/2 - 10, MaxWhole/2 + 10},
		{0, 1 << 62, 0, 1 << 20},
		{size - 600_000, 1 << 20, size - 600_000, size},
		{size - 1, 5, size - 1, size},
		{size, 5, 0, 0}, {-1, 5, 0, 0}, {1 << 62, 1 << 62, 0, 0}, {5, 0, 0, 0}, {5, -1, 0, 0},
	} {
		want := make([]byte, size)
		copy(want, data[:MaxWhole/2])
		copy(want[size-MaxWhole/2:], data[size-MaxWhole/2:])
		copy(want[tt.from:tt.to], data[tt.from:tt.to])
		look := Looker{
			Name: "window",
			Window: func(s *Sample) (int64, int64) {
				if s.Size != size || !s.Has(0, MaxWhole/2) || s.Has(0, MaxWhole/2+1) || s.Has(size-1, 1) {
					t.Error("Window does not get the start alone")
				}
				p := make([]byte, 9)
				if _, err := s.ReadAt(p, MaxWhole/2-9); err != nil || string(p) != string(data[MaxWhole/2-9:MaxWhole/2]) {
					t.Errorf("Window reads %q, %v", p, err)
				}
				return tt.off, tt.n
			},
			Look: func(_ string, s *Sample) []string {
				p := make([]byte, size)
				if n, err := s.ReadAt(p, 0); n != size || err != nil || !bytes.Equal(p, want) {
					t.Errorf("window %d+%d: read %d other bytes, %v", tt.off, tt.n, n, err)
				}
				n := tt.to - tt.from
				ends := tt.to < MaxWhole/2 || tt.from > size-MaxWhole/2 // the window lies within them
				for _, x := range []struct {
					off, n int64
					want   bool
				}{{tt.from, n, true}, {tt.from - 1, n + 1, ends && tt.from > 0}, {tt.from, n + 1, ends && tt.to < size}, {tt.from, 1 << 62, false}} {
					if s.Has(x.off, x.n) != x.want {
						t.Errorf("window %d+%d: has %d+%d: got %v", tt.off, tt.n, x.off, x.n, !x.want)
					}
				}
				return []string{"looked"}
			},
		}
		sparing, ends := look, Looker{Name: "ends", Look: func(_ string, s *Sample) []string {
			if s.Has(MaxWhole/2, 1) {
				t.Error("another looker gets the window")
			}
			return nil
		}}
		sparing.Sparing = true
		whole := Looker{Name: "whole", Whole: size, Look: func(_ string, s *Sample) []string { return nil }}
		for i, lookers := range [][]Looker{{look}, {sparing}, {look, ends}, {look, sparing, whole}} {
			notes := 1 + i/3
			l := Looking{Lookers: lookers}
			if n, err := l.At("f", size, bytes.NewReader(data)); len(n) != notes || err != nil {
				t.Errorf("at offsets: %v, %v", n, err)
			}
			if n, err := l.Read("f", size, bytes.NewReader(data)); len(n) != notes || err != nil {
				t.Errorf("from the start: %v, %v", n, err)
			}
			if n := l.whole("f", data); len(n) != notes {
				t.Errorf("in memory: %v", n)
			}
			l.begin("f", size)
			for p := data; len(p) > 0; { // chunks of all sizes
				n := min(len(p), 1+int(l.at)*3)
				l.add(p[:n])
				p = p[n:]
			}
			if n, err := l.end(); len(n) != notes || err != nil {
				t.Errorf("in chunks: %v, %v", n, err)
			}
		}
	}
	l := Looking{Lookers: []Looker{{Name: "w", Sparing: true, Whole: size - 1, Window: func(s *Sample) (int64, int64) {
		_, _ = s.ReadAt(make([]byte, 1), 1<<18)
		return 0, 0
	}, Look: func(string, *Sample) []string { return []string{"x"} }}}}
	if n, err := l.At("f", size, bytes.NewReader(data[:1000])); err == nil {
		t.Errorf("a file that ends before what Window reads: %v", n)
	}
	l.Lookers[0].Window = func(*Sample) (int64, int64) { return 2 << 20, 10 }
	l.Lookers[0].Sparing = false
	if n, err := l.At("f", size, io.NewSectionReader(bytes.NewReader(data), 0, 2<<20)); err == nil {
		t.Errorf("a file that ends before its window: %v", n)
	}
}
