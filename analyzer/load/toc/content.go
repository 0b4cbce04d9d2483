package toc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer/layer"
)

// maxChunks bounds the number of chunks of one layer. A valid table of maxTable
// bytes can't hold more.
const maxChunks = 5_000_000

// chunk is a part of a file.
type chunk struct {
	off   int64 // offset in the blob of the gzip member or zstd frame
	inner int64 // offset of the chunk in the decompressed member or frame
	size  int64
	sum   [sha256.Size]byte // sha256, if known
	known bool
	zeros bool // the chunk is a hole: it reads as zeros and is not fetched
}

// contents says where in the blob the content of the files is. Files are numbered;
// the number is the Offset of the file's entry.
type contents struct {
	files  []int32 // the first chunk of each file, then len(chunks)
	chunks []chunk
	whole  map[int32][sha256.Size]byte // sha256 of files of several chunks, by the first chunk
	ends   []int64                     // offsets of all members or frames and of the table, sorted
}

// tableOffset is the Offset of the entry of the table of contents itself.
const tableOffset = -2

// finish completes c after the last chunk. end is the offset of the table.
func (c *contents) finish(end int64) {
	c.files = append(c.files, int32(len(c.chunks)))
	ends := make([]int64, 0, len(c.chunks)+1)
	for i := range c.chunks {
		if c := &c.chunks[i]; !c.zeros || c.off > 0 {
			ends = append(ends, c.off)
		}
	}
	ends = append(ends, end)
	slices.Sort(ends)
	c.ends = slices.Compact(ends)
}

// end returns the offset at which the member or frame at off ends at the latest.
func (c *contents) end(off int64) int64 {
	i, found := slices.BinarySearch(c.ends, off)
	if found {
		i++
	}
	return c.ends[i]
}

// Open opens the content of a file of the table. Reading it requests ranges of the
// blob and compares the digest of every chunk with the table. A mismatch is an
// error that names the chunk.
func (t *Table) Open(ctx context.Context, e *layer.Entry) (io.ReadCloser, error) {
	if e.Size == 0 {
		return &reading{}, nil
	}
	if e.Offset == tableOffset {
		b, err := t.unpack()
		return io.NopCloser(bytes.NewReader(b)), err
	}
	c := &t.content
	if e.Offset < 0 || e.Offset >= int64(len(c.files)-1) {
		return nil, fmt.Errorf("opening content: the table of contents has no file %d", e.Offset)
	}
	first, end := c.files[e.Offset], c.files[e.Offset+1]
	r := &reading{ctx: ctx, t: t, chunks: c.chunks[first:end]}
	size := int64(0)
	for i := range r.chunks {
		size += r.chunks[i].size
	}
	if size != e.Size {
		return nil, fmt.Errorf("opening content: the table of contents has %d bytes of it, not %d", size, e.Size)
	}
	if s, ok := c.whole[first]; ok {
		r.all, r.want = sha256.New(), s
	}
	return r, nil
}

// reading reads the content of a file. After an error, every Read returns that
// error.
type reading struct {
	ctx    context.Context
	t      *Table
	chunks []chunk // of the file
	at     int     // the chunk being read
	body   io.ReadCloser
	pos    int64 // offset in the blob where packed ends
	packed *io.LimitedReader
	data   io.Reader // the decompressed chunk; nil between two chunks
	left   int64     // bytes of the chunk still to read
	sum    hash.Hash // of the chunk
	all    hash.Hash // of the file; nil if want is not known
	want   [sha256.Size]byte
	gzip   *gzip.Reader
	zstd   *zstd.Decoder
	err    error
}

func (r *reading) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.read(p)
	if err != nil {
		r.err = err
		r.release()
	}
	return n, err
}

func (r *reading) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.at == len(r.chunks) {
		return 0, io.EOF
	}
	c := &r.chunks[r.at]
	if r.data == nil {
		if err := r.begin(c); err != nil {
			return 0, r.fail(err)
		}
	}
	n, err := r.data.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	r.sum.Write(p[:n])
	if r.all != nil {
		r.all.Write(p[:n])
	}
	switch {
	case r.left > 0 && err == io.EOF:
		return n, r.fail(fmt.Errorf("unexpected end, %d of its bytes are missing", r.left))
	case r.left > 0 && err != nil:
		return n, r.fail(err)
	case r.left > 0:
		return n, nil
	}
	if got := r.sum.Sum(nil); c.known && string(got) != string(c.sum[:]) {
		return n, r.fail(fmt.Errorf("digest: expected sha256:%x, got sha256:%x", c.sum, got))
	}
	r.data = nil
	if r.at++; r.at == len(r.chunks) && r.all != nil {
		if got := r.all.Sum(nil); string(got) != string(r.want[:]) {
			return n, fmt.Errorf("reading content: digest of all its chunks: expected sha256:%x, got sha256:%x", r.want, got)
		}
	}
	return n, nil
}

func (r *reading) fail(err error) error {
	return fmt.Errorf("reading content: chunk %d of %d: %w", r.at, len(r.chunks), err)
}

// begin prepares reading c: it decompresses the member or frame up to the chunk.
func (r *reading) begin(c *chunk) error {
	r.left, r.sum = c.size, sha256.New()
	if c.zeros {
		r.data = zeroReader{}
		return nil
	}
	end := r.t.content.end(c.off)
	if err := r.seek(c.off); err != nil {
		return err
	}
	r.packed = &io.LimitedReader{R: r.body, N: end - c.off}
	r.pos = end
	var err error
	if r.t.zstd {
		if r.zstd == nil {
			r.zstd, err = newZstd(r.packed)
		} else {
			err = r.zstd.Reset(r.packed)
		}
		r.data = r.zstd
	} else {
		if r.gzip == nil {
			r.gzip, err = gzip.NewReader(r.packed)
		} else {
			err = r.gzip.Reset(r.packed)
		}
		r.data = r.gzip
	}
	if err == nil {
		_, err = io.CopyN(io.Discard, r.data, c.inner)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// seek moves body to off. It sends a request unless body is there already. One
// request covers all the following chunks of the file that are adjacent in the
// blob.
func (r *reading) seek(off int64) error {
	if r.body != nil && r.pos == off {
		if _, err := io.Copy(io.Discard, r.packed); err != nil {
			return err
		}
		if r.packed.N > 0 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
	end := r.t.content.end(off)
	for _, c := range r.chunks[r.at+1:] {
		if c.zeros || c.off != end {
			break
		}
		end = r.t.content.end(end)
	}
	body, err := r.t.packed(r.ctx, off, end-off)
	if err != nil {
		return err
	}
	r.body = body
	return nil
}

func (r *reading) release() {
	if r.zstd != nil {
		r.zstd.Close()
		r.zstd = nil
	}
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
}

var errClosed = errors.New("reading content: it was closed")

func (r *reading) Close() error {
	if r.err == nil {
		r.err = errClosed
	}
	r.release()
	return nil
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
