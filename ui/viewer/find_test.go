package viewer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatcher(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          []string
	}{
		{"ab", "xabAB Ab", []string{"ab", "AB", "Ab"}},
		{"Ab", "xabAB Ab", []string{"Ab"}},
		{"aa", "aaaaa", []string{"aa", "aa"}},
		{"é", "é É e", []string{"é", "É"}},
		{"~^b+$", "bb\nab\nb", []string{"bb", "b"}},
		{"~x*", "axxb", []string{"xx"}},
		{"a.c", "abc a.c", []string{"a.c"}},
		{"", "abc", nil},
		{"nothing", "abc", nil},
	} {
		m, err := newMatcher(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		m.each([]byte(test.text), len(test.text), func(at, n int) bool {
			got = append(got, test.text[at:at+n])
			return true
		})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q in %q (-want +got):\n%s", test.pattern, test.text, diff)
		}
	}
	if _, err := newMatcher("~("); err == nil || strings.Contains(err.Error(), "?m") {
		t.Errorf("~( gives error %v", err)
	}
}

// TestMatchBlocks checks that each match is found once, wherever blocks end, even in
// lines that are longer than a block.
func TestMatchBlocks(t *testing.T) {
	if testing.Short() {
		t.Skip("searches 15 MB")
	}
	for name, text := range map[string][]byte{
		"lines":    []byte(strings.Repeat("some needle here\n", 150_000)),
		"one line": []byte(strings.Repeat("some needle here-", 150_000)),
	} {
		for _, pattern := range []string{"Needle", "needle", "~n.{4}e"} {
			want := 150_000
			if pattern == "Needle" {
				want = 0
			}
			m, err := newMatcher(pattern)
			if err != nil {
				t.Fatal(err)
			}
			var hits []hit
			end := int64(len(text))
			blocks := 0
			for at := int64(0); at < end; blocks++ {
				var found []hit
				found, at = m.block(bytes.NewReader(text), at, end, end, 2_000_000)
				hits = append(hits, found...)
			}
			if blocks < 3 || len(hits) != want {
				t.Errorf("%s, %s: %d hits in %d blocks", name, pattern, len(hits), blocks)
			}
			for i, h := range hits {
				if h.at != int64(17*i+5) || h.n != 6 {
					t.Fatalf("%s, %s: hit %d is %+v", name, pattern, i, h)
				}
			}
		}
	}
}
