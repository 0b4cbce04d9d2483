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
		v := b.versions[b.nodes[t].last]
		if v.layer == b.layer && v.flags&(pending|implied|removed) == 0 && v.kind != layer.Dir {
			if t == n {
				b.warnings.add(e.Path, "a hard link to itself is ignored")
				return
			}
			b.name(n, v)
			return
		}
	}
	b.replace(n, version{
		kind: layer.Link, flags: pending, mode: e.Mode, mtime: e.ModTime, content: NoContent,
		owner: b.own(e.UID, e.GID, e.Xattrs), text: b.text(e.Link),
	})
	b.deferred = append(b.deferred, deferred{n, e.Link})
}

// name makes n a further name of what v shows.
func (b *Builder) name(n int32, v version) {
	v.flags &^= again
	if v.content != NoContent {
		b.pieces[v.content].linked = true
	}
	b.replace(n, v)
}

// resolveLinks settles the hard links that were written before their targets
// or lead to lower layers. The rest leads to nothing, and stays so.
func (b *Builder) resolveLinks() {
	for _, d := range b.deferred {
		if b.versions[b.nodes[d.node].last].flags&pending == 0 {
			continue // a later entry took the path
		}
		v, text := b.linked(d)
		if v != nil {
			b.warnings.add(b.path(d.node), text)
			b.name(d.node, *v)
			continue
		}
		b.warnings.add(b.path(d.node), "a hard link to nothing: "+text)
	}
	for _, d := range b.deferred {
		b.versions[b.nodes[d.node].last].flags &^= pending
	}
}

// linked is the version that a deferred link names, nil for none, and a
// warning in either case.
func (b *Builder) linked(d deferred) (*version, string) {
	target := d.target
	for range maxHops {
		t := b.target(target)
		if t < 0 {
			return nil, "no layer has its target"
		}
		at := b.nodes[t].last
		if v := &b.versions[at]; v.layer == b.layer && v.alive() {
			switch {
			case v.flags&pending != 0 && t != d.node:
				target = b.texts[v.text]
				continue
			case v.flags&pending != 0: // a link to itself: to what was there before
			case v.kind == layer.Dir:
				return nil, "its target is a directory"
			default:
				return v, "a hard link before its target: engines refuse it"
			}
		}
		for at >= 0 && b.versions[at].layer == b.layer {
			at = b.versions[at].prev
		}
		switch {
		case at < 0 || !b.versions[at].alive():
			return nil, "no layer has its target"
		case b.versions[at].kind == layer.Dir:
			return nil, "its target is a directory"
		}
		return &b.versions[at], "a hard link to a file of a lower layer: overlay engines refuse it"
	}
	return nil, "too many links on the way"
}

// target finds the node of a hard link's target: its parents may be symlinks
// of this layer, its last component is not followed. -1 when there is none.
func (b *Builder) target(path string) int32 {
	n := int32(Root)
	hops := 0
	for path != "" {
		name, rest, more := strings.Cut(path, "/")
		if b.steps++; b.steps > maxSteps {
			return -1
		}
		dir := n
		if n = b.lookup(dir, name); n < 0 || b.nodes[n].last < 0 {
			return -1
		}
		v := &b.versions[b.nodes[n].last]
		if more && v.alive() && v.kind == layer.Symlink && v.layer == b.layer {
			to := b.texts[v.text]
			if hops++; hops > maxHops || len(to) > maxTarget {
				return -1
			}
			path = join(b.path(dir), to, rest)
			n = int32(Root)
			continue
		}
		path = rest
	}
	if n == int32(Root) {
		return -1
	}
	return n
}
