package layer

import (
	"bufio"
	"context"
	"io"
	"math"
	"sync/atomic"
)

// stream is the uncompressed tar of a blob, read from its start.
type stream struct {
	*feed
	r   io.Reader
	dec *decoder // nil for a plain tar
}

// open returns a reader of the blob from its start.
func (b Blob) open(ctx context.Context) (io.ReadCloser, error) {
	switch {
	case b.At != nil && b.Size >= 0:
		return io.NopCloser(io.NewSectionReader(b.At, 0, b.Size)), nil
	case b.At != nil:
		return io.NopCloser(io.NewSectionReader(b.At, 0, math.MaxInt64)), nil
	}
	return b.Stream(ctx)
}

// stream opens the tar in a blob. If the blob is compressed or its length is
// unknown, the bytes of the tar are taken from quota. sums hash the blob as it
// is stored, and read counts its bytes.
func (b Blob) stream(ctx context.Context, quota *Quota, read *atomic.Int64, sums []*digester) (*stream, error) {
	r, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	s := &stream{feed: newFeed(ctx, r, b.Size, read, sums)}
	br := bufio.NewReaderSize(s.feed, 64<<10)
	magic, err := br.Peek(magicSize)
	if err != nil && err != io.EOF {
		s.close()
		return nil, err
	}
	enc := sniff(magic)
	if enc == tarPlain {
		if s.r = br; b.Size < 0 {
			s.r = &limited{r: br, quota: quota}
		}
		return s, nil
	}
	if s.dec, err = newDecoder(enc, br, s.feed, quota); err != nil {
		s.close()
		return nil, err
	}
	s.r = s.dec
	return s, nil
}

func (s *stream) Read(p []byte) (int, error) { return s.r.Read(p) }

func (s *stream) close() {
	s.feed.close()
	if s.dec != nil {
		s.dec.close()
	}
}

// limited takes the bytes of a plain tar of unknown length from a quota, so that
// an endless one is an error.
type limited struct {
	r     io.Reader
	quota *Quota
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if over := l.quota.Take(int64(n)); over != nil {
		return n, over
	}
	return n, err
}
