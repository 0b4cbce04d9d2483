package report

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

var update = flag.Bool("update", false, "write what the formats print to testdata/formats")

// pageParts matches the page's own style and script, and their hashes.
var pageParts = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|content="default-src[^"]*"`)

// ruleTexts matches the descriptions of rules in SARIF, which come from the tables.
var ruleTexts = regexp.MustCompile(`"(text|markdown)": "(?:[^"\\]|\\.)*"`)

// TestGoldens compares the output of every format with testdata/formats, which has an
// archive for each input, with a file for each format. To write them:
// go test ./ui/report -run TestGoldens -update
func TestGoldens(t *testing.T) {
	pass := &facts.Report{
		Image:  facts.Image{Reference: "podman:localhost/app:2", Source: "podman", Tags: []string{"localhost/app:2"}},
		Totals: facts.Totals{StoredBytes: 1, VisibleBytes: 1, Efficiency: 1, CompressedBytes: 33, Files: 1, Layers: 1},
		Layers: []facts.Layer{{StoredBytes: 1, VisibleBytes: 1, CompressedBytes: 33, Added: 1, Unverified: true}},
	}
	v, err := gate.Check(pass, nil, gate.Options{AllowUnverified: true})
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]*Input{
		"unjudged": {Report: sample()}, "pass": {Report: pass, Verdict: &v}, "hostile": hostile(t), "fail": broken(t),
	}
	for name, in := range inputs {
		file := filepath.Join("testdata", "formats", name+".txtar")
		a := &txtar.Archive{}
		for _, f := range Formats() {
			text := pageParts.ReplaceAllString(written(t, f.Name, in), "")
			if f.Name == "sarif" {
				text = ruleTexts.ReplaceAllString(text, `"$1": "..."`)
			}
			a.Files = append(a.Files, txtar.File{Name: f.Name, Data: []byte(text)})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range a.Files {
			i := slices.IndexFunc(want.Files, func(f txtar.File) bool { return f.Name == got.Name })
			if i < 0 {
				t.Errorf("%s has no %s", file, got.Name)
			} else if diff := cmp.Diff(string(want.Files[i].Data), string(got.Data)); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", got.Name, name, diff)
			}
		}
	}
}

// broken returns an image that breaks every kind of rule, and a verdict with all its
// optional parts.
func broken(t *testing.T) *Input {
	t.Helper()
	day := func(s string) time.Time {
		d, err := gate.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	r := &facts.Report{
		Image: facts.Image{
			Reference: "registry:ghcr.io/shop/app@sha256:00", Source: "registry", ID: "sha256:aa", Platform: "linux/arm64",
			Tags: []string{"shop/app:1", "shop/app:2", "shop/app:3", "shop/app:4"},
		},
		Layers: []facts.Layer{
			{DiffID: "sha256:d0", Command: "/bin/sh -c #(nop) ADD file:" + fmt.Sprintf("%064d", 7) + " in / ", Added: 3},
			{Index: 1, DiffID: "sha256:d1", Command: "RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit", Added: 12},
			{Index: 2, DiffID: "sha256:d2", Command: "RUN /bin/sh -c chown -R app /srv && rm -rf /var/lib/apt/lists # buildkit", Modified: 2, Removed: 9},
		},
	}
	waste := func(path string, bytes int64, cause string, stored, hidden int) {
		r.Waste = append(r.Waste, facts.Waste{Path: path, Bytes: bytes, Cause: cause, StoredIn: stored, HiddenBy: hidden})
		r.Layers[stored].WastedBytes += bytes
		if stored != hidden {
			r.Layers[hidden].HidesBytes += bytes
		}
	}
	waste("/srv/data", 5000, "metadata", 0, 2)
	waste("/var/lib/apt/lists/a", 4000, "removed", 1, 2)
	waste("/var/lib/apt/lists/b", 3000, "removed", 1, 2)
	waste("/etc/conf", 2000, "overwritten", 0, 1)
	waste("/bin/twice", 1500, "repeated", 1, 1)
	for i := range 17 {
		waste(fmt.Sprintf("/opt/%02d.map", i), int64(1000-i), "removed", i%2, 2)
	}
	for i := range r.Layers {
		l := &r.Layers[i]
		l.VisibleBytes = int64(10_000 * (3 - i))
		l.StoredBytes = l.VisibleBytes + l.WastedBytes
		r.Totals.StoredBytes += l.StoredBytes
		r.Totals.VisibleBytes += l.VisibleBytes
		r.Totals.WastedBytes += l.WastedBytes
	}
	r.Totals.Efficiency = float64(r.Totals.VisibleBytes) / float64(r.Totals.StoredBytes)
	r.Totals.Files, r.Totals.Layers = 12, len(r.Layers)
	for i := range 22 {
		r.Warnings = append(r.Warnings, facts.Warning{Layer: i % 3, Path: fmt.Sprintf("/odd/%d", i), Text: "odd"})
	}
	r.Secrets = facts.SecretsAll
	find := func(rule, severity string, bytes int64, lines []string, places ...facts.Place) *facts.Finding {
		f := facts.Finding{
			Rule: rule, Severity: severity, Certainty: facts.CertainProven, Title: "what " + rule + " found", Bytes: bytes,
			Fix: facts.Fix{Text: "change it", Lines: lines}, Places: places, Layers: []int{1, 2}, Owner: facts.OwnerUnknown,
		}
		r.Findings = append(r.Findings, f)
		r.Totals.FindingsBytes += bytes
		return &r.Findings[len(r.Findings)-1]
	}
	find("removed-later", "warn", 30_000, []string{"RUN apt-get update && \\", "    rm -rf /var/lib/apt/lists/*"},
		facts.Place{Path: "/var/lib/apt/lists", Layer: 1, Bytes: 7000, Files: 2, HiddenBy: 2}, facts.Place{Path: "/opt", Layer: 1, Bytes: 3000, Files: 8, HiddenBy: 2},
	).MorePlaces = 9
	find("docs", "info", 50, []string{}, facts.Place{Path: "/usr/share/doc", Layer: 1, Bytes: 50, Files: 3, HiddenBy: -1})
	find("secret", "error", 0, []string{"RUN --mount=type=secret,id=key make"},
		facts.Place{Path: "/srv/00.key", Layer: 1, Files: 1, HiddenBy: 2, Redacted: "-----B (1675 characters)"},
		facts.Place{Path: "/srv/test.key", Layer: 1, Files: 1, HiddenBy: -1, Redacted: "-----B (900 characters)"},
		facts.Place{Layer: -1, HiddenBy: -1, Redacted: "AKIA (20 characters)"})
	files := iter.Seq[gate.File](func(yield func(gate.File) bool) {
		for i := range 25 {
			f := gate.File{Path: fmt.Sprintf("/srv/%02d.key", i), Bytes: int64(i), Layer: i % 3, HiddenBy: -1}
			if i%3 < 2 && i%2 == 0 {
				f.HiddenBy = 2
			}
			if !yield(f) {
				return
			}
		}
	})
	v, err := gate.Check(r, gate.Limits{
		{Rule: gate.MinEfficiency, Unit: gate.Ratio, Ratio: 0.9, Source: ".fathom.yaml:3:3"},
		{Rule: gate.MaxWastedBytes, Unit: gate.Bytes, Number: 10, Severity: gate.Warn, Source: "--max-wasted-bytes"},
		{Rule: gate.MaxSize, Unit: gate.Bytes, Number: 1 << 40},
		{Rule: gate.MaxCompressedSize, Unit: gate.Bytes, Number: 10, Source: "FATHOM_MAX_COMPRESSED_SIZE"},
		{Rule: gate.MaxLayers, Unit: gate.Count, Number: 2, Severity: gate.Warn},
		{Rule: gate.MaxGrowth, Unit: gate.Percent, Ratio: 0.5},
		{Rule: gate.DenyPath, Unit: gate.Count, Globs: []string{"*.key", "!/srv/00.key"}},
		{Rule: gate.DenyLayerPath, Unit: gate.Count, Globs: []string{"/srv/2*", "/srv/11.*"}, Severity: gate.Warn},
		{Rule: gate.MaxFindingsBytes, Unit: gate.Bytes, Number: 100, Severity: gate.Warn, Source: "default"},
		{Rule: gate.FailOnFinding, Unit: gate.Count, Names: []string{"error", "removed-later"}, Source: ".fathom.yaml:5:3"},
	}, gate.Options{
		Files: files, Today: day("2026-11-21"),
		Baseline: since(t, "fathom-baseline.json", r, &facts.Report{
			Image: facts.Image{ID: "sha256:00"}, Layers: r.Layers[:1],
			Totals: facts.Totals{StoredBytes: 20_000, VisibleBytes: 20_000, Efficiency: 1},
		}),
		Suppress: []gate.Suppression{
			{Path: "/etc/**", Reason: "known", Until: day("2027-01-01"), Source: ".fathom.yaml:9:5"},
			{Path: "/opt/00.map", Reason: "was known", Until: day("2026-01-01")},
			{Path: "/none", Reason: "nothing is there"},
			{Path: "/srv/03.key", Rules: []string{gate.DenyPath}, Reason: "public"},
			{Path: "/opt", Rules: []string{"removed-later"}, Reason: "of the test suite"},
			{Path: "/srv/test.key", Rules: []string{"secret"}, Reason: "public"},
			{Rules: []string{"removed-later"}, Reason: "was known everywhere", Until: day("2026-01-01")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	v.Config, v.Notes = ".fathom.yaml", append(v.Notes, "a note")
	return &Input{Report: r, Verdict: &v, Version: "1.2"}
}
