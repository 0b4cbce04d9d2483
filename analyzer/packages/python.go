package packages

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// isDistInfo returns a function that reports whether a path is the file with this name
// in the folder in which pip describes a package.
func isDistInfo(file string) func(p, name string) bool {
	return func(p, name string) bool { return name == file && strings.HasSuffix(path.Dir(p), ".dist-info") }
}

// isEggInfo is the same for the older form of the folder. Setuptools makes such a folder
// next to sources, too, so it counts only where Python finds installed packages.
func isEggInfo(file string) func(p, name string) bool {
	return func(p, name string) bool {
		if name != file {
			return false
		}
		folder := path.Dir(p)
		return strings.HasSuffix(folder, ".egg-info") && isSite(path.Dir(folder))
	}
}

// isEggFile reports whether a path is a file that describes a package on its own, as
// distutils wrote it.
func isEggFile(p, name string) bool {
	return strings.HasSuffix(name, ".egg-info") && isSite(path.Dir(p))
}

// isEgg reports whether a path describes the package of an unpacked egg.
func isEgg(p, name string) bool {
	folder, ok := strings.CutSuffix(p, "/EGG-INFO/PKG-INFO")
	return ok && strings.HasSuffix(folder, ".egg")
}

// isDescription reports whether a folder with this name is about one version of a
// package.
func isDescription(name string) bool {
	ext := path.Ext(name)
	return ext == ".dist-info" || ext == ".egg-info" || ext == ".egg" || name == "EGG-INFO"
}

// isSite reports whether a folder is one in which Python finds installed packages.
func isSite(folder string) bool {
	base := path.Base(folder)
	return base == "site-packages" || base == "dist-packages"
}

// readMetadata reads METADATA, whose package has its files in RECORD. Without it only
// the folder of the file belongs to the package.
func readMetadata(_ string, s *layer.Sample) ([]record, error) {
	return readPython(s, record{Owns: ".", Lists: []string{"RECORD"}})
}

// readPkgInfo reads PKG-INFO in an egg-info folder.
func readPkgInfo(_ string, s *layer.Sample) ([]record, error) {
	return readPython(s, record{Owns: ".", Lists: []string{"installed-files.txt"}})
}

// readEggFile reads a file that describes a package of which no list of files exists.
func readEggFile(name string, s *layer.Sample) ([]record, error) {
	return readPython(s, record{Owns: name})
}

// readEgg reads PKG-INFO in an unpacked egg, a folder with the whole package.
func readEgg(_ string, s *layer.Sample) ([]record, error) {
	return readPython(s, record{Owns: ".."})
}

// readPython completes r with the name and the version in the header of a file that
// describes a Python package.
func readPython(s *layer.Sample, r record) ([]record, error) {
	header, _, _ := bytes.Cut(s.Head, []byte("\n\n"))
	header, _, _ = bytes.Cut(header, []byte("\n\r\n"))
	field := fields(header, "Name", "Version")
	r.Type, r.Name, r.Version = facts.TypePython, field[0], field[1]
	if r.Name == "" {
		return nil, errors.New("finding the name of the package: it has no Name field")
	}
	return []record{r}, nil
}

// readRecord reads RECORD: path, checksum and size of each file as CSV. The paths are
// relative to the parent of its folder.
func readRecord(_ string, s *layer.Sample) ([]record, error) {
	var l list
	rest := string(s.Head)
	for number := 1; rest != ""; number++ {
		var p string
		quoted, isQuoted := strings.CutPrefix(rest, `"`)
		if isQuoted {
			end := closing(quoted)
			if end < 0 {
				return nil, fmt.Errorf("reading entry %d: a quote without end", number)
			}
			p, rest = strings.ReplaceAll(quoted[:end], `""`, `"`), quoted[end+1:]
			if rest != "" && !strings.ContainsAny(rest[:1], ",\r\n") {
				return nil, fmt.Errorf("reading entry %d: text after the quoted path %.80q", number, p)
			}
		}
		line, after, whole := strings.Cut(rest, "\n")
		if !whole && strings.Count(line, ",") < 2 {
			return nil, fmt.Errorf("reading entry %d: unexpected end of file", number)
		}
		if !isQuoted {
			p, _, _ = strings.Cut(strings.TrimSuffix(line, "\r"), ",")
		}
		rest = after
		switch {
		case p == "":
		case p[0] == '/':
			l.add(p)
		default:
			l.add("../" + p)
		}
	}
	return []record{{Files: l}}, nil
}

// closing returns the index of the quote that ends a field of CSV, -1 if there is none.
// Two quotes are one quote of the field.
func closing(field string) int {
	for at := 0; ; at += 2 {
		i := strings.IndexByte(field[at:], '"')
		if i < 0 {
			return -1
		}
		if at += i; !strings.HasPrefix(field[at+1:], `"`) {
			return at
		}
	}
}

// readInstalledFiles reads installed-files.txt: a path a line, relative to its folder.
func readInstalledFiles(_ string, s *layer.Sample) ([]record, error) {
	var l list
	for line := range strings.Lines(string(s.Head)) {
		p, whole := strings.CutSuffix(line, "\n")
		if !whole {
			return nil, errors.New("reading the last path: unexpected end of file")
		}
		if p = strings.TrimSuffix(p, "\r"); p != "" {
			l.add(p)
		}
	}
	return []record{{Files: l}}, nil
}
