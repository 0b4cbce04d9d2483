package storage

import (
	"archive/tar"
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWriteUpper fakes the extended attributes of an overlay: setting them needs
// privileges.
func TestWriteUpper(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"opaque", "merges"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"opaque/new": "new", "merges/gone": "", "merges/first": "one", "capable": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		os.Link(dir+"/merges/first", dir+"/merges/second"),
		os.Symlink("../../outside", dir+"/link"),
		syscall.Mkfifo(dir+"/pipe", 0o600),
		os.Chmod(dir+"/capable", 0o4755|os.ModeSetuid),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	marks := map[string]string{
		"opaque trusted.overlay.opaque":     "y",
		"merges user.overlay.opaque":        "x",
		"merges/gone user.overlay.whiteout": "y",
		"capable security.capability":       "\x01\x00",
	}
	attribute := func(f *os.File, name string) (string, error) {
		rel, err := filepath.Rel(dir, f.Name())
		return marks[rel+" "+name], err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := writeUpper(t.Context(), dir, w, attribute); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(&b); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		got = append(got, strings.TrimSpace(h.Name+" "+h.FileInfo().Mode().String()+" "+h.Linkname+string(text)+h.PAXRecords["SCHILY.xattr.security.capability"]))
	}
	want := []string{
		"capable urwxr-xr-x x\x01\x00",
		"link Lrwxrwxrwx ../../outside",
		"merges/ drwxr-x---",
		"merges/first -rw-r----- one",
		"merges/.wh.gone -rw-------",
		"merges/second -rw-r----- merges/first",
		"opaque/ drwxr-x---",
		"opaque/.wh..wh..opq -rw-------",
		"opaque/new -rw-r----- new",
		"pipe prw-------",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	for mark, words := range map[string]string{
		"opaque trusted.overlay.redirect":  "reading /opaque: it was renamed by the overlay (redirect)",
		"capable trusted.overlay.metacopy": "reading /capable: only its attributes are here (metacopy)",
	} {
		marks = map[string]string{mark: "z"}
		err := writeUpper(t.Context(), dir, tar.NewWriter(io.Discard), attribute)
		if err == nil || !strings.HasPrefix(err.Error(), words) {
			t.Errorf("got %v, want %s", err, words)
		}
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if value, err := fileAttribute(f, "user.none"); value != "" || err != nil {
		t.Errorf("got %q, %v", value, err)
	}
}

func TestUpper(t *testing.T) {
	const mounts = `22 1 0:20 / /proc rw - proc proc rw
30 1 0:40 / /my\040box/merged rw,relatime shared:1 - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/far/my\040diff,workdir=/w
31 1 0:41 / /read/only ro - overlay overlay ro,lowerdir=/l1:/l2
32 1 0:42 / /o/1/merged rw - overlay overlay rw,lowerdir=l/A,upperdir=1/diff,workdir=1/work
33 1 0:43 / /data rw - ext4 /dev/sda1 rw,upperdir=/x
`
	for path, want := range map[string]string{
		"/my box/merged": "/far/my diff", "/read/only": "", "/o/1/merged": "1/diff", "/data": "", "/": "",
	} {
		if got := upperOf(bufio.NewScanner(strings.NewReader(mounts)), path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"docker/diff", "docker/merged", "docker/work", "podman/diff", "by hand/upper", "by hand/work", "other/diff", "other/merged/x"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/podman/link", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"docker/merged": "docker/diff", "docker/diff": "docker/diff", "docker/work": "", "podman/diff": "podman/diff",
		"by hand/upper": "by hand/upper", "other/diff": "", "other": "", "none/merged": "",
	} {
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got, err := Upper(filepath.Join(dir, path)); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
}
