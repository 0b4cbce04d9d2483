package gate

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
)

func of[T any](v T) *T { return &v }

func totals(stored, wasted int64) *analyzer.Report {
	r := &analyzer.Report{Totals: analyzer.Totals{StoredBytes: stored, WastedBytes: wasted, VisibleBytes: stored - wasted, Efficiency: 1}}
	if stored > 0 {
		r.Totals.Efficiency = float64(stored-wasted) / float64(stored)
	}
	return r
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name           string
		stored, wasted int64
		limits         Limits
		want           []Rule
		fail           int
	}{
		{
			name: "every rule, met exactly", stored: 1000, wasted: 100,
			limits: Limits{MinEfficiency: of(0.9), MaxWastedBytes: of(int64(100)), MaxWastedPercent: of(0.1)},
			want: []Rule{
				{"min-efficiency", Ratio, true, 0.9, 0.9, true},
				{"max-wasted-bytes", Bytes, false, 100, 100, true},
				{"max-wasted-percent", Percent, false, 0.1, 0.1, true},
			},
		},
		{
			name: "every rule, one byte beyond", stored: 1000, wasted: 101,
			limits: Limits{MinEfficiency: of(0.9), MaxWastedBytes: of(int64(100)), MaxWastedPercent: of(0.1)},
			want: []Rule{
				{"min-efficiency", Ratio, true, 0.9, 0.899, false},
				{"max-wasted-bytes", Bytes, false, 100, 101, false},
				{"max-wasted-percent", Percent, false, 0.1, 0.101, false},
			},
			fail: 3,
		},
		{
			name: "nothing stored", limits: Limits{MinEfficiency: of(1.0), MaxWastedPercent: of(0.0)},
			want: []Rule{{"min-efficiency", Ratio, true, 1, 1, true}, {"max-wasted-percent", Percent, false, 0, 0, true}},
		},
		{
			name: "a limit of zero is a rule", stored: 10, wasted: 1, limits: Limits{MaxWastedBytes: of(int64(0))},
			want: []Rule{{"max-wasted-bytes", Bytes, false, 0, 1, false}}, fail: 1,
		},
		{
			name: "beyond what a float counts", stored: math.MaxInt64, wasted: 1<<53 + 1, limits: Limits{MaxWastedBytes: of(int64(1 << 53))},
			want: []Rule{{"max-wasted-bytes", Bytes, false, 1 << 53, 1 << 53, false}}, fail: 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Check(totals(tt.stored, tt.wasted), tt.limits)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, v.Rules); diff != "" {
				t.Error(diff)
			}
			if v.Failed() != tt.fail || v.Pass() != (tt.fail == 0) || v.Default {
				t.Errorf("failed %d, pass %v, default %v; want %d failed", v.Failed(), v.Pass(), v.Default, tt.fail)
			}
		})
	}
}

// A limit that is written as what is there is kept, and one a little tighter
// isn't, for every share of 1000.
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
	v, err := Check(totals(1000, wasted), Limits{MaxWastedPercent: &limit})
	if err != nil {
		t.Fatal(err)
	}
	return v.Pass()
}

func TestCheckDefault(t *testing.T) {
	v, err := Check(totals(10, 1), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := Verdict{Default: true, Rules: []Rule{{"min-efficiency", Ratio, true, 0.9, 0.9, true}, {"max-wasted-percent", Percent, false, 0.1, 0.1, true}}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}

func TestZeroVerdictDoesNotPass(t *testing.T) {
	if (Verdict{}).Pass() {
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
	for name, tt := range map[string]struct {
		report *analyzer.Report
		limits Limits
	}{
		"efficiency NaN":      {good, Limits{MinEfficiency: of(math.NaN())}},
		"efficiency above 1":  {good, Limits{MinEfficiency: of(1.01)}},
		"efficiency below 0":  {good, Limits{MinEfficiency: of(-0.1)}},
		"percent NaN":         {good, Limits{MaxWastedPercent: of(math.NaN())}},
		"percent infinite":    {good, Limits{MaxWastedPercent: of(math.Inf(1))}},
		"bytes negative":      {good, Limits{MaxWastedBytes: of(int64(-1))}},
		"totals contradict":   {contradiction, Limits{}},
		"efficiency is NaN":   {nan, Limits{}},
		"efficiency is a lie": {lie, Limits{}},
	} {
		if v, err := Check(tt.report, tt.limits); err == nil || v.Pass() {
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
