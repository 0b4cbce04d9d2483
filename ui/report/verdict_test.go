package report

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// TestVerdictForm checks that the verdict in JSON says what the text says, and has
// every path unescaped.
func TestVerdictForm(t *testing.T) {
	day := func(s string) time.Time {
		d, err := gate.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	l := gate.Limits{
		{Rule: gate.MinEfficiency, Unit: gate.Ratio, Ratio: 0.9, Source: ".fathom.yaml:3:3"},
		{Rule: gate.MaxSize, Unit: gate.Bytes, Number: 2_999_999, Severity: gate.Warn},
		{Rule: gate.MaxGrowth, Unit: gate.Percent, Ratio: 0.5},
		{Rule: gate.DenyPath, Unit: gate.Count, Globs: []string{"*.key"}},
	}
	v, err := gate.Check(sample(), l, gate.Options{
		Today: day("2026-11-21"), Baseline: since(t, "old", sample(), &facts.Report{Image: facts.Image{ID: "sha256:00"}}),
		Suppress: []gate.Suppression{
			{Path: "/etc/**", Reason: "base", Until: day("2027-01-31"), Source: ".fathom.yaml:9:5"},
			{Path: "/none/**", Reason: "later"}, {Path: "/var/**", Reason: "was", Until: day("2026-01-01")},
			{Rules: []string{gate.DenyPath}, Path: "/ok.key", Reason: "public"},
		},
		Files: func(yield func(gate.File) bool) {
			_ = yield(gate.File{Path: "/ok.key", Bytes: 3, HiddenBy: -1}) && yield(gate.File{Path: "/\xff.key", Bytes: 7, Layer: 1, HiddenBy: -1})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &Input{Report: sample(), Verdict: &v}
	var got struct{ Verdict verdictForm }
	if err := json.Unmarshal([]byte(written(t, "json", in)), &got); err != nil {
		t.Fatal(err)
	}
	f := got.Verdict
	if f.Result != "error" || f.FailOn != "error" || f.Default { // growth over an empty baseline has no percentage
		t.Errorf("got %q, %q, %v", f.Result, f.FailOn, f.Default)
	}
	want := []suppressionForm{
		{"/etc/**", []string{}, "base", "2027-01-31", ".fathom.yaml:9:5", "used", 1, 100_000, []placeForm{}, ""},
		{"/none/**", []string{}, "later", "", "", "unused", 0, 0, []placeForm{}, ""},
		{"/var/**", []string{}, "was", "2026-01-01", "", "expired", 1, 900_000, []placeForm{}, ""},
		{"/ok.key", []string{"deny-path"}, "public", "", "", "used", 1, 3, []placeForm{}, ""},
	}
	if diff := cmp.Diff(want, f.Suppressions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&baselineForm{"old", "sha256:00", 0, 3_000_000, nil}, f.Baseline); diff != "" {
		t.Error(diff)
	}
	waste := f.Rules[0].Offenders
	if len(waste) != 1 || waste[0].Path != "/var/lib/\ufffd\n" || string(waste[0].PathBytes) != "/var/lib/\xff\n" || waste[0].Cause != "removed" || waste[0].HiddenBy != 1 {
		t.Errorf("waste: %+v", waste)
	}
	for i := range f.Rules {
		f.Rules[i].Offenders = nil
	}
	none := []string{}
	rules := []ruleForm{
		{"min-efficiency", "fail", "error", "all", "ratio", "atLeast", 0.9, 0.7, "", ".fathom.yaml:3:3", none, none, nil, false, false, nil},
		{"max-size", "warn", "warn", "all", "bytes", "atMost", 2_999_999.0, 3_000_000.0, "", "", none, none, nil, false, false, nil},
		{"max-growth", "error", "error", "all", "ratio", "atMost", nil, nil, v.Rules[2].Err.Error(), "", none, none, nil, false, false, nil},
		{"deny-path", "fail", "error", "all", "count", "atMost", 0.0, 1.0, "", "", []string{"*.key"}, none, nil, false, false, nil},
	}
	if diff := cmp.Diff(rules, f.Rules); diff != "" {
		t.Error(diff)
	}
	for i, want := range []int{1, 2, 0, 1} {
		if n := v.Rules[i].Count(); n != want {
			t.Errorf("%s has %d offenders, want %d", v.Rules[i].Name, n, want)
		}
	}
	// Without the gate there is no verdict.
	if text := written(t, "json", &Input{Report: sample()}); strings.Contains(text, `"verdict"`) {
		t.Error("a report that is not judged has a verdict")
	}
}

// TestUnevaluated checks that a rule that can't be evaluated is an error of its own in
// the formats that list problems.
func TestUnevaluated(t *testing.T) {
	v := gate.Verdict{Rules: []gate.Rule{{Name: gate.MaxGrowth, Err: errors.New("gone\x1b")}}}
	in := &Input{Report: &facts.Report{Image: facts.Image{Reference: "app.tar"}}, Verdict: &v}
	for format, want := range map[string]string{
		"sarif":       `"level":"error","locations"`,
		"codequality": `"description":"app.tar: max-growth can't be evaluated: gone\\x1b"`,
		"github":      `::error file=Dockerfile,line=1,title=fathom%3A max-growth%3A app.tar::max-growth can't be evaluated: gone\x1b` + "\n",
		"junit":       `<error message="max-growth can&#39;t be evaluated: gone\x1b"`,
		"json":        `"result":"error","severity":"error","scope":"all","unit":"ratio","bound":"atMost","limit":null,"observed":null,"error":"gone\u001b"`,
	} {
		if text := written(t, format, in); !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", format, want, text)
		}
	}
}
