package report

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// TestSARIFFindings checks that each place of a finding is a result, with a rule that is
// fully described, and that suppressed ones say so.
func TestSARIFFindings(t *testing.T) {
	type message struct{ Text, Markdown string }
	var sarif struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Version, SemanticVersion, FullName, InformationURI string
					Rules                                              []struct {
						ID, Name, HelpURI                       string
						ShortDescription, FullDescription, Help message
						DefaultConfiguration                    struct{ Level string }
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     *int
				Message       message
				Suppressions  []struct{ Kind, Status, Justification string }
				Properties    struct{ Bytes int64 }
				Locations     []struct {
					LogicalLocations []struct{ FullyQualifiedName string }
				}
			}
		}
	}
	in := broken(t)
	in.Version, in.Home = "fathom v1.2.3-rc.1 (commit 12ab) go1.26.0 linux/amd64", "https://example.com/fathom"
	if err := json.Unmarshal([]byte(written(t, "sarif", in)), &sarif); err != nil {
		t.Fatal(err)
	}
	run := sarif.Runs[0]
	driver := run.Tool.Driver
	if driver.Version != "1.2.3-rc.1" || driver.SemanticVersion != driver.Version || driver.FullName != in.Version || driver.InformationURI != in.Home {
		t.Errorf("driver: %+v", driver)
	}
	names := map[string]bool{}
	for _, r := range driver.Rules {
		names[r.ID] = true
		if !regexp.MustCompile(`^([A-Z][a-z]*)+$`).MatchString(r.Name) || !regexp.MustCompile(`^(error|warning|note)$`).MatchString(r.DefaultConfiguration.Level) {
			t.Errorf("%s: name %q, level %q", r.ID, r.Name, r.DefaultConfiguration.Level)
		}
		for what, text := range map[string]string{"short": r.ShortDescription.Text, "full": r.FullDescription.Text, "help": r.Help.Text, "markdown": r.Help.Markdown} {
			if !regexp.MustCompile(`(?s)^[A-Z].*[.)]$`).MatchString(text) {
				t.Errorf("%s: %s description %q", r.ID, what, text)
			}
		}
		if !regexp.MustCompile(`^https://example\.com/fathom/blob/HEAD/docs/(gate\.md#rules|findings\.md#`+r.ID+")$").MatchString(r.HelpURI) || len(r.FullDescription.Text) <= len(r.ShortDescription.Text) {
			t.Errorf("%s: %q, %q", r.ID, r.HelpURI, r.FullDescription.Text)
		}
	}
	want := len(in.Verdict.Rules)
	for _, f := range in.Report.Findings {
		if slices.Contains(gate.FindingRules(), f.Rule) {
			want++
		}
	}
	if len(names) != want || len(driver.Rules) != want {
		t.Errorf("%d rules with %d names, want %d", len(driver.Rules), len(names), want)
	}
	var got []string
	for _, x := range run.Results {
		if x.RuleIndex != nil && driver.Rules[*x.RuleIndex].ID != x.RuleID || x.RuleIndex == nil && names[x.RuleID] {
			t.Errorf("%s has the index of another rule", x.RuleID)
		}
		if _, ok := gate.SpecOf(x.RuleID); ok {
			continue
		}
		line := fmt.Sprintf("%s %s %d", x.Level, x.RuleID, x.Properties.Bytes)
		for _, l := range x.Locations[0].LogicalLocations {
			line += " " + l.FullyQualifiedName
		}
		for _, s := range x.Suppressions {
			line += fmt.Sprintf(" (%s %s: %s)", s.Kind, s.Status, s.Justification)
		}
		got = append(got, line)
		for _, want := range []string{": what " + x.RuleID + " found\n", "\nlayer 2: RUN chown ", "\nto fix: change it"} {
			if !strings.Contains(x.Message.Text, want) {
				t.Errorf("no %q in %q", want, x.Message.Text)
			}
		}
	}
	wants := []string{
		"error secret 0 /srv/00.key", "error secret 0 /srv/test.key (external accepted: public)", "error secret 0",
		"warning removed-later 7000 /var/lib/apt/lists", "warning removed-later 3000 /opt (external accepted: of the test suite)", "warning removed-later 20000",
		"note docs 50 /usr/share/doc",
	}
	if !slices.Equal(got, wants) {
		t.Errorf("got %q, want %q", got, wants)
	}
	// Code quality has no suppressions: it leaves such problems out.
	var issues []issue
	if err := json.Unmarshal([]byte(written(t, "codequality", in)), &issues); err != nil {
		t.Fatal(err)
	}
	if len(issues) != len(run.Results)-2 {
		t.Errorf("%d issues, %d results", len(issues), len(run.Results))
	}
	for _, version := range []string{"", "1.2", "fathom (devel) go1.26.0 linux/amd64"} {
		in.Version = version
		if text := written(t, "sarif", in); strings.Contains(text, `"version": "0.0.0"`) != (version != "") || strings.Contains(text, "1.26.0\",") {
			t.Errorf("the version of %q is not 0.0.0", version)
		}
	}
}

// TestManyFindings checks that findings leave room for the problems of broken rules, and
// the other way round.
func TestManyFindings(t *testing.T) {
	in := denying(t, 13_000, "keys")
	f := &in.Report.Findings[0]
	for range facts.MaxPlaces - 1 {
		f.Places = append(f.Places, facts.Place{Path: "/p", Layer: 0, HiddenBy: -1})
	}
	for range 200 {
		in.Report.Findings = append(in.Report.Findings, *f)
	}
	total, ids := 0, map[string]int{}
	for x := range problems(in, maxResults) {
		total++
		ids[x.id]++
	}
	if total != maxResults || ids["removed-later"]+ids["secret"] != maxResults/2 || len(ids) != len(gate.Specs())+2 {
		t.Errorf("%d problems, %v", total, ids)
	}
	// 2 x 13,001 denied paths, 6 of waste, 10 layers, 8 packages, 2 rules about findings, 11 layers,
	// folders and packages that grew, 12 layers and settings that are not reproducible, and
	// places.
	if all := 26_002 + 6 + 10 + 8 + 2 + 11 + 12 + 201*101 + 3; !strings.HasPrefix(sarifOmits(in), fmt.Sprintf("%d of %d results", all-maxResults, all)) {
		t.Errorf("%d in all, want %d: %s", countProblems(in), all, sarifOmits(in))
	}
}

// TestSARIFSchema needs the file of the official schema in FATHOM_SARIF_SCHEMA.
func TestSARIFSchema(t *testing.T) {
	file := os.Getenv("FATHOM_SARIF_SCHEMA")
	if file == "" {
		t.Skip("FATHOM_SARIF_SCHEMA names no schema of SARIF 2.1.0")
	}
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]*Input{"hostile": hostile(t), "broken": broken(t), "empty": {Report: &facts.Report{}}, "too many": denying(t, 13_000, "keys")} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, "sarif", in)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		v.(map[string]any)["version"] = "2.0"
		if schema.Validate(v) == nil {
			t.Error("the schema takes another version")
		}
	}
}
