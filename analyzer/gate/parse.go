package gate

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

var (
	whole  = regexp.MustCompile(`^[0-9]+$`)
	number = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	size   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)? ?[A-Za-z]*$`)
)

// ParseRatio reads "0.9" or "90%". The result is the float nearest to what is
// written, from 0 to 1.
func ParseRatio(s string) (float64, error) {
	digits, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	if percent {
		digits = strings.TrimSpace(digits)
	}
	if !number.MatchString(digits) {
		return 0, fmt.Errorf("%q is neither a ratio (0.9) nor a percentage (90%%)", s)
	}
	text := digits
	if percent {
		text += "e-2" // not a division: that would round twice
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v > 1 {
		if !percent && v <= 100 {
			return 0, fmt.Errorf("%q is more than 1: write %s%% for a percentage", s, digits)
		}
		return 0, fmt.Errorf("%q is not between 0 and 1, or 0%% and 100%%", s)
	}
	return v, nil
}

// ParseBytes reads "20MB" (20,000,000), "20MiB" (20,971,520), "1.5 GB" or a
// plain number of bytes.
func ParseBytes(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if !size.MatchString(s) || number.MatchString(s) && !whole.MatchString(s) { // 0.1 is meant to be a ratio
		return 0, fmt.Errorf("%q is not a size (20MB, 20MiB, 1.5GB, 1000)", s)
	}
	v, err := humanize.ParseBytes(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size (20MB, 20MiB, 1.5GB, 1000)", s)
	}
	if v > math.MaxInt64 {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return int64(v), nil
}
