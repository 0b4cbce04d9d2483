package screen

import (
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"
)

// Background is the colour that a terminal names in its answer to OSC 11, as
// X11 writes colours: rgb:ffff/8000/0000 with one to four digits each, rgba:
// with a fourth part, or #ff8000.
func Background(number, text string) (tcell.Color, bool) {
	if number != "11" {
		return tcell.ColorDefault, false
	}
	var parts []string
	if hex, ok := strings.CutPrefix(text, "#"); ok {
		n := len(hex) / 3
		if n == 0 || len(hex)%3 != 0 {
			return tcell.ColorDefault, false
		}
		parts = []string{hex[:n], hex[n : 2*n], hex[2*n:]}
	} else if kind, values, ok := strings.Cut(text, ":"); ok && (kind == "rgb" || kind == "rgba") {
		parts = strings.Split(values, "/")
	}
	if len(parts) < 3 {
		return tcell.ColorDefault, false
	}
	var rgb [3]int32
	for i := range rgb {
		n, err := strconv.ParseUint(parts[i], 16, 16)
		if err != nil {
			return tcell.ColorDefault, false
		}
		rgb[i] = int32(n * 255 / (1<<(4*len(parts[i])) - 1))
	}
	return tcell.NewRGBColor(rgb[0], rgb[1], rgb[2]), true
}

// brightness is how bright c is, 0 to 1.
func brightness(c tcell.Color) float64 {
	r, g, b := c.RGB()
	return (0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)) / 255
}

// Contrast is how well two colours can be told apart: 1 not at all, 21 is black
// on white. It is that of WCAG, but for a simpler curve.
func Contrast(a, b tcell.Color) float64 {
	light := func(c tcell.Color) float64 { v := brightness(c); return v*v + 0.05 }
	x, y := light(a), light(b)
	return max(x, y) / min(x, y)
}

// shade is back with a share of its opposite, black or white.
func shade(back tcell.Color, share float64) tcell.Color {
	to := 255.0
	if brightness(back) > 0.5 {
		to = 0
	}
	r, g, b := back.RGB()
	mix := func(v int32) int32 { return int32(float64(v)*(1-share) + to*share + 0.5) }
	return tcell.NewRGBColor(mix(r), mix(g), mix(b))
}
