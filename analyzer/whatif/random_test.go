package whatif

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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

// entry is a line of a layer.
type entry struct {
	path string // without the prefix of a whiteout
	kind string // file, link, whiteout, opaque or symlink
	size int
	fill string // of a file
	to   int    // of a link: the index of its file in the layer
}

// randomLayers returns layers of files, hard links, symlinks, whiteouts and opaque
// markers. A path is always a file or always a folder: no entry hides others only by
// its kind.
func randomLayers(rnd *rand.Rand) [][]entry {
	var out [][]entry
	dirs := []string{"a/", "a/b/", "c/", "c/d/", "c/d/e/"}
	pick := func(all ...string) string { return all[rnd.IntN(len(all))] }
	links := rnd.IntN(2) == 0
	for range 1 + rnd.IntN(5) {
		var l []entry
		for range 1 + rnd.IntN(10) {
			path := pick(dirs...) + pick("1", "2", "3")
			switch rnd.IntN(9) {
			case 0:
				l = append(l, entry{path: path, kind: "whiteout"})
			case 1:
				l = append(l, entry{path: strings.TrimSuffix(pick(dirs...), "/"), kind: pick("whiteout", "opaque")})
			case 2:
				l = append(l, entry{path: path, kind: "symlink"})
			case 3:
				if !links {
					continue
				}
				var files []int
				for i, e := range l {
					if again := slices.ContainsFunc(l[i+1:], func(x entry) bool { return x.path == e.path }); e.kind == "file" && !again && e.path != path {
						files = append(files, i)
					}
				}
				if len(files) > 0 {
					l = append(l, entry{path: path, kind: "link", to: files[rnd.IntN(len(files))]})
				}
			default:
				l = append(l, entry{path: path, kind: "file", size: rnd.IntN(4) * 100, fill: pick("x", "y")})
			}
		}
		out = append(out, l)
	}
	return out
}

// without returns the layers without the entries at and below some paths. The first
// link to a file that is gone is the file instead, unless the layer replaces the link.
func without(layers [][]entry, paths []string) [][]entry {
	gone := func(path string) bool {
		return slices.ContainsFunc(paths, func(p string) bool { return p == "" || path == p || strings.HasPrefix(path, p+"/") })
	}
	var out [][]entry
	for _, l := range layers {
		var kept []entry
		at := map[int]int{} // where the file of the layer is now
		for i, e := range l {
			if gone(e.path) {
				continue
			}
			if e.kind == "link" {
				to, ok := at[e.to]
				if !ok && slices.ContainsFunc(l[i+1:], func(x entry) bool { return x.path == e.path && x.kind != "whiteout" && x.kind != "opaque" }) {
					continue
				}
				if !ok {
					at[e.to] = len(kept)
					e.kind, e.size, e.fill = "file", l[e.to].size, l[e.to].fill
				}
				e.to = to
			} else if e.kind == "file" {
				at[i] = len(kept)
			}
			kept = append(kept, e)
		}
		out = append(out, kept)
	}
	return out
}

// truncated returns the layers with no bytes in some files. Contents are numbered in
// the order of the files.
func truncated(layers [][]entry, contents map[filetree.Content]bool) [][]entry {
	var out [][]entry
	c := filetree.Content(0)
	for _, l := range layers {
		l = slices.Clone(l)
		for i := range l {
			if l[i].kind == "file" {
				if contents[c] {
					l[i].size = 0
				}
				c++
			}
		}
		out = append(out, l)
	}
	return out
}

func text(layers [][]entry) string {
	var b strings.Builder
	for i, l := range layers {
		fmt.Fprintf(&b, "layer RUN step %d\n", i)
		for _, e := range l {
			at := strings.LastIndexByte(e.path, '/') + 1
			switch e.kind {
			case "file":
				fmt.Fprintf(&b, "  file %s %dx%s\n", e.path, e.size, e.fill)
			case "link":
				fmt.Fprintf(&b, "  link %s -> %s\n", e.path, l[e.to].path)
			case "symlink":
				fmt.Fprintf(&b, "  symlink %s -> nowhere\n", e.path)
			case "whiteout":
				fmt.Fprintf(&b, "  file %s.wh.%s\n", e.path[:at], e.path[at:])
			case "opaque":
				fmt.Fprintf(&b, "  file %s/.wh..wh..opq\n", e.path)
			}
		}
	}
	return b.String()
}

func analyze(t *testing.T, text string) *analyzer.Analysis {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(), analyzer.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return a
}

// figures returns what a report says about bytes, by layer of the image.
func figures(r *facts.Report) []string {
	t := r.Totals
	out := []string{fmt.Sprintf("stored %d, visible %d, wasted %d, efficiency %v, files %d", t.StoredBytes, t.VisibleBytes, t.WastedBytes, t.Efficiency, t.Files)}
	for _, l := range r.Layers {
		if l.StoredBytes > 0 || l.HidesBytes > 0 {
			out = append(out, fmt.Sprintf("%s: stored %d, visible %d, wasted %d, hides %d", l.Command, l.StoredBytes, l.VisibleBytes, l.WastedBytes, l.HidesBytes))
		}
	}
	return out
}

// readable checks that a report doesn't contradict itself: that it can be read back.
func readable(t *testing.T, r *facts.Report) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := facts.Read(bytes.NewReader(data)); err != nil {
		t.Errorf("%v", err)
	}
}

// leaves reports of each layer whether it does anything to a path that is no folder.
func leaves(tree *filetree.Tree) []bool {
	out := make([]bool, tree.Layers())
	for n := filetree.Root + 1; int(n) < tree.Len(); n++ {
		for _, e := range tree.History(n) {
			if e.Change.Mark != filetree.Absent && e.State.Kind != layer.Dir {
				out[e.Layer] = true
			}
		}
	}
	return out
}

// TestRebuilt compares the report without some paths, waste and steps with that of an
// image that was built without them.
func TestRebuilt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 13))
	images := 1500
	if testing.Short() {
		images = 200
	}
	var linked, empty, saved int
	for range images {
		layers := randomLayers(rnd)
		a := analyze(t, text(layers))
		tree := a.Tree
		im := &Image{Analysis: a, Report: a.Report}
		var marks []Mark
		var paths []string
		took := map[filetree.Content]bool{}
		onlyPaths := rnd.IntN(2) == 0
		for range 1 + rnd.IntN(3) {
			switch m := (Mark{Kind: Kind(rnd.IntN(3)), Place: -1}); {
			case m.Kind == Path || onlyPaths:
				m.Kind, m.Node = Path, filetree.Node(rnd.IntN(tree.Len()))
				paths = append(paths, tree.Path(m.Node)[1:])
				marks = append(marks, m)
			case m.Kind == Step:
				m.Layer = rnd.IntN(len(layers))
				for c := range filetree.Content(tree.Contents()) {
					if s := tree.Stored(c); s.Cause != filetree.Visible && (s.Layer == m.Layer || s.HiddenBy == m.Layer) {
						took[c] = true
					}
				}
				marks = append(marks, m)
			default:
				for c := range filetree.Content(tree.Contents()) {
					if s := tree.Stored(c); s.Cause != filetree.Visible && rnd.IntN(3) == 0 {
						m.Waste = append(m.Waste, c)
						took[c] = true
					}
				}
				marks = append(marks, m)
			}
		}
		got := Without(im, marks)
		less := without(truncated(layers, took), paths)
		built := analyze(t, text(less))
		want := built.Report
		if diff := cmp.Diff(figures(want), figures(got.Report)); diff != "" {
			t.Fatalf("marks %+v of %q (-built without +got):\n%s\n%s\nbuilt without:\n%s", marks, paths, diff, text(layers), text(less))
		}
		if onlyPaths && len(got.Empty) == 0 && !strings.Contains(text(layers), " link ") { // of several names, the entry's is preferred
			if diff := cmp.Diff(want.Waste, got.Report.Waste); diff != "" {
				t.Fatalf("waste, marks %+v of %q (-built without +got):\n%s\n%s", marks, paths, diff, text(layers))
			}
			if diff := cmp.Diff(want.Folders, got.Report.Folders); diff != "" {
				t.Fatalf("folders, marks %+v of %q (-built without +got):\n%s\n%s", marks, paths, diff, text(layers))
			}
		}
		readable(t, got.Report)
		if onlyPaths {
			for i, something := range leaves(built.Tree) {
				l, is := &want.Layers[i], slices.Contains(got.Empty, i)
				bytes := l.StoredBytes > 0 || l.HidesBytes > 0
				if is && (bytes || something) || !is && !bytes && !something && a.Report.Layers[i].StoredBytes > 0 {
					t.Fatalf("layer %d is empty: %v, in\n%s", i, is, text(less))
				}
			}
		}
		empty += len(got.Empty)
		// What a mark saves alone, and in addition to the others.
		for i := range marks {
			alone := Without(im, marks[i:i+1]).Report.Totals.StoredBytes
			others := Without(im, slices.Delete(slices.Clone(marks), i, i+1)).Report.Totals.StoredBytes
			if s := (Saving{a.Report.Totals.StoredBytes - alone, others - got.Report.Totals.StoredBytes}); got.Saves[i] != s {
				t.Fatalf("mark %d of %+v: got %+v, want %+v, in\n%s", i, marks, got.Saves[i], s, text(layers))
			}
			saved++
		}
		for c := range filetree.Content(tree.Contents()) {
			if tree.Linked(c) {
				linked++
			}
		}
	}
	if linked < images/10 || empty < images/20 || saved < images {
		t.Errorf("%d linked contents, %d empty layers, %d marks: the images show too little", linked, empty, saved)
	}
}
