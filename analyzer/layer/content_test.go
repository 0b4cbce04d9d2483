package layer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func contentOf(t *testing.T, b Blob, e *Entry) string {
	t.Helper()
	r, err := Content(t.Context(), b, e)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// TestSparse reads one file in every sparse format, and checks that its content
// and its hash are the same in all of them.
func TestSparse(t *testing.T) {
	name := []string{"GNU.sparse.name", "dir/real", "GNU.sparse.realsize", "5000"}
	x := func(kv ...string) raw { return raw{flag: 'x', body: records(append(name[:4:4], kv...)...)} }
	body := raw{name: "GNUSparseFile.1/real", flag: '0', body: "abcde"}
	body10 := body
	body10.body = pad("3\n10\n2\n4000\n3\n5000\n0\n") + "abcde"
	full := strings.Repeat("\x00", 10) + "ab" + strings.Repeat("\x00", 3988) + "cde" + strings.Repeat("\x00", 997)
	var first Hash
	for form, rs := range map[string][]raw{
		"gnu": {sparseGNU("dir/real", 5000, "abcde", [2]int{10, 2}, [2]int{4000, 3}, [2]int{5000, 0})},
		"0.0": {x("GNU.sparse.numblocks", "2", "GNU.sparse.offset", "10", "GNU.sparse.numbytes", "2", "GNU.sparse.offset", "4000", "GNU.sparse.numbytes", "3"), body},
		"0.1": {x("GNU.sparse.numblocks", "2", "GNU.sparse.map", "10,2,4000,3"), body},
		"1.0": {x("GNU.sparse.major", "1", "GNU.sparse.minor", "0"), body10},
	} {
		p := raws(append([]raw{{name: "before", flag: '0', body: "x"}}, append(rs, raw{name: "after", flag: '0', body: "y"})...)...)
		for how, b := range map[string]Blob{"plain": at(p), "gzip": at(gz(t, p)), "stream": streamed(p)} {
			d := mustRead(t, b, Options{})
			e := d.At(1)
			if d.Len() != 3 || e.Path != "dir/real" || e.Size != 5000 || e.Held != 5 || !e.Sparse || !e.Hashed || e.Offset != 1024 {
				t.Fatalf("%s, %s: got %+v", form, how, e)
			}
			if first == (Hash{}) {
				first = e.Hash
			}
			if e.Hash != first {
				t.Errorf("%s, %s: got hash %x, want %x", form, how, e.Hash, first)
			}
			if got := contentOf(t, b, e); got != full {
				t.Errorf("%s, %s: got content of %d bytes", form, how, len(got))
			}
			if got := contentOf(t, b, d.At(2)); got != "y" {
				t.Errorf("%s, %s: got %q after it", form, how, got)
			}
		}
	}
	// A different map gives a different hash. A file whose map has no holes
	// hashes like a file that is not sparse.
	d := mustRead(t, streamed(raws(
		sparseGNU("a", 5000, "abcde", [2]int{11, 2}, [2]int{4000, 3}),
		sparseGNU("b", 5, "abcde", [2]int{0, 2}, [2]int{2, 3}),
		raw{name: "c", flag: '0', body: "abcde"})), Options{})
	if d.At(0).Hash == first {
		t.Error("another map has the same hash")
	}
	if d.At(1).Hash != d.At(2).Hash {
		t.Error("a file without holes has another hash than the same file")
	}
}

// TestSparseHuge checks that a sparse file of half an exbibyte is read without
// going through its holes, and that more than MaxContent is an error: one file
// of 8 EiB, or three of half an exbibyte.
func TestSparseHuge(t *testing.T) {
	if _, err := Read(t.Context(), at(corpus(t)["sparse 8Ei"]), Options{}); err == nil || !strings.Contains(err.Error(), "content of real: 9223372036854775807 bytes: the files of one layer may have") {
		t.Errorf("8 EiB: got %v", err)
	}
	const size = MaxContent / 2
	sparse := func(name string) []raw {
		return []raw{
			{flag: 'x', body: records("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", name, "GNU.sparse.realsize", fmt.Sprint(size))},
			{name: name, flag: '0', body: pad(fmt.Sprintf("2\n7\n2\n%d\n3\n", size-4)) + "ABabc"},
		}
	}
	p := raws(append(sparse("a"), raw{name: "b", flag: '0', body: "next"})...)
	for how, b := range map[string]Blob{"plain": at(p), "gzip": at(gz(t, p))} {
		d := mustRead(t, b, Options{})
		if e := d.At(0); e.Size != size || e.Held != 5 || d.Stored != size+4 {
			t.Fatalf("%s: got %+v, %d bytes stored", how, e, d.Stored)
		}
		all := []Entry{*d.At(0), *d.At(1)}
		var got []string
		err := Contents(t.Context(), b, all, func(i int, r io.Reader) error {
			h, ok := r.(Holed)
			if !ok {
				s, err := io.ReadAll(r)
				got = append(got, string(s))
				return err
			}
			for at, n := int64(0), 0; at < size; at += int64(n) {
				hole := h.Hole()
				h.SkipHole(hole)
				at += hole
				buf := make([]byte, min(2, size-at))
				var err error
				if n, err = io.ReadFull(r, buf); err != nil && err != io.EOF {
					return err
				}
				if n > 0 {
					got = append(got, fmt.Sprintf("%d:%q", at, buf))
				}
			}
			n, err := r.Read(make([]byte, 1))
			if n != 0 || err != io.EOF || h.Hole() != 0 {
				t.Errorf("%s: the end is %d, %v", how, n, err)
			}
			return nil
		})
		want := []string{`7:"AB"`, fmt.Sprintf(`%d:"ab"`, int64(size-4)), fmt.Sprintf(`%d:"c\x00"`, int64(size-2)), "next"}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v; want %q", how, got, err, want)
		}
	}
	three := raws(slices.Concat(sparse("a"), sparse("b"), sparse("c"))...)
	if _, err := Read(t.Context(), at(three), Options{}); err == nil || !strings.Contains(err.Error(), "content of c:") {
		t.Errorf("three times half the limit: got %v", err)
	}
}

func TestContentErrors(t *testing.T) {
	p := raws(raw{name: "d", flag: '5'}, raw{name: "f", flag: '0', body: strings.Repeat("x", 9000)})
	d := mustRead(t, at(p), Options{})
	if _, err := Content(t.Context(), at(p), d.At(0)); err == nil {
		t.Error("a directory has content")
	}
	f := d.At(1)
	z := gz(t, p)
	for name, b := range map[string]Blob{
		"plain, cut": at(p[:5000]), "gzip, cut": at(z[:len(z)/2]), "stream, cut": {Size: -1, Stream: streamed(p[:5000]).Stream},
		"gzip before": at(z[:20]), "plain before": at(p[:600]),
	} {
		r, err := Content(t.Context(), b, f)
		n := int64(0)
		if err == nil {
			n, err = io.Copy(io.Discard, r)
			r.Close()
		}
		if err == nil {
			t.Errorf("%s: %d of %d bytes and no error", name, n, f.Size)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Content(ctx, at(z), f); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestEqualSum(t *testing.T) {
	a := bytes.Repeat([]byte("0123456789"), 40_000)
	for _, size := range []int{0, 1, 4096, 5000, 64 << 10, 200_000, 390_000} {
		b := append([]byte("shift"), a...)
		same, err := Equal(t.Context(), at(a), 0, at(b), 5, int64(size))
		if err != nil || !same {
			t.Errorf("%d: got %v, %v", size, same, err)
		}
		x, err1 := Sum(t.Context(), at(a), 10, int64(size))
		y, err2 := Sum(t.Context(), at(b), 15, int64(size))
		if x != y || err1 != nil || err2 != nil {
			t.Errorf("%d: sums %x %x %v %v", size, x, y, err1, err2)
		}
		if size == 0 {
			continue
		}
		b[5+size-1] ^= 1
		if same, err := Equal(t.Context(), at(a), 0, at(b), 5, int64(size)); err != nil || same {
			t.Errorf("%d, last byte differs: got %v, %v", size, same, err)
		}
	}
	if _, err := Equal(t.Context(), at(a), 0, at(a[:10]), 0, 20); err == nil || !strings.Contains(err.Error(), "unexpected end after 10 bytes") {
		t.Errorf("got %v", err)
	}
	if _, err := Sum(t.Context(), at(a[:10]), 5, 20); err == nil {
		t.Error("summed what is not there")
	}
	// Comparing and hashing large files can be cancelled.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Equal(ctx, at(a), 0, at(a), 0, int64(len(a))); !errors.Is(err, context.Canceled) {
		t.Errorf("Equal: got %v, want %v", err, context.Canceled)
	}
	if _, err := Sum(ctx, at(a), 0, int64(len(a))); !errors.Is(err, context.Canceled) {
		t.Errorf("Sum: got %v, want %v", err, context.Canceled)
	}
}
