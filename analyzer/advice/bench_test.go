package advice

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// BenchmarkFind runs the rules that read no content on 60,000 paths of an ordinary
// image, of which a tenth is stored again, and on images made to be slow: all files
// are stored twice, in a folder of their own or deep in others.
func BenchmarkFind(b *testing.B) {
	deep := strings.Repeat("cache/", 400)
	for _, of := range []struct {
		name     string
		n, again int
		path     func(i int) string
	}{
		{"ordinary", 60_000, 6_000, func(i int) string {
			return fmt.Sprintf("%s/package-%d/lib/index-%d.js", []string{"app/node_modules", "usr/share/doc", "usr/lib/python3/dist-packages", "root/.npm/_cacache", "usr/include"}[i%5], i/100, i)
		}},
		{"scattered", 500_000, 500_000, func(i int) string { return fmt.Sprintf("a/%d/%d/x", i%1000, i) }},
		{"deep", 100_000, 100_000, func(i int) string { return fmt.Sprintf("%s%d", deep[:i%400*6], i) }},
	} {
		b.Run(of.name, func(b *testing.B) {
			img := &imagetest.Image{}
			for i, n := range []int{of.n, of.again} {
				entries := make([]imagetest.Entry, 0, n)
				for k := range n {
					entries = append(entries, imagetest.Entry{Kind: "file", Name: of.path(k), Mode: int64(0o644 + i), Data: []byte("x")})
				}
				img.Layers = append(img.Layers, entries)
			}
			a, err := analyzer.Analyze(b.Context(), img.Image(), analyzer.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Find(b.Context(), a, Options{Quick: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
