package advice

import (
	"cmp"
	"slices"
	"strings"

	"fathom/analyzer/facts"
)

// Group is waste of one path, or of everything below one folder, that one layer
// stored and one layer hid for one cause.
type Group struct {
	Path     string // rooted, with the image's own bytes; a folder ends in "/"
	Cause    string // as in facts.Waste
	StoredIn int
	HiddenBy int
	Files    int
	Bytes    int64
	Waste    []int // the indexes in Report.Waste, in the order of the paths
}

// MaxChildren is how many children of a folder are listed one by one.
const MaxChildren = 8

// Groups groups the elements of r.Waste at the given indexes, nil for all of them.
// It returns the largest groups first.
//
// Two things make a group. A folder is a group if everything that a layer stores in
// it, at any depth, was hidden by one layer for one cause: the largest such folders
// count, and each is named by the innermost folder that holds all of its waste.
// Then, from the innermost folder outward, more than MaxChildren children of a
// folder that hold groups of the same layers and cause become one group.
func Groups(r *facts.Report, waste []int) []Group {
	g := newGrouping(r, waste)
	g.fold(func(a, b *Group) bool { return a.StoredIn == b.StoredIn }, func(f *openFolder) bool {
		return !f.mixed && !g.visible(f.path, g.rows[f.start].StoredIn)
	})
	g.sortByFate()
	g.fold((*Group).like, func(f *openFolder) bool { return f.children > MaxChildren && f.path != "/" })
	return g.groups()
}

// row is a group that is being put together.
type row struct {
	Group
	first, last int32 // of its list in grouping.next
}

type grouping struct {
	r       *facts.Report
	folders map[string]*facts.Folder
	deepest int     // the length of the longest path in folders
	next    []int32 // by index in r.Waste, the next element of the same row
	rows    []row
}

// newGrouping returns a row for each path and fate. Everything below a folder that
// one layer stores is in one range of the rows.
func newGrouping(r *facts.Report, waste []int) *grouping {
	g := &grouping{r: r, folders: make(map[string]*facts.Folder, len(r.Folders)), next: make([]int32, len(r.Waste))}
	for i := range r.Folders {
		f := &r.Folders[i]
		g.folders[f.Path] = f
		g.deepest = max(g.deepest, len(f.Path))
	}
	if waste == nil {
		waste = make([]int, len(r.Waste))
		for i := range waste {
			waste[i] = i
		}
	}

	// Comparing paths is slow, and few folders hold many files: the folders are
	// sorted first.
	ranks := map[string]int{}
	folderOf := func(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }
	var folders []string
	for _, i := range waste {
		dir := folderOf(r.Waste[i].Path)
		if _, ok := ranks[dir]; !ok {
			ranks[dir] = 0
			folders = append(folders, dir)
		}
	}
	slices.Sort(folders)
	for i, dir := range folders {
		ranks[dir] = i
	}
	type entry struct {
		folder int // the layer, and the rank of the folder
		waste  int32
	}
	entries := make([]entry, len(waste))
	for k, i := range waste {
		w := &r.Waste[i]
		entries[k] = entry{w.StoredIn*len(folders) + ranks[folderOf(w.Path)], int32(i)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.folder != b.folder {
			return cmp.Compare(a.folder, b.folder)
		}
		x, y := &r.Waste[a.waste], &r.Waste[b.waste]
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.HiddenBy, y.HiddenBy), cmp.Compare(x.Cause, y.Cause), cmp.Compare(a.waste, b.waste))
	})

	g.rows = make([]row, 0, len(entries))
	for _, e := range entries {
		w := &r.Waste[e.waste]
		one := row{Group{Path: w.Path, Cause: w.Cause, StoredIn: w.StoredIn, HiddenBy: w.HiddenBy, Files: 1, Bytes: w.Bytes}, e.waste, e.waste}
		if n := len(g.rows); n > 0 && g.rows[n-1].Path == w.Path && g.rows[n-1].like(&one.Group) {
			g.join(&g.rows[n-1], &one)
			continue
		}
		g.rows = append(g.rows, one)
	}
	return g
}

// sortByFate brings rows of the same layers and cause together and else leaves them
// in their order.
func (g *grouping) sortByFate() {
	type fate struct {
		cause          string
		stored, hidden int
	}
	fateOf := func(w *row) fate { return fate{w.Cause, w.StoredIn, w.HiddenBy} }
	count := map[fate]int{}
	var fates []fate
	for i := range g.rows {
		k := fateOf(&g.rows[i])
		if count[k] == 0 {
			fates = append(fates, k)
		}
		count[k]++
	}
	if len(fates) == 1 {
		return
	}
	at := 0
	for _, k := range fates {
		at, count[k] = at+count[k], at
	}
	sorted := make([]row, len(g.rows))
	for i := range g.rows {
		k := fateOf(&g.rows[i])
		sorted[count[k]] = g.rows[i]
		count[k]++
	}
	g.rows = sorted
}

// like reports whether both have the same layers and cause.
func (g *Group) like(x *Group) bool {
	return g.StoredIn == x.StoredIn && g.HiddenBy == x.HiddenBy && g.Cause == x.Cause
}

// join adds x to a.
func (g *grouping) join(a, x *row) {
	a.Files += x.Files
	a.Bytes += x.Bytes
	g.next[a.last] = x.first
	a.last = x.last
}

// visible reports whether the final filesystem shows anything that the layer stores
// in a folder, whose path ends in "/". It doesn't for a folder too small to be
// listed in the report.
func (g *grouping) visible(folder string, layer int) bool {
	if folder == "/" {
		return g.r.Layers[layer].VisibleBytes > 0
	}
	if len(folder)-1 > g.deepest {
		return false
	}
	f := g.folders[folder[:len(folder)-1]]
	if f == nil {
		return false
	}
	i, ok := slices.BinarySearchFunc(f.Layers, layer, func(l facts.FolderLayer, layer int) int { return cmp.Compare(l.Layer, layer) })
	return ok && f.Layers[i].VisibleBytes > 0
}

// openFolder is a folder during a fold, or the path of a row. A folder is an
// innermost one that holds all of several rows, or the root.
type openFolder struct {
	path     string // ends in "/", but for the path of a row
	start    int    // its first row
	children int    // how many of its children hold rows
	mixed    bool   // the layers and causes of its rows differ
	leaf     bool
}

// fold replaces the rows of each folder for which whole returns true by one row,
// the innermost folders first. It looks at each range of rows that together are in
// one tree of folders.
func (g *grouping) fold(together func(a, b *Group) bool, whole func(*openFolder) bool) {
	rows := g.rows
	g.rows = rows[:0]
	var stack []openFolder
	// shut closes the folders that are longer than the first n bytes of path.
	shut := func(path string, n int) {
		for len(stack) > 1 && (len(stack[len(stack)-1].path) > n || stack[len(stack)-1].leaf) {
			f := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			g.shut(&f, whole)
			if up := &stack[len(stack)-1]; len(up.path) < n {
				stack = append(stack, openFolder{path: path[:n], start: f.start})
			}
			up := &stack[len(stack)-1]
			up.children++
			up.mixed = up.mixed || f.mixed || !g.rows[f.start].like(&g.rows[up.start].Group)
		}
	}
	end := func() {
		if len(stack) > 0 {
			shut("/", 1)
			g.shut(&stack[0], whole)
		}
	}
	for i := range rows {
		w := &rows[i]
		if len(stack) == 0 || !together(&g.rows[stack[0].start].Group, &w.Group) {
			end()
			stack = append(stack[:0], openFolder{path: "/", start: len(g.rows)})
		} else {
			shut(w.Path, commonFolder(stack[len(stack)-1].path, w.Path))
		}
		stack = append(stack, openFolder{path: w.Path, start: len(g.rows), leaf: true})
		g.rows = append(g.rows, *w)
	}
	end()
}

// shut replaces the rows of f by one row if whole returns true.
func (g *grouping) shut(f *openFolder, whole func(*openFolder) bool) {
	if f.leaf || f.children < 2 || !whole(f) {
		return
	}
	sum := &g.rows[f.start]
	for i := f.start + 1; i < len(g.rows); i++ {
		g.join(sum, &g.rows[i])
	}
	sum.Path = f.path
	g.rows = g.rows[:f.start+1]
}

// commonFolder returns the length of the innermost folder that holds both paths,
// with the slash at its end.
func commonFolder(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	return strings.LastIndexByte(a[:i], '/') + 1
}

// groups returns the rows, the largest first.
func (g *grouping) groups() []Group {
	slices.SortFunc(g.rows, func(a, b row) int {
		if a.Bytes != b.Bytes {
			return cmp.Compare(b.Bytes, a.Bytes)
		}
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.StoredIn, b.StoredIn), cmp.Compare(a.HiddenBy, b.HiddenBy), cmp.Compare(a.Cause, b.Cause))
	})
	n := 0
	for i := range g.rows {
		n += g.rows[i].Files
	}
	all := make([]int, 0, n)
	out := make([]Group, len(g.rows))
	for i, w := range g.rows {
		start := len(all)
		for at := w.first; ; at = g.next[at] {
			all = append(all, int(at))
			if at == w.last {
				break
			}
		}
		w.Waste = all[start:len(all):len(all)]
		out[i] = w.Group
	}
	return out
}
