package report

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWriteFileOnMount writes to a file that is a mount point, as in a container's
// volume. Such a file can't be replaced, so its content is overwritten.
func TestWriteFileOnMount(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	if err := os.WriteFile(path, []byte("a long old report"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("mounting is not allowed here: %v", err)
	}
	defer func() {
		if err := unix.Unmount(path, 0); err != nil {
			t.Error(err)
		}
	}()
	if err := WriteFile(t.Context(), path, text("new")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"r.json": "new"})
}
