package layer

import "io"

// Sample is the part of a file that a Looker gets: all of it if it has at most
// Looker.Whole bytes, otherwise its start, its end, and what Looker.Window chose.
type Sample struct {
	Size int64
	Head []byte // the start, or the whole file
	Tail []byte // the end; empty if Head is the whole file

	window part

	// at, if not nil, has the file: Head is as short as Sparing allows, Tail is empty,
	// and the first head, the last tail bytes and the window are read when they are
	// needed.
	at         io.ReaderAt
	head, tail int64
	err        error // of at
}

// part is some bytes of a file: those in data, or size bytes that Sample.at has.
type part struct {
	off, size int64
	data      []byte
}

// add adds what belongs to x of p, the bytes of the file at off. All bytes before off
// were added.
func (x *part) add(p []byte, off int64) {
	from, to := max(off, x.off), min(off+int64(len(p)), x.off+x.size)
	if from < to {
		x.data = append(x.data, p[from-off:to-off]...)
	}
}

// parts returns what s holds.
func (s *Sample) parts() [3]part {
	if s.at != nil {
		return [3]part{{0, s.head, nil}, {s.Size - s.tail, s.tail, nil}, s.window}
	}
	head, tail := int64(len(s.Head)), int64(len(s.Tail))
	return [3]part{{0, head, s.Head}, {s.Size - tail, tail, s.Tail}, s.window}
}

// ReadAt implements io.ReaderAt for the bytes in s. The others read as zeros.
func (s *Sample) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.Size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.Size-off))
	end := off + int64(n)
	if end <= int64(len(s.Head)) {
		copy(p, s.Head[off:end])
	} else {
		clear(p[:n])
		for _, x := range s.parts() {
			from, to := max(off, x.off), min(end, x.off+x.size)
			switch {
			case from >= to:
			case s.at == nil:
				copy(p[from-off:to-off], x.data[from-x.off:])
			default:
				if err := readFull(s.at, p[from-off:to-off], from); err != nil {
					s.err = err
					return 0, err
				}
			}
			if from == off && to == end {
				break
			}
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Has reports whether s holds the n bytes at off.
func (s *Sample) Has(off, n int64) bool {
	for _, x := range s.parts() {
		if off >= x.off && n >= 0 && off <= x.off+x.size && n <= x.off+x.size-off {
			return true
		}
	}
	return false
}
