package layer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show returns an entry as one line.
func show(e *Entry) string {
	s := e.Kind.String() + " " + e.Path
	if e.Link != "" {
		s += " -> " + e.Link
	}
	if e.Kind == File && (e.Size > 0 || e.Held > 0) {
		s += fmt.Sprintf(" %d", e.Size)
		if e.Held != e.Size {
			s += fmt.Sprintf(" held %d", e.Held)
		}
	}
	return s
}

func mustRead(t *testing.T, b Blob, opt Options) *Diff {
	t.Helper()
	d, err := Read(t.Context(), b, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRules checks which entries and warnings the members of a tar give.
func TestRules(t *testing.T) {
	f := func(name, body string) raw { return raw{name: name, flag: '0', body: body} }
	link := func(name, to string) raw { return raw{name: name, link: to, flag: '1'} }
	for _, c := range []struct {
		name   string
		in     []raw
		want   []string
		warn   []string // the start of each warning, as "path: text"
		stored int64
	}{
		{name: "root", in: []raw{{name: "./", flag: '5'}, {name: "/", flag: '5'}, {name: "a/..", flag: '5'}}, want: []string{"dir ", "dir ", "dir "}},
		{name: "one path each", in: []raw{f("./a", ""), f("a//b", ""), f("a/./b", ""), f("a/x/../b", ""), f("././c", "")},
			want: []string{"file a", "file a/b", "file a/b", "file a/b", "file c"}},
		{name: "absolute", in: []raw{f("/a", "x"), f("/b//c", "x"), f("//d", "x")}, want: []string{"file a 1", "file b/c 1", "file d 1"},
			warn: []string{"/a: 3 absolute names"}, stored: 3},
		{name: "climbing", in: []raw{f("../up", "x"), f("a/../../b", "x"), f("/../c", "x"), f("..data", "x")},
			want: []string{"file up 1", "file b 1", "file c 1", "file ..data 1"},
			warn: []string{"../up: the name climbs", "a/../../b: the name climbs", "/../c: the name climbs", "/../c: 1 absolute"}, stored: 4},
		{name: "file as root", in: []raw{f("./", "xyz"), f("..", "x"), {name: "/", link: "x", flag: '2'}}, warn: []string{"..: the name climbs", "./: the name is the root's", "..: the name is the root's", "/: the name is the root's"}},
		{name: "slash after a file", in: []raw{f("f/", "x"), {name: "d/"}}, want: []string{"file f 1", "dir d"}, stored: 1},
		{name: "whiteouts", in: []raw{f(".wh.a", ""), f("d/.wh.b", "body"), f(".wh..hid", ""), {name: ".wh.r/", flag: '5'}, {name: ".wh.s", link: "x", flag: '2'}, {name: ".wh.h", link: "x", flag: '1'}, {name: ".wh.c", flag: '3'}},
			want: []string{"whiteout a", "whiteout d/b", "whiteout .hid", "whiteout r", "whiteout s", "whiteout h", "whiteout c"}, warn: []string{"d/.wh.b: a marker or a bookkeeping entry"}, stored: 4},
		{name: "only the last component counts", in: []raw{f(".wh.etc/f", "x"), f(".wh.etc/.wh.f", "")}, want: []string{"file .wh.etc/f 1", "whiteout .wh.etc/f"}, stored: 1},
		{name: "opaque", in: []raw{f("a/b/.wh..wh..opq", ""), f(".wh..wh..opq", ""), {name: "c/.wh..wh..opq/", flag: '5'}}, want: []string{"opaque a/b", "opaque ", "opaque c"},
			warn: []string{".wh..wh..opq: an opaque marker of the root"}},
		{name: "whiteouts of nothing", in: []raw{f(".wh.", ""), f("a/.wh.", ""), f("etc/.wh..", ""), f("etc/.wh...", "")}, warn: []string{".wh.: a whiteout without", "a/.wh.: a whiteout without", "etc/.wh..: a whiteout without", "etc/.wh...: a whiteout without"}},
		{name: "bookkeeping", in: []raw{f(".wh..wh.aufs", ""), {name: ".wh..wh.orph/", flag: '5'}, f(".wh..wh.orph/x", "xx"), f("s/.wh..wh.a", ""), f("s/.wh..wh.b", "1234"), f("k", "x")}, want: []string{"file .wh..wh.orph/x 2", "ignored s/.wh..wh.b", "file k 1"}, warn: []string{"s/.wh..wh.b: a marker or a bookkeeping entry", ".wh..wh.aufs: 4 entries with names"}, stored: 7},
		{name: "aufs links", in: []raw{{name: ".wh..wh.plnk/", flag: '5'}, f(".wh..wh.plnk/12.34", "123456"), link("a", ".wh..wh.plnk/12.34")},
			want: []string{"file .wh..wh.plnk/12.34 6", "hardlink a -> .wh..wh.plnk/12.34"}, warn: []string{".wh..wh.plnk/: 1 entries"}, stored: 6},
		{name: "links", in: []raw{link("a", "./d//x/../f"), link("b", "/f"), link("c", "../../f"), {name: "s", link: "../.././x/", flag: '2'}},
			want: []string{"hardlink a -> d/f", "hardlink b -> f", "hardlink c -> f", "symlink s -> ../.././x/"}, warn: []string{"c: the hard link's target climbs"}},
		{name: "types", in: []raw{{name: "c", flag: '7', body: "xx"}, {name: "v", flag: 'V', body: "volume"}, {name: "m", flag: 'M', body: "x"}, {name: "v2", flag: 'V'}, f("k", "x")},
			want: []string{"file c 2", "file k 1"}, warn: []string{`v: 3 entries of unknown type ('M' 'V')`}, stored: 3},
		{name: "devices", in: []raw{{name: "zero", flag: '3'}, {name: "b", flag: '4'}}, want: []string{"char zero", "block b"}, warn: []string{"zero: a character device 0:0"}},
		{name: "overlay", in: []raw{{flag: 'x', body: records("SCHILY.xattr.trusted.overlay.opaque", "y")}, {name: "d/", flag: '5'}}, want: []string{"dir d"}, warn: []string{"d: an overlay extended attribute"}},
		{name: "estargz", in: []raw{f("a", "x"), f(".prefetch.landmark", "\x0f"), f(".no.prefetch.landmark", "\x0f"), f("stargz.index.json", `{"version":1}`)},
			want: []string{"file a 1", "file .prefetch.landmark 1", "file .no.prefetch.landmark 1", "file stargz.index.json 13"}, stored: 16},
		{name: "duplicates", in: []raw{f("a", "x"), f("a", "yy")}, want: []string{"file a 1", "file a 2"}, stored: 3},
		{name: "sparse", in: []raw{sparseGNU("s", 10000, "abcdef", [2]int{512, 3}, [2]int{9000, 3})}, want: []string{"file s 10000 held 6"}, stored: 10000},
		{name: "sparse, half", in: []raw{sparseGNU("s", 100, "abc", [2]int{5, 30})}, want: []string{"file s 100 held 3"}, warn: []string{"s: the sparse map"}, stored: 100},
		{name: "sparse, hidden", in: []raw{sparseGNU(".wh.s", 10000, "abcdef", [2]int{512, 3}, [2]int{9000, 3})}, want: []string{"whiteout s"}, warn: []string{".wh.s: a marker or a bookkeeping entry"}, stored: 10000},
		{name: "too long for Linux", in: []raw{{flag: 'L', body: strings.Repeat("n", 256)}, f("x", "x")}, want: []string{"file " + strings.Repeat("n", 256) + " 1"}, warn: []string{strings.Repeat("n", 256) + ": a name too long"}, stored: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := raws(c.in...)
			for form, b := range map[string]Blob{"plain": at(p), "stream": streamed(p), "gzip": at(gz(t, p))} {
				d := mustRead(t, b, Options{})
				var got, warn []string
				for _, e := range entries(d) {
					got = append(got, show(&e))
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s: entries (-want +got)\n%s", form, diff)
				}
				if d.Stored != c.stored {
					t.Errorf("%s: got stored %d, want %d", form, d.Stored, c.stored)
				}
				for i, w := range d.Warnings {
					s := w.Path + ": " + w.Text
					if i < len(c.warn) && strings.HasPrefix(s, c.warn[i]) {
						s = c.warn[i]
					}
					warn = append(warn, s)
				}
				if diff := cmp.Diff(c.warn, warn); diff != "" {
					t.Errorf("%s: warnings (-want +got)\n%s", form, diff)
				}
			}
		})
	}
}

// TestWarningsBounded checks that thousands of odd members give only a few dozen
// warnings.
func TestWarningsBounded(t *testing.T) {
	var rs []raw
	for i := range 2000 {
		rs = append(rs, raw{name: fmt.Sprintf("../%d", i), flag: '0'}, raw{name: "/.wh.", flag: 'V'}, raw{name: fmt.Sprint(i), flag: '3'})
	}
	d := mustRead(t, at(raws(rs...)), Options{})
	if n := len(d.Warnings); n < 10 || n > 70 {
		t.Errorf("got %d warnings", n)
	}
	if w := d.Warnings[noteKeep]; !strings.HasPrefix(w.Text, "and 1980 more: ") {
		t.Errorf("got %v", w)
	}
}
