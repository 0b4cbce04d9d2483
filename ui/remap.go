package ui

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Actions are what Options.Keys gives other keys, in the order of the help.
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

// CheckKeys looks whether Options.Keys would take the keys; the error is a
// *KeyError.
func CheckKeys(keys map[string][]string) error {
	_, err := remap(bindings(), keys)
	return err
}

// remap gives actions other keys. An action without keys can't be reached by
// one. A key that two actions would have in one place is an error.
func remap(table []binding, keys map[string][]string) ([]binding, error) {
	names := Actions()
	for _, action := range sortedKeys(keys) {
		if !slices.Contains(names, action) {
			return nil, &KeyError{Action: action, Reason: "there is none of that name"}
		}
		for _, k := range keys[action] {
			if reason := badKey(k); reason != "" {
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
					other = "something that keeps its keys"
				}
				return nil, &KeyError{Action: b.action, Key: k, Reason: "it is also a key of " + other}
			}
		}
	}
	return table, nil
}

// badKey is why k is the name of no key; "" for one that is.
func badKey(k string) string {
	switch k {
	case "up", "down", "left", "right", "pgup", "pgdn", "home", "end", "enter", "tab", "shift-tab", "esc",
		"backspace", "space", "ctrl-space", "insert", "delete":
		return ""
	case "ctrl-i":
		return "terminals send tab for it"
	case "ctrl-m":
		return "terminals send enter for it"
	case "ctrl-h":
		return "terminals send backspace for it"
	case "ctrl-c", "ctrl-z":
		return "it always quits or suspends"
	}
	if n, ok := strings.CutPrefix(k, "f"); ok && slices.Contains([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}, n) {
		return ""
	}
	if c, ok := strings.CutPrefix(k, "ctrl-"); ok && len(c) == 1 && c[0] >= 'a' && c[0] <= 'z' {
		return ""
	}
	k = strings.TrimPrefix(k, "alt-")
	if r, n := utf8.DecodeRuneInString(k); n == len(k) && n > 0 && r != utf8.RuneError && unicode.IsPrint(r) && r != ' ' {
		return ""
	}
	return "there is no key of that name (x, X, ctrl-x, alt-x, f5, space, pgup)"
}

// keyOf is the first key of an action, for what is said about it.
func keyOf(table []binding, action string) string {
	for i := range table {
		if table[i].action == action {
			return table[i].first()
		}
	}
	return ""
}
