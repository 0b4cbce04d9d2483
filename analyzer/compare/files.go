package compare

import (
	"cmp"
	"context"
	"io"
	"slices"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Reason says how a path differs.
type Reason uint8

// The reasons in the order in which they count.
const (
	Added Reason = iota
	Removed
	Content
	Mode
	Owner
	MTime
	Xattr
	Link
	Kind
	Renamed
)

var reasonNames = [...]string{
	facts.ChangeAdded, facts.ChangeRemoved, facts.ChangeContent, facts.ChangeMode, facts.ChangeOwner,
	facts.ChangeMTime, facts.ChangeXattr, facts.ChangeLink, facts.ChangeKind, facts.ChangeRenamed,
}

// String returns the name of the reason in reports.
func (r Reason) String() string { return reasonNames[r] }

// Change is a path that differs between the final filesystems of two images.
type Change struct {
	Old, New           filetree.Node // None if the path is not there; of a renamed file, its two paths
	OldBytes, NewBytes int64         // of files; content with several names counts at the first
	Reason             Reason
	also               uint16 // what else differs, 1<<Reason each
}

// Also returns what else differs.
func (c *Change) Also() []Reason {
	var out []Reason
	for r := Added; r <= Renamed; r++ {
		if c.also&(1<<r) != 0 {
			out = append(out, r)
		}
	}
	return out
}

// sides are both images, the old one first.
type sides [2]*analyzer.Analysis

// walk compares two trees.
type walk struct {
	trees   [2]*filetree.Tree
	last    [2]int
	changes []Change
	unsure  []int // the indexes of changes of files of equal size, whose content may be the same
}

// files returns the paths that differ, in the order of the trees.
func files(ctx context.Context, s sides) ([]Change, error) {
	w := &walk{}
	for i, a := range s {
		w.trees[i], w.last[i] = a.Tree, a.Tree.Layers()-1
	}
	w.pair(filetree.Root, filetree.Root)
	same, err := w.same(ctx, s)
	if err != nil {
		return nil, err
	}
	keep := w.changes[:0]
	next := 0
	for i, c := range w.changes {
		if next < len(w.unsure) && w.unsure[next] == i {
			if !same[next] {
				c.also |= 1 << Content
			}
			next++
			if c.also == 0 {
				continue
			}
			c.Reason = first(c.also)
			c.also &^= 1 << c.Reason
		}
		keep = append(keep, c)
	}
	w.changes = keep
	return w.renames(ctx, s)
}

// first returns the first reason in a set.
func first(set uint16) Reason {
	r := Added
	for set&(1<<r) == 0 {
		r++
	}
	return r
}

// shown returns what a path shows in the end.
func (w *walk) shown(i int, n filetree.Node) (filetree.State, bool) {
	if n == filetree.None {
		return filetree.State{}, false
	}
	return w.trees[i].At(n, w.last[i])
}

// bytes returns what a file counts.
func (w *walk) bytes(i int, n filetree.Node, s *filetree.State) int64 {
	if s.Kind != layer.File || w.trees[i].Linked(s.Content) && w.trees[i].FirstName(s.Content, w.last[i]) != n {
		return 0
	}
	return s.Size
}

// pair compares two nodes with the same path, and what is below them. One of them may
// be None.
func (w *walk) pair(o, n filetree.Node) {
	a, was := w.shown(0, o)
	b, is := w.shown(1, n)
	c := Change{Old: o, New: n}
	if was {
		c.OldBytes = w.bytes(0, o, &a)
	} else {
		c.Old = filetree.None
	}
	if is {
		c.NewBytes = w.bytes(1, n, &b)
	} else {
		c.New = filetree.None
	}
	switch {
	case !was && !is:
		return
	case !was:
		c.Reason = Added
		w.changes = append(w.changes, c)
	case !is:
		c.Reason = Removed
		w.changes = append(w.changes, c)
	default:
		w.both(c, &a, &b)
	}
	w.children(c.Old, c.New, w.pair)
}

// children calls do with the children of two nodes that have the same name. One of the
// nodes may be None.
func (w *walk) children(o, n filetree.Node, do func(o, n filetree.Node)) {
	at, end := [2]filetree.Node{o + 1, n + 1}, [2]filetree.Node{}
	for i, node := range []filetree.Node{o, n} {
		if node != filetree.None {
			end[i] = w.trees[i].End(node)
		}
		if node == filetree.None {
			at[i] = end[i]
		}
	}
	for at[0] < end[0] || at[1] < end[1] {
		order := 0
		switch {
		case at[0] >= end[0]:
			order = 1
		case at[1] >= end[1]:
			order = -1
		default:
			order = cmp.Compare(w.trees[0].Name(at[0]), w.trees[1].Name(at[1]))
		}
		pair := [2]filetree.Node{filetree.None, filetree.None}
		if order <= 0 {
			pair[0] = at[0]
			at[0] = w.trees[0].End(at[0])
		}
		if order >= 0 {
			pair[1] = at[1]
			at[1] = w.trees[1].End(at[1])
		}
		do(pair[0], pair[1])
	}
}

// both compares what a path shows in both images.
func (w *walk) both(c Change, a, b *filetree.State) {
	if a.Kind != b.Kind {
		c.Reason = Kind
		w.changes = append(w.changes, c)
		return
	}
	differs := func(r Reason, is bool) {
		if is {
			c.also |= 1 << r
		}
	}
	unsure := false
	switch a.Kind {
	case layer.File:
		differs(Content, a.Size != b.Size)
		unsure = a.Size == b.Size && a.Size > 0
		differs(Link, c.OldBytes == 0 != (c.NewBytes == 0) && a.Size > 0 && b.Size > 0)
	case layer.Symlink, layer.Link:
		differs(Link, a.Target != b.Target)
	case layer.Char, layer.Block:
		differs(Content, a.Major != b.Major || a.Minor != b.Minor)
	}
	differs(Mode, a.Mode != b.Mode && a.Kind != layer.Symlink)
	differs(Owner, a.UID != b.UID || a.GID != b.GID)
	differs(MTime, a.ModTime != b.ModTime && !a.Implied && !b.Implied)
	differs(Xattr, a.Xattrs != b.Xattrs)
	switch {
	case unsure:
		w.unsure = append(w.unsure, len(w.changes))
	case c.also == 0:
		return
	default:
		c.Reason = first(c.also)
		c.also &^= 1 << c.Reason
	}
	w.changes = append(w.changes, c)
}

// content returns the content of a file in the end.
func (w *walk) content(i int, n filetree.Node) filetree.Content {
	s, _ := w.shown(i, n)
	return s.Content
}

// same reports of each element of unsure whether the content is the same.
func (w *walk) same(ctx context.Context, s sides) ([]bool, error) {
	pairs := make([][2]filetree.Content, len(w.unsure))
	for k, i := range w.unsure {
		pairs[k] = [2]filetree.Content{w.content(0, w.changes[i].Old), w.content(1, w.changes[i].New)}
	}
	return equal(ctx, s, pairs)
}

// equal reports of pairs of content of the same size whether they are the same.
func equal(ctx context.Context, s sides, pairs [][2]filetree.Content) ([]bool, error) {
	twins := twins(s)
	out := make([]bool, len(pairs))
	var read [2][]filetree.Content
	for k, p := range pairs {
		a, b := s[0].Tree.Stored(p[0]), s[1].Tree.Stored(p[1])
		if out[k] = twins[a.Layer] == b.Layer && a.Offset == b.Offset; out[k] {
			continue
		}
		for i, c := range p {
			if _, fromTable, ok := s[i].Tree.Hash(c); !ok || fromTable || s[i].Tree.Stored(c).Sparse {
				read[i] = append(read[i], c)
			}
		}
	}
	var sums [2]map[filetree.Content]layer.Hash
	for i, contents := range read {
		// If one side must be read, the other one is hashed, or read too.
		var err error
		if sums[i], err = hashes(ctx, s[i], contents); err != nil {
			return nil, err
		}
	}
	hash := func(i int, c filetree.Content) layer.Hash {
		if h, ok := sums[i][c]; ok {
			return h
		}
		h, _, _ := s[i].Tree.Hash(c)
		return h
	}
	for k, p := range pairs {
		out[k] = out[k] || hash(0, p[0]) == hash(1, p[1])
	}
	return out, nil
}

// twins returns by layer of the old image the layer of the new one that is the same
// tar, or -1.
func twins(s sides) []int {
	at := map[string]int{}
	for i, l := range s[1].Image.Layers {
		if !l.Unverified && l.DiffID.Hex != "" {
			at[l.DiffID.String()] = i
		}
	}
	out := make([]int, len(s[0].Image.Layers))
	for i, l := range s[0].Image.Layers {
		out[i] = -1
		if k, ok := at[l.DiffID.String()]; ok && !l.Unverified {
			out[i] = k
		}
	}
	return out
}

// hashes reads contents and returns their hashes.
func hashes(ctx context.Context, a *analyzer.Analysis, contents []filetree.Content) (map[filetree.Content]layer.Hash, error) {
	slices.Sort(contents)
	contents = slices.Compact(contents)
	out := make(map[filetree.Content]layer.Hash, len(contents))
	sums, ok, err := a.Sums(ctx, contents, 1<<62)
	if err != nil {
		return nil, err
	}
	var rest []filetree.Content
	for i, c := range contents {
		if ok[i] {
			out[c] = sums[i]
		} else {
			rest = append(rest, c)
		}
	}
	return out, a.Each(ctx, rest, func(i int, r io.Reader) error {
		h, err := layer.HashOf(ctx, r)
		out[rest[i]] = h
		return err
	})
}
