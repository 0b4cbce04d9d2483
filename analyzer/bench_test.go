package analyzer_test

import (
	"archive/tar"
	"bufio"
	"cmp"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer"
	"fathom/analyzer/load"
)

// BenchmarkImage measures the analysis of the image that FATHOM_BENCH_IMAGE names.
// To compare, it also measures reading the file, decoding its layers with the same
// libraries on all processors, and reading the headers with archive/tar.
// docs/performance.md says how to use it.
func BenchmarkImage(b *testing.B) {
	path := os.Getenv("FATHOM_BENCH_IMAGE")
	if path == "" {
		b.Skip("FATHOM_BENCH_IMAGE names no image")
	}
	open := func(b *testing.B) *analyzer.Image {
		img, err := load.Open(b.Context(), path, load.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { img.Close() })
		return img
	}
	compressed := slices.ContainsFunc(open(b).Layers, func(l analyzer.Layer) bool { return l.Compressed })
	readAll(b, open(b))

	b.Run("analyze", func(b *testing.B) {
		for b.Loop() {
			if _, err := analyzer.Analyze(b.Context(), open(b), analyzer.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	if compressed {
		b.Run("yardstick=decode", func(b *testing.B) {
			for b.Loop() {
				decodeAll(b, open(b))
			}
		})
		return
	}
	b.Run("yardstick=cat", func(b *testing.B) {
		for b.Loop() {
			readAll(b, open(b))
		}
	})
	b.Run("yardstick=archive-tar", func(b *testing.B) {
		for b.Loop() {
			eachLayer(b, open(b), func(r io.Reader) error {
				t := tar.NewReader(bufio.NewReaderSize(r, 1<<20))
				for {
					if _, err := t.Next(); err == io.EOF {
						return nil
					} else if err != nil {
						return err
					}
				}
			})
		}
	})
}

// readAll reads the blobs one after the other, as cat would.
func readAll(b *testing.B, img *analyzer.Image) {
	buf := make([]byte, 128<<10)
	for _, l := range img.Layers {
		r := io.NewSectionReader(l.Blob.At, 0, l.Blob.Size)
		for {
			if _, err := r.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func decodeAll(b *testing.B, img *analyzer.Image) {
	eachLayer(b, img, func(r io.Reader) error {
		br := bufio.NewReaderSize(r, 64<<10)
		magic, err := br.Peek(2)
		if err != nil {
			return err
		}
		if magic[0] == 0x1f {
			z, err := gzip.NewReader(br)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, z)
			return err
		}
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer z.Close()
		_, err = io.Copy(io.Discard, z)
		return err
	})
}

// eachLayer calls do for each layer, on all processors, the largest layer first.
func eachLayer(b *testing.B, img *analyzer.Image, do func(io.Reader) error) {
	layers := slices.Clone(img.Layers)
	slices.SortFunc(layers, func(x, y analyzer.Layer) int { return cmp.Compare(y.Blob.Size, x.Blob.Size) })
	var next atomic.Int64
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(layers) {
					return
				}
				if err := do(io.NewSectionReader(layers[i].Blob.At, 0, layers[i].Blob.Size)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	work.Wait()
}
