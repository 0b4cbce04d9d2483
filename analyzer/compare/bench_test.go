package compare

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// BenchmarkFiles compares two images of a million entries of which one in a thousand
// has other content. The entries of both have the same layers' content otherwise.
func BenchmarkFiles(b *testing.B) {
	const entries = 1_000_000
	var text [2]strings.Builder
	for i := range text {
		text[i].WriteString("layer RUN make\n")
	}
	for n := range entries {
		size := 0
		for i := range text {
			if i == 1 && n%1000 == 0 {
				size = 1
			}
			fmt.Fprintf(&text[i], "  file d%d/e%d/f%d %dxa\n", n%100, n/100%100, n, size)
		}
	}
	var s sides
	for i := range s {
		var err error
		if s[i], err = analyzer.Analyze(b.Context(), imagetest.Must(b, text[i].String()).Image(imagetest.None), analyzer.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		changes, err := files(b.Context(), s)
		if err != nil || len(changes) != entries/1000 {
			b.Fatal(len(changes), err)
		}
	}
}
