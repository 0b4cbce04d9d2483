package layer

import (
	"fmt"
	"io"
	"slices"
	"unsafe"
)

// Looker notes something about the content of files. Its functions may be called
// concurrently.
type Looker struct {
	// Name identifies what Look notes, with a version: "elf 1". Notes are stored in
	// the layer cache under the name, so it must change when the notes do.
	Name string
	// Min and Max limit the size of files, in bytes. A Max of 0 means no limit.
	Min, Max int64
	// Wants, if not nil, reports whether to look at the file with this path, which is
	// as in Entry.
	Wants func(path string) bool
	// Sniff, if not nil, reports whether to look at a file that begins with head, its
	// first SniffSize bytes or the whole of it.
	Sniff func(head []byte) bool
	// Look returns the notes about a file. It must not keep s or change its bytes.
	Look func(path string, s *Sample) []string
	// Sparing says that Look reads only a little of a file: of s.Head it uses no more
	// than SniffSize bytes, and everything else it gets from s.Has and s.ReadAt.
	Sparing bool
}

// Note is a note about the content of an entry.
type Note struct {
	Offset int64  // of the entry, as in Entry
	Looker string // its name
	Data   string
}

// Memory returns how many bytes of memory the note takes.
func (n *Note) Memory() int64 { return int64(unsafe.Sizeof(*n)) + int64(len(n.Data)) }

// LookedAt reports whether all of these lookers have looked at the layer.
func (d *Diff) LookedAt(lookers []Looker) bool {
	return !slices.ContainsFunc(lookers, func(k Looker) bool { return !slices.Contains(d.Looked, k.Name) })
}

const (
	// SniffSize is how many bytes of a file Looker.Sniff gets.
	SniffSize = 512
	// MaxWhole is the size in bytes up to which a Sample is the whole file.
	MaxWhole  = 1 << 20
	sampleEnd = MaxWhole / 2 // the length of Head and Tail of a larger file
	smallFile = 32 << 10     // the size up to which a file is read with one call
)

// Sample is the part of a file that a Looker gets: all of it if it has at most
// MaxWhole bytes, otherwise its start and its end.
type Sample struct {
	Size int64
	Head []byte // the start, or the whole file
	Tail []byte // the end; empty if Head is the whole file

	// at, if not nil, has the file: Head is as short as Sparing allows, Tail is empty,
	// and what Head and Tail would hold is read when it is needed.
	at  io.ReaderAt
	err error // of at
}

// ReadAt implements io.ReaderAt for the bytes in s. The others read as zeros.
func (s *Sample) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.Size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.Size-off))
	if s.at != nil && s.Has(off, int64(n)) {
		if err := readFull(s.at, p[:n], off); err != nil {
			s.err = err
			return 0, err
		}
		if n < len(p) {
			return n, io.EOF
		}
		return n, nil
	}
	clear(p[:n])
	if off < int64(len(s.Head)) {
		copy(p[:n], s.Head[off:])
	}
	if tail := s.Size - int64(len(s.Tail)); off >= tail {
		copy(p[:n], s.Tail[off-tail:])
	} else if off+int64(n) > tail {
		copy(p[tail-off:n], s.Tail)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Has reports whether s holds the n bytes at off.
func (s *Sample) Has(off, n int64) bool {
	within := func(from, size int64) bool { return off >= from && n >= 0 && off <= from+size && n <= from+size-off }
	if s.at != nil && s.Size <= MaxWhole {
		return within(0, s.Size)
	}
	if s.at != nil {
		return within(0, sampleEnd) || within(s.Size-sampleEnd, sampleEnd)
	}
	return within(0, int64(len(s.Head))) || within(s.Size-int64(len(s.Tail)), int64(len(s.Tail)))
}

// Looking applies lookers to one file after the other. Its zero value has none. It
// must not be used concurrently.
type Looking struct {
	Lookers []Looker

	path    string
	size    int64
	wanting []*Looker // those that look at the file
	sniffed bool
	at      int64  // bytes of the file that were added
	buf     []byte // of the sample; nil until it is needed
	chunk   []byte // for Read; likewise
}

// Wants reports whether any looker looks at a file of this size, going by the size
// alone.
func (l *Looking) Wants(size int64) bool {
	return slices.ContainsFunc(l.Lookers, func(k Looker) bool { return k.inRange(size) })
}

func (k *Looker) inRange(size int64) bool {
	return size > 0 && size >= k.Min && (k.Max == 0 || size <= k.Max)
}

// begin starts a file and reports whether any looker wants it.
func (l *Looking) begin(path string, size int64) bool {
	l.wanting = l.wanting[:0]
	for i := range l.Lookers {
		if k := &l.Lookers[i]; k.inRange(size) && (k.Wants == nil || k.Wants(path)) {
			l.wanting = append(l.wanting, k)
		}
	}
	l.path, l.size, l.at, l.sniffed = path, size, 0, false
	return len(l.wanting) > 0
}

// sniff drops the lookers that don't want a file with this start.
func (l *Looking) sniff(head []byte) {
	head = head[:min(len(head), SniffSize)]
	l.wanting = slices.DeleteFunc(l.wanting, func(k *Looker) bool { return k.Sniff != nil && !k.Sniff(head) })
	l.sniffed = true
}

// add adds the next bytes of the file.
func (l *Looking) add(p []byte) {
	if len(l.wanting) == 0 {
		return
	}
	l.alloc()
	head := l.headSize()
	if l.at < head {
		copy(l.buf[l.at:head], p)
	}
	if tail := l.size - sampleEnd; l.size > MaxWhole && l.at+int64(len(p)) > tail {
		copy(l.buf[sampleEnd+max(0, l.at-tail):], p[max(0, tail-l.at):])
	}
	l.at += int64(len(p))
	if !l.sniffed && l.at >= min(SniffSize, l.size) {
		l.sniff(l.buf[:min(l.at, head)])
	}
}

func (l *Looking) headSize() int64 {
	if l.size > MaxWhole {
		return sampleEnd
	}
	return l.size
}

// end returns the notes about the file, of which all bytes were added.
func (l *Looking) end() []Note {
	if len(l.wanting) == 0 {
		return nil
	}
	s := Sample{Size: l.size, Head: l.buf[:l.headSize()]}
	if l.size > MaxWhole {
		s.Tail = l.buf[sampleEnd:]
	}
	return l.look(&s)
}

// whole returns the notes about a file whose content is p.
func (l *Looking) whole(path string, p []byte) []Note {
	size := int64(len(p))
	if !l.begin(path, size) {
		return nil
	}
	if l.sniff(p); len(l.wanting) == 0 {
		return nil
	}
	s := Sample{Size: size, Head: p[:l.headSize()]}
	if size > MaxWhole {
		s.Tail = p[size-sampleEnd:]
	}
	return l.look(&s)
}

func (l *Looking) look(s *Sample) []Note {
	var out []Note
	for _, k := range l.wanting {
		for _, data := range k.Look(l.path, s) {
			out = append(out, Note{Looker: k.Name, Data: data})
		}
	}
	return out
}

// At returns the notes about a file that is read at offsets. It reads no more than
// the lookers need. The notes have no Offset.
func (l *Looking) At(path string, size int64, r io.ReaderAt) ([]Note, error) {
	if !l.begin(path, size) {
		return nil, nil
	}
	l.alloc()
	head := l.headSize()
	start := min(head, SniffSize)
	if head <= smallFile { // a second call would take longer than reading all
		start = head
	}
	if err := readFull(r, l.buf[:start], 0); err != nil {
		return nil, err
	}
	if l.sniff(l.buf[:start]); len(l.wanting) == 0 {
		return nil, nil
	}
	if !slices.ContainsFunc(l.wanting, func(k *Looker) bool { return !k.Sparing }) {
		s := Sample{Size: size, Head: l.buf[:start], at: r}
		notes := l.look(&s)
		return notes, s.err
	}
	if err := readFull(r, l.buf[start:head], start); err != nil {
		return nil, err
	}
	if size > MaxWhole {
		if err := readFull(r, l.buf[sampleEnd:], size-sampleEnd); err != nil {
			return nil, err
		}
	}
	return l.end(), nil
}

// Read is like At for a file that is read from its start.
func (l *Looking) Read(path string, size int64, r io.Reader) ([]Note, error) {
	if !l.begin(path, size) {
		return nil, nil
	}
	if l.chunk == nil {
		l.chunk = make([]byte, 32<<10)
	}
	for l.at < size && len(l.wanting) > 0 {
		n, err := r.Read(l.chunk[:min(int64(len(l.chunk)), size-l.at)])
		l.add(l.chunk[:n])
		if err == io.EOF && l.at < size {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading content: %w", err)
		}
	}
	return l.end(), nil
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading content at byte %d: %w", off+int64(n), err)
}

func (l *Looking) alloc() {
	if l.buf == nil {
		l.buf = make([]byte, MaxWhole)
	}
}
