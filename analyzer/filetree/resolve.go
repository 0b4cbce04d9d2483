package filetree

import (
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/layer"
)

// maxSymlinks is the most symlinks that Resolve follows, as on Linux.
const maxSymlinks = 40

// Resolve returns the node that path leads to after layer i. It follows symlinks
// among the parents inside the image. It follows a symlink at the end of path if
// follow is set or path ends in a slash. If a part of the path does not exist, the
// error is a *MissingError.
func (t *Tree) Resolve(path string, i int, follow bool) (Node, error) {
	follow = follow || strings.HasSuffix(path, "/")
	rest := strings.Split(path, "/")
	n := Root
	links := 0
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if n != Root {
				n = t.Parent(n)
			}
			continue
		}
		st, shown := t.At(n, i)
		if n != Root && shown && st.Kind != layer.Dir {
			return None, fmt.Errorf("%s: %s is a %s, not a directory", path, t.Path(n), st.Kind.Noun())
		}
		child, ok := t.Child(n, name)
		if ok {
			st, ok = t.At(child, i)
		}
		if !ok {
			return None, t.missing(path, strings.TrimSuffix(t.Path(n), "/")+"/"+name, i)
		}
		last := !slices.ContainsFunc(rest, func(name string) bool { return name != "" })
		if st.Kind != layer.Symlink || last && !follow {
			n = child
			continue
		}
		if links++; links > maxSymlinks {
			return None, fmt.Errorf("%s: more than %d symlinks, one after the other", path, maxSymlinks)
		}
		if strings.HasPrefix(st.Target, "/") {
			n = Root
		}
		rest = append(strings.Split(st.Target, "/"), rest...)
	}
	return n, nil
}

// MissingError reports a path that does not exist after a layer.
type MissingError struct {
	Path      string
	Layer     int  // the layer after which it does not exist
	Last      bool // Layer is the last layer of the image
	RemovedBy int  // the layer that removed it, at most Layer; -1 if none did
	AddedBy   int  // if no layer removed it, the first layer above Layer that has it; -1 if none has
}

func (e *MissingError) Error() string {
	if e.Last {
		return e.Path + ": no such file or directory in the image"
	}
	return fmt.Sprintf("%s: no such file or directory after layer %d", e.Path, e.Layer)
}

// missing returns the error for the part of path that does not exist after layer i.
func (t *Tree) missing(path, part string, i int) error {
	whole := strings.Trim(part, "/") == strings.Trim(path, "/")
	if whole {
		part = path
	}
	e := &MissingError{Path: part, Layer: i, Last: i == t.Layers()-1, RemovedBy: -1, AddedBy: -1}
	if n, ok := t.Lookup(part); ok {
		for k := i - 1; k >= 0 && e.RemovedBy < 0; k-- {
			if _, shown := t.At(n, k); shown {
				e.RemovedBy = k + 1
			}
		}
		for k := i + 1; k < t.Layers() && e.RemovedBy < 0 && e.AddedBy < 0; k++ {
			if _, shown := t.At(n, k); shown {
				e.AddedBy = k
			}
		}
	}
	if whole {
		return e
	}
	return fmt.Errorf("%s: %w", path, e)
}
