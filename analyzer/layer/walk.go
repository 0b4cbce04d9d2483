package layer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

// walker turns the tar in src into entries. It accepts and rejects the same
// input as archive/tar, except that it tells whether the tar had an end marker
// (see walk).
type walker struct {
	src    *source
	stream bool   // src is a stream: hash the content while passing it
	memory *Quota // for the entries and their strings
	diff   *Diff
	names  names
	notes  notebook

	looking Looking

	h              header // the header being read
	e              Entry  // the entry made from h
	start          int64  // of the entry's first header block
	pax            pax
	long, longLink []byte
	body           []byte // of the extended header
	scratch        []byte // for the name
	linkScratch    []byte
	nameBuf        []byte
	whBuf          []byte
	copied         block  // header block of a sparse entry
	linkCopy       []byte // link name of a sparse entry
	hasher         xxh3.Hasher

	sparseOnly bool       // stop after the sparse map of the first entry, with errSparseFound
	frags      []fragment // that map
}

// walk reads to the end of the archive. ended reports whether there was an end
// marker; without one, only a digest can prove that the tar is complete.
func (w *walker) walk() (ended bool, err error) {
	for {
		w.start = w.src.off
		w.pax.reset()
		w.long, w.longLink = w.long[:0], w.longLink[:0]
		err := w.next()
		switch {
		case err == errMarker:
			return true, nil
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
		if err := w.count(); err != nil {
			return false, err
		}
	}
}

// errMarker says that next has read the end marker.
var errMarker = errors.New("end of archive")

// errSparseFound says that next has read the sparse map that sparseOnly asks
// for.
var errSparseFound = errors.New("sparse map")

// next reads one entry and the extended headers before it. It returns
// errMarker at the end marker and io.EOF at the end of src.
func (w *walker) next() error {
	h := &w.h
	for {
		at := w.src.off
		b, err := w.src.block()
		if err != nil {
			if err == errEnd {
				return w.fail(at, fmt.Errorf("unexpected end after %d bytes, inside the header", w.src.last()))
			}
			return err
		}
		total := sum(b)
		if total == 0 {
			return w.marker()
		}
		if err := h.parse(b, total); err != nil {
			return w.fail(at, err)
		}
		if h.size < 0 && !headerOnly(h.flag) {
			return w.fail(at, fmt.Errorf("header: the size is negative (%d)", h.size))
		}
		switch h.flag {
		case 'x', 'g':
			if w.body, err = w.special(w.body, h.size); err != nil {
				return w.fail(at, err)
			}
			if err := w.pax.parse(w.body); err != nil {
				return w.fail(at, err)
			}
			if h.flag == 'g' {
				// As in archive/tar, a global header is an entry of its own,
				// and its records are not applied to others.
				return w.pad(h.size)
			}
		case 'L', 'K':
			text := &w.long
			if h.flag == 'K' {
				text = &w.longLink
			}
			if *text, err = w.special(*text, h.size); err != nil {
				return w.fail(at, err)
			}
			*text = cString(*text)
		default:
			return w.entry(at, h, b)
		}
		if err := w.pad(h.size); err != nil {
			return err
		}
	}
}

// marker reads what follows a block of zeros: it returns errMarker after a
// second block of zeros, io.EOF at the end of src, and an error otherwise.
func (w *walker) marker() error {
	at := w.src.off
	b, err := w.src.block()
	switch {
	case err == errEnd:
		return w.fail(at, errors.New("unexpected end inside the end marker"))
	case err != nil:
		return err
	case sum(b) != 0:
		return w.fail(at, errors.New("data after a block of zeros"))
	}
	return errMarker
}

// fail adds the offset of the entry to err. It returns errors of the blob or
// the decoder as they are: they have their own offset.
func (w *walker) fail(at int64, err error) error {
	if err == errEnd {
		err = fmt.Errorf("unexpected end after %d bytes", w.src.off)
	}
	if _, ok := err.(*readError); ok {
		return err
	}
	return fmt.Errorf("entry at byte %d: %w", at, err)
}

// special reads the n bytes of a long name or an extended header into buf.
func (w *walker) special(buf []byte, n int64) ([]byte, error) {
	if n > maxSpecial {
		return buf[:0], fmt.Errorf("header: %d bytes of name or records, more than %d", n, maxSpecial)
	}
	buf = buf[:0]
	err := w.src.each(n, func(p []byte) { buf = append(buf, p...) })
	return buf, err
}

// pad skips the padding after a body of n bytes. It returns io.EOF if the
// archive ends inside the padding.
func (w *walker) pad(n int64) error {
	if n &= blockSize - 1; n > 0 {
		if err := w.src.skip(blockSize - n); err == errEnd {
			return io.EOF
		} else if err != nil {
			return err
		}
	}
	return nil
}

// entry reads the entry whose header block is b.
func (w *walker) entry(at int64, h *header, b *block) error {
	sparse := false
	var frags []fragment
	body := int64(0)
	if w.src.off-w.start > blockSize {
		if err := w.pax.merge(h); err != nil {
			return w.fail(at, err)
		}
		if len(w.long) > 0 {
			h.name, h.prefix = w.long, nil
		}
		if len(w.longLink) > 0 {
			h.link = w.longLink
		}
	}
	if h.flag == 0 {
		h.flag = '0'
		if n := len(h.name); n > 0 && h.name[n-1] == '/' {
			h.flag = '5' // v7 had no type for directories
		}
	}
	if !headerOnly(h.flag) {
		if h.size < 0 {
			return w.fail(at, fmt.Errorf("extended header: the size is negative (%d)", h.size))
		}
		body = h.size
	}
	if h.flag == 'S' || w.pax.sparse {
		var err error
		if sparse, frags, body, err = w.sparseEntry(h, b); err != nil {
			return w.fail(at, err)
		}
	}
	if w.sparseOnly {
		if !sparse {
			return nil
		}
		w.frags = frags
		return errSparseFound
	}
	w.e = Entry{
		Size: h.size, ModTime: h.mtime, UID: h.uid, GID: h.gid, Mode: uint16(h.mode & 07777),
		Offset: w.src.off, Sparse: sparse,
	}
	e := &w.e
	if sparse {
		e.Offset = w.start
	}
	keep := w.name(h, e)
	bodyAt := w.src.off
	if err := w.content(e, keep, sparse, frags, body); err != nil {
		if err == errEnd {
			return fmt.Errorf("entry at byte %d: content of %s: unexpected end after %d bytes, %d of the content are missing",
				at, e.Path, w.src.off, bodyAt+body-w.src.off)
		}
		return err
	}
	if keep {
		if err := w.limit(e); err != nil {
			return w.fail(at, err)
		}
		w.diff.Add(*e)
	}
	return w.pad(body)
}

// sparseEntry calls sparse with copies of the header block, the name and the
// link name: reading the map overwrites the block.
func (w *walker) sparseEntry(h *header, b *block) (bool, []fragment, int64, error) {
	w.copied = *b
	name := joined(h, &w.nameBuf)
	w.nameBuf = append(w.nameBuf[:0], name...)
	w.linkCopy = append(w.linkCopy[:0], h.link...)
	h.name, h.prefix, h.link = w.nameBuf, nil, w.linkCopy
	return w.sparse(h, &w.copied)
}

// joined returns the entry's name with its ustar prefix. It uses scratch if
// there is a prefix.
func joined(h *header, scratch *[]byte) []byte {
	if len(h.prefix) == 0 {
		return h.name
	}
	*scratch = append(append(append((*scratch)[:0], h.prefix...), '/'), h.name...)
	return *scratch
}

// content passes the body of an entry and sets e.Held. It hashes the content of
// files in a stream and of sparse files, and skips all other bodies.
func (w *walker) content(e *Entry, keep, sparse bool, frags []fragment, body int64) error {
	if keep && sparse {
		for _, f := range frags {
			e.Held += f.length
		}
		if e.Held != body {
			w.notes.add(noteSparse, []byte(e.Path))
			e.Held = min(e.Held, body)
		}
	} else {
		e.Held = e.Size
	}
	if !keep || e.Kind != File {
		return w.src.skip(body)
	}
	take := func(p []byte) { w.hasher.Write(p) }
	if e.Sparse {
		w.hasher.Reset()
		hashMap(&w.hasher, e.Size, frags)
		if err := w.src.each(e.Held, take); err != nil {
			return err
		}
		e.Hash, e.Hashed = toHash(w.hasher.Sum128()), true
		return w.src.skip(body - e.Held)
	}
	if !w.stream {
		return w.src.skip(body)
	}
	e.Hashed = true
	if s := w.src; int64(s.hi-s.lo) >= body {
		p := s.buf[s.lo : s.lo+int(body)]
		e.Hash = toHash(xxh3.Hash128(p))
		if err := w.note(e, w.looking.whole(e.Path, p)); err != nil {
			return err
		}
		return s.skip(body)
	}
	w.hasher.Reset()
	if w.looking.begin(e.Path, body) {
		take = func(p []byte) {
			w.hasher.Write(p)
			w.looking.add(p)
		}
	}
	if err := w.src.each(body, take); err != nil {
		return err
	}
	e.Hash = toHash(w.hasher.Sum128())
	notes, err := w.looking.end()
	if err != nil {
		return err
	}
	return w.note(e, notes)
}

// note adds the notes about e to the Diff.
func (w *walker) note(e *Entry, notes []Note) error {
	for _, n := range notes {
		n.Offset = e.Offset
		if err := w.memory.Take(n.Memory()); err != nil {
			return err
		}
		w.diff.Notes = append(w.diff.Notes, n)
	}
	return nil
}

func toHash(u xxh3.Uint128) (h Hash) {
	binary.BigEndian.PutUint64(h[:8], u.Hi)
	binary.BigEndian.PutUint64(h[8:], u.Lo)
	return h
}
