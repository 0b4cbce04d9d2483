package layer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	feedSize  = 1 << 20
	feedCount = 4
)

var feedBuffers = sync.Pool{New: func() any { b := make([]byte, feedSize); return &b }}

// feed reads a blob ahead of whoever consumes it, in a goroutine of its own
// that also computes the digests asked for. It is an io.Reader for one
// consumer.
type feed struct {
	ctx  context.Context
	r    io.ReadCloser
	want int64 // bytes, or -1
	read *atomic.Int64
	sums []*digester

	full, free chan *[]byte
	stop       chan struct{}
	done       chan struct{} // closed when the goroutine is over; err and total are set
	err        error         // not nil: what the blob ended with, io.EOF when it was whole
	total      int64

	now   *[]byte // being consumed, rest is what is left of it
	rest  []byte
	taken int64 // by the consumer
}

// newFeed starts to read. The caller must close it.
func newFeed(ctx context.Context, r io.ReadCloser, want int64, read *atomic.Int64, sums []*digester) *feed {
	f := &feed{
		ctx: ctx, r: r, want: want, read: read, sums: sums,
		full: make(chan *[]byte, feedCount), free: make(chan *[]byte, feedCount),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	for range feedCount {
		f.free <- feedBuffers.Get().(*[]byte)
	}
	go f.run()
	return f
}

func (f *feed) run() {
	defer close(f.done)
	defer close(f.full)
	for f.err == nil {
		var b *[]byte
		select {
		case b = <-f.free:
		case <-f.stop:
			return
		}
		n := 0
		*b = (*b)[:feedSize]
		for n < feedSize && f.err == nil {
			var got int
			got, f.err = f.r.Read((*b)[n:])
			n += got
			f.total += int64(got)
			if f.read != nil {
				f.read.Add(int64(got))
			}
			select {
			case <-f.stop:
				return
			default:
			}
		}
		switch {
		case f.err == io.EOF && f.want >= 0 && f.total < f.want,
			f.err == io.ErrUnexpectedEOF && f.want >= 0:
			f.err = fmt.Errorf("unexpected end after %d of %d bytes", f.total, f.want)
		case f.err == io.ErrUnexpectedEOF:
			f.err = fmt.Errorf("unexpected end after %d bytes", f.total)
		case f.want >= 0 && f.total > f.want:
			f.err = fmt.Errorf("the blob goes on after its %d bytes", f.want)
		}
		*b = (*b)[:n]
		select {
		case f.full <- b:
		case <-f.stop:
			return
		}
		// The consumer reads the bytes and so do we: nobody writes to them
		// before they come back through free.
		for _, s := range f.sums {
			s.Write(*b)
		}
	}
}

// Read gives what was read ahead.
func (f *feed) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.now != nil {
			f.free <- f.now
			f.now = nil
		}
		select {
		case b, ok := <-f.full:
			if !ok {
				return 0, f.err
			}
			f.now, f.rest = b, *b
		case <-f.ctx.Done():
			return 0, f.ctx.Err()
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	f.taken += int64(n)
	return n, nil
}

// over is what the blob ended with, or nil while it has not.
func (f *feed) over() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// close ends the reading, however far it came. A stream that does not answer
// is left behind: closing it is all that can be done.
func (f *feed) close() {
	close(f.stop)
	f.r.Close()
	if f.ctx.Err() != nil {
		return
	}
	<-f.done
	for b := range f.full {
		feedBuffers.Put(b)
	}
	if f.now != nil {
		feedBuffers.Put(f.now)
	}
	for {
		select {
		case b := <-f.free:
			feedBuffers.Put(b)
		default:
			return
		}
	}
}

// digester computes one digest and compares it, unless want is zero.
type digester struct {
	hash.Hash
	what string
	want v1.Hash
}

// newDigester is nil for a zero hash, and an error for an algorithm that
// is unknown.
func newDigester(what string, want v1.Hash) (*digester, error) {
	switch {
	case want == (v1.Hash{}):
		return nil, nil
	case want.Algorithm == "sha256":
		return &digester{sha256.New(), what, want}, nil
	case want.Algorithm == "sha512":
		return &digester{sha512.New(), what, want}, nil
	}
	return nil, fmt.Errorf("%s: can't check %s: the algorithm is neither sha256 nor sha512", what, want)
}

// check is the digest that was computed, which must be the one that is wanted;
// zero when d is nil.
func (d *digester) check() (v1.Hash, error) {
	if d == nil {
		return v1.Hash{}, nil
	}
	got := v1.Hash{Algorithm: cmp.Or(d.want.Algorithm, "sha256"), Hex: fmt.Sprintf("%x", d.Sum(nil))}
	if d.want != (v1.Hash{}) && got != d.want {
		return v1.Hash{}, fmt.Errorf("%s: expected %s, got %s", d.what, d.want, got)
	}
	return got, nil
}

const tapCount = 4

// tap hashes a stream in a goroutine of its own, out of the buffers it is read
// into.
type tap struct {
	sum  *digester
	work chan []byte
	free chan []byte
	done chan struct{}
}

func newTap(sum *digester) *tap {
	t := &tap{sum: sum, work: make(chan []byte, tapCount), free: make(chan []byte, tapCount), done: make(chan struct{})}
	for range tapCount {
		t.free <- make([]byte, blockSize+256<<10)
	}
	go func() {
		defer close(t.done)
		for p := range t.work {
			t.sum.Write(p[blockSize:])
			t.free <- p[:cap(p)]
		}
	}()
	return t
}

// next is a buffer to read into, behind its first block.
func (t *tap) next() []byte { return <-t.free }

// give takes a buffer with what was read.
func (t *tap) give(b []byte) { t.work <- b }

// close waits for the digest.
func (t *tap) close() {
	close(t.work)
	<-t.done
}
