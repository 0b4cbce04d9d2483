package layer

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testLooker notes the sample that it gets of files that begin with 'a'.
func testLooker(min, max int64) Looker {
	return Looker{
		Name: fmt.Sprintf("test %d-%d", min, max), Min: min, Max: max,
		Wants: func(path string) bool { return !strings.HasSuffix(path, ".no") },
		Sniff: func(head []byte) bool { return head[0] == 'a' },
		Look: func(path string, s *Sample) []string {
			return []string{fmt.Sprintf("%s %d %d+%d %s", path, s.Size, len(s.Head), len(s.Tail), sha(append(bytes.Clone(s.Head), s.Tail...)).Hex[:8])}
		},
	}
}

type testFile struct {
	path string
	data []byte
}

func testFiles() []testFile {
	rnd := rand.New(rand.NewPCG(3, 4))
	var out []testFile
	for i, size := range []int{0, 1, 511, 512, 513, 70_000, MaxWhole - 1, MaxWhole, MaxWhole + 1, 1<<21 + 12345} {
		for _, start := range "ab" {
			for _, end := range []string{"", ".no"} {
				p := make([]byte, size)
				for k := range p {
					p[k] = byte(rnd.Uint32())
				}
				if size > 0 {
					p[0] = byte(start)
				}
				out = append(out, testFile{fmt.Sprintf("f%d%c%s", i, start, end), p})
			}
		}
	}
	return out
}

func fileTar(t testing.TB, files []testFile) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.path, Typeflag: '0', Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			t.Fatal(err)
		}
		w.Write(f.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every way to read a layer gives lookers the same part of the same files.
func TestLook(t *testing.T) {
	files := testFiles()
	lookers := []Looker{testLooker(0, 512), testLooker(513, 0)}
	var want []string
	for _, f := range files {
		n := len(f.data)
		if n == 0 || f.data[0] != 'a' || strings.HasSuffix(f.path, ".no") {
			continue
		}
		ends, sample := fmt.Sprintf("%d+0", n), f.data
		if n > 1<<20 {
			sample = append(bytes.Clone(f.data[:1<<19]), f.data[n-1<<19:]...)
			ends = "524288+524288"
		}
		name := "test 513-0"
		if n <= 512 {
			name = "test 0-512"
		}
		want = append(want, fmt.Sprintf("%s: %s %d %s %s", name, f.path, n, ends, sha(sample).Hex[:8]))
	}
	if len(want) != 9 {
		t.Fatalf("%d files to look at", len(want))
	}
	check := func(name string, notes []Note) {
		t.Helper()
		var got []string
		for _, n := range notes {
			got = append(got, n.Looker+": "+n.Data)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	tar := fileTar(t, files)
	for name, in := range map[string]struct {
		blob Blob
		opt  Options
	}{
		"stream":     {streamed(tar), Options{}},
		"gzip":       {at(gz(t, tar)), Options{}},
		"zstd":       {at(zs(t, tar)), Options{}},
		"gzip, both": {at(gz(t, tar)), Options{DiffID: sha(tar), Verify: true}},
		"verified":   {at(tar), Options{DiffID: sha(tar), Verify: true}},
	} {
		in.opt.Look = lookers
		in.opt.Limits.Memory = NewQuota(Memory, 1<<20)
		d, err := Read(t.Context(), in.blob, in.opt)
		if err != nil {
			t.Fatal(err)
		}
		check(name, d.Notes)
		offsets := map[int64]string{}
		for i := range d.Len() {
			offsets[d.At(i).Offset] = d.At(i).Path
		}
		memory := int64(0)
		for _, n := range d.Notes {
			memory += n.Memory()
			if path := offsets[n.Offset]; !strings.HasPrefix(n.Data, path+" ") {
				t.Errorf("%s: %q is the note of %s", name, n.Data, path)
			}
		}
		if got := in.opt.Limits.Memory.Used(); got != memory+d.Memory {
			t.Errorf("%s: %d bytes of memory are taken, want %d", name, got, memory+d.Memory)
		}
		if !d.LookedAt(lookers) || d.LookedAt([]Looker{testLooker(1, 2)}) {
			t.Errorf("%s: looked at by %q", name, d.Looked)
		}
	}
	d, err := Read(t.Context(), at(tar), Options{Look: lookers})
	if err != nil || len(d.Notes) > 0 || d.LookedAt(lookers) {
		t.Errorf("a layer of which only headers were read: %d notes by %q, %v", len(d.Notes), d.Looked, err)
	}

	l := Looking{Lookers: lookers}
	var random, stream []Note
	for _, f := range files {
		r := &countingAt{r: bytes.NewReader(f.data)}
		n, err := l.At(f.path, int64(len(f.data)), r)
		if err != nil {
			t.Fatal(err)
		}
		random = append(random, n...)
		if most := int64(MaxWhole); len(n) > 0 && r.n > most || len(n) == 0 && r.n > SniffSize && r.n > smallFile {
			t.Errorf("%s: %d bytes were read for %d notes", f.path, r.n, len(n))
		}
		if n, err = l.Read(f.path, int64(len(f.data)), bytes.NewReader(f.data)); err != nil {
			t.Fatal(err)
		}
		stream = append(stream, n...)
	}
	check("at offsets", random)
	check("from the start", stream)
	sparing := testLooker(0, 0)
	sparing.Sparing = true
	sparing.Look = func(path string, s *Sample) []string {
		if len(s.Head) > SniffSize && s.Size > smallFile || len(s.Tail) > 0 {
			t.Errorf("%s: a sample of %d+%d bytes", path, len(s.Head), len(s.Tail))
		}
		p := make([]byte, 3)
		if n, err := s.ReadAt(p, s.Size-3); s.Size >= 3 && (n != 3 || err != nil) {
			t.Errorf("%s: got %d bytes, %v", path, n, err)
		}
		middle := s.Has(MaxWhole/2, 1) // between the ends of a file above MaxWhole
		return []string{fmt.Sprintf("%s %x %v", path, p, middle)}
	}
	few := Looking{Lookers: []Looker{sparing}}
	for _, f := range files {
		r := &countingAt{r: bytes.NewReader(f.data)}
		notes, err := few.At(f.path, int64(len(f.data)), r)
		if n := len(f.data); err != nil || r.n > SniffSize+3 && n > smallFile || len(notes) > 0 && n >= 3 && notes[0].Data != fmt.Sprintf("%s %x %v", f.path, f.data[n-3:], n > MaxWhole/2 && n <= MaxWhole) {
			t.Errorf("%s: %d bytes read for %+v, %v", f.path, r.n, notes, err)
		}
	}
	few.Lookers[0].Look = func(_ string, s *Sample) []string {
		_, _ = s.ReadAt(make([]byte, 3), 597)
		return nil
	}
	if _, err := few.At("a", 600, io.NewSectionReader(strings.NewReader("a"+strings.Repeat("x", 520)), 0, 521)); err == nil {
		t.Error("At accepted a file that ends before what a sparing looker reads")
	}
	if _, err := l.At("a", 600, strings.NewReader("abc")); err == nil {
		t.Error("At accepted a short file")
	}
	if _, err := l.Read("a", 600, strings.NewReader("abc")); err == nil {
		t.Error("Read accepted a short file")
	}
}

type countingAt struct {
	r io.ReaderAt
	n int64
}

func (c *countingAt) ReadAt(p []byte, off int64) (int, error) {
	c.n += int64(len(p))
	return c.r.ReadAt(p, off)
}

// A layer whose notes take more memory than allowed is an error.
func TestNotesAreLimited(t *testing.T) {
	talk := Looker{Name: "talk", Look: func(string, *Sample) []string { return []string{strings.Repeat("x", 10_000)} }}
	tar := fileTar(t, []testFile{{"a", []byte("x")}, {"b", []byte("y")}})
	_, err := Read(t.Context(), streamed(tar), Options{Look: []Looker{talk}, Limits: Limits{Memory: NewQuota(Memory, 15_000)}})
	if _, ok := err.(*QuotaError); !ok {
		t.Errorf("got %v", err)
	}
}

func TestSample(t *testing.T) {
	s := &Sample{Size: 10, Head: []byte("abc"), Tail: []byte("xyz")}
	for _, tt := range []struct {
		off  int64
		n    int
		want string
		has  bool
	}{
		{0, 3, "abc", true}, {1, 2, "bc", true}, {2, 3, "c\x00\x00", false}, {4, 2, "\x00\x00", false},
		{6, 3, "\x00xy", false}, {7, 3, "xyz", true}, {9, 1, "z", true}, {8, 5, "yz", false}, {1, 9, "bc\x00\x00\x00\x00xyz", false},
		{10, 1, "", false}, {-1, 1, "", false}, {1 << 62, 1, "", false},
	} {
		p := bytes.Repeat([]byte("?"), tt.n)
		n, err := s.ReadAt(p, tt.off)
		if string(p[:n]) != tt.want || (err == io.EOF) != (n < tt.n) {
			t.Errorf("%d at %d: got %q, %v, want %q", tt.n, tt.off, p[:n], err, tt.want)
		}
		if got := s.Has(tt.off, int64(tt.n)); got != tt.has {
			t.Errorf("has %d at %d: got %v", tt.n, tt.off, got)
		}
	}
	if s.Has(1, 1<<63-1) || s.Has(0, -1) {
		t.Error("it has more than it can have")
	}
}
