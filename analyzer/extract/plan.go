// Package extract writes a file or a folder of an image to disk, as it is after a
// layer. It writes below one folder only, whatever names and links the image has,
// and overwrites only what the caller agreed to.
package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Answer says how to resolve a Conflict.
type Answer uint8

const (
	Skip      Answer = iota // keep the existing file
	Overwrite               // replace it
)

// Conflict is an existing file at the path of an entry. An existing folder at the
// path of a folder is not a conflict.
type Conflict struct {
	Path   string // on the disk
	Kind   string // of the existing file: "file", "symlink", ...
	Answer Answer // set by the caller before Run
	item   int32
}

// Note is a remark about an entry that was not extracted, or not as it is in the
// image.
type Note struct {
	Path string // in the image
	Text string
}

// maxNotes is the limit for Plan.Notes; Skipped has none.
const maxNotes = 1000

// maxDepth is how deep folders may be nested: each is kept open.
const maxDepth = 500

// Plan is an extraction that has not started yet.
type Plan struct {
	Dest      string // the path that will be written
	Entries   int
	Bytes     int64 // of content
	Conflicts []Conflict
	Notes     []Note
	Skipped   int // entries that can't be extracted
	// Owner says that owners, and with them the setuid and setgid bits, are kept.
	// New sets it for root.
	Owner bool

	a     *analyzer.Analysis
	layer int
	root  *os.Root // everything is written below it
	base  string   // its path
	name  string   // of the first item; "" if the image's root becomes root itself
	items []item
}

// item is an entry to extract. A folder comes before its entries.
type item struct {
	node   filetree.Node
	parent int32 // -1 for root itself
	folded int32 // an item in the same folder whose name differs only in case; -1
	answer Answer
	kind   layer.Kind
	skip   bool // it and everything below it
	exists bool // a folder that this run does not make
}

// New plans the extraction of n, as it is after a layer, to dest. If dest is a
// folder, n gets its own name in that folder, and the image's root becomes the
// folder itself. Otherwise dest is the new name of n, in a folder that exists. The
// caller closes the plan.
func New(ctx context.Context, a *analyzer.Analysis, n filetree.Node, layer int, dest string) (*Plan, error) {
	p := &Plan{a: a, layer: layer, Owner: os.Geteuid() == 0}
	if dest == "" {
		return nil, errors.New("extracting: no destination given")
	}
	if _, ok := a.Tree.At(n, layer); !ok && n != filetree.Root {
		return nil, fmt.Errorf("extracting %s: it is not there after layer %d", a.Tree.Path(n), layer)
	}
	if err := p.open(n, dest); err != nil {
		return nil, fmt.Errorf("extracting to %s: %w", dest, analyzer.WithoutPath(err))
	}
	if err := p.walk(ctx, n); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close closes the destination folder.
func (p *Plan) Close() error { return p.root.Close() }

// open splits dest into a folder, which it opens, and a name.
func (p *Plan) open(n filetree.Node, dest string) error {
	info, err := os.Stat(dest)
	if err == nil && info.IsDir() {
		p.base, p.name = filepath.Clean(dest), p.a.Tree.Name(n)
		if p.name != "" && !local(p.name) {
			return fmt.Errorf("this system does not allow the name %q", p.name)
		}
	} else {
		if strings.HasSuffix(dest, string(filepath.Separator)) {
			return errors.New("no such folder")
		}
		p.base, p.name = filepath.Split(filepath.Clean(dest))
		p.base = filepath.Clean(p.base)
	}
	p.Dest = filepath.Join(p.base, p.name)
	p.root, err = os.OpenRoot(p.base)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no such folder: %s", p.base)
	}
	return err
}

// local reports whether a name in the image is a plain file name on this system.
func local(name string) bool {
	return filepath.IsLocal(name) && name != "." && !strings.ContainsAny(name, "/\x00"+string(filepath.Separator))
}

// level is a folder on the path of the walk.
type level struct {
	item  int32
	end   filetree.Node
	root  *os.Root // nil if the folder does not exist yet
	names map[string]int32
}

// walk makes the items and finds the conflicts.
func (p *Plan) walk(ctx context.Context, n filetree.Node) error {
	t := p.a.Tree
	stack := []level{{item: -1, end: t.End(n), root: p.root, names: map[string]int32{}}}
	pop := func() {
		if last := stack[len(stack)-1]; last.root != nil && last.item >= 0 {
			last.root.Close()
		}
		stack = stack[:len(stack)-1]
	}
	defer func() {
		for len(stack) > 0 {
			pop()
		}
	}()
	from := n
	if n == filetree.Root && p.name == "" {
		from++
	}
	for m := from; m < t.End(n); {
		if m&0xff == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for m >= stack[len(stack)-1].end {
			pop()
		}
		next := t.End(m)
		st, ok := t.At(m, p.layer)
		if m == filetree.Root {
			st.Kind, ok = layer.Dir, true
		}
		if !ok {
			m = next
			continue
		}
		in := &stack[len(stack)-1]
		name := p.nameOf(m, in.item)
		why := unfit(st.Kind, name, len(stack))
		if why != "" {
			p.note(m, why)
			m = next
			continue
		}
		it := item{node: m, parent: in.item, folded: -1, kind: st.Kind}
		folded := strings.ToLower(name)
		if other, ok := in.names[folded]; ok {
			it.folded = other
		} else {
			in.names[folded] = int32(len(p.items))
		}
		info, err := lookup(in.root, name)
		switch {
		case badName(err):
			p.note(m, "this disk can't store its name")
			m = next
			continue
		case err != nil:
			return fmt.Errorf("looking at %s: %w", p.path(it), analyzer.WithoutPath(err))
		}
		var sub *os.Root
		switch {
		case info == nil:
		case st.Kind == layer.Dir && info.IsDir():
			it.exists = true
			if sub, err = enter(in.root, name); err != nil {
				return fmt.Errorf("looking at %s: %w", p.path(it), analyzer.WithoutPath(err))
			}
		case info.IsDir() && it.parent < 0 && m == n:
			return fmt.Errorf("extracting to %s: a folder exists there", p.path(it))
		case info.IsDir():
			p.note(m, "a folder exists there")
			m = next
			continue
		default:
			p.Conflicts = append(p.Conflicts, Conflict{Path: p.path(it), Kind: kindOf(info), item: int32(len(p.items))})
		}
		p.items = append(p.items, it)
		p.Entries++
		if st.Kind == layer.File {
			p.Bytes += st.Size
		}
		if st.Kind == layer.Dir {
			stack = append(stack, level{int32(len(p.items) - 1), next, sub, map[string]int32{}})
			m++
			continue
		}
		m = next
	}
	return nil
}

// unfit says why an entry can't be extracted; "" if it can.
func unfit(kind layer.Kind, name string, depth int) string {
	switch {
	case kind == layer.Link:
		return "a hard link to nothing"
	case kind == layer.Char || kind == layer.Block:
		return "a device: only an engine makes it"
	case kind == layer.Fifo:
		return "a named pipe"
	case !local(name):
		return "this system does not allow its name"
	case depth > maxDepth:
		return fmt.Sprintf("more than %d nested folders", maxDepth)
	}
	return ""
}

// nameOf returns the name of a node on the disk.
func (p *Plan) nameOf(n filetree.Node, parent int32) string {
	if parent < 0 && p.name != "" {
		return p.name
	}
	return p.a.Tree.Name(n)
}

// rel returns the path of an item relative to root.
func (p *Plan) rel(it item) string {
	name := p.nameOf(it.node, it.parent)
	for it.parent >= 0 {
		it = p.items[it.parent]
		name = p.nameOf(it.node, it.parent) + "/" + name
	}
	return name
}

// path returns the path of an item on the disk, for messages.
func (p *Plan) path(it item) string { return filepath.Join(p.base, p.rel(it)) }

// note records that an entry is skipped, and why.
func (p *Plan) note(n filetree.Node, text string) {
	p.Skipped++
	p.remark(n, text)
}

// remark records how an entry differs from the image's.
func (p *Plan) remark(n filetree.Node, text string) {
	if len(p.Notes) < maxNotes {
		p.Notes = append(p.Notes, Note{p.a.Tree.Path(n), text})
	}
}

// lookup returns the file with a name in a folder, nil if there is none.
func lookup(dir *os.Root, name string) (fs.FileInfo, error) {
	if dir == nil {
		return nil, nil
	}
	info, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, err
}

// enter opens a folder in another. It does not follow a symlink.
func enter(dir *os.Root, name string) (*os.Root, error) {
	sub, err := dir.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	named, err := dir.Lstat(name)
	if err == nil {
		var opened fs.FileInfo
		if opened, err = sub.Stat("."); err == nil && (!named.IsDir() || !os.SameFile(named, opened)) {
			err = errors.New("it is no longer a folder")
		}
	}
	if err != nil {
		sub.Close()
		return nil, err
	}
	return sub, nil
}

func kindOf(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return "file"
	case mode&fs.ModeSymlink != 0:
		return "symlink"
	case mode.IsDir():
		return "folder"
	}
	return "special file"
}

// badName reports whether the disk rejected a name.
func badName(err error) bool {
	return errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EILSEQ) || errors.Is(err, syscall.EINVAL)
}
