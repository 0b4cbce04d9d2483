package report

import (
	"fmt"
	"io"
	"testing"

	"fathom/analyzer/facts"
)

// BenchmarkJSON writes a report of 90,000 wasted files.
func BenchmarkJSON(b *testing.B) {
	r := sample()
	for i := range 90_000 {
		r.Waste = append(r.Waste, facts.Waste{
			Path: fmt.Sprintf("/app/node_modules/package-%d/dist/lib/index-%d.js", i/100, i), Bytes: 4096, Cause: "metadata", StoredIn: 3, HiddenBy: 7,
		})
	}
	for b.Loop() {
		if err := JSON(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSafe(b *testing.B) {
	for b.Loop() {
		Safe("/usr/lib/x86_64-linux-gnu/perl-base/unicore/lib/Perl/_PerlIDS.pl")
	}
}
