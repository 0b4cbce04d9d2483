package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// sample returns a report with odd characters in every text that an image controls.
func sample() *facts.Report {
	created := time.Date(2026, 10, 3, 8, 30, 0, 0, time.UTC)
	return &facts.Report{
		Schema: facts.Schema,
		Image: facts.Image{
			Reference: "app\x1b.tar", Source: "docker-archive", ID: "sha256:aa", Platform: "linux/amd64",
			Tags: []string{"shop/app:1.4"}, Created: &created,
			Config: facts.Config{Env: []string{"A=<b>&\u202e"}, Labels: map[string]string{"z": "1", "a": "\x7f\u009b"}},
		},
		Totals: facts.Totals{StoredBytes: 3_000_000, VisibleBytes: 2_000_000, WastedBytes: 1_000_000, Efficiency: 2.0 / 3, Files: 7, Layers: 2, FindingsBytes: 940_000},
		Layers: []facts.Layer{
			{
				Index: 0, DiffID: "sha256:d0", Command: "/bin/sh -c #(nop) ADD file:1 in / ", Created: &created,
				StoredBytes: 2_500_000, VisibleBytes: 1_500_000, WastedBytes: 1_000_000, Added: 9,
			},
			{
				Index: 1, DiffID: "sha256:d1", Command: "RUN /bin/sh -c rm \x1b[2J # buildkit",
				StoredBytes: 500_000, VisibleBytes: 500_000, HidesBytes: 1_000_000, Modified: 1, Removed: 2,
			},
		},
		History: []facts.Step{{Command: "ENV A=b", Layer: -1}},
		Waste: []facts.Waste{
			{Path: "/var/lib/\xff\n", PathBytes: []byte("/var/lib/\xff\n"), Bytes: 900_000, Cause: "removed", StoredIn: 0, HiddenBy: 1},
			{Path: "/etc/\U000e0041", Bytes: 100_000, Cause: "overwritten", StoredIn: 0, HiddenBy: 1},
		},
		Folders: []facts.Folder{
			{Path: "/", VisibleBytes: 2_000_000, WastedBytes: 1_000_000, Pieces: 9, Layers: []facts.FolderLayer{
				{Layer: 0, VisibleBytes: 1_500_000, WastedBytes: 1_000_000}, {Layer: 1, VisibleBytes: 500_000},
			}},
			{Path: "/var/\xff", PathBytes: []byte("/var/\xff"), WastedBytes: 900_000, Pieces: 1, Layers: []facts.FolderLayer{{Layer: 0, WastedBytes: 900_000}}},
		},
		Warnings: []facts.Warning{{Layer: 1, Path: "/a\tb", Text: "odd"}, {Layer: -1, Text: "old\r"}},
		Secrets:  facts.SecretsAll,
		Packages: []facts.Package{
			{
				Type: "deb", Name: "libc6", Version: "2.36-9", Arch: "amd64", Database: "/var/lib/dpkg/status", VisibleBytes: 1_200_000, Files: 3, RemovedBy: -1,
				Layers: []facts.PackageLayer{{Layer: 0, VisibleBytes: 1_200_000}},
			},
			{
				Type: "npm", Name: "left|pad", Version: "1.0.0", Database: "/srv/node_modules/left|pad/package.json", WastedBytes: 900_000, RemovedBy: 1,
				Layers: []facts.PackageLayer{{Layer: 0, WastedBytes: 900_000}},
			},
			{
				Type: "npm", Name: "left|pad", Version: "1.0.0", Database: "/app/\x1b/package.json", VisibleBytes: 500_000, Files: 2, RemovedBy: -1,
				Layers: []facts.PackageLayer{{Layer: 0, VisibleBytes: 50_000}, {Layer: 1, VisibleBytes: 450_000}},
			},
		},
		Unowned: &facts.Unowned{VisibleBytes: 300_000, WastedBytes: 100_000, Files: 2, MoreFolders: 3, Folders: []facts.UnownedFolder{
			{Path: "/var/\xff", PathBytes: []byte("/var/\xff"), VisibleBytes: 250_000, Files: 1}, {Path: "/etc", WastedBytes: 90_000},
		}},
		Findings: []facts.Finding{
			{
				Rule: "removed-later", Severity: "warn", Certainty: "proven", Title: "layer 1 removes what layer 0 stores", Bytes: 900_000, Owner: "unknown", Layers: []int{0, 1},
				Fix:    facts.Fix{Text: "join the two steps", Lines: []string{"RUN fetch && \\", "    rm -rf `pwd`/*"}},
				Places: []facts.Place{{Path: "/var/lib/\xff\n", PathBytes: []byte("/var/lib/\xff\n"), Bytes: 800_000, Files: 3, HiddenBy: 1}}, MorePlaces: 120,
			},
			{
				Rule: "docs", Severity: "info", Certainty: "proven", Title: "documentation", Bytes: 40_000, Owner: "unknown", Layers: []int{0},
				Fix: facts.Fix{Text: "leave it out", Lines: []string{}}, Places: []facts.Place{{Path: "/usr/share/doc", Bytes: 40_000, Files: 9, HiddenBy: -1}},
			},
			{
				Rule: "secret", Severity: "error", Certainty: "likely", Title: "2 secrets", Owner: "unknown", Layers: []int{1},
				Fix: facts.Fix{Text: "mount it", Lines: []string{"RUN --mount=type=secret,id=key ..."}},
				Places: []facts.Place{
					{Path: "/srv/key", Layer: 1, Files: 1, HiddenBy: -1, Redacted: "AKIA\x1b (20 characters)"}, {Layer: -1, HiddenBy: -1, Redacted: "ghp_ (40 characters)"},
				},
			},
		},
	}
}

func TestTextVerdict(t *testing.T) {
	v, err := gate.Check(sample(), gate.Limits{
		{Rule: gate.MinEfficiency, Unit: gate.Ratio, Ratio: 0.6667}, {Rule: gate.MaxWastedBytes, Unit: gate.Bytes, Number: 999_999},
	}, gate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Text(&b, sample(), &v); err != nil {
		t.Fatal(err)
	}
	want := `FAIL  min-efficiency      0.66667 (at least 0.6667)
       900 kB  /var/lib/\xff\n, removed: layer 0 -> 1
               stored by  ADD file:1 in /
               hidden by  RUN rm \x1b[2J
               to fix     join the two steps
       100 kB  /etc/\U000e0041, overwritten: layer 0 -> 1
               stored by  ADD file:1 in /
               hidden by  RUN rm \x1b[2J
               to fix     store it once: join the two steps, or leave it out of the first
FAIL  max-wasted-bytes    1,000,000 bytes (at most 999,999 bytes)
      for the same reasons as min-efficiency
verdict: fail rules=2 failed=2
`
	if !strings.HasSuffix(b.String(), "\nwarning: old\\r\n\n"+want) {
		t.Errorf("got %s, want at its end %s", &b, want)
	}

	ok, err := gate.Check(&facts.Report{Totals: facts.Totals{Efficiency: 1}, Findings: []facts.Finding{}}, nil, gate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := Verdict(&b, &Input{Report: sample(), Verdict: &ok}); err != nil {
		t.Fatal(err)
	}
	want = `image       app\x1b.tar (shop/app:1.4)
no rule given: the default rules apply
ok    min-efficiency      1 (at least 0.9)
ok    max-wasted-percent  0% (at most 10%)
ok    max-findings-bytes  0 bytes (at most 100,000,000 bytes)
ok    fail-on-finding     0 (at most 0 of error)
verdict: pass rules=4 failed=0
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	if got, want := VerdictLine(nil), "verdict: error rules=0 failed=0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextIsShort(t *testing.T) {
	r := &facts.Report{Image: facts.Image{Reference: "x"}, Totals: facts.Totals{Efficiency: 1}}
	for i := range 1000 {
		r.Waste = append(r.Waste, facts.Waste{Path: fmt.Sprintf("/f%d", i), Bytes: 10, Cause: "removed"})
		r.Warnings = append(r.Warnings, facts.Warning{Layer: i, Text: "odd"})
	}
	r.Layers = []facts.Layer{{Command: "RUN " + strings.Repeat("世", 500), VisibleBytes: 1}}
	var b strings.Builder
	if err := Text(&b, r, nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n > 65 {
		t.Errorf("%d lines", n)
	}
	for _, want := range []string{" 9.8 kB  in 980 more: --json lists all\n", "warning: and 980 more: --json lists all\n", "世…\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
}

func TestWriteErrorsAreKept(t *testing.T) {
	full := errors.New("disk full")
	v := gate.Verdict{}
	for i, err := range []error{
		Text(failing{full}, sample(), nil), JSON(failing{full}, sample()), Verdict(failing{full}, &Input{Report: sample(), Verdict: &v}),
	} {
		if !errors.Is(err, full) {
			t.Errorf("%d: got %v", i, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func ExampleWarning() {
	fmt.Println(Warning(facts.Warning{Layer: 3, Path: "/lib/x", Text: "goes through a symlink of a lower layer"}))
	// Output: layer 3: /lib/x: goes through a symlink of a lower layer
}
