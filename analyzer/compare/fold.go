package compare

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// Row is a folder in which everything that differs does so for one reason, with
// everything below it, or the paths directly in a folder that do.
type Row struct {
	Path               string // if Count is 1, of what differs
	From               string // of a renamed folder
	Reason             Reason
	Culprit            string // why builds of the same sources differ in its files, or ""
	Whole              bool
	File               bool // it is one file, not a folder
	Count              int
	OldBytes, NewBytes int64

	first *Change
}

// folder is a folder of either image on the way to its rows.
type folder struct {
	path     string
	own      *Change // of the folder itself, if it differs
	from     string  // of a renamed folder, the old path
	files    []Row   // of what is directly in it and no folder, a row for each reason
	children []*folder
}

// file returns the row of the files that differ for a reason.
func (f *folder) file(r Reason) *Row {
	i := slices.IndexFunc(f.files, func(x Row) bool { return x.Reason == r })
	if i < 0 {
		i = len(f.files)
		f.files = append(f.files, Row{Path: f.path, Reason: r})
	}
	return &f.files[i]
}

// Rows returns what differs in few rows, those with the largest difference first.
func (c *Comparison) Rows() []Row {
	root := &folder{path: "/"}
	stack := []*folder{root} // the folders above the change at hand
	var rows []Row
	for i := range c.Changes {
		ch := &c.Changes[i]
		path := c.path(ch)
		isDir := c.isFolder(ch)
		parent := parentOf(path)
		if path == "/" {
			root.own = ch
			continue
		}
		if why := c.culprit(ch, path); why != "" {
			rowOf(&rows, parent, why).add(ch)
			continue
		}
		// Open the folders down to the parent.
		for len(stack) > 1 && !within(parent, stack[len(stack)-1].path) {
			stack = stack[:len(stack)-1]
		}
		for stack[len(stack)-1].path != parent {
			top := stack[len(stack)-1]
			next := &folder{path: step(top.path, parent)}
			top.children = append(top.children, next)
			stack = append(stack, next)
		}
		top := stack[len(stack)-1]
		if isDir {
			next := &folder{path: path, own: ch}
			if ch.Reason == Renamed {
				next.from = c.Old.Analysis.Tree.Path(ch.Old)
			}
			top.children = append(top.children, next)
			stack = append(stack, next)
			continue
		}
		top.file(ch.Reason).add(ch)
	}
	times := Row{Path: "/", Reason: MTime}
	if r, ok := root.fold(&rows, &times); ok {
		rows = append(rows, r)
	}
	if times.Count > 0 {
		rows = append(rows, times)
	}
	for i := range rows {
		if r := &rows[i]; r.Count == 1 {
			r.Path, r.File = c.path(r.first), !c.isFolder(r.first)
			if r.Reason == Renamed {
				r.From = c.Old.Analysis.Tree.Path(r.first.Old)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(abs(b.NewBytes-b.OldBytes), abs(a.NewBytes-a.OldBytes)), cmp.Compare(max(b.OldBytes, b.NewBytes), max(a.OldBytes, a.NewBytes)), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Path, b.Path))
	})
	return rows
}

// culprit returns why the content of a changed file differs from build to build, or "".
func (c *Comparison) culprit(ch *Change, path string) string {
	if ch.Reason != Content {
		return ""
	}
	return Culprit(path)
}

// rowOf returns the row of a culprit, whose path is made a folder above parent.
func rowOf(rows *[]Row, parent, why string) *Row {
	i := slices.IndexFunc(*rows, func(r Row) bool { return r.Culprit == why })
	if i < 0 {
		i = len(*rows)
		*rows = append(*rows, Row{Path: parent, Reason: Content, Culprit: why})
	}
	r := &(*rows)[i]
	for !within(parent, r.Path) {
		r.Path = parentOf(r.Path)
	}
	return r
}

func abs(n int64) int64 { return max(n, -n) }

// add adds a change to a row.
func (r *Row) add(c *Change) {
	if r.Count++; r.Count == 1 {
		r.first = c
	}
	r.OldBytes += c.OldBytes
	r.NewBytes += c.NewBytes
}

// merge adds the changes of p to a row.
func (r *Row) merge(p *Row) {
	if r.first == nil {
		r.first = p.first
	}
	r.Count += p.Count
	r.OldBytes += p.OldBytes
	r.NewBytes += p.NewBytes
}

// fold returns one row for a folder, if everything in it differs for one reason.
// Otherwise it adds rows for its parts to rows, and the parts of which only the time
// differs to times.
func (f *folder) fold(rows *[]Row, times *Row) (Row, bool) {
	var parts []Row
	for _, k := range f.children {
		if r, ok := k.fold(rows, times); ok {
			parts = append(parts, r)
		} else {
			parts = append(parts, Row{Count: -1}) // it has rows of its own
		}
	}
	parts = append(parts, f.files...)
	if f.own != nil {
		own := Row{Path: f.path, From: f.from, Reason: f.own.Reason, Whole: true}
		own.add(f.own)
		parts = append(parts, own)
	}
	one := len(parts) > 0
	sum := Row{Path: f.path, From: f.from, Whole: true}
	for _, p := range parts {
		one = one && p.Count >= 0 && p.Reason == parts[0].Reason && (p.Reason != Renamed || f.from != "")
		sum.Reason = p.Reason
		sum.merge(&p)
	}
	if one {
		return sum, true
	}
	for _, p := range parts {
		switch {
		case p.Count > 0 && p.Reason == MTime:
			times.merge(&p)
		case p.Count > 0:
			*rows = append(*rows, p)
		}
	}
	return Row{}, false
}

// path returns the path of a change: in the new image, if it has it.
func (c *Comparison) path(ch *Change) string {
	if ch.New != filetree.None {
		return c.New.Analysis.Tree.Path(ch.New)
	}
	return c.Old.Analysis.Tree.Path(ch.Old)
}

// parentOf returns the folder of a path.
func parentOf(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 1)] }

// within reports whether a path is a folder or below it.
func within(path, folder string) bool {
	return folder == "/" || strings.HasPrefix(path, folder) && (len(path) == len(folder) || path[len(folder)] == '/')
}

// step returns the folder directly below folder on the way to path.
func step(folder, path string) string {
	from := len(strings.TrimSuffix(folder, "/")) + 1
	if i := strings.IndexByte(path[from:], '/'); i >= 0 {
		return path[:from+i]
	}
	return path
}

// split sets a path, and its bytes if it is not valid UTF-8.
func split(path string) (string, []byte) {
	if utf8.ValidString(path) {
		return path, nil
	}
	return path, []byte(path)
}

// folders returns the rows as facts.
func (c *Comparison) folders() []facts.FolderChange {
	out := []facts.FolderChange{}
	for _, r := range c.Rows() {
		f := facts.FolderChange{Change: r.Reason.String(), Culprit: r.Culprit, Whole: r.Whole, Count: r.Count, OldBytes: r.OldBytes, NewBytes: r.NewBytes}
		f.Path, f.PathBytes = split(r.Path)
		f.From, f.FromBytes = split(r.From)
		out = append(out, f)
	}
	return out
}
