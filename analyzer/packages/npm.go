package packages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// isModule reports whether a path is the package.json of an installed npm package:
// node_modules/NAME/package.json or node_modules/@SCOPE/NAME/package.json. pnpm puts
// packages into such folders too, below node_modules/.pnpm.
func isModule(path, name string) bool {
	if name != "package.json" {
		return false
	}
	folder := strings.TrimSuffix(path, "/package.json")
	i := strings.LastIndex(folder, "node_modules/")
	if i < 0 || i > 0 && folder[i-1] != '/' {
		return false
	}
	folder = folder[i+len("node_modules/"):]
	if scope, rest, ok := strings.Cut(folder, "/"); ok {
		if !strings.HasPrefix(scope, "@") {
			return false
		}
		folder = rest
	}
	return folder != "" && folder[0] != '.' && !strings.Contains(folder, "/")
}

// readModule reads the package.json of an installed npm package. It reads no further
// than the name and the version, which usually come first.
func readModule(_ string, s *layer.Sample) ([]record, error) {
	r := record{Type: facts.TypeNPM, Owns: "."}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(s.Head, []byte("\ufeff"))))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("decoding JSON: it is not an object")
	}
	for d.More() && (r.Name == "" || r.Version == "") {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("decoding JSON: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("decoding JSON: %w", err)
		}
		text := func(to *string) {
			if value[0] == '"' {
				_ = json.Unmarshal(value, to)
			}
		}
		switch key {
		case "name":
			text(&r.Name)
		case "version":
			text(&r.Version)
		}
	}
	if r.Name == "" || r.Version == "" {
		if _, err := d.Token(); err != nil {
			return nil, fmt.Errorf("decoding JSON: %w", err)
		}
	}
	if r.Name == "" {
		return nil, nil // a folder of a package that only sets the type of its modules
	}
	return []record{r}, nil
}
