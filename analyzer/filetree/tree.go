// Package filetree represents the files of an image as one tree with a history per
// path. Queries on the tree tell what a layer changed, what the image shows after
// a layer, and how any two layers differ.
package filetree

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"strings"

	"fathom/analyzer/layer"
)

// Tree holds every path that any layer of an image names. It is immutable and safe
// for concurrent use.
//
// Nodes are numbered depth first, children in the order of their names: the
// subtree of n is n..End(n)-1, its first child is n+1, and the next sibling of
// a child c is End(c). The tree consists of a few flat arrays, nearly without
// pointers: a million entries take about 100 bytes each, and the garbage collector
// has little to scan.
type Tree struct {
	nodes     []place // and a last one that only ends the ranges of the last node
	names     names
	versions  []version // by node, then layer
	sums      []sum     // by directory, then layer
	pieces    []piece
	hashes    []layer.Hash // of the pieces that are hashed
	held      map[Content]int64
	repeats   map[int32]int64
	linkNames map[Content][]int32 // for content with several names: all of them in any layer, in the order of paths
	firsts    map[Content][]first // for content with several names: each change of its first name, in the order of layers
	owners    []owner
	texts     []string
	devices   []device
	layers    int
}

// place is one node. version and sum are where its versions and sums begin in the
// tree's arrays; they end where those of the next node begin.
type place struct {
	parent  int32
	end     int32
	name    uint32 // in names
	length  uint32 // of the name
	version int32
	sum     int32
}

// Node is a path in the tree. Root is the image's root.
type Node int32

// Root is the root directory. It always exists.
const Root Node = 0

// None means that there is no node.
const None Node = -1

// Content identifies the content of one file entry of one layer. Hard links share
// it.
type Content int32

// NoContent is the Content of anything but a regular file.
const NoContent Content = -1

// State describes what a path shows.
type State struct {
	Kind         layer.Kind // Link only for one whose target does not exist
	Mode         uint16
	UID, GID     int64
	Size         int64 // of the content that the name shows
	ModTime      int64 // seconds since 1970
	Major, Minor int64
	Target       string // of a symlink, unchanged; of a broken hard link, the path without leading slash
	Xattrs       string // as in layer.Entry
	Layer        int    // the layer that the entry comes from; -1 for a root that no entry mentions
	Implied      bool   // a directory that no entry mentions
	Content      Content
}

// Len returns the number of nodes.
func (t *Tree) Len() int { return len(t.nodes) - 1 }

// Layers returns the number of layers.
func (t *Tree) Layers() int { return t.layers }

// Name returns the last component of n's path; "" for Root.
func (t *Tree) Name(n Node) string { return t.names.at(t.nodes[n].name, t.nodes[n].length) }

// Parent returns the directory of n; None for Root.
func (t *Tree) Parent(n Node) Node { return Node(t.nodes[n].parent) }

// End returns the first node after n's subtree.
func (t *Tree) End(n Node) Node { return Node(t.nodes[n].end) }

// Path returns n's path from the root: "/usr/bin", "/" for Root.
func (t *Tree) Path(n Node) string { return string(t.AppendPath(nil, n)) }

// AppendPath appends the path of n to buf.
func (t *Tree) AppendPath(buf []byte, n Node) []byte {
	if n == Root {
		return append(buf, '/')
	}
	size := 0
	for at := n; at != Root; at = t.Parent(at) {
		size += 1 + len(t.Name(at))
	}
	end := len(buf) + size
	buf = slices.Grow(buf, size)[:end]
	for at := n; at != Root; at = t.Parent(at) {
		name := t.Name(at)
		end -= len(name)
		copy(buf[end:], name)
		end--
		buf[end] = '/'
	}
	return buf
}

// Child returns the child of dir with that name.
func (t *Tree) Child(dir Node, name string) (Node, bool) {
	for lo, hi := dir+1, t.End(dir); lo < hi; { // each the start of a child, or the end
		c := (lo + hi) / 2
		for t.Parent(c) != dir {
			c = t.Parent(c)
		}
		switch have := t.Name(c); {
		case have == name:
			return c, true
		case have < name:
			lo = t.End(c)
		default:
			hi = c
		}
	}
	return None, false
}

// Lookup finds a path; leading, double and trailing slashes do not matter.
// Symlinks are not followed.
func (t *Tree) Lookup(path string) (Node, bool) {
	n := Root
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		var ok bool
		if n, ok = t.Child(n, name); !ok {
			return None, false
		}
	}
	return n, true
}

// history returns n's versions, as a range of t.versions.
func (t *Tree) history(n Node) (from, to int32) {
	return t.nodes[n].version, t.nodes[n+1].version
}

// at returns the index of n's version after layer i, -1 if it has none yet.
func (t *Tree) at(n Node, i int) int32 {
	from, to := t.history(n)
	if to-from > 8 { // most paths have one or two
		from, to = t.narrow(from, to, i)
	}
	for v := to - 1; v >= from; v-- {
		if int(t.versions[v].layer) <= i {
			return v
		}
	}
	return -1
}

// narrow reduces a long history to the version after layer i, if there is one.
func (t *Tree) narrow(from, to int32, i int) (int32, int32) {
	n := sort.Search(int(to-from), func(k int) bool { return int(t.versions[from+int32(k)].layer) > i })
	return max(from, from+int32(n)-1), from + int32(n)
}

// At returns what n shows after layer i, if anything. Layer -1 is the empty tree.
func (t *Tree) At(n Node, i int) (State, bool) {
	v := t.at(n, i)
	if v < 0 || !t.versions[v].alive() {
		return State{}, false
	}
	return t.state(v), true
}

// File returns the content and the size of the regular file that n shows after layer i,
// if it is one. It is faster than At.
func (t *Tree) File(n Node, i int) (c Content, size int64, ok bool) {
	v := t.at(n, i)
	if v < 0 || !t.versions[v].alive() || t.versions[v].kind != layer.File {
		return 0, 0, false
	}
	c = t.versions[v].content()
	return c, t.pieces[c].bytes, true
}

func (t *Tree) state(i int32) State {
	v := &t.versions[i]
	o := &t.owners[v.owner]
	s := State{
		Kind: v.kind, Mode: v.mode, UID: o.uid, GID: o.gid, Xattrs: o.xattrs, ModTime: v.mtime,
		Layer: int(v.layer), Implied: v.flags&implied != 0, Content: v.content(),
	}
	switch v.kind {
	case layer.File:
		s.Size = t.pieces[v.content()].bytes
	case layer.Symlink, layer.Link:
		s.Target = t.texts[v.ref]
	case layer.Char, layer.Block:
		s.Major, s.Minor = t.devices[v.ref].major, t.devices[v.ref].minor
	}
	return s
}

// Cause says why content is wasted; see docs/analysis.md.
type Cause uint8

const (
	Visible      Cause = iota // not wasted
	Deleted                   // hidden, and the hiding layer has no entry there
	Overwritten               // the hiding layer has another entry there
	MetadataOnly              // the hiding layer stores the same content again
	Repeated                  // replaced by a later entry of the same layer
)

var causeNames = [...]string{"", "removed", "overwritten", "metadata", "repeated"}

// String returns the name of the cause in reports.
func (c Cause) String() string { return causeNames[c] }

// Stored describes the content that one file entry of one layer stores.
type Stored struct {
	Node     Node // the path of the entry
	Layer    int
	Bytes    int64 // the size of the file, holes included
	Held     int64 // the bytes in the layer's tar: fewer than Bytes for a sparse file
	Offset   int64 // as in layer.Entry
	Sparse   bool
	Cause    Cause
	HiddenBy int  // the layer that took the last name away; -1 for visible content
	Lost     Node // the name that HiddenBy took away: Node if it is one of them, else the last; Node for visible content
}

// Contents returns the number of contents. They are numbered from 0 to
// Contents()-1, in the order of the layers and of the entries in each layer's tar.
func (t *Tree) Contents() int { return len(t.pieces) }

// Stored describes content c.
func (t *Tree) Stored(c Content) Stored {
	p := &t.pieces[c]
	held, ok := t.held[c]
	if !ok {
		held = p.bytes
	}
	return Stored{
		Node: Node(p.node), Layer: int(p.layer), Bytes: p.bytes, Held: held, Offset: p.offset, Sparse: p.sparse,
		Cause: p.cause, HiddenBy: int(p.hiddenBy), Lost: Node(p.lost),
	}
}

// Hash returns the hash of content c, if it is known without reading the content.
// fromTable is as in layer.Entry.
func (t *Tree) Hash(c Content) (h layer.Hash, fromTable, ok bool) {
	p := &t.pieces[c]
	if !p.hashed {
		return layer.Hash{}, false, false
	}
	return t.hashes[c], p.fromTable, true
}

// Linked reports whether content c has more than one name after some layer.
func (t *Tree) Linked(c Content) bool { return t.pieces[c].linked }

// FirstName returns the first path, sorted as bytes, that shows content c after
// layer i; None if there is none.
func (t *Tree) FirstName(c Content, i int) Node {
	p := &t.pieces[c]
	if !p.linked {
		if v := t.at(Node(p.node), i); v >= 0 && t.versions[v].content() == c {
			return Node(p.node)
		}
		return None
	}
	firsts := t.firsts[c]
	k := sort.Search(len(firsts), func(k int) bool { return int(firsts[k].layer) > i })
	if k == 0 {
		return None
	}
	return Node(firsts[k-1].node)
}

// Names returns every path that shows content c after layer i, sorted as bytes.
func (t *Tree) Names(c Content, i int) []Node { return slices.Collect(t.EachName(c, i)) }

// EachName is like Names, for callers that don't need all of them.
func (t *Tree) EachName(c Content, i int) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if !t.pieces[c].linked {
			if n := t.FirstName(c, i); n != None {
				yield(n)
			}
			return
		}
		for _, n := range t.linkNames[c] {
			if v := t.at(Node(n), i); v >= 0 && t.versions[v].content() == c && !yield(Node(n)) {
				return
			}
		}
	}
}

// ComparePaths compares two nodes by their paths as bytes, which is not the
// order of the nodes: "/a-b" comes before "/a/b".
func (t *Tree) ComparePaths(a, b Node) int {
	// Climb to two children of one directory, or to the same node.
	x, y := a, b
	for t.Parent(x) != t.Parent(y) {
		if t.Parent(x) > t.Parent(y) {
			x = t.Parent(x)
		} else {
			y = t.Parent(y)
		}
	}
	if x == y { // one is below the other, or they are the same
		return cmp.Compare(a, b)
	}
	nx, ny := t.Name(x), t.Name(y)
	switch {
	case a != x && len(nx) < len(ny) && ny[:len(nx)] == nx:
		return cmp.Compare('/', ny[len(nx)])
	case b != y && len(ny) < len(nx) && nx[:len(ny)] == ny:
		return cmp.Compare(nx[len(ny)], '/')
	}
	return cmp.Compare(nx, ny)
}

// sortByPath sorts nodes by their paths as bytes.
func (t *Tree) sortByPath(nodes []int32) {
	byPath := func(a, b int32) int { return t.ComparePaths(Node(a), Node(b)) }
	if !slices.IsSortedFunc(nodes, byPath) {
		slices.SortFunc(nodes, byPath)
	}
}
