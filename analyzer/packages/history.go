package packages

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
// be installed in several folders. Notes in several programs can be about one package.
type key struct {
	kind, name, arch string
	version          string // if there are several in one database, and of notes in programs
	index            int    // in the list, if that has the same package before
	// node is that of its database, or Root for packages of the system. Python and conda
	// put the version into the path of the database: theirs is the folder around it, so
	// that an upgrade is one package.
	node filetree.Node
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
	unread   map[int]bool // the layers whose content was not downloaded
	damaged  [2]int       // how many files can't be read: of languages, and of the system
	diverted map[*listed]map[string]diversion
	changed  map[filetree.Node][]change // what changes has found

	memory *layer.Quota
	taken  int64
	work   int // how many packages and files were looked at
}

// Unreadable begins the text of a warning about a database that can't be read.
const Unreadable = "can't read this package database: "

// take takes bytes of memory until release.
func (r *reading) take(bytes int) error {
	if err := r.memory.Take(int64(bytes)); err != nil {
		return err
	}
	r.taken += int64(bytes)
	return nil
}

func (r *reading) release() { r.memory.Give(r.taken) }

// decoded is how many bytes of memory a byte of a note takes.
const decoded = 8

// Incomplete reports whether a warning says that packages of the system are unknown.
func Incomplete(w facts.Warning) bool {
	return strings.HasPrefix(w.Text, Unreadable) && ofSystem(w.Path) || w.Text == tooMuch
}

// ofSystem reports whether a file is part of a database of the system's packages.
func ofSystem(path string) bool {
	return slices.ContainsFunc([]string{"/var/lib/dpkg/", "/var/lib/chisel/", "/lib/apk/db/", "/usr/lib/apk/db/", "/var/lib/rpm/", "/var/lib/rpmmanifest/", "/usr/lib/sysimage/rpm/", "/usr/share/rpm/"}, func(folder string) bool {
		return strings.HasPrefix(path, folder)
	})
}

// maxWarnings is how many files that can't be read have a warning of their own, of the
// system and of languages each.
const maxWarnings = 20

// newReading returns a reading of nothing.
func newReading(tree *filetree.Tree, memory *layer.Quota) *reading {
	return &reading{
		tree: tree, memory: memory, table: formats(), files: map[filetree.Content]*listed{}, folders: map[string]map[string][]filetree.Node{}, index: map[key]*unit{},
		warned: map[filetree.Content]bool{}, unread: map[int]bool{}, diverted: map[*listed]map[string]diversion{}, changed: map[filetree.Node][]change{},
	}
}

// read finds the packages of all layers, sorted by key.
func (r *reading) read(notes map[string][]analyzer.Note) error {
	parsed := map[string]*listed{} // layers often store a database again
	var databases []filetree.Node
	for _, k := range Lookers() {
		for _, n := range notes[k.Name] {
			l := parsed[n.Data]
			if l == nil {
				if err := r.take(decoded * len(n.Data)); err != nil {
					return err
				}
				l = parseNote(n.Data)
				parsed[n.Data] = l
			}
			r.files[n.Content] = l
			if k.Sniff != nil { // the content says what it is, not the path
				at := r.tree.FirstName(n.Content, r.tree.Layers()-1)
				if at == filetree.None {
					at = r.tree.Stored(n.Content).Node
				}
				databases = append(databases, at)
				continue
			}
			for _, at := range r.names(n.Content) {
				if formatOf(r.table, r.tree.Path(at)[1:]) != nil {
					databases = append(databases, at)
				}
			}
		}
	}
	slices.Sort(databases)
	for _, n := range slices.Compact(databases) {
		r.follow(n)
	}
	if more := max(0, r.damaged[0]-maxWarnings) + max(0, r.damaged[1]-maxWarnings); more > 0 {
		r.warnings = append(r.warnings, facts.Warning{Layer: -1, Text: fmt.Sprintf("and %d more files of package databases can't be read", more)})
	}
	slices.SortFunc(r.units, func(a, b *unit) int { return a.compare(&b.key) })
	for _, u := range r.units {
		slices.SortStableFunc(u.spells, func(a, b spell) int { return cmp.Compare(a.from, b.from) })
	}
	return nil
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
	content filetree.Content // NoContent if the path shows no regular file
}

// changes returns what a path shows, from each layer on that changes it.
func (r *reading) changes(n filetree.Node) []change {
	out, ok := r.changed[n]
	if ok {
		return out
	}
	for i := range r.tree.Marks(n) {
		c := change{i, filetree.NoContent}
		if s, ok := r.tree.At(n, i); ok && s.Kind == layer.File {
			c.content = s.Content
		}
		if len(out) == 0 || out[len(out)-1].content != c.content {
			out = append(out, c)
		}
	}
	r.changed[n] = out
	return out
}

// at returns what content, which is at n, says: nil if it was not downloaded. It warns
// if it can't be read.
func (r *reading) at(n filetree.Node, c filetree.Content) *listed {
	if c == filetree.NoContent {
		return &listed{}
	}
	l := r.files[c]
	if l == nil {
		if s := r.tree.Stored(c); s.Bytes > 0 && r.unread[s.Layer] {
			return nil
		}
		l = &listed{}
	}
	if l.problem != "" && !r.warned[c] {
		r.warned[c] = true
		s, path, kind := r.tree.Stored(c), r.tree.Path(n), 0
		if ofSystem(path) {
			kind = 1
		}
		if r.damaged[kind]++; r.damaged[kind] <= maxWarnings {
			r.warnings = append(r.warnings, facts.Warning{Layer: s.Layer, Path: path, Text: Unreadable + l.problem + ": its packages are unknown, and their files count as unowned"})
		}
	}
	return l
}

// running is a package that is installed, in one version.
type running struct {
	key
	spell
}

// follow adds the packages that the database at n lists after any layer.
func (r *reading) follow(n filetree.Node) {
	open := map[string]running{} // by the line of the record
	used := map[key]bool{}       // the keys in open
	changes := r.changes(n)
	several := r.several(n, changes)
	now := &listed{}
	for _, c := range changes {
		next := r.at(n, c.content)
		if next == nil {
			continue // as far as is known, nothing changes
		}
		gone, come := differ(now.lines, next.lines)
		if !r.spend(len(gone) + len(come)) {
			break
		}
		for _, i := range gone {
			if run, ok := open[now.lines[i]]; ok {
				r.end(run, c.layer)
				delete(open, now.lines[i])
				delete(used, run.key)
			}
		}
		for _, i := range come {
			p := &next.records[i]
			if p.Name == "" {
				continue
			}
			k := r.keyOf(p, n)
			if several[k] {
				k.version = p.Version
			}
			for used[k] {
				k.index++
			}
			used[k] = true
			open[next.lines[i]] = running{k, spell{from: c.layer, record: p, node: n}}
		}
		now = next
	}
	for _, run := range open {
		r.end(run, r.tree.Layers())
	}
}

// several returns the keys of packages of which the database at n lists several versions
// at some time, as that of rpm does for kernels. These are packages of their own.
func (r *reading) several(n filetree.Node, changes []change) map[key]bool {
	out := map[key]bool{}
	done := map[*listed]bool{}
	for _, c := range changes {
		l := r.at(n, c.content)
		if l == nil || len(l.records) < 2 || done[l] {
			continue
		}
		records := l.records
		done[l] = true
		seen := make(map[key]bool, len(records))
		for i := range records {
			k := r.keyOf(&records[i], n)
			if seen[k] {
				out[k] = true
			}
			seen[k] = true
		}
	}
	return out
}

// differ returns the indexes of the lines that only a has, and of those that only b
// has.
func differ(a, b []string) (gone, come []int) {
	from := 0
	for from < min(len(a), len(b)) && a[from] == b[from] {
		from++
	}
	for len(a) > from && len(b) > from && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	only := func(a, b []string) (out []int) {
		have := make(map[string]bool, len(b)-from)
		for _, line := range b[from:] {
			have[line] = true
		}
		for i, line := range a[from:] {
			if !have[line] {
				out = append(out, from+i)
			}
		}
		return out
	}
	return only(a, b), only(b, a)
}

// maxWork is how many packages and files are looked at, counting each again in every
// layer in which its package or its list of files changes. Real images need less than
// a million.
const maxWork = 10_000_000

const tooMuch = "the package databases of all layers list more than 10 million files: those of some packages count as unowned"

// spend reports whether n more packages or files may be looked at. It warns once if
// not.
func (r *reading) spend(n int) bool {
	if r.work > maxWork {
		return false
	}
	if r.work += n; r.work > maxWork {
		r.warnings = append(r.warnings, facts.Warning{Layer: -1, Text: tooMuch})
		return false
	}
	return true
}

// keyOf returns the key of the package that the database at n lists.
func (r *reading) keyOf(p *record, n filetree.Node) key {
	k := key{kind: p.Type, name: p.Name, arch: p.Arch}
	switch {
	case p.Type == facts.TypeELF: // each of its programs says so
		k.version = p.Version
	case p.Type == facts.TypePython:
		k.node = r.tree.Parent(n)
		for isDescription(r.tree.Name(k.node)) {
			k.node = r.tree.Parent(k.node)
		}
	case p.Type == facts.TypeConda:
		k.node = r.tree.Parent(n)
	case rank(p.Type) != system:
		k.node = n
	}
	return k
}

// end adds a package, which is installed until layer to.
func (r *reading) end(run running, to int) {
	u := r.index[run.key]
	if u == nil {
		u = &unit{key: run.key}
		r.index[run.key] = u
		r.units = append(r.units, u)
	}
	run.to = to
	u.spells = append(u.spells, run.spell)
}
