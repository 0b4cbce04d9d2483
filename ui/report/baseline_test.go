package report

import (
	"testing"

	comparison "fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// since returns a saved report as the baseline of another one.
func since(t testing.TB, name string, r, before *facts.Report) *gate.Baseline {
	t.Helper()
	c, err := comparison.Compare(t.Context(), comparison.Side{Report: before}, comparison.Side{Report: r})
	if err != nil {
		t.Fatal(err)
	}
	return &gate.Baseline{Reference: name, Comparison: c}
}
