package toc

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer/layer"
)

// Ranges opens the n bytes at off of a blob. It must return an error if the blob
// can't be read in ranges. The reader may hold more than n bytes; the rest is not
// read.
type Ranges func(ctx context.Context, off, n int64) (io.ReadCloser, error)

// Table is the table of contents of one layer. Its methods may be called
// concurrently.
type Table struct {
	place   Place
	zstd    bool // the files are zstd frames, not gzip members
	ranges  Ranges
	fetched atomic.Int64
	stored  []byte        // the compressed table
	file    *layer.Header // the entry of the table itself, a file of the layer in eStargz; else nil

	content contents
	ahead   ahead

	mu   sync.Mutex
	diff *layer.Diff // read by Open, until Diff returns it
}

// Open fetches the table at p, compares its digest and reads it. That takes two
// requests for eStargz, one for zstd:chunked. Errors of ranges are wrapped; any
// other error means that the table can't be used.
func Open(ctx context.Context, p *Place, ranges Ranges) (*Table, error) {
	t := &Table{place: *p, zstd: p.n > 0, ranges: ranges}
	if err := t.open(ctx); err != nil {
		return nil, fmt.Errorf("reading the table of contents: %w", err)
	}
	return t, nil
}

func (t *Table) open(ctx context.Context) error {
	p := &t.place
	if p.n == 0 {
		if p.size < footerSize {
			return fmt.Errorf("the layer has %d bytes", p.size)
		}
		b, err := t.fetch(ctx, p.size-footerSize, footerSize)
		if err != nil {
			return err
		}
		if err := p.footer(b); err != nil {
			return err
		}
	}
	var err error
	if t.stored, err = t.fetch(ctx, p.off, p.n); err != nil {
		return err
	}
	if err := compare(t.stored, p.sum); err != nil {
		return err
	}
	b, err := t.unpack()
	if err != nil {
		return err
	}
	if err := compare(b, p.plain); err != nil {
		return err
	}
	t.diff, t.content, err = parse(ctx, b, p, t.file, layer.Options{Limits: p.Limits})
	return err
}

// Fetched returns the number of bytes of the blob fetched so far.
func (t *Table) Fetched() int64 { return t.fetched.Load() }

// Diff returns the layer's entries, which should be those of its tar. The hash of a
// file is the one in the table (see layer.Entry.FromTable). Its Offset is valid
// only for Open of this table.
func (t *Table) Diff(ctx context.Context, opt layer.Options) (*layer.Diff, error) {
	t.mu.Lock()
	d := t.diff
	t.diff = nil // the caller decides how long to keep it
	t.mu.Unlock()
	if d == nil {
		b, err := t.unpack()
		if err == nil {
			d, _, err = parse(ctx, b, &t.place, t.file, opt)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the table of contents: %w", err)
		}
	}
	return d, nil
}

// fetch reads the n bytes of the blob at off.
func (t *Table) fetch(ctx context.Context, off, n int64) ([]byte, error) {
	r, err := t.stream(ctx, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer // grows with the bytes received: n is only a claim
	got, err := io.Copy(&b, r)
	if err == nil && got < n {
		err = fmt.Errorf("unexpected end after %d of %d bytes", got, n)
	}
	return b.Bytes(), err
}

// counted adds the number of bytes read to n.
type counted struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// unpack returns the JSON of the table.
func (t *Table) unpack() ([]byte, error) {
	most := int64(maxTable)
	var r io.Reader
	var h *tar.Header
	if t.zstd {
		most = t.place.unpacked
		z, err := newZstd(bytes.NewReader(t.stored))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	} else {
		z, err := gzip.NewReader(bytes.NewReader(t.stored))
		if err != nil {
			return nil, err
		}
		tr := tar.NewReader(io.LimitReader(z, maxTable+1<<20))
		if h, err = tr.Next(); err == io.EOF || err == nil && (h.Typeflag != tar.TypeReg || h.Name != "stargz.index.json") {
			err = errors.New("there is no stargz.index.json")
		}
		if err != nil {
			return nil, err
		}
		r = tr
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) > most:
		return nil, fmt.Errorf("it unpacks to more than %d bytes", most)
	}
	if h != nil && t.file == nil {
		sum := sha256.Sum256(b)
		t.file = &layer.Header{
			Name: h.Name, Type: h.Typeflag, Size: h.Size, Mode: h.Mode, UID: int64(h.Uid), GID: int64(h.Gid), ModTime: h.ModTime.Unix(),
			Offset: tableOffset, Sum: sum[:],
		}
	}
	return b, nil
}

// newZstd returns a decoder of one frame after the other. It refuses a frame whose
// window is larger than engines allow.
func newZstd(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
}

// compare returns an error if the sha256 of b is not want. A zero want matches
// everything.
func compare(b []byte, want v1.Hash) error {
	if want == (v1.Hash{}) {
		return nil
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != want.Hex {
		return fmt.Errorf("digest: expected %s, got sha256:%s", want, got)
	}
	return nil
}
