package filetree_test

import (
	"maps"
	"slices"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// model is a second implementation of the rules in docs/analysis.md, slow and
// simple: for every layer, a map from each path to what it shows. It shares
// nothing with the tree but the types of the results. Paths have no leading slash;
// "" is the root.
type model struct {
	after    []map[string]filetree.State
	inodes   []map[string]int   // by layer: the inode of each path
	resets   [][]string         // by layer: the directories that some engines show differently
	touched  []map[string]bool  // by layer: the paths it has an entry or a removal for
	stored   []map[string]int64 // by layer: the bytes it stores at each path
	contents []content
	counted  []map[string]int64 // see sizes
}

type content struct {
	path        string
	layer       int
	bytes, held int64
	hash        layer.Hash
	hiddenBy    int      // -1 while visible
	lost        []string // the names that hiddenBy took away; only path if it is one of them
}

// before returns what the layers below layer i show.
func (m *model) before(i int) map[string]filetree.State {
	if i == 0 {
		return map[string]filetree.State{"": {Kind: layer.Dir, Mode: 0o755, Implied: true, Layer: -1, Content: filetree.NoContent}}
	}
	return m.after[i-1]
}

func (m *model) apply(d *layer.Diff) {
	i := len(m.after)
	lower := m.before(i)

	// Where a marker's path leads depends on the symlinks that the layer created
	// before it, but not on what markers hide.
	inodes := map[string]int{}
	if i > 0 {
		inodes = m.inodes[i-1]
	}
	start := func() *work {
		return &work{state: maps.Clone(lower), layer: i, inode: maps.Clone(inodes), given: map[int]filetree.State{}, entered: map[string]bool{}}
	}
	dry := start()
	dry.dirs = map[int]string{}
	dry.entries(d)

	w := start()
	w.contents, w.touched, w.stored = m.contents, map[string]bool{}, map[string]int64{}
	w.markers(d, dry.dirs)
	w.entries(d)
	w.parents(d, dry.dirs, lower)
	w.settle(lower, inodes)
	w.share()
	m.resets = append(m.resets, w.resets())

	m.inodes = append(m.inodes, w.inode)
	m.contents = w.contents
	for c := range m.contents {
		m.contents[c].settle(filetree.Content(c), i, lower, w.state)
	}
	m.after = append(m.after, w.state)
	m.touched = append(m.touched, w.touched)
	m.stored = append(m.stored, w.stored)
}

// settle records it if layer i took the last name of c away.
func (x *content) settle(c filetree.Content, i int, lower, upper map[string]filetree.State) {
	if x.hiddenBy >= 0 || len(names(upper, c)) > 0 {
		return
	}
	x.hiddenBy, x.lost = i, names(lower, c)
	if x.layer == i || lower[x.path].Content == c && slices.Contains(x.lost, x.path) {
		x.lost = []string{x.path}
	}
}

// names returns every path that shows c, sorted as bytes.
func names(state map[string]filetree.State, c filetree.Content) []string {
	var out []string
	for p, s := range state {
		if s.Kind == layer.File && s.Content == c {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// cause returns why c is wasted if lost is the last name that went.
func (m *model) cause(c int, lost string) filetree.Cause {
	x := &m.contents[c]
	s, ok := m.after[x.hiddenBy][lost]
	switch {
	case !ok || s.Layer != x.hiddenBy || s.Implied:
		return filetree.Deleted
	case x.layer == x.hiddenBy:
		return filetree.Repeated
	case s.Kind == layer.File && m.same(filetree.Content(c), s.Content):
		return filetree.MetadataOnly
	}
	return filetree.Overwritten
}

func (m *model) same(a, b filetree.Content) bool {
	x, y := &m.contents[a], &m.contents[b]
	return a == b || x.bytes == y.bytes && x.hash == y.hash
}

// work is one layer being applied.
type work struct {
	state    map[string]filetree.State
	layer    int
	contents []content
	links    []string // paths of the hard links to resolve at the end of the layer
	touched  map[string]bool
	stored   map[string]int64
	dirs     map[int]string // the directory of each marker, by its index in the tar

	entered map[string]bool // the directories of entries and their parents

	inode  map[string]int         // by path; hard links share one
	inodes int                    // number of inodes created in this layer
	given  map[int]filetree.State // by inode, the attributes in the entry of the last hard link
}

// share sets the attributes of all names of a file to those of the last hard link
// to it.
func (w *work) share() {
	for p, s := range w.state {
		g, ok := w.given[w.inode[p]]
		if !ok || s.Layer != w.layer || s.Kind == layer.Dir {
			continue
		}
		s.UID, s.GID = g.UID, g.GID
		if g.Xattrs != "" {
			s.Xattrs = g.Xattrs
		}
		if s.Kind != layer.Symlink {
			s.Mode, s.ModTime = g.Mode, g.ModTime
		}
		w.state[p] = s
	}
}

func (w *work) touch(path string) {
	if w.touched != nil {
		w.touched[path] = true
	}
}

// clear removes everything below path.
func (w *work) clear(path string) {
	for p := range w.state {
		if below(p, path) {
			delete(w.state, p)
			w.touch(p)
		}
	}
}

func below(p, dir string) bool {
	return dir == "" && p != "" || strings.HasPrefix(p, dir+"/")
}

func (w *work) put(path string, s filetree.State) {
	if s.Kind != layer.Dir {
		w.clear(path)
	}
	s.Layer = w.layer
	w.state[path] = s
	w.inodes++
	w.inode[path] = w.layer<<32 + w.inodes
	w.touch(path)
}

// mkdir turns path and its parents into directories, from the root down. If stop
// is not nil, mkdir stops at the first path for which it returns true.
func (w *work) mkdir(path string, stop func(path string) bool) {
	if path == "" {
		return
	}
	parts := strings.Split(path, "/")
	for n := range parts {
		p := strings.Join(parts[:n+1], "/")
		if s, ok := w.state[p]; ok && s.Kind == layer.Dir {
			continue
		}
		if stop != nil && stop(p) {
			return
		}
		w.put(p, filetree.State{Kind: layer.Dir, Mode: 0o755, Implied: true, Content: filetree.NoContent})
	}
}

// markers applies whiteouts and opaque markers, before the entries of the layer.
// dirs holds the directory of each marker.
func (w *work) markers(d *layer.Diff, dirs map[int]string) {
	lower := maps.Clone(w.state)
	for n := range d.Len() {
		var hides func(p string) bool
		switch e := d.At(n); e.Kind {
		case layer.Whiteout:
			_, base := cut(e.Path)
			path := join(dirs[n], base)
			hides = func(p string) bool { return p == path || below(p, path) }
		case layer.Opaque:
			hides = func(p string) bool { return below(p, dirs[n]) }
		default:
			continue
		}
		for p := range lower {
			if hides(p) {
				delete(w.state, p)
				w.touch(p)
			}
		}
	}
}

// parents creates the directories of markers. It stops at a path that the layer
// removed and at any entry of the layer.
func (w *work) parents(d *layer.Diff, dirs map[int]string, lower map[string]filetree.State) {
	for n := range d.Len() {
		if dir, ok := dirs[n]; ok {
			w.into(dir)
			w.mkdir(dir, func(p string) bool {
				s, is := w.state[p]
				_, was := lower[p]
				return was && !is || is && s.Layer == w.layer
			})
		}
	}
}

// entries applies all entries but markers, in the order of the tar.
func (w *work) entries(d *layer.Diff) {
	for n := range d.Len() {
		e := d.At(n)
		dir, base := cut(e.Path)
		if e.Kind == layer.Opaque {
			dir = e.Path
		}
		dir = w.resolve(dir)
		path := join(dir, base)
		if e.Kind == layer.Whiteout || e.Kind == layer.Opaque {
			if w.dirs != nil {
				w.dirs[n] = dir
			}
			if e.Kind == layer.Opaque {
				base = ".wh..opq"
			}
			w.body(join(dir, ".wh."+base), e)
			continue
		}
		if e.Kind == layer.Ignored {
			w.body(path, e)
			continue
		}
		s := filetree.State{
			Kind: e.Kind, Mode: e.Mode, UID: e.UID, GID: e.GID, Xattrs: e.Xattrs, ModTime: e.ModTime,
			Size: e.Size, Content: filetree.NoContent,
		}
		switch e.Kind {
		case layer.File:
			s.Content = filetree.Content(len(w.contents))
			w.contents = append(w.contents, content{path: path, layer: w.layer, bytes: e.Size, held: e.Held, hash: e.Hash, hiddenBy: -1})
			if w.stored != nil {
				w.stored[path] += e.Size
			}
		case layer.Symlink:
			s.Target = e.Link
		case layer.Char, layer.Block:
			s.Major, s.Minor = e.Major, e.Minor
		}
		if path == "" && e.Kind != layer.Dir {
			continue // the root must be a directory
		}
		w.mkdir(dir, nil)
		w.into(dir)
		id := 0
		if e.Kind == layer.Link {
			s.Size, s.Target = 0, e.Link
			to := w.target(e.Link)
			t, ok := w.state[to]
			switch {
			case ok && t.Layer == w.layer && t.Kind != layer.Dir && t.Kind != layer.Link && to == path:
				continue // a link to itself: the earlier entry stays
			case ok && t.Layer == w.layer && t.Kind != layer.Dir && t.Kind != layer.Link:
				id = w.inode[to]
				w.give(id, s)
				s = t
			default:
				if !slices.Contains(w.links, path) {
					w.links = append(w.links, path)
				}
			}
		}
		w.put(path, s)
		if id > 0 {
			w.inode[path] = id
		}
	}
}

// resets returns the directories of lower layers that the layer has entries in,
// but no entry for, and whose mode or owner differ from those of a new directory.
func (w *work) resets() []string {
	var out []string
	for p := range w.entered {
		s := w.state[p]
		if p != "" && s.Kind == layer.Dir && s.Layer != w.layer && (s.Mode != 0o755 || s.UID != 0 || s.GID != 0 || s.Xattrs != "") {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// into records that an entry is in dir.
func (w *work) into(dir string) {
	for ; dir != ""; dir, _ = cut(dir) {
		w.entered[dir] = true
	}
}

// give records the attributes in the entry of a hard link.
func (w *work) give(id int, link filetree.State) {
	if link.Xattrs == "" {
		link.Xattrs = w.given[id].Xattrs
	}
	w.given[id] = link
}

// body counts the content of a marker or ignored entry, at its own path.
func (w *work) body(path string, e *layer.Entry) {
	if e.Size == 0 {
		return
	}
	w.contents = append(w.contents, content{path: path, layer: w.layer, bytes: e.Size, held: e.Held, hiddenBy: w.layer, lost: []string{path}})
	if w.stored != nil {
		w.touch(path)
		w.stored[path] += e.Size
	}
}

// settle runs at the end of the layer. It resolves the hard links whose target is
// not an earlier entry of the layer.
func (w *work) settle(lower map[string]filetree.State, inodes map[string]int) {
	open := map[string]bool{}
	for _, p := range w.links {
		if s, ok := w.state[p]; ok && s.Kind == layer.Link && s.Layer == w.layer {
			open[p] = true
		}
	}
	for _, p := range w.links {
		if !open[p] {
			continue
		}
		s, to, ok := w.linked(p, lower, open)
		if ok {
			id, link := w.inode[to], w.state[p]
			if s.Layer != w.layer {
				id = inodes[to]
				w.give(id, link)
			}
			w.put(p, s)
			w.inode[p] = id
		}
		delete(open, p)
	}
}

// linked returns what the hard link at p leads to, if anything, and its path.
func (w *work) linked(p string, lower map[string]filetree.State, open map[string]bool) (s filetree.State, to string, ok bool) {
	to = w.target(w.state[p].Target)
	for range 40 {
		s, ok := w.state[to]
		switch {
		case ok && open[to] && to != p: // a link to a link
			to = w.target(s.Target)
			continue
		case ok && s.Layer == w.layer && to != p: // the target is in the same layer
			return s, to, s.Kind != layer.Dir && s.Kind != layer.Link
		}
		s, ok = lower[to]
		return s, to, ok && s.Kind != layer.Dir && s.Kind != layer.Link
	}
	return filetree.State{}, "", false
}

// target returns the path that a hard link leads to. It follows symlinks of this
// layer among the parents, but not one at the end of the path.
func (w *work) target(link string) string {
	dir, base := cut(link)
	return join(w.resolve(dir), base)
}

// resolve follows the symlinks of this layer along the path of a directory. A
// symlink that cannot be resolved stays in the path.
func (w *work) resolve(path string) string {
	dir := ""
	for _, name := range split(path) {
		hops := 0
		if to, ok := w.enter(dir, name, &hops); ok {
			dir = to
		} else {
			dir = join(dir, name)
		}
	}
	return dir
}

func (w *work) enter(dir, name string, hops *int) (string, bool) {
	p := join(dir, name)
	s, ok := w.state[p]
	if !ok || s.Kind != layer.Symlink || s.Layer != w.layer {
		return p, true
	}
	if *hops++; *hops > 40 {
		return "", false
	}
	if strings.HasPrefix(s.Target, "/") {
		dir = ""
	}
	for _, name := range split(s.Target) {
		if name == ".." {
			dir, _ = cut(dir)
			continue
		}
		if dir, ok = w.enter(dir, name, hops); !ok {
			return "", false
		}
	}
	return dir, true
}

// split returns the components of a path except "" and ".".
func split(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" || s == "." })
}

// cut returns the directory and the last component of a clean path.
func cut(path string) (dir, base string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

func join(dir, base string) string {
	if dir == "" || base == "" {
		return dir + base
	}
	return dir + "/" + base
}

// change returns what happened to a path. Without listed it is Touched only if it
// differs.
func (m *model) change(path string, from, to int, listed bool) filetree.Change {
	var c filetree.Change
	for i := from + 1; i <= to; i++ {
		c.Touched = c.Touched || m.touched[i][path]
		c.Stored += m.stored[i][path]
	}
	a, was := m.before(from + 1)[path]
	b, is := m.before(to + 1)[path]
	switch {
	case !was && !is:
	case !was:
		c.Mark = filetree.Added
	case !is:
		c.Mark = filetree.Removed
	case a.Kind != b.Kind || a.Target != b.Target || a.Major != b.Major || a.Minor != b.Minor ||
		a.Kind == layer.File && !m.same(a.Content, b.Content):
		c.Mark, c.Differs = filetree.Modified, filetree.Bytes
	case a.Mode != b.Mode && a.Kind != layer.Symlink || a.UID != b.UID || a.GID != b.GID || a.Xattrs != b.Xattrs:
		c.Mark, c.Differs = filetree.Modified, filetree.Metadata
	default:
		c.Mark = filetree.Unchanged
	}
	if !listed {
		c.Stored, c.Touched = 0, c.Mark > filetree.Unchanged || c.Mark == filetree.Unchanged && m.sizes(from)[path] != m.sizes(to)[path]
	}
	return c
}

// sizes returns what each path adds to the sums of its directories after layer i: the
// content of several names is added at the first one.
func (m *model) sizes(i int) map[string]int64 {
	if i < 0 {
		return nil
	}
	for len(m.counted) <= i {
		now := m.after[len(m.counted)]
		sizes, seen := map[string]int64{}, map[filetree.Content]bool{}
		for _, p := range slices.Sorted(maps.Keys(now)) {
			if s := now[p]; s.Kind == layer.File && !seen[s.Content] {
				seen[s.Content] = true
				sizes[p] = m.contents[s.Content].bytes
			}
		}
		m.counted = append(m.counted, sizes)
	}
	return m.counted[i]
}

// sums returns the sums of all directories. paths must be sorted. With compare they have
// the sizes of what differs.
func (m *model) sums(paths []string, from, to int, listed, compare bool) map[string]filetree.Sum {
	sums := map[string]filetree.Sum{}
	old, now := m.before(from+1), m.before(to+1)
	for _, p := range paths {
		c := m.change(p, from, to, listed)
		one := filetree.Sum{Stored: c.Stored, Size: m.sizes(to)[p]}
		n, is := now[p]
		was, had := old[p]
		if is && n.Kind == layer.File {
			one.Files = 1
		}
		if c.Touched {
			one.Marks = 1 << c.Mark
			if is && n.Kind == layer.File || !is && had && was.Kind == layer.File {
				one.Touched[c.Mark] = 1
			}
		}
		if o, ok := old[p]; ok && o.Kind == layer.File && (c.Mark == filetree.Removed || c.Differs == filetree.Bytes) {
			one.Removed = m.contents[o.Content].bytes
		}
		if was, is := m.sizes(from)[p], m.sizes(to)[p]; compare && (c.Touched || was != is) {
			one.Before, one.After = was, is
		}
		for dir := p; dir != ""; {
			dir, _ = cut(dir)
			s := sums[dir]
			s.Size += one.Size
			s.Files += one.Files
			s.Stored += one.Stored
			s.Removed += one.Removed
			for m := range s.Touched {
				s.Touched[m] += one.Touched[m]
			}
			s.Before += one.Before
			s.After += one.After
			s.Marks |= one.Marks
			sums[dir] = s
		}
	}
	return sums
}
