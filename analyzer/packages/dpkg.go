package packages

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// readStatus reads dpkg's status, or a file of status.d, which has one package and no
// Status field.
func readStatus(name string, s *layer.Sample) ([]record, error) {
	var out []record
	whole := name == "status"
	for stanza := range stanzas(s.Head) {
		field := fields(stanza, "Package", "Status", "Version", "Architecture")
		pkg, status, version, arch := field[0], field[1], field[2], field[3]
		switch {
		case pkg == "" && len(bytes.TrimSpace(stanza)) == 0:
			continue
		case pkg == "":
			return nil, fmt.Errorf("finding the package of stanza %d: it has no Package field", len(out))
		case strings.ContainsAny(pkg, "/\x00"):
			return nil, fmt.Errorf("finding the package of stanza %d: %.80q is not a name", len(out), pkg)
		case whole && !strings.HasSuffix(status, " ok installed"):
			continue
		}
		r := record{Type: facts.TypeDeb, Name: pkg, Version: version, Arch: arch}
		if whole {
			r.Lists = []string{"info/" + pkg + ":" + arch + ".list", "info/" + pkg + ".list"}
			r.Diversions = "diversions"
		} else {
			r.Lists = []string{name + ".md5sums"}
		}
		if out = append(out, r); len(out) > maxPackages {
			return nil, errTooMany
		}
	}
	return out, nil
}

// stanzas yields the stanzas of a text as in RFC 822, which empty lines separate.
func stanzas(text []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			stanza, rest, _ := bytes.Cut(text, []byte("\n\n"))
			if !yield(stanza) {
				return
			}
			text = rest
		}
	}
}

// fields returns the values of the fields with these names, each up to the end of its
// first line.
func fields(stanza []byte, names ...string) []string {
	out := make([]string, len(names))
	for line := range bytes.Lines(stanza) {
		for i, name := range names {
			if out[i] == "" && len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
				out[i] = string(bytes.TrimSpace(line[len(name)+1:]))
			}
		}
	}
	return out
}

// readList reads dpkg's list of the files of a package: rooted paths, folders too.
func readList(_ string, s *layer.Sample) ([]record, error) {
	var l list
	for line := range bytes.Lines(s.Head) {
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 && line[0] != '/' {
			return nil, fmt.Errorf("reading a path: %.80q is not rooted", line)
		}
		l.add(string(line))
	}
	return []record{{Files: l}}, nil
}

// readSums reads a list of checksums and of paths without leading slash.
func readSums(_ string, s *layer.Sample) ([]record, error) {
	var l list
	for line := range bytes.Lines(s.Head) {
		_, path, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("  "))
		if !ok {
			return nil, fmt.Errorf("reading a checksum and a path: %.80q is none", line)
		}
		l.add("/" + string(path))
	}
	return []record{{Files: l}}, nil
}

// readDiversions reads dpkg's diversions: the path that a package lists, where the
// file is instead, and the package that diverts, which has its own file at the path.
func readDiversions(_ string, s *layer.Sample) ([]record, error) {
	lines := strings.Split(strings.TrimSuffix(string(s.Head), "\n"), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return nil, nil
	}
	if len(lines)%3 != 0 {
		return nil, errors.New("reading diversions: the last one is not complete")
	}
	var l list
	for _, path := range lines {
		l.add(path)
	}
	return []record{{Files: l}}, nil
}
