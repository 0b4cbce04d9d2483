package gate

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// limits parses limits like "min-efficiency=0.9 max-size=1kB".
func limits(t *testing.T, text string) Limits {
	t.Helper()
	var l Limits
	for word := range strings.FieldsSeq(text) {
		rule, value, _ := strings.Cut(word, "=")
		x, err := Parse(rule, value)
		if err != nil {
			t.Fatal(err)
		}
		l = append(l, x)
	}
	return l
}

func totals(stored, wasted int64) *facts.Report {
	r := &facts.Report{Totals: facts.Totals{StoredBytes: stored, WastedBytes: wasted, VisibleBytes: stored - wasted, Efficiency: 1}}
	if wasted > 0 {
		r.Waste = []facts.Waste{{Path: "/w", Bytes: wasted, Cause: "removed", HiddenBy: 1}}
	}
	if stored > 0 {
		r.Totals.Efficiency = float64(stored-wasted) / float64(stored)
	}
	return r
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name           string
		stored, wasted int64
		limits         string
		want           []string // name, limit, observed
		fail           int
	}{
		{
			name: "every rule of waste, met exactly", stored: 1000, wasted: 100,
			limits: "max-wasted-percent=10% min-efficiency=0.9 max-wasted-bytes=100",
			want:   []string{"ok min-efficiency 0.9 0.9", "ok max-wasted-bytes 100 100", "ok max-wasted-percent 0.1 0.1"},
		},
		{
			name: "every rule of waste, one byte beyond", stored: 1000, wasted: 101,
			limits: "min-efficiency=0.9 max-wasted-bytes=100 max-wasted-percent=10%",
			want:   []string{"FAIL min-efficiency 0.9 0.899", "FAIL max-wasted-bytes 100 101", "FAIL max-wasted-percent 0.1 0.101"},
			fail:   3,
		},
		{
			name: "nothing stored", limits: "min-efficiency=1 max-wasted-percent=0",
			want: []string{"ok min-efficiency 1 1", "ok max-wasted-percent 0 0"},
		},
		{
			name: "a limit of zero is a rule", stored: 10, wasted: 1, limits: "max-wasted-bytes=0",
			want: []string{"FAIL max-wasted-bytes 0 1"}, fail: 1,
		},
		{
			name: "beyond what a float counts", stored: math.MaxInt64, wasted: 1<<53 + 1, limits: "max-wasted-bytes=9007199254740992",
			want: []string{"FAIL max-wasted-bytes 9.007199254740992e+15 9.007199254740992e+15"}, fail: 1,
		},
		{
			name: "size", stored: 1000, limits: "max-size=1kB", want: []string{"ok max-size 1000 1000"},
		},
		{
			name: "size, one byte beyond", stored: 1001, limits: "max-size=1kB", want: []string{"FAIL max-size 1000 1001"}, fail: 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Check(totals(tt.stored, tt.wasted), limits(t, tt.limits), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(v)); diff != "" {
				t.Error(diff)
			}
			if v.Failed() != tt.fail || v.Pass() != (tt.fail == 0) || v.Default {
				t.Errorf("failed %d, pass %v, default %v; want %d failed", v.Failed(), v.Pass(), v.Default, tt.fail)
			}
		})
	}
}

// brief returns one line for each rule of a verdict.
func brief(v Verdict) []string {
	var out []string
	for _, r := range v.Rules {
		word := "ok"
		switch {
		case r.Err != nil:
			word = "ERR"
		case !r.OK:
			word = "FAIL"
		}
		out = append(out, fmt.Sprintf("%s %s %v %v", word, r.Name, r.Limit, r.Observed))
	}
	return out
}

// TestCheckSharesAsWritten checks, for every share of 1000, that a limit written as
// exactly that share passes, and that a slightly tighter one fails.
func TestCheckSharesAsWritten(t *testing.T) {
	for wasted := range int64(1001) {
		if !keeps(t, wasted, fmt.Sprintf("%d.%d%%", wasted/10, wasted%10)) {
			t.Errorf("%d of 1000 breaks a limit of exactly that", wasted)
		}
		if tighter := wasted - 1; wasted > 0 && keeps(t, wasted, fmt.Sprintf("%d.%d99%%", tighter/10, tighter%10)) {
			t.Errorf("%d of 1000 keeps a tighter limit", wasted)
		}
	}
}

func keeps(t *testing.T, wasted int64, percent string) bool {
	t.Helper()
	limit, err := ParseRatio(percent)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Check(totals(1000, wasted), Limits{{Rule: MaxWastedPercent, Unit: Percent, Ratio: limit}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return v.Pass()
}

func TestCheckDefault(t *testing.T) {
	v, err := Check(totals(10, 1), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ok min-efficiency 0.9 0.9", "ok max-wasted-percent 0.1 0.1"}, brief(v)); diff != "" {
		t.Error(diff)
	}
	if !v.Default || v.Rules[0].Source != "default" {
		t.Errorf("default %v, source %q", v.Default, v.Rules[0].Source)
	}
}

func TestZeroVerdictDoesNotPass(t *testing.T) {
	if (&Verdict{}).Pass() {
		t.Error("a verdict without a rule passes")
	}
}

func TestCheckRefuses(t *testing.T) {
	good := totals(10, 1)
	contradiction := totals(10, 1)
	contradiction.Totals.WastedBytes = 0
	nan := totals(10, 1)
	nan.Totals.Efficiency = math.NaN()
	lie := totals(10, 1)
	lie.Totals.Efficiency = 1
	list := totals(10, 1)
	list.Waste = nil
	for name, tt := range map[string]struct {
		report *facts.Report
		limits Limits
	}{
		"efficiency NaN":      {good, Limits{{Rule: MinEfficiency, Ratio: math.NaN()}}},
		"efficiency above 1":  {good, Limits{{Rule: MinEfficiency, Ratio: 1.01}}},
		"efficiency below 0":  {good, Limits{{Rule: MinEfficiency, Ratio: -0.1}}},
		"percent NaN":         {good, Limits{{Rule: MaxWastedPercent, Unit: Percent, Ratio: math.NaN()}}},
		"percent infinite":    {good, Limits{{Rule: MaxWastedPercent, Unit: Percent, Ratio: math.Inf(1)}}},
		"growth infinite":     {good, Limits{{Rule: MaxGrowth, Unit: Percent, Ratio: math.Inf(1)}}},
		"bytes negative":      {good, Limits{{Rule: MaxWastedBytes, Unit: Bytes, Number: -1}}},
		"wrong unit":          {good, Limits{{Rule: MaxWastedBytes, Number: 1}}},
		"no such rule":        {good, Limits{{Rule: "max-waste", Unit: Bytes}}},
		"a rule twice":        {good, Limits{{Rule: MaxSize, Unit: Bytes}, {Rule: MaxSize, Unit: Bytes}}},
		"no glob":             {good, Limits{{Rule: DenyPath, Unit: Count}}},
		"bad glob":            {good, Limits{{Rule: DenyPath, Unit: Count, Globs: []string{"/[a"}}}},
		"totals contradict":   {contradiction, nil},
		"efficiency is NaN":   {nan, nil},
		"efficiency is a lie": {lie, nil},
		"waste isn't listed":  {list, nil},
	} {
		if v, err := Check(tt.report, tt.limits, Options{}); err == nil || v.Pass() {
			t.Errorf("%s: got %+v, want an error", name, v)
		}
	}
}

func TestParseRatio(t *testing.T) {
	for s, want := range map[string]float64{
		"0": 0, "1": 1, "0.9": 0.9, "90%": 0.9, "90 %": 0.9, " 10% ": 0.1, "33.3%": 0.333, "100%": 1, "0%": 0, "1.0": 1, "0.1%": 0.001,
	} {
		if got, err := ParseRatio(s); err != nil || got != want {
			t.Errorf("ParseRatio(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "%", "NaN", "nan%", "Inf", "-0.1", "-1%", "1.1", "90", "101%", "0,9", "1e-1", "0x1p-1", ".5", "5.", "９%", "1_0%", "10%%"} {
		if got, err := ParseRatio(s); err == nil {
			t.Errorf("ParseRatio(%q) = %v, want an error", s, got)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1000": 1000, "20MB": 20_000_000, "20MiB": 20 << 20, "20 mb": 20_000_000, "1.5GB": 1_500_000_000, "1KiB": 1024,
		"10k": 10_000, "10B": 10, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := ParseBytes(s); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "MB", "-1", "1,5MB", "NaN", "1e6", "20XB", "9223372036854775808", "16EiB", "99999999999999999999", "10%", "１MB", "1 0"} {
		if got, err := ParseBytes(s); err == nil {
			t.Errorf("ParseBytes(%q) = %v, want an error", s, got)
		}
	}
}

// TestParsePercentOfOne checks that a plain 1 is rejected: it probably means one
// percent, but would be 100%, a limit that no image breaks.
func TestParsePercentOfOne(t *testing.T) {
	for text, want := range map[string]float64{"1%": 0.01, "100%": 1, "0.5": 0.5} {
		if l, err := Parse(MaxWastedPercent, text); err != nil || l.Ratio != want {
			t.Errorf("%q is %v, %v; want %v", text, l.Ratio, err, want)
		}
	}
	for _, text := range []string{"1", "1.0"} {
		if l, err := Parse(MaxWastedPercent, text); err == nil {
			t.Errorf("%s is %v", text, l.Ratio)
		}
	}
	if l, err := Parse(MinEfficiency, "1"); err != nil || l.Ratio != 1 {
		t.Errorf("as efficiency 1 is %v, %v", l.Ratio, err)
	}
}
