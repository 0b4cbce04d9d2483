package ui

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/gate"
	"fathom/analyzer/packages"
)

// TestQuote runs every quoted word through a shell, which must see the word again.
func TestQuote(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"a", "a b", "", "it's", `a\b`, `a\nb`, "$HOME", "`id`", "*", "~", "!x", `"`, "日本", "\x1b[2J", "a\nb", "\xff%s\\'", "-x", "a\u202eb", "\x7f"}
	script := "printf '%s\\0'"
	for _, w := range words {
		q, ok := quote(w)
		if !ok || !visible(q) {
			t.Errorf("%q is quoted as %q, %v", w, q, ok)
		}
		script += " " + q
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("the shell sees %q, want %q", got, words)
	}
	for _, w := range []string{"a\n", "a\x00\n"} {
		if q, ok := quote(w); ok {
			t.Errorf("%q is quoted as %s", w, q)
		}
	}
}

// copied returns what a key of the copy menu copies after other keys.
func (s *stage) copiedAfter(keys string) string {
	s.world.copied = ""
	for _, k := range strings.Fields(keys) {
		s.press(k)
	}
	for len(s.u.over) > 0 {
		s.press("esc")
	}
	return s.world.copied
}

// TestCopyMenu checks what the copy menu offers in each pane.
func TestCopyMenu(t *testing.T) {
	a := load(t, "shop")
	s := stageOf(t, "mono", false, 120, 40, func(set setup, do doer) root {
		set.words, set.packages = []string{"--platform=linux/amd64", "my shop.tar"}, packages.Find
		return newUI(a, set, do)
	})
	const image = " --platform=linux/amd64 'my shop.tar'"
	for _, c := range []struct{ keys, want string }{
		{"Y d", a.Report.Layers[0].DiffID},
		{"1 Y p", "ADD file:1a2b3c in /"},
		{"1 Y c", "fathom --report text" + image},
		{"1 Y f", "--max-layer-size=5.6MB"},
		{"3 Y c", "fathom ls --layer 0" + image},
		{"3 Y p", "/usr"},
		{"3 Y s", "ADD file:1a2b3c in /"},
		{"3 Y h", "fathom log" + image + " /usr"},
		{"3 Y r", "version: 1\nci:\n  deny-path: [\"/usr\"]\n"},
		{"3 a Y c", ""},
		{"] ] ] ] Y c", "fathom ls" + image},
		{"w Y c", "fathom --report text" + image},
		{"! Y c", "fathom advise" + image},
		{"p Y c", "fathom packages" + image},
		{"alt-w Y c", "fathom packages --sort waste" + image},
		{"2 Y c", "fathom packages --sort waste" + image},
	} {
		if got := s.copiedAfter(c.keys); got != c.want {
			t.Errorf("%s copies %q, want %q", c.keys, got, c.want)
		}
	}
	pair := pairStage(t, load(t, "shop"), load(t, "shop"), "mono", false, 120, 40)
	pair.u.words = []string{"a", "b"}
	for _, c := range []struct{ keys, want string }{
		{"3 Y c", "fathom compare --files a b"}, {"1 Y c", "fathom compare --details a b"}, {"p Y c", "fathom compare --details a b"}, {"! Y c", "fathom compare --details a b"},
	} {
		if got := pair.copiedAfter(c.keys); got != c.want {
			t.Errorf("comparing, %s copies %q, want %q", c.keys, got, c.want)
		}
	}
}

// TestRules checks that every rule that can be copied is one that the gate reads, and
// that the image breaks it.
func TestRules(t *testing.T) {
	for _, name := range []string{"shop", "odd", "device-nodes", "finding-removed-later-before"} {
		a := load(t, name)
		s := stageOf(t, "mono", false, 120, 40, func(set setup, do doer) root {
			set.packages = packages.Find
			return newUI(a, set, do)
		})
		rules := map[gateRule]bool{}
		for _, pane := range []string{"1", "3", "w", "p"} {
			s.press(pane)
			if pane == "3" {
				s.press("+")
			}
			for range 60 {
				if r, ok := s.u.rule(s.u.front()); ok {
					rules[r] = true
				}
				if pane == "w" {
					s.press("right")
				}
				s.press("down")
			}
		}
		if a.Report.Totals.StoredBytes > 0 && len(rules) == 0 {
			t.Errorf("%s: there is no rule", name)
		}
		for r := range rules {
			breaks(t, name, s.u, a, r)
		}
	}
}

// breaks judges an image by a rule, which must fail.
func breaks(t *testing.T, name string, u *ui, a *analyzer.Analysis, r gateRule) {
	t.Helper()
	limit, err := gate.Parse(r.name, r.value)
	if err != nil {
		t.Errorf("%s: %s: %v", name, r.flag(), err)
		return
	}
	limit.Source = "test"
	rep := u.result().Report
	v, err := gate.Check(rep, gate.Limits{limit}, gate.Options{Files: gate.Files(a.Tree, a.Report.Waste)})
	if err != nil || v.Failed() != 1 {
		t.Errorf("%s: %s: %d rules fail, %v", name, r.flag(), v.Failed(), err)
	}
}

// TestExport writes every export of every screen, and checks that none overwrites a file
// unasked.
func TestExport(t *testing.T) {
	a, other := load(t, "odd"), load(t, "shop")
	for name, open := range map[string]func() *stage{
		"image":      func() *stage { return newStage(t, a, "mono", false, 120, 40) },
		"saved":      func() *stage { return savedStage(t, a.Report, "mono", false, 120, 40) },
		"comparison": func() *stage { return pairStage(t, other, a, "mono", false, 120, 40) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			s := open()
			written := 0
			for _, pane := range []string{"1", "2", "3", "w", "!", "p"} {
				s.press(pane)
				for i, e := range s.u.exports() {
					if i >= 2 && pane != "1" {
						break // the reports are the same everywhere
					}
					file := filepath.Join(dir, pane+e.key)
					s.u.writeFile(e, file)
					s.u.Draw(s.screen)
					got, err := os.ReadFile(file)
					switch {
					case strings.HasPrefix(s.u.note, "not yet"):
						continue
					case err != nil || len(got) == 0 && e.key != "l": // JSON of no rows has no lines
						t.Errorf("%s in %s: %d bytes, %v, and the note %q", e.name, pane, len(got), err, s.u.note)
					case strings.ContainsAny(string(got), "\x1b"):
						t.Errorf("%s has an escape character", e.name)
					}
					written++
				}
			}
			if written < 12 {
				t.Errorf("%d files are written", written)
			}
		})
	}

	t.Chdir(t.TempDir())
	s := newStage(t, a, "mono", false, 120, 40)
	for _, k := range strings.Fields("3 E c") {
		s.press(k)
	}
	if s.u.prompt == nil || s.u.prompt.Text != "odd-files.csv" {
		t.Fatalf("the prompt is %+v", s.u.prompt)
	}
	if err := os.WriteFile("odd-files.csv", []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	content := func() string {
		b, err := os.ReadFile("odd-files.csv")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s.press("enter")
	s.press("esc")
	if got := content(); got != "mine" {
		t.Errorf("the file is overwritten unasked with %q", got)
	}
	for _, k := range strings.Fields("E c enter o") {
		s.press(k)
	}
	if got := content(); !strings.HasPrefix(got, "path,change,kind,size,") || !strings.HasPrefix(s.u.note, "written: odd-files.csv, ") {
		t.Errorf("the file has %q, and the note is %q", got, s.u.note)
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	s.u.writeFile(s.u.exports()[0], "folder")
	if s.u.note != "folder is a folder" {
		t.Errorf("a folder: %q", s.u.note)
	}
	s.u.writeFile(s.u.exports()[0], "no/such")
	if s.u.top() == nil || s.u.top().Title() != "Not written" {
		t.Error("there is no message about a folder that does not exist")
	}
}

// TestFileTable checks that the table of files has every path of the view, folders open
// or not, in the order of the rows, and only what a filter shows.
func TestFileTable(t *testing.T) {
	a := load(t, "shop")
	s := newStage(t, a, "mono", false, 200, 200)
	s.press("3")
	s.press("]")
	paths := func() (all []string) {
		for row := range s.u.right().(tabular).table().Rows {
			all = append(all, row[0].(string))
		}
		return all
	}
	closed := paths()
	s.press("+")
	s.press("g")
	var shown []string
	f := s.u.right().(*files)
	rows, _ := f.out.Rows(200)
	for _, r := range rows {
		for n := r.Node; ; n = a.Tree.Parent(n) { // a row can be a chain
			shown = append(shown, a.Tree.Path(n))
			if n == r.Top {
				break
			}
		}
	}
	slices.Sort(shown)
	if got := slices.Sorted(slices.Values(closed)); !slices.Equal(got, shown) || len(got) < 5 {
		t.Errorf("got %q, want %q", got, shown)
	}
	if head := f.table().Head; slices.Contains(head, "growth") {
		t.Errorf("the columns are %q, although growth is not known", head)
	}
	s.press("alt-g")
	grown := f.table()
	for row := range grown.Rows {
		if len(row) != len(grown.Head) || grown.Head[len(row)-1] != "growth" || row[len(row)-1] != row[3] && row[1] == "added" {
			t.Errorf("what is new has not grown by its size: %v", row)
		}
	}
	for _, k := range []string{"f", "a", "u", "r", "esc"} {
		s.press(k)
	}
	for row := range f.table().Rows {
		if row[1] != "modified" && row[2] != "directory" {
			t.Errorf("the filter shows %v", row)
		}
	}
}
