package ui

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/ui/screen"
)

// TestFollowLink presses enter on symbolic links. Where the view does not show what a link
// leads to, everything up to the layer is shown.
func TestFollowLink(t *testing.T) {
	a := load(t, "links")
	for _, c := range []struct {
		keys  string // before the cursor goes to the link
		link  string
		to    string // the path under the cursor afterwards
		note  string // in the title
		whole bool
		says  string
	}{
		{"", "/bin/sh", "/bin/dash", "changed by layer 0", false, "/bin/sh leads to /bin/dash"},
		{"", "/etc/alternatives/sh", "/bin/dash", "changed by layer 0", false, "/etc/alternatives/sh leads to /bin/dash"}, // over /bin/bash and /bin/sh
		{"", "/etc/out", "/bin/dash", "changed by layer 0", false, "/etc/out leads to /bin/dash"},                         // .. stays in the root
		{"", "/etc/through", "/usr/lib/lib.so", "changed by layer 0", false, "/etc/through leads to /usr/lib/lib.so"},     // a folder on the way is a link
		{"", "/etc/folder", "/usr/lib", "changed by layer 0", false, "/etc/folder leads to /usr/lib"},
		{"", "/etc/top", "/etc/top", "changed by layer 0", false, "/etc/top leads to the root of the image"},
		{"", "/etc/gone", "/opt/tool", "changed by layer 0", false, "/etc/gone leads to /opt/tool"},
		{"a ] ]", "/etc/gone", "/etc/gone", "everything up to layer 2", true, "/etc/gone leads to /opt/tool, which layer 1 removed"},
		{"", "/etc/later", "/etc/later", "changed by layer 0", false, "/etc/later leads to /srv, which layer 2 adds"},
		{"a ] ]", "/etc/later", "/srv/new/file", "everything up to layer 2", true, "/etc/later leads to /srv/new/file"},
		{"", "/etc/nothing", "/etc/nothing", "changed by layer 0", false, "/etc/nothing leads to /etc/none, which does not exist"},
		{"", "/etc/stdout", "/etc/stdout", "changed by layer 0", false, "/etc/stdout leads to /proc, which only a running container has"},
		{"", "/etc/file", "/etc/file", "changed by layer 0", false, "/etc/file leads nowhere: /bin/dash is a file, not a directory"},
		{"", "/loop1", "/loop1", "changed by layer 0", false, "/loop1 leads nowhere: more than 40 symlinks, one after the other"},
		{"", "/o\x1b[2J", "/o\x1b[2J", "changed by layer 0", false, `/o\x1b[2J leads to /\x07\xff, which does not exist`},
		// What layer 1 changes does not include the target.
		{"]", "/opt/sh", "/bin/dash", "everything up to layer 1", true, "/opt/sh leads to /bin/dash"},
		{"] f u esc", "/opt/sh", "/bin/dash", "everything up to layer 1", true, "/opt/sh leads to /bin/dash"},
		// Two layers are compared: they go on being compared if the target differs, too.
		{"m ] ]", "/opt/sh", "/bin/dash", "everything up to layer 2", true, "/opt/sh leads to /bin/dash"},
		{"m ] ] a", "/opt/sh", "/bin/dash", "everything up to layers 0 and 2", true, "/opt/sh leads to /bin/dash"},
	} {
		t.Run(c.keys+" "+c.link, func(t *testing.T) {
			s := newStage(t, a, "", false, 160, 40)
			for _, k := range strings.Fields(c.keys + " 3 +") {
				s.press(k)
			}
			f, _, _ := paneOf[*files](&s.u.layout)
			n, ok := a.Tree.Lookup(c.link)
			if !ok || !f.out.GoTo(n) {
				t.Fatalf("no row for %s", c.link)
			}
			s.press("enter")
			if got := f.copies(); got != c.to {
				t.Errorf("the cursor is on %s, want %s", got, c.to)
			}
			if got := f.Note(); got != c.note || s.u.sel.whole != c.whole {
				t.Errorf("got %q, whole %v, want %q, %v", got, s.u.sel.whole, c.note, c.whole)
			}
			if s.u.note != c.says {
				t.Errorf("got %q, want %q", s.u.note, c.says)
			}
		})
	}
}

// TestOtherNames goes from a file to its other names.
func TestOtherNames(t *testing.T) {
	s := newStage(t, load(t, "links"), "", false, 120, 40)
	for _, k := range strings.Fields("] 3 + / type:git-c enter") {
		s.press(k)
	}
	f, _, _ := paneOf[*files](&s.u.layout)
	for _, c := range []struct{ on, to string }{
		{"/git-a", "/git-a"},
		{"/sub/git-c", "/sub/git-c"},
		{"/git  (its size", "/git"},
	} {
		x, y := s.at(t, " "+c.on)
		s.mouse(1, x, y) // MouseLeftDown
		if s.u.focus != detailPane {
			t.Fatalf("no details at %q on\n%s", c.on, s.text())
		}
		s.press("enter")
		if got := f.copies(); got != c.to || s.u.focus != rightPane {
			t.Errorf("%s leads to %s", c.on, got)
		}
	}
}

// TestManyNames lists the first names of a file that has many.
func TestManyNames(t *testing.T) {
	for _, c := range []struct {
		names int
		want  string
	}{{13, "/name-00012"}, {14, "and 1 more"}, {10_000, "and 9987 more"}, {10_001, "and more than 9987 others"}} {
		var b strings.Builder
		b.WriteString("layer RUN make\n  file name-00000 5xa\n")
		for i := 1; i < c.names; i++ {
			fmt.Fprintf(&b, "  link name-%05d -> name-00000\n", i)
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
		f, _, _ := paneOf[*files](&s.u.layout)
		n, _ := a.Tree.Lookup("/name-00000")
		p := &screen.Page{Theme: s.u.th, W: 60}
		f.otherNames(p, n, 0, 0)
		if got := len(p.Lines); got != min(c.names-1, 13)+2 && c.names > 13 {
			t.Errorf("%d names: %d lines", c.names, got)
		}
		if got := strings.TrimSpace(p.Lines[len(p.Lines)-1].Text()); got != c.want {
			t.Errorf("%d names: got %q, want %q", c.names, got, c.want)
		}
	}
}
