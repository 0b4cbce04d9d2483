package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/report"
)

const lsLong = `List the files of the image as a container would see them, one per line: mode,
owner, size, the layer that the entry comes from, the path and, for a symlink or
another name of a file, what it points to.

--layer N lists only what layer N changed, and how: + added, ~ modified,
- removed, = stored or listed again unchanged.

PATH lists that path and everything below it. Symlinks among its parents are
followed inside the image.`

func newLs(a *app) *cobra.Command {
	var (
		s      = newSettings()
		n      layerFlag
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "ls [flags] IMAGE [PATH]",
		Short: "List the files of an image, or what one layer changed",
		Long:  lsLong,
		Args:  takes(1, 2, "an IMAGE and an optional PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			an, err := a.files(cmd, args[0], s, 0)
			if err != nil {
				return err
			}
			defer an.Image.Close()
			l := lister{tree: an.Tree, at: an.Tree.Layers() - 1}
			if err := n.check(l.tree.Layers()); err != nil {
				return err
			}
			if n.given {
				l.at, l.view = n.n, l.tree.View(n.n-1, n.n)
			}
			below := filetree.Root
			if len(args) == 2 {
				if below, err = l.find(args[1]); err != nil {
					return err
				}
			}
			return l.write(a.stdout, below, asJSON)
		},
	}
	s.addFlags(cmd.Flags(), opening)
	n.add(cmd, "list what layer `N` changed, 0 being the bottom")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per line, sorted by path (docs/json.md)")
	return cmd
}

// lister lists the state after layer at or, with a view, what that layer
// touched.
type lister struct {
	tree *filetree.Tree
	at   int
	view *filetree.View
}

// find returns where the listing begins. In a layer's changes a path is first
// taken literally: what the layer removed can't be resolved any more.
func (l *lister) find(path string) (filetree.Node, error) {
	if l.view != nil {
		if n, ok := l.tree.Lookup(path); ok && l.touches(n) {
			return n, nil
		}
	}
	return l.tree.Resolve(path, l.at, false)
}

func (l *lister) touches(n filetree.Node) bool {
	return l.view.Change(n).Touched || l.view.Sum(n).Marks != 0
}

// file is a line of the listing.
type file struct {
	path string
	node filetree.Node
}

// write lists n and what is below it, sorted by path as bytes; the root itself
// is left out.
func (l *lister) write(w io.Writer, below filetree.Node, asJSON bool) error {
	var nodes []filetree.Node
	for n := below; n < l.tree.End(below); n++ {
		if n != filetree.Root && l.lists(n) {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, l.tree.ComparePaths)
	b := bufio.NewWriter(w)
	for _, n := range nodes {
		f := &file{l.tree.Path(n), n} // all paths at once may be more than the image
		var err error
		if asJSON {
			err = l.json(b, f)
		} else {
			err = l.text(b, f)
		}
		if err != nil {
			return err
		}
	}
	return b.Flush()
}

// lists reports whether n is a line of the listing.
func (l *lister) lists(n filetree.Node) bool {
	if l.view == nil {
		_, shown := l.tree.At(n, l.at)
		return shown
	}
	c := l.view.Change(n)
	return c.Touched && c.Mark != filetree.Absent
}

// state returns the state of n; for what the layer removed, the state before.
func (l *lister) state(n filetree.Node) filetree.State {
	if l.view == nil {
		st, _ := l.tree.At(n, l.at)
		return st
	}
	st, _ := l.view.State(n)
	return st
}

// link returns where an entry points: the target of a symlink, or the first name
// of a file that has several.
func (l *lister) link(n filetree.Node, st *filetree.State) string {
	switch {
	case st.Kind == layer.Symlink:
		return st.Target
	case st.Kind == layer.Link:
		return "/" + st.Target
	case st.Content == filetree.NoContent:
		return ""
	}
	at := l.at
	if l.view != nil && l.view.Change(n).Mark == filetree.Removed {
		at-- // the names it had before
	}
	first := l.tree.FirstName(st.Content, at)
	if first == filetree.None || first == n {
		return ""
	}
	return l.tree.Path(first)
}

// entry is a line of ls --json, and a contract. Fields are added, never renamed.
type entry struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"pathBytes,omitempty"` // where the path is no UTF-8
	Kind      string `json:"kind"`
	Mode      string `json:"mode"`
	UID       int64  `json:"uid"`
	GID       int64  `json:"gid"`
	Size      int64  `json:"size"`
	Link      string `json:"link"`
	LinkBytes []byte `json:"linkBytes,omitempty"` // where the link is no UTF-8
	Layer     int    `json:"layer"`
	*change
}

// change is what --layer adds to an entry.
type change struct {
	Change  string `json:"change"`
	Differs string `json:"differs"`
	Stored  int64  `json:"stored"`
}

func (l *lister) json(b *bufio.Writer, f *file) error {
	st := l.state(f.node)
	e := entry{
		Path: f.path, Kind: st.Kind.String(), Mode: fmt.Sprintf("%04o", st.Mode), UID: st.UID, GID: st.GID,
		Size: st.Size, Link: l.link(f.node, &st), Layer: st.Layer,
	}
	e.PathBytes, e.LinkBytes = lossy(e.Path), lossy(e.Link)
	if l.view != nil {
		c := l.view.Change(f.node)
		e.change = &change{c.Mark.String(), c.Differs.String(), c.Stored}
	}
	line, err := report.Line(e)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", f.path, err)
	}
	b.Write(line)
	return b.WriteByte('\n')
}

// lossy returns s as bytes if it is not valid UTF-8, which JSON requires.
func lossy(s string) []byte {
	if utf8.ValidString(s) {
		return nil
	}
	return []byte(s)
}

var changeMark = map[filetree.Mark]string{
	filetree.Added: "+ ", filetree.Modified: "~ ", filetree.Removed: "- ", filetree.Unchanged: "= ",
}

func (l *lister) text(b *bufio.Writer, f *file) error {
	if l.view != nil {
		b.WriteString(changeMark[l.view.Change(f.node).Mark])
	}
	st := l.state(f.node)
	fmt.Fprintf(b, "%s %9s %7s %3s  %s", report.Mode(st.Kind, st.Mode), fmt.Sprintf("%d:%d", st.UID, st.GID),
		sizeText(&st), strconv.Itoa(st.Layer), report.Safe(f.path))
	if to := l.link(f.node, &st); to != "" {
		arrow := " -> "
		if st.Kind != layer.Symlink {
			arrow = " == " // another name of the same content
		}
		b.WriteString(arrow + report.Safe(to))
	}
	return b.WriteByte('\n')
}

// sizeText formats the size, or the numbers of a device.
func sizeText(st *filetree.State) string {
	switch st.Kind {
	case layer.Char, layer.Block:
		return fmt.Sprintf("%d,%d", st.Major, st.Minor)
	case layer.File:
		return report.Size(st.Size)
	}
	return "-"
}
