package compare

import (
	"context"
	"encoding/binary"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Merged returns an image of two layers: the final filesystem of the old image, and
// what must change to get that of the new one. The tree of its analysis shows both
// images as one: what the second layer adds, modifies and removes is how they differ.
// Paths of which only the time differs are left as they are in the old image. The image
// is valid as long as both analyses are, and Close releases neither.
func (c *Comparison) Merged() *analyzer.Image {
	img := &analyzer.Image{Reference: c.Facts.New.Reference, Source: "comparison", Config: &v1.ConfigFile{}}
	old, new := c.Old.Analysis, c.New.Analysis
	first := &merging{a: old, last: old.Tree.Layers() - 1, links: map[filetree.Content]layer.Entry{}, hash: func(n filetree.Node, s *filetree.State) layer.Hash {
		return contentHash(0, s.Content)
	}}
	second := &merging{a: new, last: new.Tree.Layers() - 1, links: map[filetree.Content]layer.Entry{}}
	for _, l := range []*merging{first, second} {
		img.Layers = append(img.Layers, analyzer.Layer{Blob: layer.Blob{Size: -1, Key: l, List: l.list, Open: l.open}})
	}
	img.Config.History = []v1.History{{CreatedBy: c.Facts.Old.Reference}, {CreatedBy: c.Facts.New.Reference}}

	for n := range filetree.Node(old.Tree.Len()) {
		first.nodes = append(first.nodes, n)
	}
	gone := map[filetree.Node]bool{}
	same := map[filetree.Node]layer.Hash{} // by path in the new image: of content that both have
	for i := range c.Changes {
		ch := &c.Changes[i]
		if ch.Reason == Removed || ch.Reason == Renamed {
			gone[ch.Old] = true
		}
		if ch.Reason == Removed || ch.Reason == MTime && ch.also == 0 {
			continue
		}
		second.nodes = append(second.nodes, ch.New)
		if s, ok := new.Tree.At(ch.New, second.last); ok && s.Kind == layer.File {
			same[ch.New] = contentHash(1, s.Content)
			if ch.Reason != Added && ch.Reason != Content && ch.Reason != Kind && ch.Reason != Renamed {
				o, _ := old.Tree.At(ch.Old, first.last)
				same[ch.New] = contentHash(0, o.Content)
			}
		}
	}
	for i := range c.Changes {
		if ch := &c.Changes[i]; gone[ch.Old] && !gone[old.Tree.Parent(ch.Old)] {
			second.whiteouts = append(second.whiteouts, old.Tree.Path(ch.Old)[1:])
		}
	}
	changed := map[filetree.Node]bool{}
	for _, n := range second.nodes {
		changed[n] = true
	}
	known := map[filetree.Content]bool{}
	for _, n := range second.nodes { // a new name of a file that did not change
		s, _ := new.Tree.At(n, second.last)
		if s.Kind != layer.File || !new.Tree.Linked(s.Content) || known[s.Content] {
			continue
		}
		known[s.Content] = true
		for _, name := range new.Tree.Names(s.Content, second.last) {
			if !changed[name] {
				o, _ := new.Tree.At(name, second.last)
				second.links[s.Content] = layer.Entry{Path: new.Tree.Path(name)[1:], Mode: o.Mode, UID: o.UID, GID: o.GID, Xattrs: o.Xattrs}
				break
			}
		}
	}
	second.hash = func(n filetree.Node, _ *filetree.State) layer.Hash { return same[n] }
	return img
}

// contentHash returns a hash that stands for content of one side.
func contentHash(side byte, c filetree.Content) (h layer.Hash) {
	h[0] = side
	binary.BigEndian.PutUint32(h[4:], uint32(c))
	return h
}

// merging is one layer of a merged image.
type merging struct {
	a         *analyzer.Analysis
	last      int
	nodes     []filetree.Node // in the order of the tree
	whiteouts []string
	hash      func(filetree.Node, *filetree.State) layer.Hash
	links     map[filetree.Content]layer.Entry // of content with several names: the last entry that has it
	contents  []filetree.Content               // by offset
}

// list returns the entries of the layer.
func (m *merging) list(_ context.Context, opt layer.Options) (*layer.Diff, error) {
	d := &layer.Diff{}
	add := func(e layer.Entry) error {
		n := int64(len(e.Path)+len(e.Link)+len(e.Xattrs)) + entryMemory
		if err := opt.Limits.Memory.Take(n); err != nil {
			return err
		}
		d.Memory += n
		d.Stored += e.Size
		d.Add(e)
		return nil
	}
	for _, path := range m.whiteouts {
		if err := add(layer.Entry{Kind: layer.Whiteout, Path: path}); err != nil {
			return nil, err
		}
	}
	for _, n := range m.nodes {
		s, ok := m.a.Tree.At(n, m.last)
		if !ok || n == filetree.Root && s.Implied {
			continue
		}
		e := layer.Entry{
			Path: m.a.Tree.Path(n)[1:], Link: s.Target, Xattrs: s.Xattrs, ModTime: s.ModTime, Major: s.Major, Minor: s.Minor,
			UID: s.UID, GID: s.GID, Mode: s.Mode, Kind: s.Kind,
		}
		if s.Kind == layer.Link { // of a hard link to nothing: in the other image there may be something
			e.Kind = layer.Symlink
		}
		if s.Kind == layer.File {
			// A hard link sets the attributes of all names.
			if first, again := m.links[s.Content]; again && first.Mode == s.Mode && first.UID == s.UID && first.GID == s.GID && first.Xattrs == s.Xattrs {
				e.Kind, e.Link = layer.Link, first.Path
			} else {
				e.Size, e.Held, e.Offset = s.Size, s.Size, int64(len(m.contents))
				e.Hash, e.Hashed = m.hash(n, &s), true
				m.contents = append(m.contents, s.Content)
				if m.a.Tree.Linked(s.Content) {
					m.links[s.Content] = e
				}
			}
		}
		if err := add(e); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// entryMemory is about how much memory an entry takes without its strings.
const entryMemory = 160

// open opens the content of an entry.
func (m *merging) open(ctx context.Context, e *layer.Entry) (io.ReadCloser, error) {
	return m.a.Open(ctx, m.contents[e.Offset])
}
