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

// feed reads a blob ahead of its consumer, in its own goroutine, which also
// computes the digests in sums. It is an io.Reader for one consumer.
type feed struct {
	ctx  context.Context
	r    io.ReadCloser
	want int64 // length of the blob, or -1 if unknown
	read *atomic.Int64
	sums []*digester

	full, free chan *[]byte
	stop       chan struct{}
	done       chan struct{} // closed at the end of the goroutine, once err and total are final
	err        error         // of the last read: io.EOF if the blob is complete
	total      int64         // bytes read from r

	now   *[]byte // the buffer being consumed
	rest  []byte  // its unread end
	taken int64   // bytes consumed
}

// newFeed starts reading r, of want bytes or of unknown length if want is -1.
// It adds the bytes read to read, unless that is nil. The caller must close the
// feed.
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
		// The consumer may be reading the buffer now. That is safe: the buffer
		// is written to only here, after it has come back through free.
		for _, s := range f.sums {
			s.Write(*b)
		}
	}
}

// Read reads from the buffers that were read ahead.
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

// over returns the error that reading the blob ended with, or nil while it
// goes on.
func (f *feed) over() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// close stops reading, closes the blob and releases the buffers. If ctx has
// ended it does not wait for the goroutine, which may be blocked in a Read that
// never returns.
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

// digester computes one digest. check compares it with want, unless want is
// zero.
type digester struct {
	hash.Hash
	what string
	want v1.Hash
}

// newDigester returns a digester for want: nil if want is zero, and an error
// if its algorithm is unknown. Errors call the digest what.
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

// check returns the digest of what was written, and an error if it is not the
// wanted one. It returns the zero hash if d is nil.
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

// tap hashes a stream in its own goroutine. The stream is read into the tap's
// buffers, so that no byte is copied.
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

// next returns a free buffer to read into from the second block on. The first
// block is not hashed: it is room for bytes from the previous buffer.
func (t *tap) next() []byte { return <-t.free }

// give passes a filled buffer on to be hashed. The caller may read it until it
// calls next.
func (t *tap) give(b []byte) { t.work <- b }

// close waits until all buffers are hashed.
func (t *tap) close() {
	close(t.work)
	<-t.done
}
