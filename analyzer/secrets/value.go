package secrets

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Suspicious is the kind of a value that only its name makes suspicious.
const Suspicious = "suspicious-value"

// The other kinds that are found only in the configuration of an image.
const (
	urlPassword   = "url-password"
	authorization = "authorization-header"
)

// ScanSetting returns the secrets in an environment variable or a label.
func ScanSetting(name, value string) []Secret {
	s := scanSetting(name, value)
	found, _ := s.result()
	return found
}

func scanSetting(name, value string) scan {
	s := scan{text: []byte(value)}
	s.line()
	if len(s.hits) == 0 && suspiciousName(name) && suspiciousValue(value) {
		s.add(Suspicious, span{to: len(value), what: "value that looks like a secret"})
	}
	return s
}

// ScanCommand returns the secrets in a command of the history, with its build
// arguments.
func ScanCommand(command string) []Secret {
	s := scanCommand(command)
	found, _ := s.result()
	return found
}

// Hide returns a command of the history with the redacted form in place of each
// secret, wherever it occurs.
func Hide(command string) string { return scanCommand(command).hide(false) }

// HideLines is Hide for a file. The result has as many lines as the file.
func HideLines(text string) string { return scanCommand(text).hide(true) }

// HideSetting is Hide for the value of an environment variable or a label. It hides
// everything that ScanSetting finds, also a value with characters that end a word of a
// command.
func HideSetting(name, value string) string {
	value = scanSetting(name, value).hide(false)
	if hidden, ok := strings.CutPrefix(Hide(name+"="+value), name+"="); ok {
		return hidden
	}
	return value
}

func (s scan) hide(lines bool) string {
	command := string(s.text)
	// left returns the line feeds of a text that is replaced.
	left := func(text string) string {
		if !lines {
			return ""
		}
		return strings.Repeat("\n", strings.Count(text, "\n"))
	}
	if s.more > 0 {
		return fmt.Sprintf("(a command with more than %d secrets)", MaxHits) + left(command)
	}
	// The longest first: a short one may be the beginning of another.
	slices.SortStableFunc(s.hits, func(a, b hit) int { return cmp.Compare(b.to-b.from, a.to-a.from) })
	hidden := command
	for _, h := range s.hits {
		hidden = strings.ReplaceAll(hidden, command[h.from:h.to], h.Redacted+left(command[h.from:h.to]))
	}
	return hidden
}

func scanCommand(command string) scan {
	s := scan{text: []byte(command)}
	s.line()
	for _, m := range assignment.FindAllStringSubmatchIndex(command, -1) {
		from, to := m[4], m[5]
		for _, quote := range []string{`"`, `'`} {
			if text := command[from:to]; len(text) > 1 && strings.HasPrefix(text, quote) && strings.HasSuffix(text, quote) {
				from, to = from+1, to-1
			}
		}
		if suspiciousName(command[m[2]:m[3]]) && suspiciousValue(command[from:to]) {
			s.add(Suspicious, span{from: from, to: to, what: "value that looks like a secret"})
		}
	}
	return s
}

// line finds what is a secret in any text of the configuration.
func (s *scan) line() {
	s.anchored()
	for _, m := range urlPattern.FindAllSubmatchIndex(s.text, -1) {
		if goodPassword(s.text, m) {
			s.add(urlPassword, span{from: m[2], to: m[3], what: "password in a URL"})
		}
	}
	for _, m := range header.FindAllSubmatchIndex(s.text, -1) {
		value := string(s.text[m[4]:m[5]])
		if strings.EqualFold(string(s.text[m[2]:m[3]]), "basic") {
			plain, err := base64.StdEncoding.DecodeString(value)
			if _, password, ok := strings.Cut(string(plain), ":"); err != nil || !ok || len(password) < 4 || standsFor(password) {
				continue
			}
		}
		if !standsFor(value) && strings.ContainsAny(value, "0123456789") {
			s.add(authorization, span{from: m[4], to: m[5], what: "Authorization header"})
		}
	}
}

var (
	header     = regexp.MustCompile(`(?i)Authorization["']?\s*[:=]\s*["']?(basic|bearer|token)\s+([A-Za-z0-9._~+/=-]{12,})`)
	assignment = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]{2,80})=("[^"\n]{1,500}"|'[^'\n]{1,500}'|[^\s"';&|]{1,500})`)
	secretName = regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase)|secret|token|api_?key|private_?key|access_?key|credential|_pwd|_pat)s?$|^(?:pwd|password)$`)
)

// suspiciousName reports whether the value of the name may be a secret.
func suspiciousName(name string) bool {
	return secretName.MatchString(strings.ReplaceAll(strings.ReplaceAll(name, "-", "_"), ".", "_"))
}

// suspiciousValue reports whether the value may be a secret: neither a word, a
// number, a path nor a reference.
func suspiciousValue(value string) bool {
	if len(value) < 8 || len(value) > 512 || standsFor(value) || strings.ContainsAny(value[:1], "/.~@!-") {
		return false
	}
	letters, digits := 0, 0
	for _, r := range value {
		switch {
		case unicode.IsSpace(r) || r == '$' || r == unicode.ReplacementChar:
			return false
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	return letters > 0 && digits > 0 && !strings.Contains(value, "://") && entropy(value) >= 2.75
}
