package packages

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// isConda reports whether a path is what conda writes about a package that it has
// installed.
func isConda(p, name string) bool {
	return strings.HasSuffix(name, ".json") && path.Base(path.Dir(p)) == "conda-meta"
}

// readConda reads what conda writes about a package. The paths of its files are
// relative to the parent of the file's folder.
func readConda(name string, s *layer.Sample) ([]record, error) {
	var p struct {
		Name    string   `json:"name"`
		Version string   `json:"version"`
		Arch    string   `json:"arch"`
		Files   []string `json:"files"`
	}
	if err := json.Unmarshal(s.Head, &p); err != nil {
		return nil, fmt.Errorf("decoding JSON: %w", err)
	}
	if p.Name == "" {
		return nil, errors.New("finding the name of the package: it has none")
	}
	r := record{Type: facts.TypeConda, Name: p.Name, Version: p.Version, Arch: p.Arch}
	for _, file := range p.Files {
		r.Files.add("../" + file)
	}
	r.Files.add(name)
	return []record{r}, nil
}
