package compare

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer/imagetest"
)

// TestDetailedRows lists few files of a folder one by one, and many in one row. A folder that
// is new is one row, also if it has few files.
func TestDetailedRows(t *testing.T) {
	var many strings.Builder
	for i := range 9 {
		fmt.Fprintf(&many, "  file many/%d 2xm\n", i)
	}
	old := side(t, "layer RUN make\n  file few/a 1xa\n  file few/b 1xb\n  file few/c 1xc mtime=1\n  dir many/\n", imagetest.None)
	new := side(t, "layer RUN make\n  file few/a 5xa\n  file few/b 3xb 0700\n  file few/c 1xc mtime=2 xattr:user.x=1\n  file new/x 4xx\n  dir many/\n"+many.String(), imagetest.None)
	c := compared(t, old, new)
	var got []string
	for _, r := range c.Without(MTime).DetailedRows(8) {
		got = append(got, fmt.Sprint(r.Path, " ", r.Reason, " ", r.Count, " ", r.NewBytes-r.OldBytes, " ", r.File))
	}
	want := "/many added 9 18 false\n/few/a content 1 4 true\n/few/b content 1 2 true\n/new added 2 4 false\n/few/c xattr 1 0 true"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if c.SameLayers() || !compared(t, old, old).SameLayers() {
		t.Error("the layers are the same only of the same image")
	}
}

// TestGrown has a rename, whose bytes leave one folder for another.
func TestGrown(t *testing.T) {
	c := compared(t, side(t, "layer RUN make\n  file a/x 100xx\n  file a/y 10xy\n", imagetest.None), side(t, "layer RUN make\n  file b/x 100xx\n  file a/y 15xy\n", imagetest.None))
	in := func(folder string) func(string) bool {
		return func(path string) bool { return strings.HasPrefix(path, folder) }
	}
	if got := fmt.Sprint(c.Grown([]func(string) bool{in("/a/"), in("/b/"), in("/")})); got != "[-95 100 5]" {
		t.Errorf("got %s", got)
	}
}
