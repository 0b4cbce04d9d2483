package report

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	const second = time.Second
	type mark struct {
		at   time.Duration
		read int64
	}
	for _, tt := range []struct {
		name  string
		marks []mark
		left  int64
		want  string
	}{
		{"nothing", nil, 100, ""},
		{"too soon to tell", []mark{{0, 0}, {second / 2, 1000}}, 100, ""},
		{"steady", []mark{{0, 0}, {second, 1000}, {2 * second, 2000}}, 10_000, "1.0 kB/s  10 s left"},
		{"the size is unknown", []mark{{0, 0}, {2 * second, 2000}}, 0, "1.0 kB/s"},
		{"the time before the first byte", []mark{{0, 0}, {60 * second, 0}, {61 * second, 3000}}, 0, "3.0 kB/s"},
		// Only the last 5 of 8 seconds count, with 500 bytes each.
		{"slower than it was", []mark{{0, 0}, {second, 900_000}, {2 * second, 900_000}, {3 * second, 900_000}, {4 * second, 900_500},
			{5 * second, 901_000}, {6 * second, 901_500}, {7 * second, 902_000}, {8 * second, 902_500}}, 2000, "500 B/s  4 s left"},
		{"stalled", []mark{{0, 0}, {second, 900}, {2 * second, 900}, {8 * second, 900}, {14 * second, 900}}, 2000, "0 B/s"},
		{"from the start again", []mark{{0, 0}, {second, 9000}, {2 * second, 1000}, {3 * second, 3000}}, 0, "2.0 kB/s"},
		{"hours", []mark{{0, 0}, {second, 1000}}, 9_000_000, "1.0 kB/s  2 h 30 min left"},
		{"for ever", []mark{{0, 0}, {second, 1}}, 1 << 62, "1 B/s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p Pace
			for _, m := range tt.marks {
				p.Add(m.at, m.read)
			}
			if got := p.Words(tt.left); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPaceKeepsLittle checks that few marks are kept, even if the screen is drawn ten
// times a second.
func TestPaceKeepsLittle(t *testing.T) {
	var p Pace
	for i := range 10_000 {
		p.Add(time.Duration(i)*100*time.Millisecond, int64(i)*100)
	}
	if got := p.Words(2000); got != "1.0 kB/s  2 s left" {
		t.Errorf("got %q", got)
	}
	if n := len(p.marks); n > 2*int(paceSpan/paceStep) {
		t.Errorf("%d marks are kept", n)
	}
}

func TestRest(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                          "0 s",
		1:                          "1 s",
		90 * time.Second:           "90 s",
		91 * time.Second:           "2 min",
		89 * time.Minute:           "89 min",
		150 * time.Minute:          "2 h 30 min",
		72*time.Hour + time.Minute: "3 days",
	} {
		if got := Rest(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
