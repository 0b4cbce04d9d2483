package main

import (
	"fmt"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// maxHops is how many symlinks a path may lead through, as on Linux.
const maxHops = 40

// find is the node that path leads to after layer i, through the symlinks
// among its parents as they are in the image; a symlink at its end is followed
// when follow is set, or when a slash stands behind it.
func find(t *filetree.Tree, path string, i int, follow bool) (filetree.Node, error) {
	missing := func(at string) error {
		if at == "" || at == path || strings.Trim(at, "/") == strings.Trim(path, "/") {
			return &missingError{tree: t, path: path, layer: i}
		}
		return fmt.Errorf("%s: %w", path, &missingError{tree: t, path: at, layer: i})
	}
	follow = follow || strings.HasSuffix(path, "/")
	todo := strings.Split(path, "/")
	n := filetree.Root
	hops := 0
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if n != filetree.Root {
				n = t.Parent(n)
			}
			continue
		}
		st, shown := t.At(n, i)
		if n != filetree.Root && shown && st.Kind != layer.Dir {
			return filetree.None, fmt.Errorf("%s: %s is a %s, not a directory", path, t.Path(n), kindWord(st.Kind))
		}
		child, ok := t.Child(n, name)
		if ok {
			st, ok = t.At(child, i)
		}
		if !ok {
			return filetree.None, missing(strings.TrimSuffix(t.Path(n), "/") + "/" + name)
		}
		if st.Kind != layer.Symlink || !follow && !more(todo) {
			n = child
			continue
		}
		if hops++; hops > maxHops {
			return filetree.None, fmt.Errorf("%s: more than %d symlinks, one after the other", path, maxHops)
		}
		if strings.HasPrefix(st.Target, "/") {
			n = filetree.Root
		}
		todo = append(strings.Split(st.Target, "/"), todo...)
	}
	return n, nil
}

// more is whether anything but slashes is left of a path.
func more(todo []string) bool {
	for _, name := range todo {
		if name != "" {
			return true
		}
	}
	return false
}

// missingError is a path that isn't there after a layer.
type missingError struct {
	tree  *filetree.Tree
	path  string
	layer int
}

func (e *missingError) Error() string {
	if e.layer == e.tree.Layers()-1 {
		return e.path + ": no such file or directory in the image"
	}
	return fmt.Sprintf("%s: no such file or directory after layer %d", e.path, e.layer)
}

// hint says which layer last showed the path, if any does.
func (e *missingError) hint() string {
	n, ok := e.tree.Lookup(e.path)
	if !ok {
		return ""
	}
	for i := e.layer - 1; i >= 0; i-- {
		if _, ok := e.tree.At(n, i); ok {
			return fmt.Sprintf("layer %d removed it: --layer %d shows it as it was", i+1, i)
		}
	}
	for i := e.layer + 1; i < e.tree.Layers(); i++ {
		if _, ok := e.tree.At(n, i); ok {
			return fmt.Sprintf("layer %d adds it", i)
		}
	}
	return ""
}

// kindWord is the kind as a sentence names it.
func kindWord(k layer.Kind) string {
	switch k {
	case layer.Dir:
		return "directory"
	case layer.Link:
		return "hard link to nothing"
	case layer.Char:
		return "character device"
	case layer.Block:
		return "block device"
	case layer.Fifo:
		return "named pipe"
	}
	return k.String()
}
