//go:build unix

package report

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"fathom/analyzer/proctest"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// holds checks that dir has exactly the wanted files.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := want[e.Name()]; !ok {
			t.Errorf("%s is left in the folder", e.Name())
		}
	}
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != content {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, content)
		}
	}
}

func TestWriteFile(t *testing.T) { proctest.Alone(t, func() { writeFile(t) }) }

// writeFile tests WriteFile. It changes the umask of this process.
func writeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	unix.Umask(0o027)
	for _, content := range []string{"one", "two"} {
		if err := WriteFile(t.Context(), path, text(content)); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, map[string]string{"r.json": content})
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v %v, want what the umask leaves", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(t.Context(), path, text("three")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o604 {
		t.Errorf("mode %v %v, want the one it had", info.Mode(), err)
	}
}

func TestWriteFileWholeOrNotAtAll(t *testing.T) {
	broken := errors.New("broken")
	half := func(w io.Writer) error {
		if err := text("half")(w); err != nil {
			return err
		}
		return broken
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	if err := WriteFile(t.Context(), path, half); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	holds(t, dir, nil)
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(t.Context(), path, half); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	holds(t, dir, map[string]string{"r.json": "before"})

	why := errors.New("interrupted")
	for name, write := range map[string]func(context.CancelCauseFunc) func(io.Writer) error{
		"while it is written": func(cancel context.CancelCauseFunc) func(io.Writer) error {
			return func(w io.Writer) error {
				if err := text("ha")(w); err != nil {
					return err
				}
				cancel(why)
				return text("lf")(w)
			}
		},
		"after the last byte": func(cancel context.CancelCauseFunc) func(io.Writer) error {
			return func(w io.Writer) error { defer cancel(why); return text("whole")(w) }
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		if err := WriteFile(ctx, path, write(cancel)); !errors.Is(err, why) {
			t.Errorf("%s: got %v", name, err)
		}
		holds(t, dir, map[string]string{"r.json": "before"})
	}
}

func TestWriteFileThroughLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(t.Context(), link, text("after")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"target": "after", "link": "after"})
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v %v: the link is gone", info, err)
	}
}

func TestWriteFileToWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile(t.Context(), os.DevNull, text("x")); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%v %v: the device was replaced", info, err)
	}
	if err := WriteFile(t.Context(), "/dev/full", text("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v, want no space left", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		b, err := os.ReadFile(pipe)
		got <- string(b)
		if err != nil {
			t.Error(err)
		}
	}()
	if err := WriteFile(t.Context(), pipe, text("through")); err != nil {
		t.Error(err)
	}
	if s := <-got; s != "through" {
		t.Errorf("got %q through the pipe", s)
	}
}

func TestWriteFileErrors(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                               "writing " + dir + ": it is a directory",
		filepath.Join(dir, "none/r.json"): "writing " + filepath.Join(dir, "none/r.json") + ": no such file or directory",
	} {
		if err := WriteFile(t.Context(), path, text("x")); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	holds(t, dir, nil)
}

// TestWriteFileThroughLinkToNothing checks that a symlink to a missing file remains a
// symlink.
func TestWriteFileThroughLinkToNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "next", "next": "sub/r.json", "circle": "circle"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(t.Context(), filepath.Join(dir, "link"), text("one")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(filepath.Join(dir, "link")); err != nil || got != "next" {
		t.Errorf("the link leads to %q, %v; want it as it was", got, err)
	}
	holds(t, filepath.Join(dir, "sub"), map[string]string{"r.json": "one"})
	if err := WriteFile(t.Context(), filepath.Join(dir, "circle"), text("one")); err == nil {
		t.Error("writing through a circle of links: no error")
	}
}
