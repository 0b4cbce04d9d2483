package gate

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

var update = flag.Bool("update", false, "write the table of rules in docs/gate.md")

// TestSpecs checks that the description of every rule is complete, and that every
// rule can be broken and then explains why.
func TestSpecs(t *testing.T) {
	r := totals(1000, 100)
	r.Totals.CompressedBytes, r.Totals.Files, r.Totals.Layers = 10, 1, 2
	r.Layers = []facts.Layer{{StoredBytes: 600, CompressedBytes: 6, Added: 1}, {Index: 1, StoredBytes: 400, CompressedBytes: 4}}
	r.Findings = found().Findings[:1]
	r.Packages = []facts.Package{{Type: facts.TypeDeb, Name: "p", VisibleBytes: 5, RemovedBy: -1}}
	opt := Options{
		Files: files(File{Path: "/f", Bytes: 1, HiddenBy: -1}),
	}
	since := analyzed(t, "layer RUN make\n  file f 10xf\nlayer RUN more\n  file g 5xg\n")
	since.Report.Packages, since.Report.Base, since.Report.Totals.Own = r.Packages, &facts.Base{}, &facts.Part{StoredBytes: 15, VisibleBytes: 15, Layers: 2}
	baseline := compared(t, analyzed(t, ""), since)
	baseline.Old.Report.Totals.Own = &facts.Part{}
	seen := map[string]bool{}
	for _, s := range Specs() {
		for missing, isMissing := range map[string]bool{
			"Means": s.Means == "", "Example": s.Example == "", "observe": s.observe == nil, "explain": s.explain == nil,
			"glob": (s.Form == Globs) != (s.glob != nil), "a name of its own": seen[s.Name],
			"about": s.about != strings.Contains(s.Name, "package"), "names": (s.Form == Names) != (s.names != nil),
			"finds": s.finds != (s.Name == MaxFindingsBytes || s.Name == FailOnFinding),
		} {
			if isMissing {
				t.Errorf("%s: %s is missing", s.Name, missing)
			}
		}
		seen[s.Name] = true
		if s.observe == nil || s.explain == nil {
			continue
		}
		strictest := map[bool]string{false: "0", true: "1"}[s.AtLeast]
		switch s.Form {
		case Switch:
			strictest = "true"
		case Globs:
			strictest = "*"
			if s.AboutPackages() {
				strictest = "*:*"
			}
		case Names:
			strictest = map[bool]string{true: SameFiles, false: "info"}[s.since]
		case Folders:
			strictest = "*=0"
		}
		l, err := Parse(s.Name, strictest)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if back, err := Parse(s.Name, l.String()); err != nil || !cmp.Equal(back, l) {
			t.Errorf("%s: %+v is written %q and reads back as %+v, %v", s.Name, l, l, back, err)
		}
		r, opt := r, opt
		if s.since {
			r, opt.Baseline = since.Report, baseline
		}
		v, err := Check(r, Limits{l}, opt)
		if err != nil {
			t.Fatal(err)
		}
		if rule := v.Rules[0]; rule.OK || rule.Err != nil || rule.Count() == 0 {
			t.Errorf("%s: the strictest limit is kept, or has no reason: %+v", s.Name, rule)
		}
	}
	want := []string{"min-efficiency 0.9 error", "max-wasted-percent 10% error", "max-findings-bytes 100000000 warn", "fail-on-finding error error"}
	var got []string
	for _, l := range Default() {
		got = append(got, fmt.Sprint(l.Rule, " ", l, " ", l.Severity))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the default rules: %s", diff)
	}
	if err := Default().Validate(); err != nil {
		t.Errorf("the default rules: %v", err)
	}
}

// TestSwitch checks a rule that is only on or off: its observed value is a number,
// which must be 0.
func TestSwitch(t *testing.T) {
	s := Spec{
		Name: "deny-empty", Form: Switch, Unit: Count,
		observe: func(c *check, _ Limit) (value, error) { return value{number: int64(c.r.Totals.Files)}, nil },
		explain: func(c *check, r *Rule, _ Limit) { r.list([]Offender{{Path: "/f", HiddenBy: -1}}) },
	}
	l, err := s.parse("true")
	if err != nil {
		t.Fatal(err)
	}
	for files, want := range []string{"true 0 0 0", "false 0 1 1"} {
		r := totals(0, 0)
		r.Totals.Files = files
		rule := Rule{Name: s.Name, Unit: s.Unit}
		if err := (&check{r: r}).judge(&s, &rule, l); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(rule.OK, rule.Limit, rule.Observed, rule.Count()); got != want {
			t.Errorf("%d files: got %s, want %s", files, got, want)
		}
	}
	for _, text := range []string{"", "yes", "1", "TRUE"} {
		if _, err := s.parse(text); err == nil {
			t.Errorf("%q is a limit", text)
		}
	}
}

// TestRuleDocs checks the table in docs/gate.md against the rules.
func TestRuleDocs(t *testing.T) {
	const doc = "../../docs/gate.md"
	limits := map[Form]string{Growth: "`5MB`, `10%`", Globs: "globs", Switch: "`true`", Names: "names", Folders: "`GLOB: SIZE`"}
	shares := map[Unit]string{Ratio: "`0.9`, `90%`", Percent: "`10%`, `0.1`"}
	var table strings.Builder
	table.WriteString("| rule | limit | |\n|---|---|---|\n")
	for _, s := range Specs() {
		limit, means := limits[s.Form], s.Means
		if s.Form == Number {
			example, _, _ := strings.Cut(strings.TrimPrefix(s.Example, "{limit: "), ",")
			limit = "`" + example + "`"
			if share, ok := shares[s.Unit]; ok {
				limit = share
			}
		}
		if s.Note != "" {
			means += "; " + s.Note
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", s.Name, limit, means)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "| rule | limit | |\n")
	if !ok {
		t.Fatalf("%s has no table of rules", doc)
	}
	_, after, _ := strings.Cut(rest, "\n\n")
	want := before + table.String() + "\n" + after
	if *update {
		if err := os.WriteFile(doc, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("the table of %s is old; go test ./analyzer/gate -run TestRuleDocs -update writes:\n%s", doc, &table)
	}
}
