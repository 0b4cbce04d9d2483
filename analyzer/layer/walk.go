package layer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zeebo/xxh3"
)

// walker turns the tar in src into entries. It takes and refuses what
// archive/tar does, except that it never trusts the end (see ended).
type walker struct {
	src     *source
	stream  bool // content streams by: hash it
	entries int  // headers seen, hidden ones too
	most    int  // entries allowed
	diff    *Diff
	names   names
	notes   notebook

	start          int64 // of the entry's first header block
	pax            pax
	long, longLink []byte
	body           []byte // of the extended header
	scratch        []byte // of the name
	linkScratch    []byte
	nameBuf        []byte
	whBuf          []byte
	copied         block // of a sparse entry, with linkCopy
	linkCopy       []byte
	hasher         xxh3.Hasher
	plnk           map[string]*Entry // content of aufs pseudo-links, by path
	toc            *Entry            // a table of contents, should it be the last entry
	toc0           bool              // the entry now read begins as one
}

// walk reads to the end of the archive. ended is whether there was an end
// marker: without one only a digest tells that the tar is whole.
func (w *walker) walk() (ended bool, err error) {
	for {
		w.start = w.src.off
		w.pax.reset()
		w.long, w.longLink = w.long[:0], w.longLink[:0]
		err := w.next()
		switch {
		case err == errMarker:
			w.strip()
			return true, nil
		case err == io.EOF:
			w.strip()
			return false, nil
		case err != nil:
			return false, err
		}
		if w.entries++; w.entries > w.most {
			return false, fmt.Errorf("more than %d entries: over the limit for one layer", w.most)
		}
		if w.names.total > maxText {
			return false, fmt.Errorf("more than %d bytes of names: over the limit for one layer", maxText)
		}
	}
}

// errMarker is the end marker.
var errMarker = errors.New("end of archive")

// next reads one entry with the headers that belong to it.
func (w *walker) next() error {
	var h header
	for {
		at := w.src.off
		b, err := w.src.block()
		if err != nil {
			if err == errEnd {
				return w.fail(at, fmt.Errorf("unexpected end after %d bytes, inside the header", w.src.off+int64(w.src.hi-w.src.lo)))
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
				// An entry of its own, whose records nobody applies.
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
			return w.entry(at, &h, b)
		}
		if err := w.pad(h.size); err != nil {
			return err
		}
	}
}

// marker is called after a block of zeros. A second one, or the end, must
// follow.
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

// fail says where in the tar something is wrong. What came from below, from the
// blob or the decoder, has its own place.
func (w *walker) fail(at int64, err error) error {
	if err == errEnd {
		err = fmt.Errorf("unexpected end after %d bytes", w.src.off)
	}
	if _, ok := err.(*readError); ok {
		return err
	}
	return fmt.Errorf("entry at byte %d: %w", at, err)
}

// special reads the body of a long name or an extended header into buf.
func (w *walker) special(buf []byte, n int64) ([]byte, error) {
	if n > maxSpecial {
		return buf[:0], fmt.Errorf("header: %d bytes of name or records, more than %d", n, maxSpecial)
	}
	buf = buf[:0]
	err := w.src.each(n, func(p []byte) { buf = append(buf, p...) })
	return buf, err
}

// pad skips to the next block. The archive may end there.
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
			h.flag = '5' // as v7, which had no type for directories
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
	e := Entry{
		Size: h.size, ModTime: h.mtime, UID: h.uid, GID: h.gid, Mode: uint16(h.mode & 07777),
		Offset: w.src.off, Sparse: sparse,
	}
	if sparse {
		e.Offset = w.start
	}
	keep := w.name(h, &e)
	bodyAt := w.src.off
	if keep && e.Kind == File && body > 0 && w.estargz(&e) {
		keep = false
	}
	if err := w.content(&e, keep, frags, body); err != nil {
		if err == errEnd {
			return fmt.Errorf("entry at byte %d: content of %s: unexpected end after %d bytes, %d of the content are missing",
				at, e.Path, w.src.off, bodyAt+body-w.src.off)
		}
		return err
	}
	if keep {
		w.add(&e)
	}
	return w.pad(body)
}

// sparseEntry is sparse for a block that must outlive the reading of the map.
func (w *walker) sparseEntry(h *header, b *block) (bool, []fragment, int64, error) {
	w.copied = *b
	name := joined(h, &w.nameBuf)
	w.nameBuf = append(w.nameBuf[:0], name...)
	w.linkCopy = append(w.linkCopy[:0], h.link...)
	h.name, h.prefix, h.link = w.nameBuf, nil, w.linkCopy
	return w.sparse(h, &w.copied)
}

// joined is the entry's name with its ustar prefix.
func joined(h *header, scratch *[]byte) []byte {
	if len(h.prefix) == 0 {
		return h.name
	}
	*scratch = append(append(append((*scratch)[:0], h.prefix...), '/'), h.name...)
	return *scratch
}

// content takes the body of an entry, and hashes it where that costs nothing.
func (w *walker) content(e *Entry, keep bool, frags []fragment, body int64) error {
	if !keep || e.Kind != File {
		return w.src.skip(body)
	}
	if e.Sparse {
		for _, f := range frags {
			e.Stored += f.length
		}
		if e.Stored != body {
			w.notes.add(noteSparse, []byte(e.Path))
			e.Stored = min(e.Stored, body)
		}
		w.hasher.Reset()
		hashMap(&w.hasher, e.Size, frags)
		if err := w.src.hash(&w.hasher, e.Stored); err != nil {
			return err
		}
		e.Hash, e.Hashed = toHash(w.hasher.Sum128()), true
		return w.src.skip(body - e.Stored)
	}
	e.Stored = e.Size
	if !w.stream {
		return w.src.skip(body)
	}
	e.Hashed = true
	if s := w.src; int64(s.hi-s.lo) >= body {
		e.Hash = toHash(xxh3.Hash128(s.buf[s.lo : s.lo+int(body)]))
		return s.skip(body)
	}
	w.hasher.Reset()
	err := w.src.hash(&w.hasher, body)
	e.Hash = toHash(w.hasher.Sum128())
	return err
}

func toHash(u xxh3.Uint128) (h Hash) {
	binary.BigEndian.PutUint64(h[:8], u.Hi)
	binary.BigEndian.PutUint64(h[8:], u.Lo)
	return h
}

// name decides what an entry is and what it is called. Not every member of the
// tar is one.
func (w *walker) name(h *header, e *Entry) (keep bool) {
	raw := joined(h, &w.nameBuf)
	n := clean(raw, &w.scratch)
	if n.absolute && len(n.path) > 0 {
		w.notes.add(noteAbsolute, raw)
	}
	if n.climbs {
		w.notes.add(noteClimbs, raw)
	}
	if n.long {
		w.notes.add(noteLong, n.path)
	}
	switch n.role(&w.whBuf) {
	case whiteout:
		e.Kind = Whiteout
	case opaque:
		e.Kind = Opaque
	case meta:
		w.notes.add(noteMeta, raw)
		if w.file(h.flag) && strings.HasPrefix(string(n.path), plnkDir) {
			e.Path = string(n.path)
			return true
		}
		return false
	case badMarker:
		w.notes.add(noteMarker, raw)
		return false
	}
	if e.Kind == Whiteout || e.Kind == Opaque {
		e.Path, e.Size, e.Sparse = w.names.keep(n.path), 0, false
		return true
	}
	switch h.flag {
	case '0', '7', 'S':
		e.Kind = File
	case '1':
		e.Kind = Link
	case '2':
		e.Kind = Symlink
	case '3', '4':
		e.Kind = Char
		if h.flag == '4' {
			e.Kind = Block
		}
		e.Major, e.Minor = h.major, h.minor
		if e.Kind == Char && e.Major == 0 && e.Minor == 0 {
			w.notes.add(noteZeroDevice, n.path)
		}
	case '5':
		e.Kind = Dir
	case '6':
		e.Kind = Fifo
	default:
		w.notes.add(noteType, raw)
		w.notes.types[h.flag] = true
		return false
	}
	if len(n.path) == 0 && e.Kind != Dir {
		w.notes.add(noteRoot, raw)
		return false
	}
	if e.Kind != File {
		e.Size, e.Sparse = 0, false
	}
	e.Path = w.names.keep(n.path)
	w.more(h, e)
	return true
}

func (w *walker) file(flag byte) bool { return flag == '0' || flag == '7' || flag == 'S' }

// more fills in what few entries have: a link's target, extended attributes.
func (w *walker) more(h *header, e *Entry) {
	switch e.Kind {
	case Symlink:
		e.Link = w.names.keep(h.link)
	case Link:
		n := clean(h.link, &w.linkScratch)
		if n.climbs {
			w.notes.add(noteLinkClimbs, []byte(e.Path))
		}
		e.Link = w.names.keep(n.path)
	}
	if len(w.pax.xattrs) > 0 {
		s, overlay := w.pax.attributes()
		if overlay {
			w.notes.add(noteOverlay, []byte(e.Path))
		}
		e.Xattrs = w.names.attributes(s)
	}
}

// add keeps an entry.
func (w *walker) add(e *Entry) {
	if w.toc != nil {
		w.diff.Add(*w.toc) // it was not the last entry
		w.toc = nil
	}
	switch {
	case e.Kind == File && strings.HasPrefix(e.Path, plnkDir):
		if w.plnk == nil {
			w.plnk = map[string]*Entry{}
		}
		c := *e
		w.plnk[e.Path] = &c
		return
	case e.Kind == Link && strings.HasPrefix(e.Link, plnkDir):
		w.pseudoLink(e)
	case e.Kind == File && e.Path == tocName && w.toc0:
		c := *e
		w.toc = &c
		return
	}
	w.diff.Add(*e)
}

// pseudoLink gives the first hard link to an aufs pseudo-link its content, and
// makes every further one a link to the first.
func (w *walker) pseudoLink(e *Entry) {
	c := w.plnk[e.Link]
	if c == nil {
		w.notes.add(notePlnk, []byte(e.Path))
		return
	}
	if !strings.HasPrefix(c.Path, plnkDir) {
		e.Link = c.Path
		return
	}
	e.Kind, e.Link = File, ""
	e.Size, e.Stored, e.Offset = c.Size, c.Stored, c.Offset
	e.Hash, e.Hashed, e.Sparse = c.Hash, c.Hashed, c.Sparse
	c.Path = e.Path
}

// tocName is the table of contents that ends an eStargz layer.
const tocName = "stargz.index.json"

// estargz is whether an entry is one that an eStargz layer carries for itself
// and that no engine shows: a landmark, known by its one byte. Whether a table
// of contents is one shows at the end (see add and strip).
func (w *walker) estargz(e *Entry) bool {
	landmark := false
	switch e.Path {
	case ".prefetch.landmark", ".no.prefetch.landmark":
		landmark = true
	case tocName:
	default:
		return false
	}
	if w.src.need(1) != nil {
		return false // the content will tell
	}
	first := w.src.buf[w.src.lo]
	w.toc0 = !landmark && first == '{'
	return landmark && e.Size == 1 && first == 0x0f
}

// strip is called at the end of the archive: a table of contents that came
// last is no file of the layer.
func (w *walker) strip() { w.toc = nil }
