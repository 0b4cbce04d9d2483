package layer

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"context"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// build returns a tar with the given headers. The content of a file is the
// letter 'c', Size times.
func build(t testing.TB, hs ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range hs {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte{'c'}, int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t testing.TB, p []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(p)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zs(t testing.TB, p []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(p, nil)
}

func xzed(t testing.TB, p []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(p)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bz returns a tar and the same tar compressed with bzip2. It reads them from
// testdata, because Go has no bzip2 compressor.
func bz(t testing.TB) (p, compressed []byte) {
	t.Helper()
	compressed, err := os.ReadFile("testdata/layer.tar.bz2")
	if err != nil {
		t.Fatal(err)
	}
	if p, err = io.ReadAll(bzip2.NewReader(bytes.NewReader(compressed))); err != nil {
		t.Fatal(err)
	}
	return p, compressed
}

// at returns a blob that can be read at offsets.
func at(p []byte) Blob { return Blob{At: bytes.NewReader(p), Size: int64(len(p))} }

// streamed returns a blob that is a stream.
func streamed(p []byte) Blob {
	return Blob{Size: int64(len(p)), Stream: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(p)), nil
	}}
}

func entries(d *Diff) []Entry {
	var es []Entry
	for i := range d.Len() {
		es = append(es, *d.At(i))
	}
	return es
}

// TestForms reads one tar in every form and checks that the entries are the
// same.
func TestForms(t *testing.T) {
	p := build(t,
		tar.Header{Name: "./", Typeflag: '5', Mode: 0o755},
		tar.Header{Name: "etc/", Typeflag: '5', Mode: 0o1777, Uid: 7, Gid: 8},
		tar.Header{Name: "etc/passwd", Typeflag: '0', Size: 1000, Mode: 0o4644},
		tar.Header{Name: "etc/link", Typeflag: '2', Linkname: "../../x"},
		tar.Header{Name: "etc/hard", Typeflag: '1', Linkname: "./etc/passwd"},
		tar.Header{Name: "big", Typeflag: '0', Size: 3 << 20},
		tar.Header{Name: "etc/.wh.gone", Typeflag: '0'},
		tar.Header{Name: "var/.wh..wh..opq", Typeflag: '0'},
	)
	want := []Entry{
		{Path: "", Kind: Dir, Mode: 0o755, Offset: 512},
		{Path: "etc", Kind: Dir, Mode: 0o1777, UID: 7, GID: 8, Offset: 1024},
		{Path: "etc/passwd", Kind: File, Size: 1000, Held: 1000, Mode: 0o4644, Offset: 1536},
		{Path: "etc/link", Kind: Symlink, Link: "../../x", Offset: 3072},
		{Path: "etc/hard", Kind: Link, Link: "etc/passwd", Offset: 3584},
		{Path: "big", Kind: File, Size: 3 << 20, Held: 3 << 20, Offset: 4096},
		{Path: "etc/gone", Kind: Whiteout, Offset: 4608 + 3<<20},
		{Path: "var", Kind: Opaque, Offset: 5120 + 3<<20},
	}
	for name, b := range map[string]Blob{
		"plain": at(p), "gzip": at(gz(t, p)), "zstd": at(zs(t, p)),
		"plain stream": streamed(p), "gzip stream": streamed(gz(t, p)), "zstd stream": streamed(zs(t, p)),
	} {
		d, err := Read(t.Context(), b, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := entries(d)
		for i := range got {
			if e := &got[i]; e.Hashed {
				h, err := Sum(t.Context(), at(p), e.Offset, e.Size)
				if err != nil || h != e.Hash {
					t.Errorf("%s: %s: hash %x, want %x (%v)", name, e.Path, e.Hash, h, err)
				}
				e.Hash, e.Hashed = Hash{}, false
			} else if e.Kind == File && name != "plain" {
				t.Errorf("%s: %s is not hashed", name, e.Path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		if d.Size != int64(len(p)) || d.Stored != 1000+3<<20 || d.Plain != (name == "plain") || len(d.Warnings) != 0 {
			t.Errorf("%s: got size %d, stored %d, plain %v, warnings %v", name, d.Size, d.Stored, d.Plain, d.Warnings)
		}
		for i := range d.Len() {
			if e := d.At(i); e.Kind == File {
				r, err := Content(t.Context(), b, e)
				if err != nil {
					t.Fatal(err)
				}
				c, err := io.ReadAll(r)
				if err != nil || int64(len(c)) != e.Size || len(bytes.Trim(c, "c")) != 0 {
					t.Errorf("%s: content of %s: %d bytes, %v", name, e.Path, len(c), err)
				}
				r.Close()
			}
		}
	}
}
