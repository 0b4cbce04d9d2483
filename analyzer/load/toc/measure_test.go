package toc

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/containerd/stargz-snapshotter/estargz"

	"fathom/analyzer/layer"
)

// TestMeasure converts the layer tars named in FATHOM_MEASURE_LAYERS, separated by
// colons, to eStargz. It logs how many bytes listing them fetches, and how long
// that takes.
func TestMeasure(t *testing.T) {
	names := os.Getenv("FATHOM_MEASURE_LAYERS")
	if names == "" {
		t.Skip("set FATHOM_MEASURE_LAYERS to the tars of some layers to measure")
	}
	var fetched, all, plain int64
	for name := range strings.SplitSeq(names, ":") {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		b, err := estargz.Build(io.NewSectionReader(f, 0, info.Size()), estargz.WithCompressionLevel(5))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		blob, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer blob.Close()
		size, err := io.Copy(blob, b)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Find(map[string]string{estargz.TOCJSONDigestAnnotation: b.TOCDigest().String()}, size)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		table, err := Open(t.Context(), p, func(_ context.Context, off, n int64) (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(blob, off, n)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := table.Diff(t.Context(), layer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d as eStargz, %d entries, %d fetched (%.2f %%) in %v", name, info.Size(), size, d.Len(),
			table.Fetched(), 100*float64(table.Fetched())/float64(size), time.Since(start).Round(time.Millisecond))
		fetched, all, plain = fetched+table.Fetched(), all+size, plain+info.Size()
	}
	t.Logf("all: %.2f %% of %d bytes fetched, %.2f %% of the tars' %d", 100*float64(fetched)/float64(all), all, 100*float64(fetched)/float64(plain), plain)
}
