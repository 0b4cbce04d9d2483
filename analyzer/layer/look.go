package layer

import (
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
	// Fetch is the size in bytes up to which the files that Wants wants are worth a
	// request each, if they are in a registry and the layer was listed without its
	// content. 0 means that none is.
	Fetch int64
	// Window, if not nil, chooses up to MaxWindow bytes between the start and the end of
	// a file above Whole that its Sample has, too. s has only the start of the file. It
	// must not keep s or change its bytes.
	Window func(s *Sample) (off, n int64)
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
	MaxWhole = 1 << 20
	// MaxWindow is how many bytes Looker.Window can choose.
	MaxWindow = 1 << 20
	sampleEnd = MaxWhole / 2 // the length of Head and Tail of a larger file
	smallFile = 32 << 10     // the size up to which a file is read with one call
	keptFile  = 4 << 20      // the capacity up to which the buffer of a whole file is kept
)
