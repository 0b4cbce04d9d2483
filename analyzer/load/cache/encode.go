package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"fathom/analyzer/layer"
)

// A file is
//
//	magic, format, analysis    8 bytes, one, one
//	length of what follows it  4 bytes, little-endian
//	entries                    a zstd frame, of that length
//	hashes                     16 bytes each, of the entries that have one
//	checksum                   xxh3 of all before, 8 bytes, big-endian
//
// and the frame holds, numbers as varints and texts with their length,
//
//	digest, size of the tar, count of warnings, path and text of each,
//	count of lookers, name of each,
//	count of notes, offset less that of the note before, looker, text of each,
//	count of entries, and per entry:
//	  a byte: kind, and the flags below
//	  the number of its attributes, new ones follow: mode, uid, gid, xattrs
//	  bytes that its path shares with the one before, the rest of the path
//	  what the flags say is there
//	  size, time and offset, as differences from what was to be expected
const (
	magic = "fathom\x00L"
	// format changes with what is written above.
	format = 2
	// analysis changes whenever package layer makes other entries or warnings from
	// the same bytes: then older files are not used.
	analysis = 3

	headSize = len(magic) + 2 + 4
	sumSize  = 8
)

// Flags of an entry, above the four bits of its kind.
const (
	flagSparse = 1 << (4 + iota)
	flagHashed
	flagLink // has a link's target
	flagMore // Held is not what its kind and size say, or it has device numbers
	kindMask = 1<<4 - 1
)

// attributes are the fields that many entries have in common.
type attributes struct {
	xattrs   string
	uid, gid int64
	mode     uint16
}

var errUnverified = errors.New("its content was not read to the end")

// encode returns the file of a layer.
func encode(d *layer.Diff, digest v1.Hash) ([]byte, error) {
	if d.Plain {
		return nil, errUnverified
	}
	for i := range d.Len() {
		if e := d.At(i); e.FromTable || e.Kind == layer.File && !e.Hashed {
			return nil, errUnverified
		}
	}
	w := &encoder{known: map[attributes]uint64{}}
	hashes := w.diff(d, digest)
	return seal(w.out, hashes)
}

// seal returns the file with these entries, which it compresses, and hashes.
func seal(entries, hashes []byte) ([]byte, error) {
	size := 1 << max(10, bits.Len(uint(len(entries)))) // memory for what there is
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(min(window, size)))
	if err != nil {
		return nil, err
	}
	out := append(append(make([]byte, 0, headSize+len(entries)/2+len(hashes)+sumSize), magic...), format, analysis, 0, 0, 0, 0)
	out = z.EncodeAll(entries, out)
	z.Close()
	n := len(out) - headSize
	if int64(n) > 1<<32-1 {
		return nil, fmt.Errorf("%d bytes of entries are too many", n)
	}
	binary.LittleEndian.PutUint32(out[headSize-4:], uint32(n))
	out = append(out, hashes...)
	return binary.BigEndian.AppendUint64(out, xxh3.Hash(out)), nil
}

type encoder struct {
	out   []byte
	known map[attributes]uint64
	last  before
}

// before holds the fields of the last entry from which the next is predicted.
type before struct {
	path   string
	time   int64
	offset int64 // of the content, if the next entry has one header block
}

// diff writes the content of the frame and returns the hashes.
func (w *encoder) diff(d *layer.Diff, digest v1.Hash) (hashes []byte) {
	w.text(digest.String())
	w.signed(d.Size)
	w.number(uint64(len(d.Warnings)))
	for _, n := range d.Warnings {
		w.text(n.Path)
		w.text(n.Text)
	}
	w.number(uint64(len(d.Looked)))
	for _, name := range d.Looked {
		w.text(name)
	}
	w.number(uint64(len(d.Notes)))
	offset := int64(0)
	for _, n := range d.Notes {
		w.signed(n.Offset - offset)
		w.number(uint64(slices.Index(d.Looked, n.Looker)))
		w.text(n.Data)
		offset = n.Offset
	}
	w.number(uint64(d.Len()))
	for i := range d.Len() {
		e := d.At(i)
		w.entry(e)
		if e.Hashed {
			hashes = append(hashes, e.Hash[:]...)
		}
	}
	return hashes
}

func (w *encoder) number(n uint64) { w.out = binary.AppendUvarint(w.out, n) }
func (w *encoder) signed(n int64)  { w.out = binary.AppendVarint(w.out, n) }
func (w *encoder) text(s string) {
	w.number(uint64(len(s)))
	w.out = append(w.out, s...)
}

func (w *encoder) entry(e *layer.Entry) {
	flags := byte(e.Kind) & kindMask
	more := e.Held != e.Size || e.Major != 0 || e.Minor != 0
	for _, f := range []struct {
		is  bool
		bit byte
	}{{e.Sparse, flagSparse}, {e.Hashed, flagHashed}, {e.Link != "", flagLink}, {more, flagMore}} {
		if f.is {
			flags |= f.bit
		}
	}
	w.out = append(w.out, flags)

	a := attributes{e.Xattrs, e.UID, e.GID, e.Mode}
	at, ok := w.known[a]
	if !ok {
		at = uint64(len(w.known))
		w.known[a] = at
	}
	w.number(at)
	if !ok {
		w.number(uint64(a.mode))
		w.signed(a.uid)
		w.signed(a.gid)
		w.text(a.xattrs)
	}

	shared := 0
	for shared < min(len(e.Path), len(w.last.path)) && e.Path[shared] == w.last.path[shared] {
		shared++
	}
	w.number(uint64(shared))
	w.text(e.Path[shared:])
	if e.Link != "" {
		w.text(e.Link)
	}
	w.signed(e.Size)
	w.signed(e.ModTime - w.last.time)
	w.signed(e.Offset - w.last.offset)
	if more {
		w.signed(e.Held)
		w.signed(e.Major)
		w.signed(e.Minor)
	}
	w.last = after(e)
}

// after returns the fields of e that predict the next entry.
func after(e *layer.Entry) before {
	const tarBlock = 512
	return before{e.Path, e.ModTime, e.Offset + (e.Held+tarBlock-1)&^(tarBlock-1) + tarBlock}
}
