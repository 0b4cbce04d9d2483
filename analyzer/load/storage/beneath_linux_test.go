package storage

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestBeneath opens files with openat2, and one folder after the other as on
// kernels without it.
func TestBeneath(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "layer")
	write(t, filepath.Join(top, "secret"), []byte("secret"))
	write(t, filepath.Join(dir, "etc/deep/a"), []byte("hello"))
	for link, to := range map[string]string{
		"out": "../secret", "absolute": filepath.Join(top, "secret"), "up": "..", "inside": "etc", "to": "etc/deep/a",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, walk := range []bool{false, true} {
		d, err := openFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !walk && d.walk {
			t.Log("this kernel has no openat2")
		}
		d.walk = d.walk || walk
		for _, name := range []string{"etc/deep/a", "/etc/deep/a", "./etc//deep/../deep/a", "../../etc/deep/a"} {
			f, is, err := d.open(name)
			if err != nil || is.size != 5 || !is.regular {
				t.Errorf("walk %v: %s: got %+v, %v; want 5 bytes", walk, name, is, err)
				continue
			}
			p := make([]byte, 6)
			if n, err := f.ReadAt(p, 1); n != 4 || err != io.EOF || string(p[:4]) != "ello" {
				t.Errorf("walk %v: %s: got %q, %v", walk, name, p[:n], err)
			}
			f.close()
		}
		for _, name := range []string{"out", "absolute", "up/secret", "inside/deep/a", "to", "../secret", "etc", "", "etc/none", "etc/deep/a/b", "a\x00b"} {
			f, is, err := d.open(name)
			if err == nil {
				t.Errorf("walk %v: %q was opened: %+v", walk, name, is)
				f.close()
			}
		}
		for name, want := range map[string]bool{"": true, ".": true, "etc": true, "etc/deep": true, "inside": false, "up": false, "etc/deep/a": false} {
			dir, err := d.directory(name)
			if (err == nil) != want {
				t.Errorf("walk %v: the folder %q: got %v, want %v", walk, name, err, want)
			}
			if err == nil {
				dir.close()
			}
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
		if _, _, err := d.open("etc/deep/a"); err != os.ErrClosed {
			t.Errorf("walk %v: got %v of a closed folder", walk, err)
		}
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && len(to) > len(top) && to[:len(top)] == top {
			t.Errorf("%s is still open", to)
		}
	}
}
