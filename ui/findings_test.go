package ui

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/ui/screen"
)

// readFindings returns the findings of a file in testdata/screens, completed and in
// the order of a report. "none" has none. A byte of a path that is not UTF-8 is
// written as %xx.
func readFindings(t testing.TB, name string) []facts.Finding {
	t.Helper()
	if name == "none" {
		return []facts.Finding{}
	}
	data, err := os.ReadFile(filepath.Join(screens, name+".findings"))
	if err != nil {
		t.Fatal(err)
	}
	var all []facts.Finding
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatalf("%s.findings: %v", name, err)
	}
	for i := range all {
		f := &all[i]
		f.Owner = facts.OwnerUnknown
		for j := range f.Places {
			p := &f.Places[j]
			if strings.Contains(p.Path, "%ff") {
				p.Path = strings.ReplaceAll(p.Path, "%ff", "\xff")
				p.PathBytes = []byte(p.Path)
			}
			for _, l := range []int{p.Layer, p.HiddenBy} {
				if l >= 0 && !slices.Contains(f.Layers, l) {
					f.Layers = append(f.Layers, l)
				}
			}
		}
		slices.Sort(f.Layers)
	}
	slices.SortStableFunc(all, facts.CompareFindings)
	return all
}

// prepared finds prepared findings.
type prepared struct {
	all         []facts.Finding
	searching   bool            // after the quick part
	then        []facts.Finding // what it finds in the end; nil for all
	read, total int64
	err         error
}

// stage returns a stage whose UI finds the findings.
func (x *prepared) stage(t testing.TB, a *analyzer.Analysis, theme string, ascii bool, w, h int) *stage {
	t.Helper()
	if x.all == nil && x.err == nil || a == nil {
		return newStage(t, a, theme, ascii, w, h)
	}
	return stageOf(t, theme, ascii, w, h, func(set setup, do doer) root {
		set.find = func(_ context.Context, _ *analyzer.Analysis, opt advice.Options) ([]facts.Finding, int64, error) {
			if opt.Quick {
				do.(*still).holds = x.searching
				return x.all, 0, nil
			}
			if x.then != nil {
				return x.then, 0, x.err
			}
			return x.all, 0, x.err
		}
		u := newUI(a, set, do)
		if f, _, _ := paneOf[*findings](&u.layout); x.searching {
			f.progress.Start("layers", x.total).Read.Store(x.read)
		}
		return u
	})
}

// into puts the findings into a report.
func (x *prepared) into(rep *facts.Report) {
	rep.Findings = x.all
	for _, f := range x.all {
		rep.Totals.FindingsBytes += f.Bytes
	}
}

// release does the work that was held, and draws.
func (s *stage) release() {
	s.world.holds = false
	for len(s.world.held) > 0 {
		f := s.world.held[0]
		s.world.held = s.world.held[1:]
		s.world.work(f)
	}
	s.root.Draw(s.screen)
}

// TestFindingsReplaced replaces the list while the cursor is on a row. Cursor and open
// rows stay with their findings, also if the order changes.
func TestFindingsReplaced(t *testing.T) {
	all := readFindings(t, "shop")
	of := func(rules ...string) []facts.Finding {
		var out []facts.Finding
		for _, f := range all {
			if slices.Contains(rules, f.Rule) {
				out = append(out, f)
			}
		}
		return out
	}
	sized := func(size string, bytes int64) facts.Finding {
		f := of("stored-again")[0]
		f.Title, f.Bytes = "layer 3 stores "+size+" of layer 2 again", bytes
		return f
	}
	smaller := append(of("secret", "docs"), sized("1 B", 1)) // another rule has claimed most of it
	slices.SortStableFunc(smaller, facts.CompareFindings)
	for _, c := range []struct {
		name, keys string
		before     []facts.Finding
		after      []facts.Finding
		want       string // the row under the cursor, or what it contains
	}{
		{"more above", "!", of("docs"), all, "the image ships documentation"},
		{"more above a place", "! right down down", of("stored-again"), all, "/srv/app/server.js"},
		{"smaller", "!", []facts.Finding{sized("1.3 MB", 1_300_000)}, smaller, "layer 3 stores 1 B"},
		{"by severity", "! s s down", of("docs", "stored-again"), all, "the image ships documentation"},
		{"gone", "! down", of("stored-again", "docs"), of("stored-again", "secret"), "a private key"},
		{"all gone", "! down right down", of("docs", "stored-again"), []facts.Finding{}, ""},
		{"none before", "!", []facts.Finding{}, all, "the image stores the package lists"},
		{"filtered", "! / type:layer enter F down", of("stored-again", "empty-step"), all, "layer 4 stores"},
		{"not seen", "", of("docs"), all, "the image stores the package lists"},
		{"seen before", "! 1", of("docs"), all, "the image ships documentation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := prepared{all: c.before, searching: true, then: c.after}
			s := x.stage(t, load(t, "shop"), "", false, 120, 40)
			for _, k := range strings.Fields(c.keys) {
				s.press(k)
			}
			s.release()
			f, _, _ := paneOf[*findings](&s.u.layout)
			if where, _ := f.Status(); !strings.HasPrefix(where, c.want) || (c.want == "") != (where == "") {
				t.Errorf("the cursor is on %q, want %q", where, c.want)
			}
			if f.running {
				t.Error("the search has not ended")
			}
		})
	}
}

// TestFindingsCopy copies what is under the cursor.
func TestFindingsCopy(t *testing.T) {
	x := prepared{all: readFindings(t, "shop")}
	x.all[3].Fix.Lines = []string{`RUN printf 'a\n' \`, "    > /a\x1b[201~", "\u202efile"} // info, docs
	x.all[5].Fix = facts.Fix{}
	s := x.stage(t, load(t, "shop"), "", false, 120, 40)
	for _, c := range []struct{ keys, want, note string }{
		{"! y", "RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\\n    apt-get update && apt-get install -y --no-install-recommends git", `sharing=locked \… (2 lines)`},
		{"right down y", "/var/lib/apt/lists", "copied: /var/lib/apt/lists"},
		{"left down y", ".git", "copied: .git"},
		// A line that a terminal would interpret is escaped, another one is as it is.
		{"down down y", "RUN printf 'a\\n' \\\n    > /a\\x1b[201~\n\\u202efile", "(3 lines)"},
		{"2 / type:RUN y", "RUN printf 'a\\n' \\\n    > /a\\x1b[201~\n\\u202efile", ""},
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if s.world.copied != c.want {
			t.Errorf("%s: copied %q, want %q", c.keys, s.world.copied, c.want)
		}
		s.at(t, c.note)
	}
	s = x.stage(t, load(t, "shop"), "", false, 120, 40)
	for _, k := range strings.Fields("! down down down down down y") {
		s.press(k)
	}
	s.at(t, "there is nothing to copy here")
	for _, k := range strings.Fields("end up y") { // a fix without lines
		s.press(k)
	}
}

// TestFindingsEnter goes from every kind of row to what it is about.
func TestFindingsEnter(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		saved      bool
		want       string
	}{
		{"a finding", "! enter", false, " /var/lib/apt/lists  size"},
		{"a place", "! down down right down down enter", false, " /srv/app/server.js  size"},
		{"a place that nothing hides", "! down down down enter", false, "layer 0"},
		{"the config", "! end enter", false, "━ Image ━"},
		{"a layer", "! end up enter", false, " Layer 4, the last"},
		{"places that are not listed", "! down down down down right down down down enter", false, "a report lists the largest places only"},
		{"a path that is not there", "! home enter", false, "no layer lists /not/there"},
		{"saved: a finding", "! down enter", true, "a saved report holds no files"},
		{"saved: the config", "! end enter", true, "━ Image ━"},
		{"saved: a layer", "! end up enter", true, " Layer 4, the last"},
		{"its history", "! H", false, "━ History of /var/lib/apt/lists ━"},
		{"the layer of a step", "! 2 down down down down down down down down down down down down down down down enter 1", false, " Layer 1 "},
		{"nothing", "! / type:zzz enter F enter", false, "no finding matches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := prepared{all: readFindings(t, "shop")}
			if strings.Contains(c.name, "not there") {
				x.all[0].Places[0].Path = "/not/there"
			}
			a := load(t, "shop")
			s := x.stage(t, a, "", false, 120, 40)
			if c.saved {
				rep := *a.Report
				x.into(&rep)
				s = savedStage(t, &rep, "", false, 120, 40)
			}
			for _, k := range strings.Fields(c.keys) {
				s.press(k)
			}
			s.at(t, c.want)
		})
	}
}

// TestFindingsSearch goes from match to match.
func TestFindingsSearch(t *testing.T) {
	x := prepared{all: readFindings(t, "shop")}
	s := x.stage(t, load(t, "shop"), "", false, 120, 40)
	f, _, _ := paneOf[*findings](&s.u.layout)
	for _, c := range []struct{ keys, where, says string }{
		{"! / type:srv", "/srv/app/.git", "1 of 3"},           // in a path, which opens the finding
		{"enter n", "/srv/app/vendor.js", "find srv  2 of 3"}, // stored-again
		{"n", "/srv/app/.git/pack", ""},                       // the secret
		{"n", "/srv/app/.git", ""},                            // from the start
		{"N", "/srv/app/.git/pack", ""},
		{"N", "/srv/app/vendor.js", ""},
		{"/ type:~^layer", "layer 3 stores files", "1 of 2"},
		{"down", "layer 4 stores", ""},
		{"esc", "/srv/app/vendor.js", ""},            // where the search began
		{"/ type:Package", "/srv/app/vendor.js", ""}, // case matters
		{"backspace", "/srv/app/vendor.js", ""},      //
		{"ctrl-u type:error", "a private key", ""},   // a severity
		{"ctrl-u type:root-user enter", "the image runs as root", "1 of 1"},
		{"w n", "", "find root-user  0 paths found"}, // waste is searched anew
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if where, _ := f.Status(); !strings.HasPrefix(where, c.where) {
			t.Errorf("after %s the cursor is on %q, want %q", c.keys, where, c.where)
		}
		s.at(t, c.says)
	}
}

// TestFindingsMouse clicks on the tabs, the titles of columns, and rows.
func TestFindingsMouse(t *testing.T) {
	x := prepared{all: readFindings(t, "shop")}
	s := x.stage(t, load(t, "shop"), "", false, 120, 40)
	click := func(text string, twice bool) {
		t.Helper()
		x, y := s.at(t, text)
		if text == "size finding" {
			x += len("size ")
		}
		s.mouse(tview.MouseLeftDown, x, y)
		if twice {
			s.mouse(tview.MouseLeftDoubleClick, x, y)
		}
	}
	for _, c := range []struct {
		on    string
		twice bool
		want  string
	}{
		{"! Findings", false, "[! Findings]"},
		{"w Waste", false, "[w Waste]"},
		{"3 Files", false, "[3 Files]"},
		{"Findings", false, "[! Findings]"},
		{"▸ the image ships", false, "▾ the image ships"},
		{"▾ the image ships", false, "▸ the image ships"},
		{"severity", false, "severity ▼"},
		{"a private key", false, " severity    error"},
		{"severity", false, "severity ▲"},
		{"size fin", false, "size ▼"},
		{"size finding", false, "rule ▲"},
		{"COPY brings", true, "[3 Files]"},
	} {
		if click(c.on, c.twice); !strings.Contains(s.text(), c.want) {
			t.Fatalf("after a click on %q there is no %q on\n%s", c.on, c.want, s.text())
		}
	}
	s.resize(40, 12) // the names of the tabs are keys only
	s.u.Draw(s.screen)
	x1, y1 := s.at(t, "━ ! ━")
	s.mouse(tview.MouseLeftDown, x1+2, y1)
	s.at(t, "[! Findings]")
	s.mouse(tview.MouseLeftDown, 3, y1)
	s.at(t, "[1 Layers]")
}

// TestFindingsFails checks that a search that fails at once, or is not complete, says
// so.
func TestFindingsFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		unread []int
		want   string
	}{
		{"fails", errors.New("a\x1b[2J trap"), nil, `the search for findings failed: a\x1b[2J trap`},
		{"one layer", nil, []int{3}, "not searched, as its content is not on this machine: layer 3"},
		{"layers", nil, []int{1, 2, 4}, "layers 1, 2, 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			find := func(_ context.Context, _ *analyzer.Analysis, opt advice.Options) ([]facts.Finding, int64, error) {
				opt.Unread(c.unread)
				return []facts.Finding{}, 0, c.err
			}
			s := stageOf(t, "", false, 120, 40, func(set setup, do doer) root {
				set.find = find
				return newUI(load(t, "shop"), set, do)
			})
			s.press("!")
			s.at(t, c.want)
		})
	}
}

// TestFindingsFilter counts the rows: all of them again when the search is over, or is
// now about another pane.
func TestFindingsFilter(t *testing.T) {
	for keys, want := range map[string]int{
		"!":                            7,
		"! F":                          7,
		"! / type:layer enter F":       2,
		"! / type:layer enter F F":     7,
		"! / type:layer enter F right": 4,
		"! / type:layer enter F esc":   7,
		"! / type:layer enter F / esc": 2,
		"! / type:layer enter F / type:key enter":      1, // the filter stays
		"! / type:layer enter F / type:key enter F":    7,
		"! / type:layer enter F w / type:motd esc":     7,
		"! / type:layer enter F w n":                   7,
		"! / type:layer enter F w / type:motd enter":   7,
		"! / type:layer enter w / type:motd enter ! F": 7, // the search is about the waste
	} {
		x := prepared{all: readFindings(t, "shop")}
		s := x.stage(t, load(t, "shop"), "", false, 120, 40)
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		if f, _, _ := paneOf[*findings](&s.u.layout); len(f.rows) != want {
			t.Errorf("%s: %d rows, want %d", keys, len(f.rows), want)
		}
	}
}

// TestFitTitle shortens a path, so that the words around it show.
func TestFitTitle(t *testing.T) {
	th, err := screen.NewTheme("", false, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	const long = "/root/.npm/_cacache/content-v2/sha512/8e/5d/6f6733c38a72ebf5e52ddc9f"
	for _, c := range []struct {
		title string
		w     int
		want  string
	}{
		{"short", 3, "short"},
		{long + " is stored", 79, long + " is stored"},
		{long + " is stored", 50, "…2/sha512/8e/5d/6f6733c38a72ebf5e52ddc9f is stored"},
		{long + " is stored", 10, "…33c38a72ebf5e52ddc9f is stored"},
		{long + " is like " + long + "x", 55, "…6f6733c38a72ebf5e52ddc9f is like …3c38a72ebf5e52ddc9fx"},
		{"/" + strings.Repeat("日本", 20) + " is wide", 40, "…本日本日本日本日本日本日本日本 is wide"},
		{"the same as " + long + ", too", 40, "the same as …6733c38a72ebf5e52ddc9f, too"},
	} {
		if got := fitTitle(th, c.title, c.w); got != c.want {
			t.Errorf("%d columns: got %q, want %q", c.w, got, c.want)
		}
	}
}

// TestFindingsHideSecrets checks that the tab shows and copies no secret of a step.
func TestFindingsHideSecrets(t *testing.T) {
	value := "squeamish" + strings.Repeat("7ossifrage", 3)
	step := "RUN APP_PASSWORD=" + value + " make"
	a := load(t, "shop")
	for i := range a.Report.Layers {
		a.Report.Layers[i].Command = step
	}
	x := prepared{all: readFindings(t, "shop")[:1]}
	x.all[0].Title, x.all[0].Fix = step, facts.Fix{Text: step, Lines: []string{step}}
	s := x.stage(t, a, "", false, 80, 24)
	for _, keys := range []string{"!", "y", "right down", "2", "y", "down down down down down y", "! left 2"} {
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		if strings.Contains(s.text()+s.world.copied, "ossifrage") {
			t.Errorf("after %s: copied %q\n%s", keys, s.world.copied, s.text())
		}
		if keys == "!" || keys == "2" {
			s.at(t, "APP_PASSWORD=sque… (39 characters) make")
		}
	}
}
