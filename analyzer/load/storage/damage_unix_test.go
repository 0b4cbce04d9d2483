//go:build unix

package storage

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"fathom/analyzer/layer"
)

// TestPipe has named pipes in place of files. Nothing writes to them: opening one must
// not block.
func TestPipe(t *testing.T) {
	h := newDamaged(t)
	h.must(os.Remove(h.folder + "/etc/a"))
	h.must(syscall.Mkfifo(h.folder+"/etc/a", 0o644))
	img, err := Docker(h.dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	l := img.Layers[0]
	var damage *Error
	if _, err := layer.Read(t.Context(), l.Blob, layer.Options{}); !errors.As(err, &damage) || damage.Path != "etc/a" {
		t.Errorf("got %v, want an *Error", err)
	}
	if _, err := l.Blob.At.ReadAt(make([]byte, 5), 512); !errors.As(err, &damage) || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v, want an *Error", err)
	}
	h.must(os.Remove(h.file("tar-split.json.gz")))
	h.must(syscall.Mkfifo(h.file("tar-split.json.gz"), 0o644))
	img2, err := Docker(h.dir, "app")
	if err == nil {
		img2.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v, want that the records are not a regular file", err)
	}
}
