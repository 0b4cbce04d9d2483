package ui

import (
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/ui/screen"
)

// TestHistoryWords checks what the history says about paths that a layer stores or lists
// again as they were, or with another time.
func TestHistoryWords(t *testing.T) {
	img, err := imagetest.Parse([]byte(`
layer RUN make
  dir  d/       mtime=100
  dir  e/       mtime=100
  file f        mtime=100 5000xa
  file g        mtime=100 5000xa
layer RUN touch
  dir  d/       mtime=200
  dir  e/       mtime=100
  file f        mtime=200 5000xa
  file g        mtime=100 5000xa
`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, a, "", false, 120, 40)
	for _, c := range []struct{ path, want string }{
		{"/d", "   1 = the same, listed again with another time"},
		{"/e", "   1 = the same, listed again"},
		{"/f", "   1 = the same, stored again with another time: 5.0 kB"},
		{"/g", "   1 = the same, stored again: 5.0 kB"},
	} {
		n, _ := a.Tree.Lookup(c.path)
		p := &screen.Page{Theme: s.u.th, W: 80}
		history(p, s.u.rep, s.u.img, n)
		var lines []string
		for _, l := range p.Lines {
			lines = append(lines, strings.TrimRight(l.Text(), " "))
		}
		if got := strings.Join(lines[2:], "\n"); got != c.want+"\n       RUN touch" {
			t.Errorf("%s:\ngot  %q\nwant %q", c.path, got, c.want)
		}
	}
}
