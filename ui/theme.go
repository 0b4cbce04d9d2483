package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
)

// theme is how things look. The background is always the terminal's own, but
// for the line under the cursor.
type theme struct {
	look
	text, dim, strong   tcell.Style
	accent              tcell.Style // the pane with the focus, keys
	visible, wasted     tcell.Style // bytes that are seen, bytes that are not
	added, modified     tcell.Style
	removed, again      tcell.Style
	dir, link, found    tcell.Style
	alarm               tcell.Style
	cursor, cursorAside func(tcell.Style) tcell.Style // the line under the cursor
	glyph               glyphs
}

// glyphs are the characters that are not letters; each is one cell wide.
type glyphs struct {
	rule, heavy, wall, tee, side           string
	full, light, sliver                    string
	open, closed, arrow, up, down          string
	ellipsis, dot, flag                    string
	topLeft, topRight, botLeft, botRight   string
	boxTop, boxSide                        string
	added, modified, removed, again, blank string
	unsure                                 string
}

var (
	boxGlyphs = glyphs{
		rule: "─", heavy: "━", wall: "│", tee: "┬", side: "┤", full: "█", light: "▒", sliver: "▏",
		open: "▾", closed: "▸", arrow: "→", up: "▲", down: "▼",
		ellipsis: "…", dot: "·", flag: "◆",
		topLeft: "╭", topRight: "╮", botLeft: "╰", botRight: "╯", boxTop: "─", boxSide: "│",
		added: "+", modified: "~", removed: "-", again: "=", blank: " ", unsure: "?",
	}
	asciiGlyphs = glyphs{
		rule: "-", heavy: "=", wall: "|", tee: "+", side: "+", full: "#", light: ":", sliver: ".",
		open: "v", closed: ">", arrow: ">", up: "^", down: "v",
		ellipsis: "..", dot: "-", flag: "*",
		topLeft: "+", topRight: "+", botLeft: "+", botRight: "+", boxTop: "-", boxSide: "|",
		added: "+", modified: "~", removed: "-", again: "=", blank: " ", unsure: "?",
	}
)

// Themes are the names that Options.Theme takes.
func Themes() []string { return []string{"dark", "light", "mono"} }

// look is what a person has settled about how things look.
type look struct {
	name  string // one of Themes; "" to choose by the background
	ascii bool
	light bool // the environment says that the background is
	mono  bool // it wants no colours
}

// display is what the terminal can show.
type display struct {
	colours int         // how many; 0 for none
	back    tcell.Color // its background; ColorDefault while that is unknown
	ascii   bool        // and no other characters
}

// newTheme is the theme of that name, for a terminal that is like most; suit
// makes it one for another. NO_COLOR wins over the name, and COLORFGBG says
// whether the background is light where the terminal doesn't.
func newTheme(name string, ascii bool, getenv func(string) string) (*theme, error) {
	if name != "" && !slices.Contains(Themes(), name) {
		return nil, fmt.Errorf("there is no theme %q: %s", name, strings.Join(Themes(), ", "))
	}
	fields := strings.Split(getenv("COLORFGBG"), ";")
	bg := fields[len(fields)-1]
	th := &theme{look: look{
		name: name, ascii: ascii,
		light: len(fields) > 1 && (bg == "7" || bg == "15"),
		mono:  name == "mono" || getenv("NO_COLOR") != "",
	}}
	th.suit(display{colours: 256, back: tcell.ColorDefault})
	return th, nil
}

// suit makes the theme one for the display.
func (th *theme) suit(d display) {
	l := th.look
	light := l.light
	if d.back != tcell.ColorDefault {
		light = brightness(d.back) > 0.5
	}
	if l.name == "dark" || l.name == "light" {
		light = l.name == "light"
	}
	few := d.colours < 256
	switch {
	case l.mono || d.colours < 8:
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
	th.cursor, th.cursorAside = reversed(true), reversed(false)
	if !l.mono && !few && d.back != tcell.ColorDefault {
		th.cursor, th.cursorAside = shaded(d, 0.25, true), shaded(d, 0.13, false)
	}
	th.glyph = boxGlyphs
	if l.ascii || d.ascii {
		th.glyph = asciiGlyphs
	}
}

// reversed lays a line in reverse video, which shows on any background.
func reversed(strong bool) func(tcell.Style) tcell.Style {
	return func(s tcell.Style) tcell.Style {
		return s.Foreground(tcell.ColorDefault).Background(tcell.ColorDefault).Reverse(true).Bold(strong).Dim(!strong)
	}
}

// shaded lays a line in a shade of the background. What could not be read on it
// loses its colour.
func shaded(d display, share float64, strong bool) func(tcell.Style) tcell.Style {
	band := d.shade(share)
	return func(s tcell.Style) tcell.Style {
		if fg, _, _ := s.Decompose(); fg != tcell.ColorDefault && contrast(fg, band) < 2.5 {
			s = s.Foreground(tcell.ColorDefault)
		}
		return s.Background(band).Bold(strong)
	}
}

// colour is c as the display shows it.
func (d display) colour(c tcell.Color) tcell.Color {
	if d.colours > 256 {
		return c.TrueColor() // the palette may be smaller than that
	}
	return c
}

// shade is a shade of the background: with 256 colours the nearest that can be
// told from it, of those that are not the user's own.
func (d display) shade(share float64) tcell.Color {
	c := shade(d.back, share)
	if d.colours > 256 {
		return c
	}
	var palette []tcell.Color
	for i := 16; i < 256; i++ {
		if p := tcell.PaletteColor(i); contrast(p, d.back) >= 1.2 {
			palette = append(palette, p)
		}
	}
	return tcell.FindColor(c, palette)
}

// colours are numbers of the 256-colour palette.
type colours struct {
	dim, accent, visible, wasted, added, modified, removed, again, dir, link int
}

func palette(c colours, d display) *theme {
	base := tcell.StyleDefault
	fg := func(n int) tcell.Style { return base.Foreground(d.colour(tcell.PaletteColor(n))) }
	dim := base.Dim(true)
	if c.dim < d.colours {
		dim = fg(c.dim)
	}
	return &theme{
		text: base, dim: dim, strong: base.Bold(true),
		accent:  fg(c.accent).Bold(true),
		visible: fg(c.visible), wasted: fg(c.wasted),
		added: fg(c.added), modified: fg(c.modified), removed: fg(c.removed), again: fg(c.again),
		dir: fg(c.dir), link: fg(c.link), found: fg(c.modified).Bold(true).Underline(true),
		alarm: fg(c.removed).Bold(true),
	}
}

// attributes is a theme without any colour.
func attributes() *theme {
	base := tcell.StyleDefault
	return &theme{
		text: base, dim: base.Dim(true), strong: base.Bold(true),
		accent:  base.Bold(true),
		visible: base, wasted: base,
		added: base, modified: base, removed: base.Dim(true), again: base,
		dir: base.Bold(true), link: base, found: base.Underline(true).Bold(true),
		alarm: base.Bold(true),
	}
}

// mark is the sign of a change and its style.
func (th *theme) mark(m filetree.Mark) (string, tcell.Style) {
	switch m {
	case filetree.Added:
		return th.glyph.added, th.added
	case filetree.Modified:
		return th.glyph.modified, th.modified
	case filetree.Removed:
		return th.glyph.removed, th.removed
	case filetree.Unchanged:
		return th.glyph.again, th.again
	}
	return th.glyph.blank, th.text
}
