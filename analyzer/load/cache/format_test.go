package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// Decoding an encoded Diff gives an equal one, whatever its entries.
func TestGivesBackAnyDiff(t *testing.T) {
	for seed := range uint64(200) {
		d := random(rand.New(rand.NewPCG(seed, 1)))
		data, err := encode(d, numbered(1))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := decode(data, numbered(1))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		equal(t, d, got)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// random returns a Diff of random entries with extreme values in their fields.
func random(r *rand.Rand) *layer.Diff {
	number := func() int64 {
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			return []int64{math.MaxInt64, math.MinInt64, -1, 1, 1 << 40}[r.IntN(5)]
		}
		return r.Int64N(1 << 20)
	}
	text := func() string {
		switch r.IntN(8) {
		case 0:
			return strings.Repeat("long/", r.IntN(500))
		case 1:
			return "bytes \xff\x00\x80"
		case 2:
			return strings.Repeat("x", r.IntN(1<<16))
		}
		return fmt.Sprintf("dir%d/sub%d/file%d", r.IntN(3), r.IntN(3), r.IntN(1000))
	}
	d := &layer.Diff{Size: number()}
	for range r.IntN(3) {
		d.Warnings = append(d.Warnings, layer.Warning{Path: text(), Text: text()})
	}
	n := r.IntN(20)
	if r.IntN(30) == 0 {
		n = 5000 // more than one chunk of a Diff
	}
	for range n {
		e := layer.Entry{
			Path: text(), Kind: layer.Kind(r.IntN(int(layer.Ignored) + 1)), Mode: uint16(r.IntN(1 << 12)),
			ModTime: number(), Offset: number(), UID: number(), GID: number(), Size: number(),
		}
		if n > 100 {
			e.Path = fmt.Sprint(r.IntN(n))
		}
		if e.Hashed = e.Kind == layer.File || r.IntN(5) == 0; e.Hashed {
			for i := range e.Hash {
				e.Hash[i] = byte(r.Uint32())
			}
		}
		e.Sparse = r.IntN(9) == 0
		if r.IntN(2) == 0 {
			e.Held = number()
		}
		if r.IntN(5) == 0 {
			e.Link, e.Xattrs, e.Major, e.Minor = text(), text(), number(), number()
		}
		d.Add(e)
	}
	return d
}

// A cached layer must be read again once package layer makes other entries from the
// same tar. want is the hash of the entries of one layer with every kind of entry:
// when it changes, increase analysis, unless only a field of Entry was renamed.
func TestAnalysisVersion(t *testing.T) {
	const want = 0x12d2b8cd2f4ea4cc
	img := imagetest.Must(t, `layer x
  dir     ./      700
  dir     etc/    750 7:8
  file    etc/a   4755 mtime=1600000000 text="hello" xattr:user.x=1 xattr:trusted.overlay.y=2
  file    /abs    3xq
  file    ../up   0xq
  link    etc/b   -> ./etc/a
  symlink etc/c   -> ../etc/a
  char    dev/n   666 1,3
  char    dev/0   0,0
  block   dev/b   8,1
  fifo    pipe
  file    hole    sparse=100000@5000 text="data"
  file    etc/.wh.gone
  file    var/.wh..wh..opq
  file    .wh..wh..opq
  file    .wh..wh.aufs
  file    .wh.
  file    odd     flag=Z
`)
	d := streamed(t, img.LayerTar(0))
	var h xxh3.Hasher
	for _, w := range d.Warnings {
		fmt.Fprintf(&h, "%q", w)
	}
	for i := range d.Len() {
		fmt.Fprintf(&h, "%+v", *d.At(i))
	}
	if got := h.Sum64(); got != want {
		t.Errorf("got %#x: package layer makes other entries than with analysis %d: increase analysis", got, analysis)
	}
}

// Counts and lengths in a file that are larger than the file allocate no memory.
func TestClaimsCostNothing(t *testing.T) {
	head := func(counts ...uint64) []byte {
		w := &encoder{}
		w.text(numbered(1).String())
		w.signed(0)
		for _, n := range counts {
			w.number(n)
		}
		return w.out
	}
	huge := uint64(math.MaxUint64)
	for name, entries := range map[string][]byte{
		"nothing":         nil,
		"warnings":        head(huge),
		"text":            head(1, huge),
		"text of 4 MB":    head(1, maxOne),
		"entries":         head(0, huge),
		"many entries":    head(0, maxEntries),
		"attributes":      append(head(0, 1), 0, 0xff, 0xff, 3),
		"shared path":     append(head(0, 1), 0, 0, 1, 0, 0, 0, 9),
		"no such kind":    append(head(0, 1), 15),
		"a long number":   append(head(0, 1), bytes.Repeat([]byte{0xff}, 20)...),
		"more than said":  append(head(0, 0), 1),
		"a hash is short": append(head(0, 1), flagHashed, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	} {
		data, err := seal(entries, nil)
		if err != nil {
			t.Fatal(err)
		}
		if used := allocated(func() {
			if d, err := decode(data, numbered(1)); err == nil {
				t.Errorf("%s: decoded %d entries, want an error", name, d.Len())
			}
		}); used > 12<<20 {
			t.Errorf("%s: %d bytes were allocated", name, used)
		}
	}

	// A small frame that decompresses to 256 MB of zeros.
	var z bytes.Buffer
	w, err := zstd.NewWriter(&z, zstd.WithWindowSize(window))
	if err != nil {
		t.Fatal(err)
	}
	w.Write(head(0, maxEntries))
	zeros := make([]byte, 1<<20)
	for range 256 {
		w.Write(zeros)
	}
	w.Close()
	data := framed(z.Bytes())
	if used := allocated(func() {
		if _, err := decode(data, numbered(1)); err == nil {
			t.Error("a frame of zeros was decoded, want an error")
		}
	}); used > 2<<30 {
		t.Errorf("a frame of zeros: %d bytes were allocated", used)
	}
}

// framed returns a file with a valid header and checksum around frame, which may be
// invalid.
func framed(frame []byte) []byte {
	out := append([]byte(magic), format, analysis)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
	out = append(out, frame...)
	return binary.BigEndian.AppendUint64(out, xxh3.Hash(out))
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzDecode decodes files with a valid checksum, which an attacker can compute.
// decode must not panic. If it returns a Diff, encoding and decoding that must give
// an equal one.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"apt-pattern", "device-nodes", "xattr-set"} {
		img := imagetest.Load(f, name)
		w := &encoder{known: map[attributes]uint64{}}
		hashes := w.diff(streamed(f, img.LayerTar(0)), numbered(1))
		f.Add(w.out, hashes, false)
		f.Add(w.out[:len(w.out)/2], hashes, false)
	}
	f.Add([]byte("\x28\xb5\x2f\xfd"), []byte(nil), true)
	f.Fuzz(func(t *testing.T, entries, hashes []byte, asFrame bool) {
		data := framed(entries)
		if !asFrame {
			var err error
			if data, err = seal(entries, hashes); err != nil {
				t.Fatal(err)
			}
		}
		d, err := decode(data, numbered(1))
		if err != nil {
			return
		}
		w := &encoder{known: map[attributes]uint64{}}
		hashes = w.diff(d, numbered(1))
		if data, err = seal(w.out, hashes); err != nil {
			t.Fatal(err)
		}
		again, err := decode(data, numbered(1))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, d, again)
	})
}

// BenchmarkGet reads the layer tar named in FATHOM_BENCH_LAYER, or a synthetic layer.
func BenchmarkGet(b *testing.B) {
	d := made(b)
	data, err := encode(d, numbered(1))
	if err != nil {
		b.Fatal(err)
	}
	c := open(b, b.TempDir(), 0)
	put(b, c, numbered(1), d)
	for b.Loop() {
		if _, ok := c.Get(numbered(1)); !ok {
			b.Fatal("not in the cache")
		}
	}
	b.ReportMetric(float64(len(data))/float64(d.Len()), "bytes/entry")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(d.Len()), "ns/entry")
}

func BenchmarkPut(b *testing.B) {
	d := made(b)
	c := open(b, b.TempDir(), 0)
	for b.Loop() {
		put(b, c, numbered(1), d)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(d.Len()), "ns/entry")
}

func made(b *testing.B) *layer.Diff {
	if path := os.Getenv("FATHOM_BENCH_LAYER"); path != "" {
		tar, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return streamed(b, tar)
	}
	d := &layer.Diff{}
	r := rand.New(rand.NewPCG(1, 1))
	at := int64(0)
	for n := range 60_000 {
		e := layer.Entry{
			Path: fmt.Sprintf("app/node_modules/package-%d/lib/some-file-%d.js", n/30, n%30), Mode: 0o644, Hashed: true,
			Size: r.Int64N(30000), ModTime: 1700000000 + int64(n/30), Offset: at + 512,
		}
		e.Held = e.Size
		binary.LittleEndian.PutUint64(e.Hash[:], r.Uint64())
		binary.LittleEndian.PutUint64(e.Hash[8:], r.Uint64())
		at = e.Offset + (e.Size+511)&^511
		d.Add(e)
	}
	return d
}
