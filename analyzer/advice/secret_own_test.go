package advice

import (
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

// TestOwnSecrets has a token in the base image, in a file and in a command, and another
// one above it.
func TestOwnSecrets(t *testing.T) {
	token := func(c string) string { return "sk_" + "live_" + strings.Repeat("4eC39HqLyj", 2) + "WDa" + c }
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, `layer RUN base `+token("1")+`
  file app/.env text="KEY=`+token("2")+`"
layer COPY own
  file app/own.env text="KEY=`+token("3")+`"
`).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.Report.Base = &facts.Base{Layers: 1, Certainty: facts.CertainExact}
	for own, want := range map[bool]int{false: 3, true: 1} {
		all, _, err := Find(t.Context(), a, Options{OwnSecrets: own})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, f := range all {
			if f.Rule == Secret {
				n++
			}
		}
		if n != want {
			t.Errorf("own layers only: %v, got %d secrets, want %d", own, n, want)
		}
	}
}
