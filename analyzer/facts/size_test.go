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
