package layer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

// errEnd says that the tar ends inside of something.
var errEnd = errors.New("unexpected end")

// readError is what the blob, its decoder or the context answered. It needs no
// place in the tar.
type readError struct{ error }

func (e *readError) Unwrap() error { return e.error }

// short makes the end of the tar an error where something must follow.
func short(err error) error {
	if err == io.EOF {
		return errEnd
	}
	return err
}

// source is an uncompressed tar: a window over a blob that is read at offsets,
// where what is skipped is never read, or over a stream.
type source struct {
	ctx      context.Context
	at       io.ReaderAt            // nil for a stream
	size     int64                  // of at
	r        io.Reader              // the stream
	next     func() ([]byte, error) // the stream in buffers, when not nil; then r is not used
	progress func(int64)            // is called with the offset in at up to which all was read or skipped

	buf    []byte
	lo, hi int   // buf[lo:hi] is not yet taken
	off    int64 // of buf[lo] in the tar
	end    error // what the stream ended with
	tap    *tap  // takes every byte of the stream; may be nil

	piece []byte // of next, not yet in the window
	joint [2 * blockSize]byte
}

// fill makes more bytes available, if there are any. What is there stays.
func (s *source) fill() error {
	if err := s.ctx.Err(); err != nil {
		return &readError{err}
	}
	if s.at != nil {
		n := int(min(int64(len(s.buf)), s.size-s.off))
		got, err := s.at.ReadAt(s.buf[:n], s.off)
		if got < n {
			if err == io.EOF {
				err = fmt.Errorf("unexpected end after %d of %d bytes", s.off+int64(got), s.size)
			}
			return &readError{err}
		}
		s.lo, s.hi = 0, n
		s.progress(s.off + int64(n))
		return nil
	}
	if s.end != nil {
		return nil
	}
	if s.next != nil {
		return s.fillNext()
	}
	// The unread bytes, less than a block, move to the end of the first block
	// of the buffer; what is read goes behind it.
	rest := s.buf[s.lo:s.hi]
	next := s.buf
	if s.tap != nil {
		next = s.tap.next()
	}
	copy(next[blockSize-len(rest):], rest)
	n := blockSize
	for n < len(next) && s.end == nil {
		var got int
		got, s.end = s.r.Read(next[n:])
		n += got
	}
	s.buf, s.lo, s.hi = next, blockSize-len(rest), n
	if s.tap != nil {
		s.tap.give(next[:n])
	}
	if s.end != nil && s.end != io.EOF {
		return &readError{s.end}
	}
	return nil
}

// fillNext makes the stream's next piece the window, without copying it. Where
// a block lies in two buffers, the window is a copy of the end of the first and
// the beginning of the second.
func (s *source) fillNext() error {
	rest := copy(s.joint[:], s.buf[s.lo:s.hi])
	for s.end == nil {
		if len(s.piece) == 0 {
			if s.piece, s.end = s.next(); s.end != nil && s.end != io.EOF {
				return &readError{s.end}
			}
		}
		if rest == 0 && len(s.piece) >= blockSize {
			s.buf, s.lo, s.hi, s.piece = s.piece, 0, len(s.piece), nil
			return nil
		}
		n := copy(s.joint[rest:], s.piece)
		s.piece = s.piece[n:]
		if rest += n; rest >= blockSize {
			break
		}
	}
	s.buf, s.lo, s.hi = s.joint[:], 0, rest
	return nil
}

// need makes at least n bytes available, n being at most a block. At the very
// end it is io.EOF, inside of a block errEnd.
func (s *source) need(n int) error {
	if s.hi-s.lo >= n {
		return nil
	}
	if s.at != nil && s.size-s.off < int64(n) {
		if s.size == s.off {
			return io.EOF
		}
		return errEnd
	}
	if err := s.fill(); err != nil {
		return err
	}
	switch {
	case s.hi-s.lo >= n:
		return nil
	case s.hi == s.lo:
		return io.EOF
	default:
		return errEnd
	}
}

// last is where the tar ends, once need has said that it does.
func (s *source) last() int64 {
	if s.at != nil {
		return s.size
	}
	return s.off + int64(s.hi-s.lo)
}

// block takes the next block, good until the next call of any method.
func (s *source) block() (*block, error) {
	if s.hi-s.lo < blockSize {
		if err := s.need(blockSize); err != nil {
			return nil, err
		}
	}
	b := (*block)(s.buf[s.lo:])
	s.lo += blockSize
	s.off += blockSize
	return b, nil
}

// each hands the next n bytes to f, in parts. Fewer are errEnd.
func (s *source) each(n int64, f func([]byte)) error {
	for n > 0 {
		if s.lo == s.hi {
			if err := s.need(1); err != nil {
				return short(err)
			}
		}
		p := s.buf[s.lo:s.hi]
		if int64(len(p)) > n {
			p = p[:n]
		}
		f(p)
		s.lo += len(p)
		s.off += int64(len(p))
		n -= int64(len(p))
	}
	return nil
}

// skip passes over n bytes. Fewer are errEnd.
func (s *source) skip(n int64) error {
	if have := int64(s.hi - s.lo); n <= have {
		s.lo += int(n)
		s.off += n
		return nil
	}
	if s.at == nil {
		return s.each(n, func([]byte) {})
	}
	var err error
	if n > s.size-s.off {
		n, err = s.size-s.off, errEnd
	}
	s.lo, s.hi = 0, 0
	s.off += n
	return err
}

// hash is the xxh3-128 of the next n bytes, with what h has seen already.
func (s *source) hash(h *xxh3.Hasher, n int64) error {
	return s.each(n, func(p []byte) { h.Write(p) })
}

// drain takes everything that is left.
func (s *source) drain() error {
	for {
		s.off += int64(s.hi - s.lo)
		s.lo = s.hi
		if err := s.need(1); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
