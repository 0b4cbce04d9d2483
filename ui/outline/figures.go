package outline

import (
	"context"
	"slices"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// figures are the Size, Before, Gone, Growth and Files of a row.
type figures struct {
	size, before, gone, growth int64
	files                      int
}

func (f figures) plus(g figures, sign int64) figures {
	return figures{f.size + sign*g.size, f.before + sign*g.before, f.gone + sign*g.gone, f.growth + sign*g.growth, f.files + int(sign)*g.files}
}

// figures returns the figures of n's row.
func (s Scope) figures(t *filetree.Tree, n filetree.Node) figures {
	leaf := t.End(n) == n+1
	if leaf && s.Whole && !s.Both { // there may be many in a folder
		own, _ := s.View.Size(n)
		return figures{size: own}
	}
	var sum filetree.Sum
	if !leaf {
		sum = s.View.Sum(n)
	}
	if s.Both {
		return s.both(t, n, sum)
	}
	if s.Whole {
		own, _ := s.View.Size(n)
		return figures{size: sum.Size + own, files: s.files(sum)}
	}
	c := s.View.Change(n)
	f := figures{size: c.Stored + sum.Stored, gone: sum.Removed, files: s.files(sum)}
	if c.Mark == filetree.Removed {
		if st, ok := s.View.State(n); ok && st.Kind == layer.File {
			f.gone += st.Size
		}
	}
	return f
}

// files returns how many of the regular files below a folder have rows.
func (s Scope) files(sum filetree.Sum) int {
	count := func(m filetree.Mark) int {
		switch {
		case !s.Marks.Has(m) || m == filetree.Removed && s.Whole && !s.Both:
			return 0
		case m == filetree.Unchanged && s.Whole:
			return sum.Files - int(sum.Touched[filetree.Added]+sum.Touched[filetree.Modified])
		}
		return int(sum.Touched[m])
	}
	return count(filetree.Unchanged) + count(filetree.Added) + count(filetree.Modified) + count(filetree.Removed)
}

// both returns the figures of n's row if two states are compared; sum is what is below n.
// Another name of a file has the file's size too, unless that counts here only before or
// only afterwards.
func (s Scope) both(t *filetree.Tree, n filetree.Node, sum filetree.Sum) figures {
	f := figures{size: sum.After, before: sum.Before, files: s.files(sum)}
	old := t.View(s.View.From-1, s.View.From)
	if s.Whole {
		f.size, f.before = sum.Size, old.Sum(n).Size
	}
	before, after := s.View.Counted(n)
	if before == after {
		before, _ = old.Size(n)
		after, _ = s.View.Size(n)
		f.growth = f.size - f.before
	} else {
		f.growth = f.size - f.before + after - before
	}
	f.size, f.before = f.size+after, f.before+before
	return f
}

// growth returns by how much the size shown at n and below it grows in the view.
func (s Scope) growth(t *filetree.Tree, n filetree.Node) int64 {
	s.Whole = true
	return s.both(t, n, s.View.Sum(n)).growth
}

// one returns the figures of n's row if all nodes are shown. Growth costs as much as
// the rest, so it is there only if the rows are sorted by it.
func (o *Outline) one(n filetree.Node) figures {
	f := o.scope.figures(o.tree, n)
	if o.order == ByGrowth && !o.scope.Both {
		f.growth = o.scope.growth(o.tree, n)
	}
	return f
}

// figures returns the figures of n's row: where only some nodes are shown, their sum.
func (o *Outline) figures(n filetree.Node) figures {
	if o.only == nil || o.within(n) {
		return o.one(n)
	}
	if o.sums == nil {
		o.sums = o.addUp(context.Background())
	}
	from, _ := slices.BinarySearch(o.only, n)
	to, _ := slices.BinarySearch(o.only, o.tree.End(n))
	return o.sums[to].plus(o.sums[from], -1)
}

// addUp returns, for each number of nodes in only, the sum of so many first ones. It stops
// when ctx is done.
func (o *Outline) addUp(ctx context.Context) []figures {
	sums := make([]figures, len(o.only)+1)
	end := filetree.Node(0) // of the last node that was added
	v := o.scope.View
	seen := [2]map[filetree.Content]bool{{}, {}} // before and after the view: content that was added under a name
	again := func(i int, st filetree.State, ok bool) int64 {
		if !ok || st.Kind != layer.File || !o.tree.Linked(st.Content) {
			return 0
		}
		if !seen[i][st.Content] {
			seen[i][st.Content] = true
			return 0
		}
		return st.Size
	}
	for i, n := range o.only {
		if i&0x3fff == 0 && ctx.Err() != nil {
			return sums
		}
		sums[i+1] = sums[i]
		if n < end {
			continue // below a node that was added
		}
		end = o.tree.End(n)
		if end == n+1 && o.scope.Whole && !o.scope.Both && o.order != ByGrowth { // as below, but many times as fast
			if c, size, ok := o.tree.File(n, v.To); ok {
				sums[i+1].files++
				if linked := o.tree.Linked(c); !linked || !seen[1][c] {
					sums[i+1].size += size
					if linked {
						seen[1][c] = true
					}
				}
			}
			continue
		}
		now, has := o.tree.At(n, v.To)
		f := o.one(n)
		old, had := o.tree.At(n, v.From)
		before, after := again(0, old, had), again(1, now, has)
		if has && now.Kind == layer.File || !has && had && old.Kind == layer.File {
			f.files++
		}
		switch {
		case o.scope.Both:
			f.before, f.size = f.before-before, f.size-after
			f.growth = f.size - f.before
		case o.scope.Whole:
			f.size, f.growth = f.size-after, f.growth-after+before
		case !has:
			f.gone = max(f.gone-before, 0)
		}
		sums[i+1] = sums[i].plus(f, 1)
	}
	return sums
}

// Sum returns the Size, Before, Gone and Files of all rows together.
func (o *Outline) Sum() (size, before, gone int64, files int) {
	all := o.figures(filetree.Root)
	return all.size, all.before, all.gone, all.files
}
