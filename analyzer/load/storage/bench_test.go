package storage

import (
	"io"
	"os"
	"testing"

	"fathom/analyzer/layer"
)

// BenchmarkDocker reads all headers of an image in a docker storage: set
// FATHOM_STORAGE to the data root and FATHOM_IMAGE to the image.
func BenchmarkDocker(b *testing.B) {
	root, name := os.Getenv("FATHOM_STORAGE"), os.Getenv("FATHOM_IMAGE")
	if root == "" {
		b.Skip("no storage: set FATHOM_STORAGE to a data root of docker, FATHOM_IMAGE to an image there")
	}
	open := func(b *testing.B) *Image {
		img, err := Docker(root, name)
		if err != nil {
			b.Fatal(err)
		}
		return img
	}
	b.Run("records", func(b *testing.B) {
		for b.Loop() {
			img := open(b)
			for _, l := range img.Layers {
				if l.tar.Length() < 0 {
					b.Fatal("no length")
				}
			}
			img.Close()
		}
	})
	b.Run("headers", func(b *testing.B) {
		n := 0
		for b.Loop() {
			img := open(b)
			for _, l := range img.Layers {
				d, err := l.tar.headers(b.Context(), layer.Options{DiffID: l.DiffID})
				if err != nil {
					b.Fatal(err)
				}
				n += d.Len()
			}
			img.Close()
		}
		b.ReportMetric(float64(n)/float64(b.N), "entries")
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			img := open(b)
			for _, l := range img.Layers {
				if _, err := layer.Read(b.Context(), l.Blob, layer.Options{DiffID: l.DiffID}); err != nil {
					b.Fatal(err)
				}
			}
			img.Close()
		}
	})
	b.Run("contents", func(b *testing.B) {
		for b.Loop() {
			img := open(b)
			bytes, n := int64(0), 0
			for _, l := range img.Layers {
				d, err := l.tar.headers(b.Context(), layer.Options{DiffID: l.DiffID})
				if err != nil {
					b.Fatal(err)
				}
				buf := make([]byte, 64<<10)
				for i := range d.Len() {
					e := d.At(i)
					if e.Kind != layer.File || e.Size == 0 {
						continue
					}
					p := buf[:min(e.Size, int64(len(buf)))]
					if _, err := l.Blob.At.ReadAt(p, e.Offset); err != nil && err != io.EOF {
						b.Fatal(err)
					}
					bytes, n = bytes+int64(len(p)), n+1
				}
			}
			b.ReportMetric(float64(n), "files")
			img.Close()
		}
	})
}
