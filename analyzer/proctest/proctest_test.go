package proctest

import (
	"os"
	"testing"
)

// What f does stays in the child.
func TestAlone(t *testing.T) {
	const name = "FATHOM_TEST_ALONE_LEFT"
	pid := os.Getpid()
	Alone(t, func() {
		os.Setenv(name, "x") //nolint:usetesting // t.Setenv would undo it
		if pid == os.Getppid() || os.Getenv(variable) != t.Name() {
			t.Error("this is not a child")
		}
	})
	if os.Getenv(variable) == "" && os.Getenv(name) != "" {
		t.Error("the change reached the parent")
	}
}
