package toc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// scanner reads the JSON of a table. It decodes entries of the form that tools
// write itself: flat objects of integers and strings without escapes. That takes a
// tenth of the time of encoding/json, which decodes everything else.
type scanner struct {
	b  []byte
	at int
}

var errJSON = errors.New("it is no JSON")

// space skips white space and returns the byte after it without consuming it, or 0
// at the end.
func (s *scanner) space() byte {
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take skips white space and consumes the next byte if it is c. It reports whether
// it did.
func (s *scanner) take(c byte) bool {
	if s.space() != c {
		return false
	}
	s.at++
	return true
}

// value reads any value into v, as encoding/json does.
func (s *scanner) value(v any) error {
	dec := json.NewDecoder(bytes.NewReader(s.b[s.at:]))
	if err := dec.Decode(v); err != nil {
		return err
	}
	s.at += int(dec.InputOffset())
	return nil
}

// members reads an object. It calls member for every key; member must read the
// value.
func (s *scanner) members(member func(key string) error) error {
	if !s.take('{') {
		return errJSON
	}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') || s.space() != '"' {
			return errJSON
		}
		var key string
		if err := s.value(&key); err != nil {
			return err
		}
		if !s.take(':') {
			return errJSON
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return nil
}

// elements reads an array. It calls element for every index; element must read the
// value.
func (s *scanner) elements(element func(n int) error) error {
	if !s.take('[') {
		return errors.New("its entries are no list")
	}
	for n := 0; !s.take(']'); n++ {
		if n > 0 && !s.take(',') {
			return errJSON
		}
		if err := element(n); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

// entry reads one entry into e, which must be zero.
func (s *scanner) entry(e *entry) error {
	at := s.at
	if s.plain(e) {
		return nil
	}
	s.at = at
	*e = entry{}
	return s.value(e)
}

// plain reads an entry in the form that tools write. For any other form it returns
// false, having read part of it.
func (s *scanner) plain(e *entry) bool {
	if !s.take('{') {
		return false
	}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return false
		}
		key, ok := s.text()
		if !ok || !s.take(':') || !s.field(e, key) {
			return false
		}
	}
	return true
}

func (s *scanner) field(e *entry, key []byte) bool {
	var text *string
	var number *int64
	switch string(key) {
	case "name":
		text = &e.Name
	case "type":
		text = &e.Type
	case "modtime":
		text = &e.ModTime
	case "linkName":
		text = &e.LinkName
	case "digest":
		text = &e.Digest
	case "chunkDigest":
		text = &e.ChunkDigest
	case "chunkType":
		text = &e.ChunkType
	case "size":
		number = &e.Size
	case "mode":
		number = &e.Mode
	case "uid":
		number = &e.UID
	case "gid":
		number = &e.GID
	case "devMajor":
		number = &e.DevMajor
	case "devMinor":
		number = &e.DevMinor
	case "offset":
		number = &e.Offset
	case "innerOffset":
		number = &e.InnerOffset
	case "chunkOffset":
		number = &e.ChunkOffset
	case "chunkSize":
		number = &e.ChunkSize
	case "xattrs":
		return s.xattrs(e)
	case "userName", "groupName", "accesstime", "changetime", "tarSplitDigest":
		_, ok := s.text()
		return ok
	case "endOffset", "NumLink":
		_, ok := s.number()
		return ok
	default:
		return false
	}
	if number != nil {
		n, ok := s.number()
		*number = n
		return ok
	}
	t, ok := s.text()
	*text = string(t)
	return ok
}

// text reads a string of ASCII characters without escapes.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	n := bytes.IndexByte(s.b[s.at:], '"')
	if n < 0 {
		return nil, false
	}
	p := s.b[s.at:][:n]
	for _, c := range p {
		if c < ' ' || c >= 0x80 || c == '\\' {
			return nil, false
		}
	}
	s.at += n + 1
	return p, true
}

// number reads an integer of at most 18 digits.
func (s *scanner) number() (int64, bool) {
	neg := s.take('-')
	from, n := s.at, uint64(0)
	if !neg {
		s.space()
		from = s.at
	}
	for ; s.at < len(s.b) && s.b[s.at]-'0' <= 9; s.at++ {
		if s.at-from > 17 {
			return 0, false
		}
		n = n*10 + uint64(s.b[s.at]-'0')
	}
	digits := s.at - from
	if digits == 0 || digits > 1 && s.b[from] == '0' || n > math.MaxInt64 || s.at == len(s.b) {
		return 0, false
	}
	switch s.b[s.at] {
	case '.', 'e', 'E':
		return 0, false
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

func (s *scanner) xattrs(e *entry) bool {
	if e.Xattrs != nil || !s.take('{') {
		return false
	}
	e.Xattrs = map[string][]byte{}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return false
		}
		name, ok := s.text()
		if !ok || !s.take(':') {
			return false
		}
		text, ok := s.text()
		if !ok {
			return false
		}
		value, err := base64.StdEncoding.AppendDecode([]byte{}, text)
		if err != nil {
			return false
		}
		e.Xattrs[string(name)] = value
	}
	return true
}
