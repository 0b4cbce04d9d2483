package screen

import (
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"
)

// Background returns the colour in a terminal's answer to OSC 11. It is written as
// in X11: rgb:ffff/8000/0000 with one to four digits each, rgba: with a fourth part,
// or #ff8000. It returns false for any other answer.
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

// brightness returns how bright c is, from 0 to 1.
func brightness(c tcell.Color) float64 {
	r, g, b := c.RGB()
	return (0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)) / 255
}

// Contrast returns the contrast ratio of two colours, from 1 for equal ones to 21
// for black on white. It is the ratio of WCAG with a simpler gamma curve.
func Contrast(a, b tcell.Color) float64 {
	light := func(c tcell.Color) float64 { v := brightness(c); return v*v + 0.05 }
	x, y := light(a), light(b)
	return max(x, y) / min(x, y)
}

// shade mixes back with a share of black or white, whichever differs more from it.
func shade(back tcell.Color, share float64) tcell.Color {
	to := 255.0
	if brightness(back) > 0.5 {
		to = 0
	}
	r, g, b := back.RGB()
	mix := func(v int32) int32 { return int32(float64(v)*(1-share) + to*share + 0.5) }
	return tcell.NewRGBColor(mix(r), mix(g), mix(b))
}
