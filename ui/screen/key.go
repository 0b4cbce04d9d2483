package screen

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
)

// KeyName returns the name of a key in the key table.
func KeyName(ev *tcell.EventKey) string {
	switch k := ev.Key(); k {
	case tcell.KeyRune:
		if ev.Rune() == ' ' {
			if ev.Modifiers()&tcell.ModCtrl != 0 {
				return "ctrl-space"
			}
			return "space"
		}
		if ev.Modifiers()&tcell.ModAlt != 0 {
			if ev.Rune() == 'h' && ev.Modifiers()&tcell.ModCtrl != 0 { // what backspace sends
				return "alt-backspace"
			}
			return "alt-" + string(ev.Rune())
		}
		return string(ev.Rune())
	case tcell.KeyUp:
		return "up"
	case tcell.KeyDown:
		return "down"
	case tcell.KeyLeft:
		if ev.Modifiers()&tcell.ModAlt != 0 {
			return "alt-left"
		}
		return "left"
	case tcell.KeyRight:
		if ev.Modifiers()&tcell.ModAlt != 0 {
			return "alt-right"
		}
		return "right"
	case tcell.KeyPgUp:
		return "pgup"
	case tcell.KeyPgDn:
		return "pgdn"
	case tcell.KeyHome:
		return "home"
	case tcell.KeyEnd:
		return "end"
	case tcell.KeyEnter:
		return "enter"
	case tcell.KeyTab:
		return "tab"
	case tcell.KeyBacktab:
		return "shift-tab"
	case tcell.KeyEsc:
		return "esc"
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		if ev.Modifiers()&tcell.ModAlt != 0 {
			return "alt-backspace"
		}
		return "backspace"
	case tcell.KeyCtrlSpace:
		return "ctrl-space"
	case tcell.KeyInsert:
		return "insert"
	case tcell.KeyDelete:
		return "delete"
	default:
		if k >= tcell.KeyF1 && k <= tcell.KeyF12 {
			return "f" + strconv.Itoa(int(k-tcell.KeyF1)+1)
		}
		if k >= tcell.KeyCtrlA && k <= tcell.KeyCtrlZ {
			return "ctrl-" + string(rune('a'+k-tcell.KeyCtrlA))
		}
	}
	return ""
}

// BadKey says why k is not the name of a key; "" if it is one.
func BadKey(k string) string {
	switch k {
	case "up", "down", "left", "right", "alt-left", "alt-right", "pgup", "pgdn", "home", "end", "enter", "tab", "shift-tab", "esc",
		"backspace", "alt-backspace", "space", "ctrl-space", "insert", "delete":
		return ""
	case "ctrl-i":
		return "terminals send tab for it"
	case "ctrl-m":
		return "terminals send enter for it"
	case "ctrl-h":
		return "terminals send backspace for it"
	case "ctrl-c", "ctrl-z":
		return "it always quits or suspends"
	}
	if n, ok := strings.CutPrefix(k, "f"); ok && slices.Contains([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}, n) {
		return ""
	}
	if c, ok := strings.CutPrefix(k, "ctrl-"); ok && len(c) == 1 && c[0] >= 'a' && c[0] <= 'z' {
		return ""
	}
	k = strings.TrimPrefix(k, "alt-")
	if r, n := utf8.DecodeRuneInString(k); n == len(k) && n > 0 && r != utf8.RuneError && unicode.IsPrint(r) && r != ' ' {
		return ""
	}
	return "there is no key of that name (x, X, ctrl-x, alt-x, f5, space, pgup)"
}
