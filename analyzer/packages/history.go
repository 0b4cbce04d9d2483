package packages

import (
	"cmp"
	"fmt"
	"slices"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// unit is a package over all layers.
type unit struct {
	key
	spells []spell // while it is installed, in order
}

// key identifies a package. Packages of the system are identified by type and name, so
// that they stay the same when their database moves. Those of languages and of conda may
// be installed in several folders.
type key struct {
	kind, name, arch string
	version          string        // if there are several in one database
	index            int           // in the list, if that has the same package before
	node             filetree.Node // of its database; Root for packages of the system
}

// spell is a time in which a package is installed in one version: after the layers
// from to to-1, its database lists it in the same way.
type spell struct {
	from, to int
	record   *record
	node     filetree.Node // of the database
}

// reading reads the databases of an image.
type reading struct {
	tree     *filetree.Tree
	table    []format
	files    map[filetree.Content]*listed
	folders  map[string]map[string][]filetree.Node // what named has found
	units    []*unit
	index    map[key]*unit
	warnings []facts.Warning
	warned   map[filetree.Content]bool
	damaged  int // how many files can't be read
}

// Unreadable begins the text of a warning about a database that can't be read.
const Unreadable = "can't read this package database: "

// maxWarnings is how many files that can't be read have a warning of their own.
const maxWarnings = 20

// read returns a reading with the packages of all layers, sorted by key.
func read(tree *filetree.Tree, notes map[string][]analyzer.Note) *reading {
	r := &reading{tree: tree, table: formats(), files: map[filetree.Content]*listed{}, folders: map[string]map[string][]filetree.Node{}, index: map[key]*unit{}, warned: map[filetree.Content]bool{}}
	parsed := map[string]*listed{} // layers often store a database again
	var databases []filetree.Node
	for _, k := range Lookers() {
		for _, n := range notes[k.Name] {
			l := parsed[n.Data]
			if l == nil {
				l = parseNote(n.Data)
				parsed[n.Data] = l
			}
			r.files[n.Content] = l
			for _, at := range r.names(n.Content) {
				if formatOf(r.table, tree.Path(at)[1:]) != nil {
					databases = append(databases, at)
				}
			}
		}
	}
	slices.Sort(databases)
	for _, n := range slices.Compact(databases) {
		r.follow(n)
	}
	if more := r.damaged - maxWarnings; more > 0 {
		r.warnings = append(r.warnings, facts.Warning{Layer: -1, Text: fmt.Sprintf("and %d more files of package databases can't be read", more)})
	}
	slices.SortFunc(r.units, func(a, b *unit) int { return a.compare(&b.key) })
	for _, u := range r.units {
		slices.SortStableFunc(u.spells, func(a, b spell) int { return cmp.Compare(a.from, b.from) })
	}
	return r
}

func (k *key) compare(o *key) int {
	return cmp.Or(cmp.Compare(k.kind, o.kind), cmp.Compare(k.name, o.name), cmp.Compare(k.arch, o.arch), cmp.Compare(k.version, o.version), cmp.Compare(k.index, o.index), cmp.Compare(k.node, o.node))
}

// names returns the paths that show content in the layer that stores it, or in the
// end.
func (r *reading) names(c filetree.Content) []filetree.Node {
	s := r.tree.Stored(c)
	if !r.tree.Linked(c) {
		return []filetree.Node{s.Node}
	}
	return append(r.tree.Names(c, s.Layer), r.tree.Names(c, r.tree.Layers()-1)...)
}

// change is what a path shows from a layer on.
type change struct {
	layer   int
	content filetree.Content // NoContent for nothing, and for what is no regular file
}

// changes returns what a path shows, from each layer on that changes it.
func (r *reading) changes(n filetree.Node) []change {
	var out []change
	for i := range r.tree.Marks(n) {
		c := change{i, filetree.NoContent}
		if s, ok := r.tree.At(n, i); ok && s.Kind == layer.File {
			c.content = s.Content
		}
		if len(out) == 0 || out[len(out)-1].content != c.content {
			out = append(out, c)
		}
	}
	return out
}

// at returns what the file at n says from a change on. It warns if the file can't be
// read.
func (r *reading) at(n filetree.Node, c filetree.Content) *listed {
	if c == filetree.NoContent {
		return &listed{}
	}
	l := r.files[c]
	if l == nil {
		l = &listed{} // it is empty, or in a layer whose content was not downloaded
	}
	if l.problem != "" && !r.warned[c] {
		r.warned[c] = true
		if r.damaged++; r.damaged <= maxWarnings {
			s := r.tree.Stored(c)
			r.warnings = append(r.warnings, facts.Warning{Layer: s.Layer, Path: r.tree.Path(n), Text: Unreadable + l.problem + ": its packages are unknown, and their files count as unowned"})
		}
	}
	return l
}

// running is a package that is installed, in one version.
type running struct {
	spell
	line string // of its record
}

// follow adds the packages that the database at n lists after any layer.
func (r *reading) follow(n filetree.Node) {
	open := map[key]running{}
	changes := r.changes(n)
	several := r.several(n, changes)
	var now *listed
	for _, c := range changes {
		next := r.at(n, c.content)
		if next == now {
			continue
		}
		now = next
		still := make(map[key]running, len(open))
		for i := range next.records {
			p := &next.records[i]
			if p.Name == "" {
				continue
			}
			k := keyOf(p, n)
			if several[k] {
				k.version = p.Version
			}
			if _, twice := still[k]; twice {
				k.index = i
			}
			run, ok := open[k]
			if !ok || run.line != next.lines[i] {
				run = running{spell{from: c.layer, record: p, node: n}, next.lines[i]}
			} else {
				delete(open, k)
			}
			still[k] = run
		}
		r.end(open, c.layer)
		open = still
	}
	r.end(open, r.tree.Layers())
}

// several returns the keys of packages of which the database at n lists several versions
// at some time, as that of rpm does for kernels. These are packages of their own.
func (r *reading) several(n filetree.Node, changes []change) map[key]bool {
	out := map[key]bool{}
	for _, c := range changes {
		records := r.at(n, c.content).records
		if len(records) < 2 {
			continue
		}
		seen := make(map[key]bool, len(records))
		for i := range records {
			k := keyOf(&records[i], n)
			if seen[k] {
				out[k] = true
			}
			seen[k] = true
		}
	}
	return out
}

// keyOf returns the key of the package that the database at n lists.
func keyOf(p *record, n filetree.Node) key {
	k := key{kind: p.Type, name: p.Name, arch: p.Arch}
	if rank(p.Type) != system || p.Type == facts.TypeConda {
		k.node = n
	}
	return k
}

// end adds the packages in open, which are installed until layer to.
func (r *reading) end(open map[key]running, to int) {
	for k, run := range open {
		u := r.index[k]
		if u == nil {
			u = &unit{key: k}
			r.index[k] = u
			r.units = append(r.units, u)
		}
		run.to = to
		u.spells = append(u.spells, run.spell)
	}
}

// each calls do with every list of files of a package while it counts: after the
// layers from to to-1. where tells where a listed path is instead; it may be nil.
func (r *reading) each(s *spell, do func(files *list, where map[string]diverted, from, to int)) {
	p := s.record
	if len(p.Lists) == 0 {
		do(&p.Files, nil, s.from, s.to)
		return
	}
	folder := r.tree.Parent(s.node)
	var nodes []filetree.Node // of the lists and, last, of the diversions, or None
	times := []int{s.from}
	for _, name := range append(slices.Clone(p.Lists), p.Diversions) {
		n, ok := r.below(folder, name)
		if !ok {
			nodes = append(nodes, filetree.None)
			continue
		}
		nodes = append(nodes, n)
		for _, c := range r.changes(n) {
			if c.layer > s.from && c.layer < s.to {
				times = append(times, c.layer)
			}
		}
	}
	slices.Sort(times)
	times = slices.Compact(times)
	shown := func(n filetree.Node, i int) *listed {
		if n == filetree.None {
			return nil
		}
		st, ok := r.tree.At(n, i)
		if !ok || st.Kind != layer.File {
			return nil
		}
		return r.at(n, st.Content)
	}
	last := len(nodes) - 1
	for i, from := range times {
		to := s.to
		if i+1 < len(times) {
			to = times[i+1]
		}
		for _, n := range nodes[:last] {
			if l := shown(n, from); l != nil {
				do(l.files(), diversions(shown(nodes[last], from).files()), from, to)
				break
			}
		}
	}
}

// below returns the path below a folder that has this name, which may have slashes.
func (r *reading) below(folder filetree.Node, name string) (filetree.Node, bool) {
	if name == "" {
		return filetree.None, false
	}
	return r.tree.Lookup(r.tree.Path(folder) + "/" + name)
}

// diverted says where a listed path is instead, unless by is the package that lists it.
type diverted struct{ to, by string }

// diversions returns what a file of diversions says, by path.
func diversions(l *list) map[string]diverted {
	if len(l.Names) == 0 {
		return nil
	}
	out := map[string]diverted{}
	lines := slices.Collect(l.all())
	for ; len(lines) >= 3; lines = lines[3:] {
		out[lines[0]] = diverted{lines[1], lines[2]}
	}
	return out
}
