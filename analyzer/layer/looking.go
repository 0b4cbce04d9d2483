package layer

import (
	"fmt"
	"io"
	"slices"
)

// Looking applies lookers to one file after the other. Its zero value has none. It
// must not be used concurrently.
type Looking struct {
	Lookers []Looker
	Memory  *Quota // for files above MaxWhole that are kept whole

	path    string
	size    int64
	wanting []wanted // the lookers that look at the file
	sniffed bool
	at      int64  // bytes of the file that were added
	buf     []byte // the start and the end of the file; nil until it is needed
	chunk   []byte // for Read; likewise

	collects bool   // a looker wants all of a file above MaxWhole: add keeps it in all, not in buf
	all      []byte // the file up to at; grows as bytes arrive
	taken    int64  // from Memory
	err      error  // of Memory
}

// wanted is a looker that looks at the file, and what it chose with Window.
type wanted struct {
	*Looker
	window part
}

// choose asks the looker which window it wants, if it can have one.
func (k *wanted) choose(size int64, s *Sample) {
	if k.Window == nil || k.whole(size) {
		return
	}
	if off, n := k.Window(s); off >= 0 && off < size && n > 0 {
		k.window = part{off: off, size: min(n, MaxWindow, size-off)}
	}
}

// Wants reports whether any looker looks at a file of this size, going by the size
// alone.
func (l *Looking) Wants(size int64) bool {
	return slices.ContainsFunc(l.Lookers, func(k Looker) bool { return k.inRange(size) })
}

// WantsPath reports whether any looker looks at a file of this path and size, if it
// begins as it should.
func (l *Looking) WantsPath(path string, size int64) bool {
	return slices.ContainsFunc(l.Lookers, func(k Looker) bool { return k.wants(path, size) })
}

// Fetches reports whether the file is worth a request for each looker that WantsPath
// tells of.
func (l *Looking) Fetches(path string, size int64) bool {
	return !slices.ContainsFunc(l.Lookers, func(k Looker) bool { return k.wants(path, size) && size > k.Fetch })
}

func (k *Looker) wants(path string, size int64) bool {
	return k.inRange(size) && (k.Wants == nil || k.Wants(path))
}

func (k *Looker) inRange(size int64) bool {
	return size > 0 && size >= k.Min && (k.Max == 0 || size <= k.Max)
}

// begin starts a file and reports whether any looker wants it.
func (l *Looking) begin(path string, size int64) bool {
	l.release()
	l.wanting = l.wanting[:0]
	for i := range l.Lookers {
		if k := &l.Lookers[i]; k.wants(path, size) {
			l.wanting = append(l.wanting, wanted{Looker: k})
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
	return l.size > MaxWhole && slices.ContainsFunc(l.wanting, func(k wanted) bool { return k.whole(l.size) })
}

// sniff drops the lookers that don't want a file with this start.
func (l *Looking) sniff(head []byte) {
	head = head[:min(len(head), SniffSize)]
	l.wanting = slices.DeleteFunc(l.wanting, func(k wanted) bool { return k.Sniff != nil && !k.Sniff(head) })
	l.sniffed = true
}

// add adds the next bytes of the file.
func (l *Looking) add(p []byte) {
	// What follows the start is kept only after Sniff and Window have seen the start.
	if n := sampleEnd - l.at; l.size > MaxWhole && n > 0 && n < int64(len(p)) {
		l.addPart(p[:n])
		p = p[n:]
	}
	l.addPart(p)
}

func (l *Looking) addPart(p []byte) {
	if len(l.wanting) == 0 {
		return
	}
	var head []byte
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
	if !l.sniffed && l.at >= min(SniffSize, l.size) {
		l.sniff(head)
		if l.collects && !l.mustCollect() {
			l.collects = false
			l.keep(l.all, 0)
			l.release()
		}
	}
	if l.at == sampleEnd && l.size > MaxWhole && !l.collects {
		for i := range l.wanting {
			k := &l.wanting[i]
			k.choose(l.size, &Sample{Size: l.size, Head: l.buf[:sampleEnd]})
			k.window.add(l.buf[:sampleEnd], 0)
		}
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
	for i := range l.wanting {
		l.wanting[i].window.add(p, off)
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
		switch {
		case p != nil && k.whole(l.size):
			s = Sample{Size: l.size, Head: p}
		case p != nil:
			k.choose(l.size, &Sample{Size: l.size, Head: ends.Head})
			k.window.add(p, 0)
		}
		s.window = k.window
		out = l.note(out, k.Looker, &s)
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
	if head <= smallFile && slices.ContainsFunc(l.wanting, func(k wanted) bool { return !k.Sparing }) {
		start = head // a second call would take longer than reading all
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
		s := Sample{Size: size, Head: l.buf[:start], at: r, head: size}
		if !k.whole(size) {
			s.head = sampleEnd
			k.choose(size, &s)
			s.tail, s.window = sampleEnd, k.window
		}
		if s.err == nil {
			out = l.note(out, k.Looker, &s)
		}
		if s.err != nil {
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
	for i := range l.wanting {
		k := &l.wanting[i]
		k.choose(size, &Sample{Size: size, Head: l.buf[:head]})
		k.window.data = make([]byte, k.window.size)
		if err := readFull(r, k.window.data, k.window.off); err != nil {
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
