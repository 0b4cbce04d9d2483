package ui

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/packages"
	"fathom/ui/outline"
	"fathom/ui/screen"
)

// someImage makes an image from data: a few layers of files, folders, symlinks and
// whiteouts. They share few names, so that each path changes often. It returns the
// unused data.
func someImage(t testing.TB, data []byte) (*analyzer.Analysis, []byte) {
	t.Helper()
	names := []string{"a", "bin", "\x1b[2J", "日本", "e\u0301", "long-long-long-long-name"}
	var b strings.Builder
	take := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		v := int(data[0]) % n
		data = data[1:]
		return v
	}
	for l := range take(5) {
		fmt.Fprintf(&b, "layer RUN step %d\n", l)
		for range take(12) {
			path := ""
			for range take(4) {
				path += names[take(len(names))] + "/"
			}
			switch name := names[take(len(names))]; take(7) {
			case 6:
				text, _ := json.Marshal(map[string]string{"name": name, "version": path})
				fmt.Fprintf(&b, "  file %q text=%q\n", "node_modules/"+name+"/package.json", text)
			case 0:
				fmt.Fprintf(&b, "  file %q\n", path+".wh."+name)
			case 1:
				fmt.Fprintf(&b, "  dir %q\n", path+name)
			case 2:
				fmt.Fprintf(&b, "  symlink %q -> %q\n", path+name, name)
			default:
				fmt.Fprintf(&b, "  file %q %dxy\n", path+name, take(200))
			}
		}
		if take(3) == 0 {
			b.WriteString("step ENV x=y\n")
		}
	}
	img, err := imagetest.Parse([]byte(b.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	return a, data
}

// FuzzKeys presses random keys, clicks and resizes on a random image. It looks for
// panics, lost cursors, text in the wrong place, and totals that don't add up.
func FuzzKeys(f *testing.F) {
	for i := range uint64(8) {
		f.Add(randomBytes(i, 120))
	}
	f.Fuzz(func(t *testing.T, data []byte) { play(t, data[:min(len(data), 200)], "") })
}

var seeds = flag.Uint64("seeds", 12, "how many random games TestRandomKeys plays")

// TestRandomKeys plays games that are longer than those of FuzzKeys.
func TestRandomKeys(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 2)
	}
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) { play(t, randomBytes(i, 500), "") })
	}
	for i, preset := range Presets() {
		t.Run(preset, func(t *testing.T) { play(t, randomBytes(uint64(100+i), 500), preset) })
	}
}

func randomBytes(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// play makes an image from data and performs the rest of data on it, with the keys of a
// preset.
func play(t *testing.T, data []byte, preset string) {
	t.Chdir(t.TempDir()) // x extracts to it
	a, data := someImage(t, data)
	someDockerfile(a, data)
	x := prepared{all: someFindings(a, data), searching: len(data)%4 == 0}
	x.then = x.all[len(x.all)/2:]
	s := x.stage(t, a, Themes()[len(data)%3], len(data)%2 == 0, 100, 30)
	table, err := configured(preset, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.u.keys = keysOfOne(table)
	if len(data)%3 > 0 {
		l, _, _ := paneOf[*packageList](&s.u.layout)
		l.run(a, packages.Find, func(*packages.Packages) {})
	}
	perform(t, s, data)
}

// someDockerfile makes up a Dockerfile, for three of four images, and the lines that made
// the layers. Some lines are not in it, and some are of two layers.
func someDockerfile(a *analyzer.Analysis, data []byte) {
	r := a.Report
	if len(data) < 20 || data[0]%4 == 0 {
		return
	}
	lines := []string{"FROM a\n", "RUN a \\\n", "\n", "# escape=`\r\n", "\tCOPY --a=\"b $C d\r\n", "RUN <<日本\n", "\x1b[2J\xff\u202e\n", "E\n", "'"}
	text := ""
	for _, b := range data[:data[1]%20] {
		text += lines[int(b)%len(lines)]
	}
	r.Dockerfile = &facts.Dockerfile{Name: "a\x1b", Text: text, Certainty: facts.CertainLikely}
	for i := range r.Layers {
		line := 1 + int(data[2+i])%12
		r.Layers[i].Source = &facts.Source{File: r.Dockerfile.Name, Line: line, End: line + int(data[3+i])%4}
	}
	if n := len(r.Layers); n > 0 && data[2]%2 == 0 {
		r.Base = &facts.Base{Reference: "\x1b", Layers: 1 + int(data[3])%n, Certainty: facts.CertainGuessed}
		r.Totals.Own, r.Totals.Base = &facts.Part{}, &facts.Part{}
	}
}

// someFindings returns findings about an image and about paths that it doesn't have.
func someFindings(a *analyzer.Analysis, data []byte) []facts.Finding {
	all := []facts.Finding{}
	for i, b := range data[:min(len(data), 12)] {
		f := facts.Finding{
			Rule: "rule " + strconv.Itoa(i%3), Severity: facts.Severities()[b%3], Certainty: facts.CertainProven, Owner: facts.OwnerUnknown,
			Title: []string{"title", "", "\x1b[2J\xff", "日本語", "e\u0301 a/b"}[b%5], MorePlaces: int(b % 2),
			Fix: facts.Fix{Text: "fix", Lines: []string{"a\x1b", "b"}[:b%3]},
		}
		for n := range b % 7 {
			p := facts.Place{Layer: -1, HiddenBy: -1, Redacted: []string{"", "\x07"}[n%2]}
			if layers := a.Tree.Layers(); layers > 0 && n > 0 {
				p.Layer = int(b) % layers
				p.Path = a.Tree.Path(filetree.Node(int(b) * int(n) % a.Tree.Len()))
				f.Layers = []int{p.Layer}
			}
			if n == 4 {
				p.Path = "/not/there"
			}
			f.Places = append(f.Places, p)
		}
		if d := a.Report.Dockerfile; d != nil && b%2 == 0 {
			f.Source = &facts.Source{File: d.Name, Line: 1 + int(b)%20, End: 2 + int(b)%20}
			f.Owner = facts.OwnerBase
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, facts.CompareFindings)
	return all
}

// perform presses the keys, clicks and resizes that data encodes.
func perform(t *testing.T, s *stage, data []byte) {
	var keys []string
	for _, b := range bindings() {
		keys = append(keys, strings.Fields(b.keys)...)
	}
	for _, b := range typingKeys() {
		keys = append(keys, strings.Fields(b.keys)...)
	}
	keys = append(keys, "type:a", "type:~(", "type:b/", "type:e\u0301日", "backspace", "esc", "esc")
	var did []string
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("after %v", did)
			panic(p)
		}
	}()
	for len(data) > 2 {
		w, h := s.screen.Size()
		op, x, y := data[0], int(data[1]), int(data[2])
		data = data[1:]
		switch {
		case op < 12:
			w, h := 1+x*x*299/255/255, 1+y*y*99/255/255 // 1x1 to 300x100, mostly small
			s.resize(w, h)
			did = append(did, fmt.Sprintf("%dx%d", w, h))
		case op < 40:
			action := []tview.MouseAction{tview.MouseLeftDown, tview.MouseLeftDoubleClick, tview.MouseScrollUp, tview.MouseScrollDown, tview.MouseMove, tview.MouseLeftUp}[op%6]
			if action == tview.MouseLeftDoubleClick {
				s.mouse(tview.MouseLeftDown, x%w, y%h)
			}
			s.mouse(action, x%w, y%h)
			did = append(did, fmt.Sprintf("mouse %d at %d,%d", action, x%w, y%h))
		default:
			k := keys[int(op)%len(keys)]
			did = append(did, k)
			s.press(k)
		}
		if s.world.holds && len(data) < 60 {
			s.release()
			did = append(did, "release")
		}
		s.u.Draw(s.screen)
		check(t, s, did)
	}
}

func check(t *testing.T, s *stage, did []string) {
	t.Helper()
	u := s.u
	if text := s.text(); strings.ContainsAny(text, "\x1b\x07") {
		t.Fatalf("a control character on the screen after %v:\n%q", did, text)
	}
	for _, o := range u.over {
		if m, ok := o.(*treemap); ok {
			checkMap(t, m, did)
		}
	}
	if u.two != nil {
		return
	}
	if f, ok := u.right().(*files); ok {
		rows, at := f.out.Rows(max(f.frame.h, 1))
		if len(rows) > 0 && (at < 0 || at >= len(rows)) {
			t.Fatalf("the cursor is lost after %v", did)
		}
		if len(rows) == 0 && !f.limited && f.part.nodes == nil && f.out.Scope().Marks == outline.AllMarks && u.sel.whole && f.all != 0 {
			t.Fatalf("no rows, but %d bytes after %v", f.all, did)
		}
	}
	found, _, _ := paneOf[*findings](&u.layout)
	if found.N != len(found.rows) || len(found.keys) != len(found.all) {
		t.Fatalf("%d rows of findings, and the list has %d, after %v", len(found.rows), found.N, did)
	}
	list, _, _ := paneOf[*packageList](&u.layout)
	if list.N != len(list.rows) || len(list.order) != len(list.all) {
		t.Fatalf("%d rows of packages, and the list has %d, after %v", len(list.rows), list.N, did)
	}
	for _, l := range []*screen.List{&u.layers.List, &u.detail.List, &found.List, &list.List} {
		if l.N > 0 && (l.At < 0 || l.At >= l.N || l.Top > l.At) {
			t.Fatalf("the cursor of a list is lost: %+v after %v", *l, did)
		}
	}
	if w, _, _ := paneOf[*waste](&u.layout); w.begun && !w.busy {
		var sum, grouped int64
		for _, it := range w.items {
			sum += it.bytes
		}
		for _, g := range w.groups {
			grouped += g.bytes
		}
		want := u.rep.Totals.WastedBytes
		if w.grouping == ungrouped {
			grouped = want
		}
		if sum != want || grouped != want || w.total != want {
			t.Fatalf("the waste adds up to %d, its groups to %d, the title says %d, after %v", sum, grouped, want, did)
		}
		if w.N != len(w.rows) || w.N > 0 && (w.At < 0 || w.At >= w.N) {
			t.Fatalf("the cursor of the waste is lost: %+v of %d after %v", w.List, len(w.rows), did)
		}
	}
}

// checkMap checks that the tiles of a map and the rest are all areas of its folder.
func checkMap(t *testing.T, m *treemap, did []string) {
	t.Helper()
	a := &m.now.areas
	if m.now.at < 0 || m.now.at > len(a.Tops) || m.now.skip > len(a.Tops) {
		t.Fatalf("%d of %d areas, from %d on, after %v", m.now.at, len(a.Tops), m.now.skip, did)
	}
	if m.tiles == nil {
		return
	}
	sum, cells := m.now.skipped+m.rest, 0
	for i, tile := range m.tiles {
		cells += tile.W * tile.H
		if i < m.shown {
			size, gone := m.of.weight(a.Tops[m.now.skip+i])
			sum += size + gone
		}
	}
	if sum != a.All || m.rest < 0 || cells != (m.w-1)*(m.h-1) || m.tile() < 0 {
		t.Fatalf("the map of %d bytes shows %d, %d of them in the rest, in %d of %d cells after %v", a.All, sum, m.rest, cells, (m.w-1)*(m.h-1), did)
	}
}

// TestWasteGroups compares every grouping of the waste with the report: the groups
// add up to the total, the group of a step has the figure of that step, and a path has
// one row in a group.
func TestWasteGroups(t *testing.T) {
	for _, name := range append(imagetest.Names(t), "shop", "odd") {
		a := load(t, name)
		w := sumWaste(a.Tree)
		for w.grouping = ungrouped + 1; int(w.grouping) < len(wasteGroupings); w.grouping++ {
			w.sort()
			var sum int64
			for _, g := range w.groups {
				sum += g.bytes
				var items int64
				seen := map[filetree.Node]bool{}
				for _, i := range g.items {
					items += w.items[i].bytes
					if n := w.items[i].node; seen[n] {
						t.Errorf("%s: %s has %s twice", name, g.name, a.Tree.Path(n))
					} else {
						seen[n] = true
					}
				}
				if items != g.bytes {
					t.Errorf("%s: %s says %d, its items add up to %d", name, g.name, g.bytes, items)
				}
				if w.grouping == groupByStored && g.bytes != a.Report.Layers[g.layer].WastedBytes {
					t.Errorf("%s: %s: got %d, want %d", name, g.name, g.bytes, a.Report.Layers[g.layer].WastedBytes)
				}
			}
			if want := a.Report.Totals.WastedBytes; sum != want {
				t.Errorf("%s, %s: the groups add up to %d, the title says %d", name, wasteGroupings[w.grouping].title, sum, want)
			}
		}
	}
}

// TestWasteByPath checks that a file that every layer writes again is one row, which
// opens to its versions.
func TestWasteByPath(t *testing.T) {
	const layers = 999
	var b strings.Builder
	for i := range layers {
		fmt.Fprintf(&b, "layer RUN step %d\n  file var/db %dxa\n", i, i+1)
	}
	b.WriteString("  file other 7xa\nlayer RUN rm other\n  file .wh.other\n")
	img, err := imagetest.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const sum = (layers - 1) * layers / 2 // 1 + 2 + ... + 998
	row := func(s *stage, want string) {
		t.Helper()
		if got := strings.Join(strings.Fields(s.text()), " "); !strings.Contains(got, want) {
			t.Errorf("there is no row %q on\n%s", want, s.text())
		}
	}
	for name, s := range map[string]*stage{"image": newStage(t, a, "", false, 160, 40), "report": savedStage(t, a.Report, "", false, 160, 40)} {
		s.press("w")
		s.press("3")
		s.press("w")
		w, _, _ := paneOf[*waste](&s.u.layout)
		if w.count != 2 || len(w.rows) != 2 || w.total != sum+7 {
			t.Fatalf("%s: %d paths in %d rows, %d bytes; want 2, 2, %d", name, w.count, len(w.rows), w.total, sum+7)
		}
		if it := w.items[0]; it.bytes != sum || it.stored != 0 || it.last != 997 || it.since != 1 || it.hidden != 998 || len(it.parts) != 998 || it.cause != filetree.Overwritten {
			t.Errorf("%s: got %+v", name, it)
		}
		row(s, "499 kB >99.9% ▒▒▒▒▒▒▒▒ overwritten 0-997 1-998 ▸ /var/db 998 versions")
		s.press("right")
		s.press("down")
		row(s, "1 B <0.1% ▏ overwritten 0 1 RUN step 0")
		s.press("down")
		row(s, "2 B <0.1% ▏ overwritten 1 2 RUN step 1")
		if len(w.rows) != 1+998+1 {
			t.Errorf("%s: %d rows", name, len(w.rows))
		}
		s.press("left")
		if w.At != 0 || len(w.rows) != 2 {
			t.Errorf("%s: at row %d of %d", name, w.At, len(w.rows))
		}
	}
}

// TestWasteOfMany checks that a step that hides some of the files of a folder is one
// item, however many they are.
func TestWasteOfMany(t *testing.T) {
	var b strings.Builder
	b.WriteString("layer COPY . .\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  file app/p%02d/a.py 10xa\n  file app/p%02d/a.txt 1xa\n", i, i)
	}
	b.WriteString("layer RUN find -name '*.py' -exec chmod +x {} +\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  file app/p%02d/a.py 755 10xa\n", i)
	}
	img, err := imagetest.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := sumWaste(a.Tree)
	if len(w.all) != 1 || w.all[0].bytes != 200 || len(w.all[0].parts) != 20 || a.Tree.Path(w.all[0].node) != "/app" {
		t.Errorf("got %+v, want one item of 20 files in /app", w.all)
	}
}

// TestSum compares the sum of the top rows with the bytes that the layer stores
// according to the report, for every image and layer.
func TestSum(t *testing.T) {
	for _, name := range append(imagetest.Names(t), "shop", "odd") {
		a := load(t, name)
		out := outline.New(a.Tree)
		for i := range a.Report.Layers {
			out.Show(a.Tree.View(i-1, i), false)
			var stored int64
			rows, _ := out.Rows(1000)
			for _, r := range rows {
				stored += r.Size
			}
			v := a.Tree.View(i-1, i)
			for n := filetree.Root; int(n) < a.Tree.Len(); n++ {
				if c := v.Change(n); a.Tree.Parent(n) <= filetree.Root && c.Mark == filetree.Absent {
					stored += c.Stored + v.Sum(n).Stored // a whiteout has no row, but may store content
				}
			}
			root := v.Change(filetree.Root)
			if want := a.Report.Layers[i].StoredBytes; stored+root.Stored != want {
				t.Errorf("%s, layer %d: the rows add up to %d, the layer stores %d", name, i, stored, want)
			}
		}
	}
}
