package packages

import (
	"slices"
	"sort"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// each calls do with every list of files of a package while it counts: after the
// layers from to to-1. where tells where listed files are instead; it may be nil.
func (r *reading) each(s *spell, do func(files *list, where map[string]diversion, from, to int) error) error {
	p := s.record
	if len(p.Lists) == 0 {
		return do(&p.Files, nil, s.from, s.to)
	}
	folder := r.tree.Path(r.tree.Parent(s.node))
	var nodes []filetree.Node // of the lists and, last, of the diversions, or None
	times := []int{s.from}
	for _, name := range append(slices.Clone(p.Lists), p.Diversions) {
		n, ok := filetree.None, false
		if name != "" {
			n, ok = r.tree.Lookup(folder + "/" + name)
		}
		if !ok {
			nodes = append(nodes, filetree.None)
			continue
		}
		nodes = append(nodes, n)
		all := r.changes(n)
		first := sort.Search(len(all), func(i int) bool { return all[i].layer > s.from })
		for _, c := range all[first:] {
			if c.layer >= s.to {
				break
			}
			times = append(times, c.layer)
		}
	}
	slices.Sort(times)
	var files, where *listed
	from := s.from
	for _, at := range slices.Compact(times) {
		var f *listed
		last := len(nodes) - 1
		for _, n := range nodes[:last] {
			if f = r.shown(n, at); f != nil {
				break
			}
		}
		w := r.shown(nodes[last], at)
		if f == files && w == where {
			continue
		}
		if err := do(files.files(), r.diversions(where), from, at); err != nil {
			return err
		}
		files, where, from = f, w, at
	}
	return do(files.files(), r.diversions(where), from, s.to)
}

// shown returns what the file at n says after layer i, or nil.
func (r *reading) shown(n filetree.Node, i int) *listed {
	if n == filetree.None {
		return nil
	}
	s, ok := r.tree.At(n, i)
	if !ok || s.Kind != layer.File {
		return nil
	}
	return r.at(n, s.Content)
}

// diversion says where a file is that a package lists, unless by is the package.
type diversion struct{ to, by string }

// diversions returns what a file of diversions says, by path.
func (r *reading) diversions(l *listed) map[string]diversion {
	if l == nil {
		return nil
	}
	out, ok := r.diverted[l]
	if !ok {
		out = map[string]diversion{}
		for lines := slices.Collect(l.files().all()); len(lines) >= 3; lines = lines[3:] {
			out[lines[0]] = diversion{lines[1], lines[2]}
		}
		r.diverted[l] = out
	}
	return out
}
