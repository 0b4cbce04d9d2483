package advice

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// wasting returns a report of three layers with the given waste, each "PATH BYTES
// CAUSE STORED HIDDEN". Every layer shows something at /shown, and what shown adds,
// each "LAYER FOLDER".
func wasting(t testing.TB, waste []string, shown ...string) *facts.Report {
	t.Helper()
	r := &facts.Report{Layers: []facts.Layer{{VisibleBytes: 1}, {Index: 1, VisibleBytes: 1}, {Index: 2, VisibleBytes: 1}}}
	for _, s := range waste {
		var w facts.Waste
		if _, err := fmt.Sscan(s, &w.Path, &w.Bytes, &w.Cause, &w.StoredIn, &w.HiddenBy); err != nil {
			t.Fatal(err)
		}
		r.Waste = append(r.Waste, w)
	}
	for _, s := range shown {
		var l facts.FolderLayer
		f := facts.Folder{VisibleBytes: 1}
		if _, err := fmt.Sscan(s, &l.Layer, &f.Path); err != nil {
			t.Fatal(err)
		}
		l.VisibleBytes = 1
		f.Layers = append(f.Layers, l)
		r.Folders = append(r.Folders, f)
	}
	return r
}

func lines(all []Group) []string {
	var out []string
	for _, g := range all {
		out = append(out, fmt.Sprintln(g.Path, g.Bytes, g.Cause, g.StoredIn, g.HiddenBy, "files", g.Files))
	}
	return out
}

// several returns n elements of waste with 1 byte each; each path is format with
// its number.
func several(n int, format, fate string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i)+" 1 "+fate)
	}
	return out
}

func TestGroups(t *testing.T) {
	for _, tt := range []struct {
		name  string
		waste []string
		shown []string
		want  string
	}{
		{"nothing", nil, nil, ""},
		{"a file is no folder", []string{"/a/b/c 5 removed 0 1"}, nil, "/a/b/c 5 removed 0 1 files 1\n"},
		{
			"chmod -R is one row, below the innermost folder that has all of it",
			append(several(2000, "/app/venv/lib/p%d/x.py", "metadata 0 1"), "/app/venv/bin/python 100 metadata 0 1"), nil,
			"/app/venv/ 2100 metadata 0 1 files 2001\n",
		},
		{
			"a folder that shows other files of the layer is split, down to those that don't",
			[]string{"/app/a/1 5 removed 0 1", "/app/a/2 5 removed 0 1", "/app/b/1 3 removed 0 1", "/app/b/2 1 removed 0 1"},
			[]string{"0 /app", "0 /app/b", "1 /app/a"},
			"/app/a/ 10 removed 0 1 files 2\n/app/b/1 3 removed 0 1 files 1\n/app/b/2 1 removed 0 1 files 1\n",
		},
		{
			"a folder whose files were hidden in different ways is split",
			[]string{"/app/a/1 5 removed 0 1", "/app/a/2 4 removed 0 1", "/app/b/1 3 metadata 0 1", "/app/b/2 2 metadata 0 1", "/app/c/1 7 removed 0 2"}, nil,
			"/app/a/ 9 removed 0 1 files 2\n/app/c/1 7 removed 0 2 files 1\n/app/b/ 5 metadata 0 1 files 2\n",
		},
		{
			"what other layers store in a folder doesn't split it",
			[]string{"/app/1 5 removed 0 2", "/app/2 5 removed 0 2", "/app/3 3 removed 1 2", "/app/4 3 removed 1 2"}, []string{"2 /app"},
			"/app/ 10 removed 0 2 files 2\n/app/ 6 removed 1 2 files 2\n",
		},
		{
			"more than eight children are one row, at each depth",
			slices.Concat(several(9, "/usr/share/doc/p%d/changelog", "overwritten 0 1"), several(8, "/usr/lib/l%d", "overwritten 0 1"), several(9, "/bin/b%d", "overwritten 0 1")),
			[]string{"0 /usr", "0 /usr/share", "0 /usr/share/doc", "0 /usr/lib", "0 /bin"},
			"/bin/ 9 overwritten 0 1 files 9\n/usr/share/doc/ 9 overwritten 0 1 files 9\n" + strings.Join(several(8, "/usr/lib/l%d", "overwritten 0 1 files 1\n"), ""),
		},
		{
			"files of different fates side by side",
			append(several(9, "/app/%da", "removed 0 1"), several(9, "/app/%db", "metadata 0 1")...), nil,
			"/app/ 9 metadata 0 1 files 9\n/app/ 9 removed 0 1 files 9\n",
		},
		{"the root isn't one row while it shows something", several(9, "/%d", "removed 0 1"), nil, strings.Join(several(9, "/%d", "removed 0 1 files 1\n"), "")},
		{"a path stored several times is one row", []string{"/a 5 repeated 1 1", "/a 4 repeated 1 1"}, nil, "/a 9 repeated 1 1 files 2\n"},
		{"a file that became a folder", []string{"/p 5 removed 0 1", "/p/a 4 removed 0 1", "/p-b 3 removed 0 1"}, nil, "/p 5 removed 0 1 files 1\n/p/a 4 removed 0 1 files 1\n/p-b 3 removed 0 1 files 1\n"},
		{"names that begin alike", []string{"/ab/x 5 removed 0 1", "/ac/x 4 removed 0 1"}, nil, "/ab/x 5 removed 0 1 files 1\n/ac/x 4 removed 0 1 files 1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := wasting(t, tt.waste, tt.shown...)
			got := strings.Join(lines(Groups(r, nil)), "")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestGroupsOfWholeLayer checks that a layer that shows nothing is one row, at the
// root if it stores files in several folders there.
func TestGroupsOfWholeLayer(t *testing.T) {
	r := wasting(t, []string{"/a/1 5 removed 0 1", "/b/1 4 removed 0 1"})
	r.Layers[0].VisibleBytes = 0
	if got, want := strings.Join(lines(Groups(r, nil)), ""), "/ 9 removed 0 1 files 2\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestGroupsOfSome checks that waste left out, such as what is suppressed, is in no
// group.
func TestGroupsOfSome(t *testing.T) {
	r := wasting(t, []string{"/a/1 5 removed 0 1", "/a/2 4 removed 0 1", "/a/3 3 removed 0 1"})
	if got, want := strings.Join(lines(Groups(r, []int{0, 2})), ""), "/a/ 8 removed 0 1 files 2\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Groups(r, []int{}); len(got) != 0 {
		t.Errorf("of none: got %v", got)
	}
}

// TestGroupsAddUp checks on random reports that each element of the waste is in one
// group, that groups hold what they say, and that the order of the waste makes no
// difference.
func TestGroupsAddUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		r := randomWaste(rnd, 1+rnd.IntN(200))
		groups := Groups(r, nil)
		seen := map[int]bool{}
		for _, g := range groups {
			bytes := int64(0)
			for _, i := range g.Waste {
				w := r.Waste[i]
				if seen[i] {
					t.Fatalf("element %d is in two groups", i)
				}
				seen[i] = true
				bytes += w.Bytes
				in := w.Path == g.Path || strings.HasSuffix(g.Path, "/") && strings.HasPrefix(w.Path, g.Path)
				if !in || w.Cause != g.Cause || w.StoredIn != g.StoredIn || w.HiddenBy != g.HiddenBy {
					t.Fatalf("%+v is in %+v", w, g)
				}
			}
			if bytes != g.Bytes || len(g.Waste) != g.Files {
				t.Fatalf("%d files of %d bytes are in %+v", len(g.Waste), bytes, g)
			}
		}
		if len(seen) != len(r.Waste) {
			t.Fatalf("%d of %d elements are in groups", len(seen), len(r.Waste))
		}
		want := lines(groups)
		rnd.Shuffle(len(r.Waste), func(i, j int) { r.Waste[i], r.Waste[j] = r.Waste[j], r.Waste[i] })
		if diff := cmp.Diff(want, lines(Groups(r, nil))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func randomWaste(rnd *rand.Rand, n int) *facts.Report {
	r := &facts.Report{Layers: []facts.Layer{{}, {Index: 1, VisibleBytes: 1}, {Index: 2}}}
	names := []string{"a", "b", "ab", "c-d", "\xff", "é", "1", "2", "3", "4", "5", "6"}
	for range n {
		path := ""
		for range 1 + rnd.IntN(5) {
			path += "/" + names[rnd.IntN(len(names))]
		}
		w := facts.Waste{Path: path, Bytes: rnd.Int64N(5), StoredIn: rnd.IntN(3), Cause: []string{"removed", "metadata"}[rnd.IntN(2)]}
		w.HiddenBy = w.StoredIn + rnd.IntN(3-w.StoredIn)
		r.Waste = append(r.Waste, w)
		if dir := path[:strings.LastIndexByte(path, '/')]; dir != "" && rnd.IntN(4) == 0 {
			r.Folders = append(r.Folders, facts.Folder{Path: dir, Layers: []facts.FolderLayer{{Layer: rnd.IntN(3), VisibleBytes: 1}}})
		}
	}
	return r
}

// BenchmarkGroups groups a million elements: files of ordinary folders, files all
// hidden in their own way, folders of one file each, and folders in one another.
func BenchmarkGroups(b *testing.B) {
	const n = 1_000_000
	deep := strings.Repeat("/d", 500)
	for name, of := range map[string]func(i int) (path string, stored, hidden int){
		"ordinary": func(i int) (string, int, int) {
			return fmt.Sprintf("/srv/package-%d/dist/lib/index-%d.js", i/100, i), i / 100 % 3, 3
		},
		"flat":      func(i int) (string, int, int) { return fmt.Sprintf("/%d", i), 0, 1 + i%3 },
		"scattered": func(i int) (string, int, int) { return fmt.Sprintf("/a/%d/%d/x", i%1000, i), i % 3, 3 },
		"deep":      func(i int) (string, int, int) { return fmt.Sprintf("%s/%d", deep[:i%500*2], i), i % 3, 3 },
	} {
		b.Run(name, func(b *testing.B) {
			r := &facts.Report{Layers: make([]facts.Layer, 4)}
			for i := range r.Layers {
				r.Layers[i].VisibleBytes = 1
			}
			for i := range n {
				path, stored, hidden := of(i)
				r.Waste = append(r.Waste, facts.Waste{Path: path, Bytes: 4096, Cause: "removed", StoredIn: stored, HiddenBy: hidden})
			}
			b.ReportAllocs()
			for b.Loop() {
				Groups(r, nil)
			}
		})
	}
}
