package layer

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func plainSource(t testing.TB, p []byte, size int) *source {
	return &source{ctx: t.Context(), at: bytes.NewReader(p), size: int64(len(p)), buf: make([]byte, size), progress: func(int64) {}}
}

func streamSource(t testing.TB, r io.Reader, size int) *source {
	return &source{ctx: t.Context(), r: r, buf: make([]byte, blockSize+size)}
}

// compare reads p with archive/tar, with the walker at offsets, and with the
// walker on a stream. All must return the same entries, or all an error.
func compare(t *testing.T, p []byte) {
	t.Helper()
	want, wantErr := oracle(bytes.NewReader(p))
	for name, src := range map[string]*source{
		"plain":        plainSource(t, p, window),
		"small window": plainSource(t, p, blockSize),
		"stream":       streamSource(t, bytes.NewReader(p), window),
		"odd reads":    streamSource(t, iotest.HalfReader(bytes.NewReader(p)), blockSize+1),
	} {
		got, err := walked(src)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: got error %v, archive/tar %v", name, err, wantErr)
		}
		if src.at != nil {
			for i := range got {
				if e := &got[i]; e.Kind == File && !e.Sparse {
					h, err := Sum(t.Context(), at(p), e.Offset, e.Size)
					if err != nil {
						t.Fatalf("%s: %s: %v", name, e.Path, err)
					}
					e.Hash, e.Hashed = h, true
				}
			}
		}
		if !slices.Equal(want, got) {
			diff := cmp.Diff(want, got)
			t.Fatalf("%s: (-archive/tar +walker)\n%s", name, diff)
		}
	}
}

// fixChecksums corrects the checksum of the headers that the walker rejects for
// a wrong one, 64 at most, so that the fuzzer gets beyond the first header.
func fixChecksums(t testing.TB, p []byte) {
	for range 64 {
		src := plainSource(t, p, window)
		w := walker{src: src, diff: &Diff{}}
		_, err := w.walk()
		if err == nil || !strings.Contains(err.Error(), "header checksum") {
			return
		}
		fixChecksum((*block)(p[src.off-blockSize:]))
	}
}

func fixChecksum(b *block) {
	copy(b[148:156], "        ")
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum(b)))
}

// FuzzWalk compares the walker with archive/tar. They must accept and reject the
// same tars and find the same entries, except for members that the rules for
// layers drop (see oracleEntry).
func FuzzWalk(f *testing.F) {
	for _, p := range corpus(f) {
		if len(p) < 64<<10 {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 1<<20 {
			return
		}
		p = bytes.Clone(p)
		fixChecksums(t, p)
		compare(t, p)
	})
}

// FuzzRead checks that no blob causes a panic or unbounded allocation, and that
// reading it at offsets and as a stream gives the same result.
func FuzzRead(f *testing.F) {
	for _, p := range corpus(f) {
		if len(p) > 64<<10 {
			continue
		}
		f.Add(p)
		f.Add(gz(f, p))
		f.Add(zs(f, p))
		f.Add(xzed(f, p))
		n := min(len(p), 512)
		f.Add(append(gz(f, p[:n]), gz(f, p[n:])...))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 1<<20 {
			return
		}
		opt := Options{Limits: Limits{Unpacked: NewQuota(Unpacked, 32<<20)}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, errA := Read(t.Context(), at(p), opt)
		b, errB := Read(t.Context(), streamed(p), opt)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 400<<20 {
			t.Fatalf("%d bytes allocated for %d", n, len(p))
		}
		if (errA == nil) != (errB == nil) {
			t.Fatalf("at offsets: %v, as a stream: %v", errA, errB)
		}
		if errA != nil {
			return
		}
		if a.Stored != b.Stored || a.Size != b.Size || a.Len() != b.Len() {
			t.Fatalf("stored %d, %d; size %d, %d; entries %d, %d", a.Stored, b.Stored, a.Size, b.Size, a.Len(), b.Len())
		}
		if len(a.Warnings) > int(notes)*(noteKeep+1) {
			t.Fatalf("%d warnings", len(a.Warnings))
		}
		for i := range a.Len() {
			e := a.At(i)
			if e.Kind != File || e.Size > 1<<20 {
				continue
			}
			r, err := Content(t.Context(), at(p), e)
			if err != nil {
				if !e.Sparse {
					t.Fatalf("content of %q: %v", e.Path, err)
				}
				continue
			}
			n, err := io.Copy(io.Discard, r)
			r.Close()
			if err == nil && n != e.Size || err != nil && !e.Sparse {
				t.Fatalf("content of %q: %d bytes of %d, %v", e.Path, n, e.Size, err)
			}
		}
	})
}
