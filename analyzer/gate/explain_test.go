package gate

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// wasting returns a report of three layers with 1000 visible bytes and the waste in
// pieces, each "PATH BYTES CAUSE STORED HIDDEN".
func wasting(t *testing.T, pieces ...string) *facts.Report {
	t.Helper()
	r := &facts.Report{Layers: []facts.Layer{
		{Index: 0, DiffID: "sha256:a", Command: "ADD base /", StoredBytes: 500, VisibleBytes: 500, CompressedBytes: 200, Added: 3},
		{Index: 1, DiffID: "sha256:b", Command: "RUN apt-get update && apt-get install -y curl", StoredBytes: 400, VisibleBytes: 400, CompressedBytes: 300, Added: 9},
		{Index: 2, DiffID: "sha256:c", Command: "RUN chown -R app /app", StoredBytes: 100, VisibleBytes: 100, CompressedBytes: 100},
	}}
	r.Totals = facts.Totals{StoredBytes: 1000, VisibleBytes: 1000, Files: 7, Layers: 3, CompressedBytes: 600}
	for _, p := range pieces {
		var w facts.Waste
		if _, err := fmt.Sscan(p, &w.Path, &w.Bytes, &w.Cause, &w.StoredIn, &w.HiddenBy); err != nil {
			t.Fatal(err)
		}
		r.Waste = append(r.Waste, w)
		r.Totals.StoredBytes += w.Bytes
		r.Totals.WastedBytes += w.Bytes
	}
	r.Totals.Efficiency = 1000 / float64(r.Totals.StoredBytes)
	return r
}

func check1(t *testing.T, r *facts.Report, rules string, opt Options) Verdict {
	t.Helper()
	v, err := Check(r, limits(t, rules), opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWasteOffenders checks that the waste of a folder is one offender if its layers
// and cause are the same, and otherwise several.
func TestWasteOffenders(t *testing.T) {
	r := wasting(t, "/var/lib/apt/lists/x 60 removed 1 2", "/var/lib/apt/lists/partial/y 50 removed 1 2", "/var/lib/apt/lists/x 20 overwritten 0 1",
		"/app/big 90 metadata 1 2", "/a 5 repeated 1 1", "/b 4 removed 0 2", "/c 3 removed 0 2")
	v := check1(t, r, "max-wasted-bytes=0", Options{})
	got := v.Rules[0]
	apt := "remove apt's lists in the step that fetches them: apt-get update && apt-get install ... && rm -rf /var/lib/apt/lists/*"
	install, chown := r.Layers[1].Command, r.Layers[2].Command
	want := []Offender{
		{Path: "/var/lib/apt/lists/", Files: 2, Bytes: 110, Cause: "removed", StoredIn: 1, StoredBy: install, HiddenBy: 2, HiddenAs: chown, Advice: apt},
		{Path: "/app/big", Files: 1, Bytes: 90, Cause: "metadata", StoredIn: 1, StoredBy: install, HiddenBy: 2, HiddenAs: chown, Advice: "give it its owner where it is stored: COPY --chown, or chown in the same RUN"},
		{Path: "/var/lib/apt/lists/x", Files: 1, Bytes: 20, Cause: "overwritten", StoredBy: "ADD base /", HiddenBy: 1, HiddenAs: install, Advice: apt},
		{Path: "/a", Files: 1, Bytes: 5, Cause: "repeated", StoredIn: 1, StoredBy: install, HiddenBy: 1, HiddenAs: install, Advice: "the layer's archive holds it more than once: the tool that wrote the layer adds it twice"},
		{Path: "/b", Files: 1, Bytes: 4, Cause: "removed", StoredBy: "ADD base /", HiddenBy: 2, HiddenAs: chown, Advice: "remove it in the step that stores it, or make it in an earlier stage and copy only what is needed"},
	}
	if diff := cmp.Diff(want, got.Offenders); diff != "" {
		t.Error(diff)
	}
	if got.More != 1 || got.MoreBytes != 3 {
		t.Errorf("%d more of %d bytes, want 1 of 3", got.More, got.MoreBytes)
	}
	if v := check1(t, r, "max-wasted-bytes=232", Options{}); len(v.Rules[0].Offenders) != 0 || !v.Pass() {
		t.Errorf("a rule that is kept has offenders: %+v", v.Rules[0])
	}
}

// TestSuppressedOffenders checks that suppressed files don't count in the offender
// of their folder.
func TestSuppressedOffenders(t *testing.T) {
	r := wasting(t, "/app/a.txt 60 removed 0 1", "/app/b.txt 30 removed 0 1", "/app/b.log 7 removed 0 1")
	v := check1(t, r, "max-wasted-bytes=0", Options{Suppress: []Suppression{{Path: "/app/a.txt", Reason: "r"}}})
	if o := v.Rules[0].Offenders; len(o) != 1 || o[0].Path != "/app/" || o[0].Bytes != 37 || o[0].Files != 2 {
		t.Errorf("got %+v, want 37 bytes of 2 files in /app/", o)
	}
}

func TestLayerOffenders(t *testing.T) {
	r := wasting(t)
	base := baselineOf(t, r, &facts.Report{Totals: facts.Totals{StoredBytes: 500, VisibleBytes: 500, Efficiency: 1}, Layers: r.Layers[:1]})
	for rules, want := range map[string][]int{
		"max-size=999":            {0, 1, 2},
		"max-layer-size=399":      {0, 1},
		"max-compressed-size=599": {1, 0, 2},
		"max-layers=2":            {2, 1, 0},
		"max-files=6":             {1, 0},
		"max-growth=499":          {1, 2},
		"max-growth=99.9%":        {1, 2},
	} {
		var got []int
		for _, o := range check1(t, r, rules, Options{Baseline: base}).Rules[0].Offenders {
			got = append(got, o.StoredIn)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the offenders are layers %v, want %v", rules, got, want)
		}
	}
	// A limit that is met exactly passes.
	v := check1(t, r, "max-size=1000 max-layer-size=500 max-compressed-size=600 max-layers=3 max-files=7 max-growth=500", Options{Baseline: base})
	if !v.Pass() {
		t.Errorf("limits that are met exactly aren't kept: %v", brief(v))
	}
	if v := check1(t, r, "max-growth=100%", Options{Baseline: base}); !v.Pass() {
		t.Errorf("growth that is met exactly isn't kept: %v", brief(v))
	}
}

func TestGrowth(t *testing.T) {
	of := func(stored int64) *Baseline {
		return baselineOf(t, &facts.Report{}, &facts.Report{Totals: facts.Totals{StoredBytes: stored, VisibleBytes: stored, Efficiency: 1}})
	}
	for _, tt := range []struct {
		base, stored int64
		limit        string
		want         string
	}{
		{1000, 1100, "10%", "ok max-growth 0.1 0.1"},
		{1000, 1101, "10%", "FAIL max-growth 0.1 0.101"},
		{1000, 900, "0%", "ok max-growth 0 -0.1"},
		{1000, 900, "0", "ok max-growth 0 -100"},
		{1000, 1001, "0", "FAIL max-growth 0 1"},
		{1000, 3500, "250%", "ok max-growth 2.5 2.5"},
		{0, 0, "0%", "ok max-growth 0 0"},
		{0, 5, "5", "ok max-growth 5 5"},
	} {
		v := check1(t, totals(tt.stored, 0), "max-growth="+tt.limit, Options{Baseline: of(tt.base)})
		if got := brief(v)[0]; got != tt.want {
			t.Errorf("%d after %d, at most %s: got %s, want %s", tt.stored, tt.base, tt.limit, got, tt.want)
		}
	}
	lie := of(10)
	lie.Old.Report.Totals.WastedBytes = 1
	for name, tt := range map[string]struct {
		baseline *Baseline
		limit    string
	}{"none": {nil, "1"}, "a lie": {lie, "1"}, "a percentage of nothing": {of(0), "1%"}} {
		if err := ruleErr(t, totals(1000, 0), "max-growth="+tt.limit, Options{Baseline: tt.baseline}); err == nil {
			t.Errorf("%s: growth is evaluated", name)
		}
	}
	// A requested baseline that can't be read is an error even if no rule needs it.
	gone := errors.New("gone")
	for _, l := range []string{"max-growth=1", "max-growth=1%", "max-size=1MB"} {
		v := check1(t, totals(1000, 0), l, Options{BaselineErr: gone})
		if last := v.Rules[len(v.Rules)-1]; v.Pass() || last.Name != MaxGrowth || last.Err != gone {
			t.Errorf("%s without its baseline: got %v", l, brief(v))
		}
	}
}

// ruleErr returns the reason why the last rule can't be evaluated.
func ruleErr(t *testing.T, r *facts.Report, l string, opt Options) error {
	t.Helper()
	v := check1(t, r, l, opt)
	last := v.Rules[len(v.Rules)-1]
	if (last.Err != nil) == v.Pass() || last.Err != nil && (last.OK || !v.Fails(last) || v.Errors() == 0) {
		t.Errorf("%s: error %v, ok %v, pass %v, errors %d", l, last.Err, last.OK, v.Pass(), v.Errors())
	}
	return last.Err
}

// TestRuleError checks that a rule that can't be evaluated does not affect the other
// rules, and that its severity makes no difference.
func TestRuleError(t *testing.T) {
	l := limits(t, "max-size=1 max-files=0 max-growth=1 max-layers=9")
	l[1].Severity, l[2].Severity = Warn, Warn
	v, err := Check(wasting(t), l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"FAIL max-size 1 1000", "ok max-layers 9 3", "FAIL max-files 0 7", "ERR max-growth 0 0"}
	if diff := cmp.Diff(want, brief(v)); diff != "" {
		t.Error(diff)
	}
	if v.Pass() || v.Failed() != 1 || v.Warned() != 1 || v.Errors() != 1 || !errors.Is(v.Rules[3].Err, ErrNoBaseline) {
		t.Errorf("pass %v, failed %d, warned %d, errors %d: %v", v.Pass(), v.Failed(), v.Warned(), v.Errors(), v.Rules[3].Err)
	}
}

func TestCompressedUnknown(t *testing.T) {
	r := wasting(t)
	r.Totals.CompressedBytes = 0
	if err := ruleErr(t, r, "max-compressed-size=1GB", Options{}); !errors.Is(err, ErrNoCompressedSize) {
		t.Errorf("got %v", err)
	}
	if v := check1(t, totals(0, 0), "max-compressed-size=0", Options{}); !v.Pass() {
		t.Error("an image without layers has a compressed size: 0")
	}
	r.Layers = r.Layers[:2]
	if err := ruleErr(t, r, "max-layer-size=1GB", Options{}); err == nil {
		t.Error("a layer is missing, and the largest is known")
	}
}

func files(all ...File) iter.Seq[File] { return slices.Values(all) }

func TestDeny(t *testing.T) {
	all := files(
		File{Path: "/etc/key.pem", Bytes: 5, Layer: 0, HiddenBy: 1}, File{Path: "/etc/key.pem", Bytes: 7, Layer: 1, HiddenBy: 2},
		File{Path: "/srv/a.pem", Bytes: 6, Layer: 2, HiddenBy: -1}, File{Path: "/srv/.git", Layer: 0, HiddenBy: -1},
	)
	r := wasting(t)
	for globs, want := range map[string][2]int64{ // denied paths in the final image, in any layer
		"*.pem": {1, 2}, "/etc/*.pem": {0, 1}, "/*.pem": {0, 0}, "**/.git": {1, 1}, ".git/": {1, 1}, ".git/**": {1, 1}, "/srv/**": {2, 2},
		"{a,b}.pem": {1, 1}, "[!a].pem": {0, 0}, "KEY.pem": {0, 0}, "srv/*": {2, 2}, "*": {2, 3},
	} {
		v := check1(t, r, "deny-path="+globs+" deny-layer-path="+globs, Options{Files: all})
		if got := [2]int64{int64(v.Rules[0].Observed), int64(v.Rules[1].Observed)}; got != want {
			t.Errorf("%s: %v paths, want %v", globs, got, want)
		}
		if v.Rules[0].OK != (want[0] == 0) || v.Rules[1].OK != (want[1] == 0) {
			t.Errorf("%s: %v", globs, brief(v))
		}
	}
	v := check1(t, r, "deny-layer-path=*.pem", Options{Files: all})
	var got []string
	for _, o := range v.Rules[0].Offenders {
		got = append(got, fmt.Sprint(o.Path, o.Bytes, o.StoredIn, o.HiddenBy))
	}
	if diff := cmp.Diff([]string{"/etc/key.pem5 0 1", "/etc/key.pem7 1 2", "/srv/a.pem6 2 -1"}, got); diff != "" {
		t.Error(diff)
	}
	if err := ruleErr(t, r, "deny-path=/x", Options{}); !errors.Is(err, ErrNoPaths) {
		t.Errorf("without paths: got %v", err)
	}
}

// TestManyDenied checks that all denied paths are offenders, however many there are,
// and that the few shown to people include some of every glob.
func TestManyDenied(t *testing.T) {
	var many []File
	var sum int64
	for i := range 3000 {
		many = append(many, File{Path: fmt.Sprintf("/certs/%04d.pem", i*7%3000), Bytes: 1000, HiddenBy: -1})
		sum += 1000
	}
	many = append(many, File{Path: "/root/id_rsa", Bytes: 1, HiddenBy: -1}, File{Path: "/zz.key", Bytes: 2, Layer: 1, HiddenBy: -1}, File{Path: "/zz.txt", HiddenBy: -1})
	l := Limits{{Rule: DenyPath, Unit: Count, Globs: []string{"*.pem", "id_*", "*.key", "/none"}}}
	v, err := Check(wasting(t), l, Options{Files: files(many...)})
	if err != nil {
		t.Fatal(err)
	}
	rule := v.Rules[0]
	if rule.Observed != 3002 || rule.Count() != 3002 || len(rule.Offenders) != MaxDenied+2 {
		t.Fatalf("observed %v, counts %d, keeps %d", rule.Observed, rule.Count(), len(rule.Offenders))
	}
	for range 2 { // the result is the same each time
		var got []string
		for o := range rule.All() {
			got = append(got, o.Path)
		}
		var want []string
		for _, f := range many[:3002] {
			want = append(want, f.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	first, more, moreBytes := rule.First(5)
	var got []string
	bytes := moreBytes
	for _, o := range first {
		got = append(got, o.Path+" "+o.Glob)
		bytes += o.Bytes
	}
	want := []string{"/certs/0000.pem *.pem", "/certs/0001.pem *.pem", "/certs/0002.pem *.pem", "/root/id_rsa id_*", "/zz.key *.key"}
	if diff := cmp.Diff(want, got); diff != "" || more != 2997 || bytes != sum+3 {
		t.Errorf("%d more, %d bytes in all\n%s", more, bytes, diff)
	}
	for _, n := range []int{0, 1, MaxDenied + 2, 1000, 5000} {
		first, more, moreBytes := rule.First(n)
		seen := map[string]bool{}
		for _, o := range first {
			seen[o.Path] = true
			moreBytes += o.Bytes
		}
		if len(seen) != min(n, 3002) || len(first) != len(seen) || more != 3002-len(seen) || moreBytes != sum+3 {
			t.Errorf("of %d, %d different ones of %d, %d more, %d bytes", n, len(seen), len(first), more, moreBytes)
		}
	}
	for o := range rule.All() { // All stops when the loop ends
		if o.Path != "/certs/0000.pem" {
			t.Errorf("begins with %s", o.Path)
		}
		break
	}
}

// TestAllWaste checks that all groups of waste are offenders, the largest first.
func TestAllWaste(t *testing.T) {
	var pieces []string
	for i := range 100 {
		pieces = append(pieces, fmt.Sprintf("/%02d %d removed 0 1", i, i*37%100+1))
	}
	v := check1(t, wasting(t, pieces...), "max-wasted-bytes=0 max-wasted-percent=0%", Options{})
	for _, rule := range v.Rules {
		n, last := 0, int64(101)
		for o := range rule.All() {
			if o.Bytes != last-1 || o.Advice == "" || n < MaxOffenders && !cmp.Equal(o, rule.Offenders[n]) {
				t.Errorf("%s: offender %d is %+v", rule.Name, n, o)
			}
			n, last = n+1, o.Bytes
		}
		if n != 100 || rule.Count() != 100 || rule.MoreBytes != 95*96/2 {
			t.Errorf("%s: %d offenders, counts %d, %d more bytes", rule.Name, n, rule.Count(), rule.MoreBytes)
		}
	}
	rule := check1(t, wasting(t), "max-layers=0", Options{}).Rules[0]
	if n := len(slices.Collect(rule.All())); n != 3 || rule.Count() != 3 {
		t.Errorf("%d layers", n)
	}
}

func TestUnverified(t *testing.T) {
	r := wasting(t)
	r.Layers[1].Unverified = true
	err := ruleErr(t, r, "max-size=1kB max-layers=1", Options{})
	var unverified *UnverifiedError
	if !errors.As(err, &unverified) || unverified.Layer != 1 || !strings.HasPrefix(err.Error(), "layer 1 is listed from its table of contents") {
		t.Errorf("got %v", err)
	}
	if v := check1(t, r, "max-size=1kB", Options{AllowUnverified: true}); !v.Pass() {
		t.Errorf("allowed, got %v", brief(v))
	}
}

func TestSeverity(t *testing.T) {
	l := limits(t, "max-size=1 max-layers=1 max-files=99")
	l[0].Severity, l[2].Severity = Warn, Warn
	v, err := Check(wasting(t), l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Failed() != 1 || v.Warned() != 1 || v.Pass() {
		t.Errorf("failed %d, warned %d, pass %v", v.Failed(), v.Warned(), v.Pass())
	}
	v.FailOn = Warn
	if v.Failed() != 2 || v.Warned() != 0 {
		t.Errorf("failing on warn: failed %d, warned %d", v.Failed(), v.Warned())
	}
}

func TestSuppress(t *testing.T) {
	r := wasting(t, "/var/lib/dpkg/status 60 overwritten 0 1", "/var/lib/dpkg/old 30 removed 0 1", "/a 10 removed 0 1")
	r.Waste[2].PathBytes = []byte("/\xff")
	day := func(s string) time.Time {
		d, err := ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	today := day("2026-11-21").Add(23 * time.Hour)
	for _, tt := range []struct {
		name     string
		list     []Suppression
		wasted   int64
		covered  []int64
		warnings int
	}{
		{"none", nil, 100, nil, 0},
		{"a folder", []Suppression{{Path: "/var/lib/dpkg/**", Reason: "r"}}, 10, []int64{90}, 0},
		{"a name", []Suppression{{Path: "status", Reason: "r"}}, 40, []int64{60}, 0},
		{"bytes that are no UTF-8", []Suppression{{Path: "/?", Reason: "r"}}, 90, []int64{10}, 0},
		{"its last day", []Suppression{{Path: "/**", Reason: "r", Until: day("2026-11-21")}}, 0, []int64{100}, 0},
		{"a day later", []Suppression{{Path: "/**", Reason: "r", Until: day("2026-11-20")}}, 100, []int64{100}, 1},
		{"the first that covers", []Suppression{{Path: "/var/**", Reason: "r"}, {Path: "/**", Reason: "s"}}, 0, []int64{90, 10}, 0},
		{"the first that holds", []Suppression{{Path: "/var/**", Reason: "r", Until: day("2026-01-01")}, {Path: "status", Reason: "s"}}, 40, []int64{30, 60}, 1},
		{"nothing", []Suppression{{Path: "/nope", Reason: "r"}}, 100, []int64{0}, 1},
		{"everything below a folder", []Suppression{{Path: "/var/lib/dpkg/", Reason: "r"}}, 10, []int64{90}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := check1(t, r, "max-wasted-bytes=0 min-efficiency=0 max-size=1100", Options{Suppress: tt.list, Today: today})
			var covered []int64
			for _, s := range v.Suppressed {
				covered = append(covered, s.Bytes)
			}
			if v.Totals.WastedBytes != tt.wasted || !slices.Equal(covered, tt.covered) || len(v.Warnings) != tt.warnings {
				t.Errorf("wasted %d, covered %v, warnings %q", v.Totals.WastedBytes, covered, v.Warnings)
			}
			if got, want := v.Totals.SuppressedBytes, 100-tt.wasted; got != want {
				t.Errorf("suppressed %d, want %d", got, want)
			}
			efficiency := float64(1100-tt.wasted) / 1100
			if diff := cmp.Diff([]string{fmt.Sprint(efficiency), fmt.Sprint(tt.wasted), "1100"}, observed(v)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, s := range map[string]Suppression{"a blank reason": {Path: "/a", Reason: " \t"}, "another rule": {Path: "/a", Reason: "r", Rules: []string{MaxSize}}, "an exception": {Path: "!/a", Reason: "r"}, "no reason": {Path: "/a"}, "no path": {Reason: "r"}, "bad glob": {Path: "/[", Reason: "r"}} {
		if _, err := Check(r, nil, Options{Suppress: []Suppression{s}}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func observed(v Verdict) []string {
	var out []string
	for _, r := range v.Rules {
		out = append(out, fmt.Sprint(r.Observed))
	}
	return out
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Limit{
		"max-size=1.5 GB":           {Rule: MaxSize, Unit: Bytes, Number: 1_500_000_000},
		"max-layers=30":             {Rule: MaxLayers, Unit: Count, Number: 30},
		"max-growth=10%":            {Rule: MaxGrowth, Unit: Percent, Ratio: 0.1},
		"max-growth= 250 % ":        {Rule: MaxGrowth, Unit: Percent, Ratio: 2.5},
		"max-growth=5MB":            {Rule: MaxGrowth, Unit: Bytes, Number: 5_000_000},
		"deny-path=*.pem":           {Rule: DenyPath, Unit: Count, Globs: []string{"*.pem"}},
		"max-wasted-percent=33.3%":  {Rule: MaxWastedPercent, Unit: Percent, Ratio: 0.333},
		"max-files=0":               {Rule: MaxFiles, Unit: Count},
		"max-layer-size=20MiB":      {Rule: MaxLayerSize, Unit: Bytes, Number: 20 << 20},
		"deny-layer-path=/a/{b,c}/": {Rule: DenyLayerPath, Unit: Count, Globs: []string{"/a/{b,c}/"}},
	} {
		rule, value, _ := strings.Cut(text, "=")
		if got, err := Parse(rule, value); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"max-size=10%", "max-layers=-1", "max-layers=1.5", "max-layers=1e3", "max-layers=99999999999999999999", "max-growth=-1%", "max-growth=%",
		"max-growth=NaN%", "max-growth=1e400%", "max-growth=0.1", "max-size=0.5", "deny-path=", "deny-path=/", "deny-path={a", `deny-path=a\`, "max-waste=1", "min-efficiency=off",
	} {
		rule, value, _ := strings.Cut(text, "=")
		if l, err := Parse(rule, value); err == nil {
			t.Errorf("%s is read as %+v", text, l)
		}
	}
}
