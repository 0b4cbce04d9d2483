package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ErrNoRanges says that the registry doesn't support range requests for blobs.
var ErrNoRanges = errors.New("the registry does not support range requests")

// enough is how many bytes must be received for the count of retries to start
// again at 0.
const enough = 1 << 20

// Blob streams the blob of that digest. Size is its length, -1 if unknown; a
// blob of another length is an error. When the connection breaks, Blob asks for
// the rest. The caller compares the digest.
func (r *Repository) Blob(ctx context.Context, digest v1.Hash, size int64) (io.ReadCloser, error) {
	return r.download(ctx, &download{digest: digest, end: size})
}

// Range streams n bytes of a blob, starting at off. It returns ErrNoRanges if the
// response holds anything else.
func (r *Repository) Range(ctx context.Context, digest v1.Hash, off, n int64) (io.ReadCloser, error) {
	return r.download(ctx, &download{digest: digest, at: off, end: off + n, part: true})
}

func (r *Repository) download(ctx context.Context, d *download) (io.ReadCloser, error) {
	d.ctx, d.cancel = context.WithCancel(ctx)
	d.op = "downloading " + short(d.digest)
	err := r.each(ctx, func(p *place) error {
		d.place, d.next = p, r.places[slices.Index(r.places, p)+1:]
		return d.open()
	})
	if err != nil {
		d.cancel()
		return nil, err
	}
	d.mark = d.at
	return d, nil
}

// short abbreviates a digest for messages.
func short(h v1.Hash) string {
	if len(h.Hex) > 12 {
		return h.Algorithm + ":" + h.Hex[:12] + "…"
	}
	return h.String()
}

// download is the body of a blob, or of a part of one.
type download struct {
	ctx    context.Context // until Close
	cancel context.CancelFunc
	place  *place
	next   []*place // the places to try if place fails
	op     string
	digest v1.Hash
	at     int64 // offset of the next byte
	end    int64 // offset of the end, or -1
	part   bool  // a response with more than the range is an error

	body    io.ReadCloser // nil after a broken connection; cancel closes it
	tries   int           // since mark
	mark    int64
	stalled bool // and nothing was received since
}

// open requests the bytes from at on.
func (d *download) open() error {
	header := http.Header{}
	switch {
	case d.part:
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", d.at, d.end-1))
	case d.at > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.at))
	}
	ctx, stop := d.ctx, func() bool { return true }
	if d.stalled { // half of the idle time is left
		var drop context.CancelCauseFunc
		ctx, drop = context.WithCancelCause(ctx)
		stop = time.AfterFunc(d.place.opt.Idle/2, func() {
			drop(d.place.newError(d.op, Stalled, nothing(d.place.opt.Idle)+d.where()))
		}).Stop
	}
	res, err := d.place.get(ctx, d.op, "blobs/"+d.digest.String(), header)
	stop()
	if err != nil {
		return err
	}
	if w, ok := res.Body.(*watched); ok {
		w.idle /= 2 // and as much for the next connection
	}
	if err := d.take(res); err != nil {
		res.Body.Close()
		return err
	}
	d.body = res.Body
	return nil
}

// take checks that a response is what open requested, and skips what was
// received before.
func (d *download) take(res *http.Response) error {
	switch status := res.StatusCode; {
	case status == http.StatusPartialContent && (d.part || d.at > 0):
		if err := d.fits(res); err != nil {
			if d.part {
				return ErrNoRanges
			}
			return d.place.newError(d.op, Damaged, "asked for the rest, it answers with something else: "+err.Error())
		}
		return nil
	case d.part && (status == http.StatusOK || status == http.StatusRequestedRangeNotSatisfiable ||
		status == http.StatusBadRequest || status == http.StatusNotImplemented):
		return ErrNoRanges
	case status != http.StatusOK:
		return d.place.refused(d.op, res)
	}
	if n := res.ContentLength; d.end >= 0 && n >= 0 && n != d.end {
		return d.place.newError(d.op, Damaged, fmt.Sprintf("it has %d bytes, the manifest says %d", n, d.end))
	} else if d.end < 0 {
		d.end = n
	}
	// The whole blob again: skip what was received before.
	if n, err := io.CopyN(io.Discard, res.Body, d.at); err != nil {
		if err == io.EOF {
			err = &Error{Kind: Damaged, Reason: fmt.Sprintf("it ends after %d bytes, of which %d were there before", n, d.at), retry: true}
		}
		return d.place.failed(d.ctx, d.op, err)
	}
	return nil
}

// fits compares the range of a response with the one requested.
func (d *download) fits(res *http.Response) error {
	if strings.HasPrefix(res.Header.Get("Content-Type"), "multipart/") {
		return errors.New("several parts")
	}
	var from, to int64
	var whole string
	header := res.Header.Get("Content-Range")
	if n, _ := fmt.Sscanf(header, "bytes %d-%d/%s", &from, &to, &whole); n < 2 || from != d.at {
		return fmt.Errorf("%q", plain(header))
	}
	if d.end >= 0 && to != d.end-1 || !d.part && d.end >= 0 && whole != "" && whole != "*" && whole != fmt.Sprint(d.end) {
		return fmt.Errorf("%q", plain(header))
	}
	if res.ContentLength >= 0 && res.ContentLength != to-from+1 {
		return fmt.Errorf("%q with %d bytes", plain(header), res.ContentLength)
	}
	return nil
}

func (d *download) Read(p []byte) (int, error) {
	for {
		if err := d.ctx.Err(); err != nil {
			return 0, context.Cause(d.ctx)
		}
		if d.body == nil {
			if err := d.again(); err != nil {
				return 0, err
			}
		}
		if d.end >= 0 && d.at == d.end {
			return 0, d.over()
		}
		if d.end >= 0 {
			p = p[:min(int64(len(p)), d.end-d.at)]
		}
		n, err := d.body.Read(p)
		if n > 0 {
			d.stalled = false
		}
		if d.at += int64(n); d.at-d.mark >= enough {
			d.mark, d.tries = d.at, 0
		}
		switch {
		case err == nil, err == io.EOF && d.at == d.end:
			return n, nil
		case err == io.EOF && d.end < 0:
			return n, err
		}
		d.body.Close()
		d.body = nil
		if err := d.cut(err); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// over returns io.EOF, or an error if the blob is longer than it should be.
func (d *download) over() error {
	if d.part {
		return io.EOF
	}
	var one [1]byte
	if n, _ := io.ReadFull(d.body, one[:]); n > 0 {
		return d.place.newError(d.op, Damaged, fmt.Sprintf("it is longer than the %d bytes in the manifest", d.end))
	}
	return io.EOF
}

// cut decides what to do after a body ended early with err: it returns nil to
// request the rest, or the error for the caller.
func (d *download) cut(err error) error {
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	var e *Error
	final := errors.As(err, &e) && !e.retry
	stalled := e != nil && e.Kind == Stalled
	final = final || stalled && d.stalled
	d.stalled = stalled
	if d.tries++; !final && d.tries <= d.place.opt.Retries || d.elsewhere() {
		return nil
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		of := ""
		if d.end >= 0 {
			of = fmt.Sprintf(" of %d", d.end)
		}
		return d.place.newError(d.op, Damaged, fmt.Sprintf("it ends after %d%s bytes, each time", d.at, of))
	}
	failed := d.place.failed(d.ctx, d.op, err)
	if errors.As(failed, &e) {
		if stalled {
			e.Reason = nothing(d.place.opt.Idle)
		}
		e.Reason += d.where()
	}
	return failed
}

// where says how many bytes were received, for an error.
func (d *download) where() string {
	if d.end < 0 {
		return fmt.Sprintf(", at byte %d", d.at)
	}
	return fmt.Sprintf(", at byte %d of %d", d.at, d.end)
}

// again requests the rest after a broken connection, with retries.
func (d *download) again() error {
	for {
		if err := sleep(d.ctx, d.place.opt.Backoff<<max(0, d.tries-1)); err != nil {
			return err
		}
		err := d.open()
		var e *Error
		switch {
		case err == nil || !errors.As(err, &e):
			return err
		case e.retry && d.tries < d.place.opt.Retries:
			d.tries++
		case !d.elsewhere():
			return err
		}
	}
}

// elsewhere switches to the next place, and reports whether there is one.
func (d *download) elsewhere() bool {
	if len(d.next) == 0 || d.ctx.Err() != nil {
		return false
	}
	d.place, d.next, d.tries, d.stalled = d.next[0], d.next[1:], 0, false
	return true
}

// Close ends a Read that runs.
func (d *download) Close() error {
	d.cancel()
	return nil
}
