package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/packages"
)

// packageStage returns a stage whose UI looks for packages with find.
func packageStage(t testing.TB, a *analyzer.Analysis, find packageFinder, theme string, ascii bool, w, h int) *stage {
	t.Helper()
	return stageOf(t, theme, ascii, w, h, func(set setup, do doer) root {
		set.packages = find
		return newUI(a, set, do)
	})
}

// described analyzes an image in the text form of testdata/images.
func described(t testing.TB, text string) *analyzer.Analysis {
	t.Helper()
	img, err := imagetest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// names returns the packages in the rows, "-" for what belongs to none.
func (l *packageList) names() string {
	var out []string
	for _, r := range l.rows {
		name := "-"
		switch f := l.folder(r); {
		case f != nil:
			name = f.Path
		case r.index >= 0:
			name = l.all[r.index].Name
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// TestPackageRows sorts, filters and searches the list.
func TestPackageRows(t *testing.T) {
	a := load(t, "packages")
	for keys, want := range map[string]string{
		"p":                                     "- libc6 @types/node curl express debug git",
		"p s":                                   "- git debug express curl @types/node libc6",
		"p s s":                                 "- git curl libc6 @types/node express debug", // waste
		"p s s s s":                             "- libc6 curl git @types/node express debug", // layer
		"p s s s s s s":                         "- libc6 curl git @types/node express debug", // type
		"p s s s s s s s s":                     "- @types/node curl debug express git libc6", // name
		"p s s s s s s s s s":                   "- libc6 git express debug curl @types/node",
		"p right":                               "- /srv/app /var/lib/apt /var/lib/dpkg libc6 @types/node curl express debug git",
		"p right down left":                     "- libc6 @types/node curl express debug git",
		"p space space":                         "- libc6 @types/node curl express debug git",
		"p f":                                   "libc6 curl git",
		"p f f":                                 "@types/node express debug",
		"p f f f":                               "- libc6 @types/node curl express debug git",
		"p f f esc":                             "- libc6 @types/node curl express debug git",
		"p f / type:e enter F":                  "", // nothing of dpkg is found
		"p f f / type:e enter F":                "@types/node express debug",
		"p / type:npm:e enter F":                "express",
		"p / type:11 enter F":                   "curl", // a version
		"p / type:lib enter F":                  "libc6",
		"p / type:var/lib F":                    "- libc6 @types/node curl express debug git", // still typing
		"p / type:/dpkg enter F":                "libc6 curl git",                             // the database
		"p / type:lib enter F F":                "- libc6 @types/node curl express debug git",
		"p / type:lib enter F f":                "libc6",
		"p / type:b enter F s":                  "debug libc6",
		"p / type:b enter F esc":                "- libc6 @types/node curl express debug git",
		"p / type:b enter F esc / type:b enter": "- libc6 @types/node curl express debug git", // the filter has ended with the search
		"p / type:b enter F w n p":              "- libc6 @types/node curl express debug git", // the search is about the waste
	} {
		s := packageStage(t, a, packages.Find, "", false, 120, 40)
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		l, _, _ := paneOf[*packageList](&s.u.layout)
		if got := l.names(); got != want {
			t.Errorf("%s: got %s, want %s", keys, got, want)
		}
	}
}

// TestPackageCount counts what matches among the packages of the type that is shown.
func TestPackageCount(t *testing.T) {
	s := packageStage(t, load(t, "packages"), packages.Find, "", false, 120, 40)
	for _, k := range strings.Fields("p f / type:e enter") {
		s.press(k)
	}
	s.at(t, "find e  0 packages found")
}

// TestPackageEnter goes from every kind of row to what it is about, and from there on.
func TestPackageEnter(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		want       []string
	}{
		{"a package", "p down enter", []string{"only deb:libc6", " /usr/lib/libc.so.6  size", "package     deb:libc6 2.36-9"}},
		{"a folder that has another package", "p / type:express enter enter -", []string{"200 kB            ▸ srv/app/node_modules/express/"}},
		{"a package that is gone", "p end enter", []string{"only deb:git", "▼ stored", " /usr/bin/git  size"}},
		{"another layer", "p / type:curl enter enter a [ [ [", []string{"only deb:curl", "▼ stored", "▾ usr/bin/", "310 kB"}},
		{"a layer without its files", "p down enter a", []string{"no file here is of deb:libc6 (esc shows all files)"}},
		{"back with esc", "p down enter esc", []string{" deb:libc6  size", "[p Packages]"}},
		{"all files again", "p down enter up esc", []string{"up to layer 4 ", "▸ srv/app/"}},
		{"back to the list", "p down enter p", []string{" deb:libc6  size", "[p Packages]"}},
		{"a file elsewhere", "p down enter w down enter", []string{"layer 1 ", " /usr/bin/curl  size"}},
		{"a search in the package", "p down down enter / type:json enter", []string{"1 of 1", " /srv/app/node_modules/@types/node/package.json"}},
		{"a filtered search in the package", "p down down enter / type:node enter F", []string{"900 kB", "index.d.ts"}},
		{"a folder of none", "p right down enter", []string{"only no package", "860 kB            ▸ srv/app/", " /srv/app  size"}},
		{"a file of none", "p right down enter right right", []string{"package     no package"}},
		{"what belongs to none", "p enter", []string{"▾ belongs to no package"}},
		{"the layer that brought it", "p / type:curl enter 2 end enter 1", []string{" Layer 1 "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := packageStage(t, load(t, "packages"), packages.Find, "", false, 120, 40)
			for _, k := range strings.Fields(c.keys) {
				s.press(k)
			}
			for _, want := range c.want {
				s.at(t, want)
			}
		})
	}
}

// TestPackageParts has packages without files of their own, files with two names, and
// unowned files that are gone.
func TestPackageParts(t *testing.T) {
	a := described(t, `
layer one
  file var/lib/dpkg/status text="Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\nVersion: 2\n\nPackage: c\nStatus: install ok installed\nVersion: 1\n\nPackage: empty\nStatus: install ok installed\nVersion: 3\n\n"
  file var/lib/dpkg/info/a.list text="/bin/a\n/bin/both\n"
  file var/lib/dpkg/info/b.list text="/bin/both\n"
  file var/lib/dpkg/info/c.list text="/bin/c\n"
  file bin/a 100xa
  file bin/c 900xc
  link bin/a2 -> bin/a
  file bin/both 50xb
  file tmp/x 70xx
  file top 5xy
layer two
  file tmp/.wh.x
  file bin/c 9xd
`)
	for _, c := range []struct{ keys, want string }{
		{"p / type:empty enter enter", "no file counts for deb:empty: this is what lists it"},
		{"p / type:empty enter enter f esc", " /var/lib/dpkg/status  size"},
		{"p / type:deb:a enter enter p / type:empty enter enter", "159 B            ▾ bin/"}, // without a filter
		{"p / type:deb:c enter enter", "9 B -rw-r--r-- │   c"},                               // not the larger one that is gone
		{"p / type:deb:a enter enter", "150 B            ▾ bin/"},
		{"p / type:deb:a enter enter down", " /bin/a2  size"},
		{"p right down down enter", " /tmp/x  size"},
		{"p right down down enter", "only no package"},
		{"p right down down down enter", " /top  size"},
	} {
		s := packageStage(t, a, packages.Find, "", false, 120, 40)
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if !strings.Contains(s.text(), c.want) {
			t.Errorf("%s: no %q on\n%s", c.keys, c.want, s.text())
		}
	}
}

// TestPackagesFail checks that a search that fails or is not complete says so, and that
// the findings are looked for all the same, after the packages.
func TestPackagesFail(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		warnings []facts.Warning
		want     string
	}{
		{"fails", errors.New("a\x1b[2J trap"), nil, `the search for packages failed: a\x1b[2J trap`},
		{"layers", nil, []facts.Warning{{Layer: 1, Text: "not downloaded"}, {Layer: 3, Text: "not downloaded"}}, "not on this machine: layers 1, 3"},
		{"a database", nil, []facts.Warning{{Layer: 1, Path: "/a\x1b", Text: "trap"}}, `can't read the package database /a\x1b (i says why)`},
		{"databases", nil, []facts.Warning{{Layer: 1, Path: "/a", Text: "trap"}, {Layer: -1, Text: "and more"}}, "2 warnings about package databases (i shows them)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var did []string
			find := func(ctx context.Context, a *analyzer.Analysis, opt packages.Options) (*packages.Packages, error) {
				did = append(did, "packages")
				if c.err != nil {
					return nil, c.err
				}
				found, err := packages.Find(ctx, a, opt)
				found.Warnings = append(found.Warnings, c.warnings...)
				return found, err
			}
			s := stageOf(t, "", false, 120, 40, func(set setup, do doer) root {
				set.packages = find
				set.find = func(context.Context, *analyzer.Analysis, advice.Options) ([]facts.Finding, int64, error) {
					did = append(did, "findings")
					return []facts.Finding{}, 0, nil
				}
				return newUI(load(t, "packages"), set, do)
			})
			if got := strings.Join(did, " "); got != "packages findings findings" {
				t.Errorf("got %s", got)
			}
			s.press("p")
			s.at(t, c.want)
			if c.err != nil {
				return
			}
			for _, k := range strings.Fields("3 ] ] ] / type:logo enter") {
				s.press(k)
			}
			s.at(t, "package     none that is known")
			s.press("i")
			s.at(t, c.warnings[0].Text)
		})
	}
}

// TestPackagesWhileSearching draws both tabs before the search has ended.
func TestPackagesWhileSearching(t *testing.T) {
	s := stageOf(t, "", false, 120, 40, func(set setup, do doer) root {
		do.(*still).holds = true
		set.packages, set.find = packages.Find, advice.Find
		return newUI(load(t, "packages"), set, do)
	})
	for _, k := range []string{"p", "!", "p", "down", "enter", "s", "f", "F", "right", "space"} {
		s.press(k)
		s.at(t, " searching…")
	}
	for _, k := range strings.Fields("! 3") {
		s.press(k)
	}
	if strings.Contains(s.text(), " package ") {
		t.Errorf("the details name a package that is not known yet:\n%s", s.text())
	}
	s.release()
	s.press("p")
	s.at(t, "libc6")
	s.press("!")
	if strings.Contains(s.text(), "searching") {
		t.Errorf("the search has not ended:\n%s", s.text())
	}
}

// TestPackageNames has names that a terminal would interpret, or that are not UTF-8.
func TestPackageNames(t *testing.T) {
	long := strings.Repeat("w", 5000)
	text, err := json.Marshal(map[string]string{"name": "\x1b[2J\u202e[red]" + long, "version": "1\n\x07"})
	if err != nil {
		t.Fatal(err)
	}
	a := described(t, fmt.Sprintf("layer one\n  file \"n\\xff/node_modules/a\\x1b/package.json\" text=%q\n  file \"n\\xff/node_modules/a\\x1b/\\x9b\" 10xa\n  file \"\\xff\\x1b/b\" 20xb\n", text))
	for _, size := range [][2]int{{1, 1}, {20, 5}, {40, 12}, {80, 24}, {200, 50}} {
		s := packageStage(t, a, packages.Find, "", false, size[0], size[1])
		for _, k := range strings.Fields("p right down down down enter 2 3 esc p 2 p y up up enter p up enter") {
			s.press(k)
			if i := strings.IndexFunc(s.text(), func(r rune) bool { return r < ' ' && r != '\n' || r == '\u202e' || r == 0x9b }); i >= 0 {
				t.Errorf("%v, after %s: a control character in %q", size, k, s.text())
			}
		}
	}
	s := packageStage(t, a, packages.Find, "", false, 120, 40)
	for _, k := range strings.Fields("p right down enter") {
		s.press(k)
	}
	s.at(t, `/\xff\x1b`)
	for _, k := range strings.Fields("p end") {
		s.press(k)
	}
	s.at(t, `\x1b[2J\u202e[re`)
	for _, k := range strings.Fields("2 end") {
		s.press(k)
	}
	s.at(t, `listed in   /n\xff/node_modules/a\x1b/package`)
}

// TestPackagesMouse clicks on the tab, the titles of columns, and rows.
func TestPackagesMouse(t *testing.T) {
	s := packageStage(t, load(t, "packages"), packages.Find, "", false, 120, 40)
	for _, c := range []struct {
		on    string
		twice bool
		want  string
	}{
		{"p Packages", false, "[p Packages]"},
		{"▸ belongs", false, "▾ belongs"},
		{"▾ belongs", false, "▸ belongs"},
		{"wasted    layer", false, "▼ wasted"},
		{"▼ wasted", false, "▲ wasted"},
		{"layer  type", false, "▲ layer"},
		{"type  ", false, "type ▲"},
		{"name  ", false, "name ▲"},
		{"express", false, " npm:express  name"},
		{"belongs to no", true, "▾ belongs"},
		{"/srv/app/", true, "only no package"},
		{"p Packages", false, "[p Packages]"},
		{"libc6", true, "only deb:libc6"},
	} {
		x, y := s.at(t, c.on)
		s.mouse(tview.MouseLeftDown, x, y)
		if c.twice {
			s.mouse(tview.MouseLeftDoubleClick, x, y)
		}
		if !strings.Contains(s.text(), c.want) {
			t.Fatalf("after a click on %q there is no %q on\n%s", c.on, c.want, s.text())
		}
	}
}

// TestPackageCopy copies what the gate's globs match.
func TestPackageCopy(t *testing.T) {
	s := packageStage(t, load(t, "packages"), packages.Find, "", false, 120, 40)
	for _, c := range []struct{ keys, want string }{
		{"p down down y", "npm:@types/node"},
		{"home right down y", "/srv/app"},
		{"down left down y", "deb:libc6"},
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if s.world.copied != c.want {
			t.Errorf("%s: copied %q, want %q", c.keys, s.world.copied, c.want)
		}
	}
}

// TestPackageLine goes to the line of the Dockerfile that brought a package.
func TestPackageLine(t *testing.T) {
	a := load(t, "packages")
	a.Report.Dockerfile = &facts.Dockerfile{Name: "Dockerfile", Text: "FROM a\nRUN apt-get install curl\nRUN npm ci\n", Certainty: facts.CertainLikely}
	a.Report.Layers[1].Source = &facts.Source{File: "Dockerfile", Line: 2, End: 2}
	s := packageStage(t, a, packages.Find, "", false, 120, 40)
	for _, k := range strings.Fields("p / type:curl enter D") {
		s.press(k)
	}
	if d, _, _ := paneOf[*dockerfile](&s.u.layout); !strings.Contains(s.text(), "[D Dockerfile]") || d.At != 1 {
		t.Errorf("the cursor is on line %d of\n%s", d.At+1, s.text())
	}
}

// TestPackagePart compares the files of every package in the tree, with the sizes of
// the folders above them, with its figures.
func TestPackagePart(t *testing.T) {
	for _, name := range append(imagetest.Names(t), "shop", "odd") {
		a := load(t, name)
		if a.Tree.Layers() == 0 {
			continue
		}
		s := packageStage(t, a, packages.Find, "", false, 120, 40)
		f, _, _ := paneOf[*files](&s.u.layout)
		for i, p := range s.u.rep.Packages {
			if p.Files == 0 {
				continue
			}
			f.showPackage(i)
			if size, _, gone, _ := f.out.Sum(); size != p.VisibleBytes || gone != 0 {
				t.Errorf("%s, %s: the tree has %d bytes, the package %d", name, p.Name, size, p.VisibleBytes)
			}
			var sum int64
			rows, _ := f.out.Rows(1000)
			for _, r := range rows {
				if r.Depth == 0 {
					sum += r.Size
				}
			}
			if sum != p.VisibleBytes {
				t.Errorf("%s, %s: the rows have %d bytes, the package %d", name, p.Name, sum, p.VisibleBytes)
			}
			if n, _ := f.out.Cursor(); !slices.Contains(f.part.nodes, n.Node) {
				t.Errorf("%s, %s: the cursor is on %s", name, p.Name, a.Tree.Path(n.Node))
			}
		}
	}
}

// TestSearchPackagesAgain starts another search while only the packages that match are
// shown.
func TestSearchPackagesAgain(t *testing.T) {
	s := packageStage(t, load(t, "packages"), packages.Find, "", false, 80, 24)
	for _, k := range []string{"p", "/", "type:a", "enter", "F", "/", "type:b"} {
		s.press(k)
	}
	if l, _, _ := paneOf[*packageList](&s.u.layout); l.N != l.matches {
		t.Errorf("%d rows for %d matches", l.N, l.matches)
	}
}
