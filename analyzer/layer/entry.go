package layer

import (
	"fmt"
	"unsafe"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Kind is the kind of an entry.
type Kind uint8

const (
	File    Kind = iota // a regular file
	Dir                 // a directory
	Symlink             // a symbolic link
	Link                // a hard link to Entry.Link
	Char                // a character device
	Block               // a block device
	Fifo                // a named pipe
	// Whiteout says that Path of the lower layers is hidden ("dir/.wh.name").
	Whiteout
	// Opaque says that everything the lower layers put below the directory
	// Path is hidden ("dir/.wh..wh..opq").
	Opaque
	// Ignored is an entry that neither shows nor hides a path: a storage driver
	// uses it for bookkeeping. It may have content.
	Ignored
)

// MaxContent is the limit in bytes for the content of all files of a layer, and
// of an image, holes included. It keeps sums of sizes from overflowing an int64.
const MaxContent = 1 << 60

var kindNames = [...]string{"file", "dir", "symlink", "hardlink", "char", "block", "fifo", "whiteout", "opaque", "ignored"}

// String returns the name of the kind in reports.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Noun returns the name of the kind for a sentence.
func (k Kind) Noun() string {
	switch k {
	case Dir:
		return "directory"
	case Link:
		return "hard link to nothing"
	case Char:
		return "character device"
	case Block:
		return "block device"
	case Fifo:
		return "named pipe"
	}
	return k.String()
}

// Hash is the xxh3-128 of an entry's content.
type Hash [16]byte

// Entry is one member of a layer's tar.
type Entry struct {
	// Path is slash-separated and clean, without a leading slash, and never
	// leaves the root; "" is the root itself. It need not be valid UTF-8, and is
	// not safe to print. For a Whiteout it is the path that is hidden, and for
	// an Opaque the directory, without the name of the marker.
	Path string
	// Link is a symlink's target as written, or a hard link's target as a
	// clean path from the layer's root, like Path.
	Link string
	// Xattrs holds the extended attributes, each as "name=value\x00", sorted by
	// name. Most entries have none.
	Xattrs string
	// Size is the length of the content as a reader sees it, holes included.
	// Held is how many bytes of it are in the tar: fewer for a sparse file. Only
	// File, Whiteout, Opaque and Ignored entries have content.
	Size, Held int64
	// ModTime is in whole seconds since 1970; fractions are dropped.
	ModTime int64
	// Offset is where the content begins in the uncompressed tar. For a sparse
	// file it is where its first header block begins (see Content).
	Offset int64
	// Hash is set when Hashed is.
	Hash Hash
	// Major and Minor are set for Char and Block.
	Major, Minor int64
	UID, GID     int64
	Mode         uint16 // the twelve permission bits
	Kind         Kind
	Sparse       bool
	Hashed       bool // Hash is known
	// FromTable says that Hash comes from a table of contents: it is the first
	// half of the content's sha256, and comparable only with other such hashes.
	FromTable bool
}

// Warning is a remark about a layer. Path is the entry it is about, or "" if it
// is about the layer.
type Warning struct {
	Path string
	Text string
}

// entryBytes is the memory of an entry without its strings.
const entryBytes = int64(unsafe.Sizeof(Entry{}))

// chunk is the number of entries in one slice of a Diff. Only the first slice
// grows by copying: most layers have few entries, but some have a million.
const chunk = 1 << 11

// Diff is the content of one layer: its entries in the order of the tar. The zero
// value is an empty layer.
type Diff struct {
	chunks   [][]Entry
	Warnings []Warning
	// Stored is the sum of the entries' Size.
	Stored int64
	// Size is the length of the uncompressed tar, trailing bytes included.
	Size int64
	// Memory is how many bytes were taken from Limits.Memory for the entries.
	// The caller gives them back when it no longer uses the entries.
	Memory int64
	// Plain reports whether the blob is an uncompressed tar that can be read at
	// any offset.
	Plain bool
	// Digest (of the blob) and DiffID (of the tar) were computed while the layer
	// was read, and equal those in Options that were set. They are zero if they
	// were not computed.
	Digest, DiffID v1.Hash
	// Looked has the names of the lookers that have looked at all files of the layer,
	// and Notes what they noted, sorted by Offset. The memory of Notes was taken from
	// Limits.Memory and is not part of Memory.
	Looked []string
	Notes  []Note
}

// Len returns the number of entries.
func (d *Diff) Len() int {
	if len(d.chunks) == 0 {
		return 0
	}
	return (len(d.chunks)-1)*chunk + len(d.chunks[len(d.chunks)-1])
}

// At returns entry i, which must not be changed. The pointer is valid until the
// next Add.
func (d *Diff) At(i int) *Entry { return &d.chunks[i/chunk][i%chunk] }

// Forget releases memory of the entries below i. The caller must not call At for
// them again. Forget works in chunks: called for every i in order, it releases
// each chunk at its end.
func (d *Diff) Forget(i int) {
	if i%chunk == 0 && i > 0 {
		d.chunks[i/chunk-1] = nil
	}
}

// Add appends an entry and adds its Size to d.Stored.
func (d *Diff) Add(e Entry) {
	last := len(d.chunks) - 1
	if last < 0 {
		d.chunks = append(d.chunks, nil)
		last = 0
	} else if len(d.chunks[last]) == chunk {
		d.chunks = append(d.chunks, make([]Entry, 0, chunk))
		last++
	}
	d.chunks[last] = append(d.chunks[last], e)
	d.Stored += e.Size
}
