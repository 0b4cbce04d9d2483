package main

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"fathom/analyzer/gate"
	"fathom/ui"
)

// kind reads the values of a setting.
type kind struct {
	initial string // the default, as text
	many    bool   // the flag can be repeated
	truth   bool   // the flag alone means true
	parse   func(texts []string) (given, error)
	node    func(n *yaml.Node, place func(*yaml.Node) string) (given, error)
	split   func(r rune) bool // what stands between several values in the variable
	schema  map[string]any    // of the key in the config file
}

// value is the kind of what parse reads from a single text.
func value[T any](to *T, parse func(string) (T, error)) kind {
	k := kind{parse: func(texts []string) (given, error) {
		last := texts[len(texts)-1]
		v, err := parse(last)
		return given{text: last, put: func(string) { *to = v }}, err
	}}
	k.node = func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		s, err := scalar(n)
		if err != nil {
			return given{}, err
		}
		g, err := k.parse([]string{s})
		if err != nil {
			return g, at(n, "%w", err)
		}
		g.from = place(n)
		return g, nil
	}
	return k
}

// text is a name of something. It can't be empty unless what it names is "".
func text(to *string, what string) kind {
	k := value(to, func(s string) (string, error) {
		if what != "" && strings.TrimSpace(s) == "" {
			return "", fmt.Errorf("the %s has no name", what)
		}
		return s, nil
	})
	k.schema = map[string]any{"type": "string", "pattern": `\S`}
	scalar := k.node
	k.node = func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		if _, err := textOf(n); err != nil {
			return given{}, err
		}
		return scalar(n, place)
	}
	if what == "baseline" {
		k.initial = "none"
	}
	return k
}

// truth is true or false.
func truth(to *bool) kind {
	k := value(to, func(s string) (bool, error) {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return false, fmt.Errorf("%q is neither true nor false", s)
		}
		return v, nil
	})
	k.initial, k.truth, k.schema = strconv.FormatBool(*to), true, map[string]any{"type": "boolean"}
	k.node = func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		v, err := truthOf(n)
		return given{text: strconv.FormatBool(v), from: place(n), put: func(string) { *to = v }}, err
	}
	return k
}

// oneOf is one of names.
func oneOf[T ~string](to *T, names ...T) kind {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = string(n)
	}
	k := value(to, func(s string) (T, error) { return T(s), among(s, all) })
	k.initial = string(*to)
	k.schema = map[string]any{"enum": all}
	return k
}

// ranked is one of names, which stand for the numbers from 0.
func ranked[T ~uint8](to *T, names []string) kind {
	k := value(to, func(s string) (T, error) { return T(max(slices.Index(names, s), 0)), among(s, names) })
	k.initial, k.schema = names[0], map[string]any{"enum": names}
	return k
}

// choice is one of the choices that the explorer remembers.
func choice(c ui.Choice) kind {
	switch v := c.Value.(type) {
	case *string:
		k := oneOf(v, c.Values...)
		k.initial = c.Values[0]
		return k
	case *[]string:
		return someOf(v, c.Values)
	case *int:
		return percent(v)
	case *bool:
		return truth(v)
	}
	panic("a choice of an unknown type: " + c.Name)
}

// percent is a percentage that leaves room for the rest.
func percent(to *int) kind {
	const least, most = 10, 90
	k := value(to, func(s string) (int, error) {
		n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%q is not a percentage from %d to %d", s, least, most)
		}
		return n, nil
	})
	k.schema = map[string]any{"anyOf": []any{
		map[string]any{"type": "integer", "minimum": least, "maximum": most},
		map[string]any{"type": "string", "pattern": `^([1-8][0-9]|90)%?$`},
	}}
	return k
}

// someOf is a list of names in the config file, which may be empty.
func someOf(to *[]string, names []string) kind {
	k := listOf(to, nil)
	k.node = func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		if n.Kind != yaml.SequenceNode {
			return given{}, hinted("[] is an empty list", "%w", at(n, "it is not a list of names"))
		}
		list := []string{}
		for _, item := range n.Content {
			s, err := scalar(item)
			if err == nil {
				if err = among(s, names); err != nil {
					err = at(item, "%w", err)
				}
			}
			if err != nil {
				return given{}, err
			}
			list = append(list, s)
		}
		g, err := k.parse(list)
		g.from = place(n)
		return g, err
	}
	k.schema = map[string]any{"type": "array", "items": map[string]any{"enum": names}}
	return k
}

// among returns an error unless s is one of names.
func among(s string, names []string) error {
	if slices.Contains(names, s) {
		return nil
	}
	err := fmt.Errorf("%q is none of %s", s, strings.Join(names, ", "))
	if len(names) == 2 {
		err = fmt.Errorf("%q is neither %s nor %s", s, names[0], names[1])
	}
	if near := nearest(s, names); near != "" {
		return &hintError{err, "did you mean " + near + "?"}
	}
	return err
}

// duration is a time of more than 0.
func duration(to *time.Duration) kind {
	k := value(to, func(s string) (time.Duration, error) {
		t, err := time.ParseDuration(s)
		if err != nil || t <= 0 {
			return 0, fmt.Errorf("%q is not a time such as 90s or 5m", s)
		}
		return t, nil
	})
	k.initial = to.String()
	return k
}

// size is a number of bytes of more than 0.
func size(to *int64) kind {
	return value(to, func(s string) (int64, error) {
		n, err := gate.ParseBytes(s)
		if err != nil || n == 0 {
			return 0, fmt.Errorf("%q is not a size such as 2GB or 512MiB", s)
		}
		return n, nil
	})
}

// dockerfile is a path in the repository.
func dockerfile(to *string) kind {
	k := value(to, func(s string) (string, error) {
		file := filepath.ToSlash(s)
		if file == "" || path.IsAbs(file) || filepath.IsAbs(s) || path.Clean(file) != strings.TrimPrefix(file, "./") || strings.HasPrefix(path.Clean(file), "..") {
			return "", hinted("it is where the Dockerfile lies in the repository: docker/app.Dockerfile", "%q is not a plain relative path", s)
		}
		return strings.TrimPrefix(file, "./"), nil
	})
	k.schema = map[string]any{"type": "string", "pattern": `\S`}
	return k
}

// imagesOf is one image, or a list of them in the config file.
func imagesOf(to *[]string) kind {
	k := listOf(to, nil)
	k.initial = "none"
	k.node = func(n *yaml.Node, place func(*yaml.Node) string) (given, error) {
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		var refs []string
		for _, item := range items {
			ref, err := textOf(item)
			if err != nil {
				return given{}, err
			}
			refs = append(refs, ref)
		}
		if len(refs) == 0 {
			return given{}, at(n, "there is no image")
		}
		g, err := k.parse(refs)
		g.from = place(n)
		return g, err
	}
	image := map[string]any{"type": "string", "pattern": `\S`}
	k.schema = map[string]any{"anyOf": []any{image, map[string]any{"type": "array", "minItems": 1, "items": image}}}
	return k
}

// listOf is any number of texts, or of names.
func listOf(to *[]string, names []string) kind {
	return kind{
		many: true,
		parse: func(texts []string) (given, error) {
			for _, s := range texts {
				if names != nil && !slices.Contains(names, s) {
					return given{}, unknown(fmt.Errorf("%q is not a rule", s), s, names)
				}
			}
			return given{text: strings.Join(texts, ", "), put: func(string) { *to = texts }}, nil
		},
		split: func(r rune) bool { return r == ',' || r == ' ' },
	}
}
