package filetree

import (
	"iter"
	"sort"

	"fathom/analyzer/layer"
)

// Mark says how a path changed between two layers.
type Mark uint8

const (
	Absent    Mark = iota // shown neither before nor after
	Unchanged             // shown before and after, the same
	Added
	Modified
	Removed
)

// Differs says in what way a Modified path differs.
type Differs uint8

const (
	Same     Differs = iota
	Metadata         // mode, owner or extended attributes
	Bytes            // kind, content, link target or device number
)

var (
	markNames    = [...]string{"absent", "unchanged", "added", "modified", "removed"}
	differsNames = [...]string{"", "metadata", "content"}
)

// String returns the name of the mark in reports.
func (m Mark) String() string { return markNames[m] }

// String returns the name of the difference in reports.
func (d Differs) String() string { return differsNames[d] }

// Change describes what happened to a path between two layers.
type Change struct {
	Mark    Mark
	Differs Differs
	// Touched reports whether the layer has an entry for the path or removes it. A path
	// that is Unchanged and Touched was listed or stored again. In a view of several
	// layers Touched reports whether the path differs; one that is Unchanged then is
	// another name of a file whose size counts at another name than before.
	Touched bool
	// Stored is the number of bytes that the layer stores at this path, including
	// content that a later entry of the same layer replaces. It is 0 in a view of
	// several layers, because what they store is not how the two states differ.
	Stored int64
}

// Marks is a set of marks, 1<<Mark each.
type Marks uint8

// Has reports whether m is in the set.
func (s Marks) Has(m Mark) bool { return s&(1<<m) != 0 }

// Sum adds up everything below a directory, excluding the directory itself. It is
// zero for any other node.
type Sum struct {
	Size    int64    // of the content shown afterwards; content with several names counts once, at its first name
	Files   int      // regular files shown afterwards; each hard link counts
	Stored  int64    // as in Change.Stored
	Removed int64    // size of the files, by name, that are no longer shown or show other content
	Marks   Marks    // of the Touched paths below; Unchanged for a path that was listed or stored again
	Touched [5]int32 // the regular files among the Touched paths below, by Mark; a removed one counts as what it was
	// Before and After are the sizes of what is Touched below, before and afterwards,
	// counted as in Size. Only Compare adds them up.
	Before, After int64
}

// sum is the Sum of a directory for one layer. In Tree.sums, size and files include
// all lower layers; a sweep computes only what the layer adds.
type sum struct {
	size, stored, removed int64
	touched               [5]int32
	files                 int32
	layer                 int16
	marks                 Marks
}

// View compares what the tree shows after layer From with what it shows after
// layer To. From -1 is the empty tree.
type View struct {
	From, To int

	t      *Tree
	listed bool     // what the layers list again is Touched
	dirs   []dirSum // if Compare made the view; in the order of the nodes
}

// dirSum is the sum of a directory. Compare uses its size for Sum.After.
type dirSum struct {
	dir int32
	sum sum
}

// View compares two layers: -1 <= from < to < Layers(). A view of a single layer
// (to = from+1) costs nothing. Any other one is Compare's.
func (t *Tree) View(from, to int) *View {
	if to == from+1 {
		return &View{t: t, From: from, To: to, listed: true}
	}
	return t.Compare(from, to, false)
}

// Compare compares what the tree shows after layer from with what it shows after layer
// to, in one pass over the tree. Only paths that differ are Touched; with listed, so are
// those that a layer in between lists or stores again as they were.
func (t *Tree) Compare(from, to int, listed bool) *View {
	v := &View{t: t, From: from, To: to, listed: listed, dirs: []dirSum{}}
	w := sweep{t: t}
	w.emit = func(dir int32, s sum) { v.dirs = append(v.dirs, dirSum{dir, s}) }
	for n := Root + 1; int(n) < t.Len(); n++ {
		c := v.Change(n)
		if !c.Touched && !v.moved(n) {
			continue
		}
		before, after := t.at(n, from), t.at(n, to)
		s := sum{stored: c.Stored, size: t.counted(n, after, to), removed: t.lost(before, after)}
		if c.Touched {
			s.touch(c.Mark, t.isFile(after) || !t.isAlive(after) && t.isFile(before))
		}
		w.add(int32(n), s)
	}
	w.finish()
	sort.Slice(v.dirs, func(i, j int) bool { return v.dirs[i].dir < v.dirs[j].dir })
	return v
}

// counted returns the size that n, with version at after layer i, adds to the sums of
// the directories above it: content with several names counts at its first name.
func (t *Tree) counted(n Node, at int32, i int) int64 {
	if at < 0 || t.versions[at].content() == NoContent {
		return 0
	}
	c := t.versions[at].content()
	if t.pieces[c].linked && t.FirstName(c, i) != n {
		return 0
	}
	return t.pieces[c].bytes
}

// Counted returns the sizes that n itself adds to the sums of the directories above it,
// before and afterwards. A file counts at its first name only.
func (v *View) Counted(n Node) (before, after int64) {
	t := v.t
	return t.counted(n, t.at(n, v.From), v.From), t.counted(n, t.at(n, v.To), v.To)
}

// moved reports whether the size that n adds to the directories above it changes.
func (v *View) moved(n Node) bool {
	t := v.t
	before, after := t.at(n, v.From), t.at(n, v.To)
	if before == after && (after < 0 || t.versions[after].content() == NoContent || !t.pieces[t.versions[after].content()].linked) {
		return false
	}
	was, is := v.Counted(n)
	return was != is
}

// Change returns what happened to n.
func (v *View) Change(n Node) Change {
	t := v.t
	from, to := t.history(n)
	if to-from > 8 {
		// Skip versions of layers above To. The loops below stop at From.
		_, to = t.narrow(from, to, v.To)
	}
	after := to - 1
	for after >= from && int(t.versions[after].layer) > v.To {
		after--
	}
	before := after
	var c Change
	for before >= from && int(t.versions[before].layer) > v.From {
		c.Touched = true
		c.Stored += t.storedAt(n, before)
		before--
	}
	if before < from {
		before = -1
	}
	if after < from {
		after = -1
	}
	c.Mark, c.Differs = t.compare(before, after)
	if !v.listed {
		c.Touched = c.Mark > Unchanged || c.Mark == Unchanged && v.moved(n)
		c.Stored = 0
	}
	return c
}

// State returns what n shows afterwards or, if it was removed, before.
func (v *View) State(n Node) (State, bool) {
	if s, ok := v.t.At(n, v.To); ok {
		return s, true
	}
	return v.t.At(n, v.From)
}

// Size returns the size of the file that n shows afterwards, 0 for anything else.
// It returns false if n shows nothing. It is faster than State.
func (v *View) Size(n Node) (int64, bool) {
	i := v.t.at(n, v.To)
	if i < 0 || !v.t.versions[i].alive() {
		return 0, false
	}
	if v.t.versions[i].kind != layer.File {
		return 0, true
	}
	return v.t.pieces[v.t.versions[i].content()].bytes, true
}

// Sum returns what is below n.
func (v *View) Sum(n Node) Sum {
	t := v.t
	sums := t.sums[t.nodes[n].sum:t.nodes[n+1].sum]
	i := sort.Search(len(sums), func(i int) bool { return int(sums[i].layer) > v.To }) - 1
	if i < 0 {
		return Sum{}
	}
	out := Sum{Size: sums[i].size, Files: int(sums[i].files)}
	s := sum{}
	switch {
	case v.dirs != nil:
		if at := sort.Search(len(v.dirs), func(i int) bool { return v.dirs[i].dir >= int32(n) }); at < len(v.dirs) && v.dirs[at].dir == int32(n) {
			s = v.dirs[at].sum
			out.After = s.size
			out.Before = s.size - (out.Size - t.View(v.From-1, v.From).Sum(n).Size)
		}
	case int(sums[i].layer) == v.To && v.To == v.From+1:
		s = sums[i]
	}
	out.Stored, out.Removed, out.Marks, out.Touched = s.stored, s.removed, s.marks, s.touched
	return out
}

// Event describes what one layer did to a path.
type Event struct {
	Layer   int
	Change  Change // against what lower layers showed
	State   State  // what the path shows after the layer or, if Removed, showed before
	Removed bool
}

// History returns what each layer did to n, the bottom layer first.
func (t *Tree) History(n Node) []Event {
	var out []Event
	from, to := t.history(n)
	for i := from; i < to; i++ {
		v := &t.versions[i]
		if v.layer < 0 {
			continue // the implied root, which comes from no layer
		}
		before := t.before(n, i)
		e := Event{Layer: int(v.layer), Removed: !v.alive()}
		e.Change = Change{Touched: true, Stored: t.storedAt(n, i)}
		e.Change.Mark, e.Change.Differs = t.compare(before, i)
		switch {
		case v.alive():
			e.State = t.state(i)
		case before >= 0 && t.versions[before].alive():
			e.State = t.state(before)
		}
		out = append(out, e)
	}
	return out
}

// before returns the version of n that version i replaced, or -1 for none.
func (t *Tree) before(n Node, i int32) int32 {
	if i > t.nodes[n].version {
		return i - 1
	}
	return -1
}

// compare returns how a path changes from version before to version after. Version
// -1 shows nothing.
func (t *Tree) compare(before, after int32) (Mark, Differs) {
	was := before >= 0 && t.versions[before].alive()
	is := after >= 0 && t.versions[after].alive()
	switch {
	case !was && !is:
		return Absent, Same
	case !was:
		return Added, Same
	case !is:
		return Removed, Same
	case before == after:
		return Unchanged, Same
	}
	a, b := &t.versions[before], &t.versions[after]
	if a.kind != b.kind || !t.sameBytes(a, b) {
		return Modified, Bytes
	}
	if a.owner != b.owner || a.mode != b.mode && a.kind != layer.Symlink {
		return Modified, Metadata
	}
	return Unchanged, Same
}

// sameBytes reports whether two versions of one kind show the same content.
func (t *Tree) sameBytes(a, b *version) bool {
	switch a.kind {
	case layer.File:
		return t.sameContent(a.content(), b.content())
	case layer.Symlink, layer.Link:
		return t.texts[a.ref] == t.texts[b.ref]
	case layer.Char, layer.Block:
		return t.devices[a.ref] == t.devices[b.ref]
	}
	return true
}

func (t *Tree) sameContent(a, b Content) bool {
	if a == b {
		return true
	}
	if t.pieces[a].bytes == 0 && t.pieces[b].bytes == 0 {
		return true
	}
	return t.pieces[a].same == t.pieces[b].same
}

// storedAt returns the number of bytes that the layer of version i stores at n.
func (t *Tree) storedAt(n Node, i int32) int64 {
	v := &t.versions[i]
	stored := int64(0)
	if v.flags&again != 0 {
		stored = t.repeats[i]
	}
	if v.content() != NoContent {
		if p := &t.pieces[v.content()]; p.node == int32(n) && p.layer == v.layer {
			stored += p.bytes
		}
	}
	return stored
}

// lost returns the size of the file in version before if version after shows no
// file there or other content, and otherwise 0.
func (t *Tree) lost(before, after int32) int64 {
	if before < 0 || !t.versions[before].alive() || t.versions[before].kind != layer.File {
		return 0
	}
	if mark, differs := t.compare(before, after); mark == Removed || differs == Bytes {
		return t.pieces[t.versions[before].content()].bytes
	}
	return 0
}

// sweep computes the sums of directories. Callers add the figures of nodes in the
// order of the nodes, then call finish. sweep calls emit for each directory that
// has figures below it.
type sweep struct {
	t     *Tree
	stack []dirSum
	emit  func(dir int32, s sum)
}

func (w *sweep) add(n int32, s sum) {
	for len(w.stack) > 0 && w.t.nodes[w.stack[len(w.stack)-1].dir].end <= n {
		w.pop()
	}
	// Open the directories between the innermost open one and n.
	top := int32(-1)
	if len(w.stack) > 0 {
		top = w.stack[len(w.stack)-1].dir
	}
	base := len(w.stack)
	for d := w.t.nodes[n].parent; d != top && d >= 0; d = w.t.nodes[d].parent {
		w.stack = append(w.stack, dirSum{dir: d})
	}
	for i, j := base, len(w.stack)-1; i < j; i, j = i+1, j-1 {
		w.stack[i], w.stack[j] = w.stack[j], w.stack[i]
	}
	w.stack[len(w.stack)-1].sum.add(s)
}

func (w *sweep) pop() {
	d := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	if len(w.stack) > 0 {
		w.stack[len(w.stack)-1].sum.add(d.sum)
	}
	w.emit(d.dir, d.sum)
}

func (w *sweep) finish() {
	for len(w.stack) > 0 {
		w.pop()
	}
}

func (s *sum) add(o sum) {
	s.size += o.size
	s.stored += o.stored
	s.removed = min(s.removed+o.removed, layer.MaxContent) // counts content once for each name
	s.files += o.files
	for m, n := range o.touched {
		s.touched[m] += n
	}
	s.marks |= o.marks
}

// touch notes the mark of a path, which is a regular file or not.
func (s *sum) touch(m Mark, file bool) {
	s.marks = 1 << m
	if file && m != Absent {
		s.touched[m] = 1
	}
}

func (t *Tree) isAlive(i int32) bool { return i >= 0 && t.versions[i].alive() }
func (t *Tree) isFile(i int32) bool  { return t.isAlive(i) && t.versions[i].kind == layer.File }

// Marks returns how each layer that touched n changed it, the bottom layer first.
func (t *Tree) Marks(n Node) iter.Seq2[int, Mark] {
	return func(yield func(int, Mark) bool) {
		from, to := t.history(n)
		for i := from; i < to; i++ {
			if mark, _ := t.compare(t.before(n, i), i); t.versions[i].layer >= 0 && !yield(int(t.versions[i].layer), mark) {
				return
			}
		}
	}
}
