package packages

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unsafe"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// claim says that a path belongs to a package after the layers from to to-1.
type claim struct {
	node     filetree.Node
	from, to int32
	unit     int32 // in reading.units
	depth    int32 // of the folder of the package: the innermost package comes first
	rank     int8
}

// claimSize is how many bytes of memory a claim takes: a slice is copied when it grows.
const claimSize = 2 * int(unsafe.Sizeof(claim{}))

// owners tells which package owns which content.
type owners struct {
	tree  *filetree.Tree
	files claims  // of single files
	trees claims  // of files and folders with all below them
	first []int32 // by node: its first claim in files
	up    []int32 // by node: its first claim in trees, or that of the nearest folder above that has one; -1 for none
}

// claims are sorted by node, and those of a node as claim.compare orders them.
type claims struct {
	list []claim
	// found is what at has found where it looked at many claims: a database can claim
	// one path any number of times, and many files can ask for it.
	found map[claimAt]int32
}

// claimAt is the index of the first claim of a node, and a layer.
type claimAt struct{ first, layer int32 }

// at returns the first claim that counts after a layer, of those of the node whose first
// claim is list[i]; nil if none does.
func (c *claims) at(i, layer int32) *claim {
	const many = 16
	if to, ok := c.found[claimAt{i, layer}]; ok {
		if to < 0 {
			return nil
		}
		return &c.list[to]
	}
	var out *claim
	to := i
	for ; out == nil && int(to) < len(c.list) && c.list[to].node == c.list[i].node; to++ {
		if x := &c.list[to]; x.from <= layer && layer < x.to {
			out = x
		}
	}
	if to-i > many {
		if c.found == nil {
			c.found = map[claimAt]int32{}
		}
		if to--; out == nil {
			to = -1
		}
		c.found[claimAt{i, layer}] = to
	}
	return out
}

// claims returns who owns the files of the packages in r.
func (r *reading) claims() (*owners, error) {
	o := &owners{tree: r.tree}
	places := &places{tree: r.tree, layers: map[int]map[string]place{}}
	for i, u := range r.units {
		for j := range u.spells {
			if err := r.claim(o, places, int32(i), &u.spells[j]); err != nil {
				return nil, err
			}
		}
	}
	order := func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.rank, b.rank), cmp.Compare(b.depth, a.depth), cmp.Compare(a.unit, b.unit), cmp.Compare(a.from, b.from))
	}
	slices.SortFunc(o.files.list, order)
	slices.SortFunc(o.trees.list, order)
	nodes := r.tree.Len()
	o.first, o.up = make([]int32, nodes+1), make([]int32, nodes)
	for _, c := range o.files.list {
		o.first[c.node+1]++
	}
	for n := range nodes {
		o.first[n+1] += o.first[n]
	}
	at := 0
	for n := range filetree.Node(nodes) {
		o.up[n] = -1
		if n != filetree.Root {
			o.up[n] = o.up[r.tree.Parent(n)]
		}
		if at < len(o.trees.list) && o.trees.list[at].node == n {
			o.up[n] = int32(at)
			for at < len(o.trees.list) && o.trees.list[at].node == n {
				at++
			}
		}
	}
	return o, nil
}

// claim adds what a package claims during a spell.
func (r *reading) claim(o *owners, places *places, unit int32, s *spell) error {
	rank := int8(rank(s.record.Type))
	folder := r.tree.Parent(s.node)
	base := r.tree.Path(folder)
	depth := int32(strings.Count(base, "/"))
	within := func(name string) string {
		if strings.HasPrefix(name, "/") {
			return path.Clean(name)
		}
		return path.Join(base, name)
	}
	if s.record.Self {
		o.trees.list = append(o.trees.list, claim{s.node, int32(s.from), int32(s.to), unit, depth, rank})
	}
	if owns := s.record.Owns; owns != "" {
		if n, ok := r.tree.Lookup(within(owns)); ok {
			o.trees.list = append(o.trees.list, claim{n, int32(s.from), int32(s.to), unit, depth, rank})
		}
	}
	for _, folder := range s.record.Folders {
		nodes := r.named(within(path.Dir(folder)))[path.Base(folder)]
		if !r.spend(len(nodes)) {
			break
		}
		if err := r.take(len(nodes) * claimSize); err != nil {
			return err
		}
		for _, n := range nodes {
			o.trees.list = append(o.trees.list, claim{n, int32(s.from), int32(s.to), unit, depth, rank})
		}
	}
	put := func(dir string, names []string, from, to int) (err error) {
		places.each(dir, from, to, func(n filetree.Node, from, to int) {
			if err != nil || !r.spend(len(names)) {
				return
			}
			if err = r.take(len(names) * claimSize); err != nil {
				return
			}
			for _, name := range names {
				if c, ok := r.tree.Child(n, name); ok {
					o.files.list = append(o.files.list, claim{c, int32(from), int32(to), unit, depth, rank})
				}
			}
		})
		return err
	}
	return r.each(s, func(files *list, where map[string]diversion, from, to int) error {
		for i, dir := range files.Dirs {
			dir = within(dir)
			if len(where) == 0 {
				if err := put(dir, files.Names[i], from, to); err != nil {
					return err
				}
				continue
			}
			for _, name := range files.Names[i] {
				at := path.Join(dir, name)
				if d, ok := where[at]; ok && d.by != s.record.Name {
					at = d.to
				}
				if err := put(path.Dir(at), []string{path.Base(at)}, from, to); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// named returns by its name what is in a folder. Each * at the end of its path stands for
// a folder of any name.
func (r *reading) named(dir string) map[string][]filetree.Node {
	if out, ok := r.folders[dir]; ok {
		return out
	}
	var parents []filetree.Node
	if path.Base(dir) == "*" {
		for _, nodes := range r.named(path.Dir(dir)) {
			parents = append(parents, nodes...)
		}
	} else if n, ok := r.tree.Lookup(dir); ok {
		parents = append(parents, n)
	}
	out := map[string][]filetree.Node{}
	for _, p := range parents {
		for n := p + 1; n < r.tree.End(p); n = r.tree.End(n) {
			out[r.tree.Name(n)] = append(out[r.tree.Name(n)], n)
		}
	}
	r.folders[dir] = out
	return out
}

// places finds folders by the paths that databases list.
type places struct {
	tree   *filetree.Tree
	layers map[int]map[string]place // by layer and clean path: the folders that were found
}

// place is where a path leads after the layers from one to until-1.
type place struct {
	node  filetree.Node // of the folder, or None
	until int
}

// maxPieces is how often a folder may move between layers, behind symlinks that change,
// before each no longer looks.
const maxPieces = 100

// each calls do with the folder that a path leads to after the layers from to to-1,
// symlinks followed: once, or once for each time that it changes.
func (p *places) each(dir string, from, to int, do func(n filetree.Node, from, to int)) {
	for i := 0; from < to; i++ {
		at := p.at(dir, from, 0)
		until := min(at.until, to)
		if i == maxPieces {
			until = to
		}
		if at.node != filetree.None {
			do(at.node, from, until)
		}
		from = until
	}
}

const (
	maxPath  = 4096 // bytes of the longest path that Linux has
	maxLinks = 40   // how many symlinks it follows
)

// at returns where a clean path leads after layer i. links is how many symlinks were
// followed to get to the path.
func (p *places) at(dir string, i, links int) place {
	if dir == "/" {
		return place{filetree.Root, p.tree.Layers()}
	}
	if len(dir) > maxPath || dir == "" || dir[0] != '/' || links > maxLinks {
		return place{filetree.None, p.tree.Layers()}
	}
	known := p.layers[i]
	if known == nil {
		known = map[string]place{}
		p.layers[i] = known
	}
	if at, ok := known[dir]; ok {
		return at
	}
	cut := strings.LastIndexByte(dir, '/')
	at := p.at(dir[:max(cut, 1)], i, links)
	if at.node != filetree.None {
		child, ok := p.tree.Child(at.node, dir[cut+1:])
		if !ok {
			return place{filetree.None, at.until}
		}
		at = p.follow(child, i, at.until, links)
	}
	if at.node != filetree.None {
		known[dir] = at
	}
	return at
}

// follow returns the folder at n after layer i, or the one to which a symlink there
// leads.
func (p *places) follow(n filetree.Node, i, until, links int) place {
	target := func(i int) (string, bool) { // "" for a folder
		s, ok := p.tree.At(n, i)
		return s.Target, ok && (s.Kind == layer.Dir || s.Kind == layer.Symlink)
	}
	to, ok := target(i)
	for l := range p.tree.Marks(n) {
		if l <= i || l >= until {
			continue
		}
		if next, shown := target(l); next != to || shown != ok {
			until = l
		}
	}
	switch {
	case !ok:
		return place{filetree.None, until}
	case to == "":
		return place{n, until}
	}
	if to[0] != '/' {
		to = p.tree.Path(p.tree.Parent(n)) + "/" + to
	}
	at := p.at(path.Clean(to), i, links+1)
	return place{at.node, min(at.until, until)}
}

// of returns the package in reading.units that owns content, -1 if none does: the one
// that lists it after the last layer that shows it.
func (o *owners) of(c filetree.Content) int32 {
	s := o.tree.Stored(c)
	at := o.tree.Layers() - 1
	if s.Cause != filetree.Visible {
		at = max(s.Layer, s.HiddenBy-1)
	}
	best := claim{unit: -1}
	consider := func(n filetree.Node) {
		x, ok := o.at(n, int32(at))
		if !ok {
			if n, ok = o.source(n); ok {
				x, ok = o.at(n, int32(at))
			}
		}
		if ok && (best.unit < 0 || x.compare(&best) < 0) {
			best = x
		}
	}
	names := []filetree.Node{}
	if o.tree.Linked(c) {
		names = o.tree.Names(c, at)
	}
	if len(names) == 0 {
		consider(s.Node)
	}
	for _, n := range names {
		consider(n)
	}
	return best.unit
}

// source returns the Python source of which n is the compiled form. Debian's packages and
// uv compile after they have listed their files.
func (o *owners) source(n filetree.Node) (filetree.Node, bool) {
	name, compiled := strings.CutSuffix(o.tree.Name(n), ".pyc") // MODULE.INTERPRETER or MODULE.INTERPRETER.opt-LEVEL
	folder := o.tree.Parent(n)
	if !compiled || folder == filetree.Root || o.tree.Name(folder) != "__pycache__" {
		return filetree.None, false
	}
	if i := strings.LastIndex(name, ".opt-"); i >= 0 {
		name = name[:i]
	}
	name = name[:max(0, strings.LastIndexByte(name, '.'))]
	return o.tree.Child(o.tree.Parent(folder), name+".py")
}

// compare orders claims: the one that owns a file comes first.
func (c *claim) compare(o *claim) int {
	return cmp.Or(cmp.Compare(c.rank, o.rank), cmp.Compare(o.depth, c.depth), cmp.Compare(c.unit, o.unit))
}

// at returns the claim that owns the path n after a layer.
func (o *owners) at(n filetree.Node, layer int32) (claim, bool) {
	var best *claim
	if o.first[n] < o.first[n+1] {
		best = o.files.at(o.first[n], layer)
	}
	for i := o.up[n]; i >= 0; {
		c := o.trees.at(i, layer)
		if c != nil && (best == nil || c.compare(best) < 0) {
			best = c
		}
		folder := o.trees.list[i].node
		if c != nil && c.rank <= language || folder == filetree.Root {
			break // the claims on folders above are of packages further out
		}
		i = o.up[o.tree.Parent(folder)]
	}
	if best == nil {
		return claim{}, false
	}
	return *best, true
}
