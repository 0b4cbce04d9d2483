package ui

import (
	"strings"
	"testing"

	"fathom/ui/screen"
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// at returns the position of text on the screen.
func (s *stage) at(t *testing.T, text string) (x, y int) {
	t.Helper()
	for y, row := range strings.Split(s.text(), "\n") {
		if i := strings.Index(row, text); i >= 0 {
			return screen.Width(row[:i]), y
		}
	}
	t.Fatalf("no %q on\n%s", text, s.text())
	return 0, 0
}

// mouse does what tview does with the mouse: the second click of a double click is one,
// too.
func (s *stage) mouse(action tview.MouseAction, x, y int) {
	if action == tview.MouseLeftDoubleClick {
		s.mouse(tview.MouseLeftDown, x, y)
	}
	button := tcell.Button1
	if action == tview.MouseLeftUp {
		button = 0
	}
	s.u.MouseHandler()(action, tcell.NewEventMouse(x, y, button, 0), nil)
	s.u.Draw(s.screen)
}

func TestMouse(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 120, 40)

	x, y := s.at(t, "COPY . /srv/app")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "─ layer 2 ─ 1/1 ─")

	// A click on the triangle folds, one on the name selects.
	x, y = s.at(t, "▸ srv/app/")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "▾ srv/app/")
	x, y = s.at(t, "vendor.js")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, " /srv/app/vendor.js  size")
	// Two quick clicks on different rows, or with the wheel between them, are no double
	// click.
	s.mouse(tview.MouseLeftDoubleClick, x, y-1)
	s.mouse(tview.MouseLeftDoubleClick, x, y)
	s.mouse(tview.MouseScrollDown, x, y)
	s.mouse(tview.MouseLeftDoubleClick, x, y)
	s.at(t, " /srv/app/vendor.js  size")
	s.mouse(tview.MouseLeftDoubleClick, x, y)
	s.at(t, "━ /srv/app/vendor.js ━")
	s.press("esc")

	// A click on a column's title sorts, a second one reverses the order.
	x, y = s.at(t, "name")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "name ▲")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "name ▼")

	// A click outside the menu closes it, one inside toggles an item.
	s.press("f")
	x, y = s.at(t, "[x] ~")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "[ ] ~")
	s.mouse(tview.MouseLeftDown, 1, 30)
	if strings.Contains(s.text(), "[ ] ~") {
		t.Error("the menu is still there")
	}

	// If the screen shows one pane only, a click on a pane's name shows that one.
	s.resize(80, 24)
	s.u.Draw(s.screen)
	x, y = s.at(t, " 2 ")
	s.mouse(tview.MouseLeftDown, x, y)
	if s.u.focus != detailPane {
		t.Errorf("the focus is on %d", s.u.focus)
	}
	s.mouse(tview.MouseScrollDown, 5, 12)
}

// TestCopy copies the item under the cursor.
func TestCopy(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 120, 40)
	for _, c := range []struct{ keys, want string }{
		{"y", "ADD file:1a2b3c in /"},
		{"] 3 + down y", "/var/lib/apt/lists/main_Packages"},
		{"w y", "/var/lib/apt/lists"},
		{"w 1 Y d", s.u.rep.Layers[1].Digest},
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if s.world.copied != c.want {
			t.Errorf("%s: copied %q, want %q", c.keys, s.world.copied, c.want)
		}
		s.at(t, "copied: "+c.want)
	}
}

func TestOSC52(t *testing.T) {
	env := func(kv ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == k {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		name string
		env  func(string) string
		want string
	}{
		{"plain", env(), "\x1b]52;c;aGk=\x07"},
		{"tmux", env("TMUX", "/tmp/x"), "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"},
		{"screen", env("TERM", "screen-256color"), "\x1bP\x1b]52;c;aGk=\x07\x1b\\"},
	} {
		if got := osc52("aGk=", c.env); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestResize checks what the terminal shows, not what was drawn: after a change of
// size every cell has to be sent, even blank ones.
func TestResize(t *testing.T) {
	s := newStage(t, load(t, "odd"), "", false, 120, 40)
	for _, size := range [][2]int{{120, 40}, {20, 5}, {1, 1}, {80, 24}, {40, 12}, {300, 100}} {
		s.resize(size[0], size[1])
		s.press("3")
		s.screen.Show()
		cells, w, h := s.screen.GetContents()
		fresh := tcell.NewSimulationScreen("")
		if err := fresh.Init(); err != nil {
			t.Fatal(err)
		}
		fresh.SetSize(w, h)
		s.u.Draw(fresh)
		for y := range h {
			for x := 0; x < w; {
				want, _, cw := s.screen.Get(x, y)
				drawn, _, _ := fresh.Get(x, y)
				if got := string(cells[y*w+x].Runes); got != want || got != drawn {
					t.Fatalf("%v: the terminal shows %q at %d,%d, want %q", size, got, x, y, drawn)
				}
				x += cw
			}
		}
		fresh.Fini()
	}
}

// TestScrollbar clicks on scrollbars and drags their thumb.
func TestScrollbar(t *testing.T) {
	s := newStage(t, load(t, "deep"), "", false, 80, 24)
	s.press("3")
	s.press("+")
	s.press("z")
	for _, tt := range []struct {
		action tview.MouseAction
		x, y   int
		want   string
	}{
		{tview.MouseLeftDown, 79, 22, "76/76"},
		{tview.MouseMove, 40, 2, "1/76"}, // the button is held, wherever the mouse goes
		{tview.MouseMove, 40, 23, "76/76"},
		{tview.MouseLeftUp, 40, 13, "42/76"},
		{tview.MouseMove, 40, 2, "42/76"},
		{tview.MouseLeftDown, 79, 2, "1/76"},
	} {
		s.mouse(tt.action, tt.x, tt.y)
		s.at(t, " "+tt.want+" ")
	}
	// A click on a folder that stays in sight goes to it.
	s.press("end")
	x, y := s.at(t, "level-04/")
	s.mouse(tview.MouseLeftDown, x, y)
	s.at(t, "level-03/level-04  size")
	s.at(t, " 4/76 ")

	// In an overlay without a cursor.
	s = newStage(t, load(t, "content"), "", false, 40, 12)
	s.press("?")
	s.mouse(tview.MouseLeftDown, 39, 10)
	s.at(t, "not verified")
	s.mouse(tview.MouseMove, 39, 2)
	s.at(t, " Move")
}

// TestBorders drags the borders between panes, and lets a pane fill the screen.
func TestBorders(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 120, 40)
	for _, tt := range []struct {
		action tview.MouseAction
		x, y   int
		want   string // a corner of the panes, at its place
		wx, wy int
	}{
		{tview.MouseLeftDown, 48, 20, "│", 48, 20},
		{tview.MouseMove, 60, 22, "┤", 60, 9}, // the border follows
		{tview.MouseMove, 3, 22, "┤", 20, 9},
		{tview.MouseLeftUp, 119, 22, "┤", 90, 9},
		{tview.MouseMove, 50, 22, "┤", 90, 9}, // the button is up
		{tview.MouseLeftDown, 40, 9, "┤", 90, 9},
		{tview.MouseMove, 2, 30, "┤", 90, 30},
		{tview.MouseMove, 2, 9, "┤", 90, 9},
		{tview.MouseMove, 2, 0, "┤", 90, 4},
		{tview.MouseLeftUp, 2, 99, "┤", 90, 36},
		{tview.MouseLeftDown, 40, 36, "┤", 90, 36},
		{tview.MouseLeftDoubleClick, 40, 36, "[2 Detail]", 12, 1}, // the line above a pane
		{tview.MouseMove, 2, 20, "[2 Detail]", 12, 1},
		{tview.MouseLeftDown, 110, 1, "[2 Detail]", 12, 1},
		{tview.MouseLeftDoubleClick, 110, 1, "┤", 90, 36},
		{tview.MouseLeftDown, 94, 1, "[3 Files]", 92, 1},
		{tview.MouseLeftDoubleClick, 94, 1, "[3 Files]", 23, 1}, // its name
	} {
		s.mouse(tt.action, tt.x, tt.y)
		row := []rune(strings.Split(s.text(), "\n")[tt.wy])
		if got := string(row[min(tt.wx, len(row)):]); !strings.HasPrefix(got, tt.want) {
			t.Fatalf("mouse %d at %d,%d: no %q at %d,%d of\n%s", tt.action, tt.x, tt.y, tt.want, tt.wx, tt.wy, s.text())
		}
	}
	if got, want := s.u.split, (split{Left: 119. / 120, Top: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}

	// Where the tabs are below, the line between moves.
	s = newStage(t, load(t, "shop"), "", false, 80, 24)
	_, y := s.at(t, "3 Files")
	s.mouse(tview.MouseLeftDown, 75, y)
	s.mouse(tview.MouseMove, 75, 12)
	if _, y = s.at(t, "3 Files"); y != 12 {
		t.Errorf("the tabs are in line %d, want 12", y)
	}
}

// TestHints clicks on the keys in the bottom line.
func TestHints(t *testing.T) {
	s := newStage(t, load(t, "shop"), "", false, 80, 24)
	click := func(on string) {
		t.Helper()
		x, y := s.at(t, on)
		s.mouse(tview.MouseLeftDown, x, y)
	}
	click("w waste")
	s.at(t, "[w Waste]")
	click("? keys")
	s.at(t, "━ Keys ━")
	click("esc close")
	s.at(t, "[w Waste]")
	click("/ find")
	if s.u.prompt == nil {
		t.Error("nothing is searched")
	}
	s.press("esc")
	x, y := s.at(t, "q quit")
	s.mouse(tview.MouseLeftDown, x, y)
	s.mouse(tview.MouseLeftDoubleClick, x, y)
	if s.world.ended != 2 {
		t.Errorf("two clicks quit %d times", s.world.ended)
	}
	s = newStage(t, load(t, "shop"), "", false, 20, 5)
	click("? q")
	s.at(t, "━ Keys ━")
}
