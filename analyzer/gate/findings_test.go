package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
)

const removed = "removed-later"

// findings returns a report of 1,000 bytes in three layers with findings of every
// severity, which save 600 + 150 + 50 bytes and, of severity info, 40.
func found() *facts.Report {
	r := totals(1000, 0)
	for i := range 3 {
		r.Layers = append(r.Layers, facts.Layer{Index: i, Command: fmt.Sprintf("RUN step %d", i)})
	}
	r.Totals.Layers, r.Totals.FindingsBytes, r.Secrets = 3, 840, facts.SecretsAll
	place := func(path string, layer int, bytes int64, hidden int) facts.Place {
		return facts.Place{Path: path, Layer: layer, Bytes: bytes, Files: 1, HiddenBy: hidden}
	}
	fix := facts.Fix{Text: "fix it"}
	key := place("/srv/test/key", 2, 0, -1)
	key.Redacted = "-----B (1675 characters)"
	r.Findings = []facts.Finding{
		{Rule: removed, Severity: "warn", Bytes: 600, Fix: fix, Places: []facts.Place{place("/srv/test", 0, 400, 2), place("/opt", 0, 200, 1)}},
		{Rule: removed, Severity: "warn", Bytes: 150, Fix: fix, Places: []facts.Place{place("/var/cache", 1, 100, -1)}, MorePlaces: 7},
		{Rule: "other", Severity: "error", Bytes: 50, Fix: fix, Places: []facts.Place{place("", 1, 50, -1)}},
		{Rule: "docs", Severity: "info", Bytes: 40, Fix: fix, Places: []facts.Place{place("/usr/share/doc", 0, 40, -1)}},
		{Rule: "secret", Severity: "error", Fix: fix, Places: []facts.Place{key, {Layer: -1, HiddenBy: -1, Redacted: "AKIA (20 characters)"}}},
	}
	return r
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFindingRules checks what the rules about findings observe, and in which order
// they list its places.
func TestFindingRules(t *testing.T) {
	for _, tt := range []struct {
		name     string
		limit    Limit
		suppress []Suppression
		observed float64
		want     []string // the offenders
	}{
		{"bytes, without those of severity info", Limit{Rule: MaxFindingsBytes, Unit: Bytes}, nil, 800, []string{
			"removed-later /srv/test 400 0 2", "removed-later /opt 200 0 1", "removed-later /var/cache 100 1 -1", "removed-later  50 -1 -1 and 7",
			"other  50 1 -1",
		}},
		{
			"bytes of places that are not suppressed", Limit{Rule: MaxFindingsBytes, Unit: Bytes},
			[]Suppression{{Rules: []string{removed}, Path: "/srv/test/**", Reason: "r"}, {Path: "/opt", Reason: "waste only"}}, 400,
			[]string{"removed-later /opt 200 0 1", "removed-later /var/cache 100 1 -1", "removed-later  50 -1 -1 and 7", "other  50 1 -1"},
		},
		{
			"bytes of a rule that is suppressed everywhere", Limit{Rule: MaxFindingsBytes, Unit: Bytes},
			[]Suppression{{Rules: []string{removed}, Reason: "r"}}, 50, []string{"other  50 1 -1"},
		},
		{
			"bytes of an expired suppression", Limit{Rule: MaxFindingsBytes, Unit: Bytes, Number: 799},
			[]Suppression{{Rules: []string{removed}, Reason: "r", Until: day(t, "2026-11-20")}}, 800, []string{
				"removed-later /srv/test 400 0 2", "removed-later /opt 200 0 1", "removed-later /var/cache 100 1 -1", "removed-later  50 -1 -1 and 7",
				"other  50 1 -1",
			},
		},
		{"errors", Limit{Rule: FailOnFinding, Unit: Count, Names: []string{"error"}}, nil, 2, []string{
			"other  50 1 -1", "secret /srv/test/key 0 2 -1 -----B (1675 characters)", "secret  0 -1 -1 AKIA (20 characters)",
		}},
		{"a severity and what is more serious, errors first", Limit{Rule: FailOnFinding, Unit: Count, Names: []string{"warn"}}, nil, 4, []string{
			"other  50 1 -1", "secret /srv/test/key 0 2 -1 -----B (1675 characters)", "secret  0 -1 -1 AKIA (20 characters)",
			"removed-later /srv/test 400 0 2", "removed-later /opt 200 0 1", "removed-later /var/cache 100 1 -1", "removed-later  50 -1 -1 and 7",
		}},
		{"a rule", Limit{Rule: FailOnFinding, Unit: Count, Names: []string{removed}}, nil, 2, []string{
			"removed-later /srv/test 400 0 2", "removed-later /opt 200 0 1", "removed-later /var/cache 100 1 -1", "removed-later  50 -1 -1 and 7",
		}},
		{"everything", Limit{Rule: FailOnFinding, Unit: Count, Names: []string{"info", removed}}, nil, 5, []string{
			"other  50 1 -1", "secret /srv/test/key 0 2 -1 -----B (1675 characters)", "secret  0 -1 -1 AKIA (20 characters)",
			"removed-later /srv/test 400 0 2", "removed-later /opt 200 0 1", "removed-later /var/cache 100 1 -1", "removed-later  50 -1 -1 and 7",
			"docs /usr/share/doc 40 0 -1",
		}},
		{
			"a finding with one place left", Limit{Rule: FailOnFinding, Unit: Count, Names: []string{removed}},
			[]Suppression{{Rules: []string{removed}, Path: "/srv/", Reason: "r"}, {Rules: []string{removed}, Path: "/var/**", Reason: "r"}}, 2,
			[]string{"removed-later /opt 200 0 1", "removed-later  50 -1 -1 and 7"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Check(found(), Limits{tt.limit}, Options{Suppress: tt.suppress, Today: day(t, "2026-11-21")})
			if err != nil {
				t.Fatal(err)
			}
			rule := v.Rules[0]
			var got []string
			for o := range rule.All() {
				line := fmt.Sprintf("%s %s %d %d %d", o.Finding, o.Path, o.Bytes, o.StoredIn, o.HiddenBy)
				if o.Redacted != "" {
					line += " " + o.Redacted
				}
				if o.Places > 0 {
					line += fmt.Sprint(" and ", o.Places)
				}
				got = append(got, line)
				if o.Advice != "fix it" || o.StoredIn >= 0 && o.StoredBy == "" {
					t.Errorf("%s: %+v", line, o)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || rule.Observed != tt.observed || rule.OK || rule.Err != nil || rule.Count() != len(got) {
				t.Errorf("observed %v, want %v; OK %v, error %v, %d offenders\n%s", rule.Observed, tt.observed, rule.OK, rule.Err, rule.Count(), diff)
			}
		})
	}
	for _, l := range []Limit{{Rule: MaxFindingsBytes, Unit: Bytes, Number: 800}, {Rule: FailOnFinding, Unit: Count, Names: []string{removed}}} {
		v, err := Check(found(), Limits{l}, Options{Suppress: []Suppression{{Rules: []string{removed}, Reason: "r"}}})
		if err != nil || !v.Pass() {
			t.Errorf("%s fails: %v, %+v", l.Rule, err, v.Rules)
		}
	}
}

// TestSuppressedPlaces checks which places of the report are suppressed, and what
// each suppression covers.
func TestSuppressedPlaces(t *testing.T) {
	v, err := Check(found(), nil, Options{Today: day(t, "2026-11-21"), Suppress: []Suppression{
		{Rules: []string{removed, DenyPath}, Path: "/srv/**", Reason: "0"},
		{Rules: []string{removed}, Reason: "1", Until: day(t, "2026-11-20")},
		{Rules: []string{removed}, Path: "/var/cache", Reason: "2"},
		{Rules: []string{removed}, Path: "/none", Reason: "3"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, f := range found().Findings {
		for j := range len(f.Places) + 1 {
			if s := v.SuppressedBy(i, j); s != nil {
				got = append(got, fmt.Sprintf("%d %d %s", i, j, s.Reason))
			}
		}
	}
	if diff := cmp.Diff([]string{"0 0 0", "1 0 2"}, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	for _, s := range v.Suppressed {
		got = append(got, fmt.Sprintf("%s %d %d", s.Reason, s.Pieces, s.Bytes))
	}
	if diff := cmp.Diff([]string{"0 1 400", "1 8 250", "2 1 100", "3 0 0"}, got); diff != "" {
		t.Error(diff)
	}
	want := []string{
		`the suppression of "removed-later" ended on 2026-11-20: what it covers counts (paths: 8)`,
		`the suppression of "/none" covers nothing; what is below a folder is "/none/**"`,
	}
	if diff := cmp.Diff(want, v.Warnings); diff != "" {
		t.Error(diff)
	}
}

// TestNoFindings checks the rules on a report that an older version wrote: default
// rules are left out if another rule applies, and all others can't be evaluated.
func TestNoFindings(t *testing.T) {
	old := totals(10, 1)
	v, err := Check(old, nil, Options{Suppress: []Suppression{{Rules: []string{removed}, Reason: "r"}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ok min-efficiency 0.9 0.9", "ok max-wasted-percent 0.1 0.1"}, brief(v)); diff != "" || !v.Pass() {
		t.Error(diff)
	}
	if len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "left out of the default rules: max-findings-bytes, fail-on-finding") {
		t.Errorf("notes %q", v.Notes)
	}
	if want := []string{`the suppression of "removed-later" has no effect: nothing evaluates removed-later`}; !slices.Equal(v.Warnings, want) {
		t.Errorf("warnings %q", v.Warnings)
	}
	finding := slices.DeleteFunc(Default(), func(l Limit) bool { return l.Rule != MaxFindingsBytes && l.Rule != FailOnFinding })
	given := slices.Clone(finding)
	for i := range given {
		given[i].Source = "--flag"
	}
	for name, l := range map[string]Limits{"nothing else to judge by": finding, "given": append(limits(t, "max-size=1kB"), given...)} {
		v, err := Check(old, l, Options{})
		if err != nil || v.Errors() != 2 || v.Pass() {
			t.Errorf("%s: %v, %+v", name, err, v)
			continue
		}
		for _, r := range v.Rules[len(v.Rules)-2:] {
			if !errors.Is(r.Err, ErrNoFindings) {
				t.Errorf("%s: %s: %v", name, r.Name, r.Err)
			}
		}
	}
}

// TestNoSecrets checks fail-on-finding on an image that was not searched for secrets.
func TestNoSecrets(t *testing.T) {
	for _, searched := range []string{facts.SecretsOff, facts.SecretsSome} {
		testNoSecrets(t, searched)
	}
}

func testNoSecrets(t *testing.T, searched string) {
	t.Helper()
	r := found()
	r.Secrets, r.Findings = searched, r.Findings[:1]
	for name, want := range map[string]error{"error": nil, advice.Secret: ErrNoSecrets} {
		v, err := Check(r, Limits{{Rule: FailOnFinding, Unit: Count, Names: []string{name}}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Rules[0].Err; !errors.Is(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		if want == nil && !slices.Equal(v.Notes, []string{"fail-on-finding: the image was not searched for secrets, or not in all layers"}) {
			t.Errorf("notes %q", v.Notes)
		}
	}
}

// TestNamesOfFindings checks what limits and suppressions can name.
func TestNamesOfFindings(t *testing.T) {
	for _, name := range FindingRules() {
		if _, ok := SpecOf(name); ok || slices.Contains(facts.Severities(), name) {
			t.Errorf("%s has two meanings", name)
		}
	}
	for _, names := range [][]string{{}, {"nope"}, {"error", "max-size"}, {"Error"}, {""}} {
		if l, err := Parse(FailOnFinding, names...); err == nil {
			t.Errorf("%q is %+v", names, l)
		}
		if _, err := Check(found(), Limits{{Rule: FailOnFinding, Unit: Count, Names: names}}, Options{}); err == nil {
			t.Errorf("%q passes Check", names)
		}
	}
	for name, s := range map[string]Suppression{
		"no path and no rule":       {Reason: "r"},
		"no path":                   {Rules: []string{DenyPath}, Reason: "r"},
		"no path for one of two":    {Rules: []string{removed, DenyPath}, Reason: "r"},
		"no reason":                 {Rules: []string{removed}},
		"no such rule":              {Rules: []string{"nope"}, Path: "/a", Reason: "r"},
		"a rule of another kind":    {Rules: []string{MaxSize}, Path: "/a", Reason: "r"},
		"a severity":                {Rules: []string{"error"}, Path: "/a", Reason: "r"},
		"a glob that is not a glob": {Rules: []string{removed}, Path: "/[", Reason: "r"},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAdviceOfFinding checks that waste that a finding is about has the finding's fix.
func TestAdviceOfFinding(t *testing.T) {
	r := &facts.Report{
		Layers: []facts.Layer{{StoredBytes: 30, VisibleBytes: 10, WastedBytes: 20}, {Index: 1, HidesBytes: 20}},
		Waste: []facts.Waste{
			{Path: "/opt/a.tar", Bytes: 15, Cause: "removed", StoredIn: 0, HiddenBy: 1},
			{Path: "/tmp/b", Bytes: 5, Cause: "removed", StoredIn: 0, HiddenBy: 1},
		},
		Findings: []facts.Finding{{Bytes: 15, Fix: facts.Fix{Text: "let ADD unpack it"}, Places: []facts.Place{{Path: "/opt/a.tar", Layer: 0, HiddenBy: 1, Bytes: 15}}}},
		Totals:   facts.Totals{StoredBytes: 30, VisibleBytes: 10, WastedBytes: 20, Efficiency: 10.0 / 30, Layers: 2, FindingsBytes: 15},
		Folders:  []facts.Folder{{Path: "/", VisibleBytes: 10, WastedBytes: 20, Layers: []facts.FolderLayer{{VisibleBytes: 10, WastedBytes: 20}}}},
	}
	v, err := Check(r, Limits{{Rule: MaxWastedBytes, Unit: Bytes}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for o := range v.Rules[0].All() {
		got[o.Path] = o.Advice
	}
	if got["/opt/a.tar"] != "let ADD unpack it" || got["/tmp/b"] == "" || got["/tmp/b"] == "let ADD unpack it" {
		t.Errorf("got %q", got)
	}
}
