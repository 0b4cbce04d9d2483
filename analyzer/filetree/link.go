package filetree

import (
	"strings"

	"fathom/analyzer/layer"
)

// link carries out a hard link entry at n. What its own layer holds at the
// target so far is named at once; anything else waits for the end of the layer.
func (b *Builder) link(n int32, e *layer.Entry) {
	t := b.target(e.Link)
	if t >= 0 {
		v := b.versions.at(b.nodes.at(t).last).version
		if v.layer == b.layer && v.flags&(pending|implied|removed) == 0 && v.kind != layer.Dir {
			if t == n {
				b.warnings.add(e.Path, "a hard link to itself is ignored")
				return
			}
			b.linked = append(b.linked, t)
			b.give(&v, attributes{b.own(e.UID, e.GID, e.Xattrs), e.ModTime, e.Mode})
			b.name(n, v)
			return
		}
	}
	b.replace(n, version{
		kind: layer.Link, flags: pending, mode: e.Mode, mtime: e.ModTime,
		owner: b.own(e.UID, e.GID, e.Xattrs), ref: b.text(e.Link),
	})
	b.deferred = append(b.deferred, n)
}

// inode is what hard links share. Every entry but a link makes another one.
type inode struct {
	kind layer.Kind
	id   int32
}

func (v *version) inode() inode {
	if v.content() != NoContent {
		return inode{v.kind, int32(v.content())}
	}
	return inode{v.kind, v.ref}
}

// attributes are what the entry of a hard link says. They are the inode's.
type attributes struct {
	owner int32
	mtime int64
	mode  uint16
}

// name makes n a further name of what v shows.
func (b *Builder) name(n int32, v version) {
	v.flags &^= again
	if v.content() != NoContent {
		b.pieces.at(int32(v.content())).linked = true
		b.taken += linkBytes
	}
	b.replace(n, v)
	b.linked = append(b.linked, n)
}

// give notes what the entry of a hard link to v says. Extended attributes are
// only added to, as by engines.
func (b *Builder) give(v *version, a attributes) {
	id := v.inode()
	if o := b.owners[a.owner]; o.xattrs == "" {
		had := v.owner
		if given, ok := b.given[id]; ok {
			had = given.owner
		}
		a.owner = b.own(o.uid, o.gid, b.owners[had].xattrs)
	}
	if b.given == nil {
		b.given = map[inode]attributes{}
	}
	b.given[id] = a
}

// share gives every name of an inode in this layer what the last entry of a
// hard link to it says: engines set the attributes of each entry that they have
// made, and so those of the file that they have just linked. A symlink's mode
// and time can't be set so.
func (b *Builder) share() {
	for _, n := range b.linked {
		v := b.versions.at(b.nodes.at(n).last)
		a, ok := b.given[v.inode()]
		if !ok || v.layer != b.layer || !v.alive() {
			continue
		}
		v.owner = a.owner
		if v.kind != layer.Symlink {
			v.mode, v.mtime = a.mode, a.mtime
		}
	}
}

// resolveLinks settles the hard links that were written before their targets
// or lead to lower layers. The rest leads to nothing, and stays so.
func (b *Builder) resolveLinks() error {
	for _, n := range b.deferred {
		if b.steps > b.granted {
			return errTooManySteps
		}
		if b.versions.at(b.nodes.at(n).last).flags&pending == 0 {
			continue // a later entry took the path, or it is settled
		}
		link := b.versions.at(b.nodes.at(n).last)
		v, text := b.leadsTo(n)
		if v == nil {
			b.warn(n, "a hard link to nothing: "+text)
			b.versions.at(b.nodes.at(n).last).flags &^= pending
			continue
		}
		b.warn(n, text)
		if v.layer != b.layer {
			b.give(v, attributes{link.owner, link.mtime, link.mode})
		}
		b.name(n, *v)
	}
	return nil
}

// leadsTo is the version that a deferred link names, nil for none, and a
// warning in either case.
func (b *Builder) leadsTo(n int32) (*version, string) {
	target := b.texts[b.versions.at(b.nodes.at(n).last).ref]
	for range maxHops {
		t := b.target(target)
		if t < 0 {
			return nil, "no layer has its target"
		}
		at := b.nodes.at(t).last
		if v := b.versions.at(at); v.layer == b.layer && v.alive() {
			switch {
			case v.flags&pending != 0 && t != n:
				target = b.texts[v.ref]
				continue
			case v.flags&pending != 0: // a link to itself: to what was there before
			case v.kind == layer.Dir:
				return nil, "its target is a directory"
			case v.kind == layer.Link:
				return nil, "its target is another"
			default:
				return &v.version, "a hard link before its target: engines refuse it"
			}
		}
		for at >= 0 && b.versions.at(at).layer == b.layer {
			at = b.versions.at(at).prev
		}
		switch {
		case at < 0 || !b.versions.at(at).alive():
			return nil, "no layer has its target"
		case b.versions.at(at).kind == layer.Dir:
			return nil, "its target is a directory"
		case b.versions.at(at).kind == layer.Link:
			return nil, "its target is another"
		}
		return &b.versions.at(at).version, "a hard link to a file of a lower layer: overlay engines refuse it"
	}
	return nil, "too many links on the way"
}

// target finds the node of a hard link's target: its parents may be symlinks
// of this layer, its last component is not followed. -1 when there is none.
func (b *Builder) target(path string) int32 {
	dir := parentOf(path)
	if path == "" || strings.Count(dir, "/") >= maxDepth {
		return -1
	}
	n, err := b.walk(dir)
	if err != nil {
		return -1
	}
	if n = b.lookup(n, strings.TrimPrefix(path[len(dir):], "/")); n < 0 || b.nodes.at(n).last < 0 {
		return -1
	}
	return n
}
