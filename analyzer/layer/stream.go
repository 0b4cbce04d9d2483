package layer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"sync/atomic"
)

// stream is the tar of a blob, uncompressed, from its start on.
type stream struct {
	*feed
	r   io.Reader
	dec *decoder // nil for a plain tar
}

// open reads the blob from its start.
func (b Blob) open(ctx context.Context) (io.ReadCloser, error) {
	switch {
	case b.At != nil && b.Size >= 0:
		return io.NopCloser(io.NewSectionReader(b.At, 0, b.Size)), nil
	case b.At != nil:
		return io.NopCloser(io.NewSectionReader(b.At, 0, math.MaxInt64)), nil
	}
	return b.Stream(ctx)
}

// stream opens the tar in a blob, of at most limit bytes if it is compressed or
// has no offsets. sums see the blob as it is stored.
func (b Blob) stream(ctx context.Context, limit int64, read *atomic.Int64, sums []*digester) (*stream, error) {
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
		if b.At != nil {
			limit = math.MaxInt64
		}
		s.r = &limited{r: br, max: limit}
		return s, nil
	}
	if s.dec, err = newDecoder(enc, br, s.feed, limit); err != nil {
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

// limited is a plain tar that may not go on for ever.
type limited struct {
	r        io.Reader
	max, out int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.out += int64(n); l.out > l.max {
		return n, fmt.Errorf("more than %d bytes: over the limit for one layer", l.max)
	}
	return n, err
}
