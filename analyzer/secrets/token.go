package secrets

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// part is a part of a token: a literal, or characters of an alphabet.
type part struct {
	lit      string
	set      *[256]bool
	min, max int
	optional bool
}

// alphabets maps the letters in the form of a token.
var alphabets = map[byte]*[256]bool{
	'w': set("AZ", "az", "09"),
	's': set("AZ", "az", "09", "__", "--"),
	'l': set("AZ", "az"),
	'd': set("09"),
	'h': set("09", "af"),
	'H': set("09", "AF"),
	'x': set("09", "af", "AF"),
	'U': set("AZ", "09"),
	'A': set("AZ", "27"),
	'B': set("AZ", "az", "09", "++", "//"),
}

func set(ranges ...string) *[256]bool {
	out := &[256]bool{}
	for _, r := range ranges {
		for c := int(r[0]); c <= int(r[1]); c++ {
			out[c] = true
		}
	}
	return out
}

// parseForm parses the form of a token: parts between spaces. "w36" is 36 characters
// of the alphabet w, "s20-99" is 20 to 99, "=." a literal, and "?.s2-9" a literal
// with characters that may be missing.
func parseForm(form string) []part {
	var parts []part
	for _, f := range strings.Fields(form) {
		p := part{}
		if f[0] == '=' {
			parts = append(parts, part{lit: f[1:]})
			continue
		}
		if f[0] == '?' {
			p.optional, p.lit, f = true, f[1:2], f[2:]
		}
		lo, hi, isRange := strings.Cut(f[1:], "-")
		if !isRange {
			hi = lo
		}
		var err1, err2 error
		p.min, err1 = strconv.Atoi(lo)
		p.max, err2 = strconv.Atoi(hi)
		if p.set = alphabets[f[0]]; p.set == nil || err1 != nil || err2 != nil {
			panic(fmt.Sprintf("secrets: the form %q is wrong", form)) // of a constant
		}
		parts = append(parts, p)
	}
	return parts
}

// match returns the length of the token's body at the start of text, or -1. Each
// part takes as many characters as its alphabet allows, and must not be longer.
func match(parts []part, text []byte) int {
	at := 0
	for _, p := range parts {
		from := at
		if p.lit != "" {
			if !bytes.HasPrefix(text[at:], []byte(p.lit)) {
				if p.optional {
					continue
				}
				return -1
			}
			at += len(p.lit)
		}
		n := 0
		for p.set != nil && n <= p.max && at+n < len(text) && p.set[text[at+n]] {
			n++
		}
		switch {
		case n >= p.min && n <= p.max:
			at += n
		case p.set == nil:
		case p.optional:
			at = from
		default:
			return -1
		}
	}
	return at
}

// boundary reports whether a token can begin at offset at: not in the middle of a
// word. The letter of an escape like \n is no part of a word.
func boundary(text []byte, at int) bool {
	if at == 0 || !wordByte(text[at-1]) {
		return true
	}
	return at > 1 && text[at-2] == '\\' && strings.IndexByte("nrt", text[at-1]) >= 0
}

func wordByte(c byte) bool { return alphabets['w'][c] || c == '_' }

// token returns the function that finds tokens of a form behind their prefix.
func token(form string) func(*scan, int, string) (span, bool) { return checked(form, nil) }

// checked is like token, for tokens with a checksum. A token whose checksum is wrong
// is none.
func checked(form string, sum func(prefix, body string) bool) func(*scan, int, string) (span, bool) {
	parts := parseForm(form)
	return func(s *scan, at int, anchor string) (span, bool) {
		if !boundary(s.text, at) {
			return span{}, false
		}
		body := at + len(anchor)
		n := match(parts, s.text[body:])
		if n < 0 || body+n < len(s.text) && wordByte(s.text[body+n]) {
			return span{}, false
		}
		text := string(s.text[body : body+n])
		if placeholder(text) || sum != nil && !sum(anchor, text) {
			return span{}, false
		}
		return span{from: at, to: body + n, proven: sum != nil}, true
	}
}

// placeholder reports whether the text stands for a secret in an example: it has
// little variety, or says so.
func placeholder(text string) bool {
	lower := strings.ToLower(text)
	for _, word := range []string{"example", "xxxx", "placeholder", "redacted", "changeme", "your", "dummy", "deadbeef", "abcdef0123", "0123456789", "1234567890"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	same, next := 1, 1 // length of the run of equal characters, and of ascending ones
	for i := 1; i < len(text); i++ {
		same, next = same+1, next+1
		if text[i] != text[i-1] {
			same = 1
		}
		if text[i] != text[i-1]+1 {
			next = 1
		}
		if same >= 6 || next >= 8 {
			return true
		}
	}
	return entropy(text) < min(2.5, math.Log2(float64(len(text)))*0.7)
}

// entropy returns the Shannon entropy of text, in bits for each byte.
func entropy(text string) float64 {
	var count [256]int
	for i := range len(text) {
		count[text[i]]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(text))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// before returns the offset at which the characters of an alphabet that end at
// offset to begin, at most limit before it.
func before(text []byte, to int, set *[256]bool, limit int) int {
	from := to
	for from > 0 && to-from <= limit && set[text[from-1]] {
		from--
	}
	return from
}

// findOpenAI finds keys by the text in their middle.
func findOpenAI(s *scan, at int, anchor string) (span, bool) {
	const longest = 100
	url := alphabets['s']
	from := before(s.text, at, url, longest)
	end := at + len(anchor)
	for end < len(s.text) && end-at <= longest && url[s.text[end]] {
		end++
	}
	head, tail := string(s.text[from:at]), end-at-len(anchor)
	i := strings.LastIndex(head, "sk-")
	if i < 0 || i > 0 && wordByte(head[i-1]) {
		return span{}, false
	}
	from, head = from+i, head[i+len("sk-"):]
	for _, kind := range []string{"proj-", "svcacct-", "admin-"} {
		head = strings.TrimPrefix(head, kind)
	}
	switch n := len(head); {
	case n != tail, n != 20 && n != 58 && n != 74, placeholder(head):
		return span{}, false
	}
	return span{from: from, to: end}, true
}

// findAWSSecret finds the value that follows the name.
func findAWSSecret(s *scan, at int, anchor string) (span, bool) {
	from := at + len(anchor)
	for limit := from + 8; from < min(limit, len(s.text)) && strings.IndexByte(" \t=:\"'", s.text[from]) >= 0; {
		from++
	}
	to := from + 40
	if from == at+len(anchor) || match([]part{{set: alphabets['B'], min: 40, max: 40}}, s.text[from:]) < 0 {
		return span{}, false
	}
	if value := string(s.text[from:to]); placeholder(value) || entropy(value) < 3.5 {
		return span{}, false
	}
	return span{from: from, to: to}, true
}

// findAzureStorage finds the key of a connection string.
func findAzureStorage(s *scan, at int, anchor string) (span, bool) {
	from := at + len(anchor)
	n := match([]part{{set: alphabets['B'], min: 86, max: 86}, {lit: "=="}}, s.text[from:])
	if n < 0 || from+n < len(s.text) && wordByte(s.text[from+n]) {
		return span{}, false
	}
	// The storage emulator has the same key everywhere.
	if bytes.HasPrefix(s.text[from:], []byte("Eby8vdM02xNOcq"+"FlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6")) || placeholder(string(s.text[from:from+n])) {
		return span{}, false
	}
	return span{from: from, to: from + n}, true
}

// findTerraform finds tokens by the text behind their first 14 characters.
func findTerraform(s *scan, at int, anchor string) (span, bool) {
	from := before(s.text, at, alphabets['w'], 14)
	body := at + len(anchor)
	n := match([]part{{set: alphabets['s'], min: 60, max: 80}}, s.text[body:])
	if at-from != 14 || n < 0 || placeholder(string(s.text[body:body+n])) {
		return span{}, false
	}
	return span{from: from, to: body + n}, true
}

// findSlack finds tokens whose secret follows up to three numbers.
func findSlack(s *scan, at int, anchor string) (span, bool) {
	body := at + len(anchor)
	forms := slackForms[anchor]
	if forms == nil {
		forms = slackForms[""]
	}
	if !boundary(s.text, at) {
		return span{}, false
	}
	for _, form := range forms {
		if n := match(form, s.text[body:]); n >= 0 && (body+n == len(s.text) || !alphabets['s'][s.text[body+n]]) {
			text := s.text[body : body+n]
			secret := string(text[bytes.LastIndexByte(text, '-')+1:])
			if placeholder(secret) {
				return span{}, false
			}
			return span{from: at, to: body + n}, true
		}
	}
	return span{}, false
}

var slackForms = map[string][][]part{
	"xoxb-": {parseForm("d10-13 =- d10-13 =- w24"), parseForm("d10-13 =- w24")},
	"xapp-": {parseForm("d1 =- U10-13 =- d10-13 =- h64")},
	"":      {parseForm("d10-13 =- d10-13 =- d10-13 =- w28-64"), parseForm("d10-13 =- d10-13 =- w24-64")},
}

// findSentry finds the tokens of users and of organizations.
func findSentry(s *scan, at int, anchor string) (span, bool) {
	if anchor == "sntryu_" {
		return token("h64")(s, at, anchor)
	}
	return token("B80-600 ?=w0 ?=w0 =_ s30-60")(s, at, anchor)
}
