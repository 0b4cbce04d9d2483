//go:build unix

package load

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// TestBadFolders opens invalid folders.
func TestBadFolders(t *testing.T) {
	img := imagetest.Must(t, sample)
	blob := "blobs/sha256/" + digestOf(img.LayerTar(1)).hex
	tests := []struct {
		name  string
		make  func(dir string) error
		words []string
	}{
		{"empty", func(dir string) error { os.RemoveAll(dir); return os.Mkdir(dir, 0o777) }, []string{"an empty folder"}},
		{"no index", func(dir string) error { return os.Remove(dir + "/index.json") }, []string{"oci-layout but no index.json"}},
		{"no metadata", func(dir string) error {
			return errors.Join(os.Remove(dir+"/index.json"), os.Remove(dir+"/oci-layout"))
		}, []string{"a folder with neither"}},
		{"pipe", func(dir string) error {
			return errors.Join(os.Remove(dir+"/"+blob), syscall.Mkfifo(dir+"/"+blob, 0o666))
		}, []string{"layer 1 (", "is a named pipe"}},
		{"endless device", func(dir string) error {
			return errors.Join(os.Remove(dir+"/"+blob), os.Symlink("/dev/zero", dir+"/"+blob))
		}, []string{"layer 1 (", "is a device"}},
		{"index is a pipe", func(dir string) error {
			return errors.Join(os.Remove(dir+"/index.json"), syscall.Mkfifo(dir+"/index.json", 0o666))
		}, []string{"reading index.json", "is a named pipe"}},
		{"cut blob", func(dir string) error { return os.Truncate(dir+"/"+blob, 100) }, []string{"layer 1 (", "it has 100 bytes, its descriptor says"}},
		{"missing blob", func(dir string) error { return os.Remove(dir + "/" + blob) }, []string{"are missing: " + blob}},
		{"loop", func(dir string) error {
			return errors.Join(os.Remove(dir+"/"+blob), os.Symlink(filepath.Base(blob), dir+"/"+blob))
		}, []string{"too many levels of symbolic links"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folderOf(t, img.OCI())
			if err := tt.make(dir); err != nil {
				t.Fatal(err)
			}
			wantError(t, dir, Options{}, tt.words...)
		})
	}
}

// TestLinksOutside opens a layout whose blobs are links to files elsewhere.
func TestLinksOutside(t *testing.T) {
	img := imagetest.Must(t, sample)
	dir, cache := folderOf(t, img.OCI(imagetest.Gzip)), t.TempDir()
	blobs, err := os.ReadDir(dir + "/blobs/sha256")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		name := dir + "/blobs/sha256/" + b.Name()
		if err := errors.Join(os.Rename(name, cache+"/"+b.Name()), os.Symlink(cache+"/"+b.Name(), name)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, openImage(t, dir, Options{}), img)
}

// TestChanged checks that Check reports a file that was written after it was opened.
func TestChanged(t *testing.T) {
	img := imagetest.Must(t, sample)
	whole := img.DockerArchive().Tar()
	path := write(t, "x", whole)
	opened, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := opened.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if err := opened.Check(); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("got %v, want that the file changed", err)
	}
	dir := folderOf(t, img.OCI())
	opened, err = Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := os.Chtimes(dir+"/blobs/sha256/"+digestOf(img.LayerTar(1)).hex, time.Time{}, time.Unix(5, 0)); err != nil {
		t.Fatal(err)
	}
	if err := opened.Check(); err == nil || !strings.Contains(err.Error(), "and now is 1970-01-01 00:00:05.") {
		t.Errorf("got %v, want the layer's time before and now", err)
	}
}

// TestStreams opens standard inputs that never become a complete tar.
func TestStreams(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	wantError(t, "/dev/zero", Options{}, "a device, not a file or folder")
	wantError(t, "-", Options{Stdin: zero}, "neither a pipe nor a file")
	wantError(t, "-", Options{Stdin: struct{ io.Reader }{zero}}, "nothing but zero bytes")
	wantError(t, "-", Options{}, "opening standard input")

	// An archive without an end.
	head := imagetest.Must(t, sample).DockerArchive().Tar()[:512]
	endless := io.MultiReader(bytes.NewReader(head), struct{ io.Reader }{zero})
	err = wantError(t, "-", Options{Stdin: endless, MaxTemp: 8 << 20}, "more than 8388608 bytes of temporary files")
	var limit *layer.QuotaError
	if !errors.As(err, &limit) {
		t.Errorf("got %T, want a QuotaError", err)
	}

	// A pipe without a writer, and a canceled context.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "-", Options{Stdin: r, Temp: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, pipe, Options{Temp: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

// TestPipe checks that a named pipe is read like standard input, with progress.
func TestPipe(t *testing.T) {
	img := imagetest.Must(t, sample)
	b := gzipped(t, img.DockerArchive().Tar())
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(pipe, b, 0o666)
	var progress analyzer.Progress
	same(t, openImage(t, pipe, Options{Progress: &progress}), img)
	tasks := progress.Tasks()
	if len(tasks) != 1 || !tasks[0].Done() || tasks[0].Read.Load() != int64(len(b)) || tasks[0].Total != 0 {
		t.Errorf("got tasks %+v, want one of %d bytes that is done", tasks, len(b))
	}
}

// TestTemp checks that the error names the temporary folder that can't be written.
func TestTemp(t *testing.T) {
	b := gzipped(t, imagetest.Must(t, sample).DockerArchive().Tar())
	dir := filepath.Join(t.TempDir(), "no")
	_, err := Open(t.Context(), write(t, "x", b), Options{Temp: dir})
	var temp *TempError
	if !errors.As(err, &temp) || temp.Dir != dir {
		t.Errorf("got %v, want a TempError for %s", err, dir)
	}
}

// repeating is a file that repeats one block without end.
type repeating []byte

func (r repeating) ReadAt(b []byte, off int64) (int, error) {
	for n := 0; n < len(b); {
		n += copy(b[n:], r[(off+int64(n))%int64(len(r)):])
	}
	return len(b), nil
}

// TestManyEntries checks that an archive with too many entries is refused.
func TestManyEntries(t *testing.T) {
	// A root filesystem may have any number of entries.
	block := imagetest.Tar([]imagetest.Entry{file("usr/x", "")})[:512]
	if _, err := index(t.Context(), repeating(block), 1<<50, 1000, nil); err != nil {
		t.Errorf("usr/x: %v", err)
	}
	for name, want := range map[string]string{"x": "over the limit of 1000 entries", "manifest.json": "over the limit of 1000 entries"} {
		block := imagetest.Tar([]imagetest.Entry{file(name, "")})[:512]
		_, err := index(t.Context(), repeating(block), 1<<50, 1000, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}
