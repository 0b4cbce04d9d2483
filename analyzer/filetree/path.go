package filetree

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"fathom/analyzer/layer"
)

// Limits on the symlinks among a path's parents, as in the Linux kernel.
const (
	maxHops   = 40   // symlinks to follow for one path component
	maxTarget = 4096 // bytes of a target
)

// The limit on the steps that resolving all paths and links of an image may take.
// It grows with every entry and with the length of the names. Real images take
// about one step per path component.
const (
	freeSteps     = 1 << 26
	stepsPerEntry = 128
	stepBytes     = 64 // every 64 bytes of a name count as a step
)

var errTooManyNames = errors.New("the names of all paths together exceed 4 GiB, or there are more than two billion")

// slot is one slot of the hash table that finds a node by directory and name. The
// upper half holds the hash, so that a lookup rejects most other nodes without
// reading them; the lower half holds the node. 0 is a free slot: the root, node 0,
// is not in the table.
type slot uint64

func (s slot) node() int32 { return int32(uint32(s)) }

func (b *Builder) hash(dir int32, name string) uint32 {
	h := maphash.String(b.seed, name) + uint64(dir)*0x9e3779b97f4a7c15
	return uint32(h>>32) ^ uint32(h)
}

func (b *Builder) is(n, dir int32, name string) bool {
	x := b.nodes.at(n)
	return x.parent == dir && b.names.at(x.nameAt, x.nameLen) == name
}

// seek returns the child of dir called name and its slot, or -1 and the slot to
// put it in. h is the hash of dir and name.
func (b *Builder) seek(dir int32, name string, h uint32) (n int32, at uint32) {
	mask := uint32(len(b.table) - 1)
	for at = h & mask; b.table[at] != 0; at = (at + 1) & mask {
		if s := b.table[at]; uint32(s>>32) == h && b.is(s.node(), dir, name) {
			return s.node(), at
		}
	}
	return -1, at
}

// lookup returns the child of dir called name, or -1 if no layer has had one.
// Layers often list the same files in the same order, so lookup first tries the
// node that was created after the last one found.
func (b *Builder) lookup(dir int32, name string) int32 {
	if next := b.found + 1; int(next) < b.nodes.n && b.is(next, dir, name) {
		b.found = next
		return next
	}
	n, _ := b.seek(dir, name, b.hash(dir, name))
	if n >= 0 {
		b.found = n
	}
	return n
}

// find returns the child of dir called name. If no layer has had one, it creates a
// node that shows nothing.
func (b *Builder) find(dir int32, name string) (int32, error) {
	if next := b.found + 1; int(next) < b.nodes.n && b.is(next, dir, name) {
		b.found = next
		return next, nil
	}
	h := b.hash(dir, name)
	n, at := b.seek(dir, name, h)
	if n >= 0 {
		b.found = n
		return n, nil
	}
	nameAt, err := b.names.add(name)
	if err != nil {
		return -1, err
	}
	if b.nodes.n == math.MaxInt32 {
		return -1, errTooManyNames
	}
	b.taken += nodeBytes + int64(len(name))
	n = int32(b.nodes.n)
	b.nodes.add(node{
		parent: dir, nameAt: nameAt, nameLen: uint32(len(name)),
		last: -1, child: -1, left: -1, right: -1,
	})
	b.table[at] = slot(h)<<32 | slot(n)
	b.found = n
	if b.nodes.n*3 > len(b.table)*2 {
		b.growTable()
	}
	return n, nil
}

func (b *Builder) growTable() {
	old := b.table
	b.table = make([]slot, len(old)*2)
	mask := uint32(len(b.table) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		at := uint32(s>>32) & mask
		for b.table[at] != 0 {
			at = (at + 1) & mask
		}
		b.table[at] = s
	}
}

// forget discards the directories that directory and mark resolved last.
func (b *Builder) forget() { b.dir, b.trail, b.marked = "", b.trail[:0], "" }

// directory returns the node of the directory at path and creates missing
// directories. Consecutive entries share most of their path, so it starts at the
// deepest directory that the previous call has resolved already.
func (b *Builder) directory(path string) (int32, error) {
	if path == "" {
		return int32(Root), nil
	}
	if path == b.dir {
		return b.trail[len(b.trail)-1].node, nil
	}
	n, at := int32(Root), 0 // path[:at] is resolved
	for len(b.trail) > 0 {
		t := b.trail[len(b.trail)-1]
		if t.end < len(path) && path[t.end] == '/' && path[:t.end] == b.dir[:t.end] {
			n, at = t.node, t.end+1
			break
		}
		b.trail = b.trail[:len(b.trail)-1]
	}
	keep := append(b.spare[:0], b.trail...)
	for at < len(path) {
		end := strings.IndexByte(path[at:], '/')
		if end < 0 {
			end = len(path)
		} else {
			end += at
		}
		var err error
		if n, err = b.step(n, path[at:end]); err != nil {
			return -1, err
		}
		if keep = append(keep, trail{end, n}); len(keep) > maxDepth {
			return -1, tooDeep(path)
		}
		at = end + 1
	}
	b.makeDirs(n)
	b.enterAll(n)
	b.dir, b.spare, b.trail = path, b.trail, keep
	return n, nil
}

func tooDeep(path string) error {
	return fmt.Errorf("%s…: more than %d directories deep", path[:200], maxDepth)
}

// walk returns the node that path leads to through the symlinks that the layer has
// created so far. The node need not be a directory.
func (b *Builder) walk(path string) (int32, error) {
	n := int32(Root)
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		b.steps += 1 + len(name)/stepBytes
		var err error
		if n, err = b.step(n, name); err != nil {
			return -1, err
		}
	}
	return n, nil
}

// step returns the node that name in dir leads to. It follows a symlink of this
// layer; if that cannot be resolved, it returns the symlink itself.
func (b *Builder) step(dir int32, name string) (int32, error) {
	hops := 0
	n, err := b.enter(dir, name, &hops)
	if n == nowhere || hops > 0 && b.depth(n) > maxDepth {
		return b.lookup(dir, name), err
	}
	return n, err
}

// nowhere is the result for a symlink that leads through too many others or has
// too long a target.
const nowhere int32 = -2

func (b *Builder) depth(n int32) int {
	d := 0
	for ; n > 0; n = b.nodes.at(n).parent {
		d++
	}
	b.steps += d
	return d
}

func (b *Builder) enter(dir int32, name string, hops *int) (int32, error) {
	n, err := b.find(dir, name)
	if err != nil {
		return -1, err
	}
	at := b.nodes.at(n).last
	if at < 0 || !b.versions.at(at).alive() || b.versions.at(at).kind != layer.Symlink || b.versions.at(at).layer != b.layer {
		return n, nil
	}
	target := b.texts[b.versions.at(at).ref]
	*hops++
	if *hops > maxHops || len(target) > maxTarget {
		return nowhere, nil
	}
	if strings.HasPrefix(target, "/") {
		dir = int32(Root)
	}
	for name := range strings.SplitSeq(target, "/") {
		b.steps += 1 + len(name)/stepBytes
		switch name {
		case "", ".":
		case "..":
			dir = max(b.nodes.at(dir).parent, int32(Root))
		default:
			if dir, err = b.enter(dir, name, hops); dir < 0 || err != nil {
				return dir, err
			}
		}
	}
	return dir, nil
}

// makeDirs turns n and the paths above it into directories if they are not.
func (b *Builder) makeDirs(n int32) {
	for _, n := range slices.Backward(b.missing(n)) {
		if at := b.nodes.at(n).last; at >= 0 && b.versions.at(at).alive() {
			b.noDirectory(n, &b.versions.at(at).version)
		}
		b.replaceByImplied(n)
	}
}

// missing returns n and the nodes above it up to the first directory, the
// innermost first. The slice is valid until the next call.
func (b *Builder) missing(n int32) []int32 {
	b.chain = b.chain[:0]
	for ; n != int32(Root); n = b.nodes.at(n).parent {
		if at := b.nodes.at(n).last; at >= 0 && b.versions.at(at).alive() && b.versions.at(at).kind == layer.Dir {
			break
		}
		b.chain = append(b.chain, n)
	}
	return b.chain
}

func (b *Builder) noDirectory(n int32, v *version) {
	switch {
	case v.kind == layer.Symlink && v.layer == b.layer:
		b.warn(n, "a symlink that leads nowhere is a parent of other entries: shown as a directory")
	case v.kind == layer.Symlink:
		b.warn(n, "entries are written through a symlink of a lower layer: it becomes a directory, as overlay engines make it; others write to its target")
	default:
		b.warn(n, "is no directory but has entries below it: it becomes one")
	}
}

// enterAll records that the layer has entries below n, and so below all parents of
// n.
func (b *Builder) enterAll(n int32) {
	for x := b.nodes.at(n); n > int32(Root) && x.entered != b.layers; x = b.nodes.at(n) {
		x.entered = b.layers
		if at := x.last; at >= 0 && b.resets(&b.versions.at(at).version) {
			b.entered = append(b.entered, n)
		}
		n = x.parent
	}
}

// resets reports whether v is a directory of a lower layer whose mode or owner
// docker (overlay2) and podman change if this layer has no entry for it.
func (b *Builder) resets(v *version) bool {
	return v.layer != b.layer && v.alive() && v.kind == layer.Dir && (v.mode != 0o755 || b.owners[v.owner] != owner{})
}

// warnParents warns about directories of lower layers that the layer has entries
// in, but no entry for. The tree shows them unchanged, as the image specification
// and containerd do. docker's overlay2 and podman's overlay unpack each layer into
// a folder of its own and create the directory there, owned by root. It hides the
// directory of the lower layer.
func (b *Builder) warnParents() {
	for _, n := range b.entered {
		if b.resets(&b.versions.at(b.nodes.at(n).last).version) {
			b.warn(n, parentReset)
		}
	}
}

// parentReset is the warning about a directory that engines show differently.
const parentReset = "the layer has entries in this directory and none for it: docker (overlay2) and podman show it as root's with mode 0755, containerd as it was"

func (b *Builder) replaceByImplied(n int32) {
	b.set(n, version{kind: layer.Dir, mode: 0o755, flags: implied, ref: noRef, owner: b.own(0, 0, "")})
}

// path returns n's path without a leading slash.
func (b *Builder) path(n int32) string {
	var parts []string
	for ; n > 0; n = b.nodes.at(n).parent {
		x := b.nodes.at(n)
		parts = append(parts, b.names.at(x.nameAt, x.nameLen))
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}
