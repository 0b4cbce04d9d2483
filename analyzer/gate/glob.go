package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"
)

// CheckGlob says what is wrong with a glob, which includes that no path can
// match it. `*` and `?` stand for anything but a slash, `**` for any number of
// folders, `[a-z]` and `{a,b}` as in a shell, a backslash takes the meaning away
// from what follows. One that begins with a slash is matched against the whole
// path from the root, any other at every depth: `*.pem` is `/**/*.pem`. One that
// ends in a slash stands for the folder and everything below it.
func CheckGlob(glob string) error {
	switch {
	case strings.Trim(glob, "/") == "":
		return errors.New("the glob is empty")
	case strings.HasPrefix(glob, "!"):
		return fmt.Errorf("%q: only rules that deny paths have exceptions; [!] is the character", glob)
	case !doublestar.ValidatePattern(rooted(glob)):
		return fmt.Errorf("%q is no glob: a bracket or a brace isn't closed, or a backslash ends it", glob)
	}
	if why := pointless(glob); why != "" {
		return fmt.Errorf("%q would match nothing: %s", glob, why)
	}
	return nil
}

// pointless says why no path matches a glob, or none that its author meant: a
// rule that denies paths would pass for ever. It is "" for all others.
func pointless(glob string) string {
	first, last := glob[0], glob[len(glob)-1]
	switch {
	case strings.IndexByte(`"'`, first) >= 0 || strings.IndexByte(`"'`, last) >= 0:
		return "the quotes are part of it"
	case strings.TrimSpace(glob) != glob:
		return "the space at its end is part of it; [ ] is the character"
	case first == '~', first == '$':
		return "~ and $ are not replaced by anything; [~] and [$] are the characters"
	}
	braces, part := 0, 0 // how deep it is in braces, and where the part of the path begins
	for i := 0; i < len(glob); i++ {
		rest := glob[i+1:]
		next := byte('/')
		if rest != "" {
			next = rest[0]
		}
		switch c := glob[i]; {
		case c == '\\':
			if unicode.IsLetter(rune(next)) || unicode.IsDigit(rune(next)) {
				return "folders are separated by slashes; a backslash takes the meaning away from what follows"
			}
			i++
		case c == '[':
			end, why := classEnd(glob, i)
			if why != "" {
				return why
			}
			i = end
		case c == '{':
			braces++
		case c == '}':
			braces--
		case c == ',' && braces == 0, unicode.IsSpace(rune(c)) && strings.IndexByte("*/.!", next) >= 0:
			return "each glob stands alone; [,] and [ ] are the characters"
		case c == '*' && next == '*':
			after := byte('/')
			if i+2 < len(glob) {
				after = glob[i+2]
			}
			if i > 0 && strings.IndexByte("/{,", glob[i-1]) < 0 || strings.IndexByte("/},", after) < 0 {
				return "** is a whole part of a path: /**/*.pem"
			}
			i++
		}
		if i+1 >= len(glob) || glob[i] == '/' {
			switch strings.TrimSuffix(glob[part:i+1], "/") {
			case ".", "..":
				return "paths have no . and no .. in them"
			case "":
				if part > 0 {
					return "paths have no empty part"
				}
			}
			part = i + 1
		}
	}
	return ""
}

// classEnd is where the class of characters that begins at i ends, and what is
// wrong with it.
func classEnd(glob string, i int) (end int, why string) {
	const wrong = "[a-z] takes single characters, and ranges that go upwards"
	chars := []rune{}
	for j, c := range glob[i+1:] {
		switch {
		case c == ']' && !(len(chars) > 0 && chars[len(chars)-1] == '\\'):
			for k := 1; k+1 < len(chars); k++ {
				if chars[k] == '-' && chars[k-1] > chars[k+1] && chars[k-1] != '\\' {
					return 0, wrong
				}
			}
			return i + 1 + j, ""
		case c == ':' && len(chars) > 0 && chars[len(chars)-1] == '[':
			return 0, wrong
		}
		chars = append(chars, c)
	}
	return len(glob) - 1, ""
}

// rooted is the glob as it is matched.
func rooted(glob string) string {
	if trimmed := strings.TrimRight(glob, "/"); trimmed != glob && !strings.HasSuffix(trimmed, `\`) {
		glob = trimmed + "/**"
	}
	if strings.HasPrefix(glob, "/") {
		return glob
	}
	return "/**/" + glob
}

// matcher is the glob, which CheckGlob found good, as a question about rooted
// paths.
func matcher(glob string) func(path string) bool {
	pattern := rooted(glob)
	return func(path string) bool { return doublestar.MatchUnvalidated(pattern, path) }
}

// denier is a list of globs, which the rule found good, as a question about
// what matcher matches them against: which of them denies it, -1 when none does or an
// exception matches.
func denier(globs []string, matcher func(glob string) func(string) bool) func(path string) int {
	match, except := make([]func(string) bool, len(globs)), []func(string) bool{}
	for i, g := range globs {
		if exception, ok := strings.CutPrefix(g, "!"); ok {
			except = append(except, matcher(exception))
		} else {
			match[i] = matcher(g)
		}
	}
	return func(path string) int {
		i := slices.IndexFunc(match, func(m func(string) bool) bool { return m != nil && m(path) })
		if i >= 0 && slices.ContainsFunc(except, func(m func(string) bool) bool { return m(path) }) {
			return -1
		}
		return i
	}
}
