package storage

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	tarsplit "github.com/vbatts/tar-split/tar/storage"

	"fathom/analyzer/layer"
)

// plainRecords reads records that are not compressed.
func plainRecords(data []byte) *records {
	return &records{in: bufio.NewReaderSize(bytes.NewReader(data), 64<<10), packed: &counter{n: ratioFrom}}
}

// entries are records in a form that both readers can give.
func entries(t testing.TB, next func() (string, error)) (all []string, err error) {
	for {
		s, err := next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
}

func ours(t testing.TB, data []byte) ([]string, error) {
	s, r := plainRecords(data), record{}
	return entries(t, func() (string, error) {
		if err := s.next(&r); err != nil {
			return "", err
		}
		if r.file {
			return fmt.Sprintf("file %q %d", r.name, r.size), nil
		}
		raw, err := r.raw(nil)
		if err == nil && int64(len(raw)) != r.size {
			t.Errorf("%d bytes are said to be %d", len(raw), r.size)
		}
		return fmt.Sprintf("raw %x", raw), err
	})
}

// theirs reads records with the engines' library. The library also refuses a name
// that comes twice, which has nothing to do with the form of records.
func theirs(t testing.TB, data []byte) ([]string, error) {
	u := tarsplit.NewJSONUnpacker(bytes.NewReader(data))
	return entries(t, func() (string, error) {
		e, err := u.Next()
		if err != nil {
			return "", err
		}
		if e.Type == tarsplit.FileType {
			return fmt.Sprintf("file %q %d", e.GetNameBytes(), e.Size), nil
		}
		return fmt.Sprintf("raw %x", e.Payload), nil
	})
}

// TestRecords reads records of real tars like the library that wrote them.
func TestRecords(t *testing.T) {
	for _, l := range testLayers(t) {
		data := split(t, l)
		got, err := ours(t, data)
		if err != nil {
			t.Fatal(err)
		}
		want, err := theirs(t, data)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got %d records, want %d, or other ones", len(got), len(want))
		}
	}
}

// TestParseUsual has lines that parseUsual accepts, and lines that it leaves to parse.
func TestParseUsual(t *testing.T) {
	for line, want := range map[string]bool{
		`{"type":2,"payload":"AAAA","position":0}`:                                     true,
		`{"type":2,"payload":"AAA=","position":12}`:                                    true,
		`{"type":1,"name":"a","payload":null,"position":1}`:                            true,
		`{"type":1,"name":"a","size":5,"payload":"AAAAAAAAAAA=","position":1}`:         true,
		`{"type":1,"name":"grün","payload":null,"position":1}`:                         true,
		`{"type":2,"payload":"AAA","position":0}`:                                      false,
		`{"type":2,"payload":"","position":0}`:                                         false,
		`{"type":2,"payload":"AAAA","position":-1}`:                                    false,
		`{"type":2,"payload":"AAAA","position":0} `:                                    false,
		`{"type":2,"payload":"AAAA","position":0,"type":1}`:                            false,
		`{"type":1,"name":"a\u003c","payload":null,"position":1}`:                      false,
		`{"type":1,"name":"\xff","payload":null,"position":1}`:                         false,
		"{\"type\":1,\"name\":\"\xff\",\"payload\":null,\"position\":1}":               false,
		"{\"type\":1,\"name\":\"\x01\",\"payload\":null,\"position\":1}":               false,
		`{"type":1,"name":"a","size":-5,"payload":null,"position":1}`:                  false,
		`{"type":1,"name":"a","size":05,"payload":null,"position":1}`:                  false,
		`{"type":1,"name":"a","size":9999999999999999999,"payload":null,"position":1}`: false,
		`{"type":1,"name":"a","size":5,"payload":"????????????","position":1}`:         false,
	} {
		var r record
		if got := r.parseUsual([]byte(line + "\n")); got != want {
			t.Errorf("%s: got %v, want %v", line, got, want)
		}
	}
}

// FuzzRecords compares the reader with that of the library: both accept the same
// records, except that this one wants a line for each record, and no negative
// sizes or other types.
func FuzzRecords(f *testing.F) {
	one := tarOf(f, regular("etc/a", []byte("hello")), regular("raw\xff\n\"", []byte("raw")))
	f.Add(split(f, one))
	f.Add([]byte(`{"type":2,"payload":"QUFBQUFBQUFBQUFBQUE=","position":0}` + "\n"))
	f.Add([]byte(`{"type":1,"name":"a\u003c","size":5,"payload":null,"position":1}` + "\n"))
	f.Add([]byte(`{"type":1,"name_raw":"/w==","payload":null,"position":1}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ours(t, data)
		want, theirErr := theirs(t, data)
		if err == nil && theirErr != nil && theirErr != tarsplit.ErrDuplicatePath {
			t.Fatalf("the library refuses this: %v", theirErr)
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("record %d is %s, want %s", i, got[i], want[i])
			}
		}
		if err == nil && theirErr == nil && len(got) != len(want) {
			t.Fatalf("got %d records, want %d", len(got), len(want))
		}
	})
}

// FuzzStorage lists and reads a layer with arbitrary records: both must end, and
// agree on the length.
func FuzzStorage(f *testing.F) {
	one := tarOf(f, regular("etc/a", []byte("hello")), regular("etc/b", nil))
	f.Add(split(f, one))
	f.Add([]byte(header(one[:512])))
	dir := f.TempDir()
	extract(f, dir+"/diff", one)
	f.Fuzz(func(t *testing.T, data []byte) {
		file := t.TempDir() + "/tar-split.json.gz"
		write(t, file, gzipped(t, data))
		v, err := open("docker", 0, file, dir+"/diff")
		if err != nil {
			return
		}
		defer v.close()
		d, err := v.list(t.Context(), layer.Options{})
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, io.NewSectionReader(v, 0, 1<<60))
		if err == nil && n != d.Size {
			t.Errorf("%d bytes were read, the list says %d", n, d.Size)
		}
		if v.Length() != d.Size {
			t.Errorf("the length is %d, the list says %d", v.Length(), d.Size)
		}
	})
}
