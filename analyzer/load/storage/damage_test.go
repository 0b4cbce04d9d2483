package storage

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fathom/analyzer/layer"
)

// damaged is a storage with an image of one layer, which a test damages.
type damaged struct {
	*testing.T
	*dockerRoot
	layer  []byte
	folder string
}

func newDamaged(t *testing.T) *damaged {
	h := &damaged{T: t, dockerRoot: newDocker(t)}
	h.layer = tarOf(t, regular("etc/a", []byte("hello")), regular("etc/deep/b", []byte("below")), regular("usr/large", large))
	h.add(t, then, map[string]string{"app:latest": "app"}, h.layer)
	h.folder = layerFolder(h.dockerRoot, 0)
	return h
}

// outside makes a file outside of the storage, like one of the layer; it must not be
// read.
func (h *damaged) outside(name, content string) string {
	dir := h.TempDir()
	file := filepath.Join(dir, name)
	write(h, file, []byte(content))
	h.must(os.Chtimes(file, then, then))
	return dir
}

func (h *damaged) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *damaged) file(name string) string { return h.layerFile([][]byte{h.layer}, 0, name) }

// records replaces the tar-split.
func (h *damaged) records(lines ...string) {
	write(h, h.file("tar-split.json.gz"), gzipped(h, []byte(strings.Join(lines, ""))))
}

// header is the record of raw bytes.
func header(raw []byte) string {
	return `{"type":2,"payload":"` + base64.StdEncoding.EncodeToString(raw) + `","position":0}` + "\n"
}

// TestDamage damages a storage in every way. Listing the entries must fail, with an *Error
// that names the file.
func TestDamage(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(h *damaged)
		path string // of the error, from its end
		want string // in the error
	}{
		{"file missing", func(h *damaged) { h.must(os.Remove(h.folder + "/etc/a")) }, "etc/a", "no such file"},
		{"folder missing", func(h *damaged) { h.must(os.RemoveAll(h.folder + "/etc/deep")) }, "etc/deep/b", "no such file"},
		{"size", func(h *damaged) {
			h.must(os.WriteFile(h.folder+"/etc/a", []byte("hello!"), 0o644))
			h.must(os.Chtimes(h.folder+"/etc/a", then, then))
		}, "etc/a", "it has 6 bytes, not 5"},
		{"time", func(h *damaged) { h.must(os.Chtimes(h.folder+"/etc/a", then, then.Add(time.Second))) }, "etc/a", "its modification time is 1600000001, not 1600000000"},
		{"folder in place of a file", func(h *damaged) {
			h.must(os.Remove(h.folder + "/etc/a"))
			h.must(os.Mkdir(h.folder+"/etc/a", 0o755))
		}, "etc/a", "not a regular file"},
		{"link in place of a file", func(h *damaged) {
			h.must(os.Remove(h.folder + "/etc/a"))
			h.must(os.Symlink(h.outside("a", "hello")+"/a", h.folder+"/etc/a"))
		}, "etc/a", "not a regular file"},
		{"link in place of a folder", func(h *damaged) {
			h.must(os.RemoveAll(h.folder + "/etc/deep"))
			h.must(os.Symlink(h.outside("b", "below"), h.folder+"/etc/deep"))
		}, "etc/deep/b", "a symlink in its path"},
		{"link upwards", func(h *damaged) {
			write(h, h.folder+"/../b", []byte("below"))
			h.must(os.Chtimes(h.folder+"/../b", then, then))
			h.must(os.RemoveAll(h.folder + "/etc/deep"))
			h.must(os.Symlink("../..", h.folder+"/etc/deep"))
		}, "etc/deep/b", "a symlink in its path"},
		{"records cut", func(h *damaged) {
			z, err := os.ReadFile(h.file("tar-split.json.gz"))
			h.must(err)
			write(h, h.file("tar-split.json.gz"), z[:len(z)-12])
		}, "tar-split.json.gz", "unexpected EOF"},
		{"records end in a line", func(h *damaged) { h.records(header(h.layer[:512]), `{"type":1,"na`) }, "tar-split.json.gz", "unexpected EOF"},
		{"records end early", func(h *damaged) { h.records(header(h.layer[:512])) }, "tar-split.json.gz", "unexpected end"},
		{"no end marker", func(h *damaged) {
			h.records(header(h.layer[:512]), `{"type":1,"name":"etc/a","size":5,"payload":null,"position":1}`+"\n", header(h.layer[517:1024]))
		}, "tar-split.json.gz", "there is no end marker"},
		{"no records", func(h *damaged) { h.records() }, "tar-split.json.gz", "no end marker"},
		{"garbage", func(h *damaged) { h.records(header(h.layer[:512]), "garbage\n") }, "tar-split.json.gz", "record 1: invalid character"},
		{"garbage in base64", func(h *damaged) { h.records(header(h.layer[:512]), `{"type":2,"payload":"????","position":0}`+"\n") }, "tar-split.json.gz", "base64"},
		{"no header", func(h *damaged) { h.records(header(h.layer[512:1024])) }, "tar-split.json.gz", "entry at byte 0"},
		{"negative size", func(h *damaged) {
			h.records(header(h.layer[:512]), `{"type":1,"name":"etc/a","size":-5,"payload":null,"position":1}`+"\n")
		}, "tar-split.json.gz", "the size of a file is -5"},
		{"endless size", func(h *damaged) {
			size := `{"type":1,"name":"etc/a","size":4611686018427387904,"payload":null,"position":1}` + "\n"
			h.records(header(h.layer[:512]), size, size)
		}, "tar-split.json.gz", "too much"},
		{"another size", func(h *damaged) {
			h.records(header(h.layer[:512]), `{"type":1,"name":"etc/a","size":6,"payload":null,"position":1}`+"\n", header(h.layer[517:]))
		}, "tar-split.json.gz", "entry at byte"},
		{"another type", func(h *damaged) { h.records(`{"type":3,"payload":"","position":0}` + "\n") }, "tar-split.json.gz", "its type is 3"},
		{"a bomb", func(h *damaged) {
			h.records(header(h.layer[:512]), strings.Repeat(" ", maxLine+100<<10))
		}, "tar-split.json.gz", "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newDamaged(t)
			tt.make(h)
			img, err := Docker(h.dir, "app")
			if err == nil {
				defer img.Close()
				l := img.Layers[0]
				_, err = layer.Read(t.Context(), l.Blob, layer.Options{DiffID: l.DiffID})
				var damage *Error
				if !errors.As(err, &damage) || damage.Layer != 0 || !strings.HasSuffix(damage.Path, tt.path) {
					t.Fatalf("got %v, want an *Error at %s", err, tt.path)
				}
				// Reading everything without a list must fail as well.
				_, verified := layer.Read(t.Context(), l.Blob, layer.Options{DiffID: l.DiffID, Verify: true})
				if verified == nil && tt.name != "time" {
					t.Error("the layer was verified nevertheless")
				}
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestNamesOutside has records whose names lead out of the layer's folder.
func TestNamesOutside(t *testing.T) {
	for _, name := range []string{"../../secret", "/../../../secret", "etc/../../../secret"} {
		h := newDamaged(t)
		write(t, h.dir+"/secret", []byte("hello"))
		write(t, h.dir+"/overlay2/secret", []byte("hello"))
		h.records(header(h.layer[:512]), `{"type":1,"name":"`+name+`","size":5,"payload":null,"position":1}`+"\n", header(h.layer[517:1024]),
			header(make([]byte, 1024)))
		img, err := Docker(h.dir, "app")
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		var damage *Error
		p := make([]byte, 5)
		if _, err := img.Layers[0].Blob.At.ReadAt(p, 512); !errors.As(err, &damage) || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("%s: got %q, %v; want that there is no such file", name, p, err)
		}
	}
}

// TestChangedLater changes files after they were checked.
func TestChangedLater(t *testing.T) {
	h := newDamaged(t)
	img, err := Docker(h.dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	l := img.Layers[0]
	d, err := layer.Read(t.Context(), l.Blob, layer.Options{DiffID: l.DiffID})
	if err != nil {
		t.Fatal(err)
	}
	h.must(os.Truncate(h.folder+"/usr/large", 100))
	h.must(os.Remove(h.folder + "/etc/a"))
	for i := range d.Len() {
		e := d.At(i)
		var damage *Error
		_, err := layer.Sum(t.Context(), l.Blob, e.Offset, e.Size)
		if e.Path == "etc/deep/b" {
			if err != nil {
				t.Error(err)
			}
		} else if !errors.As(err, &damage) || damage.Path != e.Path {
			t.Errorf("%s: got %v, want an *Error", e.Path, err)
		}
	}
}

// TestCheck removes or replaces parts of an image while it is open.
func TestCheck(t *testing.T) {
	for name, change := range map[string]func(h *damaged, id string){
		"config removed": func(h *damaged, id string) { h.must(os.Remove(h.image("imagedb", "content", "sha256", id))) },
		"layer removed":  func(h *damaged, _ string) { h.must(os.RemoveAll(h.folder)) },
		"layer replaced": func(h *damaged, _ string) {
			h.must(os.Rename(h.folder, h.folder+"-"))
			h.must(os.Mkdir(h.folder, 0o755))
		},
		"records changed": func(h *damaged, _ string) { h.records("garbage") },
	} {
		h := newDamaged(t)
		img, err := Docker(h.dir, "app")
		if err != nil {
			t.Fatal(err)
		}
		if err := img.Check(); err != nil {
			t.Errorf("%s: before: %v", name, err)
		}
		change(h, img.ID.Hex)
		var damage *Error
		if err := img.Check(); !errors.As(err, &damage) || damage.Layer != -1 {
			t.Errorf("%s: got %v, want an *Error", name, err)
		}
		img.Close()
	}
}

// TestIncomplete opens images of which something is missing.
func TestIncomplete(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(h *damaged)
		want string
	}{
		{"no tar-split", func(h *damaged) { h.must(os.Remove(h.file("tar-split.json.gz"))) }, "layer 0 has no tar-split"},
		{"empty tar-split", func(h *damaged) { write(h, h.file("tar-split.json.gz"), nil) }, "unexpected EOF"},
		{"not packed", func(h *damaged) { write(h, h.file("tar-split.json.gz"), []byte("garbage, and not a little")) }, "gzip: invalid header"},
		{"no folder", func(h *damaged) { h.must(os.RemoveAll(h.folder)) }, "layer 0 has no folder"},
		{"link in place of the folder", func(h *damaged) {
			h.must(os.RemoveAll(h.folder))
			h.must(os.Symlink(h.outside("x", ""), h.folder))
		}, "layer 0 is incomplete"},
		{"no layer", func(h *damaged) { h.must(os.RemoveAll(filepath.Dir(h.file("diff")))) }, "layer 0 is not in the storage"},
		{"a lying diff ID", func(h *damaged) { write(h, h.file("diff"), []byte("sha256:"+hexOf(nil))) }, "the config says"},
		{"a path for a folder", func(h *damaged) { write(h, h.file("cache-id"), []byte("../../../etc")) }, `its folder is called "../../../etc"`},
		{"the folder itself", func(h *damaged) { write(h, h.file("cache-id"), []byte("..")) }, `its folder is called ".."`},
		{"a changed config", func(h *damaged) {
			id := hexOf(configOf(h, then, h.layer))
			write(h, h.image("imagedb", "content", "sha256", id), []byte("{}"))
		}, "is damaged"},
		{"broken names", func(h *damaged) { write(h, h.image("repositories.json"), []byte("{")) }, "unexpected end of JSON"},
		{"long names", func(h *damaged) { write(h, h.image("repositories.json"), bytes.Repeat([]byte{' '}, maxDocument+1)) }, "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newDamaged(t)
			tt.make(h)
			img, err := Docker(h.dir, "app")
			if err == nil {
				img.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestLyingDiffID has a layer whose records are right but whose content is not: only
// verifying finds it.
func TestLyingDiffID(t *testing.T) {
	h := newDamaged(t)
	h.must(os.WriteFile(h.folder+"/etc/a", []byte("HELLO"), 0o644))
	h.must(os.Chtimes(h.folder+"/etc/a", then, then))
	img, err := Docker(h.dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	l := img.Layers[0]
	if _, err := layer.Read(t.Context(), l.Blob, layer.Options{DiffID: l.DiffID}); err != nil {
		t.Error(err)
	}
	if _, err := layer.Read(t.Context(), l.Blob, layer.Options{DiffID: l.DiffID, Verify: true}); err == nil || !strings.Contains(err.Error(), "diff ID") {
		t.Errorf("got %v, want that the diff ID is another", err)
	}
}

func TestInterrupted(t *testing.T) {
	h := newDamaged(t)
	img, err := Docker(h.dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var damage *Error
	if _, err := layer.Read(ctx, img.Layers[0].Blob, layer.Options{}); !errors.Is(err, context.Canceled) || errors.As(err, &damage) {
		t.Errorf("got %v, want that it was interrupted", err)
	}
}

// TestBomb has records that decompress to far more than their own size, without end.
func TestBomb(t *testing.T) {
	line := []byte(`{"type":2,"payload":"` + strings.Repeat("AAAA", 10_000) + `","position":0}` + "\n")
	packed := gzipped(t, bytes.Repeat(line, 100))
	members := make([]io.Reader, 300) // more than the limit, from few bytes
	for i := range members {
		members[i] = bytes.NewReader(packed)
	}
	s, err := newRecords(io.MultiReader(members...))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var r record
	for err == nil {
		err = s.next(&r)
	}
	if !strings.Contains(err.Error(), "decompresses to more than") {
		t.Errorf("got %v, want that it decompresses to too much", err)
	}
}

func TestDenied(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("may read everything")
	}
	h := newDamaged(t)
	h.must(os.Chmod(h.dir+"/image", 0))
	t.Cleanup(func() { h.must(os.Chmod(h.dir+"/image", 0o755)) })
	var denied *DeniedError
	if _, err := Docker(h.dir, "app"); !errors.As(err, &denied) || denied.Path != h.dir+"/image" || denied.Who == "" {
		t.Errorf("got %v, want who may read the folder", err)
	}
}
