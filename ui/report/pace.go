package report

import (
	"fmt"
	"time"
)

const (
	paceSpan = 5 * time.Second // the speed is measured over this time
	paceStep = paceSpan / 20   // between two marks that are kept
	paceFrom = time.Second     // there is no estimate before
)

// Pace measures how fast a number of bytes grew over the last few seconds. The zero
// value is ready to use.
type Pace struct{ marks []paceMark }

type paceMark struct {
	at   time.Duration
	read int64
}

// Add records the number of bytes read at a time of the caller's clock, which may
// start at any value. The time before the first byte doesn't count.
func (p *Pace) Add(at time.Duration, read int64) {
	m := paceMark{at, read}
	n := len(p.marks)
	switch {
	case n > 0 && (read < p.marks[n-1].read || p.marks[n-1].read == 0): // reading starts, or starts again
		keep := p.marks[:1]
		if keep[0] = p.marks[n-1]; read <= keep[0].read {
			keep[0] = m
			p.marks = keep
			return
		}
		p.marks = append(keep, m)
	case n > 1 && at-p.marks[n-2].at < paceStep:
		p.marks[n-1] = m
	default:
		p.marks = append(p.marks, m)
	}
	old := 0
	for old+2 < len(p.marks) && at-p.marks[old+1].at >= paceSpan {
		old++
	}
	p.marks = append(p.marks[:0], p.marks[old:]...)
}

// Speed returns the bytes per second; false while they are unknown.
func (p *Pace) Speed() (int64, bool) {
	if len(p.marks) < 2 {
		return 0, false
	}
	first, last := p.marks[0], p.marks[len(p.marks)-1]
	if last.at-first.at < paceFrom {
		return 0, false
	}
	return int64(float64(last.read-first.read) / (last.at - first.at).Seconds()), true
}

// Left returns how long n more bytes will take; false while that is unknown.
func (p *Pace) Left(n int64) (time.Duration, bool) {
	speed, ok := p.Speed()
	if !ok || speed <= 0 || n < 0 {
		return 0, false
	}
	s := float64(n) / float64(speed)
	if s > 100*24*3600 {
		return 0, false
	}
	return time.Duration(s * float64(time.Second)), true
}

// Words returns the speed and, if the number of remaining bytes is known, how long
// they will take: "12 MB/s  40 s left". It returns "" while neither is known.
func (p *Pace) Words(left int64) string {
	speed, ok := p.Speed()
	if !ok {
		return ""
	}
	s := Size(speed) + "/s"
	if d, ok := p.Left(left); ok && left > 0 {
		s += "  " + Rest(d) + " left"
	}
	return s
}

// Rest formats a remaining time with a sensible precision: "40 s", "3 min",
// "2 h 10 min".
func Rest(d time.Duration) string {
	s := int64((d + time.Second - 1) / time.Second)
	switch {
	case s <= 90:
		return fmt.Sprintf("%d s", s)
	case s < 90*60:
		return fmt.Sprintf("%d min", (s+59)/60)
	case s < 48*3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d days", s/86400)
}
