package layer

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// errEnd says that the tar ends inside a block or a body.
var errEnd = errors.New("unexpected end")

// readError is an error of the blob, its decoder or the context. It is reported
// without an offset in the tar.
type readError struct{ error }

func (e *readError) Unwrap() error { return e.error }

// short turns io.EOF into errEnd, where the tar must not end.
func short(err error) error {
	if err == io.EOF {
		return errEnd
	}
	return err
}

// source is an uncompressed tar, seen through a window. The tar is either a blob
// read at offsets, of which skipped bytes are never read, or a stream.
type source struct {
	ctx      context.Context
	at       io.ReaderAt            // nil for a stream
	size     int64                  // length of at
	r        io.Reader              // the stream
	next     func() ([]byte, error) // returns the stream in buffers; if not nil, r is not used
	progress func(int64)            // called with the offset in at up to which all was read or skipped

	buf    []byte
	lo, hi int   // buf[lo:hi] is the window: the bytes read but not yet taken
	off    int64 // offset of buf[lo] in the tar
	end    error // the error at the end of the stream, or nil before the end
	tap    *tap  // hashes every byte of the stream; may be nil

	piece []byte              // the part of a buffer from next that is not yet in the window
	joint [2 * blockSize]byte // the window over a block that lies in two buffers
}

// fill adds bytes to the window, unless the tar is at its end. The unread bytes
// stay in it.
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
	// The unread bytes, less than a block, move to the end of the buffer's
	// first block. New bytes are read in from the second block on.
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

// fillNext makes the next buffer of the stream the window, without copying it.
// Where a block lies in two buffers, the window is a copy of the end of the
// first and the start of the second.
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

// need makes the window at least n bytes long; n is at most a block. It returns
// io.EOF if no bytes are left, and errEnd if fewer than n are.
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

// last returns the length of the tar. It may be called only after need has
// returned io.EOF or errEnd.
func (s *source) last() int64 {
	if s.at != nil {
		return s.size
	}
	return s.off + int64(s.hi-s.lo)
}

// block takes the next block. The result is valid until the next call of any
// method.
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

// each takes the next n bytes and calls f with them, part by part. It returns
// errEnd if there are fewer.
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

// skip skips n bytes. It returns errEnd if there are fewer.
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

// drain takes all remaining bytes.
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
