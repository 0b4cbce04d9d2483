package ui

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// state returns what the user sees of the state: the selection, the pane and the tab, the
// rows of the files and the line of the cursor.
func (s *stage) state() string {
	u := s.u
	f, _, _ := paneOf[*files](&u.layout)
	rows, line := f.out.Rows(max(f.frame.h, 1))
	var b strings.Builder
	for i, r := range rows {
		if i == line {
			b.WriteString(">")
		}
		b.WriteString(r.Name + " ")
	}
	scope := f.out.Scope()
	return strings.Join([]string{itoa(u.sel.layer), itoa(u.sel.marked), itoa(scope.View.From), itoa(scope.View.To), itoa(u.layers.At), itoa(int(scope.Marks)),
		f.part.name, u.right().Title(), u.pane(u.focus).Title(), u.search.text, b.String()}, "|")
}

// TestSearchEsc checks that esc in the prompt of a search goes back to where it began,
// also when it showed matches in other layers.
func TestSearchEsc(t *testing.T) {
	for name, keys := range map[string]string{
		"another layer":   "3 ] ] down | / tab type:pack down down",
		"everything":      "3 a + down down | / tab type:security",
		"compared layers": "3 ] m ] down | / tab type:app down up",
		"a filter":        "3 ] f m r u esc down | / tab type:a down down down",
		"from the layers": "1 down | / tab type:pack backspace backspace type:server",
		"from the waste":  "w down 1 | / type:a tab type:p",
		"an older search": "3 / type:git enter | / tab type:pack",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, load(t, "shop"), "", false, 120, 40)
			before, search, _ := strings.Cut(keys, "|")
			for _, k := range strings.Fields(before) {
				s.press(k)
			}
			want := s.state()
			for _, k := range strings.Fields(search) {
				s.press(k)
			}
			if name != "from the waste" && s.state() == want {
				t.Fatal("the search shows nothing else")
			}
			s.press("esc")
			if got := s.state(); got != want {
				t.Errorf("got\n%s, want\n%s", got, want)
			}
			if s.u.search.all {
				t.Error("the search is still in all layers")
			}
		})
	}
}

// TestNext goes through what is found in the order of the rows: first those of the files
// that are shown, then in a search of all layers those of other layers, from the lowest.
func TestNext(t *testing.T) {
	for keys, want := range map[string][]string{
		// By size: 2,000,000, 500,000 and, in layer 2, 1,049,908 bytes.
		"3 ] / tab type:pack enter":   {"1 of 3 layer 1 /var/lib/apt/lists/main_Packages", "2 of 3 layer 1 /var/lib/apt/lists/security_Packages", "3 of 3 layer 2 /srv/app/.git/pack"},
		"3 ] s / tab type:pack enter": {"1 of 3 layer 1 /var/lib/apt/lists/security_Packages", "2 of 3 layer 1 /var/lib/apt/lists/main_Packages", "3 of 3 layer 2 /srv/app/.git/pack"},
		// Layer 4 has none of them: those of layer 1 come before that of layer 2.
		"3 ] ] ] ] / tab type:pack enter": {"1 of 3 layer 1 /var/lib/apt/lists/main_Packages", "2 of 3 layer 1 /var/lib/apt/lists/security_Packages", "3 of 3 layer 2 /srv/app/.git/pack"},
		"3 ] / type:pack enter":           {"1 of 2 layer 1 /var/lib/apt/lists/main_Packages", "2 of 2 layer 1 /var/lib/apt/lists/security_Packages"},
		// Everything up to layer 2: folders of 2,500,000 and 1,049,908 bytes.
		"3 a ] ] / type:pack enter":   {"1 of 3 layer 2 /var/lib/apt/lists/main_Packages", "2 of 3 layer 2 /var/lib/apt/lists/security_Packages", "3 of 3 layer 2 /srv/app/.git/pack"},
		"3 a ] ] / type:pack enter F": {"1 of 3 layer 2 /var/lib/apt/lists/main_Packages", "2 of 3 layer 2 /var/lib/apt/lists/security_Packages", "3 of 3 layer 2 /srv/app/.git/pack"},
	} {
		s := newStage(t, load(t, "shop"), "", false, 120, 40)
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		now := func() string {
			return s.u.foundNote() + " layer " + itoa(s.u.sel.layer) + " " + s.u.right().copies()
		}
		for _, key := range []string{"n", "N"} {
			for i := range want {
				k := i
				if key == "N" {
					k = (len(want) - i) % len(want)
				}
				if got := now(); got != want[k] {
					t.Errorf("%s, %s: got %s, want %s", keys, strings.Repeat(key, i), got, want[k])
				}
				s.press(key)
			}
		}
	}
}

// TestSearchLater searches all layers for what the layer shown does not have, while the
// order of the matches is made in the background: the cursor goes to the first one then,
// that of layer 1.
func TestSearchLater(t *testing.T) {
	for _, c := range []struct{ keys, then, want string }{
		{"3 / tab type:pack", "", "/var/lib/apt/lists/main_Packages"},
		{"3 / tab type:pack", "esc", "/usr"},
		{"3 / tab type:pack", "enter", "/var/lib/apt/lists/main_Packages"},
	} {
		s := newStage(t, load(t, "shop"), "", false, 120, 40)
		s.world.holds = true
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		run := func() {
			f := s.world.held[0]
			s.world.held = s.world.held[1:]
			if done := f(t.Context()); done != nil {
				done()
			}
		}
		for !s.u.search.busy || len(s.world.held) > 1 {
			run() // up to the search for the last letter
		}
		run()
		if c.then != "" {
			s.press(c.then)
		}
		for len(s.world.held) > 0 {
			run()
		}
		if where, _ := s.u.right().Status(); where != c.want {
			t.Errorf("%s %s: the cursor is on %q, want %q", c.keys, c.then, where, c.want)
		}
	}
}

// TestManyFound checks that so many matches that their sequence takes long have a rank only
// when the prompt is closed, and that the sequence ends with the search.
func TestManyFound(t *testing.T) {
	var b strings.Builder
	b.WriteString("layer RUN make\n")
	for i := range manyHits + 1 {
		fmt.Fprintf(&b, "  file d/f%05d 1xa\n", i)
	}
	img, err := imagetest.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, a, "", false, 120, 40)
	for _, step := range []struct{ key, want string }{
		{"/", "find"},
		{"type:f", "20001 found"},
		{"enter", "1 of 20,001"},
		{"n", "2 of 20,001"},
	} {
		s.press(step.key)
		s.at(t, step.want)
	}
	files, _, _ := paneOf[*files](&s.u.layout)
	s.press("esc")
	if files.seq.nodes != nil {
		t.Error("the sequence stays when the search has ended")
	}
}
