package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
)

// theme is how things look. The background is always the terminal's own, but
// for the line under the cursor.
type theme struct {
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

// newTheme is the theme of that name. With no name it is mono when NO_COLOR is
// set, light when the terminal says so (COLORFGBG), otherwise dark.
func newTheme(name string, ascii bool, getenv func(string) string) (*theme, error) {
	if name == "" {
		name = "dark"
		if fields := strings.Split(getenv("COLORFGBG"), ";"); len(fields) > 1 {
			if bg := fields[len(fields)-1]; bg == "7" || bg == "15" {
				name = "light"
			}
		}
	}
	if getenv("NO_COLOR") != "" {
		name = "mono"
	}
	var th *theme
	switch name {
	case "dark":
		th = palette(colours{dim: 245, accent: 80, visible: 73, wasted: 209, added: 114, modified: 221, removed: 203, again: 176, dir: 117, link: 152, under: 238, aside: 235})
	case "light":
		th = palette(colours{dim: 242, accent: 25, visible: 31, wasted: 166, added: 28, modified: 94, removed: 160, again: 91, dir: 25, link: 30, under: 252, aside: 255})
	case "mono":
		th = attributes()
	default:
		return nil, fmt.Errorf("there is no theme %q: %s", name, strings.Join(Themes(), ", "))
	}
	th.glyph = boxGlyphs
	if ascii {
		th.glyph = asciiGlyphs
	}
	return th, nil
}

// colours are numbers of the 256-colour palette.
type colours struct {
	dim, accent, visible, wasted, added, modified, removed, again, dir, link, under, aside int
}

func palette(c colours) *theme {
	base := tcell.StyleDefault
	fg := func(n int) tcell.Style { return base.Foreground(tcell.PaletteColor(n)) }
	return &theme{
		text: base, dim: fg(c.dim), strong: base.Bold(true),
		accent:  fg(c.accent).Bold(true),
		visible: fg(c.visible), wasted: fg(c.wasted),
		added: fg(c.added), modified: fg(c.modified), removed: fg(c.removed), again: fg(c.again),
		dir: fg(c.dir), link: fg(c.link), found: fg(c.modified).Bold(true).Underline(true),
		alarm:       fg(c.removed).Bold(true),
		cursor:      func(s tcell.Style) tcell.Style { return s.Background(tcell.PaletteColor(c.under)).Bold(true) },
		cursorAside: func(s tcell.Style) tcell.Style { return s.Background(tcell.PaletteColor(c.aside)) },
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
		alarm:       base.Bold(true),
		cursor:      func(s tcell.Style) tcell.Style { return s.Reverse(true).Dim(false) },
		cursorAside: func(s tcell.Style) tcell.Style { return s.Underline(true) },
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
