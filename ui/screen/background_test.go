package screen

import (
	"testing"

	"github.com/gdamore/tcell/v2"
)

func TestBackground(t *testing.T) {
	for text, want := range map[string]tcell.Color{
		"rgb:ffff/8080/0000":     tcell.NewHexColor(0xff8000),
		"rgb:ff/80/00":           tcell.NewHexColor(0xff8000),
		"rgb:f/0/8":              tcell.NewHexColor(0xff0088),
		"rgba:0000/0000/0000/ff": tcell.NewHexColor(0),
		"#ffffff":                tcell.NewHexColor(0xffffff),
		"#fff":                   tcell.NewHexColor(0xffffff),
		"#ffff80800000":          tcell.NewHexColor(0xff8000),
		"":                       tcell.ColorDefault,
		"#":                      tcell.ColorDefault,
		"rgb:/":                  tcell.ColorDefault,
		"rgb:fffff/0/0":          tcell.ColorDefault,
		"rgb:-1/0/0":             tcell.ColorDefault,
		"#ff":                    tcell.ColorDefault,
		"rgb:xx/00/00":           tcell.ColorDefault,
	} {
		if got, ok := Background("11", text); got != want || ok != (want != tcell.ColorDefault) {
			t.Errorf("%q: got %06x %v, want %06x", text, got.Hex(), ok, want.Hex())
		}
	}
	if _, ok := Background("10", "#ffffff"); ok {
		t.Error("the colour of the text is taken for the background")
	}
}
