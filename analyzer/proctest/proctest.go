// Package proctest runs a test in a process of its own: what changes the whole
// process (a resource limit, the umask, signal handlers) must not reach the
// other tests, nor the logs and profiles that package testing writes.
package proctest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// variable names, in the child's environment, the test that the child is for.
const variable = "FATHOM_TEST_ALONE"

// Alone runs f in a child process, a copy of the test binary that runs t and
// nothing else. In the parent it reports what the child printed if t failed
// there, or did not pass.
func Alone(t *testing.T, f func()) {
	t.Helper()
	if os.Getenv(variable) == t.Name() {
		f()
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var pattern []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.count=1", "-test.run="+strings.Join(pattern, "/"))
	cmd.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Errorf("%s in a process of its own: %v\n%s", t.Name(), err, out)
	}
}
