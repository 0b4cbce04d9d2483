package viewer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/ui/screen"
)

// TestAlign checks which lines are beside each other, with the changed part in
// brackets.
func TestAlign(t *testing.T) {
	for name, test := range map[string]struct {
		was, is string
		want    string // rows "OLD|NEW" below the line of the numbers
	}{
		"changed":    {"a\nport = 80\nz\n", "a\nport = 8080\nz\n", "a|a\nport = 80|port = 80[80]\nz|z\n"},
		"wide":       {"x = \"日本\"\n", "x = \"日光\"\n", "x = \"日[本]\"|x = \"日[光]\"\n"},
		"same bytes": {"x = \"é\"\n", "x = \"è\"\n", "x = \"[é]\"|x = \"[è]\"\n"}, // é and è begin with the same byte
		"added":      {"a\nb\n", "a\nnew\nb\n", "a|a\n|new\nb|b\n"},
		"removed":    {"a\nold\nb\n", "a\nb\n", "a|a\nold|\nb|b\n"},
		"the second of three": {
			"a\n    serve()\nz\n", "a\n    try:\n        serve()\n    except E:\n        pass\nz\n",
			"a|a\n|    try:\n    serve()|    [    ]serve()\n|    except E:\n|        pass\nz|z\n",
		},
		"nothing alike":   {"a\n111\n222\nz\n", "a\nxxx\nz\n", "a|a\n111|xxx\n222|\nz|z\n"},
		"no line feed":    {"a = 1", "a = 2\n", "a = [1]|a = [2]\n\\|\n"},
		"empty to filled": {"", "a\nb\n", "|a\n|b\n"},
	} {
		rows := diffRows([]byte(test.was), []byte(test.is))
		text := func(i int) string {
			if i < 0 {
				return ""
			}
			r := rows[i]
			if r.sign == '\\' {
				return "\\"
			}
			if r.from < r.to {
				return r.text[:r.from] + "[" + r.text[r.from:r.to] + "]" + r.text[r.to:]
			}
			return r.text
		}
		var got strings.Builder
		for _, s := range align(rows) {
			if s.old < 0 || rows[s.old].sign != '@' {
				got.WriteString(text(s.old) + "|" + text(s.new) + "\n")
			}
		}
		if diff := cmp.Diff(test.want, got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAlignAll checks with random texts that every row is on its side once, in order,
// and that partners differ in the marked part only.
func TestAlignAll(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		some := func() string {
			var b strings.Builder
			for range rnd.IntN(150) {
				b.WriteString([]string{"a", "日本", "a b c", "é\xff\u0301", "", "\t"}[rnd.IntN(6)] + []string{"\n", "\n", "x"}[rnd.IntN(3)])
			}
			return b.String()
		}
		rows := diffRows([]byte(some()), []byte(some()))
		var old, new []int
		for _, s := range align(rows) {
			if s.old >= 0 {
				old = append(old, s.old)
			}
			if s.new >= 0 {
				new = append(new, s.new)
			}
		}
		var wantOld, wantNew []int
		for i, r := range rows {
			both := r.sign == ' ' || r.sign == '@' || r.sign == '\\' && rows[i-1].sign == ' '
			if both || r.sign == '-' || r.sign == '\\' && rows[i-1].sign == '-' {
				wantOld = append(wantOld, i)
			}
			if both || r.sign == '+' || r.sign == '\\' && rows[i-1].sign == '+' {
				wantNew = append(wantNew, i)
			}
		}
		if diff := cmp.Diff(wantOld, old) + cmp.Diff(wantNew, new); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
		for _, s := range align(rows) {
			if s.old < 0 || s.new < 0 || rows[s.old].sign != '-' || rows[s.new].sign != '+' || rows[s.old].to == 0 && rows[s.new].to == 0 {
				continue
			}
			a, b := rows[s.old], rows[s.new]
			if a.text[:a.from] != b.text[:b.from] || a.text[a.to:] != b.text[b.to:] {
				t.Fatalf("seed %d: %+v and %+v differ outside the mark", seed, a, b)
			}
		}
	}
}

// TestMarks checks that the changed part of a line stands out without colours, in both
// columns and in one.
func TestMarks(t *testing.T) {
	for _, name := range screen.Themes() {
		th, err := screen.NewTheme(name, false, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		d := &Difference{List: screen.List{NoCursor: true}, rows: diffRows([]byte("port = 80\n"), []byte("port = 8080\n")), numbers: 1}
		d.sides = align(d.rows)
		for _, least := range []int{60, 200} {
			d.Beside(least)
			text, styles := cellsOf(t, th, 80, 4, func(c screen.Canvas) { d.Draw(c, true) })
			var marked strings.Builder
			for i, r := range []rune(text) {
				if styles[i] == th.Added.Bold(true).Underline(true) {
					marked.WriteRune(r)
				}
			}
			if marked.String() != "80" {
				t.Errorf("%s, two columns from %d on: marked %q in\n%s", name, least, marked.String(), text)
			}
		}
	}
}

// BenchmarkAlign aligns a difference in which every line changed.
func BenchmarkAlign(b *testing.B) {
	was, is := strings.Repeat("some = words and 80\n", 20_000), strings.Repeat("some = words and 8080\n", 20_000)
	rows := diffRows([]byte(was), []byte(is))
	for b.Loop() {
		align(rows)
	}
}
