package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"fathom/analyzer/gate"
)

const diveName = ".dive-ci"

// diveNote is the note of a verdict by dive's thresholds.
const diveNote = "the thresholds of %s apply to fathom's figures, which are not dive's: wasted is what is stored and not visible in the end, and a percentage is of all that is stored"

// diveRule is a rule of dive: its key, its name here, and dive's default.
type diveRule struct{ key, name, standard string }

// diveRules returns dive's rules by their keys in lower case.
func diveRules() map[string]diveRule {
	return map[string]diveRule{
		"lowestefficiency":         {"lowestEfficiency", gate.MinEfficiency, "0.9"},
		"highestwastedbytes":       {"highestWastedBytes", gate.MaxWastedBytes, "disabled"},
		"highestuserwastedpercent": {"highestUserWastedPercent", gate.MaxWastedPercent, "0.1"},
	}
}

// parseDive reads a .dive-ci as dive does, 0.13.1 and its later source, each
// where the other refuses: three rules below the key rules, each with a number
// or a string; a missing one has dive's own default. A key that dive doesn't know
// and skips is a warning here.
func (s *settings) parseDive(data []byte, file string) (*section, error) {
	c := &section{file: file, values: map[string]given{}, notes: []string{fmt.Sprintf(diveNote, file)}}
	rules := diveRules()
	for _, r := range rules {
		if err := s.diveRule(c, r.name, r.standard, "dive's default"); err != nil {
			return nil, err
		}
	}
	for _, l := range gate.Default() { // dive's verdict depends on its own rules only
		if _, ok := c.values[l.Rule]; !ok {
			c.values[l.Rule] = s.ruleGiven(l.Rule, ruleValue{off: true}, "dive has no such rule")
		}
	}
	var doc yaml.Node
	switch err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		return c, nil
	case err != nil:
		return nil, brokenYAML(data, err)
	}
	rule := func(k, v *yaml.Node) error {
		name := k.Value
		if _, dotted, ok := strings.Cut(name, "."); ok {
			name = dotted
		}
		r, ok := rules[strings.ToLower(name)]
		if !ok {
			c.passed(k)
			return nil
		}
		if v.Kind != yaml.ScalarNode {
			return at(v, "%s: expected a single value", k.Value)
		}
		if v.Tag == "!!null" {
			return nil // dive keeps its default
		}
		err := s.diveRule(c, r.name, v.Value, c.place(v))
		if number, ok := typed(v); err != nil && ok {
			err = s.diveRule(c, r.name, number, c.place(v))
		}
		if err != nil {
			return at(v, "%s: %w", k.Value, err)
		}
		return nil
	}
	root, err := expand(doc.Content[0])
	if err != nil {
		return nil, err
	}
	err = pairs(root, func(k, v *yaml.Node) error {
		switch key := strings.ToLower(k.Value); {
		case key == "rules":
			return pairs(v, rule)
		case strings.HasPrefix(key, "rules."):
			return rule(k, v)
		}
		c.passed(k)
		return nil
	})
	return c, err
}

// typed returns a number in decimal digits, however YAML writes it (0x10, 1_000,
// 1e6). dive 0.13.1 reads the number too; its later source reads the text.
func typed(n *yaml.Node) (string, bool) {
	var v any
	if err := n.Decode(&v); err != nil {
		return "", false
	}
	switch v := v.(type) {
	case int, int64, uint64:
		return fmt.Sprint(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// pairs calls do for every key of a mapping; null is an empty one. As in dive,
// keys ignore case.
func pairs(n *yaml.Node, do func(k, v *yaml.Node) error) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return at(n, "expected keys and values")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := strings.ToLower(k.Value)
		if seen[key] {
			return at(k, "the key %q is given twice", k.Value)
		}
		seen[key] = true
		if err := do(k, v); err != nil {
			return err
		}
	}
	return nil
}

// passed warns about a key that dive skips.
func (c *section) passed(k *yaml.Node) {
	text := fmt.Sprintf("%s: dive has no key %q here, and neither has fathom", c.place(k), k.Value)
	known := []string{"rules"}
	for _, r := range diveRules() {
		known = append(known, r.key)
	}
	slices.Sort(known)
	if near := nearestFold(k.Value, known); near != "" && near != k.Value {
		text += ": did you mean " + near + "?"
	}
	c.warnings = append(c.warnings, text)
}

// nearestFold is nearest, ignoring case.
func nearestFold(name string, names []string) string {
	lower := make([]string, len(names))
	for i, n := range names {
		lower[i] = strings.ToLower(n)
	}
	if i := slices.Index(lower, nearest(name, lower)); i >= 0 {
		return names[i]
	}
	return ""
}

// diveRule sets a rule to text, as dive reads it.
func (s *settings) diveRule(c *section, name, text, from string) error {
	spec, _ := gate.SpecOf(name)
	v := ruleValue{limit: gate.Limit{Rule: name, Unit: spec.Unit}}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "disabled", "off", "false":
		v.off = true
	default:
		var err error
		if spec.Unit == gate.Bytes {
			v.limit.Number, err = diveBytes(text)
		} else {
			v.limit.Ratio, err = diveRatio(text)
		}
		if err != nil {
			return err
		}
	}
	c.values[name] = s.ruleGiven(name, v, from)
	return nil
}

// diveRatio reads a ratio as dive does, except that NaN is an error: in dive no
// image fails it.
func diveRatio(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a number", text)
	case !(v >= 0 && v <= 1):
		return 0, fmt.Errorf("%q is not between 0 and 1", text)
	}
	return math.Abs(v), nil // -0 is 0
}

func diveBytes(text string) (int64, error) {
	v, err := humanize.ParseBytes(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	return int64(min(v, math.MaxInt64)), nil // nothing wastes more
}

// diveFlag returns a hint about a flag that dive has and fathom hasn't, or "".
func diveFlag(err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	switch name := unknown.GetSpecifiedName(); strings.ToLower(name) {
	case "ci-config":
		return "--config FILE reads a .dive-ci, or any file whose name begins so; the one in the working directory is read anyway"
	case "source":
		return "docker:IMAGE, podman:IMAGE, or the name of an archive, in place of IMAGE"
	case "ignore-errors":
		return "fathom has no such flag: what is broken in an image is an error, what is odd a warning"
	default:
		if r, ok := diveRules()[strings.ToLower(name)]; ok {
			return "it is --" + r.name + " here, and fathom's figures are not dive's (docs/gate.md)"
		}
	}
	return ""
}

// diveVariable returns fathom's variable for one of dive's limits, such as
// DIVE_RULES_LOWEST_EFFICIENCY, or "".
func diveVariable(name string) string {
	rest, ok := strings.CutPrefix(name, "DIVE_")
	if !ok {
		return ""
	}
	rest = strings.ToLower(strings.ReplaceAll(rest, "_", ""))
	for key, r := range diveRules() {
		if strings.Contains(rest, key) {
			return variable(r.name)
		}
	}
	if strings.Contains(rest, "ciconfig") {
		return "FATHOM_CONFIG"
	}
	return ""
}
