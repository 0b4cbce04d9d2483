// Package filetree holds the files of an image as one tree with a history per
// path. What a layer changed, what the image shows after it, what differs
// between any two layers: each is a query on that one tree.
package filetree

import (
	"fathom/analyzer/layer"
)

// Tree is every path that any layer of an image ever showed. It does not
// change once built and may be read concurrently.
//
// Nodes are numbered depth first, children in the order of their names: the
// subtree of n is n..End(n)-1, its first child is n+1, and the next sibling of
// a child c is End(c).
type Tree struct {
}

// Node is a path in the tree. Root is the image's root.
type Node int32

// Root is the root directory. It always exists.
const Root Node = 0

// None is no node.
const None Node = -1

// Content is what one file entry of one layer stores; NoContent for anything
// that stores nothing. Hard links share it.
type Content int32

// NoContent is the Content of whatever is not a regular file.
const NoContent Content = -1

// State is what a path shows.
type State struct {
	Kind         layer.Kind // Link only for one whose target does not exist
	Mode         uint16
	UID, GID     int64
	Size         int64 // of the content that the name shows
	ModTime      int64 // seconds since 1970
	Major, Minor int64
	Target       string // of a symlink, as written; of a broken hard link, its path without leading slash
	Xattrs       string // as in layer.Entry
	Layer        int    // the layer that the entry comes from
	Implied      bool   // a directory that no entry mentions
	Content      Content
}

// Mark is how a path changed between two points.
type Mark uint8

const (
	Absent    Mark = iota // shown neither before nor after
	Unchanged             // shown before and after, the same
	Added
	Modified
	Removed
)

// Differs is what of a Modified path differs.
type Differs uint8

const (
	Same     Differs = iota
	Metadata         // mode, owner or extended attributes
	Bytes            // kind, content, link target or device number
)

// Change is what happened to a path between two points.
type Change struct {
	Mark    Mark
	Differs Differs
	// Touched is whether a layer in between has an entry or a removal for the
	// path: an Unchanged path that is Touched was listed, or stored, again.
	Touched bool
	// Stored is the bytes that the layers in between store at this path, what
	// was repeated within one layer included.
	Stored int64
}

// Marks is a set of marks, 1<<Mark each.
type Marks uint8

// Has is whether m is in the set.
func (s Marks) Has(m Mark) bool { return s&(1<<m) != 0 }

// Sum is what lies below a directory, itself excluded; for any other node it
// is all zero.
type Sum struct {
	Size    int64 // of the content shown afterwards; content with several names counts once, at the first
	Files   int   // regular files shown afterwards, by name
	Stored  int64 // as in Change.Stored
	Removed int64 // sizes of the files that are no longer shown, or show other content
	Marks   Marks // of the Touched paths below; Unchanged for one that was stored or listed again
}

// View compares what the tree shows after layer From with what it shows after
// layer To. From -1 is the empty tree.
type View struct {
	t        *Tree
	From, To int
}

// Event is one thing that a layer did to a path.
type Event struct {
	Layer   int
	Change  Change // against what lower layers showed
	State   State  // what the path shows after the layer; for a removal what it showed before
	Removed bool
}

// Cause is why content is wasted; see docs/analysis.md.
type Cause uint8

const (
	Visible Cause = iota // not wasted
	RemovedCause
	Overwritten
	MetadataOnly
	Repeated
)

// Stored is one piece of content: what one file entry of one layer stores.
type Stored struct {
	Node     Node // the path of the entry
	Layer    int
	Bytes    int64 // as stored
	Size     int64 // as read
	Cause    Cause
	HiddenBy int  // the layer in which the last name went; -1 while visible
	Lost     Node // the last name that went; Node while visible
}

// Len is the number of nodes.
func (t *Tree) Len() int { panic("") }

// Layers is the number of layers.
func (t *Tree) Layers() int { panic("") }

// Name is the last component of n's path; "" for Root.
func (t *Tree) Name(n Node) string { panic("") }

// Path is n's path from the root: "/usr/bin", "/" for Root.
func (t *Tree) Path(n Node) string { panic("") }

// Parent is the directory of n; None for Root.
func (t *Tree) Parent(n Node) Node { panic("") }

// End is the first node after n's subtree.
func (t *Tree) End(n Node) Node { panic("") }

// Lookup finds a path; leading, double and trailing slashes do not matter.
// Symlinks are not followed.
func (t *Tree) Lookup(path string) (Node, bool) { panic("") }

// At is what n shows after layer i, if anything. i -1 is the empty tree.
func (t *Tree) At(n Node, i int) (State, bool) { panic("") }

// History is everything that layers did to n, bottom first.
func (t *Tree) History(n Node) []Event { panic("") }

// FirstName is the first name, in the order of paths as bytes, under which
// content is shown after layer i; None when none is.
func (t *Tree) FirstName(c Content, i int) Node { panic("") }

// Contents is the number of pieces of content; they are 0..Contents()-1.
func (t *Tree) Contents() int { panic("") }

// Stored is piece of content c.
func (t *Tree) Stored(c Content) Stored { panic("") }

// View compares two points; -1 <= from < to < Layers(). Views of one layer
// (to = from+1) cost nothing; any other is one pass over the tree.
func (t *Tree) View(from, to int) *View { panic("") }

// Change is what happened to n.
func (v *View) Change(n Node) Change { panic("") }

// State is what n shows afterwards or, when it was removed, before.
func (v *View) State(n Node) (State, bool) { panic("") }

// Sum is what lies below n.
func (v *View) Sum(n Node) Sum { panic("") }
