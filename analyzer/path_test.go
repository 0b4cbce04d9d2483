package analyzer_test

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"fathom/analyzer"
)

func TestWithoutPath(t *testing.T) {
	for _, err := range []error{
		syscall.ENOENT,
		&fs.PathError{Op: "open", Path: "a", Err: syscall.ENOENT},
		&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.ENOENT},
		fmt.Errorf("opening b: %w", &fs.PathError{Op: "open", Path: "b", Err: syscall.ENOENT}),
	} {
		if got := analyzer.WithoutPath(err); got != syscall.ENOENT {
			t.Errorf("%v: got %v", err, got)
		}
	}
	if analyzer.WithoutPath(nil) != nil {
		t.Error("nil is an error")
	}
}
