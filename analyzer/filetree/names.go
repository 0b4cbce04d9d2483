package filetree

import "strings"

// names keeps the names of all nodes in pieces of memory that stay where they
// are. A piece holds 1 MiB, as much as the longest name that a tar can hold.
type names struct {
	pieces []string
	last   strings.Builder // what the last piece is part of
}

const (
	nameBits = 20
	nameMask = 1<<nameBits - 1
	maxNames = 1 << (32 - nameBits) // pieces
)

// add keeps a name and returns its place.
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

// at is the name of a length at a place.
func (s *names) at(place, length uint32) string {
	at := place & nameMask
	return s.pieces[place>>nameBits][at : at+length]
}
