package layer

import "strings"

const nameChunk = 64 << 10

// names allocates strings in large chunks, so that a million strings are not a
// million allocations.
type names struct {
	b     strings.Builder
	total int64             // bytes kept
	seen  map[string]string // extended attributes: many files have the same
}

// keep returns p as a string.
func (s *names) keep(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	s.total += int64(len(p))
	if s.b.Cap()-s.b.Len() < len(p) {
		if len(p) > nameChunk/16 {
			return string(p)
		}
		s.b.Reset()
		s.b.Grow(nameChunk)
	}
	n := s.b.Len()
	s.b.Write(p)
	return s.b.String()[n:]
}

// attributes returns a, or an equal string that was returned before.
func (s *names) attributes(a string) string {
	if have, ok := s.seen[a]; ok {
		return have
	}
	s.total += int64(len(a))
	if s.seen == nil {
		s.seen = map[string]string{}
	}
	if len(s.seen) < 1024 && len(a) < 1024 {
		s.seen[a] = a
	}
	return a
}
