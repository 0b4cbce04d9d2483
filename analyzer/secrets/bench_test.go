package secrets

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// BenchmarkScan scans the text files of the Go tree, and those below the folder in
// FATHOM_BENCH_TEXT, if it is set: up to 32 MiB of each kind.
func BenchmarkScan(b *testing.B) {
	root, err := exec.CommandContext(b.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	tree := strings.TrimSpace(string(root))
	for _, s := range []struct {
		name, root string
		exts       []string
	}{
		{"go", tree, []string{".go"}},
		{"docs", tree, []string{".md", ".txt", ".html"}},
		{"given", os.Getenv("FATHOM_BENCH_TEXT"), nil},
	} {
		if s.root == "" {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			files := sample(b, s.root, s.exts)
			size := 0
			for _, f := range files {
				size += len(f)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range files {
					Scan("/app/file", f)
				}
			}
		})
	}
}

// sample returns text files below a folder, of some extensions or all.
func sample(b *testing.B, root string, exts []string) [][]byte {
	b.Helper()
	var out [][]byte
	size := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || size > 32<<20 || len(exts) > 0 && !slices.Contains(exts, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && len(text) <= MaxSize && !Binary(text) {
			out = append(out, text)
			size += len(text)
		}
		return err
	})
	if err != nil || size == 0 {
		b.Fatalf("no text below %s: %v", root, err)
	}
	return out
}
