package filetree

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"weak"

	"fathom/analyzer/layer"
)

// maxDepth is the maximum depth of a path. No filesystem takes a longer one, and
// printing a tree costs time for the depth of every node.
const maxDepth = 4096

const noRef = int32(NoContent)

const (
	removed uint8 = 1 << iota // the path shows nothing
	implied                   // a directory without an entry
	pending                   // a hard link that is not resolved yet
	again                     // the layer stores more content here, which the path never shows: see repeats
)

// Builder builds a Tree from layers.
type Builder struct {
	nodes    pile[node]
	names    names
	table    []slot
	found    int32 // the node looked up last
	seed     maphash.Seed
	versions pile[revision]
	pieces   pile[piece]
	hashes   []layer.Hash      // of the pieces that are hashed
	held     map[Content]int64 // the bytes in the tar, for pieces where they differ from the size
	total    int64             // bytes of all pieces
	alive    pile[int32]       // by piece: how many names show it now
	repeats  map[int32]int64   // version -> bytes stored there and replaced in the same layer
	owners   []owner
	ownerID  map[owner]int32
	texts    []string
	devices  []device
	layers   int16
	// Memory limits the memory of the builder and the tree. It may be nil.
	Memory *layer.Quota
	taken  int64 // bytes used but not yet taken from Memory

	// The layer being applied.
	layer    int16
	dir      string   // the directory path resolved last
	trail    []trail  // the nodes along dir
	spare    []trail  // buffer for the next trail
	markers  []marker // in the order of the tar
	marked   string   // the directory of the last marker
	markedAt int32    // the node of marked
	chain    []int32  // buffer for missing
	deferred []int32  // nodes with a pending link
	linked   []int32  // nodes that share an inode with others
	given    map[inode]attributes
	entered  []int32   // directories of lower layers that this layer has entries below
	bodies   []Content // content of markers and ignored entries
	dying    []dying
	warnings warnings

	// All layers.
	steps   int // taken so far
	granted int // the limit for steps
	applied map[weak.Pointer[layer.Diff]]bool
}

// NewBuilder returns a Builder without layers.
func NewBuilder() *Builder {
	b := &Builder{
		seed:    maphash.MakeSeed(),
		table:   make([]slot, 1<<10),
		repeats: map[int32]int64{},
		held:    map[Content]int64{},
		ownerID: map[owner]int32{},
		applied: map[weak.Pointer[layer.Diff]]bool{},
		granted: freeSteps,
		layer:   -1,
	}
	b.nodes.add(node{parent: -1, last: -1, child: -1, left: -1, right: -1})
	b.set(0, version{kind: layer.Dir, mode: 0o755, flags: implied, ref: noRef, owner: b.own(0, 0, "")})
	return b
}

// Apply adds the next layer on top of the others. It returns warnings about the
// layer.
func (b *Builder) Apply(d *layer.Diff) ([]layer.Warning, error) { return b.applyAll(d, false) }

// ApplyLast is like Apply, but releases the memory of the entries on the way. The
// caller must not use them afterwards.
func (b *Builder) ApplyLast(d *layer.Diff) ([]layer.Warning, error) { return b.applyAll(d, true) }

func (b *Builder) applyAll(d *layer.Diff, last bool) ([]layer.Warning, error) {
	if b.layers == maxLayers {
		return nil, errTooManyLayers
	}
	b.layer = b.layers
	b.layers++
	b.forget()
	b.deferred, b.dying, b.markers, b.warnings = b.deferred[:0], b.dying[:0], b.markers[:0], warnings{}
	b.linked, b.given, b.entered, b.bodies = b.linked[:0], nil, b.entered[:0], b.bodies[:0]

	// A diff that is applied again was read only once: it grants no more steps.
	again := b.applied[weak.Make(d)]
	b.applied[weak.Make(d)] = true
	for i := range d.Len() {
		if last {
			d.Forget(i)
		}
		e := d.At(i)
		long := (len(e.Path) + len(e.Link)) / stepBytes
		b.steps += 1 + long
		if !again {
			b.granted += stepsPerEntry + 4*long
		}
		if err := b.apply(e); err != nil {
			return nil, err
		}
		if b.steps > b.granted {
			return nil, errTooManySteps
		}
		if err := b.take(); err != nil {
			return nil, err
		}
	}
	if err := b.hide(); err != nil {
		return nil, err
	}
	if err := b.resolveLinks(); err != nil {
		return nil, err
	}
	b.share()
	b.placeBodies()
	b.warnParents()
	b.bury()
	if err := b.take(); err != nil {
		return nil, err
	}
	return b.warnings.list(), nil
}

// errTooManySteps means that following links, or applying the same layers again,
// takes far more steps than the entries that were read justify.
var errTooManySteps = errors.New("its entries, paths and links take too many steps: over the limit for one image")

// apply applies one entry.
func (b *Builder) apply(e *layer.Entry) error {
	if e.Size > layer.MaxContent-b.total {
		return fmt.Errorf("content of %s: %d bytes: the files of one image may have %d", e.Path, e.Size, int64(layer.MaxContent))
	}
	b.total += e.Size
	if e.Kind == layer.Whiteout || e.Kind == layer.Opaque || e.Kind == layer.Ignored {
		return b.mark(e)
	}
	if e.Path == "" && e.Kind != layer.Dir {
		b.warnings.add(e.Path, "an entry for the root that is no directory is ignored")
		return nil
	}
	n := int32(Root)
	if e.Path != "" {
		dir := parentOf(e.Path)
		d, err := b.directory(dir)
		if err != nil {
			return err
		}
		base := e.Path
		if dir != "" {
			base = e.Path[len(dir)+1:]
		}
		if n, err = b.find(d, base); err != nil {
			return err
		}
	}
	if at := b.nodes.at(n).last; at >= 0 && n != int32(Root) {
		if v := b.versions.at(at); v.layer == b.layer && v.flags&(removed|implied) == 0 {
			b.warnings.add(e.Path, "a repeated entry: the last one counts; docker and podman refuse such a layer")
		}
	}
	if e.Kind == layer.Link {
		b.link(n, e)
		return nil
	}
	v := version{
		kind:  e.Kind,
		mode:  e.Mode,
		mtime: e.ModTime,
		owner: b.own(e.UID, e.GID, e.Xattrs),
		ref:   noRef,
	}
	switch e.Kind {
	case layer.File:
		v.ref = int32(b.store(n, e))
	case layer.Symlink:
		v.ref = b.text(e.Link)
	case layer.Char, layer.Block, layer.Fifo:
		v.ref = int32(len(b.devices))
		b.taken += deviceBytes
		b.devices = append(b.devices, device{e.Major, e.Minor})
	}
	b.replace(n, v)
	return nil
}

// store adds the content of entry e at n.
func (b *Builder) store(n int32, e *layer.Entry) Content {
	c := Content(b.pieces.n)
	b.pieces.add(piece{
		bytes: e.Size, offset: e.Offset, node: n, lost: n, layer: b.layer, hiddenBy: -1, same: c, sparse: e.Sparse, hashed: e.Hashed,
		fromTable: e.FromTable,
	})
	b.alive.add(0)
	b.taken += pieceBytes
	if e.Hashed {
		b.hashes = slices.Grow(b.hashes, b.pieces.n-len(b.hashes))[:b.pieces.n]
		b.hashes[c] = e.Hash
	}
	if e.Held != e.Size {
		b.held[c] = e.Held
		b.taken += numberBytes
	}
	return c
}

// replace makes n show v. It removes everything below n unless v is a directory.
func (b *Builder) replace(n int32, v version) {
	if v.kind != layer.Dir {
		b.empty(n)
	}
	b.set(n, v)
}

// set makes v the version of n in the current layer. It also counts the names of
// the content that n shows now and showed before.
func (b *Builder) set(n int32, v version) {
	v.layer = b.layer
	at := b.nodes.at(n).last
	was := at >= 0 && b.versions.at(at).alive()
	if was {
		// A path resolved through n may lead elsewhere now.
		k := b.versions.at(at).kind
		if k == layer.Symlink || k == layer.Dir && (v.kind != layer.Dir || !v.alive()) {
			b.forget()
		}
	}
	if v.kind == layer.Symlink {
		b.marked = ""
	}
	if v.content() != NoContent {
		*b.alive.at(int32(v.content()))++
	}
	if was {
		b.unname(b.versions.at(at).content(), n)
	}
	if at >= 0 && b.versions.at(at).layer == b.layer {
		v.flags |= b.versions.at(at).flags & again
		if c := b.versions.at(at).content(); c != v.content() {
			if b.storedHere(c, n) {
				b.repeats[at] += b.pieces.at(int32(c)).bytes
				v.flags |= again
				b.taken += numberBytes
			}
			if b.storedHere(v.content(), n) && b.pieces.at(int32(v.content())).linked {
				b.repeats[at] -= b.pieces.at(int32(v.content())).bytes // shown again through a hard link
			}
		}
		b.versions.at(at).version = v
	} else {
		b.nodes.at(n).last = int32(b.versions.n)
		b.versions.add(revision{v, at})
		b.taken += versionBytes
	}
	if is := v.alive(); is != was && n != int32(Root) {
		b.relist(n, is)
	}
}

// storedHere reports whether an entry of this layer stores c at n.
func (b *Builder) storedHere(c Content, n int32) bool {
	return c != NoContent && b.pieces.at(int32(c)).node == n && b.pieces.at(int32(c)).layer == b.layer
}

// unname records that n no longer shows c.
func (b *Builder) unname(c Content, n int32) {
	if c == NoContent {
		return
	}
	names := b.alive.at(int32(c))
	if *names--; *names == 0 {
		b.dying = append(b.dying, dying{c, n})
	}
}

// relist adds n to the list of alive children of its directory, or removes it.
func (b *Builder) relist(n int32, in bool) {
	x := b.nodes.at(n)
	p := b.nodes.at(x.parent)
	if in {
		x.left, x.right = -1, p.child
		if p.child >= 0 {
			b.nodes.at(p.child).left = n
		}
		p.child = n
		return
	}
	if x.left >= 0 {
		b.nodes.at(x.left).right = x.right
	} else {
		p.child = x.right
	}
	if x.right >= 0 {
		b.nodes.at(x.right).left = x.left
	}
	x.left, x.right = -1, -1
}

// empty removes everything below n.
func (b *Builder) empty(n int32) {
	for b.nodes.at(n).child >= 0 {
		b.remove(b.nodes.at(n).child)
	}
}

// remove removes n and everything below it, deepest first.
func (b *Builder) remove(n int32) {
	for at := n; ; {
		if c := b.nodes.at(at).child; c >= 0 {
			at = c
			continue
		}
		up := b.nodes.at(at).parent
		if l := b.nodes.at(at).last; l >= 0 && b.versions.at(l).alive() {
			b.set(at, version{flags: removed, ref: noRef})
		}
		if at == n {
			return
		}
		at = up
	}
}

// bury runs at the end of a layer. It records which content lost its last name in
// the layer, and which name that was: the path that stored the content if it went
// in this layer too.
func (b *Builder) bury() {
	for _, d := range b.dying {
		p := b.pieces.at(int32(d.content))
		if *b.alive.at(int32(d.content)) > 0 || p.hiddenBy >= 0 {
			continue
		}
		p.hiddenBy, p.lost = b.layer, d.node
		last := b.versions.at(b.nodes.at(p.node).last)
		if last.layer == b.layer && (p.layer == b.layer || last.prev >= 0 && b.versions.at(last.prev).content() == d.content) {
			p.lost = p.node
		}
	}
}

func (b *Builder) own(uid, gid int64, xattrs string) int32 {
	if last := len(b.owners) - 1; last >= 0 && b.owners[last] == (owner{uid, gid, xattrs}) {
		return int32(last)
	}
	id, ok := b.ownerID[owner{uid, gid, xattrs}]
	if !ok {
		id = int32(len(b.owners))
		o := owner{uid, gid, strings.Clone(xattrs)}
		b.owners = append(b.owners, o)
		b.taken += ownerBytes + int64(len(xattrs))
		b.ownerID[o] = id
	}
	return id
}

func (b *Builder) text(s string) int32 {
	b.taken += textBytes + int64(len(s))
	b.texts = append(b.texts, strings.Clone(s))
	return int32(len(b.texts) - 1)
}

// parentOf returns the directory of a clean path, or "" for a path in the root.
func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}
