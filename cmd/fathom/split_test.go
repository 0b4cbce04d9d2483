package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

// TestSplitAddsUp judges images of random entries with every number of base layers:
// own and base add up to the totals, in a report that can be read again.
func TestSplitAddsUp(t *testing.T) {
	t.Setenv("CI", "")
	dir := t.TempDir()
	write := func(img *imagetest.Image, name string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, img.DockerArchive().Tar(), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	copies, hides := 0, 0
	for seed := range uint64(60) {
		img := randomImage(seed)
		for _, l := range img.Layers { // the same content in every layer
			for i := range l {
				if e := &l[i]; len(e.Data) > 0 {
					e.Data = bytes.Repeat([]byte("x"), len(e.Name))
				}
			}
		}
		app := write(img, "app.tar")
		for n := 1; n <= len(img.Layers); n++ {
			below := *img
			below.Layers = img.Layers[:n]
			base := write(&below, "base.tar")
			out := fathom(t, "--json", "-", "--base", base, app)
			r, err := facts.Read(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatalf("seed %d, %d base layers: %v\n%s", seed, n, err, describeLayers(img))
			}
			own, of, all := r.Totals.Own, r.Totals.Base, r.Totals
			if r.Base.Layers != n || of.Layers != n || own.Layers != len(img.Layers)-n {
				t.Errorf("seed %d: got %d base layers, want %d", seed, r.Base.Layers, n)
			}
			for _, sum := range [][3]int64{
				{own.StoredBytes, of.StoredBytes, all.StoredBytes}, {own.VisibleBytes, of.VisibleBytes, all.VisibleBytes},
				{own.WastedBytes, of.WastedBytes, all.WastedBytes}, {int64(own.Files), int64(of.Files), int64(all.Files)},
				{own.StoredBytes - own.VisibleBytes, 0, own.WastedBytes}, {of.StoredBytes - of.VisibleBytes, 0, of.WastedBytes},
			} {
				if sum[0]+sum[1] != sum[2] {
					t.Errorf("seed %d, %d base layers: %d and %d are not %d\n%s", seed, n, sum[0], sum[1], sum[2], describeLayers(img))
				}
			}
			if own.CopiedFromBaseBytes > min(own.VisibleBytes, of.HiddenByOwnBytes) || of.HiddenByOwnBytes > of.WastedBytes {
				t.Errorf("seed %d, %d base layers: got own %+v, base %+v\n%s", seed, n, own, of, describeLayers(img))
			}
			if n == len(img.Layers) && (own.StoredBytes != 0 || of.HiddenByOwnBytes != 0) {
				t.Errorf("seed %d: an image without own layers has own %+v, base %+v", seed, own, of)
			}
			copies, hides = copies+min(1, int(own.CopiedFromBaseBytes)), hides+min(1, int(of.HiddenByOwnBytes))
		}
	}
	if copies == 0 || hides < 20 {
		t.Errorf("only %d images copy from the base, and %d hide of it", copies, hides)
	}
}
