package packages

import (
	"iter"
	"path"
	"strings"
)

// record is what one file of a database says about a package, or about the files of
// a package. Its paths are absolute in the image, or relative to the folder of the
// file.
type record struct {
	Type    string   `json:",omitempty"` // one of the facts.Type constants
	Name    string   `json:",omitempty"` // "" in a file that only lists the files of a package
	Version string   `json:",omitempty"`
	Arch    string   `json:",omitempty"`
	ID      string   `json:",omitempty"` // tells packages of one database apart if name and architecture don't
	Files   list     `json:",omitzero"`
	Owns    string   `json:",omitempty"` // a file or folder that belongs to it with everything below; "." is the folder of the file
	Lists   []string `json:",omitempty"` // the files that may list its files: the first that exists does
	// Diversions is a file that says which listed files are elsewhere, as dpkg-divert
	// writes it.
	Diversions string   `json:",omitempty"`
	Modules    []string `json:",omitempty"` // what a program was built from: "path@version"
}

// list is a list of paths. It keeps each folder once for all files that follow each
// other in it: a database of a few bytes can combine a long folder with many names.
type list struct {
	Dirs  []string   `json:",omitempty"`
	Names [][]string `json:",omitempty"` // of the files in each folder
}

// add adds a path.
func (l *list) add(path string) {
	dir, name := ".", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:max(i, 1)], path[i+1:]
	}
	l.addIn(dir, name)
}

// addIn adds a file of a folder.
func (l *list) addIn(dir, name string) {
	last := len(l.Dirs) - 1
	if last < 0 || l.Dirs[last] != dir {
		l.Dirs = append(l.Dirs, dir)
		l.Names = append(l.Names, nil)
		last++
	}
	l.Names[last] = append(l.Names[last], name)
}

// all yields the paths in their order.
func (l *list) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, names := range l.Names {
			for _, name := range names {
				if !yield(path.Join(l.Dirs[i], name)) {
					return
				}
			}
		}
	}
}
