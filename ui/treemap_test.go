package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/ui/screen"
)

// theMap returns the innermost overlay, which is a map.
func (s *stage) theMap(t *testing.T) *treemap {
	t.Helper()
	m, ok := s.u.top().(*treemap)
	if !ok {
		t.Fatalf("there is no map on\n%s", s.text())
	}
	return m
}

// TestMapKeys moves on a map, and back to the tree. In the final filesystem of the image,
// opt is left of usr, which is above home/app, var and the rest.
func TestMapKeys(t *testing.T) {
	a := load(t, "map")
	for _, c := range []struct{ keys, want string }{
		{"", "/opt"},
		{"right", "/usr"},
		{"right down", "/home/app"},
		{"right down right", "/var"},
		{"right down right down", "2 more"},
		{"right down right left", "/home/app"},
		{"right down right left left", "/opt"},
		{"right down up", "/usr"},
		{"l j h", "/opt"},
		{"left", "/opt"},
		{"end", "2 more"},
		{"end home", "/opt"},
		{"right pgdn", "/home/app"},
		{"right pgdn pgup", "/usr"},
		{"enter", "/opt/tool"},
		{"enter right", "/opt/notes"},
		{"enter right u", "/opt"},
		{"enter enter", "/opt/tool/bin"},
		{"enter enter backspace", "/opt/tool"},
		{"end enter", "/etc"},
		{"end enter u", "2 more"},
		{"end enter enter", "/etc/passwd"},
		{"end enter enter - -", "2 more"},
		{"[", "/opt"},
		{"right down [", "/opt"}, // the lower layer has no home
		{"right [", "/usr"},
		{"right down right a", "/var"},
	} {
		s := newStage(t, a, "", false, 120, 40)
		for _, k := range strings.Fields("] a t " + c.keys) {
			s.press(k)
		}
		where, _ := s.theMap(t).Status()
		if got, _, _ := strings.Cut(where, "  "); got != c.want {
			t.Errorf("%q: at %q, want %q\n%s", c.keys, got, c.want, s.text())
		}
	}
}

// TestMapFromTabs opens the map of all folders from every pane that has no folder under
// the cursor.
func TestMapFromTabs(t *testing.T) {
	for _, keys := range []string{"1", "2", "w", "!", "p"} {
		s := newStage(t, load(t, "map"), "", false, 120, 40)
		for _, k := range []string{"]", "3", "j", "enter", keys, "t"} {
			s.press(k)
		}
		if got := s.theMap(t).Title(); !strings.HasPrefix(got, "/  ") {
			t.Errorf("from %s: %q", keys, got)
		}
		if got := s.text(); strings.Contains(got, "u up") {
			t.Errorf("from %s, a hint to go up from the top:\n%s", keys, got)
		}
	}
}

// TestMapLeaves checks where the cursor of the tree is after a map: on the area that was
// selected, or where it was if nothing was.
func TestMapLeaves(t *testing.T) {
	a := load(t, "map")
	for _, c := range []struct{ keys, want string }{
		{"t t", "/opt"},
		{"t esc", "/opt"},
		{"t q", "/opt"},
		{"t right t", "/opt/notes"},
		{"t u right esc", "/usr"},
		{"t enter enter enter esc esc", "/opt/tool/bin/tool"}, // the first esc closes the file
		{"t u end esc", "/etc"},
		{"right down down t t", "/opt/notes"},
	} {
		s := newStage(t, a, "", false, 120, 40)
		for _, k := range strings.Fields("3 ] a " + c.keys) {
			s.press(k)
		}
		f, _, _ := paneOf[*files](&s.u.layout)
		if got := f.copies(); got != c.want || len(s.u.over) > 0 {
			t.Errorf("%q: at %q, want %q", c.keys, got, c.want)
		}
	}
}

// TestMapMouse clicks on a map: once selects, twice opens, the wheel goes in and out.
func TestMapMouse(t *testing.T) {
	s := newStage(t, load(t, "map"), "", false, 120, 40)
	for _, k := range []string{"]", "a", "t"} {
		s.press(k)
	}
	x, y := s.at(t, "usr/ 2.5 MB")
	s.mouse(tview.MouseLeftDown, x, y+3)
	s.at(t, " /usr  22.9%")
	s.mouse(tview.MouseLeftDoubleClick, x, y+3)
	s.at(t, "━ /usr  2.5 MB ━")
	s.at(t, " lib/ 1.6 MB ")
	s.mouse(tview.MouseScrollUp, x, y)
	s.at(t, "━ /usr/lib  1.6 MB ━")
	s.mouse(tview.MouseScrollUp, x, y) // a file
	s.at(t, "━ /usr/lib  1.6 MB ━")
	s.mouse(tview.MouseScrollDown, x, y)
	s.mouse(tview.MouseScrollDown, x, y)
	s.at(t, "━ /  11 MB ━")
	s.mouse(tview.MouseLeftDown, 119, 38) // the corner belongs to the last area
	s.at(t, " 2 more  <0.1%")
}

// TestMapOfMany shows a folder with more files than a key press can add up, and files
// that are too small for areas of their own.
func TestMapOfMany(t *testing.T) {
	const many = 6000
	var b strings.Builder
	b.WriteString("layer COPY . .\n  file d/large 3000xl\n")
	for i := range many {
		fmt.Fprintf(&b, "  file d/%04d 1xa\n", i)
	}
	img, err := imagetest.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, a, "", false, 80, 24)
	s.world.holds = true
	for _, k := range []string{"3", "t"} {
		s.press(k)
	}
	s.at(t, " adding up…")
	s.press("right") // nothing to move on
	s.press("enter")
	s.release()
	s.u.Draw(s.screen)
	s.at(t, " large 3.0 kB ")
	s.at(t, " 6000 more 6.0 kB ")
	s.press("end")
	s.press("enter") // a map of the rest, which still has no room for any of them
	s.at(t, " 6000 more 6.0 kB ")
	s.press("enter")
	if len(s.u.over) > 0 {
		t.Errorf("enter on areas that have no room does not go to the list:\n%s", s.text())
	}
	s.at(t, "too many for a map")
	f, _, _ := paneOf[*files](&s.u.layout)
	if got := f.copies(); got != "/d/0000" {
		t.Errorf("the cursor is on %s, want the first file of the rest", got)
	}
}

// TestMapTheme draws a map on every kind of display: the frame of the selected area
// stands out, and everything is readable.
func TestMapTheme(t *testing.T) {
	s := newStage(t, load(t, "map"), "", false, 100, 30)
	for _, k := range []string{"]", "t", "right"} {
		s.press(k)
	}
	m := s.theMap(t)
	for _, name := range append(Themes(), "") {
		th, err := screen.NewTheme(name, false, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		for _, colours := range []int{0, 8, 16, 256, 1 << 24} {
			for _, back := range backgrounds {
				d := screen.Display{Colours: colours, Back: back}
				th.Suit(d)
				*s.u.th = *th
				s.u.Draw(s.screen)
				tile := m.tiles[m.tile()]
				for i := range 100 * 30 {
					x, y := i%100, i/100-2 // below the title and the line of the map
					text, style, _ := s.screen.Get(i%100, i/100)
					if why := unreadable(style, d); why != "" {
						t.Fatalf("%d colours on %06x, theme %q: %q at %d,%d: %s", colours, back.Hex(), name, text, x, y, why)
					}
					_, bg, attrs := style.Decompose()
					frame := y >= tile.Y && y <= tile.Y+tile.H && x >= tile.X && x <= tile.X+tile.W &&
						(y == tile.Y || y == tile.Y+tile.H || x == tile.X || x == tile.X+tile.W)
					if y == tile.Y+tile.H {
						continue // the names of the areas below are on this line
					}
					if out := bg != tcell.ColorDefault || attrs&tcell.AttrReverse != 0; out != frame {
						t.Fatalf("%d colours on %06x, theme %q: the cell at %d,%d stands out: %v, want %v", colours, back.Hex(), name, x, y, out, frame)
					}
				}
			}
		}
	}
	// Without colours, signs and fills still tell the changes.
	s.at(t, "├ + home/app/ ")
	s.at(t, "▒▒▒▒▒▒▒▒")
}
