package ui

import (
	"fathom/ui/screen"
	"fmt"
	"slices"
	"strings"
)

// Actions returns the actions that Options.Keys can remap, in the order of the help.
func Actions() []string {
	var out []string
	for _, b := range bindings() {
		if b.action != "" && !slices.Contains(out, b.action) {
			out = append(out, b.action)
		}
	}
	return out
}

// KeyError says what is wrong with the keys of an action.
type KeyError struct {
	Action string
	Key    string // "" when the action itself is unknown
	Reason string
}

func (e *KeyError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("action %q: %s", e.Action, e.Reason)
	}
	return fmt.Sprintf("key %q of %s: %s", e.Key, e.Action, e.Reason)
}

// Presets returns the names that Options.Preset accepts.
func Presets() []string { return []string{"dive"} }

// CheckKeys checks keys for Options.Keys and Options.Preset. The error is a *KeyError, if
// the preset exists.
func CheckKeys(preset string, keys map[string][]string) error {
	_, err := configured(preset, keys)
	return err
}

// configured returns the key table with the keys of a preset, and then other keys for
// some actions.
func configured(preset string, keys map[string][]string) ([]binding, error) {
	table := bindings()
	switch preset {
	case "":
	case "dive":
		for _, k := range diveKeys() {
			table = assign(table, k)
		}
	default:
		return nil, fmt.Errorf("there is no preset of keys named %q", preset)
	}
	return remap(table, keys)
}

// diveKeys are the keys that mean something else in dive, or nothing by default: an
// action, its key there, and in which places. What dive has no screen for keeps its keys.
func diveKeys() []binding {
	return []binding{
		{action: "page-down", keys: "d", places: everywhere &^ (inViewer | inDiff | inMap)},
		{action: "show-added", keys: "ctrl-a", places: inFiles},
		{action: "show-unchanged", keys: "ctrl-u", places: inFiles},
	}
}

// assign gives an action one more key in some places, where other actions lose it.
func assign(table []binding, k binding) []binding {
	var out []binding
	for _, b := range table {
		at := b.places & k.places
		switch {
		case at == 0:
		case b.action == k.action && at == b.places:
			b.keys = strings.TrimSpace(b.keys + " " + k.keys)
		case b.action == k.action:
			out = append(out, b)
			b.places, b.keys = at, k.keys
		case b.has(k.keys):
			// A row without a key still stands in the palette.
			less := b
			less.places = at
			less.keys = strings.Join(slices.DeleteFunc(strings.Fields(b.keys), func(key string) bool { return key == k.keys }), " ")
			out = append(out, less)
			if b.places &^= at; b.places == 0 {
				continue
			}
		}
		out = append(out, b)
	}
	return out
}

// remap gives actions other keys. An action may have none. A key that two actions
// have in the same place is an error.
func remap(table []binding, keys map[string][]string) ([]binding, error) {
	names := Actions()
	for _, action := range sortedKeys(keys) {
		if !slices.Contains(names, action) {
			return nil, &KeyError{Action: action, Reason: "there is no action of that name"}
		}
		for _, k := range keys[action] {
			if reason := screen.BadKey(k); reason != "" {
				return nil, &KeyError{Action: action, Key: k, Reason: reason}
			}
		}
	}
	table = slices.Clone(table)
	for i := range table {
		if ks, ok := keys[table[i].action]; ok {
			table[i].keys = strings.Join(ks, " ")
		}
	}
	for i := range table {
		b := &table[i]
		if _, changed := keys[b.action]; !changed {
			continue
		}
		for _, k := range strings.Fields(b.keys) {
			for j := range table {
				o := &table[j]
				if i == j || o.places&b.places == 0 || !o.has(k) || o.action == b.action {
					continue
				}
				other := o.action
				if other == "" {
					other = "something with fixed keys"
				}
				return nil, &KeyError{Action: b.action, Key: k, Reason: "it is also a key of " + other}
			}
		}
	}
	return table, nil
}

// keyOf returns the first key of an action, for messages.
func keyOf(table []binding, action string) string {
	for i := range table {
		if table[i].action == action {
			return table[i].first()
		}
	}
	return ""
}
