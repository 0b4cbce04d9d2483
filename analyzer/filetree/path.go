package filetree

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"strings"

	"fathom/analyzer/layer"
)

// Links among a path's parents are followed as a kernel does: so many, and no
// longer target; and so many components for a whole layer, which no image of
// this world comes near to.
const (
	maxHops   = 40
	maxTarget = 4096
	maxSteps  = 1 << 26
)

var errTooManyNames = errors.New("the names of all paths together exceed 4 GiB")

// lookup finds the child of dir called name, -1 when no layer ever had one.
func (b *Builder) lookup(dir int32, name string) int32 {
	n, _ := b.slot(dir, name, b.hash(dir, name))
	return n
}

func (b *Builder) hash(dir int32, name string) uint32 {
	h := maphash.String(b.seed, name) + uint64(dir)*0x9e3779b97f4a7c15
	return uint32(h>>32) ^ uint32(h)
}

// slot finds the node, or -1 and the place in the table where it belongs.
func (b *Builder) slot(dir int32, name string, h uint32) (int32, uint32) {
	mask := uint32(len(b.table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := b.table[i] - 1
		if n < 0 {
			return -1, i
		}
		if x := &b.nodes[n]; x.hash == h && x.parent == dir && string(b.names[x.nameAt:x.nameAt+x.nameLen]) == name {
			return n, i
		}
	}
}

// find is the child of dir called name; it is made, showing nothing, when no
// layer had one yet.
func (b *Builder) find(dir int32, name string) (int32, error) {
	h := b.hash(dir, name)
	n, at := b.slot(dir, name, h)
	if n >= 0 {
		return n, nil
	}
	if len(b.names)+len(name) > math.MaxUint32 {
		return -1, errTooManyNames
	}
	n = int32(len(b.nodes))
	b.nodes = append(b.nodes, node{
		parent: dir, hash: h, nameAt: uint32(len(b.names)), nameLen: uint32(len(name)),
		last: -1, child: -1, left: -1, right: -1,
	})
	b.names = append(b.names, name...)
	b.table[at] = n + 1
	if len(b.nodes)*3 > len(b.table)*2 {
		b.table = make([]int32, len(b.table)*2)
		mask := uint32(len(b.table) - 1)
		for n := 1; n < len(b.nodes); n++ {
			i := b.nodes[n].hash & mask
			for b.table[i] != 0 {
				i = (i + 1) & mask
			}
			b.table[i] = int32(n) + 1
		}
	}
	return n, nil
}

// forget drops the memory of the directory resolved last.
func (b *Builder) forget() { b.dir, b.trail = "", b.trail[:0] }

// directory is the node of the directory at path, made where it is missing.
// Consecutive entries share most of their path: what the last one resolved is
// not looked up again.
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
		hops := 0
		var err error
		if n, err = b.enter(n, path[at:end], &hops); err != nil {
			return -1, err
		}
		if keep = append(keep, trail{end, n}); len(keep) > maxDepth {
			return -1, fmt.Errorf("%s…: more than %d directories deep", path[:200], maxDepth)
		}
		at = end + 1
	}
	b.dir, b.spare, b.trail = path, b.trail, keep
	return n, nil
}

// enter is the directory that name leads to from dir. A symlink of this layer
// is followed. Anything else that is no directory becomes one.
func (b *Builder) enter(dir int32, name string, hops *int) (int32, error) {
	n, err := b.find(dir, name)
	if err != nil {
		return -1, err
	}
	if at := b.nodes[n].last; at >= 0 && b.versions[at].alive() {
		v := &b.versions[at]
		switch {
		case v.kind == layer.Dir:
			return n, nil
		case v.kind == layer.Symlink && v.layer == b.layer:
			outermost := *hops == 0
			to, err := b.follow(dir, b.texts[v.text], hops)
			if to >= 0 || err != nil || !outermost {
				return to, err
			}
			b.warnings.add(b.path(n), "a symlink that leads nowhere is a parent of other entries: shown as a directory")
		case v.kind == layer.Symlink:
			b.warnings.add(b.path(n), "entries are written through a symlink of a lower layer: it becomes a directory, as overlay engines make it; others write to its target")
		default:
			b.warnings.add(b.path(n), "is no directory but has entries below it: it becomes one")
		}
	}
	b.replaceByImplied(n)
	return n, nil
}

// follow is the directory that a symlink in dir leads to; -1 when there are
// too many links on the way, or too much of one.
func (b *Builder) follow(dir int32, target string, hops *int) (int32, error) {
	*hops++
	if *hops > maxHops || len(target) > maxTarget {
		return -1, nil
	}
	if strings.HasPrefix(target, "/") {
		dir = int32(Root)
	}
	for name := range strings.SplitSeq(target, "/") {
		if b.steps++; b.steps > maxSteps {
			return -1, nil
		}
		switch name {
		case "", ".":
		case "..":
			dir = max(b.nodes[dir].parent, int32(Root))
		default:
			var err error
			if dir, err = b.enter(dir, name, hops); dir < 0 || err != nil {
				return -1, err
			}
		}
	}
	return dir, nil
}

func (b *Builder) replaceByImplied(n int32) {
	b.set(n, version{kind: layer.Dir, mode: 0o755, flags: implied, content: NoContent, owner: b.own(0, 0, "")})
}

// impliedParents makes the directories that a marker's path mentions, unless
// the layer itself removed one of them.
func (b *Builder) impliedParents(path string) error {
	n := int32(Root)
	for name := range strings.SplitSeq(path, "/") {
		if n = b.lookup(n, name); n < 0 {
			break
		}
		last := b.nodes[n].last
		if last >= 0 && !b.versions[last].alive() && b.versions[last].layer == b.layer {
			return nil
		}
		if last >= 0 && b.versions[last].kind == layer.Symlink && b.versions[last].layer == b.layer {
			break
		}
	}
	_, err := b.directory(path)
	return err
}

// lower finds what lower layers show at path while the layer's own entries are
// not there yet: symlinks that the layer is going to make are followed, among
// the parents only. last says that the final component is not to be followed.
func (b *Builder) lower(path string, last bool) int32 {
	n := int32(Root)
	path = b.throughLinks(path, last)
	if path == "" {
		return n
	}
	for name := range strings.SplitSeq(path, "/") {
		if n = b.lookup(n, name); n < 0 {
			return -1
		}
		if at := b.nodes[n].last; at < 0 || !b.versions[at].alive() {
			return -1
		}
	}
	return n
}

// throughLinks rewrites path along the symlinks of the layer.
func (b *Builder) throughLinks(path string, last bool) string {
	if len(b.links) == 0 {
		return path
	}
	for hops := 0; hops < maxHops; hops++ {
		at := 0
		for {
			end := strings.IndexByte(path[at:], '/')
			if end < 0 {
				if last {
					return path
				}
				end = len(path)
			} else {
				end += at
			}
			if to, ok := b.links[path[:end]]; ok && len(to) <= maxTarget {
				path = join(parentOf(path[:end]), to, path[end:])
				break
			}
			if end == len(path) {
				return path
			}
			at = end + 1
		}
		if path == "" {
			return path
		}
	}
	return path
}

// join is the clean path of a symlink's target, seen from dir, and a rest.
func join(dir, target, rest string) string {
	if strings.HasPrefix(target, "/") {
		dir = ""
	}
	var out []string
	for name := range strings.SplitSeq(dir+"/"+target+"/"+rest, "/") {
		switch name {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, name)
		}
	}
	return strings.Join(out, "/")
}

// path is n's path without a leading slash.
func (b *Builder) path(n int32) string {
	var parts [][]byte
	for ; n > 0; n = b.nodes[n].parent {
		x := &b.nodes[n]
		parts = append(parts, b.names[x.nameAt:x.nameAt+x.nameLen])
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return string(bytes.Join(parts, []byte("/")))
}
