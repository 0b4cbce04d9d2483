package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

func TestFindingOf(t *testing.T) {
	r := &facts.Report{Layers: []facts.Layer{{Command: "/bin/sh -c #(nop) ADD file:x in / "}, {}, {Command: "RUN rm\x1b[2J /a"}}}
	got := FindingOf(r, &facts.Finding{
		Rule: "secret", Severity: facts.SeverityError, Certainty: facts.CertainLikely, Title: "a \x1b[1mtitle\n", Bytes: 1_500_000,
		Fix: facts.Fix{Text: "do\u202ethis", Lines: []string{`RUN printf 'a\n\\n' > /a/* \`, "##[group]", "##vso[x]", "\u202e\\n", "a\xff\\n"}},
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
		Fix: `do\u202ethis`, Lines: []string{`RUN printf 'a\n\\n' > /a/* \`, `#\x23[group]`, `#\x23vso[x]`, `\u202e\\n`, `a\xff\\n`},
		Places: []FindingPlace{
			{Path: `/a\xff`, Size: "1.0 MB", Files: "12 files", Where: "in layer 0, hidden by layer 2"},
			{Path: "/b", Size: "500 kB", Where: "in layer 2, hidden by the same layer"},
			{Path: "/c", Where: "in layer 1", Value: `AKIA\x07 (20 characters)`},
			{Path: "layer 1"},
			{Path: "the config", Value: "ghp_ (40 characters)"},
		},
		More:  "and 1 more place",
		Steps: []FindingStep{{0, "ADD file:x in /", ""}, {1, "(no command)", ""}, {2, `RUN rm\x1b[2J /a`, ""}},
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
		{"little", []facts.Finding{of("warn", 12_000)}, "1 finding, 12 kB", "1 finding, 12 kB"},
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

// TestOpenFindings checks that formats for people leave out what is suppressed.
func TestOpenFindings(t *testing.T) {
	in := broken(t)
	for name, want := range map[string]struct {
		suppress []gate.Suppression
		findings string
	}{
		"none":             {nil, "removed-later 30000 2+9, docs 50 1+0, secret 0 3+0"},
		"a place":          {[]gate.Suppression{{Path: "/opt/", Rules: []string{"removed-later"}, Reason: "r"}}, "removed-later 27000 1+9, docs 50 1+0, secret 0 3+0"},
		"all":              {[]gate.Suppression{{Rules: []string{"removed-later"}, Reason: "r"}}, "docs 50 1+0, secret 0 3+0"},
		"all that is list": {[]gate.Suppression{{Path: "**", Rules: []string{"removed-later"}, Reason: "r"}}, "removed-later 20000 0+9, docs 50 1+0, secret 0 3+0"},
		"waste":            {[]gate.Suppression{{Path: "**", Reason: "r"}}, "removed-later 30000 2+9, docs 50 1+0, secret 0 3+0"},
	} {
		v, err := gate.Check(in.Report, nil, gate.Options{Suppress: want.suppress})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range (&Input{Report: in.Report, Verdict: &v}).openFindings() {
			got = append(got, fmt.Sprintf("%s %d %d+%d", f.Rule, f.Bytes, len(f.Places), f.MorePlaces))
		}
		if got := strings.Join(got, ", "); got != want.findings {
			t.Errorf("%s: got %s, want %s", name, got, want.findings)
		}
	}
	if page := written(t, "html", in); strings.Contains(page, "-----B (900 characters)") || !strings.Contains(page, "-----B (1675 characters)") {
		t.Error("html: the suppressed key is there, or the other one is not")
	}
	// No format for people lists what is suppressed or info, apart from the suppression.
	for _, format := range []string{"text", "markdown", "junit", "github"} {
		text := written(t, format, in)
		for word, want := range map[string]bool{
			"what secret found": true, "what removed-later found": true, "what docs found": false, "/opt, in layer 1": false, "/opt (8 files)": false,
			"-----B (900 characters)": false, "-----B (1675 characters)": true,
		} {
			if format == "text" && word == "/opt (8 files)" {
				continue // the waste of a rule
			}
			if strings.Contains(text, word) != want {
				t.Errorf("%s: %q is there: %v", format, word, !want)
			}
		}
	}
}

// TestFindingsFit checks that findings with huge texts stay within the limits of formats.
func TestFindingsFit(t *testing.T) {
	r := sample()
	long := strings.Repeat("x`%:\n", 5_000)
	for range 200 {
		f := r.Findings[2]
		f.Title, f.Fix = long, facts.Fix{Text: long, Lines: []string{long}}
		f.Places = []facts.Place{{Path: "/" + long, Layer: 0, HiddenBy: -1, Redacted: long}}
		r.Findings = append(r.Findings, f)
	}
	in := judged(t, r, gate.Limits{{Rule: gate.FailOnFinding, Unit: gate.Count, Names: []string{"error"}}})
	in.Verdict.Config, in.Verdict.Notes, in.Verdict.Warnings = "", nil, nil
	in.Report.Image.Reference = "app.tar"
	text := written(t, "markdown", in)
	if len(text) > 65_536 || !strings.Contains(text, "the lines to paste are too long for a comment") || !strings.Contains(text, "_Cut here") {
		t.Errorf("markdown: %d bytes", len(text))
	}
	text = written(t, "github", in)
	if n := strings.Count(text, "\n"); n != maxAnnotations+1 { // and one warning
		t.Errorf("github: %d lines", n)
	}
	for line := range strings.Lines(text) {
		if len(line) > 3*maxAnnotation || strings.Contains(line[len("::error "):], "\r") {
			t.Errorf("github: a line of %d bytes", len(line))
		}
	}
	var suites junitSuites
	text = written(t, "junit", in)
	if err := xml.Unmarshal([]byte(text), &suites); err != nil || len(suites.Suite.Out) > 10_000_000 || !strings.Contains(suites.Suite.Out, " more findings: --json lists all\n") {
		t.Errorf("junit: %d bytes of output, %v", len(suites.Suite.Out), err)
	}
}
