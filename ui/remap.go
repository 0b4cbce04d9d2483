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

// CheckKeys checks keys for Options.Keys; the error is a *KeyError.
func CheckKeys(keys map[string][]string) error {
	_, err := remap(bindings(), keys)
	return err
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
