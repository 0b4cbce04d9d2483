package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer/facts"
	"fathom/analyzer/packages"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// savedStage returns a stage for a report that was saved and read back.
func savedStage(t testing.TB, rep *facts.Report, colours string, ascii bool, w, h int) *stage {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, rep); err != nil {
		t.Fatal(err)
	}
	if rep.Findings == nil || rep.Packages == nil { // as in a report of an older version
		var all map[string]any
		if err := json.Unmarshal(b.Bytes(), &all); err != nil {
			t.Fatal(err)
		}
		if rep.Findings == nil {
			delete(all, "findings")
			delete(all["totals"].(map[string]any), "findingsBytes")
		}
		if rep.Packages == nil {
			delete(all, "packages")
			delete(all, "unowned")
		}
		b.Reset()
		if err := json.NewEncoder(&b).Encode(all); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := facts.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	names, lost, err := wastedPaths(t.Context(), rep)
	if err != nil {
		t.Fatal(err)
	}
	return stageOf(t, colours, ascii, w, h, func(set setup, do doer) root { return newSaved(rep, names, lost, set, do) })
}

// TestSavedPaths checks that every path of the waste is found again, even if a path
// is a file in one item and a folder in another.
func TestSavedPaths(t *testing.T) {
	paths := []string{"/a", "/a/b", "/b/c", "/b", "/a", "/.wh.x", "/not utf-8 \xff", "/new\nline", "/x" + strings.Repeat("/y", 1000)}
	rep := &facts.Report{Layers: []facts.Layer{{VisibleBytes: 1}, {}}}
	for i, p := range paths {
		rep.Waste = append(rep.Waste, facts.Waste{Path: p, Bytes: int64(i) + 1, Cause: "removed", HiddenBy: 1})
	}
	names, lost, err := wastedPaths(t.Context(), rep)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		if got := names.Path(names.Stored(lost[i]).Node); got != p {
			t.Errorf("got %q, want %q", got, p)
		}
	}
	w := savedWaste(rep, names, lost)
	var sum int64
	for _, it := range w.all {
		sum += it.bytes
		if it.folder || it.cause.String() != "removed" || it.hidden != 1 {
			t.Errorf("got %+v", it)
		}
	}
	if len(w.all) != len(paths) || w.count != len(paths)-1 || sum != w.total || sum != 45 {
		t.Errorf("%d items of %d paths, %d bytes, the title says %d", len(w.all), w.count, sum, w.total)
	}
}

// TestSavedActions presses every key in a saved report. An action that needs a file
// says that the report has none.
func TestSavedActions(t *testing.T) {
	rep := load(t, "shop").Report
	x := prepared{all: readFindings(t, "shop")}
	x.into(rep)
	rep.Packages, rep.Unowned = []facts.Package{{Type: "npm", Name: "a", Database: "/a", RemovedBy: -1}}, &facts.Unowned{VisibleBytes: rep.Totals.VisibleBytes, WastedBytes: rep.Totals.WastedBytes, MoreFolders: 1}
	for _, b := range bindings() {
		if b.places&inPanes == 0 {
			continue
		}
		for _, k := range strings.Fields(b.keys) {
			befores := []string{"", "2", "3", "3 w", "w", "/ type:git enter", "!", "! right down", "p", "p right down"}
			if testing.Short() {
				befores = befores[3:4]
			}
			for _, before := range befores {
				s := savedStage(t, rep, "", false, 120, 40)
				for _, k := range strings.Fields(before) {
					s.press(k)
				}
				s.press(k)
			}
		}
	}
	for k, want := range map[string]string{
		"v": "to view, compare or extract one", "d": "to view, compare or extract one", "x": "to view, compare or extract one",
		"H": "a saved report holds no files", "m": "holds no files", "enter": "holds no files",
	} {
		s := savedStage(t, rep, "", false, 120, 40)
		s.press("3")
		if s.press(k); !strings.Contains(s.u.note, want) {
			t.Errorf("%s: %q, want %q", k, s.u.note, want)
		}
	}
}

// TestSavedRandomKeys is TestRandomKeys with saved reports.
func TestSavedRandomKeys(t *testing.T) {
	for i := range games(6) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			data := randomBytes(i+100, 400)
			t.Chdir(t.TempDir())
			a, data := someImage(t, data)
			x := prepared{all: someFindings(a, data)}
			x.into(a.Report)
			if found, err := packages.Find(t.Context(), a, packages.Options{}); err == nil && i%2 == 0 {
				a.Report.Packages, a.Report.Unowned = found.List, &found.Unowned
			}
			perform(t, savedStage(t, a.Report, screen.Themes()[len(data)%3], len(data)%2 == 0, 100, 30), data)
		})
	}
}

// TestNotesPage checks that the page of the image says how it was read.
func TestNotesPage(t *testing.T) {
	s := newStage(t, load(t, "shop unverified"), "", false, 120, 40)
	s.u.notes = []string{"reading it from ghcr.io\x1b[2J"}
	s.press("i")
	s.at(t, ` note        reading it from ghcr.io\x1b[2J`)
	s.at(t, " unverified  2 of 5 layers: they are listed from their tables of contents")
}

// games returns the number of random games to play: n, or 1 in short mode.
func games(n uint64) uint64 {
	if testing.Short() {
		return 1
	}
	return n
}
