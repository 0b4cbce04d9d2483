package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"fathom/ui"
)

// mapping is the keys that a mapping in a config file can have, and what reads
// each.
type mapping map[string]func(*yaml.Node) error

// parseConfig reads a whole config file.
func parseConfig(data []byte, top mapping) error {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) != 1:
		return hinted("the first line must be version: 1", "the file is empty")
	case err != nil:
		return brokenYAML(data, err)
	}
	if !errors.Is(dec.Decode(&more), io.EOF) {
		return errors.New("the file has more than one document")
	}
	root, err := expand(doc.Content[0])
	if err != nil {
		return err
	}
	if err := top.read(root); err != nil {
		return err
	}
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value == "version" {
			return nil
		}
	}
	return hinted("the first line must be version: 1", "it has no version")
}

// brokenYAML returns a syntax error with its place and, for common mistakes, a
// hint.
func brokenYAML(data []byte, err error) error {
	var broken *yaml.LoadError
	if !errors.As(err, &broken) || broken.Mark.Line == 0 {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", " "))
	}
	err = fmt.Errorf("line %d, column %d: %s", broken.Mark.Line, broken.Mark.Column, broken.Message)
	lines := strings.Split(string(data), "\n")
	line := lines[min(broken.Mark.Line, len(lines))-1]
	switch rest := line[min(max(broken.Mark.Column-1, 0), len(line)):]; {
	case strings.HasPrefix(rest, "\t"):
		return &hintError{err, "YAML needs spaces in place of the tab"}
	case rest != "" && strings.Contains("*%@`", rest[:1]):
		return &hintError{err, "put what begins with " + rest[:1] + " in quotes"}
	}
	return err
}

// maxNodes is how many values a file may hold once its aliases are expanded. An
// alias can refer to itself, or to many others.
const maxNodes = 100_000

// expand returns the value with its aliases and merge keys expanded.
func expand(n *yaml.Node) (*yaml.Node, error) {
	left := maxNodes
	var all func(n *yaml.Node) (*yaml.Node, error)
	all = func(n *yaml.Node) (*yaml.Node, error) {
		if left--; left < 0 {
			return nil, at(n, "the file's aliases expand to more than %d values", maxNodes)
		}
		if n.Kind == yaml.AliasNode {
			x, err := all(n.Alias)
			if err == nil {
				x.Line, x.Column = n.Line, n.Column
			}
			return x, err
		}
		out := *n
		out.Content = nil
		var merged []*yaml.Node
		for i, x := range n.Content {
			x, err := all(x)
			switch {
			case err != nil:
				return nil, err
			case n.Kind == yaml.MappingNode && n.Content[i&^1].Tag == "!!merge":
				if i%2 == 1 {
					merged = append(merged, x)
				}
			default:
				out.Content = append(out.Content, x)
			}
		}
		if len(merged) > 1 {
			return nil, at(n, "the key \"<<\" is given twice")
		}
		has := map[string]bool{}
		for i := 0; i < len(out.Content) && len(merged) > 0; i += 2 {
			has[strings.ToLower(out.Content[i].Value)] = true
		}
		for _, m := range merged {
			if err := merge(&out, has, m); err != nil {
				return nil, err
			}
		}
		return &out, nil
	}
	return all(n)
}

// merge adds the keys of a mapping, or of each of a list of them, that to doesn't
// have yet. As in dive, keys ignore case.
func merge(to *yaml.Node, has map[string]bool, from *yaml.Node) error {
	if from.Kind == yaml.SequenceNode {
		for _, x := range from.Content {
			if x.Kind == yaml.SequenceNode {
				return at(x, "expected keys and values")
			}
			if err := merge(to, has, x); err != nil {
				return err
			}
		}
		return nil
	}
	if from.Kind != yaml.MappingNode {
		return at(from, "expected keys and values")
	}
	for i := 0; i+1 < len(from.Content); i += 2 {
		key := strings.ToLower(from.Content[i].Value)
		if !has[key] {
			has[key] = true
			to.Content = append(to.Content, from.Content[i], from.Content[i+1])
		}
	}
	return nil
}

// read reads a mapping. Every key must be known, and unique.
func (s mapping) read(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "expected keys and values: %s", strings.Join(slices.Sorted(maps.Keys(s)), ", "))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		read := s[k.Value]
		switch {
		case read == nil && k.Value == "rules" && s["ci"] != nil:
			return hinted("rules are keys of the section ci (docs/config.md); a file of dive's is called .dive-ci, and fathom config init takes its limits over",
				"%w", at(k, "unknown key %q", k.Value))
		case read == nil:
			return unknown(at(k, "unknown key %q", k.Value), k.Value, slices.Sorted(maps.Keys(s)))
		case seen[k.Value]:
			return at(k, "the key %q is given twice", k.Value)
		}
		seen[k.Value] = true
		if err := read(v); err != nil {
			return err
		}
	}
	return nil
}

// at returns an error with its place in the file.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d, column %d: %w", n.Line, n.Column, fmt.Errorf(format, args...))
}

// unknown adds a hint to an error: the name that may have been meant, or all
// names.
func unknown(err error, name string, names []string) error {
	if near := nearest(name, names); near != "" {
		return &hintError{err, fmt.Sprintf("did you mean %s?", near)}
	}
	return &hintError{err, "there are " + strings.Join(names, ", ")}
}

// scalar returns the text of a single value. A number is in decimal digits,
// however the file writes it.
func scalar(n *yaml.Node) (string, error) {
	switch number, ok := typed(n); {
	case n.Kind == yaml.ScalarNode && ok:
		return number, nil
	case n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!timestamp"):
		return n.Value, nil
	case n.Kind == yaml.ScalarNode && strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		return "", hinted("put what begins with ! in quotes", "%w", at(n, "%s is a tag", n.Tag))
	}
	return "", at(n, "expected a single value")
}

// textOf returns a single value that is a string in YAML.
func textOf(n *yaml.Node) (string, error) {
	s, err := scalar(n)
	if err == nil && n.Tag != "!!str" {
		return "", hinted("put it in quotes", "%w", at(n, "%s is not a string", n.Value))
	}
	return s, err
}

func version1(n *yaml.Node) error {
	if v, ok := typed(n); !ok || v != "1" {
		return at(n, "only version 1 is supported: write version: 1")
	}
	return nil
}

// nameOf returns a single value that is one of names.
func nameOf(n *yaml.Node, names []string) (string, error) {
	s, err := scalar(n)
	if err != nil {
		return "", err
	}
	if err := among(s, names); err != nil {
		return "", at(n, "%w", err)
	}
	return s, nil
}

func truthOf(n *yaml.Node) (bool, error) {
	v := strings.EqualFold(n.Value, "true")
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || !v && !strings.EqualFold(n.Value, "false") {
		return false, at(n, "expected true or false")
	}
	return v, nil
}

// keyTable reads the name of a preset, or actions with a key, or a list of keys, each,
// which may be on top of a preset.
func keyTable(to *ui.Options) kind {
	return kind{node: func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		var preset string
		presets := func(v *yaml.Node) error {
			var err error
			if preset, err = scalar(v); err != nil {
				return err
			}
			if all := ui.Presets(); !slices.Contains(all, preset) {
				return hinted("presets: "+strings.Join(all, ", "), "%w", at(v, "unknown preset %q", preset))
			}
			return nil
		}
		all := map[string][]string{}
		places := map[string]*yaml.Node{}
		actions := mapping{"preset": presets}
		for _, action := range ui.Actions() {
			actions[action] = func(v *yaml.Node) error {
				list := []*yaml.Node{v}
				if v.Kind == yaml.SequenceNode {
					list = v.Content
				}
				places[action] = v
				all[action] = []string{}
				for _, k := range list {
					name, err := scalar(k)
					if err != nil {
						return err
					}
					all[action] = append(all[action], name)
					places[action+" "+name] = k
				}
				return nil
			}
		}
		read := actions.read
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			read = presets
		}
		if err := read(n); err != nil {
			return given{}, err
		}
		err := ui.CheckKeys(preset, all)
		var bad *ui.KeyError
		if errors.As(err, &bad) {
			err = at(places[bad.Action+" "+bad.Key], "%w", err)
		}
		return given{from: place(n), put: func(string) { to.Preset, to.Keys = preset, all }}, err
	}}
}

// nearest returns the one of names that is most similar to name, or "".
func nearest(name string, names []string) string {
	best, at := 3, ""
	for _, n := range names {
		if d := distance(strings.ToLower(name), n); d < best && d < len(n) {
			best, at = d, n
		}
	}
	return at
}

// distance returns how many letters must be added, removed or changed to turn a
// into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
