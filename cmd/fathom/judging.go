package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"fathom/analyzer/gate"
	"fathom/analyzer/load/cache"
)

// judging says how to judge an image.
type judging struct {
	rules    map[string]ruleValue // what was given, by rule
	limits   gate.Limits          // the active rules, at least one
	warn     []string             // rules that only warn
	failOn   gate.Severity
	scope    gate.Scope
	noFail   bool
	allowTOC bool
	baseline string
	missing  string // what to do if there is no baseline yet: pass or fail
	onlyNew  bool
	suppress []gate.Suppression
	file     string // the config file that has a part in it, or ""
	notes    []string
	warnings []string
}

// off is the limit that turns a rule off.
const off = "off"

// ruleValue is a limit, or that a rule has none.
type ruleValue struct {
	off   bool
	limit gate.Limit
}

// settleGate settles how to judge an image, once the config files are read.
func (a *app) settleGate(s *settings, flags *pflag.FlagSet, c *config) error {
	ci := c.section(judgment)
	if ci.err != nil {
		return ci.err
	}
	if err := a.settle(s, flags, c, judgment); err != nil {
		return err
	}
	s.file, s.notes, s.warnings = ci.file, slices.Clone(ci.notes), slices.Clone(ci.warnings)
	for _, name := range denyRules() {
		file, ok := ci.values[name]
		if from := s.given[name].from; ok && file.text != off && file.from != from {
			s.notes = append(s.notes, fmt.Sprintf("%s replaces the globs of %s", from, file.from))
		}
	}
	if err := s.activate(); err != nil {
		return err
	}
	if s.onlyNew && s.baseline == "" {
		return hinted("--baseline IMAGE names one", "%s: only-new needs a baseline", s.given["only-new"].from)
	}
	if err := s.warnOnly(s.given["warn"].from); err != nil {
		return err
	}
	return misspelt(os.Environ())
}

// activate sets the limits: of the rules that have one, or else the default
// ones without those that are off.
func (j *judging) activate() error {
	for _, name := range ruleNames() {
		if v, ok := j.rules[name]; ok && !v.off {
			j.limits = append(j.limits, v.limit)
		}
	}
	if len(j.limits) == 0 {
		j.limits = slices.DeleteFunc(gate.Default(), func(l gate.Limit) bool { return j.rules[l.Rule].off })
	}
	if len(j.limits) == 0 {
		return hinted("--ci=false judges nothing", "every rule is off: there is nothing to judge by")
	}
	return nil
}

// limitOf returns the rule's active limit, or nil.
func (j *judging) limitOf(rule string) *gate.Limit {
	i := slices.IndexFunc(j.limits, func(l gate.Limit) bool { return l.Rule == rule })
	if i < 0 {
		return nil
	}
	return &j.limits[i]
}

// warnOnly lowers the severity of the rules of --warn. One that has no limit
// can't warn: in the flag that is an error, and in the variable, which may be
// there for several images, a note.
func (j *judging) warnOnly(from string) error {
	for _, name := range j.warn {
		l := j.limitOf(name)
		switch {
		case l != nil:
			l.Severity = gate.Warn
		case from == "--warn":
			return hinted("--"+name+" gives it one", "--warn: %s has no limit here, so it can never warn", name)
		default:
			j.notes = append(j.notes, fmt.Sprintf("%s names %s, which has no limit here", from, name))
		}
	}
	return nil
}

// rule is a rule's limit.
func (j *judging) rule(spec *gate.Spec) kind {
	k := kind{initial: off, many: spec.Form == gate.Globs || spec.Form == gate.Names || spec.Form == gate.Folders, truth: spec.Form == gate.Switch}
	switch spec.Form {
	case gate.Folders:
		k.split = func(r rune) bool { return r == '\n' || r == ':' }
	case gate.Globs:
		k.split = func(r rune) bool { return r == '\n' || r == ':' }
		if spec.AboutPackages() { // whose globs have a colon
			k.split = func(r rune) bool { return r == '\n' || r == ' ' }
		}
	case gate.Names:
		k.split = func(r rune) bool { return r == ',' || r == ' ' }
	}
	k.parse = func(texts []string) (given, error) {
		if spec.Form == gate.Names { // a flag can have several, as the variable has
			texts = strings.FieldsFunc(strings.Join(texts, ","), k.split)
		}
		v, err := parseRule(spec, texts)
		return j.ruleGiven(spec.Name, v, ""), err
	}
	k.node = func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		v, limit, err := readRule(spec, n)
		if err != nil {
			return given{}, err
		}
		return j.ruleGiven(spec.Name, v, place(limit)), nil
	}
	return k
}

func (j *judging) ruleGiven(name string, v ruleValue, from string) given {
	text := off
	if !v.off {
		text = limitText(v.limit)
	}
	return given{text, from, func(from string) {
		v.limit.Source = from
		j.rules[name] = v
	}}
}

// parseRule reads a limit, or off. Only a list of globs or names has several texts.
// No text, as of a variable that isn't set on a command line, is an error: a rule is
// never skipped silently.
func parseRule(spec *gate.Spec, texts []string) (ruleValue, error) {
	if on, err := strconv.ParseBool(strings.Join(texts, " ")); spec.Form == gate.Switch && err == nil {
		texts = []string{map[bool]string{true: "true", false: off}[on]}
	}
	switch {
	case len(texts) == 0:
		return ruleValue{}, errors.New("it has no value")
	case len(texts) == 1 && texts[0] == off:
		return ruleValue{off: true}, nil
	case slices.Contains(texts, off):
		return ruleValue{}, errors.New("off must be the only value")
	}
	if spec.Form == gate.Names {
		for _, name := range texts {
			if err := among(name, spec.Names()); err != nil {
				return ruleValue{}, err
			}
		}
	}
	l, err := gate.Parse(spec.Name, texts...)
	return ruleValue{limit: l}, err
}

// readRule reads a limit of the config file: a value, of globs or names perhaps a
// list of them, or either with a severity. It returns also where the limit stands.
func readRule(spec *gate.Spec, n *yaml.Node) (ruleValue, *yaml.Node, error) {
	limit, severity, scope := n, gate.Error, gate.Auto
	if n.Kind == yaml.MappingNode && (spec.Form != gate.Folders || hasKey(n, "limit")) {
		limit = nil
		err := mapping{
			"limit": func(v *yaml.Node) error { limit = v; return nil },
			"severity": func(v *yaml.Node) error {
				name, err := nameOf(v, gate.Severities())
				severity = gate.Severity(slices.Index(gate.Severities(), name))
				return err
			},
			"scope": func(v *yaml.Node) error {
				name, err := nameOf(v, gate.Scopes())
				scope = gate.Scope(slices.Index(gate.Scopes(), name))
				if err == nil && !spec.Scoped() {
					err = at(v, "%s has no scope", spec.Name)
				}
				return err
			},
		}.read(n)
		if err == nil && limit == nil {
			err = at(n, "%s has no limit", spec.Name)
		}
		if err != nil {
			return ruleValue{}, nil, err
		}
	}
	if spec.Form == gate.Folders && limit.Kind == yaml.MappingNode {
		v, err := folders(spec, limit)
		v.limit.Severity, v.limit.Scope = severity, scope
		return v, limit, err
	}
	list, read := []*yaml.Node{limit}, scalar
	switch spec.Form {
	case gate.Globs, gate.Names, gate.Folders:
		read = textOf
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
			return ruleValue{}, nil, err
		}
		texts = append(texts, s)
		if item == limit && s == off {
			break
		}
		// Each one alone, so that an error has its place.
		if s == off {
			return ruleValue{}, nil, at(item, "%s: off must be the only value", spec.Name)
		}
		if spec.Form == gate.Globs {
			if err := spec.CheckGlob(s); err != nil {
				return ruleValue{}, nil, at(item, "%s: %w", spec.Name, err)
			}
		}
		if spec.Form == gate.Names {
			if err := among(s, spec.Names()); err != nil {
				return ruleValue{}, nil, at(item, "%s: %w", spec.Name, err)
			}
		}
	}
	if len(list) == 0 {
		return ruleValue{}, nil, at(limit, "%s: the list is empty", spec.Name)
	}
	v, err := parseRule(spec, texts)
	if err != nil {
		return v, nil, at(limit, "%s: %w", spec.Name, err)
	}
	v.limit.Severity, v.limit.Scope = severity, scope
	return v, limit, nil
}

// folders reads globs with the size by which each may grow.
func folders(spec *gate.Spec, n *yaml.Node) (ruleValue, error) {
	var texts []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		size, err := scalar(v)
		if err != nil {
			return ruleValue{}, err
		}
		text := k.Value + "=" + size
		if _, err := gate.Parse(spec.Name, text); err != nil {
			return ruleValue{}, at(k, "%s: %w", spec.Name, err)
		}
		texts = append(texts, text)
	}
	l, err := gate.Parse(spec.Name, texts...)
	if err != nil {
		err = at(n, "%s: %w", spec.Name, err)
	}
	return ruleValue{limit: l}, err
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// switchText is true, or off where the file says off or false.
func switchText(n *yaml.Node) (string, error) {
	if n.Value == off {
		return off, nil
	}
	on, err := truthOf(n)
	if err != nil || on {
		return "true", err
	}
	return off, nil
}

func ruleNames() []string {
	var names []string
	for _, s := range gate.Specs() {
		names = append(names, s.Name)
	}
	return names
}

// denyRules returns the rules that deny paths or packages.
func denyRules() []string {
	return slices.DeleteFunc(ruleNames(), func(name string) bool {
		s, _ := gate.SpecOf(name)
		return s.Form != gate.Globs
	})
}

// ruleHelp returns the help of a rule's flag.
func ruleHelp(s *gate.Spec) string {
	value := ": `RATIO` (0.9, 90%)"
	switch {
	case s.Form == gate.Switch:
		value = ""
	case s.Form == gate.Globs:
		value = ": `GLOB`; may be repeated"
	case s.Form == gate.Folders:
		value = ": `GLOB=SIZE` (/app/**=5MB); may be repeated"
	case s.Name == gate.Require:
		value = ": `NAME`, same-files or reproducible; may be repeated"
	case s.Form == gate.Names:
		value = ": `NAME`; may be repeated"
	case s.Form == gate.Growth:
		value = ": `SIZE` or a percentage (5MB, 10%)"
	case s.Unit == gate.Bytes:
		value = ": `SIZE` (20MB, 20MiB)"
	case s.Unit == gate.Count:
		value = ": `N`"
	}
	return "rule: " + s.Means + value
}

// variables returns the variables that only fathom reads.
func variables() []string {
	names := []string{cache.Variable}
	for _, r := range newSettings().rows {
		if v := r.variable(); v != "" {
			names = append(names, v)
		}
	}
	return names
}

// misspelt returns an error for a variable that is similar to one of fathom's, is
// named like a rule, or is one of dive's: a rule would be skipped silently.
func misspelt(environ []string) error {
	all := variables()
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if value == "" || slices.Contains(all, name) {
			continue
		}
		err := fmt.Errorf("%s: fathom has no such variable", name)
		if own := diveVariable(name); own != "" {
			return &hintError{err, own + " is its name for fathom"}
		}
		if !strings.HasPrefix(name, "FATHOM_") {
			continue
		}
		if near := nearestFold(name, all); near != "" {
			return &hintError{err, "did you mean " + near + "?"}
		}
		for _, rule := range []string{"FATHOM_MAX_", "FATHOM_MIN_", "FATHOM_DENY_"} {
			if strings.HasPrefix(name, rule) {
				return &hintError{err, "the rules are " + strings.Join(ruleNames(), ", ")}
			}
		}
	}
	return nil
}
