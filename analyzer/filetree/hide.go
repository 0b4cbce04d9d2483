package filetree

import (
	"slices"
	"strings"

	"fathom/analyzer/layer"
)

// marker is a whiteout of the name in a directory or, without one, an opaque
// marker of the directory.
type marker struct {
	dir  int32
	name string
}

// mark records a whiteout or an opaque marker for hide. It resolves the marker's
// path as it would resolve that of an entry, but creates no directory and hides
// nothing yet. An ignored entry is not recorded: only its content counts.
func (b *Builder) mark(e *layer.Entry) error {
	dir := parentOf(e.Path)
	file := strings.TrimPrefix(e.Path[len(dir):], "/")
	name := ""
	switch e.Kind {
	case layer.Whiteout:
		name, file = file, ".wh."+file
	case layer.Opaque:
		dir, file = e.Path, ".wh..wh..opq"
	}
	m := marker{b.markedAt, name}
	if dir != b.marked || dir == "" {
		if strings.Count(dir, "/") >= maxDepth {
			return tooDeep(dir)
		}
		var err error
		if m.dir, err = b.walk(dir); err != nil {
			return err
		}
		b.marked, b.markedAt = dir, m.dir
	}
	if e.Kind != layer.Ignored {
		b.markers = append(b.markers, m)
	}
	if e.Size == 0 {
		return nil
	}
	n, err := b.find(m.dir, file)
	if err != nil {
		return err
	}
	c := b.store(n, e)
	b.pieces.at(int32(c)).hiddenBy = b.layer
	b.bodies = append(b.bodies, c)
	return nil
}

// placeBodies counts the content of markers and ignored entries. These paths show
// nothing, so the content counts like a file that the layer stored and removed.
func (b *Builder) placeBodies() {
	for _, c := range b.bodies {
		p := b.pieces.at(int32(c))
		at := b.nodes.at(p.node).last
		switch {
		case at >= 0 && b.versions.at(at).layer == b.layer:
		case at >= 0 && b.versions.at(at).alive():
			continue // a directory of a lower layer has the marker's name
		default:
			b.set(p.node, version{flags: removed, ref: noRef})
			at = b.nodes.at(p.node).last
		}
		b.versions.at(at).flags |= again
		b.repeats[at] += p.bytes
		b.taken += numberBytes
	}
}

// hide applies the layer's markers to what lower layers show. It runs after all
// entries of the layer and leaves them alone, so the position of a marker in the
// tar does not matter.
func (b *Builder) hide() error {
	if len(b.markers) == 0 {
		return nil
	}
	done := map[int32]bool{} // directories whose content from lower layers is hidden
	for _, m := range b.markers {
		n := m.dir
		if m.name != "" {
			n = b.lookup(m.dir, m.name)
		}
		if n < 0 {
			continue
		}
		before := b.versions.n
		b.hideBelow(n, done)
		if hid := b.versions.n > before; hid {
			b.warnMarker(m, n)
		}
		if m.name != "" {
			b.hideOne(n)
		}
	}
	parents := map[int32]bool{}
	for _, m := range b.markers {
		if !parents[m.dir] {
			parents[m.dir] = true
			b.markedParents(m.dir)
			b.enterAll(m.dir)
		}
		if b.steps > b.granted {
			return errTooManySteps
		}
	}
	return nil
}

// warnMarker warns if engines that use overlayfs go on showing something below n
// that marker m hides by its definition. The caller has checked that m hid
// something below n. (Package layer warns about an opaque root.)
func (b *Builder) warnMarker(m marker, n int32) {
	if m.name != "" && b.versions.at(b.nodes.at(n).last).layer == b.layer {
		b.warn(n, "a whiteout of a directory that the layer makes again: overlay engines go on showing what lower layers have below it")
	}
}

// hideBelow hides what lower layers show below n.
func (b *Builder) hideBelow(n int32, done map[int32]bool) {
	type frame struct{ node, next int32 }
	var stack []frame
	open := func(n int32) bool {
		if b.nodes.at(n).child < 0 || done[n] {
			return false
		}
		done[n] = true
		stack = append(stack, frame{n, b.nodes.at(n).child})
		return true
	}
	open(n)
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if c := f.next; c >= 0 {
			f.next = b.nodes.at(c).right
			if !open(c) {
				b.hideOne(c)
			}
			continue
		}
		stack = stack[:len(stack)-1]
		if f.node != n {
			b.hideOne(f.node)
		}
	}
}

// hideOne hides n if it comes from a lower layer. If entries of this layer are
// below n, n becomes an implied directory instead.
func (b *Builder) hideOne(n int32) {
	at := b.nodes.at(n).last
	switch {
	case at < 0 || !b.versions.at(at).alive() || b.versions.at(at).layer == b.layer:
	case b.nodes.at(n).child >= 0:
		b.replaceByImplied(n)
	default:
		b.set(n, version{flags: removed, ref: noRef})
	}
}

// markedParents creates the missing directories in the path of a marker. It stops
// at a path that the layer removed and at any entry of the layer.
func (b *Builder) markedParents(dir int32) {
	missing := b.missing(dir)
	b.steps += len(missing)
	for _, n := range slices.Backward(missing) {
		if at := b.nodes.at(n).last; at >= 0 {
			v := b.versions.at(at)
			switch {
			case v.alive() && v.layer == b.layer:
				return
			case v.alive():
				b.noDirectory(n, &v.version)
			case v.layer == b.layer && v.prev >= 0 && b.versions.at(v.prev).alive():
				return
			}
		}
		b.replaceByImplied(n)
	}
}
