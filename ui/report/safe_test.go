package report

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSafe(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		// ordinary names stay as they are
		{"", ""},
		{"/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"},
		{"a b [red]c[-] %s <b>&", "a b [red]c[-] %s <b>&"},
		{"日本語　全角.txt", "日本語　全角.txt"},
		{"e\u0301te\u0301.txt", "e\u0301te\u0301.txt"},
		{"été ñ ß Ω я", "été ñ ß Ω я"},
		{"👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 🏳\ufe0f\u200d🌈", "👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 🏳\ufe0f\u200d🌈"},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{"ශ්\u200dරී", "ශ්\u200dරී"},
		{"葛\U000e0100", "葛\U000e0100"},
		{"\u0600\u0661", "\u0600\u0661"},
		{"\ufffd", "\ufffd"},

		// characters that move the cursor or end the line
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x1b[31m", `\x1b[31m`},
		{"\x1b]52;c;aGk=\a", `\x1b]52;c;aGk=\x07`},
		{"\x00\x7f", `\x00\x7f`},
		{"\u009b31m\u0085", `\u009b31m\u0085`},
		{"a\u2028b\u2029", `a\u2028b\u2029`},

		// characters that mislead readers
		{"exe\u202egpj.sh", `exe\u202egpj.sh`},
		{"\u2066a\u2069\u200e\u200f\u061c", `\u2066a\u2069\u200e\u200f\u061c`},
		{"pass\u200bword\ufeff\u00ad\u2060", `pass\u200bword\ufeff\u00ad\u2060`},
		{"a\u200db", `a\u200db`},
		{"日\u200d本", `日\u200d本`},
		{"\u200d", `\u200d`},
		{"a\ufe0fb", `a\ufe0fb`},
		{"a\u00a0b\u2003", `a\u00a0b\u2003`},
		{"\u3164\u2800\u115f", `\u3164\u2800\u115f`},
		{"\U000e0041", `\U000e0041`},
		{"\ufffe\ufdd0\U0001ffff", `\ufffe\ufdd0\U0001ffff`},

		// commands for CI runners, anywhere in a line
		{"/a##[stop-commands]x", `/a#\x23[stop-commands]x`},
		{"##vso[task.complete]###[b", `#\x23vso[task.complete]##\x23[b`},
		{"## a #[b] #!/bin/sh # (nop)", "## a #[b] #!/bin/sh # (nop)"},
		{`\x23`, `\\x23`},

		// invalid UTF-8: truncated, overlong, surrogate, too large
		{"\xff\xfe", `\xff\xfe`},
		{"caf\xe9", `caf\xe9`},
		{"\xe2\x80", `\xe2\x80`},
		{"\xc0\xaf", `\xc0\xaf`},
		{"\xed\xa0\x80", `\xed\xa0\x80`},
		{"\x9b31m", `\x9b31m`},

		// backslashes: doubled only before text that would look like an escape
		{`a\b`, `a\b`},
		{`dev-disk-by\x2duuid.swap`, `dev-disk-by\x2duuid.swap`},
		{`\`, `\`},
		{`\x1b`, `\\x1b`},
		{`\x1B`, `\x1B`},
		{`C:\new`, `C:\\new`},
		{`\\`, `\\\`},
		{`\\n`, `\\\\n`},
		{"\\\n", `\\\n`},
		{"\\\xff", `\\\xff`},
		{`\u202e`, `\\u202e`},
		{`\u0041`, `\u0041`},
		{`\U000e0041`, `\\U000e0041`},
		{`\xff`, `\\xff`},
	} {
		if got := Safe(tt.in); got != tt.want {
			t.Errorf("Safe(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// unsafe undoes Safe, reading from the left.
func unsafe(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i+1]]
		switch c := s[i+1]; {
		case c == '\\':
			b.WriteByte('\\')
			i += 2
			continue
		case c == 'n' || c == 't' || c == 'r':
			b.WriteByte(map[byte]byte{'n': '\n', 't': '\t', 'r': '\r'}[c])
			i += 2
			continue
		case n > 0 && i+2+n <= len(s):
			digits := s[i+2 : i+2+n]
			v, err := strconv.ParseUint(digits, 16, 32)
			if err != nil || digits != strings.ToLower(digits) || v > unicode.MaxRune {
				break
			}
			if n == 2 && (v < ' ' || v >= 0x7f || v == '#') {
				b.WriteByte(byte(v))
				i += 4
				continue
			}
			if n > 2 && hidden(rune(v)) {
				b.WriteRune(rune(v))
				i += 2 + n
				continue
			}
		}
		b.WriteByte('\\')
		i++
	}
	return b.String()
}

func FuzzSafe(f *testing.F) {
	for _, s := range []string{
		"", "/bin/sh", "a\nb", "\x1b]0;x\a", `\\\x1b`, "\\\u202e", "\xff\\xff", "a\u200db", "👩\u200d👩", "\\\\\n", `\u202`, `\U000e004`, `###[\x23[`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Safe(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Safe(%q) = %q is no UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\u200b' || r == '\ufeff' {
				t.Fatalf("Safe(%q) = %q holds %U", s, got, r)
			}
		}
		if back := unsafe(got); back != s {
			t.Fatalf("Safe(%q) = %q reads as %q", s, got, back)
		}
	})
}
