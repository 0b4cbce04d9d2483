package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"fathom/analyzer/layer"
)

const (
	window = 4 << 20 // of the zstd frame

	// Limits for one layer. Nothing is allocated because a
	// file says that it will come: these are for frames that never end.
	maxText     = 1 << 30
	maxEntries  = 5_000_000 // a layer of more is not remembered
	maxOne      = 4 << 20   // bytes of one text
	maxWarnings = 1 << 10
	maxLookers  = 1 << 8
	maxNotes    = 5_000_000
)

var (
	errOther   = errors.New("written by another version")
	errDamaged = errors.New("damaged")
)

// decode reads the file of a layer.
func decode(data []byte, digest v1.Hash) (*layer.Diff, error) {
	if len(data) < headSize+sumSize || string(data[:len(magic)]) != magic {
		return nil, errDamaged
	}
	if data[len(magic)] != format || data[len(magic)+1] != analysis {
		return nil, errOther
	}
	body, sum := data[:len(data)-sumSize], data[len(data)-sumSize:]
	if binary.BigEndian.Uint64(sum) != xxh3.Hash(body) {
		return nil, errDamaged
	}
	n := int64(binary.LittleEndian.Uint32(data[headSize-4:]))
	if body = body[headSize:]; n > int64(len(body)) {
		return nil, errDamaged
	}
	z, err := zstd.NewReader(bytes.NewReader(body[:n]), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(1<<62))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	r := &decoder{src: z, buf: make([]byte, 0, bufSize), hashes: body[n:]}
	return r.diff(digest)
}

const bufSize = 128 << 10

// decoder reads numbers and texts out of a stream. The first error stays, and
// everything read after it is zero.
type decoder struct {
	src io.Reader
	buf []byte // buf[at:] is not yet consumed
	at  int
	err error

	hashes []byte
	known  []attributes
	last   before
	path   []byte // of the last entry
	texts  texts
}

func (r *decoder) diff(digest v1.Hash) (*layer.Diff, error) {
	if got := r.text(); r.err == nil && got != digest.String() {
		return nil, fmt.Errorf("%w: it is the file of %s", errDamaged, got)
	}
	d := &layer.Diff{Size: r.signed(), Digest: digest} // which Put's caller compared
	n := r.number()
	if n > maxWarnings {
		return nil, errDamaged
	}
	for range n {
		path := r.text()
		d.Warnings = append(d.Warnings, layer.Warning{Path: path, Text: r.text()})
	}
	r.notes(d)
	n = r.number()
	if n > maxEntries {
		return nil, errDamaged
	}
	var e layer.Entry
	for range n {
		if r.entry(&e); r.err != nil {
			return nil, r.err
		}
		d.Add(e)
	}
	if r.err == nil && len(r.hashes) > 0 {
		return nil, errDamaged
	}
	if _, err := io.ReadFull(r.src, make([]byte, 1)); r.err == nil && (r.at < len(r.buf) || err != io.EOF) {
		return nil, errDamaged
	}
	return d, r.err
}

func (r *decoder) notes(d *layer.Diff) {
	n := r.number()
	if n > maxLookers {
		r.fail(errDamaged)
		return
	}
	for range n {
		d.Looked = append(d.Looked, r.text())
	}
	if n = r.number(); n > maxNotes {
		r.fail(errDamaged)
		return
	}
	offset := int64(0)
	for range n {
		offset += r.signed()
		looker := r.number()
		if looker >= uint64(len(d.Looked)) {
			r.fail(errDamaged)
		}
		if r.err != nil {
			return
		}
		d.Notes = append(d.Notes, layer.Note{Offset: offset, Looker: d.Looked[looker], Data: r.text()})
	}
}

func (r *decoder) entry(e *layer.Entry) {
	*e = layer.Entry{}
	r.need(1)
	if r.err != nil {
		return
	}
	flags := r.buf[r.at]
	r.at++
	e.Kind = layer.Kind(flags & kindMask)
	e.Sparse, e.Hashed = flags&flagSparse != 0, flags&flagHashed != 0
	if e.Kind > layer.Ignored {
		r.fail(errDamaged)
		return
	}

	a := r.attributes()
	e.Mode, e.UID, e.GID, e.Xattrs = a.mode, a.uid, a.gid, a.xattrs

	shared := r.number()
	if shared > uint64(len(r.path)) {
		r.fail(errDamaged)
		return
	}
	r.path = append(r.path[:shared], r.bytes()...)
	e.Path = r.keep(r.path)
	if flags&flagLink != 0 {
		e.Link = r.text()
	}
	e.Size = r.signed()
	e.ModTime = r.last.time + r.signed()
	e.Offset = r.last.offset + r.signed()
	e.Held = e.Size
	if flags&flagMore != 0 {
		e.Held, e.Major, e.Minor = r.signed(), r.signed(), r.signed()
	}
	if e.Hashed {
		if len(r.hashes) < len(e.Hash) {
			r.fail(errDamaged)
			return
		}
		r.hashes = r.hashes[copy(e.Hash[:], r.hashes):]
	}
	r.last = after(e)
}

func (r *decoder) attributes() attributes {
	switch at := r.number(); {
	case at < uint64(len(r.known)):
		return r.known[at]
	case at > uint64(len(r.known)):
		r.fail(errDamaged)
		return attributes{}
	}
	a := attributes{mode: uint16(r.number())}
	a.uid, a.gid = r.signed(), r.signed()
	a.xattrs = r.text()
	r.known = append(r.known, a)
	return a
}

func (r *decoder) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.buf, r.at = r.buf[:0], 0
}

// need reads until n bytes are in the buffer. The buffer grows as they arrive.
func (r *decoder) need(n int) {
	for len(r.buf)-r.at < n && r.err == nil {
		if r.at > 0 {
			r.buf = r.buf[:copy(r.buf, r.buf[r.at:])]
			r.at = 0
		}
		if len(r.buf) == cap(r.buf) {
			r.buf = append(r.buf, make([]byte, len(r.buf))...)[:len(r.buf)]
		}
		got, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+got]
		if err != nil && len(r.buf) < n {
			r.fail(errDamaged)
		}
	}
}

func (r *decoder) number() uint64 {
	if r.at < len(r.buf) && r.buf[r.at] < 0x80 {
		r.at++
		return uint64(r.buf[r.at-1])
	}
	return r.long()
}

// long reads a number of any length.
func (r *decoder) long() uint64 {
	if len(r.buf)-r.at < binary.MaxVarintLen64 {
		r.fill()
	}
	n, size := binary.Uvarint(r.buf[r.at:])
	if size <= 0 {
		r.fail(errDamaged)
		return 0
	}
	r.at += size
	return n
}

// fill reads until the buffer holds a complete number, or the rest of the stream.
func (r *decoder) fill() {
	if r.err != nil {
		return
	}
	r.buf = r.buf[:copy(r.buf, r.buf[r.at:])]
	r.at = 0
	for len(r.buf) < binary.MaxVarintLen64 {
		got, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+got]
		if err == io.EOF {
			return
		} else if err != nil {
			r.fail(errDamaged)
			return
		}
	}
}

func (r *decoder) signed() int64 {
	n := r.number()
	return int64(n>>1) ^ -int64(n&1)
}

// bytes reads a text, which is valid until the next read.
func (r *decoder) bytes() []byte {
	n := r.number()
	if n > maxOne {
		r.fail(errDamaged)
		return nil
	}
	if r.need(int(n)); r.err != nil {
		return nil
	}
	r.at += int(n)
	return r.buf[r.at-int(n) : r.at]
}

func (r *decoder) text() string { return r.keep(r.bytes()) }

func (r *decoder) keep(p []byte) string {
	if r.texts.total += int64(len(p)); r.texts.total > maxText {
		r.fail(errDamaged)
		return ""
	}
	return r.texts.keep(p)
}

// texts allocates strings in large chunks.
type texts struct {
	b     strings.Builder
	total int64
}

func (t *texts) keep(p []byte) string {
	const chunk = 64 << 10
	if len(p) == 0 {
		return ""
	}
	if t.b.Cap()-t.b.Len() < len(p) {
		if len(p) > chunk/16 {
			return string(p)
		}
		t.b.Reset()
		t.b.Grow(chunk)
	}
	n := t.b.Len()
	t.b.Write(p)
	return t.b.String()[n:]
}
