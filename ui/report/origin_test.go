package report

import (
	"strings"
	"testing"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// fromDockerfile returns an image with a base of one layer, and a layer that was made by
// lines 3 and 4 of a Dockerfile and wastes 100 bytes of the base and 20 of its own.
func fromDockerfile() *facts.Report {
	r := &facts.Report{
		Image: facts.Image{Reference: "app"},
		Layers: []facts.Layer{
			{Index: 0, Command: "ADD base /", StoredBytes: 1000, VisibleBytes: 900, WastedBytes: 100},
			{Index: 1, Command: "RUN make", StoredBytes: 500, VisibleBytes: 480, WastedBytes: 20, HidesBytes: 100, Source: &facts.Source{File: "Dockerfile", Line: 3, End: 4}},
			{Index: 2, Command: "RUN clean", HidesBytes: 20, Source: &facts.Source{File: "Dockerfile", Line: 5, End: 5}},
		},
		Waste: []facts.Waste{
			{Path: "/lists", Bytes: 100, Cause: "removed", StoredIn: 0, HiddenBy: 1},
			{Path: "/x", Bytes: 20, Cause: "metadata", StoredIn: 1, HiddenBy: 2},
		},
		Findings: []facts.Finding{{
			Rule: "removed-later", Severity: "warn", Bytes: 20, Source: &facts.Source{File: "Dockerfile", Line: 3, End: 4},
			Places: []facts.Place{{Path: "/x", Layer: 1, HiddenBy: 2, Bytes: 20}},
		}},
		Base:       &facts.Base{Reference: "debian:12", Layers: 1, Certainty: "exact", Evidence: "flag"},
		Dockerfile: &facts.Dockerfile{Name: "Dockerfile", Text: "FROM debian:12\n"},
	}
	r.Totals = facts.Totals{StoredBytes: 1500, VisibleBytes: 1380, WastedBytes: 120, Efficiency: 1380.0 / 1500, Layers: 3, FindingsBytes: 20}
	r.Totals.Base = &facts.Part{StoredBytes: 1000, VisibleBytes: 900, WastedBytes: 100, Layers: 1, HiddenByOwnBytes: 100}
	r.Totals.Own = &facts.Part{StoredBytes: 500, VisibleBytes: 480, WastedBytes: 20, Layers: 2}
	return r
}

// TestSourceLines checks that every format for problems points at the lines: of the step
// that stores the waste, of the one that hides what the base stores, and of the one that
// stores content again.
func TestSourceLines(t *testing.T) {
	r := fromDockerfile()
	l, err := gate.Parse(gate.MaxWastedBytes, "0")
	if err != nil {
		t.Fatal(err)
	}
	v, err := gate.Check(r, gate.Limits{l}, gate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := &Input{Report: r, Verdict: &v, Dockerfile: "docker/app.Dockerfile"}
	for format, want := range map[string][]string{
		"codequality": {`"path":"docker/app.Dockerfile","lines":{"begin":3,"end":4}`, `"lines":{"begin":5,"end":5}`},
		"sarif":       {`"uri":"docker/app.Dockerfile"`, `"region":{"endLine":4,"startLine":3}`, `"region":{"endLine":5,"startLine":5}`},
		"github":      {"::error file=docker/app.Dockerfile,line=3,endLine=4,title="},
		"text": {
			"RUN make  (Dockerfile:3-4)", "RUN clean  (Dockerfile:5)",
			"own layers    500 B  in 2 layers, 20 B wasted\n",
			"base image   1.0 kB  in 1 layer, 100 B wasted, 100 B of that hidden by own layers: debian:12 (exact: you named it)\n",
		},
		"markdown": {"| own layers | 500 B ` in 2 layers, 20 B wasted ` |", "stored by layer 1: ` RUN make (Dockerfile:3-4) `"},
	} {
		got := written(t, format, in)
		for _, s := range want {
			if !strings.Contains(strings.ReplaceAll(got, "\": ", "\":"), s) {
				t.Errorf("%s has no %s:\n%s", format, s, got)
			}
		}
	}
}

func TestLines(t *testing.T) {
	for want, s := range map[string]*facts.Source{
		"": nil, "Dockerfile:3": {File: "Dockerfile", Line: 3, End: 3}, `a\x1b:3-9`: {File: "a\x1b", Line: 3, End: 9},
	} {
		if got := Lines(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestBaseFindings checks that every format says of a finding that it is the base's, and
// that none tells people to change a step of the base.
func TestBaseFindings(t *testing.T) {
	r := fromDockerfile()
	r.Findings = append(r.Findings,
		facts.Finding{Rule: "docs", Severity: "info", Bytes: 100, Owner: facts.OwnerBase, Title: "layer 0 stores manual pages", Layers: []int{0}, Fix: facts.Fix{Text: "another base"}, Places: []facts.Place{{Path: "/man", Layer: 0, Bytes: 100, HiddenBy: -1}}},
		facts.Finding{Rule: "secret", Severity: "error", Owner: facts.OwnerBase, Title: "a key is in layer 0", Layers: []int{0}, Fix: facts.Fix{Text: "revoke it"}, Places: []facts.Place{{Path: "/key", Layer: 0, HiddenBy: -1}}},
		facts.Finding{Rule: "latest-base", Severity: "warn", Owner: facts.OwnerOwn, Title: "no version", Source: &facts.Source{File: "Dockerfile", Line: 1, End: 1}},
	)
	r.Findings[0].Layers = []int{1, 2}
	r.Layers[1].Command = "RUN " + strings.Repeat("make && ", 40) + "true"
	for _, tt := range []struct {
		opt  AdviceOptions
		want []string
		not  []string
	}{
		{AdviceOptions{}, []string{
			"base      debian:12 (exact: you named it)\n", "error  secret: a key is in layer 0 (of the base image)\n", "mak… (Dockerfile:3-4)\n",
			"         at       Dockerfile:1\n", "\n1 finding, 100 B in the base image, which only another base can change; --all lists them\n",
		}, []string{"docs"}},
		{AdviceOptions{All: true}, []string{"\n1 finding, 100 B in the base image, which only another base can change\n  100 B  info   docs: layer 0 stores manual pages\n           100 B  /man, in layer 0\n"}, []string{"another base\n         ", "--all"}},
		{AdviceOptions{Rules: []string{"latest-base"}}, []string{"no version"}, []string{"in the base image"}},
	} {
		var b strings.Builder
		if err := Advice(&b, &Input{Report: r}, tt.opt); err != nil {
			t.Fatal(err)
		}
		for _, s := range tt.want {
			if !strings.Contains(b.String(), s) {
				t.Errorf("%+v: no %q in\n%s", tt.opt, s, b.String())
			}
		}
		for _, s := range tt.not {
			if strings.Contains(b.String(), s) {
				t.Errorf("%+v: it has %q:\n%s", tt.opt, s, b.String())
			}
		}
	}
	l, err := gate.Parse(gate.MaxWastedBytes, "0")
	if err != nil {
		t.Fatal(err)
	}
	v, err := gate.Check(r, gate.Limits{l}, gate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string][]string{
		"markdown": {
			"Own layers store **500 B** and waste 20 B, the base image ` debian:12 (exact: you named it) ` stores 1.0 kB and wastes 100 B.", "secret \\(of the base image\\):",
			"  - at ` Dockerfile:1 `", "mak… (Dockerfile:3-4) `",
		},
		"html":        {"secret, of the base image</span>", "No version"},
		"text":        {"secret: a key is in layer 0 (of the base image)"},
		"junit":       {"secret: a key is in layer 0 (of the base image)", `name="base" value="debian:12 (exact: you named it)"`, `name="ownWastedBytes" value="20"`},
		"sarif":       {"docs: layer 0 stores manual pages (of the base image)"},
		"codequality": {"docs: layer 0 stores manual pages (of the base image)"},
		"github":      {"secret: a key is in layer 0 (of the base image)"},
	} {
		got := written(t, format, &Input{Report: r, Verdict: &v})
		for _, s := range want {
			if !strings.Contains(got, s) {
				t.Errorf("%s has no %q:\n%s", format, s, got)
			}
		}
		// /lists is waste that the base stores and an own step removes.
		if format != "html" && !strings.Contains(got, "it comes from the base image debian:12: a smaller or a newer base") || strings.Contains(got, "remove it in the step that stores it") {
			t.Errorf("%s tells people to change a step of the base:\n%s", format, got)
		}
	}
}
