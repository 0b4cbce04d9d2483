package layer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/zeebo/xxh3"
)

// Content opens the content of a file entry (e.Kind == File) of the layer in b.
// The holes of a sparse file read as zeros, up to the size in its header, which
// may be huge (see Holed). If the blob ends before the content does, reading
// returns an error other than io.EOF.
func Content(ctx context.Context, b Blob, e *Entry) (io.ReadCloser, error) {
	if e.Kind != File {
		return nil, fmt.Errorf("opening content: a %s has none", e.Kind)
	}
	if b.Open != nil {
		return b.Open(ctx, e)
	}
	b = b.sized()
	if b.At != nil && b.Size >= 0 {
		enc, err := sniffAt(b)
		if err != nil {
			return nil, err
		}
		if enc == tarPlain {
			if e.Sparse {
				return expand(ctx, io.NewSectionReader(b.At, e.Offset, b.Size-e.Offset), closer(func() {}))
			}
			if e.Size > b.Size-e.Offset {
				return nil, fmt.Errorf("opening content: it ends at byte %d of %d", e.Offset+e.Size, b.Size)
			}
			return &content{r: io.NewSectionReader(b.At, e.Offset, e.Size), left: e.Size}, nil
		}
	}
	if err := ctx.Err(); err != nil { // a short stream may end before ctx is checked
		return nil, err
	}
	s, err := b.stream(ctx, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	c := closer(s.close)
	if _, err := io.CopyN(io.Discard, s, e.Offset); err != nil {
		s.close()
		if err == io.EOF {
			err = fmt.Errorf("opening content: the layer ends before byte %d", e.Offset)
		}
		return nil, err
	}
	if e.Sparse {
		return expand(ctx, s, c)
	}
	return &content{r: io.LimitReader(s, e.Size), left: e.Size, c: c}, nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

// content is the content of a file that is not sparse. left is how many bytes of
// it must follow.
type content struct {
	r    io.Reader
	left int64
	c    io.Closer // may be nil
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = fmt.Errorf("reading content: unexpected end, %d bytes are missing", c.left)
	}
	return n, err
}

func (c *content) Close() error {
	if c.c == nil {
		return nil
	}
	return c.c.Close()
}

// expand reads the headers of a sparse file from r and returns its content, with
// the holes. Closing the content closes c; so does expand if it fails.
func expand(ctx context.Context, r io.Reader, c io.Closer) (io.ReadCloser, error) {
	// The window is one block, so that nothing after the headers is read.
	w := walker{src: &source{ctx: ctx, r: r, buf: make([]byte, 2*blockSize)}, diff: &Diff{}, sparseOnly: true}
	err := w.next()
	if err != errSparseFound {
		c.Close()
		if err == nil {
			err = errors.New("it is not a sparse file")
		}
		return nil, fmt.Errorf("opening content: %w", err)
	}
	return &holed{r: r, frags: w.frags, size: w.h.size, c: c}, nil
}

// Holed is implemented by the content of a sparse file (see Content). Reading a
// large hole takes long: an exbibyte of zeros takes years. A reader that skips
// holes with SkipHole spends no time on them.
type Holed interface {
	io.Reader
	// Hole returns how many bytes of a hole come next: 0 before data and at the
	// end.
	Hole() int64
	// SkipHole skips n bytes of a hole, at most as many as Hole returned.
	SkipHole(n int64)
}

// holed is the content of a sparse file.
type holed struct {
	r        io.Reader // the data of the fragments, one after the other
	frags    []fragment
	at, size int64
	c        io.Closer
}

func (h *holed) Hole() int64 {
	for len(h.frags) > 0 && h.at >= h.frags[0].offset+h.frags[0].length {
		h.frags = h.frags[1:]
	}
	if len(h.frags) == 0 {
		return h.size - h.at
	}
	return max(0, h.frags[0].offset-h.at)
}

func (h *holed) SkipHole(n int64) { h.at += n }

func (h *holed) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if n := h.Hole(); n > 0 {
		p = p[:min(int64(len(p)), n)]
		clear(p)
		h.at += int64(len(p))
		return len(p), nil
	}
	if len(h.frags) == 0 {
		return 0, io.EOF
	}
	left := h.frags[0].offset + h.frags[0].length - h.at
	n, err := h.r.Read(p[:min(int64(len(p)), left)])
	h.at += int64(n)
	if err == io.EOF {
		if err = nil; n == 0 {
			err = fmt.Errorf("reading content: unexpected end, %d bytes are missing", left)
		}
	}
	return n, err
}

func (h *holed) Close() error { return h.c.Close() }

const compareSize = 64 << 10

var compareBuffers = sync.Pool{New: func() any { return new([2 * compareSize]byte) }}

// Equal reports whether the size bytes at offA in a and at offB in b are equal.
// Both blobs must be plain and readable at offsets (see Diff.Plain and
// Entry.Offset). Equal stops at the first difference, or when ctx ends.
func Equal(ctx context.Context, a Blob, offA int64, b Blob, offB int64, size int64) (bool, error) {
	buf := compareBuffers.Get().(*[2 * compareSize]byte)
	defer compareBuffers.Put(buf)
	// Most large files that differ do so early: compare one page first.
	first := int64(compareSize)
	if size > compareSize {
		first = 4 << 10
	}
	for n := first; size > 0; n = compareSize {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n = min(n, size)
		pa, pb := buf[:n], buf[compareSize:compareSize+n]
		if err := readAt(a, pa, offA); err != nil {
			return false, err
		}
		if err := readAt(b, pb, offB); err != nil {
			return false, err
		}
		if !bytes.Equal(pa, pb) {
			return false, nil
		}
		offA, offB, size = offA+n, offB+n, size-n
	}
	return true, nil
}

// Sum returns the hash of the size bytes at off in b, which must be plain and
// readable at offsets. It equals the Entry.Hash of the same content in a layer
// that was streamed.
func Sum(ctx context.Context, b Blob, off, size int64) (Hash, error) {
	buf := compareBuffers.Get().(*[2 * compareSize]byte)
	defer compareBuffers.Put(buf)
	if size <= int64(len(buf)) {
		if err := readAt(b, buf[:size], off); err != nil {
			return Hash{}, err
		}
		return toHash(xxh3.Hash128(buf[:size])), nil
	}
	var h xxh3.Hasher
	for size > 0 {
		if err := ctx.Err(); err != nil {
			return Hash{}, err
		}
		n := min(size, int64(len(buf)))
		if err := readAt(b, buf[:n], off); err != nil {
			return Hash{}, err
		}
		h.Write(buf[:n])
		off, size = off+n, size-n
	}
	return toHash(h.Sum128()), nil
}

// HashOf reads r to its end and returns the Entry.Hash of what it read.
func HashOf(ctx context.Context, r io.Reader) (Hash, error) {
	var h xxh3.Hasher
	for {
		if err := ctx.Err(); err != nil {
			return Hash{}, err
		}
		n, err := io.CopyN(&h, r, 1<<20)
		switch {
		case err == io.EOF:
			return toHash(h.Sum128()), nil
		case err != nil || n == 0:
			return Hash{}, err
		}
	}
}

func readAt(b Blob, p []byte, off int64) error {
	n, err := b.At.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = fmt.Errorf("unexpected end after %d bytes", off+int64(n))
	}
	return fmt.Errorf("reading content at byte %d: %w", off, err)
}
