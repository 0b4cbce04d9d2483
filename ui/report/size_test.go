package report

import (
	"math"
	"testing"
)

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		bytes int64
		want  string
	}{
		{0, "0 B"}, {1, "1 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {1234, "1.2 kB"}, {12345, "12 kB"},
		{1_000_000, "1.0 MB"}, {1_200_000, "1.2 MB"}, {1_000_000_000, "1.0 GB"}, {2_380_000_000, "2.4 GB"},
		{1_000_000_000_000, "1.0 TB"}, {1_000_000_000_000_000, "1.0 PB"}, {math.MaxInt64, "9.2 EB"},
		{-1200, "-1.2 kB"}, {math.MinInt64, "-9.2 EB"},
	} {
		if got := Size(tt.bytes); got != tt.want {
			t.Errorf("Size(%d) = %q, want %q", tt.bytes, got, tt.want)
		}
	}
}

func TestExact(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1234567: "1,234,567 bytes"} {
		if got := Exact(bytes); got != want {
			t.Errorf("Exact(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		ratio float64
		want  string
	}{
		{0, "0%"}, {1, "100%"}, {0.5, "50.0%"}, {0.1234, "12.3%"}, {0.00001, "<0.1%"}, {0.99999, ">99.9%"},
		{0.999, "99.9%"}, {0.001, "0.1%"}, {math.NaN(), "?"},
	} {
		if got := Percent(tt.ratio); got != tt.want {
			t.Errorf("Percent(%v) = %q, want %q", tt.ratio, got, tt.want)
		}
	}
}
