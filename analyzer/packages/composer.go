package packages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// isComposer reports whether a path is the list of the packages that Composer has
// installed.
func isComposer(p, name string) bool {
	return name == "installed.json" && path.Base(path.Dir(p)) == "composer"
}

// readComposer reads the packages that Composer has installed: an object, or for
// Composer 1 only the array in it.
func readComposer(_ string, s *layer.Sample) ([]record, error) {
	type pkg struct {
		Name    string  `json:"name"`
		Version string  `json:"version"`
		Path    *string `json:"install-path"` // null for a package without files
	}
	var installed struct {
		Packages []pkg `json:"packages"`
	}
	to := any(&installed)
	one := bytes.HasPrefix(bytes.TrimSpace(s.Head), []byte("["))
	if one {
		to = &installed.Packages
	}
	if err := json.Unmarshal(s.Head, to); err != nil {
		return nil, fmt.Errorf("decoding JSON: %w", err)
	}
	switch {
	case installed.Packages == nil:
		return nil, errors.New("decoding JSON: it has no array of packages")
	case len(installed.Packages) > maxPackages:
		return nil, errTooMany
	}
	var out []record
	for i, p := range installed.Packages {
		if p.Name == "" {
			return nil, fmt.Errorf("finding the name of package %d: it has none", i)
		}
		r := record{Type: facts.TypeComposer, Name: p.Name, Version: p.Version}
		switch {
		case p.Path != nil && *p.Path != "":
			r.Owns = *p.Path
		case one:
			r.Owns = "../" + p.Name
		}
		out = append(out, r)
	}
	return out, nil
}
