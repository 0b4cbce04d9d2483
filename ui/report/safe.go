// Package report writes a result as text, as JSON and in other formats. All texts
// from an image (names, commands, labels) pass through Safe before they reach a
// terminal, a log or a file.
package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe returns s in a form that is safe on one line of a terminal or a log. Ordinary
// names, in any script, do not change. Characters that move the cursor, change the
// direction of text or are invisible, and bytes that are not UTF-8, become visible
// escapes:
//
//	\n \t \r       line feed, tab, carriage return
//	\x1b           other control characters below 0x80, and DEL
//	\xff           a byte that is not part of valid UTF-8 (always >= \x80)
//	\x23           the second # of "##[" and "##vso[": the runners of GitHub and
//	               Azure execute such commands anywhere in a line of a log
//	\u202e         any other character, by its number
//	\U000e0041     the same above U+FFFF
//
// A backslash is doubled if it would otherwise look like the start of one of these
// escapes. So no two strings have the same result.
func Safe(s string) string {
	i := firstUnsafe(s)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	before := rune(0) // the character before, 0 at the start
	for i = 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\\' && ambiguous(s[i+1:]):
			b.WriteString(`\\`)
		case r == utf8.RuneError && n == 1, before == '#' && commands(s[i:]):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hidden(r) && !joins(before, r, s[i+n:]):
			b.WriteString(escape(r))
		default:
			b.WriteString(s[i : i+n])
		}
		before = r
		i += n
	}
	return b.String()
}

// firstUnsafe returns the index of the first character that Safe may have to escape,
// -1 if there is none.
func firstUnsafe(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return i
		}
	}
	return -1
}

// commands reports whether a # before rest starts a command for a CI runner.
func commands(rest string) bool {
	return strings.HasPrefix(rest, "#[") || strings.HasPrefix(rest, "#vso[")
}

// escape returns the escape that Safe writes for r.
func escape(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// ambiguous reports whether a single backslash before rest would read as an escape:
// rest begins with a backslash, with a character that becomes an escape, or with the
// part after the backslash of an escape that Safe writes. "\x2d", which systemd uses in
// the names of units, is not such an escape: Safe never writes it.
func ambiguous(rest string) bool {
	if rest == "" {
		return false
	}
	switch rest[0] {
	case '\\', 'n', 't', 'r':
		return true
	case 'x':
		v, ok := hex(rest[1:], 2)
		return ok && (v < ' ' || v >= 0x7f || v == '#')
	case 'u':
		v, ok := hex(rest[1:], 4)
		return ok && hidden(v)
	case 'U':
		v, ok := hex(rest[1:], 8)
		return ok && hidden(v)
	}
	r, n := utf8.DecodeRuneInString(rest)
	return r == utf8.RuneError && n == 1 || hidden(r) && !joins('\\', r, rest[n:])
}

// hex parses the first n characters of s as a hexadecimal number in lower case.
func hex(s string, n int) (rune, bool) {
	if len(s) < n {
		return 0, false
	}
	var v rune
	for _, c := range []byte(s[:n]) {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// hidden reports whether r, on its own, must be escaped. That applies to control
// characters, line and paragraph separators, spaces that look like the ordinary one
// (except the wide one of East Asia), bidi controls, characters that are
// default-ignorable in Unicode, which draw nothing, and noncharacters, which neither
// HTML nor XML allows.
func hidden(r rune) bool {
	switch {
	case r >= ' ' && r < 0x7f:
		return false
	case unicode.IsControl(r):
		return true
	case r == '\u3000':
		return false
	case r == '\u2800': // braille blank: a symbol that draws nothing
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // format characters that do draw
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	textStyle          = '\ufe0e'
	emojiStyle         = '\ufe0f'
	keycap             = '\u20e3'
)

// joins reports whether a hidden character is ordinary between before and rest: a
// joiner inside an emoji or in a script that uses joiners, a style selector after a
// symbol, a variant of an ideograph or a Mongolian letter.
func joins(before, r rune, rest string) bool {
	after, _ := utf8.DecodeRuneInString(rest)
	switch {
	case r == zeroWidthJoiner:
		return joined(before) && joined(after)
	case r == zeroWidthNonJoiner:
		return joined(before) && joined(after) && !unicode.Is(unicode.So, after)
	case r == textStyle, r == emojiStyle:
		return unicode.In(before, unicode.So, unicode.Sm) || before == '\u203c' || before == '\u2049' || after == keycap
	case r >= 0xe0100 && r <= 0xe01ef:
		return unicode.Is(unicode.Han, before)
	case r >= 0x180b && r <= 0x180d, r == 0x180f:
		return unicode.Is(unicode.Mongolian, before)
	}
	return false
}

// joined reports whether joiners are ordinary next to r.
func joined(r rune) bool {
	return r == emojiStyle || unicode.In(r, unicode.So, unicode.Sk, unicode.Arabic, unicode.Syriac,
		unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
		unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar,
		unicode.Mongolian)
}
