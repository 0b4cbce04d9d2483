package toc

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
)

// Files are mostly opened either alone, by a person, or one after the other in
// the order in which they lie in the blob, a hundred thousand of them: to be
// compared with those of another layer, or extracted. A request each would take
// an hour then. So a file that lies just behind what was fetched has twice as
// much fetched as that was, and those behind it come out of memory.
const (
	aheadAlone = 1 << 20   // files up to this are kept as they are fetched
	aheadMost  = 4 << 20   // bytes fetched at once
	aheadLeast = 128 << 10 // bytes fetched once there seems to be an order
	aheadGap   = 64 << 10  // bytes left out that are no gap in the order
	aheadPlace = 8         // places in the blob that are read at the same time
)

// ahead is what was fetched of a blob, at a few places of it.
type ahead struct {
	mu    sync.Mutex
	parts []part // the one used last stands last
}

type part struct {
	off  int64
	data []byte
}

// at is n bytes from off on where they are there, and else how many to fetch.
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

// packed opens n bytes of the blob's files from off on.
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

// stream opens n bytes of the blob from off on as they come.
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
