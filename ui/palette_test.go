package ui

import (
	"strings"
	"testing"

	"github.com/rivo/tview"
)

// TestPalette types names into the palette.
func TestPalette(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		first      string // the first row, before enter
		want       string // on the screen after enter
	}{
		{"a tab", ": type:waste", "waste instead of files, and back", "[w Waste]"},
		{"a tab by its name", ": type:go space type:packages", "go to Packages", "[p Packages]"},
		{"a layer by number", ": type:layer space type:3", "layer 3: RUN chown", "Layer 3"},
		{"a layer by its command", ": type:chown", "layer 3: RUN chown", "Layer 3"},
		{"letters in their order", ": type:aptgetinstall-ygit", "layer 1: RUN apt-get update && apt-get install -y git", "Layer 1"},
		{"words in any order", ": type:git space type:apt-get", "layer 1: ", "Layer 1"},
		{"the action's name", ": type:image", "metadata of the image", "Runs as"},
		{"what was used last", ": type:chown enter : type:layer", "layer 3: ", "Layer 3"},
		{"the second row", ": type:layer space type:RUN down", "layer 1: ", "Layer 3"},
		{"from the viewer", "] ] 3 down enter : type:layer space type:0", "layer 0: ", "Layer 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, load(t, "shop"), "", false, 120, 40)
			for _, k := range strings.Fields(c.keys) {
				s.press(k)
			}
			p, ok := s.u.top().(*palette)
			if !ok || len(p.rows) == 0 || !strings.HasPrefix(p.rows[0].name, c.first) {
				t.Fatalf("the first row is not %q on\n%s", c.first, s.text())
			}
			s.press("enter")
			s.at(t, c.want)
			if len(s.u.over) > 0 && c.want != "Runs as" || s.u.prompt != nil {
				t.Errorf("something is still open on\n%s", s.text())
			}
		})
	}
}

// TestPaletteEnds leaves the palette without doing anything, and goes back from where it
// led.
func TestPaletteEnds(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 120, 40)
	before := s.text()
	for _, keys := range []string{": esc", ": backspace", "ctrl-p type:q esc", ": type:nothing-has-it enter", ": type:chown enter backspace"} {
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		if got := s.text(); got != before {
			t.Errorf("after %s:\n%s", keys, got)
		}
	}
	s.press(":")
	x, y := s.at(t, "go to the layer's files")
	s.mouse(tview.MouseLeftDown, x, y)
	if len(s.u.over) > 0 || s.u.prompt != nil {
		t.Errorf("a click on a row does not close it:\n%s", s.text())
	}
}

// TestPaletteRefuses checks that what can't be done says why.
func TestPaletteRefuses(t *testing.T) {
	s := savedStage(t, load(t, "shop").Report, "", false, 120, 40)
	for _, k := range strings.Fields("3 : type:view space type:file enter") {
		s.press(k)
	}
	s.at(t, "a saved report holds no files")
}
