package layer

import "fmt"

// Header is one entry of a layer from a source other than a tar: the fields of
// its header, and what is known about its content.
type Header struct {
	Name, Link   string
	Type         byte // the type flag of the tar
	Size         int64
	Mode         int64
	UID, GID     int64
	ModTime      int64 // in seconds since 1970
	Major, Minor int64
	Xattrs       map[string]string
	Offset       int64  // becomes Entry.Offset
	Sum          []byte // sha256 of a file's content, or nil
}

// Lister makes a Diff from headers by the same rules as for a tar: it cleans
// names, recognises whiteouts, and records warnings.
type Lister struct {
	w    walker
	name []byte
	link []byte
}

// NewLister returns a Lister with an empty Diff. It takes the memory for the
// entries from opt.Limits.
func NewLister(opt Options) *Lister {
	return &Lister{w: walker{memory: opt.Limits.Memory, diff: &Diff{}}}
}

// Add adds the next header, in the order of the tar. If a file has a Sum, the
// entry's Hash is made from it (see Entry.FromTable).
func (l *Lister) Add(h *Header) error {
	w := &l.w
	l.name, l.link = append(l.name[:0], h.Name...), append(l.link[:0], h.Link...)
	w.h = header{
		name: l.name, link: l.link, flag: h.Type, size: h.Size, mode: h.Mode,
		uid: h.UID, gid: h.GID, mtime: h.ModTime, major: h.Major, minor: h.Minor,
	}
	w.pax.reset()
	for name, value := range h.Xattrs {
		w.pax.xattrs = append(w.pax.xattrs, xattr{[]byte(name), []byte(value)})
	}
	w.e = Entry{
		Size: h.Size, ModTime: h.ModTime, UID: h.UID, GID: h.GID, Mode: uint16(h.Mode & 07777), Offset: h.Offset,
	}
	e := &w.e
	if !w.name(&w.h, e) {
		return nil
	}
	if err := w.limit(e); err != nil {
		return err
	}
	e.Held = e.Size
	if e.Kind == File && h.Sum != nil {
		copy(e.Hash[:], h.Sum)
		e.Hashed, e.FromTable = true, true
	}
	w.diff.Add(*e)
	return w.count()
}

// Diff returns the entries that were added. The Lister must not be used
// afterwards.
func (l *Lister) Diff() *Diff {
	l.w.diff.Warnings = l.w.notes.warnings()
	return l.w.diff
}

// Close gives back the memory of the entries. It is for a Lister whose Diff is
// not used.
func (l *Lister) Close() { l.w.giveBack() }

// limit returns an error if e would take the layer over MaxContent.
func (w *walker) limit(e *Entry) error {
	if e.Size > MaxContent-w.diff.Stored {
		return fmt.Errorf("content of %s: %d bytes: the files of one layer may have %d", e.Path, e.Size, int64(MaxContent))
	}
	return nil
}

// takeAt is how many bytes of memory are taken at a time.
const takeAt = 4 << 10

// count takes the memory of the entries and strings added since the last time,
// unless that is less than takeAt.
func (w *walker) count() error {
	n := int64(w.diff.Len())*entryBytes + w.names.total - w.diff.Memory
	if n < takeAt {
		return nil
	}
	err := w.memory.Take(n)
	if err == nil {
		w.diff.Memory += n
	}
	return err
}

// Take takes the memory of the entries and notes of a Diff that was made without
// Options, such as one from a cache, and counts that of the entries in d.Memory.
func (d *Diff) Take(memory *Quota) error {
	n := int64(d.Len()) * entryBytes
	for i := range d.Len() {
		e := d.At(i)
		n += int64(len(e.Path) + len(e.Link))
	}
	notes := int64(0)
	for i := range d.Notes {
		notes += d.Notes[i].Memory()
	}
	err := memory.Take(n + notes)
	if err == nil {
		d.Memory += n
	}
	return err
}

// giveBack gives back the memory that was taken.
func (w *walker) giveBack() {
	w.memory.Give(w.diff.Memory)
	w.diff.Memory = 0
	w.looking.release()
}
