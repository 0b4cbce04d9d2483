package packages

import (
	"iter"
	"path"
	"strings"
	"unicode/utf8"
)

// record is what one file of a database says about a package, or about the files of
// a package. Its paths are absolute in the image, or relative to the folder of the
// file.
type record struct {
	Type    string   `json:",omitempty"` // one of the facts.Type constants
	Name    string   `json:",omitempty"` // "" in a file that only lists the files of a package
	Version string   `json:",omitempty"`
	Arch    string   `json:",omitempty"`
	Files   list     `json:",omitzero"`
	Self    bool     `json:",omitempty"` // the file is the package
	Owns    string   `json:",omitempty"` // a file or folder that belongs to it with everything below; "." is the folder of the file
	Folders []string `json:",omitempty"` // more folders that belong to it; a * above the last name stands for a folder of any name
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
	// Encoded says that each rune stands for a byte, because a path is not UTF-8, which
	// JSON requires.
	Encoded bool `json:",omitempty"`
}

// encode makes all paths UTF-8.
func (l *list) encode() {
	valid := true
	l.replace(func(s string) string {
		valid = valid && utf8.ValidString(s)
		return s
	})
	if valid {
		return
	}
	l.Encoded = true
	l.replace(func(s string) string {
		runes := make([]rune, len(s))
		for i := range len(s) {
			runes[i] = rune(s[i])
		}
		return string(runes)
	})
}

// decode undoes encode.
func (l *list) decode() {
	if !l.Encoded {
		return
	}
	l.Encoded = false
	l.replace(func(s string) string {
		bytes := make([]byte, 0, len(s))
		for _, r := range s {
			bytes = append(bytes, byte(r))
		}
		return string(bytes)
	})
}

// replace replaces every folder and name by what change returns.
func (l *list) replace(change func(string) string) {
	for i, dir := range l.Dirs {
		l.Dirs[i] = change(dir)
	}
	for _, names := range l.Names {
		for i, name := range names {
			names[i] = change(name)
		}
	}
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
