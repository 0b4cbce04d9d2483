package ui

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/filetree"
	"fathom/ui/screen"
)

func TestRemap(t *testing.T) {
	for _, c := range []struct {
		name string
		keys map[string][]string // "preset" names the preset
		want string              // in the error; "" for none
	}{
		{"nothing", nil, ""},
		{"another key", map[string][]string{"sort": {"ctrl-y"}}, ""},
		{"keys swapped", map[string][]string{"sort": {"f"}, "filter": {"s"}}, ""},
		{"one key of two places", map[string][]string{"empty-steps": {"9"}, "text-or-hex": {"9"}}, ""},
		{"function and control keys", map[string][]string{"help": {"f1", "?"}, "quit": {"ctrl-q", "alt-x"}}, ""},
		{"no key", map[string][]string{"whole": {}}, ""},
		{"unknown action", map[string][]string{"srot": {"S"}}, `action "srot": there is no action`},
		{"unknown key", map[string][]string{"sort": {"ctrl-"}}, `key "ctrl-" of sort: there is no key`},
		{"two characters", map[string][]string{"sort": {"ss"}}, `key "ss" of sort`},
		{"taken", map[string][]string{"sort": {"w"}}, `key "w" of sort: it is also a key of waste`},
		{"twice", map[string][]string{"image": {"9"}, "waste": {"9"}}, `it is also a key of`},
		{"what terminals can't tell apart", map[string][]string{"sort": {"ctrl-i"}}, "send tab"},
		{"a preset", map[string][]string{"preset": {"dive"}}, ""},
		{"on top of a preset", map[string][]string{"preset": {"dive"}, "diff": {"ctrl-d"}, "half-down": nil}, ""},
		{"taken by the preset", map[string][]string{"preset": {"dive"}, "diff": {"d"}}, `key "d" of diff: it is also a key of page-down`},
		{"free in the preset", map[string][]string{"preset": {"dive"}, "show-added": {"9"}, "everything": {"ctrl-a"}}, ""},
		{"the way out", map[string][]string{"sort": {"ctrl-c"}}, "always quits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, preset := maps.Clone(c.keys), ""
			if named := keys["preset"]; named != nil {
				preset = named[0]
				delete(keys, "preset")
			}
			err := CheckKeys(preset, keys)
			var bad *KeyError
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v", err)
			case c.want != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestKeyTable checks that every key of the table can be typed and remapped, and that
// every way to press it has that name.
func TestKeyTable(t *testing.T) {
	for _, b := range bindings() {
		for _, k := range strings.Fields(b.keys) {
			if reason := screen.BadKey(k); reason != "" && k != "ctrl-c" && k != "ctrl-z" {
				t.Errorf("%s: %s", k, reason)
			}
			if got := screen.KeyName(event(k)); got != k && k != "ctrl-space" {
				t.Errorf("the key %s has the name %s", k, got)
			}
		}
		if b.action == "" && b.help != "" && !slices.Contains([]string{"ctrl-c", "ctrl-z"}, b.keys) {
			t.Errorf("%s has no action", b.keys)
		}
	}
	if got := screen.KeyName(tcell.NewEventKey(tcell.KeyF5, 0, 0)); got != "f5" {
		t.Errorf("f5 has the name %s", got)
	}
}

// TestDive checks what dive's keys do in the preset, in the panes that dive has: in its
// layers, its details and its files.
func TestDive(t *testing.T) {
	table, err := configured("dive", nil)
	if err != nil {
		t.Fatal(err)
	}
	for at, keys := range map[place]map[string]string{
		inLayers | inDetail | inFiles: {
			"ctrl-c": "", "q": "quit", "tab": "next-pane", "ctrl-f": "find",
			"up": "up", "k": "up", "down": "down", "j": "down",
			"pgup": "page-up", "u": "page-up", "pgdn": "page-down", "d": "page-down",
		},
		inLayers: {"ctrl-a": "everything", "ctrl-l": "changes"},
		inFiles: {
			"left": "collapse", "h": "collapse", "right": "expand", "l": "expand", "space": "fold", "ctrl-space": "fold-all",
			"ctrl-a": "show-added", "ctrl-r": "show-removed", "ctrl-u": "show-unchanged",
			"ctrl-b": "attributes", "ctrl-o": "sort", "ctrl-e": "extract",
		},
	} {
		for key, want := range keys {
			var got place
			for _, b := range table {
				switch {
				case b.places&at == 0 || !b.has(key):
				case b.action != want:
					t.Errorf("%s is a key of %s, want %s", key, b.action, want)
				default:
					got |= b.places
				}
			}
			if got&at != at {
				t.Errorf("%s is a key of %s in the places %b, want %b", key, want, got&at, at)
			}
		}
	}
}

// TestDiveTable checks that the preset changes nothing else: no key means two things in
// a place where it means one by default, and every action is where it was.
func TestDiveTable(t *testing.T) {
	dive, err := configured("dive", nil)
	if err != nil {
		t.Fatal(err)
	}
	type spot struct {
		at  place
		key string
	}
	actions := func(table []binding) (keys map[spot][]string, reached map[string]place) {
		keys, reached = map[spot][]string{}, map[string]place{}
		for _, b := range table {
			if b.help != "" {
				reached[b.action] |= b.places
			}
			for at := inLayers; at <= inFixes; at <<= 1 {
				for _, k := range strings.Fields(b.keys) {
					if s := (spot{at, k}); b.places&at != 0 && !slices.Contains(keys[s], b.action) {
						keys[s] = append(keys[s], b.action)
					}
				}
			}
		}
		return keys, reached
	}
	was, reachedBefore := actions(bindings())
	is, reached := actions(dive)
	if diff := cmp.Diff(reachedBefore, reached); diff != "" {
		t.Errorf("the palette has other actions:\n%s", diff)
	}
	changed := map[string]place{}
	for s, all := range is {
		if len(all) > 1 {
			t.Errorf("%s means %v in %b", s.key, all, s.at)
		}
		if !slices.Equal(all, was[s]) {
			changed[s.key+" "+all[0]] |= s.at
		}
	}
	want := map[string]place{
		"d page-down":           inPanes | inHelp | inImage | inHistory | inMenu | inWork | inFixes,
		"ctrl-a show-added":     inFiles,
		"ctrl-u show-unchanged": inFiles,
	}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("the keys that differ from the default:\n%s", diff)
	}
}

// TestDivePressed presses dive's keys in an image.
func TestDivePressed(t *testing.T) {
	set, err := (&Options{Theme: "mono", Preset: "dive"}).setup()
	if err != nil {
		t.Fatal(err)
	}
	a := load(t, "shop")
	s := stageOf(t, "mono", false, 120, 40, func(_ setup, do doer) root { return newUI(a, set, do) })
	f, _, _ := paneOf[*files](&s.u.layout)
	shown := func() string {
		folders := 0
		for n := filetree.Root; int(n) < a.Tree.Len(); n++ {
			if f.out.Opened(n) {
				folders++
			}
		}
		marks := f.out.Scope().Marks
		has := func(m filetree.Mark) string { return map[bool]string{true: m.String()[:1], false: "-"}[marks.Has(m)] }
		return fmt.Sprintf("whole %t, %s%s%s%s, %s, open %t", s.u.sel.whole, has(filetree.Added), has(filetree.Removed), has(filetree.Modified), has(filetree.Unchanged), strings.Join(columnsOf(f), " "), folders > 0)
	}
	for _, c := range []struct{ keys, want string }{
		{"1 ctrl-a", "whole true, armu, bar mode owner, open false"},
		{"ctrl-l", "whole false, armu, bar mode owner, open false"},
		{"tab tab ctrl-a", "whole false, -rmu, bar mode owner, open false"},
		{"ctrl-a ctrl-r ctrl-u", "whole false, a-m-, bar mode owner, open false"},
		{"ctrl-r ctrl-u ctrl-b", "whole false, armu, bar, open false"},
		{"ctrl-b ctrl-space", "whole false, armu, bar mode owner, open true"},
		{"ctrl-space", "whole false, armu, bar mode owner, open false"},
		{"home right", "whole false, armu, bar mode owner, open true"},
		{"ctrl-space", "whole false, armu, bar mode owner, open false"},
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if got := shown(); got != c.want {
			t.Errorf("after %s: got %s, want %s", c.keys, got, c.want)
		}
	}
	s.press("ctrl-space")
	s.press("home")
	at, _ := f.out.Cursor()
	s.press("d")
	down, _ := f.out.Cursor()
	s.press("u")
	if up, _ := f.out.Cursor(); down.Node == at.Node || up.Node != at.Node {
		t.Errorf("d and u go from %s to %s to %s", at.Name, down.Name, up.Name)
	}
	s.press(":")
	if s.press("type:diff"); !strings.Contains(s.text(), "differences from the version below") {
		t.Errorf("an action without a key is not in\n%s", s.text())
	}
	if _, err := (&Options{Preset: "vim"}).setup(); err == nil {
		t.Error("an unknown preset is taken")
	}
}

// TestConfigured starts the UI with a configured order and keys, and checks that the
// screen shows them.
func TestConfigured(t *testing.T) {
	opt := Options{Theme: "mono", Choices: Choices{Files: ListChoices{Sort: "name"}}, Keys: map[string][]string{"find": {"f3"}, "waste": {"Q"}, "close": {"9"}}}
	set, err := opt.setup()
	if err != nil {
		t.Fatal(err)
	}
	a := load(t, "shop")
	s := stageOf(t, "mono", false, 120, 40, func(_ setup, do doer) root { return newUI(a, set, do) })
	for _, c := range []struct{ key, want string }{
		{"3", "/bin  name ▲"}, {"n", "search for something first (f3)"}, {"w", "f3 find"}, {"Q", "[Q Waste]"}, {"?", "9 close"}, {"9", "[Q Waste]"},
	} {
		s.press(c.key)
		if text := s.text(); !strings.Contains(text, c.want) {
			t.Errorf("after %s there is no %q in\n%s", c.key, c.want, text)
		}
	}
	for _, bad := range []Options{{Theme: "x"}, {Keys: map[string][]string{"x": nil}}} {
		if _, err := bad.setup(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
