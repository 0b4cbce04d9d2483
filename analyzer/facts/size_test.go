package facts

import (
	"strings"
	"testing"
)

func TestReportTooLarge(t *testing.T) {
	const text = `{"schema": 2}`
	for most, want := range map[int64]string{
		int64(len(text)):     "its schema is 2, and this version knows no newer one than 1",
		int64(len(text)) - 1: "it is larger than 12 bytes",
	} {
		if _, err := readReport(strings.NewReader(text), most); err == nil || err.Error() != want {
			t.Errorf("up to %d bytes: got %v, want %s", most, err, want)
		}
	}
}

// TestReportTooDense checks that a report of empty objects, which would take a hundred
// times its size in memory, is refused before it is decoded.
func TestReportTooDense(t *testing.T) {
	for n, want := range map[int]string{1000: "it has no image", 3000: "its 9028 bytes hold 3002 objects, more than a report has"} {
		text := `{"schema": 1, "waste": [` + strings.Repeat("{},", n) + "{}]}"
		if _, err := readReport(strings.NewReader(text), maxReport); err == nil || err.Error() != want {
			t.Errorf("%d objects: got %v, want %s", n, err, want)
		}
	}
	for text, want := range map[string]int{`{"a{": "\"{{", "b\\": {}}`: 2, `[{"{":{}}]`: 2, `"{`: 0, ``: 0, `"\`: 0} {
		if got := objects([]byte(text)); got != want {
			t.Errorf("%s: got %d objects, want %d", text, got, want)
		}
	}
}
