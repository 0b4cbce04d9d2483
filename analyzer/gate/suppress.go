package gate

import (
	"errors"
	"fmt"
	"time"

	"fathom/analyzer"
)

// Day is how days are written: 2027-01-31.
const Day = "2006-01-02"

// Validate says what is wrong with the suppression itself.
func (s *Suppression) Validate() error {
	if err := CheckGlob(s.Path); err != nil {
		return fmt.Errorf("suppressing %q: %w", s.Path, err)
	}
	if s.Reason == "" {
		return fmt.Errorf("suppressing %q: there is no reason", s.Path)
	}
	return nil
}

// expired is whether today is after the suppression's last day.
func (s *Suppression) expired(today time.Time) bool {
	return !s.Until.IsZero() && today.Format(Day) > s.Until.Format(Day)
}

// suppress finds out which waste counts. A piece belongs to the first
// suppression that covers it and holds, else to the first that covers it and
// has expired; then it counts.
func (c *check) suppress(v *Verdict) {
	matches := make([]func(string) bool, len(c.opt.Suppress))
	for i, s := range c.opt.Suppress {
		matches[i] = matcher(s.Path)
		v.Suppressed = append(v.Suppressed, Suppressed{Suppression: s, Expired: s.expired(c.opt.Today)})
	}
	v.Totals.StoredBytes = c.r.Totals.StoredBytes
	for i := range c.r.Waste {
		w := &c.r.Waste[i]
		by := -1
		for j := range v.Suppressed {
			if (by < 0 || v.Suppressed[by].Expired && !v.Suppressed[j].Expired) && matches[j](wastePath(w)) {
				by = j
			}
		}
		if by >= 0 {
			v.Suppressed[by].Pieces++
			v.Suppressed[by].Bytes += w.Bytes
		}
		if by >= 0 && !v.Suppressed[by].Expired {
			v.Totals.SuppressedBytes += w.Bytes
			continue
		}
		v.Totals.WastedBytes += w.Bytes
		c.waste = append(c.waste, i)
	}
	v.Totals.Efficiency, v.Totals.WastedRatio = shares(v.Totals.StoredBytes, v.Totals.WastedBytes)
	for _, s := range v.Suppressed {
		if s.Expired {
			v.Warnings = append(v.Warnings, fmt.Sprintf("the suppression of %q ended on %s: its %d bytes count", s.Path, s.Until.Format(Day), s.Bytes))
		}
	}
}

// wastePath is the path as the image has it.
func wastePath(w *analyzer.Waste) string {
	if len(w.PathBytes) > 0 {
		return string(w.PathBytes)
	}
	return w.Path
}

// ParseDay reads "2027-01-31".
func ParseDay(s string) (time.Time, error) {
	t, err := time.Parse(Day, s)
	if err != nil {
		return t, errors.New("not a day, which is written 2027-01-31")
	}
	return t, nil
}
