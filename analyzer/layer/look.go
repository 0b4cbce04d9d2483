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
	// Whole is the size in bytes up to which the Sample of a file is the whole file. 0
	// means MaxWhole. A larger file is kept in memory while Look runs, unless the layer
	// can be read at offsets and the looker is Sparing.
	Whole int64
}

// whole reports whether Look gets the whole of a file of this size.
func (k *Looker) whole(size int64) bool { return size <= max(k.Whole, MaxWhole) }

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
	// MaxWhole is the size in bytes up to which a Sample is the whole file, if
	// Looker.Whole is not set.
	MaxWhole  = 1 << 20
	sampleEnd = MaxWhole / 2 // the length of Head and Tail of a larger file
	smallFile = 32 << 10     // the size up to which a file is read with one call
	keptFile  = 4 << 20      // the capacity up to which the buffer of a whole file is kept
)

// Looking applies lookers to one file after the other. Its zero value has none. It
// must not be used concurrently.
type Looking struct {
	Lookers []Looker
	Memory  *Quota // for files above MaxWhole that are kept whole

	path    string
	size    int64
	wanting []*Looker // those that look at the file
	sniffed bool
	at      int64  // bytes of the file that were added
	buf     []byte // the start and the end of the file; nil until it is needed
	chunk   []byte // for Read; likewise

	collects bool   // a looker wants all of a file above MaxWhole: add keeps it in all, not in buf
	all      []byte // the file up to at; grows as bytes arrive
	taken    int64  // from Memory
	err      error  // of Memory
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
	l.release()
	l.wanting = l.wanting[:0]
	for i := range l.Lookers {
		if k := &l.Lookers[i]; k.inRange(size) && (k.Wants == nil || k.Wants(path)) {
			l.wanting = append(l.wanting, k)
		}
	}
	l.path, l.size, l.at, l.sniffed, l.err = path, size, 0, false, nil
	l.collects = l.mustCollect()
	return len(l.wanting) > 0
}

// release drops what was kept of the last file.
func (l *Looking) release() {
	l.Memory.Give(l.taken)
	l.taken = 0
	if l.all = l.all[:0]; cap(l.all) > keptFile {
		l.all = nil
	}
}

// mustCollect reports whether a looker wants all of a file above MaxWhole.
func (l *Looking) mustCollect() bool {
	return l.size > MaxWhole && slices.ContainsFunc(l.wanting, func(k *Looker) bool { return k.whole(l.size) })
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
	head := l.all
	if l.collects {
		if !l.take(len(p)) {
			return
		}
		l.all = append(l.all, p...)
		head = l.all
	} else {
		l.keep(p, l.at)
		head = l.buf[:min(l.at+int64(len(p)), l.headSize())]
	}
	l.at += int64(len(p))
	if l.sniffed || l.at < min(SniffSize, l.size) {
		return
	}
	l.sniff(head)
	if l.collects && !l.mustCollect() {
		l.collects = false
		l.keep(l.all, 0)
		l.release()
	}
}

// take takes memory for n bytes of the file. If there is too little, no looker sees
// the file, and end returns the error.
func (l *Looking) take(n int) bool {
	if l.err = l.Memory.Take(int64(n)); l.err != nil {
		l.wanting = l.wanting[:0]
		l.release()
		return false
	}
	l.taken += int64(n)
	return true
}

// keep copies to buf what belongs there of p, the bytes of the file at off.
func (l *Looking) keep(p []byte, off int64) {
	l.alloc()
	if head := l.headSize(); off < head {
		copy(l.buf[off:head], p)
	}
	if tail := l.size - sampleEnd; l.size > MaxWhole && off+int64(len(p)) > tail {
		copy(l.buf[sampleEnd+max(0, off-tail):], p[max(0, tail-off):])
	}
}

func (l *Looking) headSize() int64 {
	if l.size > MaxWhole {
		return sampleEnd
	}
	return l.size
}

// end returns the notes about the file, of which all bytes were added.
func (l *Looking) end() ([]Note, error) {
	defer l.release()
	if len(l.wanting) == 0 {
		return nil, l.err
	}
	if l.collects {
		return l.look(l.all), nil
	}
	return l.look(nil), nil
}

// whole returns the notes about a file whose content is p.
func (l *Looking) whole(path string, p []byte) []Note {
	if !l.begin(path, int64(len(p))) {
		return nil
	}
	if l.sniff(p); len(l.wanting) == 0 {
		return nil
	}
	return l.look(p)
}

// look returns the notes about a file whose content is p, or of which the start and the
// end are in buf if p is nil.
func (l *Looking) look(p []byte) []Note {
	ends := Sample{Size: l.size}
	switch {
	case p == nil:
		ends.Head = l.buf[:l.headSize()]
		if l.size > MaxWhole {
			ends.Tail = l.buf[sampleEnd:]
		}
	case l.size > MaxWhole:
		ends.Head, ends.Tail = p[:sampleEnd:sampleEnd], p[l.size-sampleEnd:]
	default:
		ends.Head = p
	}
	var out []Note
	for _, k := range l.wanting {
		s := ends
		if p != nil && k.whole(l.size) {
			s = Sample{Size: l.size, Head: p}
		}
		out = l.note(out, k, &s)
	}
	return out
}

// note adds the notes of k to out.
func (l *Looking) note(out []Note, k *Looker, s *Sample) []Note {
	for _, data := range k.Look(l.path, s) {
		out = append(out, Note{Looker: k.Name, Data: data})
	}
	return out
}

// At returns the notes about a file that is read at offsets. It reads no more than
// the lookers need. The notes have no Offset.
func (l *Looking) At(path string, size int64, r io.ReaderAt) ([]Note, error) {
	if !l.begin(path, size) {
		return nil, nil
	}
	defer l.release()
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
	var out []Note
	rest := l.wanting[:0]
	for _, k := range l.wanting {
		if !k.Sparing {
			rest = append(rest, k)
			continue
		}
		s := Sample{Size: size, Head: l.buf[:start], at: r, ends: sampleEnd}
		if k.whole(size) {
			s.ends = size
		}
		if out = l.note(out, k, &s); s.err != nil {
			return nil, s.err
		}
	}
	if l.wanting = rest; len(rest) == 0 {
		return out, nil
	}
	if l.mustCollect() {
		if err := l.readAll(r); err != nil {
			return nil, err
		}
		return append(out, l.look(l.all)...), nil
	}
	if err := readFull(r, l.buf[start:head], start); err != nil {
		return nil, err
	}
	if size > MaxWhole {
		if err := readFull(r, l.buf[sampleEnd:], size-sampleEnd); err != nil {
			return nil, err
		}
	}
	return append(out, l.look(nil)...), nil
}

// readAll reads the file into all. It doubles the buffer when that is full: a file may
// end before its size.
func (l *Looking) readAll(r io.ReaderAt) error {
	for at := int64(0); at < l.size; at = int64(len(l.all)) {
		n := int(min(l.size-at, max(at, MaxWhole)))
		if !l.take(n) {
			return l.err
		}
		l.all = slices.Grow(l.all, n)[:int(at)+n]
		if err := readFull(r, l.all[at:], at); err != nil {
			return err
		}
	}
	return nil
}

// Read is like At for a file that is read from its start.
func (l *Looking) Read(path string, size int64, r io.Reader) ([]Note, error) {
	if !l.begin(path, size) {
		return nil, nil
	}
	defer l.release()
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
	return l.end()
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
