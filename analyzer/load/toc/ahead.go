package toc

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
)

// A user opens single files. Comparing two layers and extracting one open up to a
// hundred thousand files in the order of the blob; with one request per file that
// would take an hour. So when a file begins right after the bytes fetched last,
// the next request fetches twice as many, and the files that follow are read from
// memory.
const (
	aheadAlone = 1 << 20   // larger files are streamed, not kept in memory
	aheadMost  = 4 << 20   // most bytes fetched ahead by one request
	aheadLeast = 128 << 10 // fewest bytes fetched ahead by one request
	aheadGap   = 64 << 10  // bytes that may be skipped between two files in order
	aheadPlace = 8         // places in the blob that can be read in turn
)

// ahead holds the bytes fetched last at a few places of a blob.
type ahead struct {
	mu    sync.Mutex
	parts []part // the most recently used one last
}

type part struct {
	off  int64
	data []byte
}

// at returns the n bytes at off if they were fetched, and otherwise the number of
// bytes to fetch.
func (a *ahead) at(off, n int64) (data []byte, want int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, p := range a.parts {
		end := p.off + int64(len(p.data))
		switch {
		case off < p.off || off > end+aheadGap:
			continue
		case off+n <= end:
			a.parts = append(slices.Delete(a.parts, i, i+1), p)
			return p.data[off-p.off:][:n], 0
		}
		a.parts = slices.Delete(a.parts, i, i+1)
		return nil, max(n, min(aheadMost, max(aheadLeast, 2*int64(len(p.data)))))
	}
	return nil, n
}

func (a *ahead) keep(off int64, data []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.parts) == aheadPlace {
		a.parts = slices.Delete(a.parts, 0, 1)
	}
	a.parts = append(a.parts, part{off, data})
}

// packed opens the n compressed bytes at off. It may fetch more than n bytes, up
// to the table of contents; if that fails, it fetches only the n.
func (t *Table) packed(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if n > aheadAlone {
		return t.stream(ctx, off, n)
	}
	data, want := t.ahead.at(off, n)
	if data != nil {
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	data, err := t.fetch(ctx, off, min(want, t.place.off-off))
	if err != nil && want > n && ctx.Err() == nil {
		data, err = t.fetch(ctx, off, n)
	}
	if err != nil {
		return nil, err
	}
	t.ahead.keep(off, data)
	return io.NopCloser(bytes.NewReader(data[:n])), nil
}

// stream requests the n bytes at off and counts them as they are read.
func (t *Table) stream(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r, err := t.ranges(ctx, off, n)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{&counted{io.LimitReader(r, n), &t.fetched}, r}, nil
}
