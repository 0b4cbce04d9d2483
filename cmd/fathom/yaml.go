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

// section is the keys of a mapping in a config file, and what reads each.
type section map[string]func(*yaml.Node) error

// parseConfig reads a whole config file.
func parseConfig(data []byte, top section) error {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) != 1:
		return hinted("its first line is version: 1", "it says nothing")
	case err != nil:
		return brokenYAML(data, err)
	}
	if !errors.Is(dec.Decode(&more), io.EOF) {
		return errors.New("there is more than one document in it")
	}
	root := doc.Content[0]
	if err := top.read(root); err != nil {
		return err
	}
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value == "version" {
			return nil
		}
	}
	return hinted("its first line is version: 1", "it has no version")
}

// brokenYAML is an error of the YAML itself, with its place and, where what
// stands there tells, what was meant.
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
		return &hintError{err, "YAML wants spaces where the tab is"}
	case rest != "" && strings.Contains("*%@`", rest[:1]):
		return &hintError{err, "what begins with " + rest[:1] + " is put in quotes"}
	}
	return err
}

// read reads a mapping. Every key must be known, and stand there once.
func (s section) read(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "here keys and values are expected: %s", strings.Join(slices.Sorted(maps.Keys(s)), ", "))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		read := s[k.Value]
		switch {
		case read == nil:
			return unknown(at(k, "unknown key %q", k.Value), k.Value, slices.Sorted(maps.Keys(s)))
		case seen[k.Value]:
			return at(k, "the key %q is here twice", k.Value)
		}
		seen[k.Value] = true
		if err := read(v); err != nil {
			return err
		}
	}
	return nil
}

// at is an error with its place in the file.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d, column %d: %w", n.Line, n.Column, fmt.Errorf(format, args...))
}

// unknown adds to an error which name may have been meant, or which there are.
func unknown(err error, name string, names []string) error {
	if near := nearest(name, names); near != "" {
		return &hintError{err, fmt.Sprintf("did you mean %s?", near)}
	}
	return &hintError{err, "there are " + strings.Join(names, ", ")}
}

// scalar is the text of a single value.
func scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", at(n, "here one value is expected")
	}
	return n.Value, nil
}

func version1(n *yaml.Node) error {
	if v, err := scalar(n); err != nil || v != "1" {
		return at(n, "this fathom knows version 1 of the file only")
	}
	return nil
}

func oneOf(to *string, names []string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		v, err := scalar(n)
		if err != nil {
			return err
		}
		if !slices.Contains(names, v) {
			return unknown(at(n, "%q is none of %s", v, strings.Join(names, ", ")), v, names)
		}
		*to = v
		return nil
	}
}

func boolean(to **bool) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
			return at(n, "here true or false is expected")
		}
		v := n.Value == "true"
		*to = &v
		return nil
	}
}

// keyTable reads actions with a key, or a list of keys, each.
func keyTable(to *map[string][]string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		all := map[string][]string{}
		places := map[string]*yaml.Node{}
		actions := section{}
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
		if err := actions.read(n); err != nil {
			return err
		}
		err := ui.CheckKeys(all)
		var bad *ui.KeyError
		if errors.As(err, &bad) {
			return at(places[bad.Action+" "+bad.Key], "%w", err)
		}
		*to = all
		return err
	}
}

// nearest is the one of names that is most like name; "" when none is.
func nearest(name string, names []string) string {
	best, at := 3, ""
	for _, n := range names {
		if d := distance(strings.ToLower(name), n); d < best && d < len(n) {
			best, at = d, n
		}
	}
	return at
}

// distance is how many letters must be put, taken or changed to come from a to b.
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
