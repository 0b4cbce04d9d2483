package ui

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/gdamore/tcell/v2"
	"github.com/gdamore/tcell/v2/terminfo"

	"fathom/ui/screen"
)

// backgrounds are backgrounds of terminals. The first one stands for an unknown one.
var backgrounds = []tcell.Color{
	tcell.ColorDefault, tcell.NewHexColor(0), tcell.NewHexColor(0x1e1e1e), tcell.NewHexColor(0x303030), tcell.NewHexColor(0x444444),
	tcell.NewHexColor(0x002b36), tcell.NewHexColor(0x300a24), tcell.NewHexColor(0x0000aa), tcell.NewHexColor(0x808080),
	tcell.NewHexColor(0xfdf6e3), tcell.NewHexColor(0xeeeeee), tcell.NewHexColor(0xffffff),
}

// opposite returns black or white, whichever contrasts more with back.
func opposite(back tcell.Color) tcell.Color {
	black, white := tcell.NewHexColor(0), tcell.NewHexColor(0xffffff)
	if screen.Contrast(back, black) > screen.Contrast(back, white) {
		return black
	}
	return white
}

// TestSelection checks the cells on every kind of display: the lines under the cursor
// differ from the others in more than the colour of their text, and are readable.
func TestSelection(t *testing.T) {
	a := load(t, "odd")
	for _, name := range append(Themes(), "") {
		s := newStage(t, a, name, false, 120, 40)
		for _, colours := range []int{0, 8, 16, 88, 256, 1 << 24} {
			for _, back := range backgrounds {
				d := screen.Display{Colours: colours, Back: back}
				s.u.th.Suit(d)
				s.root.Draw(s.screen)
				lines := map[[2]int]int{} // marked cells by half and line
				for i := range 120 * 40 {
					text, style, _ := s.screen.Get(i%120, i/120)
					if why := unreadable(style, d); why != "" {
						t.Fatalf("%d colours on %06x, theme %q: %q at %d,%d: %s", colours, back.Hex(), name, text, i%120, i/120, why)
					}
					if _, bg, attrs := style.Decompose(); bg != tcell.ColorDefault || attrs&tcell.AttrReverse != 0 {
						lines[[2]int{i % 120 / 60, i / 120}]++
					}
				}
				left, right := 0, 0
				for at := range lines {
					if at[0] == 0 {
						left++
					} else {
						right++
					}
				}
				if left != 1 || right != 1 {
					t.Fatalf("%d colours on %06x, theme %q: lines that stand out: %v, want one in either half", colours, back.Hex(), name, lines)
				}
			}
		}
	}
}

// unreadable says why a cell of a style can't be told from other cells, or its text
// from its background; "" if both can. Reverse video is fine with the terminal's own
// colours.
func unreadable(st tcell.Style, d screen.Display) string {
	fg, bg, attrs := st.Decompose()
	switch {
	case attrs&tcell.AttrReverse != 0 && (fg != tcell.ColorDefault || bg != tcell.ColorDefault):
		return "reverse video with colours"
	case bg == tcell.ColorDefault:
		return ""
	case d.Colours < 256 || d.Back == tcell.ColorDefault:
		return "a background where a shade is not known to show"
	case screen.Contrast(bg, d.Back) < 1.15:
		return fmt.Sprintf("%06x on %06x does not show", bg.Hex(), d.Back.Hex())
	}
	if fg == tcell.ColorDefault {
		fg = opposite(d.Back)
	}
	if screen.Contrast(fg, bg) < 2.4 {
		return fmt.Sprintf("%06x on %06x can't be read", fg.Hex(), bg.Hex())
	}
	return ""
}

// recorder is a terminal that records what is written to it.
type recorder struct{ bytes.Buffer }

func (*recorder) Start() error             { return nil }
func (*recorder) Stop() error              { return nil }
func (*recorder) Drain() error             { return nil }
func (*recorder) Close() error             { return nil }
func (*recorder) NotifyResize(func())      {}
func (*recorder) Read([]byte) (int, error) { select {} }
func (*recorder) WindowSize() (tcell.WindowSize, error) {
	return tcell.WindowSize{Width: 60, Height: 8}, nil
}

// TestReverseVideo draws on every kind of terminal that tcell knows. The line under
// the cursor is in reverse video if the terminal supports that.
func TestReverseVideo(t *testing.T) {
	s := newStage(t, load(t, "odd"), "", false, 60, 8)
	checked := 0
	for _, name := range terminfo.TerminfoNames() {
		info, err := terminfo.LookupTerminfo(name)
		if err != nil {
			t.Fatal(err)
		}
		var reverse bytes.Buffer
		info.TPuts(&reverse, info.Reverse)
		if reverse.Len() == 0 {
			continue
		}
		checked++
		var r recorder
		term, err := tcell.NewTerminfoScreenFromTtyTerminfo(&r, info)
		if err == nil {
			err = term.Init()
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s.u.th.Suit(screen.Display{Colours: term.Colors(), Back: tcell.ColorDefault})
		s.root.Draw(term)
		term.Show()
		if !bytes.Contains(r.Bytes(), reverse.Bytes()) {
			t.Errorf("%s, %d colours: nothing is in reverse video", name, term.Colors())
		}
	}
	if checked < 30 {
		t.Errorf("only %d kinds of terminals were looked at", checked)
	}
}
