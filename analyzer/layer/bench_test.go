package layer

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// benchTar is a layer like node_modules: 30,000 entries, mostly small text.
var benchTar = sync.OnceValue(func() []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 4000)
	for i := range words {
		b := make([]byte, 3+rnd.IntN(9))
		for j := range b {
			b[j] = byte('a' + rnd.IntN(26))
		}
		words[i] = string(b)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range 30_000 {
		h := tar.Header{Name: fmt.Sprintf("usr/lib/node_modules/%s/dist/%s/%d.js", words[i/50], words[i/10%97], i), Typeflag: '0', Mode: 0o644}
		if i%10 == 0 {
			h.Name, h.Typeflag = h.Name[:len(h.Name)-3]+"/", '5'
			w.WriteHeader(&h)
			continue
		}
		h.Size = int64(rnd.ExpFloat64() * 5000)
		w.WriteHeader(&h)
		for left := int(h.Size); left > 0; {
			s := words[int(rnd.ExpFloat64()*300)%len(words)] + " "
			s = s[:min(left, len(s))]
			left -= len(s)
			io.WriteString(w, s)
		}
	}
	w.Close()
	return b.Bytes()
})

func perEntry(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
}

func benchRead(b *testing.B, blob Blob) { benchOptions(b, blob, Options{}) }

func benchOptions(b *testing.B, blob Blob, opt Options) {
	b.SetBytes(int64(len(benchTar())))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		d, err := Read(b.Context(), blob, opt)
		if err != nil {
			b.Fatal(err)
		}
		n = d.Len()
	}
	perEntry(b, n)
}

func BenchmarkReadPlain(b *testing.B)  { benchRead(b, at(benchTar())) }
func BenchmarkReadStream(b *testing.B) { benchRead(b, streamed(benchTar())) }
func BenchmarkReadGzip(b *testing.B)   { benchRead(b, at(gz(b, benchTar()))) }
func BenchmarkReadZstd(b *testing.B)   { benchRead(b, at(zs(b, benchTar()))) }

// The next four measure the cost of comparing the digest alone, and of comparing
// the digest and the diff ID.

func BenchmarkReadGzipDigest(b *testing.B) {
	z := gz(b, benchTar())
	benchOptions(b, at(z), Options{Digest: sha(z)})
}

func BenchmarkReadGzipBoth(b *testing.B) {
	z := gz(b, benchTar())
	benchOptions(b, at(z), Options{Digest: sha(z), DiffID: sha(benchTar()), Verify: true})
}

func BenchmarkReadZstdDigest(b *testing.B) {
	z := zs(b, benchTar())
	benchOptions(b, at(z), Options{Digest: sha(z)})
}

func BenchmarkReadZstdBoth(b *testing.B) {
	z := zs(b, benchTar())
	benchOptions(b, at(z), Options{Digest: sha(z), DiffID: sha(benchTar()), Verify: true})
}

// The benchmarks from here on measure other readers, for comparison.

func BenchmarkArchiveTar(b *testing.B) {
	p := benchTar()
	n := 0
	for b.Loop() {
		n = 0
		for t := tar.NewReader(bytes.NewReader(p)); ; n++ {
			if _, err := t.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	perEntry(b, n)
}

func BenchmarkDecodeGzip(b *testing.B) {
	p := gz(b, benchTar())
	b.SetBytes(int64(len(benchTar())))
	for b.Loop() {
		r, err := gzip.NewReader(bytes.NewReader(p))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeZstd(b *testing.B) {
	p := zs(b, benchTar())
	b.SetBytes(int64(len(benchTar())))
	for b.Loop() {
		r, err := zstd.NewReader(bytes.NewReader(p), zstd.WithDecoderConcurrency(1))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
