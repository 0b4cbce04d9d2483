package toc

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer/layer"
)

func BenchmarkParse(b *testing.B) {
	const n = 60_000
	var text strings.Builder
	text.WriteString("{\n\t\"version\": 1,\n\t\"entries\": [\n")
	for i := range n {
		if i > 0 {
			text.WriteString(",\n")
		}
		fmt.Fprintf(&text, "\t\t{\n\t\t\t\"name\": \"app/node_modules/package-%d/lib/file-%d.js\",\n\t\t\t\"type\": \"reg\",\n\t\t\t\"size\": %d,\n"+
			"\t\t\t\"modtime\": \"2023-11-14T22:13:20Z\",\n\t\t\t\"mode\": 420,\n\t\t\t\"uid\": 0,\n\t\t\t\"gid\": 0,\n\t\t\t\"offset\": %d,\n"+
			"\t\t\t\"digest\": %q,\n\t\t\t\"chunkDigest\": %q\n\t\t}", i/30, i%30, 1000+i%1000, 100+i*900, helloSum, helloSum)
	}
	text.WriteString("\n\t]\n}")
	p := &Place{size: 900 * (n + 1), off: 900 * n}
	json := []byte(text.String())
	b.SetBytes(int64(len(json)))
	for b.Loop() {
		d, _, err := parse(b.Context(), json, p, nil, layer.Options{})
		if err != nil || d.Len() != n {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}
