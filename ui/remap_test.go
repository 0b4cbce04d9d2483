package ui

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fathom/ui/screen"
	"github.com/gdamore/tcell/v2"
)

func TestRemap(t *testing.T) {
	for _, c := range []struct {
		name string
		keys map[string][]string
		want string // in the error; "" for none
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
		{"the way out", map[string][]string{"sort": {"ctrl-c"}}, "always quits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckKeys(c.keys)
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
