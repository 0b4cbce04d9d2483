package ui

import (
	"strings"
	"testing"

	"github.com/rivo/tview"

	"fathom/ui/screen"
)

// TestTitles clicks on the titles of the waste's columns: each sorts by what its title
// says, and again reverses.
func TestTitles(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 200, 60)
	s.press("w")
	for _, c := range []struct{ on, title, status, first string }{
		{"cause", "cause ▲", "cause ▲", "several"},
		{"cause ▲", "cause ▼", "cause ▼", "metadata"},
		{"cause ▼       stored", "▲ stored", "stored ▲", "several"},
		{"▲ stored  hidden", "▲ hidden", "hidden ▲", "removed"},
		{"▲ hidden", "▼ hidden", "hidden ▼", "several"},
		{"▼ hidden  path", "path ▲", "path ▲", "several"},
		{"   size", "▼ size", "size ▼", "removed"},
		{"▼ size  share", "▼ size", "size ▼", "removed"},
	} {
		x, y := s.at(t, c.on)
		s.mouse(tview.MouseLeftDown, x+screen.Width(c.on)-1, y)
		s.at(t, c.title)
		if _, state := s.u.right().Status(); state != c.status {
			t.Errorf("a click on %q sorts by %q, want %q", c.on, state, c.status)
		}
		w, _, _ := paneOf[*waste](&s.u.layout)
		if got := w.items[0].cause.String(); got != strings.TrimPrefix(c.first, "several") {
			t.Errorf("%s: the first row is %q, want %q", c.status, got, c.first)
		}
	}
	// A click on the triangle opens, another one closes.
	x, y := s.at(t, "▸ /etc/motd")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "▾ /etc/motd")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "▸ /etc/motd")
}

// TestStepIn opens rows with l and steps into them, as in the files.
func TestStepIn(t *testing.T) {
	x := prepared{all: readFindings(t, "shop")}
	s := x.stage(t, load(t, "shop"), "", false, 160, 40)
	for _, c := range []struct{ keys, want, enter string }{
		{"w", "/var/lib/apt/lists", "show in tree"},
		{"l", "/var/lib/apt/lists", "show in tree"},
		{"l", "/var/lib/apt/lists/main_Packages", "show in tree"},
		{"l", "/var/lib/apt/lists/main_Packages", "show in tree"}, // nothing to open
		{"g b", "removed", "open"},
		{"l", "removed", "close"},
		{"l", "/var/lib/apt/lists", "show in tree"},
		{"! down", "COPY brings", "show in tree"},
		{"l l", "/srv/app/.git", "show in tree"},
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if where, _ := s.u.right().Status(); !strings.HasPrefix(where, c.want) {
			t.Errorf("after %s: the cursor is on %q, want %q", c.keys, where, c.want)
		}
		if !strings.Contains(s.text(), "enter "+c.enter) {
			t.Errorf("after %s there is no %q in\n%s", c.keys, c.enter, s.text())
		}
	}
}
