package compare

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
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

// BenchmarkLayers compares two images of many layers that all changed, each with files in
// the same folders.
func BenchmarkLayers(b *testing.B) {
	const layers, files = 500, 200
	var text [2]strings.Builder
	for i := range text {
		for n := range layers {
			fmt.Fprintf(&text[i], "layer RUN step %d\n", n)
			for k := range files {
				fmt.Fprintf(&text[i], "  file d%d/f%d-%d %dxa\n", k%10, n, k, i)
			}
		}
	}
	c := &Comparison{}
	for i, s := range []*Side{&c.Old, &c.New} {
		a, err := analyzer.Analyze(b.Context(), imagetest.Must(b, text[i].String()).Image(imagetest.None), analyzer.Options{})
		if err != nil {
			b.Fatal(err)
		}
		*s = Side{a.Report, a}
	}
	for b.Loop() {
		pairs := c.layers()
		if len(pairs) != layers || pairs[layers-1].State != facts.LayerChanged {
			b.Fatal(pairs[len(pairs)-1])
		}
	}
}

// BenchmarkRenames renames files of the same content, as many of each size as are
// compared, to other names.
func BenchmarkRenames(b *testing.B) {
	const sizes = 50
	var text [2]strings.Builder
	for i := range text {
		text[i].WriteString("layer RUN make\n")
		for n := range sizes * maxTwins {
			fmt.Fprintf(&text[i], "  file d%d/f%d-%d %dxa\n", i, i, n, 1+n%sizes)
		}
	}
	var s sides
	for i := range s {
		var err error
		if s[i], err = analyzer.Analyze(b.Context(), imagetest.Must(b, text[i].String()).Image(imagetest.None), analyzer.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := files(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMerged merges two images of one file with many names, of which the mode
// changed.
func BenchmarkMerged(b *testing.B) {
	const names = 3000
	var both [2]Side
	for i := range both {
		var text strings.Builder
		fmt.Fprintf(&text, "layer RUN make\n  file a %#o 5xa\n", 0o644+i)
		for n := range names {
			fmt.Fprintf(&text, "  link l%d -> a %#o\n", n, 0o644+i)
		}
		a, err := analyzer.Analyze(b.Context(), imagetest.Must(b, text.String()).Image(imagetest.None), analyzer.Options{})
		if err != nil {
			b.Fatal(err)
		}
		both[i] = Side{a.Report, a}
	}
	c, err := Compare(b.Context(), both[0], both[1])
	if err != nil || len(c.Changes) != names+1 {
		b.Fatal(len(c.Changes), err)
	}
	for b.Loop() {
		c.Merged()
	}
}
