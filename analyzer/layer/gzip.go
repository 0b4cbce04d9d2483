package layer

import (
	"bufio"
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
)

// GzipReader decompresses the members of a gzip file one after the other.
// Other bytes may follow the last member. It skips and counts them, where a
// gzip.Reader takes them for a broken member; the caller decides whether to
// accept them.
type GzipReader struct {
	z  *gzip.Reader
	br *bufio.Reader
	// Trailing is how many bytes follow the last member. It is known once Read
	// has returned io.EOF, or WriteTo nil.
	Trailing int64
	NonZero  bool // not all of these bytes are zero
}

// NewGzipReader reads the header of the first member.
func NewGzipReader(br *bufio.Reader) (*GzipReader, error) {
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &GzipReader{z: z, br: br}, nil
}

func (r *GzipReader) Read(p []byte) (int, error) {
	for {
		n, err := r.z.Read(p)
		if err == nil || n > 0 && err == io.EOF {
			return n, nil
		}
		if err == io.EOF {
			err = r.next()
		}
		if err != nil {
			return n, err
		}
	}
}

// WriteTo writes the decompressed data to w from the decoder's own buffers,
// without a copy.
func (r *GzipReader) WriteTo(w io.Writer) (n int64, err error) {
	for err == nil {
		var m int64
		m, err = r.z.WriteTo(w)
		n += m
		if err == nil {
			err = r.next()
		}
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// next begins the next member. After the last one it counts the trailing bytes
// and returns io.EOF.
func (r *GzipReader) next() error {
	head, err := r.br.Peek(len(gzipMagic))
	switch {
	case bytes.Equal(head, gzipMagic):
		if err := r.z.Reset(r.br); err == io.EOF {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		r.z.Multistream(false)
		return nil
	case len(head) == 0:
		return err
	}
	for {
		if _, err := r.br.Peek(1); err != nil {
			return err
		}
		rest, _ := r.br.Peek(r.br.Buffered())
		r.Trailing += int64(len(rest))
		r.NonZero = r.NonZero || len(bytes.TrimLeft(rest, "\x00")) > 0
		r.br.Discard(len(rest))
	}
}
