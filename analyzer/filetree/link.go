package filetree

import (
	"strings"

	"fathom/analyzer/layer"
)

// link applies a hard link entry at n. If the target is an earlier entry of the
// same layer, n becomes a name of it at once. Otherwise the link is deferred to
// the end of the layer; see resolveLinks.
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

// inode identifies what hard links share. Every entry but a hard link creates a
// new one.
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

// attributes are the owner, time and mode in the entry of a hard link. They apply
// to the inode, so to all its names.
type attributes struct {
	owner int32
	mtime int64
	mode  uint16
}

// name makes n another name of the inode that v shows.
func (b *Builder) name(n int32, v version) {
	v.flags &^= again
	if v.content() != NoContent {
		b.pieces.at(int32(v.content())).linked = true
		b.taken += linkBytes
	}
	b.replace(n, v)
	b.linked = append(b.linked, n)
}

// give records the attributes in the entry of a hard link to v. An entry without
// extended attributes keeps those that the inode has, as engines do.
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

// share sets the attributes of every name that an inode has in this layer to those
// of the last hard link entry for it. Engines set attributes after they create an
// entry, and after creating a hard link this changes the linked file. It does not
// change the mode and time of a symlink.
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

// resolveLinks resolves the deferred hard links: those that come before their
// targets in the tar, and those whose targets are in lower layers. A link without
// a target remains a broken link.
func (b *Builder) resolveLinks() error {
	for _, n := range b.deferred {
		if b.steps > b.granted {
			return errTooManySteps
		}
		if b.versions.at(b.nodes.at(n).last).flags&pending == 0 {
			continue // replaced by a later entry, or already resolved
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

// leadsTo returns the version that the deferred link at n leads to, or nil if
// there is none, and a warning in either case.
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
			case v.flags&pending != 0: // a link to itself: use what lower layers have here
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

// target returns the node of a hard link's target, or -1 if there is none. It
// follows symlinks of this layer among the parents, but not one at the end of the
// path.
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
