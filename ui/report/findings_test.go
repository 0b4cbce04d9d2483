package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

func TestFindingOf(t *testing.T) {
	r := &facts.Report{Layers: []facts.Layer{{Command: "/bin/sh -c #(nop) ADD file:x in / "}, {}, {Command: "RUN rm\x1b[2J /a"}}}
	got := FindingOf(r, &facts.Finding{
		Rule: "secret", Severity: facts.SeverityError, Certainty: facts.CertainLikely, Title: "a \x1b[1mtitle\n", Bytes: 1_500_000,
		Fix: facts.Fix{Text: "do\u202ethis", Lines: []string{"RUN rm /a/*", "##[group]"}},
		Places: []facts.Place{
			{Path: "/a\xff", Layer: 0, Bytes: 1_000_000, Files: 12, HiddenBy: 2},
			{Path: "/b", Layer: 2, Bytes: 500_000, Files: 1, HiddenBy: 2},
			{Path: "/c", Layer: 1, Files: 1, HiddenBy: -1, Redacted: "AKIA\x07 (20 characters)"},
			{Layer: 1, HiddenBy: -1},
			{Layer: -1, HiddenBy: -1, Redacted: "ghp_ (40 characters)"},
		},
		MorePlaces: 1, Layers: []int{0, 1, 2},
	})
	want := Finding{
		Rule: "secret", Severity: "error", Sure: "likely", Size: "1.5 MB", Title: `a \x1b[1mtitle\n`,
		Fix: `do\u202ethis`, Lines: []string{"RUN rm /a/*", `#\x23[group]`},
		Places: []FindingPlace{
			{Path: `/a\xff`, Size: "1.0 MB", Files: "12 files", Where: "in layer 0, hidden by layer 2"},
			{Path: "/b", Size: "500 kB", Where: "in layer 2, hidden by the same layer"},
			{Path: "/c", Where: "in layer 1", Value: `AKIA\x07 (20 characters)`},
			{Path: "layer 1"},
			{Path: "the config", Value: "ghp_ (40 characters)"},
		},
		More:  "and 1 more place",
		Steps: []FindingStep{{0, "ADD file:x in /"}, {1, "(no command)"}, {2, `RUN rm\x1b[2J /a`}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{
		`/a\xff (12 files), in layer 0, hidden by layer 2`, "/b, in layer 2, hidden by the same layer",
		`/c, in layer 1: AKIA\x07 (20 characters)`, "layer 1", "the config: ghp_ (40 characters)",
	} {
		if got := got.Places[i].Line(); got != want {
			t.Errorf("place %d: got %s, want %s", i, got, want)
		}
	}
}

func TestFindingsLine(t *testing.T) {
	of := func(severity string, bytes int64) facts.Finding {
		return facts.Finding{Severity: severity, Bytes: bytes}
	}
	for _, tt := range []struct {
		name      string
		findings  []facts.Finding
		line, sum string
	}{
		{"an older report", nil, "unknown, as an older version wrote the report", "0 findings"},
		{"none", []facts.Finding{}, "no findings", "0 findings"},
		{"only info", []facts.Finding{of("info", 5)}, "no findings", "0 findings"},
		{"not about size", []facts.Finding{of("error", 0), of("info", 5)}, "1 finding", "1 finding"},
		{"all kinds", []facts.Finding{of("warn", 1_290_000_000), of("error", 0), of("info", 5), of("warn", 10_000_000)}, "2.0 GB -> 700 MB, 3 findings", "3 findings, 1.3 GB"},
	} {
		r := &facts.Report{Totals: facts.Totals{StoredBytes: 2_000_000_000}, Findings: tt.findings}
		if got := FindingsLine(r); got != tt.line {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.line)
		}
		if got := SumFindings(tt.findings).String(); got != tt.sum {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.sum)
		}
	}
	if got, want := SumFindings([]facts.Finding{of("info", 5), of("warn", 7), of("info", 6)}), (FindingsSum{1, 7, 2, 11}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
