package ui

import (
	"slices"
	"strings"
	"testing"

	"github.com/rivo/tview"

	"fathom/analyzer/packages"
)

// where returns what the screen is about: the tab in front, the layers that are shown,
// and what the cursor is on.
func (s *stage) where() string {
	on, _ := s.u.right().Status()
	return s.u.right().Title() + ", " + s.u.right().Note() + ": " + on
}

// TestJumps goes back and forward through every kind of jump.
func TestJumps(t *testing.T) {
	for _, c := range []struct {
		name, before, keys string
		want               string // where the keys lead, when it matters
	}{
		{"a tab", "", "w", "Waste, "},
		{"a tab and its rows", "", "w down down", "Waste, "},
		{"shown in the tree", "", "w down enter", "Files, changed by layer 3: /srv/app/.git"},
		{"a layer of the details", "2 end up up up", "enter", ""},
		{"a match", "", "/ type:motd enter", "Files, changed by layer 3: /etc/motd"},
		{"the next match", "", "/ type:motd enter esc g / type:js enter n", ""},
		{"a match in another layer", "", "/ type:security tab enter", ""},
		{"the history", "end", "H enter", ""},
		{"the image's history", "", "i end enter", ""},
		{"a finding", "", "! enter", ""},
		{"a package", "", "p down enter", ""},
		{"a line of the Dockerfile", "", "D j j enter", ""},
		{"many", "", "w down enter down p enter ! enter w enter", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := load(t, "shop")
			a.Report.Dockerfile, a.Report.Base = readBuild(t, "shop", a)
			find := prepared{all: readFindings(t, "shop")}
			s := find.stage(t, a, "", false, 120, 40)
			l, _, _ := paneOf[*packageList](&s.u.layout)
			l.run(a, packages.Find, func(*packages.Packages) {})
			s.u.Draw(s.screen)
			for range 3 {
				s.press("]")
			}
			s.press("3")
			s.press("down")
			s.press("up")
			for _, k := range strings.Fields(c.before) {
				s.press(k)
			}
			before, start, focus := s.text(), s.where(), s.u.focus
			for _, k := range strings.Fields(c.keys) {
				s.press(k)
			}
			end := s.where()
			if !strings.HasPrefix(end, c.want) || end == start {
				t.Errorf("%s leads to %s, want %s", c.keys, end, c.want)
			}
			backs := 0
			for ; len(s.u.jumps.behind) > 0 && backs < 20; backs++ {
				s.press("backspace")
			}
			if got := s.where(); got != start {
				t.Errorf("%d times back leads to %s", backs, got)
			}
			if s.u.focus != focus {
				t.Errorf("the keys are in pane %d", s.u.focus)
			}
			if s.u.search.text == "" {
				before, after := rightOf(before), rightOf(s.text())
				if before != after {
					t.Errorf("the right side was\n%s\nand is\n%s", before, after)
				}
			}
			s.press("backspace")
			if s.u.note == "" {
				t.Error("there is nothing to go back to, and no note says so")
			}
			for range backs {
				s.press(".")
			}
			if got := s.where(); got != end {
				t.Errorf("forward leads to %s, want %s", got, end)
			}
		})
	}
}

// rightOf returns the right side of a screen, without its last line.
func rightOf(text string) string {
	rows := strings.Split(text, "\n")
	for i, r := range rows {
		if _, right, ok := strings.Cut(r, "│"); ok {
			rows[i] = right
		}
	}
	return strings.Join(slices.Delete(rows, 38, len(rows)), "\n")
}

// TestJumpMoves checks that moving, folding and other panes are not jumps, and that a
// new jump forgets what was ahead.
func TestJumpMoves(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 120, 40)
	for _, k := range strings.Fields("down ] ] [ 3 down pgdn g G space + - tab shift-tab 2 1 s a a f esc") {
		s.press(k)
	}
	if n := len(s.u.jumps.behind); n != 0 {
		t.Errorf("%d moves are jumps", n)
	}
	for _, k := range strings.Fields("w 3 backspace") {
		s.press(k)
	}
	if got := s.u.right().Title(); got != "Waste" {
		t.Errorf("back leads to %s", got)
	}
	s.press("p")
	if n := len(s.u.jumps.ahead); n != 0 {
		t.Errorf("%d positions are ahead after a jump", n)
	}
}

// TestShownInTree checks that esc goes back right after an item of another tab was
// shown in the tree, and only then.
func TestShownInTree(t *testing.T) {
	for keys, want := range map[string]string{
		"w down enter esc":           "Waste",
		"w down enter esc esc":       "Files",
		"w down enter down esc":      "Files",
		"w down enter i esc esc":     "Files",
		"w down enter backspace":     "Waste",
		"w down enter esc alt-right": "Files",
		"w w esc":                    "Files",
		"end H enter esc":            "Files",
	} {
		s := newStage(t, load(t, "shop"), "", false, 120, 40)
		s.press("3")
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		if got := s.u.right().Title(); got != want {
			t.Errorf("%s leads to %s, want %s", keys, got, want)
		}
	}
}

// TestJumpByMouse goes back from a tab that was chosen with a click.
func TestJumpByMouse(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 120, 40)
	x, y := s.at(t, "w Waste")
	s.mouse(tview.MouseLeftDown, x, y)
	s.press(",")
	if got := s.u.right().Title(); got != "Files" {
		t.Errorf("back leads to %s", got)
	}
}

// TestQuitByAccident presses q twice in dialogs: the second one ends the program only if
// it comes later.
func TestQuitByAccident(t *testing.T) {
	for keys, ends := range map[string]bool{
		"q": true, "w q": true, "i q": false, "i q q": false, "i q q q": true, "? q q": false, "3 enter f q q": false, "? esc q": true, "i q later q": true,
	} {
		s := newStage(t, load(t, "shop"), "", false, 120, 40)
		for _, k := range strings.Fields(keys) {
			if k == "later" {
				s.u.closed = s.u.closed.Add(-slipTime)
				continue
			}
			s.press(k)
		}
		if got := s.world.ended > 0; got != ends {
			t.Errorf("%s ends the program: %v, want %v", keys, got, ends)
		}
	}
}

// TestQuitAfterExtraction presses q in the moment in which an extraction has ended and
// its dialog has closed by itself.
func TestQuitAfterExtraction(t *testing.T) {
	a := load(t, "shop")
	t.Chdir(t.TempDir())
	s := newStage(t, a, "", false, 120, 40)
	for _, k := range strings.Fields("3 x enter q") {
		s.press(k)
	}
	if s.world.ended > 0 {
		t.Error("the program has ended")
	}
	if s.press("q"); s.world.ended != 1 {
		t.Error("q again does not end it")
	}
}
