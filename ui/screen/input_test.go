package screen

import (
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
)

// typed returns the event for a key's name; one character stands for itself.
func typed(name string) *tcell.EventKey {
	for k := range tcell.KeyF1 {
		if ev := tcell.NewEventKey(k, 0, 0); k != tcell.KeyRune && KeyName(ev) == name {
			return ev
		}
	}
	switch rest, alt := strings.CutPrefix(name, "alt-"); {
	case name == "alt-backspace":
		return tcell.NewEventKey(tcell.KeyRune, 0x7f, tcell.ModAlt)
	case name == "ctrl-left":
		return tcell.NewEventKey(tcell.KeyLeft, 0, tcell.ModCtrl)
	case name == "ctrl-right":
		return tcell.NewEventKey(tcell.KeyRight, 0, tcell.ModAlt)
	case alt:
		return tcell.NewEventKey(tcell.KeyRune, []rune(rest)[0], tcell.ModAlt)
	}
	return tcell.NewEventKey(tcell.KeyRune, []rune(name)[0], 0)
}

// TestInput edits "usr/lib  python3.11" or another text; | is the cursor.
func TestInput(t *testing.T) {
	const text = "usr/lib  python3.11"
	for _, c := range []struct{ text, keys, want string }{
		{text, "", "usr/lib  python3.11|"},
		{text, "left left x", "usr/lib  python3.x|11"},
		{text, "ctrl-b ctrl-b ctrl-f x", "usr/lib  python3.1x|1"},
		{text, "home x", "x|usr/lib  python3.11"},
		{text, "ctrl-a right left left x", "x|usr/lib  python3.11"},
		{text, "ctrl-a ctrl-e right x", "usr/lib  python3.11x|"},
		{text, "home end x", "usr/lib  python3.11x|"},
		{text, "ctrl-w", "usr/lib  |"},
		{text, "ctrl-w ctrl-w", "|"},
		{text, "left left ctrl-w", "usr/lib  |11"},
		{text, "alt-backspace", "usr/lib  python3.|"},
		{text, "alt-backspace alt-backspace alt-backspace", "usr/|"},
		{text, "alt-b alt-b alt-b x", "usr/x|lib  python3.11"},
		{text, "home alt-f x", "usrx|/lib  python3.11"},
		{text, "home alt-f alt-f alt-f alt-f alt-f x", "usr/lib  python3.11x|"},
		{text, "ctrl-left ctrl-left ctrl-right x", "usr/lib  python3x|.11"},
		{text, "home alt-d alt-d", "|  python3.11"},
		{text, "alt-b ctrl-u", "|11"},
		{text, "alt-b alt-b ctrl-k", "usr/lib  |"},
		{text, "home delete ctrl-d", "|r/lib  python3.11"},
		{text, "delete backspace backspace", "usr/lib  python3.|"},
		{text, "home backspace", "|usr/lib  python3.11"},
		{"", "left right home end delete backspace ctrl-w ctrl-u ctrl-k alt-b alt-f alt-d alt-backspace", "|"},
		{"日本 語", "left x", "日本 x|語"},
		{"日本 語", "ctrl-w backspace backspace", "日|"},
		{"日本\u3000語", "ctrl-w", "日本\u3000|"},
		{"ae\u0301b", "left left x", "ax|e\u0301b"},
		{"ae\u0301b", "left backspace", "a|b"},
		{"ae\u0301b", "home right delete", "a|b"},
		{"\u0301b", "home e", "e\u0301|b"}, // what is inserted makes one character with the mark behind it
		{"a👩\u200d👩\u200d👧b", "left backspace", "a|b"},
		{"\xff\xfe", "left x", "\xffx|\xfe"},
	} {
		in := Input{Text: c.text}
		for k := range strings.FieldsSeq(c.keys) {
			if !in.Key(typed(k)) {
				t.Errorf("%q: %s does nothing", c.text, k)
			}
		}
		if got := in.head() + "|" + in.Text[in.at():]; got != c.want {
			t.Errorf("%q, %s: got %q, want %q", c.text, c.keys, got, c.want)
		}
	}
}

// TestPrompt checks the keys that recall earlier texts, and which text is given to whom.
func TestPrompt(t *testing.T) {
	past := &Past{}
	for _, text := range []string{"one", "two", "one", " ", "three"} {
		p := &Prompt{Past: past}
		p.Paste(text + "\n\x1b")
		if p.Key(typed("enter")) {
			t.Fatal("enter leaves the prompt open")
		}
	}
	for _, c := range []struct{ keys, want string }{
		{"up", "three"},
		{"up up", "one"},
		{"up up up", "two"},
		{"up up up up", "two"},
		{"up up down", "three"},
		{"up down", ""},
		{"down", ""},
		{"x up down", "x- +"},
		{"x ctrl-p", "three"},
		{"x ctrl-p ctrl-p ctrl-n ctrl-n", "x"},
		{"up x up", "threex-"},
		{"up x ctrl-p ctrl-p", "one"},
		{"up left x ctrl-p ctrl-n", "threxe"},
	} {
		said, stepped := "", ""
		p := &Prompt{Past: past, Changed: func(text string) { said = text }, Step: func(down bool) {
			if down {
				stepped += " +"
			} else {
				stepped += "-"
			}
		}}
		for k := range strings.FieldsSeq(c.keys) {
			p.Key(typed(k))
		}
		if got := p.Text + stepped; got != c.want {
			t.Errorf("%s: got %q, want %q", c.keys, got, c.want)
		}
		if said != p.Text {
			t.Errorf("%s: Changed was called with %q last, and the text is %q", c.keys, said, p.Text)
		}
	}
}

// TestPromptDraw draws a text that is longer than the line: the cursor and what is around
// it show.
func TestPromptDraw(t *testing.T) {
	th, err := NewTheme("mono", true, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		w          int
		text, keys string
		want       string
		cursor     int
	}{
		{40, "/usr", "", " find /usr   note", 10},
		{40, "/usr", "home", " find /usr   note", 6},
		{40, "日本", "left", " find 日本   note", 8},
		{24, "0123456789abcdefghijklm", "", " find ..9abcdefghijklm", 22},
		{24, "0123456789abcdefghijklm", "home", " find 0123456789abcd..", 6},
		{24, "0123456789abcdefghijklm", "left left", " find ..9abcdefghijklm", 20},
		{24, "0123456789abcdefghijklm", "alt-b ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f ctrl-f", " find ..3456789abcde..", 17},
		{12, "a\x1bb\u202e", "home ctrl-f", " find a<..", 7},
	} {
		p := &Prompt{Label: "find ", Input: Input{Text: c.text}, Note: func() (string, string, bool) { return "note", "", false }}
		for k := range strings.FieldsSeq(c.keys) {
			p.Key(typed(k))
		}
		var g Grid
		p.Draw(g.Begin(c.w, 1, th), func(s string) string { return strings.NewReplacer("\x1b", "<01>", "\u202e", "<02>").Replace(s) })
		var row strings.Builder
		for _, cell := range g.cells {
			row.WriteString(cell.text)
		}
		if got := strings.TrimRight(row.String(), " "); got != c.want || g.cursorX != c.cursor {
			t.Errorf("%d cells, %q, %s: got %q with the cursor in column %d, want %q, %d", c.w, c.text, c.keys, got, g.cursorX, c.want, c.cursor)
		}
	}
}
