package filetree

import "strings"

// names stores the names of all nodes in chunks of 1 MiB, which is the length of
// the longest name in a tar. It never copies a full chunk.
type names struct {
	pieces []string
	last   strings.Builder // the buffer of the last chunk
}

const (
	nameBits = 20
	nameMask = 1<<nameBits - 1
	maxNames = 1 << (32 - nameBits) // chunks
)

// add stores a name and returns its place.
func (s *names) add(name string) (uint32, error) {
	if len(name) > 1<<nameBits {
		return 0, errTooManyNames
	}
	if len(s.pieces) == 0 || s.last.Len()+len(name) > 1<<nameBits {
		if len(s.pieces) == maxNames {
			return 0, errTooManyNames
		}
		s.last = strings.Builder{}
		if len(s.pieces) > 0 { // most images are small
			s.last.Grow(1 << nameBits)
		}
		s.pieces = append(s.pieces, "")
	}
	piece := len(s.pieces) - 1
	at := s.last.Len()
	s.last.WriteString(name)
	s.pieces[piece] = s.last.String()
	return uint32(piece)<<nameBits | uint32(at), nil
}

// at returns the name at place with the given length.
func (s *names) at(place, length uint32) string {
	at := place & nameMask
	return s.pieces[place>>nameBits][at : at+length]
}
