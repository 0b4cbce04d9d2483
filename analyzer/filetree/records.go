package filetree

import "fathom/analyzer/layer"

// version is what a node shows from one layer until its next version. There is one
// for every entry of every layer, so its size matters.
type version struct {
	mtime int64
	owner int32 // in owners
	// ref is the Content of a file, the index in texts of the target of a symlink or
	// broken link, or the index in devices of a device or fifo; otherwise noRef.
	ref   int32
	layer int16
	mode  uint16
	kind  layer.Kind
	flags uint8
}

// content returns the content of a file, or NoContent for anything else.
func (v *version) content() Content {
	if v.kind != layer.File {
		return NoContent
	}
	return Content(v.ref)
}

// revision is a version while the tree is being built.
type revision struct {
	version
	prev int32 // the node's revision before this one, or -1
}

func (v *version) alive() bool { return v.flags&removed == 0 }

// piece is one stored content.
type piece struct {
	bytes     int64
	offset    int64
	node      int32   // of the entry
	lost      int32   // the name as in Stored.Lost
	same      Content // the first piece known to have the same bytes, or itself
	layer     int16
	hiddenBy  int16 // -1 while visible
	cause     Cause
	linked    bool // has, or had, more than one name
	sparse    bool
	hashed    bool // Builder.hashes has its hash
	fromTable bool // as in layer.Entry
}

type owner struct {
	uid, gid int64
	xattrs   string
}

type device struct{ major, minor int64 }

// node is a path while the tree is being built. Its alive children, those that
// show something, are in a list, so that removing a directory visits only them.
type node struct {
	parent      int32
	nameAt      uint32
	nameLen     uint32
	last        int32 // version
	child       int32 // first alive
	entered     int16 // the last layer with an entry below, counted from 1
	left, right int32 // alive siblings
}

// trail is one component of the directory resolved last.
type trail struct {
	end  int // where the component ends in Builder.dir
	node int32
}

// dying is content that lost its last name in this layer, and that name. A later
// entry of the layer may give it a name again.
type dying struct {
	content Content
	node    int32
}
