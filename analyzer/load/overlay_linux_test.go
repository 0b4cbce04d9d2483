package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOverlay opens the folder in which docker keeps a container's changes, by its
// own path and by the path of the merged folder beside it.
func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"diff/etc", "merged", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/diff/etc/motd", []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"diff", "merged"} {
		an := analyze(t, filepath.Join(dir, name), Options{})
		if r := an.Report; r.Image.Source != "overlay" || r.Totals.Layers != 1 || r.Totals.VisibleBytes != 5 {
			t.Errorf("%s: got %+v, %+v", name, r.Image, r.Totals)
		}
		wantContent(t, an, "/etc/motd", "hello")
	}
	for _, tt := range []struct {
		name, words string
		opt         Options
	}{
		{"work", "not an image", Options{}},
		{"diff", "is one layer", Options{Image: "x"}},
	} {
		img, err := Open(t.Context(), filepath.Join(dir, tt.name), tt.opt)
		if err == nil {
			img.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.words)
		}
	}
}
