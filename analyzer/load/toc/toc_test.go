package toc

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// built is a layer made by a tool, with the annotations it is pushed with.
type built struct {
	blob        []byte
	annotations map[string]string
}

func (b built) place(t testing.TB) *Place {
	t.Helper()
	p, err := Find(b.annotations, int64(len(b.blob)))
	if err != nil || p == nil {
		t.Fatalf("finding the table: %v, %v", p, err)
	}
	return p
}

func (b built) open(t testing.TB) *Table {
	t.Helper()
	table, err := Open(t.Context(), b.place(t), b.ranges)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// ranges returns the bytes from off to the end of the blob, more than n, as servers
// may do.
func (b built) ranges(_ context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n <= 0 || off > int64(len(b.blob))-n {
		return nil, fmt.Errorf("no bytes %d to %d of %d", off, off+n, len(b.blob))
	}
	return io.NopCloser(bytes.NewReader(b.blob[off:])), nil
}

// fromTar returns the entries read from the layer's tar.
func (b built) fromTar(t testing.TB) *layer.Diff {
	t.Helper()
	d, err := layer.Read(t.Context(), b.asBlob(), layer.Options{Digest: imagetest.Digest(b.blob)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (b built) asBlob() layer.Blob {
	return layer.Blob{Size: int64(len(b.blob)), Stream: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.blob)), nil
	}}
}

// writers make a layer with a table of contents from a tar.
var writers = []struct {
	name string
	make func(tar []byte) (built, error)
}{
	{"estargz in order", func(tar []byte) (built, error) { return appended(tar, func(*estargz.Writer) {}) }},
	{"estargz of small chunks", func(tar []byte) (built, error) {
		return appended(tar, func(w *estargz.Writer) { w.ChunkSize = 7 })
	}},
	{"estargz of shared members", func(tar []byte) (built, error) {
		return appended(tar, func(w *estargz.Writer) { w.ChunkSize, w.MinChunkSize = 7, 400 })
	}},
	{"estargz sorted", func(tar []byte) (built, error) { return sorted(tar) }},
	{"zstd:chunked of stargz", func(tar []byte) (built, error) {
		meta := map[string]string{}
		b, err := sorted(tar, estargz.WithChunkSize(64), estargz.WithCompression(&compression{
			Compressor: &zstdchunked.Compressor{CompressionLevel: zstd.SpeedDefault, Metadata: meta},
		}))
		maps.Copy(b.annotations, meta)
		return b, err
	}},
}

// appended makes an eStargz layer that keeps the order of the tar's entries.
func appended(tar []byte, set func(*estargz.Writer)) (built, error) {
	var out bytes.Buffer
	w := estargz.NewWriter(&out)
	set(w)
	if err := w.AppendTar(bytes.NewReader(tar)); err != nil {
		return built{}, err
	}
	d, err := w.Close()
	return built{out.Bytes(), map[string]string{estargz.TOCJSONDigestAnnotation: d.String()}}, err
}

type compression struct {
	*zstdchunked.Compressor
	*zstdchunked.Decompressor
}

// sorted makes a layer as nerdctl and buildkit do: with landmarks, and prefetched
// files first.
func sorted(tar []byte, opt ...estargz.Option) (built, error) {
	r := bytes.NewReader(tar)
	b, err := estargz.Build(io.NewSectionReader(r, 0, r.Size()), opt...)
	if err != nil {
		return built{annotations: map[string]string{}}, err
	}
	defer b.Close()
	blob, err := io.ReadAll(b)
	annotations := map[string]string{estargz.TOCJSONDigestAnnotation: b.TOCDigest().String()}
	return built{blob, annotations}, err
}

// without maps images that can't have a complete table to the error that says so.
var without = map[string]string{
	"sparse-overwritten": "unsupported input tar entry",
	"name-not-utf8":      "is not valid UTF-8",
	"sparse":             "error copying",
}

func TestListsWhatTheTarHolds(t *testing.T) {
	for _, w := range writers {
		t.Run(w.name, func(t *testing.T) {
			for _, name := range imagetest.Some(t) {
				img := imagetest.Load(t, name)
				for i := range img.Layers {
					tar := img.LayerTar(i)
					if len(tar) > 256<<10 { // of chunks of seven bytes; it has no shape that others lack
						continue
					}
					b, err := w.make(tar)
					var table *Table
					if err == nil {
						table, err = Open(t.Context(), b.place(t), b.ranges)
					}
					if says := without[name]; says != "" && err != nil && strings.Contains(err.Error(), says) {
						continue
					}
					if err != nil {
						t.Errorf("%s, layer %d: %v", name, i, err)
						continue
					}
					checkTable(t, fmt.Sprintf("%s, layer %d", name, i), b, table)
				}
			}
		})
	}
}

// checkTable compares the table with the tar of the same blob, including the
// content of all files.
func checkTable(t *testing.T, name string, b built, table *Table) {
	t.Helper()
	want := b.fromTar(t)
	got, err := table.Diff(t.Context(), layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entries(want), entries(got)); diff != "" {
		t.Errorf("%s: entries (-tar +table)\n%s", name, diff)
		return
	}
	if diff := cmp.Diff(want.Warnings, got.Warnings); diff != "" {
		t.Errorf("%s: warnings (-tar +table)\n%s", name, diff)
	}
	if got.Stored != want.Stored {
		t.Errorf("%s: stored %d, want %d", name, got.Stored, want.Stored)
	}
	for i := range want.Len() {
		e := got.At(i)
		if e.Kind != layer.File {
			continue
		}
		w := readContent(t, b.asBlob(), want.At(i))
		g, err := readAll(t.Context(), table, e)
		if err != nil || !bytes.Equal(w, g) {
			t.Errorf("%s: content of %s: got %q, %v; want %q", name, e.Path, g, err, w)
		}
		if s := imagetest.Digest(w); !strings.HasPrefix(s.Hex, fmt.Sprintf("%x", e.Hash[:])) {
			t.Errorf("%s: hash of %s: got %x, want the beginning of %s", name, e.Path, e.Hash, s)
		}
	}
}

// entries returns the entries of d without the fields that differ between a table
// and a tar.
func entries(d *layer.Diff) []layer.Entry {
	var es []layer.Entry
	for i := range d.Len() {
		e := *d.At(i)
		e.Offset, e.Hash, e.FromTable = 0, layer.Hash{}, false
		es = append(es, e)
	}
	return es
}

func readContent(t *testing.T, b layer.Blob, e *layer.Entry) []byte {
	t.Helper()
	r, err := layer.Content(t.Context(), b, e)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readAll(ctx context.Context, table *Table, e *layer.Entry) ([]byte, error) {
	r, err := table.Open(ctx, e)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// TestListsWhatPodmanWrites reads layers of old and current versions of podman,
// buildah and skopeo (testdata/README.md).
func TestListsWhatPodmanWrites(t *testing.T) {
	for _, name := range []string{"skopeo-1.9", "storage-1.59"} {
		t.Run(name, func(t *testing.T) {
			b := stored(t, name)
			table := b.open(t)
			checkTable(t, name, b, table)
			d, err := table.Diff(t.Context(), layer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int64{"etc/motd": 6, "usr/bin/holes": 13209, "usr/bin/zeros": 3000, "etc/ünïcode name": 2, "etc/empty": 0}
			for i := range d.Len() {
				e := d.At(i)
				if size, ok := want[e.Path]; ok && (e.Kind != layer.File || e.Size != size) {
					t.Errorf("%s: a %s of %d bytes, want a file of %d", e.Path, e.Kind, e.Size, size)
				}
				delete(want, e.Path)
			}
			if len(want) > 0 {
				t.Errorf("not listed: %v", want)
			}
		})
	}
}

// stored reads a blob from testdata.
func stored(t testing.TB, name string) built {
	t.Helper()
	blob, err := os.ReadFile(filepath.Join("testdata", name+".zst"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	b := built{blob: blob}
	if err := json.Unmarshal(text, &b.annotations); err != nil {
		t.Fatal(err)
	}
	return b
}

// Files opened in the order of the blob take fewer requests than files. A file
// opened alone fetches only its own bytes.
func TestReadsAheadWhereThereIsAnOrder(t *testing.T) {
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	r := rand.New(rand.NewPCG(1, 1))
	const n, size = 1000, 2000
	for i := range n {
		w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%04d", i), Mode: 0o644, Size: size})
		for range size / 8 {
			binary.Write(w, binary.LittleEndian, r.Uint64())
		}
	}
	w.Close()
	b, err := appended(files.Bytes(), func(*estargz.Writer) {})
	if err != nil {
		t.Fatal(err)
	}
	requests := 0
	open := func() (*Table, *layer.Diff) {
		table, err := Open(t.Context(), b.place(t), func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			requests++
			return b.ranges(ctx, off, n)
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := table.Diff(t.Context(), layer.Options{})
		if err != nil || d.Len() != n+1 { // +1: the table itself
			t.Fatalf("%d entries, %v", d.Len(), err)
		}
		requests = 0
		return table, d
	}
	check := func(table *Table, e *layer.Entry) {
		t.Helper()
		data, err := readAll(t.Context(), table, e)
		if err != nil || !strings.HasPrefix(imagetest.Digest(data).Hex, fmt.Sprintf("%x", e.Hash[:])) {
			t.Fatalf("%s: %d bytes, %v", e.Path, len(data), err)
		}
	}

	table, d := open()
	before := table.Fetched()
	for i := range n / 2 { // two sequences, read in turn
		check(table, d.At(i))
		check(table, d.At(n/2+i))
	}
	if all := int64(len(b.blob)); requests > 14 || table.Fetched()-before > 2*all {
		t.Errorf("%d requests, %d bytes fetched of %d", requests, table.Fetched()-before, all)
	}

	table, d = open()
	before = table.Fetched()
	for _, i := range []int{900, 100, 500} {
		check(table, d.At(i))
	}
	if got := table.Fetched() - before; requests != 3 || got > 3*(size+1000) {
		t.Errorf("%d requests and %d bytes for three files of %d", requests, got, size)
	}
}
