package report

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Cause returns a cause of waste in words, for its name in the report.
func Cause(name string) string {
	if name == "metadata" {
		return "stored again"
	}
	return name
}

// Size formats a number of bytes for people, with units of powers of 1000, as disks,
// registries and docker use them: "0 B", "1.2 MB", "34 GB".
func Size(bytes int64) string {
	if bytes < 0 {
		return "-" + humanize.Bytes(uint64(-(bytes+1))+1)
	}
	return humanize.Bytes(uint64(bytes))
}

// Exact formats a number of bytes with all digits: "1,234,567 bytes".
func Exact(bytes int64) string {
	if bytes == 1 {
		return "1 byte"
	}
	return humanize.Comma(bytes) + " bytes"
}

// Percent formats a ratio from 0 to 1 with one decimal: "12.3%". A ratio
// is not rounded to 0% or 100%, but to "<0.1%" or ">99.9%".
func Percent(ratio float64) string {
	s := fmt.Sprintf("%.1f%%", ratio*100)
	switch {
	case math.IsNaN(ratio):
		return "?"
	case s == "0.0%" && ratio > 0:
		return "<0.1%"
	case s == "100.0%" && ratio < 1:
		return ">99.9%"
	case s == "0.0%":
		return "0%"
	case s == "100.0%":
		return "100%"
	}
	return s
}
