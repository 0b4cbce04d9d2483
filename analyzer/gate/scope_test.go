package gate

import (
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// based is a report with a base image of one layer: it stores 1000 bytes, of which
// own layers remove 400, and copy 100. The own layers store 500 bytes and waste 20.
func based(certainty string) *facts.Report {
	r := &facts.Report{
		Layers: []facts.Layer{
			{Index: 0, StoredBytes: 1000, VisibleBytes: 500, WastedBytes: 500, CompressedBytes: 300},
			{Index: 1, StoredBytes: 400, VisibleBytes: 380, WastedBytes: 20, HidesBytes: 500, CompressedBytes: 90},
			{Index: 2, StoredBytes: 100, VisibleBytes: 100, HidesBytes: 20, CompressedBytes: 10},
		},
		Waste: []facts.Waste{
			{Path: "/lists", Bytes: 400, Cause: "removed", StoredIn: 0, HiddenBy: 1},
			{Path: "/bin/sh", Bytes: 100, Cause: "metadata", StoredIn: 0, HiddenBy: 1, OwnCopy: true},
			{Path: "/tmp/x", Bytes: 20, Cause: "removed", StoredIn: 1, HiddenBy: 2},
		},
		Findings: []facts.Finding{
			{Rule: "removed-later", Severity: "warn", Bytes: 400, Owner: facts.OwnerBase},
			{Rule: "stored-again", Severity: "warn", Bytes: 120, Owner: facts.OwnerOwn},
		},
		Base: &facts.Base{Layers: 1, Certainty: certainty},
	}
	r.Totals = facts.Totals{StoredBytes: 1500, VisibleBytes: 980, WastedBytes: 520, Efficiency: 980.0 / 1500, CompressedBytes: 400, Files: 30, Layers: 3, FindingsBytes: 520}
	r.Totals.Base = &facts.Part{StoredBytes: 1000, VisibleBytes: 500, WastedBytes: 500, CompressedBytes: 300, Files: 20, Layers: 1, HiddenByOwnBytes: 500}
	r.Totals.Own = &facts.Part{StoredBytes: 500, VisibleBytes: 480, WastedBytes: 20, CompressedBytes: 100, Files: 10, Layers: 2, CopiedFromBaseBytes: 100}
	return r
}

func TestScope(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		all, own float64
	}{
		{MinEfficiency, 980.0 / 1500, 380.0 / 500}, // 20 removed and 100 copied of 500
		{MaxWastedBytes, 520, 120},
		{MaxWastedPercent, 520.0 / 1500, 120.0 / 500},
		{MaxSize, 1500, 500},
		{MaxCompressedSize, 400, 100},
		{MaxLayerSize, 1000, 400},
		{MaxLayers, 3, 2},
		{MaxFiles, 30, 10},
		{MaxFindingsBytes, 520, 120},
	} {
		spec, _ := SpecOf(tt.rule)
		zero := "0"
		if spec.AtLeast {
			zero = "1"
		}
		for scope, want := range map[Scope]float64{Auto: tt.all, All: tt.all, Own: tt.own} {
			l, err := Parse(tt.rule, zero)
			if err != nil {
				t.Fatal(err)
			}
			for _, set := range []func(*Options){func(*Options) { l.Scope = scope }, func(o *Options) { l.Scope, o.Scope = Auto, scope }} {
				var opt Options
				set(&opt)
				v, err := Check(based(facts.CertainExact), Limits{l}, opt)
				if err != nil {
					t.Fatal(err)
				}
				if r := v.Rules[0]; r.Observed != want || r.Own != (scope == Own) || r.OK {
					t.Errorf("%s of %s: got %v, want %v", tt.rule, scope, r.Observed, want)
				}
			}
		}
	}
}

// TestScopeOfOffenders checks that a rule for own layers lists only what these cause.
func TestScopeOfOffenders(t *testing.T) {
	l, err := Parse(MaxWastedBytes, "0")
	if err != nil {
		t.Fatal(err)
	}
	l.Scope = Own
	v, err := Check(based(facts.CertainVerified), Limits{l}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for o := range v.Rules[0].All() {
		paths = append(paths, o.Path)
	}
	if want := []string{"/bin/sh", "/tmp/x"}; !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}
	if v.Own == nil || v.Own.WastedBytes != 120 || v.Totals.WastedBytes != 520 {
		t.Errorf("got %+v of own layers, %+v of all", v.Own, v.Totals)
	}
}

// TestScopeOfDefaults checks that the default rules judge own layers if the base image
// is known for sure, and all layers otherwise.
func TestScopeOfDefaults(t *testing.T) {
	for certainty, own := range map[string]bool{facts.CertainExact: true, facts.CertainVerified: true, facts.CertainGuessed: false} {
		v, err := Check(based(certainty), nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range v.Rules {
			if r.Own != own {
				t.Errorf("%s base: %s judges own layers: %v", certainty, r.Name, r.Own)
			}
		}
	}
}

func TestScopeNotes(t *testing.T) {
	unknown := based("")
	unknown.Base, unknown.Totals.Own, unknown.Totals.Base = nil, nil, nil
	for _, tt := range []struct {
		name string
		r    *facts.Report
		want string
		seen float64
	}{
		{"unknown", unknown, "the base image is unknown", 1500},
		{"guessed", based(facts.CertainGuessed), "the base image is guessed: --base IMAGE names it", 500},
	} {
		l, err := Parse(MaxSize, "1")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Check(tt.r, Limits{l}, Options{Scope: Own})
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Notes) != 1 || !strings.HasPrefix(v.Notes[0], tt.want) || v.Rules[0].Observed != tt.seen {
			t.Errorf("%s: got %v and the notes %q", tt.name, v.Rules[0].Observed, v.Notes)
		}
	}
}

func TestScopeOfDeniedPaths(t *testing.T) {
	files := []File{{Path: "/a.key", Layer: 0, HiddenBy: -1}, {Path: "/b.key", Layer: 1, HiddenBy: -1}}
	for scope, want := range map[Scope]float64{All: 2, Own: 1} {
		l, err := Parse(DenyPath, "*.key")
		if err != nil {
			t.Fatal(err)
		}
		l.Scope = scope
		v, err := Check(based(facts.CertainExact), Limits{l}, Options{Files: slices.Values(files)})
		if err != nil {
			t.Fatal(err)
		}
		if r := v.Rules[0]; r.Observed != want {
			t.Errorf("%s: got %v paths, want %v", scope, r.Observed, want)
		}
	}
}

func TestScopeOfGrowth(t *testing.T) {
	before := based(facts.CertainExact)
	before.Totals.Own.StoredBytes = 440
	l, err := Parse(MaxGrowth, "50B")
	if err != nil {
		t.Fatal(err)
	}
	l.Scope = Own
	base := baselineOf(t, based(facts.CertainExact), before)
	v, err := Check(based(facts.CertainExact), Limits{l}, Options{Baseline: base})
	if err != nil {
		t.Fatal(err)
	}
	if r := v.Rules[0]; r.Observed != 60 || r.OK || r.Err != nil {
		t.Errorf("got %v, %v", r.Observed, r.Err)
	}
	base.Old.Report.Totals.Own = nil
	if v, err = Check(based(facts.CertainExact), Limits{l}, Options{Baseline: base}); err != nil {
		t.Fatal(err)
	}
	if r := v.Rules[0]; r.Err == nil || !strings.Contains(r.Err.Error(), "the base image of the baseline is unknown") {
		t.Errorf("got %v", r.Err)
	}
}

// TestLittleWaste has own layers of which a large share is wasted, but only a few bytes.
func TestLittleWaste(t *testing.T) {
	for i, want := range []bool{true, false} { // up to a megabyte, and one byte more
		r := based(facts.CertainExact)
		grow := littleWaste - 120 + int64(i)
		r.Waste[2].Bytes += grow
		r.Layers[1].StoredBytes += grow
		r.Layers[1].WastedBytes += grow
		for _, t := range []*int64{&r.Totals.StoredBytes, &r.Totals.WastedBytes, &r.Totals.Own.StoredBytes, &r.Totals.Own.WastedBytes} {
			*t += grow
		}
		r.Totals.Efficiency = float64(r.Totals.VisibleBytes) / float64(r.Totals.StoredBytes)
		v, err := Check(r, nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if v.Rules[0].OK != want || v.Rules[1].OK != want || v.Rules[0].Little != want {
			t.Errorf("%d bytes wasted: got %v, want %v", v.Own.WastedBytes, v.Rules[0].OK, want)
		}
		v, err = Check(based(facts.CertainExact), Limits{{Rule: MinEfficiency, Unit: Ratio, Ratio: 0.9, Scope: Own, Source: "--min-efficiency"}}, Options{})
		if err != nil || v.Rules[0].OK {
			t.Errorf("a rule that was given passes: %+v, %v", v.Rules, err)
		}
	}
}

// TestBaseAdvice checks that no rule tells people to change a step of the base image,
// unless it is guessed.
func TestBaseAdvice(t *testing.T) {
	base := "it comes from the base image debian:12: a smaller or a newer base would not have it"
	denied := files(File{Path: "/etc/key", Layer: 0, HiddenBy: -1, Bytes: 5}, File{Path: "/app/key", Layer: 1, HiddenBy: -1, Bytes: 5})
	for _, certainty := range []string{facts.CertainVerified, facts.CertainGuessed} {
		r := based(certainty)
		r.Base.Reference, r.Findings = "debian:12", r.Findings[:0]
		r.Layers[0].Command, r.Layers[0].Added = "RUN apt-get install gcc", 1
		v := check1(t, r, "max-wasted-bytes=0 max-layer-size=0 max-layers=0 max-files=0 deny-path=**/key", Options{Files: denied})
		seen := map[string]bool{}
		for _, rule := range v.Rules {
			for _, o := range rule.Offenders {
				want := base
				if o.Path == "/bin/sh" {
					want = "leave the files of the base image as they are, or change them there: layer 1 stores all of them again"
				}
				ofBase := certainty != facts.CertainGuessed && o.StoredIn == 0
				if (o.Advice == want) != ofBase {
					t.Errorf("%s, base %s: %s in layer %d has the advice %q", rule.Name, certainty, o.Path, o.StoredIn, o.Advice)
				}
				seen[rule.Name] = seen[rule.Name] || o.StoredIn == 0
			}
		}
		for _, name := range []string{MaxWastedBytes, MaxLayerSize, MaxLayers, MaxFiles, DenyPath} {
			if !seen[name] {
				t.Errorf("%s has no offender in the base", name)
			}
		}
	}
}
