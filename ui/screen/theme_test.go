package screen

import (
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
)

func TestTheme(t *testing.T) {
	env := func(k, v string) func(string) string {
		return func(key string) string {
			if key == k {
				return v
			}
			return ""
		}
	}
	if _, err := NewTheme("pink", false, env("", "")); err == nil || !strings.Contains(err.Error(), "dark, light, mono") {
		t.Errorf("got %v", err)
	}
	// Without colours no style may have one: tcell would replace it with another.
	for _, name := range []string{"", "dark", "mono"} {
		th, err := NewTheme(name, false, env("NO_COLOR", "1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range []tcell.Style{th.Text, th.Dim, th.Strong, th.Accent, th.Visible, th.Wasted, th.Added, th.Modified,
			th.Removed, th.Again, th.Dir, th.Link, th.Found, th.Alarm, th.Cursor(th.Text), th.CursorAside(th.Text)} {
			if fg, bg, _ := st.Decompose(); fg != tcell.ColorDefault || bg != tcell.ColorDefault {
				t.Errorf("theme %q has colour %v on %v", name, fg, bg)
			}
		}
	}
	dark, _ := NewTheme("", false, env("COLORFGBG", "15;0"))
	light, _ := NewTheme("", false, env("COLORFGBG", "0;15"))
	if dark.Dim == light.Dim {
		t.Error("COLORFGBG changes nothing")
	}
}
