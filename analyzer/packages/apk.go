package packages

import (
	"errors"
	"fmt"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// readAPK reads the database of apk. Each line is a field: a letter, a colon and a
// value. An empty line ends a package.
func readAPK(_ string, s *layer.Sample) ([]record, error) {
	var out []record
	var r record
	folder, inside := "", false // the last F, and whether the package has one
	number, begun := 0, false
	for line := range strings.Lines(string(s.Head)) {
		number++
		line, whole := strings.CutSuffix(line, "\n")
		switch {
		case !whole:
			return nil, fmt.Errorf("reading line %d: unexpected end of file", number)
		case line == "" && !begun:
			continue
		case line == "":
			if r.Name == "" {
				return nil, fmt.Errorf("reading the package that ends in line %d: it has no name", number)
			}
			if out = append(out, r); len(out) > maxPackages {
				return nil, errTooMany
			}
			r, inside, begun = record{}, false, false
			continue
		case len(line) < 2 || line[1] != ':':
			return nil, fmt.Errorf("reading line %d: %.80q is not a field", number, line)
		}
		r.Type, begun = facts.TypeAPK, true
		switch value := line[2:]; line[0] {
		case 'P':
			r.Name = value
		case 'V':
			r.Version = value
		case 'A':
			r.Arch = value
		case 'F':
			folder, inside = "/"+value, true
		case 'R':
			if !inside {
				return nil, fmt.Errorf("reading line %d: the file %.80q has no folder", number, value)
			}
			r.Files.addIn(folder, value)
		}
	}
	if begun {
		return nil, errors.New("reading the last package: unexpected end of file")
	}
	return out, nil
}
