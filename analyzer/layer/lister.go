package layer

import (
	"cmp"
	"fmt"
)

// Header is one entry of a layer as something else than a tar tells it: its
// fields as they would stand in the tar, and what is known of its content.
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

// Lister makes a Diff out of headers, by the rules for those of a tar: names
// are cleaned, markers told from files, and oddities noted in the same way.
type Lister struct {
	w    walker
	name []byte
	link []byte
}

// NewLister begins a Diff of at most opt.MaxEntries entries.
func NewLister(opt Options) *Lister {
	return &Lister{w: walker{most: cmp.Or(opt.MaxEntries, MaxEntries), diff: &Diff{}}}
}

// Add takes the next header, in the order of the tar. A Hash of a file is made
// of Sum (see Entry.Told).
func (l *Lister) Add(h *Header) error {
	w := &l.w
	if err := w.count(); err != nil {
		return err
	}
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
	if e.Kind == File {
		e.Stored = e.Size
		if h.Sum != nil {
			copy(e.Hash[:], h.Sum)
			e.Hashed, e.Told = true, true
		}
	}
	w.add(e)
	return nil
}

// Diff is what was added. The Lister is not to be used afterwards.
func (l *Lister) Diff() *Diff {
	l.w.diff.Warnings = l.w.notes.warnings()
	return l.w.diff
}

// count counts one more header, and holds the layer to its limits.
func (w *walker) count() error {
	if w.entries++; w.entries > w.most {
		return fmt.Errorf("more than %d entries: over the limit for one layer", w.most)
	}
	if w.names.total > maxText {
		return fmt.Errorf("more than %d bytes of names: over the limit for one layer", maxText)
	}
	return nil
}
