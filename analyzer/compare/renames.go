package compare

import (
	"cmp"
	"context"
	"slices"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// maxTwins is how many removed files of one size are compared with added ones: an image
// may have a million files of one byte.
const maxTwins = 1000

// renames replaces pairs of a removed and an added file with the same content by one
// change each, likewise folders of which everything was renamed.
func (w *walk) renames(ctx context.Context, s sides) ([]Change, error) {
	// Candidates are files of a size that was both removed and added.
	type group struct{ removed, added []int }
	bySize := map[int64]*group{}
	for i, c := range w.changes {
		if c.Reason != Added && c.Reason != Removed {
			continue
		}
		side, n := 0, c.Old
		if c.Reason == Added {
			side, n = 1, c.New
		}
		st, _ := w.shown(side, n)
		if st.Kind != layer.File || st.Size == 0 {
			continue
		}
		g := bySize[st.Size]
		if g == nil {
			g = &group{}
			bySize[st.Size] = g
		}
		if c.Reason == Removed {
			g.removed = append(g.removed, i)
		} else {
			g.added = append(g.added, i)
		}
	}
	var read [2][]filetree.Content
	var groups []*group
	for _, g := range bySize {
		if len(g.removed) == 0 || len(g.added) == 0 || len(g.removed) > maxTwins || len(g.added) > maxTwins {
			continue
		}
		groups = append(groups, g)
		for _, i := range g.removed {
			read[0] = append(read[0], w.content(0, w.changes[i].Old))
		}
		for _, i := range g.added {
			read[1] = append(read[1], w.content(1, w.changes[i].New))
		}
	}
	var sums [2]map[filetree.Content]layer.Hash
	for i := range read {
		var err error
		if sums[i], err = known(ctx, s, i, read[i]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(groups, func(a, b *group) int { return cmp.Compare(a.removed[0], b.removed[0]) })
	gone := map[int]bool{}
	for _, g := range groups {
		type named struct {
			hash layer.Hash
			name string
		}
		byName, left := map[named][]int{}, map[layer.Hash][]int{}
		for _, i := range g.removed {
			old := w.changes[i].Old
			h := sums[0][w.content(0, old)]
			left[h] = append(left[h], i)
			key := named{h, w.trees[0].Name(old)}
			byName[key] = append(byName[key], i)
		}
		rename := func(c *Change, from int) {
			c.Old, c.OldBytes, c.Reason = w.changes[from].Old, w.changes[from].OldBytes, Renamed
			gone[from] = true
		}
		// Files that keep their name come first.
		for _, i := range g.added {
			c := &w.changes[i]
			key := named{sums[1][w.content(1, c.New)], w.trees[1].Name(c.New)}
			if all := byName[key]; len(all) > 0 {
				rename(c, all[0])
				byName[key] = all[1:]
			}
		}
		for _, i := range g.added {
			c := &w.changes[i]
			if c.Reason != Added {
				continue
			}
			h := sums[1][w.content(1, c.New)]
			for len(left[h]) > 0 && gone[left[h][0]] {
				left[h] = left[h][1:]
			}
			if all := left[h]; len(all) > 0 {
				rename(c, all[0])
				left[h] = all[1:]
			}
		}
	}
	w.renameFolders(gone)
	keep := w.changes[:0]
	for i, c := range w.changes {
		if !gone[i] {
			keep = append(keep, c)
		}
	}
	return keep, nil
}

// known returns the hashes of contents of one side, and reads only what has none.
func known(ctx context.Context, s sides, side int, contents []filetree.Content) (map[filetree.Content]layer.Hash, error) {
	have := map[filetree.Content]layer.Hash{}
	var read []filetree.Content
	for _, c := range contents {
		if h, fromTable, ok := s[side].Tree.Hash(c); ok && !fromTable && !s[side].Tree.Stored(c).Sparse {
			have[c] = h
		} else {
			read = append(read, c)
		}
	}
	sums, err := hashes(ctx, s[side], read)
	for c, h := range sums {
		have[c] = h
	}
	return have, err
}

// renameFolders turns an added folder into a renamed one if a file below it was renamed
// from the same place below a removed folder.
func (w *walk) renameFolders(gone map[int]bool) {
	removed, added := map[filetree.Node]int{}, map[filetree.Node]int{}
	for i, c := range w.changes {
		switch c.Reason {
		case Removed:
			removed[c.Old] = i
		case Added:
			added[c.New] = i
		}
	}
	for i := range w.changes {
		c := w.changes[i]
		if c.Reason != Renamed {
			continue
		}
		from, to := c.Old, c.New
		for w.trees[0].Name(from) == w.trees[1].Name(to) || from == c.Old {
			from, to = w.trees[0].Parent(from), w.trees[1].Parent(to)
			if from == filetree.None || to == filetree.None {
				break
			}
			r, wasRemoved := removed[from]
			a, wasAdded := added[to]
			if !wasRemoved || !wasAdded || gone[r] {
				break
			}
			w.changes[a].Old, w.changes[a].Reason = from, Renamed
			gone[r] = true
			delete(added, to)
		}
	}
}
