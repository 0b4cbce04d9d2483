package main

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"fathom/analyzer/gate"
)

// ciConfig is the section ci of a config file, or a .dive-ci. What it doesn't
// say is nil.
type ciConfig struct {
	file     string
	rules    map[string]setting[ruleValue]
	failOn   *setting[gate.Severity]
	noFail   *setting[bool]
	allowTOC *setting[bool]
	baseline *setting[string]
	suppress []gate.Suppression
	notes    []string
	warnings []string
	err      error // a .dive-ci that can't be read, which matters to the gate only
}

// place is where n stands: ".fathom.yaml:4:13".
func (c *ciConfig) place(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", c.file, n.Line, n.Column)
}

// section is the keys of ci.
func (c *ciConfig) section() section {
	s := section{
		"fail-on": func(n *yaml.Node) error {
			v, err := severity(n)
			c.failOn = &setting[gate.Severity]{v, c.place(n)}
			return err
		},
		"no-fail":   c.truth(&c.noFail),
		"allow-toc": c.truth(&c.allowTOC),
		"baseline": func(n *yaml.Node) error {
			v, err := text(n)
			if err == nil && strings.TrimSpace(v) == "" {
				err = at(n, "the baseline has no name")
			}
			c.baseline = &setting[string]{v, c.place(n)}
			return err
		},
		"suppress": c.suppressions,
	}
	c.rules = map[string]setting[ruleValue]{}
	for _, name := range ruleNames() {
		s[name] = func(n *yaml.Node) error { return c.rule(name, n) }
	}
	return s
}

func (c *ciConfig) truth(to **setting[bool]) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		var v *bool
		if err := boolean(&v)(n); err != nil {
			return err
		}
		*to = &setting[bool]{*v, c.place(n)}
		return nil
	}
}

func severity(n *yaml.Node) (gate.Severity, error) {
	var name string
	if err := oneOf(&name, gate.Severities())(n); err != nil {
		return 0, err
	}
	return gate.Severity(slices.Index(gate.Severities(), name)), nil
}

// rule reads a limit: a value, of rules that deny paths perhaps a list of them,
// or either with a severity.
func (c *ciConfig) rule(name string, n *yaml.Node) error {
	limit, weight := n, gate.Error
	if n.Kind == yaml.MappingNode {
		limit = nil
		err := section{
			"limit": func(v *yaml.Node) error { limit = v; return nil },
			"severity": func(v *yaml.Node) (err error) {
				weight, err = severity(v)
				return err
			},
		}.read(n)
		if err != nil {
			return err
		}
		if limit == nil {
			return at(n, "%s has no limit", name)
		}
	}
	spec, _ := gate.SpecOf(name)
	list, read := []*yaml.Node{limit}, scalar
	switch spec.Form {
	case gate.Globs:
		read = text
		if limit.Kind == yaml.SequenceNode {
			list = limit.Content
		}
	case gate.Switch:
		read = switchText
	}
	var texts []string
	for _, item := range list {
		s, err := read(item)
		if err != nil {
			return err
		}
		texts = append(texts, s)
		if s == off && len(list) == 1 && item == limit {
			break
		}
		// Each one alone, so that an error has its place.
		if s == off {
			return at(item, "%s: off stands alone", name)
		}
		if spec.Form == gate.Globs {
			if err := spec.CheckGlob(s); err != nil {
				return at(item, "%s: %w", name, err)
			}
		}
	}
	if len(list) == 0 {
		return at(limit, "%s: the list is empty", name)
	}
	v, err := parseRule(name, texts)
	if err != nil {
		return at(limit, "%s: %w", name, err)
	}
	v.limit.Severity, v.limit.Source = weight, c.place(limit)
	c.rules[name] = setting[ruleValue]{v, c.place(limit)}
	return nil
}

// switchText is true, or off where the file says off or false.
func switchText(n *yaml.Node) (string, error) {
	if n.Value == off {
		return off, nil
	}
	var on *bool
	if err := boolean(&on)(n); err != nil {
		return "", err
	}
	if !*on {
		return off, nil
	}
	return "true", nil
}

// suppressions reads a list of path, rule, reason and until.
func (c *ciConfig) suppressions(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return at(n, "here a list is expected: - {path: GLOB, reason: TEXT, until: DAY}")
	}
	for _, item := range n.Content {
		s := gate.Suppression{Source: c.place(item)}
		err := section{
			"path": func(v *yaml.Node) (err error) {
				if s.Path, err = text(v); err != nil {
					return err
				}
				if err := gate.CheckGlob(s.Path); err != nil {
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
					var name string
					if err := oneOf(&name, denyRules())(item); err != nil {
						return err
					}
					if slices.Contains(s.Rules, name) {
						return at(item, "%s is here twice", name)
					}
					s.Rules = append(s.Rules, name)
				}
				if len(list) == 0 {
					return at(v, "the list is empty")
				}
				return nil
			},
			"reason": func(v *yaml.Node) (err error) {
				s.Reason, err = text(v)
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
		}.read(item)
		switch {
		case err != nil:
			return err
		case s.Path == "":
			return at(item, "this suppression has no path")
		case strings.TrimSpace(s.Reason) == "":
			return at(item, "the suppression of %q has no reason", s.Path)
		}
		c.suppress = append(c.suppress, s)
	}
	return nil
}

// denyRules are the rules that deny paths.
func denyRules() []string {
	return slices.DeleteFunc(ruleNames(), func(name string) bool {
		s, _ := gate.SpecOf(name)
		return !s.DeniesPaths()
	})
}
