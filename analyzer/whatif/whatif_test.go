package whatif

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/gate"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/origin"
	"fathom/analyzer/packages"
)

// advised returns an image with its packages and findings.
func advised(t *testing.T, a *analyzer.Analysis) *Image {
	t.Helper()
	im := &Image{Analysis: a, Report: a.Report}
	var err error
	if im.Packages, err = packages.Find(t.Context(), a, packages.Options{}); err != nil {
		t.Fatal(err)
	}
	a.Report.Packages, a.Report.Unowned = im.Packages.List, &im.Packages.Unowned
	opt := advice.Options{Packages: im.Packages, Claims: func(all [][]advice.Claim) { im.Claims = all }}
	a.Report.Findings, a.Report.Totals.FindingsBytes, err = advice.Find(t.Context(), a, opt)
	if err != nil {
		t.Fatal(err)
	}
	a.Report.Secrets = facts.SecretsAll
	return im
}

// finding returns the index of the first finding of a rule.
func (im *Image) finding(t *testing.T, rule string) int {
	t.Helper()
	i := slices.IndexFunc(im.Report.Findings, func(f facts.Finding) bool { return f.Rule == rule })
	if i < 0 {
		t.Fatalf("there is no finding of %s in %+v", rule, im.Report.Findings)
	}
	return i
}

func lookup(t *testing.T, a *analyzer.Analysis, path string) filetree.Node {
	t.Helper()
	n, ok := a.Tree.Lookup(path)
	if !ok {
		t.Fatalf("no %s", path)
	}
	return n
}

// want checks the stored, visible and wasted bytes, the files and the layers.
func want(t *testing.T, r *Result, stored, visible, wasted int64, files, layers int) {
	t.Helper()
	is := r.Report.Totals
	if is.StoredBytes != stored || is.VisibleBytes != visible || is.WastedBytes != wasted || is.Files != files || is.Layers != layers {
		t.Errorf("got %+v, want %d stored, %d visible, %d wasted, %d files, %d layers", is, stored, visible, wasted, files, layers)
	}
	readable(t, r.Report)
}

const shop = `
layer RUN apt-get update && apt-get install -y git
  dir var/lib/apt/lists
  file var/lib/apt/lists/a_Packages 3000000xa
  file var/lib/apt/lists/b_Packages 2000000xb
  file usr/bin/git 1000000xg
layer COPY . /srv
  file srv/a 500000xs
  file srv/b 400000xt
layer RUN rm -rf /var/lib/apt/lists && chown -R 1:1 /srv
  file var/lib/apt/.wh.lists
  file srv/a 1:1 500000xs
  file srv/b 1:1 400000xt
`

// The figures are worked out by hand: 7.8 MB are stored, the lists (5 MB) and the first
// copy of /srv (0.9 MB) are wasted.
func TestByHand(t *testing.T) {
	im := advised(t, analyze(t, shop))
	a := im.Analysis
	list := im.finding(t, "package-cache")
	for _, c := range []struct {
		name                    string
		marks                   []Mark
		stored, visible, wasted int64
		files, layers           int
		saves                   []Saving
	}{
		{"nothing", nil, 7_800_000, 1_900_000, 5_900_000, 3, 3, []Saving{}},
		{"the first step", []Mark{{Kind: Step, Layer: 0}}, 2_800_000, 1_900_000, 900_000, 3, 3, []Saving{{5_000_000, 5_000_000}}},
		{"the second step, of which nothing is left", []Mark{{Kind: Step, Layer: 1}}, 6_900_000, 1_900_000, 5_000_000, 3, 2, []Saving{{900_000, 900_000}}},
		{"the third step, which hides all waste", []Mark{{Kind: Step, Layer: 2}}, 1_900_000, 1_900_000, 0, 3, 2, []Saving{{5_900_000, 5_900_000}}},
		{"a folder", []Mark{{Kind: Path, Node: lookup(t, a, "/srv")}}, 6_000_000, 1_000_000, 5_000_000, 1, 2, []Saving{{1_800_000, 1_800_000}}},
		{"a file", []Mark{{Kind: Path, Node: lookup(t, a, "/srv/a")}}, 6_800_000, 1_400_000, 5_400_000, 2, 3, []Saving{{1_000_000, 1_000_000}}},
		{"the finding", []Mark{{Kind: Finding, Finding: list, Place: -1}}, 2_800_000, 1_900_000, 900_000, 3, 3, []Saving{{5_000_000, 5_000_000}}},
		{
			"marks that overlap", []Mark{{Kind: Finding, Finding: list, Place: -1}, {Kind: Step, Layer: 0}, {Kind: Path, Node: lookup(t, a, "/var")}, {Kind: Path, Node: lookup(t, a, "/srv/b")}},
			2_000_000, 1_500_000, 500_000, 2, 3, []Saving{{5_000_000, 0}, {5_000_000, 0}, {5_000_000, 0}, {800_000, 800_000}},
		},
		{"everything", []Mark{{Kind: Path, Node: filetree.Root}}, 0, 0, 0, 0, 0, []Saving{{7_800_000, 7_800_000}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Without(im, c.marks)
			want(t, r, c.stored, c.visible, c.wasted, c.files, c.layers)
			if diff := cmp.Diff(c.saves, r.Saves); diff != "" {
				t.Errorf("saves (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindings marks every finding of the images before the fix. The stored bytes shrink
// by those of the finding, and it is gone.
func TestFindings(t *testing.T) {
	rules := 0
	for _, name := range imagetest.Names(t) {
		rule, ok := strings.CutSuffix(strings.TrimPrefix(name, "finding-"), "-before")
		if !ok {
			continue
		}
		t.Run(rule, func(t *testing.T) {
			a, err := analyzer.Analyze(t.Context(), imagetest.Load(t, name).Image(), analyzer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			im := advised(t, a)
			for i := range a.Report.Findings {
				f := &a.Report.Findings[i]
				r := Without(im, []Mark{{Kind: Finding, Finding: i, Place: -1}})
				if got := a.Report.Totals.StoredBytes - r.Report.Totals.StoredBytes; got != f.Bytes {
					t.Errorf("%s: %d bytes less, want %d", f.Title, got, f.Bytes)
				}
				if slices.ContainsFunc(r.Report.Findings, func(x facts.Finding) bool { return x.Title == f.Title }) {
					t.Errorf("%s: it is still there", f.Title)
				}
				readable(t, r.Report)
				if f.Rule == rule {
					rules++
				}
				sum := int64(0) // place by place
				for p := range f.Places {
					one := Without(im, []Mark{{Kind: Finding, Finding: i, Place: p}})
					sum += one.Saves[0].Alone
					readable(t, one.Report)
				}
				if f.MorePlaces == 0 && sum != f.Bytes {
					t.Errorf("%s: its places save %d, want %d", f.Title, sum, f.Bytes)
				}
			}
		})
	}
	if rules < 20 {
		t.Errorf("%d rules were seen", rules)
	}
}

// A file that an own layer stores again is the base's again.
func TestOwnCopy(t *testing.T) {
	a := analyze(t, "layer ADD base\n  file a 1000xa\n  file b 200xb\nlayer RUN chown\n  file a 1:1 1000xa\n  file c 30xc\n")
	own, base := origin.Split(a, 1)
	a.Report.Totals.Own, a.Report.Totals.Base = &own, &base
	a.Report.Base = &facts.Base{Layers: 1, Evidence: facts.EvidenceFlag, Certainty: facts.CertainExact, Chain: []facts.Link{}}
	r := Without(&Image{Analysis: a, Report: a.Report}, []Mark{{Kind: Step, Layer: 1}})
	want(t, r, 1230, 1230, 0, 3, 2)
	if diff := cmp.Diff(&facts.Part{StoredBytes: 30, VisibleBytes: 30, Files: 1, Layers: 1}, r.Report.Totals.Own); diff != "" {
		t.Errorf("own (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&facts.Part{StoredBytes: 1200, VisibleBytes: 1200, Files: 2, Layers: 1}, r.Report.Totals.Base); diff != "" {
		t.Errorf("base (-want +got):\n%s", diff)
	}
	// Without the own copy alone, its waste is no longer a copy.
	r = Without(&Image{Analysis: a, Report: a.Report}, []Mark{{Kind: Path, Node: lookup(t, a, "/c")}})
	if got := r.Report.Totals.Own.CopiedFromBaseBytes; got != 1000 {
		t.Errorf("copied %d", got)
	}
}

// TestPackages marks a package: its files go, and those of others stay.
func TestPackages(t *testing.T) {
	im := advised(t, analyze(t, `
layer RUN npm ci
  file app/node_modules/a/package.json text="{\"name\":\"a\",\"version\":\"1\"}"
  file app/node_modules/a/index.js 1000xa
  file app/node_modules/b/package.json text="{\"name\":\"b\",\"version\":\"2\"}"
  file app/node_modules/b/index.js 300xb
  file etc/motd 10xm
`))
	i := slices.IndexFunc(im.Report.Packages, func(p facts.Package) bool { return p.Name == "a" })
	p := im.Report.Packages[i]
	r := Without(im, []Mark{{Kind: Package, Package: i}})
	before := im.Report.Totals
	want(t, r, before.StoredBytes-p.VisibleBytes, before.VisibleBytes-p.VisibleBytes, 0, 3, 1)
	if p.VisibleBytes < 1000 || len(r.Report.Packages) != 1 || r.Report.Packages[0].Name != "b" {
		t.Errorf("%+v is left without %+v", r.Report.Packages, p)
	}
	v, err := gate.Check(r.Report, gate.Limits{{Rule: gate.DenyPackage, Unit: gate.Count, Globs: []string{"npm:a"}}}, gate.Options{})
	if err != nil || !v.Pass() {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestFiles checks the files that rules about paths see.
func TestFiles(t *testing.T) {
	a := analyze(t, "layer A\n  file a/x 10xa\nlayer B\n  file b/x 20xb\n  file a/.wh.x\nlayer C\n  file c 30xc\n")
	im := &Image{Analysis: a, Report: a.Report}
	list := func(r *Result) (out []string) {
		for f := range r.Files() {
			out = append(out, strings.TrimPrefix(f.Path, "/")+" "+string(rune('0'+f.Layer))+map[bool]string{true: "", false: " hidden"}[f.HiddenBy < 0])
		}
		return out
	}
	if diff := cmp.Diff([]string{"a 0", "a/x 0 hidden", "b 1", "b/x 1", "c 2"}, list(Without(im, nil))); diff != "" {
		t.Errorf("without marks:\n%s", diff)
	}
	r := Without(im, []Mark{{Kind: Path, Node: lookup(t, a, "/b")}, {Kind: Step, Layer: 0}})
	if diff := cmp.Diff([]string{"a 0", "c 0"}, list(r)); diff != "" || len(r.Empty) != 2 {
		t.Errorf("empty %v:\n%s", r.Empty, diff)
	}
}

// TestSaved compares marks of a saved report with those of its image.
func TestSaved(t *testing.T) {
	im := advised(t, analyze(t, shop))
	s := &Saved{Report: im.Report}
	for i, f := range im.Report.Findings {
		saved := s.Without([]SavedMark{{Kind: Finding, Finding: i, Place: -1}, {Kind: Step, Layer: 2}})
		image := Without(im, []Mark{{Kind: Finding, Finding: i, Place: -1}, {Kind: Step, Layer: 2}})
		if err := saved.Refused[0]; err != nil {
			t.Fatalf("%s: %v", f.Title, err)
		}
		if diff := cmp.Diff(image.Saves, saved.Saves); diff != "" {
			t.Errorf("%s: saves (-image +saved):\n%s", f.Title, diff)
		}
		a, b := image.Report.Totals, saved.Report.Totals
		if a.StoredBytes != b.StoredBytes || a.VisibleBytes != b.VisibleBytes || a.FindingsBytes != b.FindingsBytes {
			t.Errorf("%s: got %+v, want %+v", f.Title, b, a)
		}
		readable(t, saved.Report)
	}
	r := s.Without([]SavedMark{{Kind: Waste, Waste: []facts.Waste{{Path: "/srv/a", StoredIn: 1, HiddenBy: 2}}}, {Kind: Path}, {Kind: Step, Layer: 1}})
	if diff := cmp.Diff([]Saving{{500_000, 0}, {}, {900_000, 400_000}}, r.Saves); diff != "" || r.Refused[1] == nil {
		t.Errorf("%v, saves:\n%s", r.Refused, diff)
	}
	// A report that lists only some places does not say what the others are.
	im.Report.Findings[0].MorePlaces = 1
	if r := s.Without([]SavedMark{{Kind: Finding, Finding: 0, Place: -1}}); r.Refused[0] == nil || r.Report.Totals.StoredBytes != 7_800_000 {
		t.Errorf("%v, %+v", r.Refused, r.Report.Totals)
	}
}
