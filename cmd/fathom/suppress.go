package main

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"fathom/analyzer/gate"
)

// suppressions is a list of path or package, rule, reason and until.
func suppressions(to *[]gate.Suppression) kind {
	return kind{node: func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		if n.Kind != yaml.SequenceNode {
			return given{}, at(n, "expected a list: - {path: GLOB, reason: TEXT, until: DAY}")
		}
		var all []gate.Suppression
		for _, item := range n.Content {
			s, err := suppression(item)
			if err != nil {
				return given{}, err
			}
			s.Source = place(item)
			all = append(all, s)
		}
		return given{from: place(n), put: func(string) { *to = all }}, nil
	}}
}

func suppression(n *yaml.Node) (s gate.Suppression, err error) {
	err = mapping{
		"path": func(v *yaml.Node) (err error) {
			if s.Path, err = textOf(v); err != nil {
				return err
			}
			if err := gate.CheckGlob(s.Path); err != nil {
				return at(v, "%w", err)
			}
			return nil
		},
		"package": func(v *yaml.Node) (err error) {
			if s.Package, err = textOf(v); err != nil {
				return err
			}
			if err := gate.CheckPackageGlob(s.Package); err != nil {
				return at(v, "%w", err)
			}
			return nil
		},
		"rule": func(v *yaml.Node) error {
			list := []*yaml.Node{v}
			if v.Kind == yaml.SequenceNode {
				list = v.Content
			}
			for _, item := range list {
				name, err := nameOf(item, gate.SuppressibleRules())
				if err != nil {
					return err
				}
				if slices.Contains(s.Rules, name) {
					return at(item, "%s is given twice", name)
				}
				s.Rules = append(s.Rules, name)
			}
			if len(list) == 0 {
				return at(v, "the list is empty")
			}
			return nil
		},
		"reason": func(v *yaml.Node) (err error) {
			s.Reason, err = textOf(v)
			return err
		},
		"until": func(v *yaml.Node) error {
			day, err := scalar(v)
			if err != nil {
				return err
			}
			if s.Until, err = gate.ParseDay(day); err != nil {
				return at(v, "%q is %w", day, err)
			}
			return nil
		},
	}.read(n)
	switch {
	case err != nil:
	case s.Path == "" && s.Package == "" && s.CheckPath() != nil:
		err = at(n, "this suppression has no path")
	case s.CheckPath() != nil:
		err = at(n, "the suppression of %s: %w", s.What(), s.CheckPath())
	case strings.TrimSpace(s.Reason) == "":
		err = at(n, "the suppression of %s has no reason", s.What())
	}
	return s, err
}
