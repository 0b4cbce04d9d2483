package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

// baselineOf returns a saved report as the baseline of another one.
func baselineOf(t *testing.T, r, before *facts.Report) *Baseline {
	t.Helper()
	c, err := compare.Compare(t.Context(), compare.Side{Report: before}, compare.Side{Report: r})
	if err != nil {
		t.Fatal(err)
	}
	return &Baseline{Reference: "old", Comparison: c}
}

// analyzed returns an image in the text form of testdata/images.
func analyzed(t *testing.T, text string) compare.Side {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(imagetest.None), analyzer.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	a.Report.Packages, a.Report.Findings = []facts.Package{}, []facts.Finding{}
	return compare.Side{Report: a.Report, Analysis: a}
}

func compared(t *testing.T, old, new compare.Side) *Baseline {
	t.Helper()
	c, err := compare.Compare(t.Context(), old, new)
	if err != nil {
		t.Fatal(err)
	}
	return &Baseline{Reference: "old", Comparison: c}
}

// saved returns an image as a saved report has it.
func saved(s compare.Side) compare.Side { return compare.Side{Report: s.Report} }

// describe returns what a rule observed, and its offenders.
func describe(r *Rule) string {
	out := brief(Verdict{Rules: []Rule{*r}})[0]
	if r.Err != nil {
		return out + ": " + r.Err.Error()
	}
	for _, f := range r.Folders {
		out += fmt.Sprintf("; %s grew by %d of %d", f.Glob, f.Bytes, f.Limit)
	}
	for o := range r.All() {
		out += fmt.Sprintf("; %s%s %d files %d bytes in %d: %s", o.Path, o.Package, o.Files, o.Bytes, o.StoredIn, o.Change)
	}
	return out
}

func TestBaselineRules(t *testing.T) {
	const base = "layer FROM base\n  file etc/conf 10xc\n"
	old := analyzed(t, base+"layer COPY . /app\n  file app/a 100xa\n  file app/b 50xb\n  file app/sub/c 5xc\n")
	grown := analyzed(t, base+"layer COPY . /app\n  file app/a 130xa\n  file app/b 40xb\n  file app/sub/c 5xc\n  file app/sub/d 7xd\nlayer RUN more\n  file usr/x 20xx\n")
	touched := analyzed(t, base+"layer COPY . /app\n  file app/a 100xa mtime=9\n  file app/b 50xb\n  file app/sub/c 5xc\n")
	moded := analyzed(t, base+"layer COPY . /app\n  file app/a 100xa mtime=9\n  file app/b 50xb 0700 mtime=9\n  file app/sub/c 5xc\n")
	for _, tt := range []struct {
		name     string
		old, new compare.Side
		rule     string
		texts    []string
		want     string
	}{
		{"folders", old, grown, MaxFolderGrowth, []string{"/app/**=27", "/usr=19", "*.none=0"}, "FAIL max-folder-growth 0 1; /app/** grew by 27 of 27; /usr grew by 20 of 19; *.none grew by 0 of 0; /usr/ 2 files 20 bytes in 2: added"},
		{"a folder, one byte beyond", old, grown, MaxFolderGrowth, []string{"/app=26"}, "FAIL max-folder-growth 0 1; /app grew by 27 of 26; /app/a 1 files 30 bytes in 1: content; /app/sub/d 1 files 7 bytes in 1: added"},
		{"a folder of a saved report", saved(old), grown, MaxFolderGrowth, []string{"/app/**=26"}, "FAIL max-folder-growth 0 1; /app/** grew by 27 of 26; /app/ 0 files 0 bytes in -1: grew"},
		{"a folder that reports don't list", saved(old), grown, MaxFolderGrowth, []string{"/none/**=26"}, `ERR max-folder-growth 0 0: "/none/**": a saved report has no files to compare, and no list of this folder`},
		{"a glob and a saved report", saved(old), grown, MaxFolderGrowth, []string{"*.js=26"}, `ERR max-folder-growth 0 0: "*.js": a saved report has no files to compare, and no list of this folder`},
		{"any glob and a saved report of the same layers", saved(old), old, MaxFolderGrowth, []string{"*.js=0"}, "ok max-folder-growth 0 0; *.js grew by 0 of 0"},
		{"layers", old, grown, MaxLayerGrowth, []string{"20"}, "FAIL max-layer-growth 20 27;  6 files 27 bytes in 1: grew"},
		{"layers, with a new one", old, grown, MaxLayerGrowth, []string{"19"}, "FAIL max-layer-growth 19 27;  6 files 27 bytes in 1: grew;  2 files 20 bytes in 2: added"},
		{"layers of a saved report", saved(old), grown, MaxLayerGrowth, []string{"27"}, "ok max-layer-growth 27 27"},
		{"the number of layers", saved(old), grown, MaxNewLayers, []string{"0"}, "FAIL max-new-layers 0 1;  2 files 20 bytes in 2: added"},
		{"fewer layers", grown, old, MaxNewLayers, []string{"0"}, "ok max-new-layers 0 0"},
		{"the same files", old, touched, Require, []string{SameFiles}, "ok require 0 0"},
		{"another mode", old, moded, Require, []string{SameFiles}, "FAIL require 0 1; /app/b 1 files 50 bytes in 1: mode"},
		{"other files", old, grown, Require, []string{SameFiles}, "FAIL require 0 5; /app/a 1 files 130 bytes in 1: content; /app/b 1 files 50 bytes in 1: content; /usr/ 2 files 20 bytes in 2: added; /app/sub/d 1 files 7 bytes in 1: added"},
		{"files of a saved report", saved(old), touched, Require, []string{SameFiles}, "ERR require 0 0: same-files: a saved report has no files to compare"},
		{"the same layers in a saved report", saved(old), old, Require, []string{SameFiles, Reproducible}, "ok require 0 0"},
		{"only times, not reproducible", old, touched, Require, []string{Reproducible}, "FAIL require 0 1;  5 files 155 bytes in 1: changed: mtime"},
		{"not reproducible, by a saved report", saved(old), touched, Require, []string{Reproducible}, "FAIL require 0 1;  5 files 155 bytes in 1: changed"},
		{"a removed layer", grown, old, Require, []string{Reproducible}, "FAIL require 0 3;  5 files 155 bytes in 1: changed: removed, content;  2 files 20 bytes in -1: removed (layer 2 of the baseline);  0 files 0 bytes in -1: config: history"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := Parse(tt.rule, tt.texts...)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Check(tt.new.Report, Limits{l}, Options{Baseline: compared(t, tt.old, tt.new)})
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(&v.Rules[0]); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestPackageGrowth compares the packages of two saved reports. zlib is in two versions.
func TestPackageGrowth(t *testing.T) {
	pkg := func(name, version string, bytes int64) facts.Package {
		return facts.Package{Type: facts.TypeDeb, Name: name, Version: version, Database: "/var/lib/dpkg/status", VisibleBytes: bytes, BroughtBy: 0, RemovedBy: -1}
	}
	before, r := totals(1000, 0), totals(1000, 0)
	before.Packages = []facts.Package{pkg("curl", "1", 50), pkg("gone", "1", 30), pkg("zlib", "1", 5)}
	r.Packages = []facts.Package{pkg("curl", "2", 70), pkg("new", "1", 15), pkg("zlib", "1", 5), pkg("zlib", "2", 6)}
	for _, tt := range []struct {
		rule, want string
		suppress   []Suppression
	}{
		{"max-package-growth=20", "ok max-package-growth 20 20", nil},
		{"max-package-growth=14", "FAIL max-package-growth 14 20; /var/lib/dpkg/statusdeb:curl 0 files 20 bytes in 0: grew from version 1; /var/lib/dpkg/statusdeb:new 0 files 15 bytes in 0: added", nil},
		{"max-package-growth=14", "ok max-package-growth 14 6", []Suppression{{Package: "deb:{curl,new}", Rules: []string{MaxPackageGrowth}, Reason: "known"}}},
		{"max-all-packages-growth=11", "ok max-all-packages-growth 11 11", nil}, // 20 - 30 + 6 + 15
		{"max-all-packages-growth=10", "FAIL max-all-packages-growth 10 11; /var/lib/dpkg/statusdeb:curl 0 files 20 bytes in 0: grew from version 1; /var/lib/dpkg/statusdeb:new 0 files 15 bytes in 0: added; /var/lib/dpkg/statusdeb:zlib 0 files 6 bytes in 0: grew from version 1", nil},
	} {
		v := check1(t, r, tt.rule, Options{Baseline: baselineOf(t, r, before), Suppress: tt.suppress})
		if got := describe(&v.Rules[0]); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	before.Packages = nil
	if err := ruleErr(t, r, "max-package-growth=1", Options{Baseline: baselineOf(t, r, before)}); !errors.Is(err, ErrNoPackages) {
		t.Errorf("got %v", err)
	}
}

func TestOwnGrowth(t *testing.T) {
	before, r := based(facts.CertainExact), based(facts.CertainExact)
	before.Totals.StoredBytes, before.Totals.Own.StoredBytes = 2000, 440 // the base shrank from 1560 to 1000
	before.Totals.VisibleBytes, before.Totals.Efficiency = 1480, 0.74
	opt := Options{Baseline: baselineOf(t, r, before)}
	v := check1(t, r, "max-growth=0 max-own-growth=59", opt)
	if got := brief(v); !slices.Equal(got, []string{"ok max-growth 0 -500", "FAIL max-own-growth 59 60"}) || !v.Rules[1].Own {
		t.Errorf("got %q", got)
	}
	r.Base, r.Totals.Own = nil, nil
	if err := ruleErr(t, r, "max-own-growth=59", opt); err == nil {
		t.Error("the own layers grew, and the base is unknown")
	}
}

// TestNoBaseline checks what becomes of rules where there is no baseline yet.
func TestNoBaseline(t *testing.T) {
	r := totals(1000, 100)
	v := check1(t, r, "max-growth=1 max-new-layers=1 max-size=1", Options{NoBaseline: true})
	if got := brief(v); !slices.Equal(got, []string{"FAIL max-size 1 1000", "ok max-growth 1 0", "ok max-new-layers 1 0"}) || v.Rules[0].Skipped || !v.Rules[1].Skipped || !v.Rules[2].Skipped {
		t.Errorf("got %q", got)
	}
	if want := "there is no baseline yet, so these rules pass unjudged: max-growth, max-new-layers"; !slices.Contains(v.Notes, want) {
		t.Errorf("got %q", v.Notes)
	}
	// What is only broken by what could be old passes too.
	v = check1(t, r, "max-size=1 max-layers=1 max-growth=1", Options{NoBaseline: true, OnlyNew: true})
	if !v.Pass() || !v.Rules[0].Skipped || v.Rules[1].Skipped {
		t.Errorf("got %q", brief(v))
	}
	// Without a word about it, a missing baseline fails.
	for _, opt := range []Options{{}, {OnlyNew: true}, {OnlyNew: true, BaselineErr: errors.New("gone")}} {
		if v := check1(t, r, "max-size=1 max-growth=1", opt); v.Pass() || v.Errors() == 0 {
			t.Errorf("%+v: got %q", opt, brief(v))
		}
	}
}

// TestBaselineNotes has what lets rules pass that should perhaps not: a misspelled folder, and a
// baseline of another platform.
func TestBaselineNotes(t *testing.T) {
	old := analyzed(t, "platform linux/amd64\nlayer COPY . /\n  file app/a 1xa\n")
	new := analyzed(t, "platform linux/arm64\nlayer COPY . /\n  file app/a 1xa\n")
	for _, tt := range []struct {
		rule string
		old  compare.Side
		want string
	}{
		{"max-folder-growth=/app/**=5", new, "[]"},
		{"max-folder-growth=/apq/**=5", new, "[max-folder-growth: neither image has /apq]"},
		{"max-growth=5", old, "[the baseline is for linux/amd64, and the image is for linux/arm64]"},
		{"max-growth=5", saved(old), "[the baseline is for linux/amd64, and the image is for linux/arm64]"},
	} {
		v := check1(t, new.Report, tt.rule, Options{Baseline: compared(t, tt.old, new)})
		if got := fmt.Sprint(v.Notes); got != tt.want || !v.Rules[0].OK {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
	}
}

// TestWrongDiffID has two layers of one diff ID that can't be the same: no rule passes.
func TestWrongDiffID(t *testing.T) {
	old := analyzed(t, "layer COPY . /\n  file a 1xa\n")
	new := analyzed(t, "layer COPY . /\n  file a 2xa\n")
	new.Report.Layers[0].DiffID = old.Report.Layers[0].DiffID
	for _, rule := range []string{"require=same-files", "require=reproducible", "max-layer-growth=5", "max-folder-growth=/a=5"} {
		for _, side := range []compare.Side{old, saved(old)} {
			v := check1(t, new.Report, rule, Options{Baseline: compared(t, side, new)})
			if err := v.Rules[0].Err; err == nil || !strings.Contains(err.Error(), "one of the diff IDs is wrong") {
				t.Errorf("%s: got %v", rule, err)
			}
		}
	}
}

func TestOnlyNew(t *testing.T) {
	const base = "layer FROM base\n  file app/.env 3xe\n  file log 100xl\n"
	old := analyzed(t, base+"layer RUN rm\n  file .wh.log\n")
	worse := analyzed(t, base+"layer RUN rm\n  file .wh.log\n  file app/id.key 2xk\n  file tmp 50xt\nlayer RUN more\n  file .wh.tmp\n")
	little := analyzed(t, "layer FROM base\n  file app/.env 3xe\n  file log 60xl\nlayer RUN rm\n  file .wh.log\n") // its log is smaller
	finding := func(rule string, paths ...string) facts.Finding {
		f := facts.Finding{Rule: rule, Severity: facts.SeverityError, Certainty: facts.CertainProven, Owner: facts.OwnerOwn}
		for _, p := range paths {
			path, redacted, _ := strings.Cut(p, "=")
			f.Places = append(f.Places, facts.Place{Path: path, Redacted: redacted, HiddenBy: -1})
		}
		return f
	}
	quiet := func(f facts.Finding) facts.Finding { f.Severity = facts.SeverityWarn; return f }
	old.Report.Findings = []facts.Finding{finding("user-root"), finding("docs", "/usr/share/doc", "/usr/share/man"), finding("secret", "/a", "/b=gh"), quiet(finding("setuid", "/opt/a"))}
	worse.Report.Findings = []facts.Finding{finding("user-root"), finding("docs", "/usr/share/doc", "/usr/share/info"), finding("secret", "/a", "/b=gl", "/c"), quiet(finding("setuid", "/opt/a", "/opt/b"))}
	for _, s := range []compare.Side{old, worse} {
		s.Report.Packages = []facts.Package{{Type: facts.TypeDeb, Name: "a", VisibleBytes: 9, RemovedBy: -1}}
	}
	worse.Report.Packages = append(worse.Report.Packages, facts.Package{Type: facts.TypeDeb, Name: "b", VisibleBytes: 8, RemovedBy: -1})
	for _, tt := range []struct {
		old        compare.Side
		rule, want string
	}{
		{old, "max-wasted-bytes=49", "FAIL max-wasted-bytes 49 50; /tmp 1 files 50 bytes in 1: "},
		{old, "max-wasted-bytes=50", "ok max-wasted-bytes 50 50"},
		{little, "max-wasted-bytes=89", "FAIL max-wasted-bytes 89 90; /log 1 files 100 bytes in 0: ; /tmp 1 files 50 bytes in 1: "},
		{little, "max-wasted-bytes=90", "ok max-wasted-bytes 90 90"},
		{old, "fail-on-finding=setuid", "FAIL fail-on-finding 0 1; /opt/b 0 files 0 bytes in 0: "},
		{saved(old), "max-wasted-bytes=50", "ok max-wasted-bytes 50 50"},
		{old, "deny-path=.env", "ok deny-path 0 0"},
		{old, "deny-path=*.key", "FAIL deny-path 0 1; /app/id.key 1 files 2 bytes in 1: "},
		{old, "deny-layer-path=log", "ok deny-layer-path 0 0"},
		{worse, "deny-path=tmp", "ok deny-path 0 0"},
		{saved(old), "deny-path=.env", "ERR deny-path 0 0: which paths are new is unknown: a saved report has no files to compare"},
		{saved(old), "deny-path=none", "ok deny-path 0 0"},
		{old, "deny-package=*:*", "FAIL deny-package 0 1; deb:b 0 files 8 bytes in 0: "},
		{old, "max-package-size=8", "ok max-package-size 8 9"},
		{old, "max-size=1", "FAIL max-size 1 155;  3 files 103 bytes in 0: ;  2 files 52 bytes in 1: "},
		{worse, "max-size=1", "ok max-size 1 155"},
		{worse, "max-layer-size=1", "ok max-layer-size 1 103"},
		{old, "max-layer-size=1", "ok max-layer-size 1 103"},
		{old, "max-layers=1", "FAIL max-layers 1 3;  0 files 0 bytes in 2: ;  2 files 52 bytes in 1: ;  3 files 103 bytes in 0: "},
		{old, "fail-on-finding=error", "FAIL fail-on-finding 0 1; /b 0 files 0 bytes in 0: ; /c 0 files 0 bytes in 0: "},
		{worse, "fail-on-finding=error", "ok fail-on-finding 0 0"},
	} {
		v := check1(t, worse.Report, tt.rule, Options{OnlyNew: true, Baseline: compared(t, tt.old, worse), Files: Files(worse.Analysis.Tree, worse.Report.Waste)})
		if got := describe(&v.Rules[0]); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	// What was wasted before is no longer in what counts, and not suppressed either.
	v := check1(t, worse.Report, "max-wasted-bytes=50", Options{OnlyNew: true, Baseline: compared(t, old, worse)})
	if got, want := fmt.Sprint(v.Totals.WastedBytes, v.Totals.KnownBytes, v.Totals.SuppressedBytes), "50 100 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
