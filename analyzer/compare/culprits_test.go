package compare

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/imagetest"
)

// TestCulprits checks that every kind of file is known by a path that real images have,
// and that files with similar paths are not taken for one.
func TestCulprits(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/lib/python3.11/__pycache__/abc.cpython-311.pyc": "bytecode",
		"/app/old.pyc":                         "bytecode",
		"/lib/apk/db/scripts.tar":              "apk",
		"/usr/lib/apk/db/scripts.tar.gz":       "apk",
		"/var/lib/rpm/rpmdb.sqlite-shm":        "SQLite",
		"/usr/lib/sysimage/rpm/rpmdb.sqlite":   "rpm's database",
		"/var/lib/rpm/Packages":                "rpm's database",
		"/var/lib/dnf/history.sqlite":          "dnf",
		"/var/lib/yum/history/x.sqlite":        "yum",
		"/var/log/apt/history.log":             "a log",
		"/root/.npm/_logs/1-debug-0.log":       "a log",
		"/var/cache/ldconfig/aux-cache":        "ldconfig",
		"/etc/machine-id":                      "machine ID",
		"/var/lib/dbus/machine-id":             "machine ID",
		"/etc/ssh/ssh_host_ed25519_key":        "host keys",
		"/etc/ssh/ssh_host_rsa_key.pub":        "host keys",
		"/var/lib/systemd/random-seed":         "seed",
		"/var/cache/apt/pkgcache.bin":          "apt",
		"/etc/shadow-":                         "password",
		"/app/.git/index":                      "git",
		"/root/.npm/_cacache/index-v5/a0/b1/c": "npm",
		"/var/lib/rpm/x":                       "",
		"/srv/var/log/x":                       "",
		"/etc/machine-id/x":                    "",
		"/app/__pycache__":                     "",
		"/etc/ssh/ssh_config":                  "",
		"/app/index":                           "",
		"/":                                    "",
	} {
		if got := Culprit(path); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	for _, c := range culprits() {
		if !doublestar.ValidatePattern(c.glob) {
			t.Errorf("%s is not a pattern", c.glob)
		}
	}
}

// TestCulpritRows checks that changed files of one culprit are one row, wherever they
// are, and that added ones are like other files.
func TestCulpritRows(t *testing.T) {
	image := func(text string) string {
		return "layer RUN make\n  file usr/a/__pycache__/x.pyc 10x" + text + "\n  file usr/b/__pycache__/y.pyc 20x" + text + "\n  file usr/b/y 5x" + text +
			"\n  file usr/b/z 5xz\n  file etc/machine-id 32x" + text + "\n  file etc/passwd 7xp\n"
	}
	c := compared(t, side(t, image("a"), imagetest.None), side(t, image("b")+"  file etc/shadow 9xs\n", imagetest.None))
	var got []string
	for _, r := range c.Rows() {
		got = append(got, fmt.Sprintf("%s %s %d %d->%d %s", r.Reason, r.Path, r.Count, r.OldBytes, r.NewBytes, r.Culprit))
	}
	want := []string{
		"added /etc/shadow 1 0->9 ",
		"content /etc/machine-id 1 32->32 the machine ID is random",
		"content /usr 2 30->30 Python's bytecode has the modification time of its source",
		"content /usr/b/y 1 5->5 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	culprits := map[string]string{}
	for f := range c.Files() {
		culprits[f.Path] = f.Culprit
	}
	if culprits["/etc/machine-id"] == "" || culprits["/etc/shadow"] != "" || culprits["/usr/b/y"] != "" {
		t.Errorf("got %v", culprits)
	}
	if f := c.Facts.Folders[2]; f.Culprit == "" || f.Path != "/usr" {
		t.Errorf("got %+v", f)
	}
}

// TestTimeRows checks that what differs only in its time is one row, and that a row of
// one path has that path.
func TestTimeRows(t *testing.T) {
	old := "layer RUN make\n  dir a/ mtime=1\n  file a/x mtime=1 10xa\n  file a/y mtime=1 10xb\n  dir b/ mtime=1\n  file b/z mtime=1 5xc\n  file c mtime=1 7xd\n"
	new := "layer RUN make\n  dir a/ mtime=2\n  file a/x mtime=2 10xa\n  file a/y mtime=2 10xn\n  dir b/ mtime=2\n  file b/z mtime=2 5xc\n  file d mtime=1 7xd\n"
	c := compared(t, side(t, old, imagetest.None), side(t, new, imagetest.None))
	var got []string
	for _, r := range c.Rows() {
		got = append(got, fmt.Sprintf("%s %s %s %d %d->%d", r.Reason, r.Path, r.From, r.Count, r.OldBytes, r.NewBytes))
	}
	// the times of /a, /a/x, /b and /b/z
	want := []string{"mtime /  4 15->15", "content /a/y  1 10->10", "renamed /d /c 1 7->7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
