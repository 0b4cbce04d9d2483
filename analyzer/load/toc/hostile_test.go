package toc

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// hello is the gzip member that the tables of these tests describe.
var hello = gzipped([]byte("hello"))

var helloSum = hexed("hello")

func hexed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func gzipped(p []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(p)
	w.Close()
	return b.Bytes()
}

// lying returns a blob of the gzip member hello and a table of these entries, whose
// digest is in the manifest.
func lying(entries string) built {
	return withTable(`{"version":1,"entries":[` + entries + `]}`)
}

func withTable(text string) built {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "stargz.index.json", Size: int64(len(text))})
	io.WriteString(w, text)
	w.Close()
	blob := append(bytes.Clone(hello), gzipped(packed.Bytes())...)
	blob = append(blob, footerFor(len(hello))...)
	return built{blob, map[string]string{stargzDigest: hexed(text)}}
}

// footerFor returns the footer for a table at byte off: an empty gzip member with
// an extra field (docs/estargz.md of stargz-snapshotter).
func footerFor(off int) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
	text := fmt.Sprintf("%016xSTARGZ", off)
	w.Extra = append([]byte{'S', 'G', byte(len(text)), 0}, text...)
	w.Close()
	return b.Bytes()
}

func reg(name string, size int, more string) string {
	return fmt.Sprintf(`{"name":%q,"type":"reg","size":%d,"mode":420,"offset":1%s}`, name, size, more)
}

var oneFile = fmt.Sprintf(`{"name":"a","type":"reg","size":5,"chunkDigest":%q}`, helloSum)

func TestReadsAWrittenTable(t *testing.T) {
	b := lying(oneFile + `,{"name":"./a/../b/","type":"dir","mode":493,"modtime":"2023-11-14T22:13:20Z"},{"name":".wh.c","type":"reg"}`)
	table := b.open(t)
	d, err := table.Diff(t.Context(), layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	index, err := table.unpack()
	if err != nil {
		t.Fatal(err)
	}
	want := []layer.Entry{
		{Path: "a", Size: 5, Held: 5, Hashed: true},
		{Path: "b", Kind: layer.Dir, Mode: 0o755, ModTime: 1700000000},
		{Path: "c", Kind: layer.Whiteout},
		{Path: "stargz.index.json", Size: int64(len(index)), Held: int64(len(index)), Hashed: true},
	}
	if diff := cmp.Diff(want, entries(d)); diff != "" {
		t.Error(diff)
	}
	if got, err := readAll(t.Context(), table, d.At(0)); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, least := table.Fetched(), int64(len(b.blob)); got != least {
		t.Errorf("fetched %d bytes of %d, each of which was needed once", got, least)
	}
	again, err := table.Diff(t.Context(), layer.Options{})
	if diff := cmp.Diff(entries(d), entries(again)); diff != "" || err != nil {
		t.Errorf("the second time: %v\n%s", err, diff)
	}
}

// A table that can't be true is an error; the caller then reads the layer.
func TestTablesThatLie(t *testing.T) {
	digest := `,"chunkDigest":"` + helloSum + `"`
	chunk := func(more string) string { return `{"name":"a","type":"chunk","offset":1` + digest + more + `}` }
	for name, text := range map[string]string{
		"version 2":               `{"version":2,"entries":[]}`,
		"no version":              `{"entries":[]}`,
		"no entries":              `{"version":1}`,
		"two lists":               `{"version":1,"entries":[],"entries":[]}`,
		"no object":               `[]`,
		"no JSON":                 `x`,
		"cut":                     `{"version":1,"entries":[` + oneFile,
		"entries no list":         `{"version":1,"entries":{}}`,
		"deep":                    `{"version":1,"x":` + strings.Repeat("[", 1<<20) + `}`,
		"negative size":           entryTable(`{"name":"a","type":"reg","size":-1}`),
		"negative size of a dir":  entryTable(`{"name":"a","type":"dir","size":-1}`),
		"size over int64":         entryTable(`{"name":"a","type":"reg","size":9223372036854775808}`),
		"huge size":               entryTable(reg("a", 1<<62, digest)),
		"sizes that overflow":     entryTable(reg("a", 1<<62, digest) + strings.Repeat(","+reg("b", 1<<62, digest), 3)),
		"negative offset":         entryTable(`{"name":"a","type":"reg","size":5,"offset":-1` + digest + `}`),
		"offset beyond the layer": entryTable(`{"name":"a","type":"reg","size":5,"offset":99999` + digest + `}`),
		"offset in the table":     entryTable(fmt.Sprintf(`{"name":"a","type":"reg","size":5,"offset":%d%s}`, len(hello), digest)),
		"negative inner offset":   entryTable(reg("a", 5, digest+`,"innerOffset":-1`)),
		"huge inner offset":       entryTable(reg("a", 5, digest+`,"innerOffset":9223372036854775807`)),
		"negative chunk size":     entryTable(reg("a", 5, digest+`,"chunkSize":-1`)),
		"chunk larger than file":  entryTable(reg("a", 5, digest+`,"chunkSize":6`)),
		"chunks too short":        entryTable(reg("a", 5, digest+`,"chunkSize":2,"digest":"`+helloSum+`"`)),
		"chunks overlap":          entryTable(reg("a", 5, digest+`,"chunkSize":3,"digest":"`+helloSum+`"`) + "," + chunk(`,"chunkOffset":2`)),
		"chunks with a gap":       entryTable(reg("a", 5, digest+`,"chunkSize":2,"digest":"`+helloSum+`"`) + "," + chunk(`,"chunkOffset":3`)),
		"a chunk too many":        entryTable(reg("a", 5, digest) + "," + chunk(`,"chunkOffset":5`)),
		"a chunk of nothing":      entryTable(chunk("")),
		"a chunk of a dir":        entryTable(`{"name":"d","type":"dir"},` + chunk("")),
		"chunks without digest":   entryTable(reg("a", 5, digest+`,"chunkSize":2`) + "," + chunk(`,"chunkOffset":2`)),
		"no digest":               entryTable(reg("a", 5, "")),
		"sha512":                  entryTable(reg("a", 5, `,"chunkDigest":"sha512:`+strings.Repeat("0", 128)+`"`)),
		"digest no hex":           entryTable(reg("a", 5, `,"chunkDigest":"sha256:`+strings.Repeat("z", 64)+`"`)),
		"unknown type":            entryTable(`{"name":"a","type":"socket"}`),
		"no type":                 entryTable(`{"name":"a"}`),
		"unknown chunk type":      entryTable(reg("a", 5, digest+`,"chunkType":"ones"`)),
		"NUL":                     entryTable(`{"name":"a\u0000b","type":"dir"}`),
		"NUL in a target":         entryTable(`{"name":"a","type":"symlink","linkName":"\u0000"}`),
		"not UTF-8":               entryTable("{\"name\":\"a\xff\",\"type\":\"dir\"}"),
		"half a character":        entryTable(`{"name":"a\ud800","type":"dir"}`),
		"attribute not UTF-8":     entryTable("{\"name\":\"a\",\"type\":\"dir\",\"xattrs\":{\"\xff\":\"\"}}"),
		"attribute no base64":     entryTable(`{"name":"a","type":"dir","xattrs":{"user.a":"!"}}`),
		"long name":               entryTable(`{"name":"` + strings.Repeat("x", maxName+1) + `","type":"dir"}`),
		"time":                    entryTable(`{"name":"a","type":"dir","modtime":"yesterday"}`),
		"user no number":          entryTable(`{"name":"a","type":"dir","uid":"root"}`),
		"no such entry":           entryTable(`null,1`),
	} {
		t.Run(name, func(t *testing.T) {
			b := withTable(text)
			table, err := Open(t.Context(), b.place(t), b.ranges)
			if err == nil {
				d, _ := table.Diff(t.Context(), layer.Options{})
				t.Fatalf("Open succeeded: %+v", entries(d))
			}
			if !strings.HasPrefix(err.Error(), "reading the table of contents: ") || len(err.Error()) > 1000 {
				t.Errorf("got %.2000q", err)
			}
		})
	}
}

func entryTable(entries string) string { return `{"version":1,"entries":[` + entries + `]}` }

// Tables that don't match the annotations, or are not where they should be.
func TestTablesThatAreNotTheOnes(t *testing.T) {
	b := lying(oneFile)
	other := func(change func(*built)) built {
		c := built{bytes.Clone(b.blob), maps.Clone(b.annotations)}
		change(&c)
		return c
	}
	zst := stored(t, "storage-1.59")
	for name, c := range map[string]struct {
		b    built
		want string
	}{
		"another digest": {other(func(b *built) { b.annotations[stargzDigest] = hexed("x") }), "digest: expected sha256:"},
		"a changed table": {other(func(b *built) {
			b.blob[len(hello)+20] ^= 1
		}), ""},
		"no footer":             {other(func(b *built) { b.blob = b.blob[:len(b.blob)-1] }), "does not end with the footer"},
		"external table":        {other(func(b *built) { copy(b.blob[len(b.blob)-footerSize:], make([]byte, footerSize)) }), "does not end with the footer"},
		"position too far":      {other(func(b *built) { copy(b.blob[len(b.blob)-footerSize:], footerFor(len(b.blob))) }), "it is at byte"},
		"position of no number": {other(func(b *built) { copy(b.blob[len(b.blob)-footerSize+16:], "-000000000000001") }), "it is at byte"},
		"short":                 {other(func(b *built) { b.blob = b.blob[:10] }), "the layer has 10 bytes"},
		"zstd, changed":         {built{flipped(zst.blob, 3500), zst.annotations}, "digest: expected sha256:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), c.b.place(t), c.b.ranges)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestFind(t *testing.T) {
	sum := hexed("x")
	const podman, stargz = podmanFamily + checksumKey, stargzFamily + checksumKey
	const podmanAt, stargzAt = podmanFamily + positionKey, stargzFamily + positionKey
	for name, c := range map[string]struct {
		annotations map[string]string
		want        string // "" for a table, "none" for no table, else the error
	}{
		"none":                   {nil, "none"},
		"others":                 {map[string]string{"org.opencontainers.image.title": "x", stargzSize: "5"}, "none"},
		"position alone":         {map[string]string{podmanAt: "1:1:1:1"}, "none"},
		"eStargz":                {map[string]string{stargzDigest: sum}, ""},
		"eStargz of an odd size": {map[string]string{stargzDigest: sum, stargzSize: "-5"}, ""},
		"podman":                 {map[string]string{podman: sum, podmanAt: "1:2:3:1"}, ""},
		"stargz":                 {map[string]string{stargz: sum, stargzAt: "1:2:3:1", stargzDigest: sum}, ""},
		"podman and eStargz":     {map[string]string{podman: sum, podmanAt: "1:2:3:1", stargzDigest: sum}, "two kinds"},
		"both of zstd":           {map[string]string{podman: sum, podmanAt: "1:2:3:1", stargz: sum, stargzAt: "1:2:3:1"}, "two kinds"},
		"md5":                    {map[string]string{stargzDigest: "md5:x"}, "no sha256"},
		"sha512":                 {map[string]string{stargzDigest: "sha512:" + strings.Repeat("0", 128)}, "no sha256"},
		"no position":            {map[string]string{podman: sum}, "its position"},
		"three numbers":          {map[string]string{podman: sum, podmanAt: "1:2:3"}, "its position"},
		"no numbers":             {map[string]string{podman: sum, podmanAt: "a:b:c:d"}, "its position"},
		"negative":               {map[string]string{podman: sum, podmanAt: "1:-2:3:1"}, "its position"},
		"over int64":             {map[string]string{podman: sum, podmanAt: "1:9223372036854775808:3:1"}, "its position"},
		"overflows":              {map[string]string{podman: sum, podmanAt: "9223372036854775807:100:3:1"}, "it is at byte"},
		"outside":                {map[string]string{podman: sum, podmanAt: "990:20:3:1"}, "it is at byte"},
		"another type":           {map[string]string{podman: sum, podmanAt: "1:2:3:2"}, "type 2"},
		"too long":               {map[string]string{podman: sum, podmanAt: "1:157286401:3:1"}, "more than"},
		"unpacks to too much":    {map[string]string{podman: sum, podmanAt: "1:2:157286401:1"}, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Find(c.annotations, 1000)
			switch {
			case c.want == "none" && (p != nil || err != nil),
				c.want == "" && (p == nil || err != nil),
				c.want != "" && c.want != "none" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

// A table must not decompress to more than maxTable, nor to more than its
// annotation says.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks 150 MB")
	}
	b := withTable(`{"version":1,"x":"` + strings.Repeat("x", maxTable) + `","entries":[]}`)
	_, err := Open(t.Context(), b.place(t), b.ranges)
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
	zst := stored(t, "storage-1.59")
	zst.annotations[podmanFamily+positionKey] = "3437:1013:3240:1" // a byte less than it is
	_, err = Open(t.Context(), zst.place(t), zst.ranges)
	if err == nil || !strings.Contains(err.Error(), "more than 3240 bytes") {
		t.Errorf("got %v", err)
	}
}

// Reading a file fails if its content does not match the table.
func TestContentThatIsNotTheOne(t *testing.T) {
	first, second := gzipped([]byte("hel")), gzipped([]byte("lo"))
	two := func(sum1, sum2, whole string) built {
		text := entryTable(fmt.Sprintf(`{"name":"a","type":"reg","size":5,"chunkSize":3,"chunkDigest":%q,"digest":%q},`+
			`{"name":"a","type":"chunk","offset":%d,"chunkOffset":3,"chunkSize":2,"chunkDigest":%q}`, sum1, whole, len(first), sum2))
		b := withTable(text)
		body := append(bytes.Clone(first), second...)
		b.blob = append(body, b.blob[len(hello):len(b.blob)-footerSize]...)
		b.blob = append(b.blob, footerFor(len(body))...)
		return b
	}
	hel, lo := hexed("hel"), hexed("lo")
	cut := two(hel, lo, helloSum)
	for name, c := range map[string]struct {
		b    built
		want string
	}{
		"right":        {two(hel, lo, helloSum), ""},
		"first chunk":  {two(hexed("x"), lo, helloSum), "reading content: chunk 0 of 2: digest: expected "},
		"second chunk": {two(hel, hexed("x"), helloSum), "reading content: chunk 1 of 2: digest: expected "},
		"whole":        {two(hel, lo, hexed("x")), "reading content: digest of all its chunks: expected "},
		"longer than its member": {lying(fmt.Sprintf(`{"name":"a","type":"reg","size":6,"chunkDigest":%q}`, helloSum)),
			"reading content: chunk 0 of 1: unexpected end, 1 of its bytes are missing"},
		"inside its member": {lying(fmt.Sprintf(`{"name":"a","type":"reg","size":4,"innerOffset":1,"chunkDigest":%q}`, hexed("ello"))), ""},
		"behind its member": {lying(fmt.Sprintf(`{"name":"a","type":"reg","size":4,"innerOffset":9,"chunkDigest":%q}`, hexed("ello"))),
			"reading content: chunk 0 of 1: unexpected EOF"},
		"no gzip": {lying(fmt.Sprintf(`{"name":"a","type":"reg","size":5,"offset":3,"chunkDigest":%q}`, helloSum)),
			"reading content: chunk 0 of 1: gzip: invalid header"},
		"cut by the server": {cut, "unexpected end after "},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			ranges := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
				if requests.Add(1) > 2 && name == "cut by the server" {
					n = int64(len(first)) + 5
					return io.NopCloser(bytes.NewReader(c.b.blob[off : off+n])), nil
				}
				return c.b.ranges(ctx, off, n)
			}
			table, err := Open(t.Context(), c.b.place(t), ranges)
			if err != nil {
				t.Fatal(err)
			}
			d, err := table.Diff(t.Context(), layer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = readAll(t.Context(), table, d.At(0))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got := requests.Load(); got != 3 {
				t.Errorf("%d requests, want two for the table and one for adjacent chunks", got)
			}
		})
	}
}

func TestOpenKnowsItsFiles(t *testing.T) {
	table := lying(oneFile).open(t)
	for _, e := range []layer.Entry{{Offset: 1, Size: 5}, {Offset: -1, Size: 5}, {Offset: 1 << 40, Size: 5}, {Offset: 0, Size: 6}} {
		if r, err := table.Open(t.Context(), &e); err == nil {
			r.Close()
			t.Errorf("%+v was opened", e)
		}
	}
	r, err := table.Open(t.Context(), &layer.Entry{Size: 5})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("Read after Close: got %v, want an error", err)
	}
}

// Open wraps errors of ranges, so that callers can distinguish a server without range
// requests from an invalid table.
func TestRangesFail(t *testing.T) {
	errRange := errors.New("416 range not satisfiable")
	b := lying(oneFile)
	_, err := Open(t.Context(), b.place(t), func(context.Context, int64, int64) (io.ReadCloser, error) { return nil, errRange })
	if !errors.Is(err, errRange) {
		t.Errorf("got %v", err)
	}
	_, err = Open(t.Context(), b.place(t), func(_ context.Context, off, _ int64) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("short")), nil
	})
	if err == nil || !strings.Contains(err.Error(), "unexpected end after 5 of 51 bytes") {
		t.Errorf("got %v", err)
	}
}

// The size that a table claims for a file allocates no memory.
func TestClaimsCostNothing(t *testing.T) {
	b := lying(fmt.Sprintf(`{"name":"a","type":"reg","size":1073741824,"chunkDigest":%q}`, helloSum))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	table := b.open(t)
	r, err := table.Open(t.Context(), &layer.Entry{Size: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err == nil {
		t.Error("5 bytes were read as 1 GB")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

// FuzzTable checks that no table makes Open panic, and that every file it lists
// reads as many bytes as listed or fails.
func FuzzTable(f *testing.F) {
	f.Add([]byte(entryTable(oneFile)))
	f.Add([]byte(entryTable(reg("a", 5, `,"chunkSize":2,"chunkDigest":"`+helloSum+`","digest":"`+helloSum+`"`) + `,{"name":"a","type":"chunk","chunkOffset":2,"chunkDigest":"` + helloSum + `"}`)))
	f.Add([]byte(entryTable(`{"name":"a","type":"reg","size":9,"chunkType":"zeros","digest":"` + helloSum + `"},{"name":"b","type":"hardlink","linkName":"../a"}`)))
	for _, name := range []string{"apt-pattern", "device-nodes", "xattr-set"} {
		b, err := sorted(imagetest.Load(f, name).LayerTar(0))
		if err != nil {
			f.Fatal(err)
		}
		text, err := b.open(f).unpack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b := withTable(string(text))
		table, err := Open(t.Context(), b.place(t), b.ranges)
		if err != nil {
			return
		}
		d, err := table.Diff(t.Context(), layer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		stored := int64(0)
		for i := range d.Len() {
			e := d.At(i)
			if e.Size < 0 || e.Held < 0 || strings.HasPrefix(e.Path, "/") || e.Kind == layer.File && !e.FromTable {
				t.Fatalf("an odd entry: %+v", e)
			}
			if stored += e.Size; e.Kind != layer.File || i > 20 || e.Size > 1<<20 {
				continue
			}
			if data, err := readAll(t.Context(), table, e); err == nil && int64(len(data)) != e.Size {
				t.Fatalf("%d bytes of %s, which has %d", len(data), e.Path, e.Size)
			}
		}
		if d.Stored != stored || stored < 0 {
			t.Fatalf("stored %d, want %d", d.Stored, stored)
		}
	})
}
