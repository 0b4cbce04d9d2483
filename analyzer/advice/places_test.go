package advice

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

// TestLongPaths checks that only the places that a finding lists get their paths: an
// image of a few MB can have paths of many GB.
func TestLongPaths(t *testing.T) {
	const files = 2000
	dir := "node_modules/" + strings.Repeat(strings.Repeat("d", 200)+"/", 100)
	var text strings.Builder
	text.WriteString("layer RUN make\n")
	for i := range files {
		fmt.Fprintf(&text, "  file %s%04d.md 777 100xx\n", dir, i)
	}
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text.String()).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found, _, err := Find(t.Context(), a, Options{Quick: true})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"leftover", "world-writable"} {
		n := 0
		for _, f := range found {
			if f.Rule != rule {
				continue
			}
			for i, p := range f.Places {
				if want := fmt.Sprintf("/%s%04d.md", dir, i); p.Path != want {
					t.Fatalf("%s: place %d is …%s, want …%s", rule, i, p.Path[max(0, len(p.Path)-9):], want[len(want)-9:])
				}
			}
			if n += len(f.Places); f.MorePlaces != files-facts.MaxPlaces {
				t.Errorf("%s: %d more places, want %d", rule, f.MorePlaces, files-facts.MaxPlaces)
			}
		}
		if n != facts.MaxPlaces {
			t.Errorf("%s: %d places, want %d", rule, n, facts.MaxPlaces)
		}
	}
	// The paths of all places of one rule are 40 MB.
	if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
		t.Errorf("finding took %d bytes of memory, want at most %d", took, 20<<20)
	}
}
