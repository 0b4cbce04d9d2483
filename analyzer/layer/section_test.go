package layer

import (
	"io"
	"math"
	"strings"
	"testing"
)

// TestContents checks that Contents gives the same content as Content in every
// form of a layer, also if read stops early.
func TestContents(t *testing.T) {
	name := []string{"GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "hole", "GNU.sparse.realsize", "9000"}
	p := raws(
		raw{name: "a", flag: '0', body: strings.Repeat("a", 5000)},
		raw{name: "empty", flag: '0'},
		raw{flag: 'x', body: records(name...)}, raw{name: "x", flag: '0', body: pad("1\n100\n3\n") + "abc"},
		raw{name: "z", flag: '0', body: "last"},
	)
	for how, b := range map[string]Blob{"plain": at(p), "gzip": at(gz(t, p)), "stream": streamed(p)} {
		d := mustRead(t, b, Options{})
		var entries []Entry
		for i := range d.Len() {
			entries = append(entries, *d.At(i))
		}
		for _, most := range []int64{0, 3, math.MaxInt64} {
			seen := 0
			err := Contents(t.Context(), b, entries, func(i int, r io.Reader) error {
				seen++
				got, err := io.ReadAll(io.LimitReader(r, most))
				want := contentOf(t, b, &entries[i])
				if want = want[:min(int64(len(want)), most)]; string(got) != want || err != nil {
					t.Errorf("%s, %s: got %d bytes, want %d; %v", how, entries[i].Path, len(got), len(want), err)
				}
				return nil
			})
			if err != nil || seen != 4 {
				t.Errorf("%s: %d entries, %v", how, seen, err)
			}
		}
	}
	// An entry after the end of the layer is an error, not empty content.
	for how, b := range map[string]Blob{"plain": at(p), "gzip": at(gz(t, p))} {
		err := Contents(t.Context(), b, []Entry{{Path: "far", Size: 1, Offset: 1 << 30}}, func(int, io.Reader) error { return nil })
		if err == nil {
			t.Errorf("%s: no error", how)
		}
	}
}
