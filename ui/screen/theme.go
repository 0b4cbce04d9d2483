package screen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
)

// Theme holds the styles and characters that the UI draws with. The background is
// the terminal's own, except in the line under the cursor.
type Theme struct {
	look
	Text, Dim, Strong   tcell.Style
	Accent              tcell.Style // the pane with the focus, keys
	Visible, Wasted     tcell.Style // visible and wasted bytes
	Added, Modified     tcell.Style
	Removed, Again      tcell.Style
	Dir, Link, Found    tcell.Style
	Alarm               tcell.Style
	Keyword, Quoted     tcell.Style // of source code
	Number, Comment     tcell.Style
	Name                tcell.Style
	Cursor, CursorAside func(tcell.Style) tcell.Style // the line under the cursor
	Glyph               glyphs
}

// glyphs are the symbols that the UI draws. Each is one cell wide, except the ASCII
// Ellipsis.
type glyphs struct {
	Rule, Heavy, Wall, Tee, Side           string
	Full, Light, sliver                    string
	Open, Closed, Arrow, Up, Down          string
	Ellipsis, Dot, Flag                    string
	TopLeft, TopRight, BotLeft, BotRight   string
	BoxTop, BoxSide                        string
	Added, Modified, Removed, Again, Blank string
	Unsure, Thumb, Fixed                   string
	Tint                                   string     // fills the area of a folder
	lines                                  [16]string // by the lines that meet in a cell
}

var (
	boxGlyphs = glyphs{
		Rule: "─", Heavy: "━", Wall: "│", Tee: "┬", Side: "┤", Full: "█", Light: "▒", sliver: "▏",
		Open: "▾", Closed: "▸", Arrow: "→", Up: "▲", Down: "▼",
		Ellipsis: "…", Dot: "·", Flag: "◆",
		TopLeft: "╭", TopRight: "╮", BotLeft: "╰", BotRight: "╯", BoxTop: "─", BoxSide: "│",
		Added: "+", Modified: "~", Removed: "-", Again: "=", Blank: " ", Unsure: "?", Thumb: "▐", Fixed: "✓", Tint: "░",
		lines: [16]string{" ", "╵", "╷", "│", "╶", "└", "┌", "├", "╴", "┘", "┐", "┤", "─", "┴", "┬", "┼"},
	}
	asciiGlyphs = glyphs{
		Rule: "-", Heavy: "=", Wall: "|", Tee: "+", Side: "+", Full: "#", Light: ":", sliver: ".",
		Open: "v", Closed: ">", Arrow: ">", Up: "^", Down: "v",
		Ellipsis: "..", Dot: "-", Flag: "*",
		TopLeft: "+", TopRight: "+", BotLeft: "+", BotRight: "+", BoxTop: "-", BoxSide: "|",
		Added: "+", Modified: "~", Removed: "-", Again: "=", Blank: " ", Unsure: "?", Thumb: "#", Fixed: "x", Tint: " ",
		lines: [16]string{" ", "|", "|", "|", "-", "+", "+", "+", "-", "+", "+", "+", "-", "+", "+", "+"},
	}
)

// Themes returns the names that NewTheme accepts.
func Themes() []string { return []string{"dark", "light", "mono"} }

// look is what the options and the environment say about the theme.
type look struct {
	name  string // one of Themes; "" chooses by the background
	ascii bool
	light bool // the environment says that the background is light
	mono  bool // no colours
}

// Display describes what the terminal can show.
type Display struct {
	Colours int         // how many; 0 for none
	Back    tcell.Color // its background; ColorDefault if unknown
	ASCII   bool        // it can show no other characters
}

// NewTheme returns the theme with a name, for a terminal with 256 colours; Suit
// adapts it to another terminal. NO_COLOR overrides the name. COLORFGBG says whether
// the background is light if the terminal itself does not.
func NewTheme(name string, ascii bool, getenv func(string) string) (*Theme, error) {
	if name != "" && !slices.Contains(Themes(), name) {
		return nil, fmt.Errorf("there is no theme %q: %s", name, strings.Join(Themes(), ", "))
	}
	fields := strings.Split(getenv("COLORFGBG"), ";")
	bg := fields[len(fields)-1]
	th := &Theme{look: look{
		name: name, ascii: ascii,
		light: len(fields) > 1 && (bg == "7" || bg == "15"),
		mono:  name == "mono" || getenv("NO_COLOR") != "",
	}}
	th.Suit(Display{Colours: 256, Back: tcell.ColorDefault})
	return th, nil
}

// Suit adapts the theme to a display.
func (th *Theme) Suit(d Display) {
	l := th.look
	light := l.light
	if d.Back != tcell.ColorDefault {
		light = brightness(d.Back) > 0.5
	}
	if l.name == "dark" || l.name == "light" {
		light = l.name == "light"
	}
	few := d.Colours < 256
	switch {
	case l.mono || d.Colours < 8:
		*th = *attributes()
	case few && light:
		*th = *palette(colours{dim: 8, accent: 4, visible: 4, wasted: 1, added: 2, modified: 5, removed: 1, again: 4, dir: 4, link: 4}, d)
	case few:
		*th = *palette(colours{dim: 8, accent: 6, visible: 6, wasted: 3, added: 2, modified: 3, removed: 1, again: 5, dir: 6, link: 6}, d)
	case light:
		*th = *palette(colours{dim: 242, accent: 25, visible: 31, wasted: 166, added: 28, modified: 94, removed: 160, again: 91, dir: 25, link: 30}, d)
	default:
		*th = *palette(colours{dim: 245, accent: 80, visible: 73, wasted: 209, added: 114, modified: 221, removed: 203, again: 176, dir: 117, link: 152}, d)
	}
	th.look = l
	th.Cursor, th.CursorAside = reversed(true), reversed(false)
	if !l.mono && !few && d.Back != tcell.ColorDefault {
		th.Cursor, th.CursorAside = shaded(d, 0.25, true), shaded(d, 0.13, false)
	}
	th.Glyph = boxGlyphs
	if l.ascii || d.ASCII {
		th.Glyph = asciiGlyphs
	}
}

// reversed returns a function that turns a style into reverse video, which is visible
// on any background.
func reversed(strong bool) func(tcell.Style) tcell.Style {
	return func(s tcell.Style) tcell.Style {
		return s.Foreground(tcell.ColorDefault).Background(tcell.ColorDefault).Reverse(true).Bold(strong).Dim(!strong)
	}
}

// shaded returns a function that puts a style on a shade of the background. Text
// that would be hard to read there loses its colour.
func shaded(d Display, share float64, strong bool) func(tcell.Style) tcell.Style {
	band := d.shade(share)
	return func(s tcell.Style) tcell.Style {
		if fg, _, _ := s.Decompose(); fg != tcell.ColorDefault && Contrast(fg, band) < 2.5 {
			s = s.Foreground(tcell.ColorDefault)
		}
		return s.Background(band).Bold(strong)
	}
}

// colour returns the colour that the display needs to show c.
func (d Display) colour(c tcell.Color) tcell.Color {
	if d.Colours > 256 {
		return c.TrueColor() // the display's palette may have fewer than 256 colours
	}
	return c
}

// shade returns a shade of the background. On a display with 256 colours it returns
// the nearest one that differs visibly from the background. It leaves out the first
// 16, which users configure.
func (d Display) shade(share float64) tcell.Color {
	c := shade(d.Back, share)
	if d.Colours > 256 {
		return c
	}
	var palette []tcell.Color
	for i := 16; i < 256; i++ {
		if p := tcell.PaletteColor(i); Contrast(p, d.Back) >= 1.2 {
			palette = append(palette, p)
		}
	}
	return tcell.FindColor(c, palette)
}

// colours are numbers of the 256-colour palette.
type colours struct {
	dim, accent, visible, wasted, added, modified, removed, again, dir, link int
}

func palette(c colours, d Display) *Theme {
	base := tcell.StyleDefault
	fg := func(n int) tcell.Style { return base.Foreground(d.colour(tcell.PaletteColor(n))) }
	dim := base.Dim(true)
	if c.dim < d.Colours {
		dim = fg(c.dim)
	}
	return &Theme{
		Text: base, Dim: dim, Strong: base.Bold(true),
		Accent:  fg(c.accent).Bold(true),
		Visible: fg(c.visible), Wasted: fg(c.wasted),
		Added: fg(c.added), Modified: fg(c.modified), Removed: fg(c.removed), Again: fg(c.again),
		Dir: fg(c.dir), Link: fg(c.link), Found: fg(c.modified).Bold(true).Underline(true),
		Alarm:   fg(c.removed).Bold(true),
		Keyword: fg(c.again), Quoted: fg(c.added), Number: fg(c.wasted), Comment: dim, Name: fg(c.dir),
	}
}

// attributes returns a theme without colours.
func attributes() *Theme {
	base := tcell.StyleDefault
	return &Theme{
		Text: base, Dim: base.Dim(true), Strong: base.Bold(true),
		Accent:  base.Bold(true),
		Visible: base, Wasted: base,
		Added: base, Modified: base, Removed: base.Dim(true), Again: base,
		Dir: base.Bold(true), Link: base, Found: base.Underline(true).Bold(true),
		Alarm:   base.Bold(true),
		Keyword: base.Bold(true), Quoted: base, Number: base, Comment: base, Name: base,
	}
}
