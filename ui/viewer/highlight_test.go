package viewer

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alecthomas/chroma/v2"
	"github.com/gdamore/tcell/v2"

	"fathom/ui/screen"
)

// lex returns the syntax of a text.
func lex(t testing.TB, name, text string) *lexing {
	t.Helper()
	x := newLexing(name, []byte(text))
	if x == nil {
		t.Fatalf("%s has no language", name)
	}
	for !x.done {
		x.step(context.Background())
	}
	return x
}

// TestSyntax checks words of every language, among other words.
func TestSyntax(t *testing.T) {
	tested := map[string]bool{}
	for _, test := range []struct {
		path, text, word string
		want             syntax
	}{
		{"/app/run.sh", "if true; then echo \"hi $X\" # why\nfi\n", "if", keyword},
		{"/app/run.sh", "if true; then echo \"hi\" # why\nfi\n", "# why", comment},
		{"/usr/bin/tool", "#!/bin/sh -e\necho 'a b'\n", "'a b'", quoted},
		{"/usr/bin/tool", "#!/usr/bin/env -S python3.13\ndef f(): return None\n", "def", keyword},
		{"/usr/bin/tool", "#!/usr/bin/node\nconst x = 'y'\n", "const", keyword},
		{"/etc/profile", "export A=b # c\n", "# c", comment},
		{"/a.c", "int f(void) { return 42; } // x", "42", number},
		{"/a.hpp", "/* a\nb */ int c;\n", "/* a\nb */", comment},
		{"/a.css", "a { color: #fff; } /* x */\n", "/* x */", comment},
		{"/a.diff", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+yy\n", "+yy\n", inserted},
		{"/Dockerfile", "FROM alpine\nRUN echo 'hi'\n", "FROM", keyword},
		{"/main.go", "package main\n\nvar x = `a\nb` // c\n", "`a\nb`", quoted},
		{"/a.html", "<p class=\"x\">hi</p><script>var x = 'é'</script>\n", "'é'", quoted},
		{"/etc/my.cnf", "[mysqld]\nport = 3306 \n# c\n", "[mysqld]", keyword},
		{"/A.java", "class A { String s = \"x\"; }\n", "\"x\"", quoted},
		{"/a.mjs", "// c\r\nlet x = 1\r\n", "let", keyword},
		{"/package.json", "{\"a\": [1, \"日本\"], \"b\": null}\n", "\"日本\"", quoted},
		{"/Makefile", "all: a\n\techo $(X) # c\n", "all", named},
		{"/README.md", "# Title\n\nText `code` and more.\n\n```sh\nif a; then b; fi\n```\n", "`code`", quoted},
		{"/README.md", "# Title\n\n```sh\nif a; then b; fi\n```\n", "if", keyword},
		{"/etc/nginx/conf.d/site", "server { listen 80; } # c\n", "server", keyword},
		{"/a.pl", "my $x = 'y'; # c\n", "# c", comment},
		{"/a.php", "<?php function f() { return 'x'; }\n", "'x'", quoted},
		{"/a.py", "\"\"\"doc\n# no comment\n\"\"\"\nx = 1\n", "\"\"\"doc\n# no comment\n\"\"\"", quoted},
		{"/a.rb", "def f; 'x'; end\n", "def", keyword},
		{"/a.sql", "SELECT 1 FROM a; -- c\n", "SELECT", keyword},
		{"/Cargo.lock", "[[package]]\nname = \"x\"\n", "\"x\"", quoted},
		{"/a.ts", "interface A { b: string }\n", "interface", keyword},
		{"/data", "<?xml version=\"1.0\"?><a b=\"c\"/>\n", "\"c\"", quoted},
		{"/a.yml", "a: b # c\nd: [1, 2]\n", "# c", comment},
		{"/a.yml", "a: \xff\xfe # c\n", "# c", comment},
	} {
		x := lex(t, test.path, test.text)
		tested[language(test.path, []byte(test.text)).Config().Name] = true
		at := strings.Index(test.text, test.word)
		for i := at; i < at+len(test.word); i++ {
			if got := x.is(i); got != test.want {
				t.Errorf("%s: %q has syntax %d at %d, want %d: %v", test.path, test.word, got, i-at, test.want, x.runs)
				break
			}
		}
	}
	for _, l := range languages().Lexers {
		if name := l.Config().Name; !tested[name] {
			t.Errorf("%s is not tested", name)
		}
	}
	for _, path := range []string{"/etc/passwd", "/bin/x.unknown", "/"} {
		for _, head := range []string{"", "text", "#!", "#!/", "#! env", "#!/usr/bin/env", "#!/opt/unknown"} {
			if l := language(path, []byte(head)); l != nil {
				t.Errorf("%s with %q is taken for %s", path, head, l.Config().Name)
			}
		}
	}
}

// is returns the syntax of the byte at offset i.
func (x *lexing) is(i int) (is syntax) {
	for _, r := range x.runs {
		if int(r.at) <= i {
			is = r.is
		}
	}
	return is
}

// TestLexingFails checks that a lexer that panics, or that makes up text, ends the
// colours and nothing else.
func TestLexingFails(t *testing.T) {
	for name, last := range map[string]func() chroma.Token{
		"panics":      func() chroma.Token { panic("unknown state") },
		"makes it up": func() chroma.Token { return chroma.Token{Type: chroma.Keyword, Value: "nowhere"} },
		"has too much": func() chroma.Token {
			return chroma.Token{Type: chroma.Keyword, Value: " b and more"}
		},
	} {
		first := true
		x := &lexing{text: []byte("a b"), next: func() chroma.Token {
			if first {
				first = false
				return chroma.Token{Type: chroma.Keyword, Value: "a"}
			}
			return last()
		}}
		x.step(context.Background())
		if !x.done || x.is(0) != keyword || x.is(1) != plainText {
			t.Errorf("%s: done %v, runs %v", name, x.done, x.runs)
		}
	}
}

// cells returns the text and the styles of a window over a text.
func cells(t testing.TB, th *screen.Theme, v *Content, w, h int) (string, []tcell.Style) {
	t.Helper()
	return cellsOf(t, th, w, h, func(c screen.Canvas) { v.Draw(c, true) })
}

// cellsOf returns what draw draws.
func cellsOf(t testing.TB, th *screen.Theme, w, h int, draw func(screen.Canvas)) (string, []tcell.Style) {
	t.Helper()
	s := tcell.NewSimulationScreen("")
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	defer s.Fini()
	s.SetSize(w, h)
	var g screen.Grid
	draw(g.Begin(w, h, th))
	g.Show(s, 0, 0)
	var b strings.Builder
	var styles []tcell.Style
	for i := range w * h {
		str, style, _ := s.Get(i%w, i/w)
		b.WriteString(str)
		styles = append(styles, style)
	}
	return b.String(), styles
}

// viewed returns the view of a text.
func viewed(text []byte) *Content {
	v := &Content{file: file{size: int64(len(text)), rows: rows{at: bytes.NewReader(text), end: int64(len(text))}}, window: window{per: 16}}
	v.index = v.index.count(v.rows.at, v.size)
	return v
}

// FuzzColours checks that colours change no character on the screen, wherever they
// begin and end: those of the text's language, and those at random places.
func FuzzColours(f *testing.F) {
	f.Add("a.sh", []byte("#!/bin/sh\necho \"a\\x1b \x1b[31m##[x\" # \u202e日本e\u0301\t👩\u200d👩\n\xff\xfe\\\\\r\n"), byte(0), byte(3))
	f.Add("a.py", []byte("x = 'a\u0301\u0301' # \u0301\n\u0301def f():\n\tpass\n"), byte(10), byte(0))
	f.Add("a.json", bytes.Repeat([]byte("{\"a\":\"é\\\\\\n\"},"), 400), byte(3), byte(100))
	f.Add("a.md", []byte("# a\n```sh\nif\n```\n"), byte(200), byte(1))
	for seed := range uint64(6) {
		f.Add([]string{"a.js", "a.yaml", "a.html"}[seed%3], someText(seed), byte(seed*40), byte(seed))
	}
	th, err := screen.NewTheme("dark", false, func(string) string { return "" })
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, text []byte, w, left byte) {
		if len(text) == 0 || len(text) > 20_000 {
			return
		}
		sets := [][]run{nil}
		if x := newLexing("/"+name, text); x != nil {
			for !x.done {
				x.step(t.Context())
			}
			sets = append(sets, x.runs)
		}
		rnd := rand.New(rand.NewPCG(uint64(w), uint64(left)))
		var random []run
		for at := 0; at < len(text); at += 1 + rnd.IntN(5) {
			random = append(random, run{int32(at), syntax(rnd.IntN(int(deleted) + 1))})
		}
		sets = append(sets, append(random, run{int32(len(text)), plainText}))
		for _, wrap := range []bool{false, true} {
			plain := ""
			for i, runs := range sets {
				v := viewed(text)
				v.Wrap(wrap)
				v.Pan(int(left))
				v.runs = runs
				got, styles := cells(t, th, v, 1+int(w), 12)
				if i == 0 {
					plain = got
				} else if got != plain {
					t.Fatalf("%q with runs %v shows\n%q, want\n%q", text, runs, got, plain)
				}
				if i == 0 && len(styles) == 0 {
					t.Fatal("nothing is drawn")
				}
			}
		}
	})
}

// TestColours checks the styles of cells on displays with many colours, with few and
// with none.
func TestColours(t *testing.T) {
	const text = "\tx = '日本', None # wh\x1by\n"
	for _, test := range []struct {
		theme, noColor string
		colours        int
	}{{"dark", "", 256}, {"light", "", 256}, {"dark", "", 8}, {"light", "", 8}, {"mono", "", 256}, {"dark", "1", 256}} {
		th, err := screen.NewTheme(test.theme, false, func(name string) string { return map[string]string{"NO_COLOR": test.noColor}[name] })
		if err != nil {
			t.Fatal(err)
		}
		th.Suit(screen.Display{Colours: test.colours, Back: tcell.ColorDefault})
		v := viewed([]byte(text))
		v.runs = lex(t, "/a.py", text).runs
		got, styles := cells(t, th, v, 60, 1)
		// " 1 " and the tab take the first 11 columns; each wide character takes two,
		// of which the second has no style.
		if want := " 1         x = '日 本 ', None # wh\\x1by"; !strings.HasPrefix(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
		for _, part := range []struct {
			from, to int
			want     tcell.Style
		}{{11, 15, th.Text}, {15, 17, th.Quoted}, {18, 19, th.Quoted}, {20, 21, th.Quoted}, {23, 27, th.Number}, {28, 37, th.Comment}, {37, 60, th.Text}} {
			for x := part.from; x < part.to; x++ {
				if styles[x] != part.want {
					t.Errorf("%s with %d colours: column %d has style %v, want %v", test.theme, test.colours, x, styles[x], part.want)
				}
			}
		}
		fg, _, _ := th.Quoted.Decompose()
		if mono := test.theme == "mono" || test.noColor != ""; mono != (fg == tcell.ColorDefault) {
			t.Errorf("%s, NO_COLOR=%q: strings have colour %v", test.theme, test.noColor, fg)
		}
	}
}

// BenchmarkColours finds the syntax of a file, as the viewer does in the background.
func BenchmarkColours(b *testing.B) {
	for name, line := range map[string]string{
		"a.js": "function f(a, b) { return 'text' + a + 42 } // comment\n", "a.json": `{"key": "é", "n": [1, 2, null]},`, "a.sh": "for f in *; do echo \"hi $f\"; done # all\n",
	} {
		b.Run(name, func(b *testing.B) {
			text := strings.Repeat(line, 100<<10/len(line))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				lex(b, name, text)
			}
		})
	}
}
