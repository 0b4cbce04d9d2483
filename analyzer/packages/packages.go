// Package packages finds the packages of an image, and which of them owns which bytes.
// The bytes come from the files that the layers store, never from the size that a
// database declares.
package packages

import (
	"context"
	"slices"
	"unicode/utf8"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// Packages are the packages of an image.
type Packages struct {
	// List holds the packages of all layers, in the order of facts.ComparePackages.
	List []facts.Package
	// Unowned is what belongs to no package. Its bytes and those of List are all bytes
	// of the image.
	Unowned facts.Unowned
	// Warnings are about databases that can't be read.
	Warnings []facts.Warning
	owner    []int32 // by content: the index in List, or -1
}

// Of returns the index in List of the package that owns content, -1 if none does.
func (p *Packages) Of(c filetree.Content) int { return int(p.owner[c]) }

// Options for Find.
type Options struct {
	// Progress gets a task if the content of files must be read; may be nil.
	Progress *analyzer.Progress
}

// Find returns the packages of an image.
func Find(ctx context.Context, a *analyzer.Analysis, opt Options) (*Packages, error) {
	notes, err := a.Notes(ctx, Lookers(), opt.Progress)
	if err != nil {
		return nil, err
	}
	r := newReading(a.Tree, a.Image.Limits.Memory)
	defer r.release()
	for _, i := range notes.Unread {
		r.unread[i] = true
	}
	if err := r.read(notes.By); err != nil {
		return nil, err
	}
	owners, err := r.claims()
	if err != nil {
		return nil, err
	}
	out := &Packages{List: []facts.Package{}, owner: make([]int32, a.Tree.Contents())}
	for _, u := range r.units {
		out.List = append(out.List, r.describe(u))
	}
	for c := range out.owner {
		if c%4096 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out.owner[c] = owners.of(filetree.Content(c))
		if i := out.owner[c]; i >= 0 {
			s := a.Tree.Stored(filetree.Content(c))
			add(&out.List[i], s, visibleNames(a.Tree, filetree.Content(c), s))
		}
	}
	out.sort()
	out.Unowned = out.unowned(a.Tree, everything(a.Tree))
	out.Warnings = r.warnings
	for _, i := range notes.Unread {
		out.Warnings = append(out.Warnings, facts.Warning{Layer: i, Text: "its content was not downloaded, so the packages in it are unknown, and their files count as unowned"})
	}
	for _, i := range notes.Fetched {
		out.Warnings = append(out.Warnings, facts.Warning{Layer: i, Text: "only package databases in it were downloaded, so programs and Java archives in it are unknown as packages"})
	}
	return out, nil
}

// describe returns the package of a unit, without figures.
func (r *reading) describe(u *unit) facts.Package {
	last := u.spells[0]
	for _, s := range u.spells {
		if s.to >= last.to {
			last = s
		}
	}
	p := facts.Package{
		Type: u.kind, Name: u.name, Version: last.record.Version, Arch: u.arch, Modules: last.record.Modules,
		Database: r.tree.Path(last.node), BroughtBy: last.from, RemovedBy: -1, Layers: []facts.PackageLayer{},
	}
	if !utf8.ValidString(p.Database) {
		p.DatabaseBytes = []byte(p.Database)
	}
	for _, s := range u.spells {
		if s.record.Version == p.Version {
			p.BroughtBy = min(p.BroughtBy, s.from)
		}
	}
	if last.to < r.tree.Layers() {
		p.RemovedBy = last.to
	}
	return p
}

// Counted says which content counts: it describes content c, and returns the path at
// which it counts and how many names show it in the final filesystem. It returns false
// for content that doesn't count.
type Counted func(c filetree.Content) (s filetree.Stored, place filetree.Node, files int, ok bool)

// everything returns the contents of the image as it is.
func everything(t *filetree.Tree) Counted {
	return func(c filetree.Content) (filetree.Stored, filetree.Node, int, bool) {
		s := t.Stored(c)
		place := t.FirstName(c, t.Layers()-1)
		if place == filetree.None {
			place = s.Node
		}
		return s, place, visibleNames(t, c, s), true
	}
}

// Recount returns List and Unowned with the figures of other contents of the tree. The
// packages are in the order of List, also those that have nothing left.
func (p *Packages) Recount(t *filetree.Tree, what Counted) ([]facts.Package, facts.Unowned) {
	list := slices.Clone(p.List)
	for i := range list {
		list[i].VisibleBytes, list[i].WastedBytes, list[i].Files, list[i].Layers = 0, 0, 0, []facts.PackageLayer{}
	}
	for c, i := range p.owner {
		if i < 0 {
			continue
		}
		if s, _, files, ok := what(filetree.Content(c)); ok {
			add(&list[i], s, files)
		}
	}
	return list, p.unowned(t, what)
}

// add adds content to a package. Content comes in the order of its layers.
func add(p *facts.Package, s filetree.Stored, files int) {
	p.Files += files
	if s.Bytes == 0 {
		return
	}
	if n := len(p.Layers); n == 0 || p.Layers[n-1].Layer != s.Layer {
		p.Layers = append(p.Layers, facts.PackageLayer{Layer: s.Layer})
	}
	l := &p.Layers[len(p.Layers)-1]
	if s.Cause == filetree.Visible {
		p.VisibleBytes += s.Bytes
		l.VisibleBytes += s.Bytes
	} else {
		p.WastedBytes += s.Bytes
		l.WastedBytes += s.Bytes
	}
}

// visibleNames returns how many names in the final filesystem show content.
func visibleNames(t *filetree.Tree, c filetree.Content, s filetree.Stored) int {
	switch {
	case s.Cause != filetree.Visible:
		return 0
	case t.Linked(c):
		return len(t.Names(c, t.Layers()-1))
	}
	return 1
}

// sort sorts the list. It leaves out notes in programs that other packages own.
func (p *Packages) sort() {
	var order []int32
	for i, x := range p.List {
		// A distribution that puts notes into all its programs says the same in its
		// database.
		if x.Type != facts.TypeELF || x.Files > 0 || len(x.Layers) > 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return facts.ComparePackages(p.List[a], p.List[b]) })
	list, place := make([]facts.Package, len(order)), make([]int32, len(p.List))
	for i, from := range order {
		list[i] = p.List[from]
		place[from] = int32(i)
	}
	p.List = list
	for c, i := range p.owner {
		if i >= 0 {
			p.owner[c] = place[i]
		}
	}
}

// general reports whether a folder is too general to count as one: those of the root,
// and those in /usr and /var.
func general(t *filetree.Tree, n filetree.Node) bool {
	in := t.Parent(n)
	return in == filetree.Root || t.Parent(in) == filetree.Root && (t.Name(in) == "usr" || t.Name(in) == "var")
}

// unowned returns what belongs to no package.
func (p *Packages) unowned(t *filetree.Tree, what Counted) facts.Unowned {
	nodes := t.Len()
	owned := make([]bool, nodes) // a file of a package is there or below
	for c, i := range p.owner {
		if i < 0 {
			continue
		}
		if _, place, _, ok := what(filetree.Content(c)); ok {
			owned[place] = true
		}
	}
	for n := filetree.Node(nodes - 1); n > filetree.Root; n-- {
		if owned[n] {
			owned[t.Parent(n)] = true
		}
	}
	top := make([]filetree.Node, nodes) // the outermost path at or above a node without a file of a package
	for n := filetree.Root + 1; int(n) < nodes; n++ {
		top[n] = top[t.Parent(n)]
		if top[n] == filetree.Root && !owned[n] && !general(t, n) {
			top[n] = n
		}
	}
	u := facts.Unowned{Folders: []facts.UnownedFolder{}}
	sums := map[filetree.Node]*facts.UnownedFolder{}
	var order []filetree.Node
	for c, i := range p.owner {
		if i >= 0 {
			continue
		}
		s, n, files, ok := what(filetree.Content(c))
		if !ok {
			continue
		}
		folder := t.Parent(n)
		if top[n] != filetree.Root && top[n] != n {
			folder = top[n]
		}
		f := sums[folder]
		if f == nil {
			f = &facts.UnownedFolder{}
			sums[folder] = f
			order = append(order, folder)
		}
		f.Files += files
		u.Files += files
		if s.Cause == filetree.Visible {
			f.VisibleBytes += s.Bytes
			u.VisibleBytes += s.Bytes
		} else {
			f.WastedBytes += s.Bytes
			u.WastedBytes += s.Bytes
		}
	}
	slices.SortFunc(order, func(a, b filetree.Node) int {
		x, y := sums[a], sums[b]
		if d := y.VisibleBytes + y.WastedBytes - x.VisibleBytes - x.WastedBytes; d != 0 {
			return int(max(-1, min(1, d)))
		}
		return t.ComparePaths(a, b)
	})
	for _, n := range order[:min(len(order), facts.MaxUnowned)] {
		f := sums[n]
		if f.Path = t.Path(n); !utf8.ValidString(f.Path) {
			f.PathBytes = []byte(f.Path)
		}
		u.Folders = append(u.Folders, *f)
	}
	u.MoreFolders = len(order) - len(u.Folders)
	return u
}
