// Package secrets finds private keys, tokens and passwords in the content of files
// and in the configuration of images. It knows formats, not words: a secret is found
// by the prefix, the alphabet, the length and the checksum that its issuer gives it,
// by its structure, or by the file that is known to hold it.
package secrets

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxSize is the size in bytes of the largest file that Scan looks at.
const MaxSize = 1 << 20

// MaxHits is how many secrets Scan returns for a file.
const MaxHits = 100

// Secret is a secret that was found. It does not contain the secret itself.
type Secret struct {
	Kind   string // the name of its Kind
	What   string // a noun phrase: "RSA private key"
	Offset int    // of its first byte
	Line   int    // from 1
	// Sum identifies the value: equal values have equal sums, also where the same key
	// is written with other line ends.
	Sum      [16]byte
	Redacted string // the first characters, and the length
	// Proven says that it can't be a coincidence: the key parses, or the checksum of
	// the token is right.
	Proven bool
	// Locked says that a passphrase protects it.
	Locked bool
	// Public says that such a value is often meant to be public; see Kind.
	Public bool
}

// Scan returns the secrets in a file, by offset, and how many more than MaxHits it
// has. path is the file's path; a few files are known by their names. Scan finds
// nothing in binary files and in files of more than MaxSize bytes.
func Scan(path string, content []byte) (found []Secret, more int) {
	if len(content) > MaxSize || Binary(content) {
		return nil, 0
	}
	s := scan{text: decode(content)}
	s.anchored()
	s.named(path)
	return s.result()
}

// scan is one text that is searched.
type scan struct {
	text []byte
	hits []hit
	more int

	kty      int // offset of the last "kty"
	unclosed int // a JSON object that begins before this offset ends only behind it
}

// hit is a secret and where it is.
type hit struct {
	Secret
	from, to int
}

// span is a part of the text with a secret.
type span struct {
	from, to int
	value    []byte // what identifies it; nil for the part itself
	shown    []byte // what is redacted for display; likewise
	what     string // "" for what the kind says
	proven   bool
	locked   bool
	public   bool
}

// add adds a secret, unless it overlaps an earlier hit or has the value of one.
func (s *scan) add(kind string, p span) {
	text := s.text[p.from:p.to]
	value, shown := p.value, p.shown
	if value == nil {
		value = text
	}
	if shown == nil {
		shown = text
	}
	sum := sha256.Sum256(value)
	for i := range s.hits {
		h := &s.hits[i]
		if p.from < h.to && h.from < p.to || bytes.Equal(h.Sum[:], sum[:len(h.Sum)]) {
			return
		}
	}
	if len(s.hits) == MaxHits {
		s.more++
		return
	}
	h := hit{from: p.from, to: p.to, Secret: Secret{
		Kind: kind, What: p.what, Offset: p.from, Redacted: redact(shown), Proven: p.proven, Locked: p.locked, Public: p.public,
	}}
	copy(h.Sum[:], sum[:])
	s.hits = append(s.hits, h)
}

// result returns the hits by offset, with their lines.
func (s *scan) result() ([]Secret, int) {
	if len(s.hits) == 0 {
		return nil, 0
	}
	slices.SortFunc(s.hits, func(a, b hit) int { return cmp.Compare(a.from, b.from) })
	out := make([]Secret, len(s.hits))
	line, at := 1, 0
	for i, h := range s.hits {
		line += bytes.Count(s.text[at:h.from], []byte("\n"))
		at = h.from
		out[i] = h.Secret
		out[i].Line = line
	}
	return out, s.more
}

// redact returns the first four characters of a secret and its length; of a short
// one it returns fewer characters.
func redact(text []byte) string {
	n := utf8.RuneCount(text)
	first := bytes.Runes(text[:min(len(text), 32)])
	first = first[:min(len(first), 4, n/4)]
	for i, r := range first {
		if r <= ' ' || r > '~' {
			first[i] = '?'
		}
	}
	return fmt.Sprintf("%s… (%d characters)", string(first), n)
}

// sniffed is how many bytes at the start of a file tell whether it is binary.
const sniffed = 512

// Binary reports whether a file that begins with head is binary. Text in UTF-16 is
// not.
func Binary(head []byte) bool {
	head = head[:min(len(head), sniffed)]
	return bytes.IndexByte(head, 0) >= 0 && utf16Order(head) == 0
}

// utf16Order returns 'l' or 'b' for text in UTF-16, little-endian or big-endian, and
// 0 for anything else. Without a byte order mark, every second byte of the start must
// be zero and no other.
func utf16Order(head []byte) byte {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}): // UTF-32
		return 0
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return 'l'
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return 'b'
	}
	if len(head) < 16 {
		return 0
	}
	var zeros [2]int
	for i, c := range head[:len(head)&^1] {
		if c == 0 {
			zeros[i&1]++
		}
	}
	switch half := len(head) / 2; {
	case zeros[0] == 0 && zeros[1] == half:
		return 'l'
	case zeros[1] == 0 && zeros[0] == half:
		return 'b'
	}
	return 0
}

// decode returns content as UTF-8 if it is UTF-16, and otherwise unchanged: it need
// not be valid.
func decode(content []byte) []byte {
	head := content[:min(len(content), sniffed)]
	if bytes.IndexByte(head, 0) < 0 && !bytes.HasPrefix(head, []byte{0xff, 0xfe}) && !bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return content
	}
	order := utf16Order(head)
	if order == 0 {
		return content
	}
	units := make([]uint16, len(content)/2)
	for i := range units {
		lo, hi := content[2*i], content[2*i+1]
		if order == 'b' {
			lo, hi = hi, lo
		}
		units[i] = uint16(lo) | uint16(hi)<<8
	}
	return []byte(string(utf16.Decode(units)))
}

// anchored finds the secrets that their prefixes give away.
func (s *scan) anchored() {
	t := table()
	t.grams.each(s.text, func(a *anchor, at int) {
		k := &t.kinds[a.kind]
		if p, ok := k.find(s, at, a.text[a.skip:]); ok {
			p.what, p.public = cmp.Or(p.what, k.Means), k.Public
			s.add(k.Name, p)
		}
	})
}

// tables is what is made from Kinds once.
type tables struct {
	kinds  []Kind
	byName map[string][]file // by "/" and the last part of their paths
	grams  *grams
}

var table = sync.OnceValue(func() *tables {
	t := &tables{kinds: Kinds(), byName: map[string][]file{}}
	var all []anchor
	for i := range t.kinds {
		for _, text := range t.kinds[i].anchors {
			all = append(all, anchor{text: text, kind: i})
		}
	}
	t.grams = newGrams(all)
	for _, f := range files() {
		var names []string
		for _, end := range f.ends {
			if name := end[strings.LastIndexByte(end, '/'):]; !slices.Contains(names, name) {
				names = append(names, name)
				t.byName[name] = append(t.byName[name], f)
			}
		}
	}
	return t
})
