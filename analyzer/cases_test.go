package analyzer_test

import (
	"bytes"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// TestCases analyzes every image of testdata/images, with its layers plain and
// compressed, and compares the results with what the file expects.
func TestCases(t *testing.T) {
	for _, name := range imagetest.Names(t) {
		t.Run(name, func(t *testing.T) {
			c := imagetest.Load(t, name)
			for form, cs := range map[string][]imagetest.Compression{
				"plain": nil, "gzip": {imagetest.Gzip}, "mixed": {imagetest.Zstd, imagetest.None, imagetest.Gzip},
			} {
				t.Run(form, func(t *testing.T) { checkCase(t, c, c.Image(cs...)) })
			}
		})
	}
}

func checkCase(t *testing.T, c *imagetest.Image, img *analyzer.Image) {
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	checkTree(t, c, a)
	before := map[string]bool{}
	for i := range c.Layers {
		checkStatus(t, c, a.Tree, i, before)
	}
	checkFigures(t, c, a.Report)
	checkWaste(t, c, a.Report)
	for _, word := range c.Warnings {
		if !slices.ContainsFunc(a.Report.Warnings, func(w facts.Warning) bool { return strings.Contains(w.Text, word) }) {
			t.Errorf("no warning with %q: got %+v", word, a.Report.Warnings)
		}
	}
}

// show is one path of the merged tree, as the file expects it or as the tree shows
// it.
type show struct {
	Kind         string
	Mode         int64
	UID, GID     int64
	Size         int64
	Content      string
	Target       string
	Major, Minor int64
	Xattrs       string
	MTime        int64
}

func checkTree(t *testing.T, c *imagetest.Image, a *analyzer.Analysis) {
	t.Helper()
	tree, last := a.Tree, a.Tree.Layers()-1
	want, got := map[string]show{}, map[string]show{}
	for _, e := range c.Tree {
		s := show{Kind: e.Kind, Mode: e.Mode, UID: e.UID, GID: e.GID, Major: e.Major, Minor: e.Minor, Target: e.Link}
		switch e.Kind {
		case "file":
			s.Size, s.Content = e.Size(), string(e.Content())
		case "symlink":
			s.Mode = 0 // has no meaning
		}
		for _, k := range slices.Sorted(maps.Keys(e.Xattrs)) {
			s.Xattrs += k + "=" + e.Xattrs[k] + "\x00"
		}
		if e.MTime != imagetest.MTime {
			s.MTime = e.MTime
		}
		want[e.Name] = s
		if e.Same != "" {
			checkSame(t, tree, last, e.Name, e.Same)
		}
	}
	for n := filetree.Root; int(n) < tree.Len(); n++ {
		p := strings.TrimPrefix(tree.Path(n), "/")
		st, ok := tree.At(n, last)
		if _, listed := want[p]; !ok || n == filetree.Root && !listed {
			continue
		}
		s := show{Kind: st.Kind.String(), Mode: int64(st.Mode), UID: st.UID, GID: st.GID, Major: st.Major, Minor: st.Minor, Target: st.Target, Xattrs: st.Xattrs}
		if want[p].MTime != 0 {
			s.MTime = st.ModTime
		}
		switch st.Kind {
		case layer.Link:
			s.Kind = "link"
		case layer.Symlink:
			s.Mode = 0
		case layer.File:
			s.Size = st.Size
			r, err := a.Open(t.Context(), st.Content)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Errorf("reading %q: %v", p, err)
			}
			r.Close()
			s.Content = string(data)
		}
		got[p] = s
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("merged tree (-want +got):\n%s", d)
	}
}

func checkSame(t *testing.T, tree *filetree.Tree, i int, a, b string) {
	t.Helper()
	var got [2]filetree.Content
	for k, p := range []string{a, b} {
		n, ok := tree.Lookup(p)
		s, shown := tree.At(n, i)
		if !ok || !shown || s.Content == filetree.NoContent {
			t.Errorf("%q shows no content", p)
			return
		}
		got[k] = s.Content
	}
	if got[0] != got[1] {
		t.Errorf("%q and %q must be names of one content, got %d and %d", a, b, got[0], got[1])
	}
}

// checkStatus compares what layer i did to every path. before holds the paths that
// lower layers show; checkStatus updates it to those that layer i shows.
func checkStatus(t *testing.T, c *imagetest.Image, tree *filetree.Tree, i int, before map[string]bool) {
	t.Helper()
	stored := map[string]int64{}
	for _, e := range c.Layers[i] {
		if e.Kind == "file" && !strings.HasPrefix(path.Base(e.Name), ".wh.") {
			stored[strings.TrimPrefix(path.Clean("/"+e.Name), "/")] += int64(len(e.Data))
		}
	}
	v := tree.View(i-1, i)
	got := map[string]imagetest.Status{}
	for n := filetree.Root + 1; int(n) < tree.Len(); n++ {
		p := strings.TrimPrefix(tree.Path(n), "/")
		ch := v.Change(n)
		want := c.Status[i][p]
		switch ch.Mark {
		case filetree.Added:
			got[p] = "A"
		case filetree.Modified:
			got[p] = "M"
		case filetree.Removed:
			got[p] = "R"
		case filetree.Unchanged:
			// Only the text of the case distinguishes "=l", "=d" and a changed time. It
			// does not list a directory that was hidden and came back.
			if s, _ := tree.At(n, i); ch.Touched && !(s.Implied && want == "") {
				got[p] = "="
				if strings.HasPrefix(string(want), "=") {
					got[p] = want
				}
			}
		}
		if strings.HasPrefix(string(want), "=d") && ch.Stored != stored[p] {
			t.Errorf("layer %d: %q stored again with %d bytes, want %d", i, p, ch.Stored, stored[p])
		}
		was, _ := tree.At(n, i-1)
		now, shown := tree.At(n, i)
		if strings.HasPrefix(string(want), "=") && !was.Implied && (was.ModTime != now.ModTime) != strings.HasSuffix(string(want), "t") {
			t.Errorf("layer %d: %q is %s: its time went from %d to %d", i, p, want, was.ModTime, now.ModTime)
		}
		is := before[p] && want != "R" || want == "A"
		if shown != is {
			t.Errorf("layer %d: %q shown: got %v, want %v", i, p, shown, is)
		}
	}
	if d := cmp.Diff(c.Status[i], got); d != "" {
		t.Errorf("layer %d changes (-want +got):\n%s", i, d)
	}
	for p, s := range c.Status[i] {
		switch s {
		case "A":
			before[p] = true
		case "R":
			delete(before, p)
		}
	}
}

func checkFigures(t *testing.T, c *imagetest.Image, r *facts.Report) {
	t.Helper()
	if r.Totals.StoredBytes != c.Total || r.Totals.WastedBytes != c.Wasted || r.Totals.VisibleBytes != c.Total-c.Wasted {
		t.Errorf("got %d stored, %d visible, %d wasted; want %d wasted of %d",
			r.Totals.StoredBytes, r.Totals.VisibleBytes, r.Totals.WastedBytes, c.Wasted, c.Total)
	}
	efficiency := 1.0
	if c.Total > 0 {
		efficiency = float64(c.Total-c.Wasted) / float64(c.Total)
	}
	if r.Totals.Efficiency != efficiency {
		t.Errorf("got efficiency %v, want %v", r.Totals.Efficiency, efficiency)
	}
	files := 0
	for _, e := range c.Tree {
		if e.Kind == "file" {
			files++
		}
	}
	if r.Totals.Files != files || r.Totals.Layers != len(c.Layers) {
		t.Errorf("got %d files, %d layers; want %d, %d", r.Totals.Files, r.Totals.Layers, files, len(c.Layers))
	}
	var stored, visible, wasted int64
	for i, l := range r.Layers {
		stored, visible, wasted = stored+l.StoredBytes, visible+l.VisibleBytes, wasted+l.WastedBytes
		var want [3]int
		for _, s := range c.Status[i] {
			switch s {
			case "A":
				want[0]++
			case "M":
				want[1]++
			case "R":
				want[2]++
			}
		}
		if got := [3]int{l.Added, l.Modified, l.Removed}; got != want {
			t.Errorf("layer %d: got %v added, modified, removed; want %v", i, got, want)
		}
	}
	if stored != c.Total || visible != c.Total-c.Wasted || wasted != c.Wasted {
		t.Errorf("layers add up to %d stored, %d visible, %d wasted", stored, visible, wasted)
	}
	if len(r.History) != len(c.History) {
		t.Errorf("got %d steps, want %d", len(r.History), len(c.History))
	}
}

func checkWaste(t *testing.T, c *imagetest.Image, r *facts.Report) {
	t.Helper()
	wasted, hides := make([]int64, len(c.Layers)), make([]int64, len(c.Layers))
	var got []imagetest.Waste
	for k, w := range r.Waste {
		p := w.Path
		if w.PathBytes != nil {
			p = string(w.PathBytes)
		}
		if k > 0 && (r.Waste[k-1].Bytes < w.Bytes || r.Waste[k-1].Bytes == w.Bytes && r.Waste[k-1].Path > w.Path) {
			t.Errorf("waste %d, %q, stands behind %q", k, w.Path, r.Waste[k-1].Path)
		}
		wasted[w.StoredIn] += w.Bytes
		if w.HiddenBy > w.StoredIn {
			hides[w.HiddenBy] += w.Bytes
		}
		if w.Bytes > 0 {
			got = append(got, imagetest.Waste{Path: strings.TrimPrefix(p, "/"), Bytes: w.Bytes, Cause: w.Cause, StoredIn: w.StoredIn, HiddenBy: w.HiddenBy})
		}
	}
	for i, l := range r.Layers {
		if l.WastedBytes != wasted[i] || l.HidesBytes != hides[i] {
			t.Errorf("layer %d: got %d wasted, hides %d; its waste adds up to %d and %d", i, l.WastedBytes, l.HidesBytes, wasted[i], hides[i])
		}
	}
	if c.Waste == nil {
		return
	}
	want := slices.Clone(c.Waste)
	for _, w := range [][]imagetest.Waste{got, want} {
		slices.SortFunc(w, func(a, b imagetest.Waste) int {
			if c := bytes.Compare([]byte(a.Path), []byte(b.Path)); c != 0 {
				return c
			}
			return (a.StoredIn-b.StoredIn)*1000 + int(a.Bytes-b.Bytes)
		})
	}
	if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
		t.Errorf("waste (-want +got):\n%s", d)
	}
}
