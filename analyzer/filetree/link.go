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
		v := *b.versions.at(b.nodes.at(t).last)
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
	b.deferred = append(b.deferred, n)
}

// name makes n a further name of what v shows.
func (b *Builder) name(n int32, v version) {
	v.flags &^= again
	if v.content != NoContent {
		b.pieces.at(int32(v.content)).linked = true
	}
	b.replace(n, v)
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
		v, text := b.linked(n)
		if v == nil {
			b.warn(n, "a hard link to nothing: "+text)
			b.versions.at(b.nodes.at(n).last).flags &^= pending
			continue
		}
		b.warn(n, text)
		b.name(n, *v)
	}
	return nil
}

// linked is the version that a deferred link names, nil for none, and a
// warning in either case.
func (b *Builder) linked(n int32) (*version, string) {
	target := b.texts[b.versions.at(b.nodes.at(n).last).text]
	for range maxHops {
		t := b.target(target)
		if t < 0 {
			return nil, "no layer has its target"
		}
		at := b.nodes.at(t).last
		if v := b.versions.at(at); v.layer == b.layer && v.alive() {
			switch {
			case v.flags&pending != 0 && t != n:
				target = b.texts[v.text]
				continue
			case v.flags&pending != 0: // a link to itself: to what was there before
			case v.kind == layer.Dir:
				return nil, "its target is a directory"
			case v.kind == layer.Link:
				return nil, "its target is another"
			default:
				return v, "a hard link before its target: engines refuse it"
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
		return b.versions.at(at), "a hard link to a file of a lower layer: overlay engines refuse it"
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
