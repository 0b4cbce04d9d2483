package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// packed returns a report with npm packages p0, p1, … of 1000, 999, … bytes in layer 0,
// and 500 kB that belong to none.
func packed(n int) *facts.Report {
	r := sample()
	r.Packages = []facts.Package{}
	rest := facts.UnownedFolder{Path: "/srv", VisibleBytes: r.Totals.VisibleBytes, WastedBytes: r.Totals.WastedBytes, Files: 7}
	for i := range n {
		size := int64(1000 - i%1000)
		r.Packages = append(r.Packages, facts.Package{
			Type: facts.TypeNPM, Name: fmt.Sprintf("p%d", i), Version: "1", Database: fmt.Sprintf("/p%d/package.json", i), VisibleBytes: size, RemovedBy: -1,
			Layers: []facts.PackageLayer{{VisibleBytes: size}},
		})
		rest.VisibleBytes -= size
	}
	r.Unowned = &facts.Unowned{VisibleBytes: rest.VisibleBytes, WastedBytes: rest.WastedBytes, Files: 7, Folders: []facts.UnownedFolder{rest}}
	return r
}

// TestPackagesCounted checks that a list which ends early says what it leaves out.
func TestPackagesCounted(t *testing.T) {
	for _, tt := range []struct {
		most, rows int
		end        string
	}{
		{0, 5, "p4    1\n"},
		{5, 5, "p4    1\n"},
		{3, 3, " 2.0 kB      0 B  in 2 more packages: --all lists them\n"},
		{4, 4, "  996 B      0 B  in 1 more package: --all lists them\n"},
	} {
		var b strings.Builder
		if err := Packages(&b, &Input{Report: packed(5)}, PackagesOptions{Most: tt.most}); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Count(text, "  npm  ") != tt.rows || !strings.HasSuffix(text, tt.end) {
			t.Errorf("at most %d: want %d rows and the end %q in\n%s", tt.most, tt.rows, tt.end, text)
		}
	}
	// Folders: of 4, the report lists 3 and counts one more.
	r := sample()
	r.Packages, r.Unowned = []facts.Package{}, &facts.Unowned{VisibleBytes: 2_000_000, WastedBytes: 1_000_000, Files: 9, MoreFolders: 1, Folders: []facts.UnownedFolder{
		{Path: "/a", VisibleBytes: 1_500_000, Files: 4}, {Path: "/c\x1b", VisibleBytes: 300_000, WastedBytes: 900_000, Files: 2}, {Path: "/b", WastedBytes: 90_000},
	}}
	head := "image     app\\x1b.tar (shop/app:1.4)\n\nvisible   wasted   share\n 2.0 MB   1.0 MB    100%  in no package: 9 files in 4 folders\n\nvisible   wasted    files  folder\n"
	a, b, c := " 1.5 MB      0 B        4  /a\n", "    0 B    90 kB        0  /b\n", " 300 kB   900 kB        2  /c\\x1b\n"
	last := " 200 kB    10 kB           in 1 more folder\n"
	for _, tt := range []struct {
		opt  PackagesOptions
		want string
	}{
		{PackagesOptions{}, a + c + b + last},
		{PackagesOptions{Sort: SortName}, a + b + c + last},
		{PackagesOptions{Sort: SortWaste}, c + b + a + last},
		{PackagesOptions{Most: 2}, a + c + " 200 kB   100 kB           in 2 more folders: --all lists more\n"},
	} {
		var got strings.Builder
		if err := Unowned(&got, &Input{Report: r}, tt.opt); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(head+tt.want, got.String()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.opt, diff)
		}
	}
}

func TestLayersOf(t *testing.T) {
	for want, layers := range map[string][]int{
		"-": nil, "3": {3}, "0, 2-4": {0, 2, 3, 4}, "0-1, 3, 5, 7, 9": {0, 1, 3, 5, 7, 9}, "0, 2, 4, 6 and 2 more": {0, 2, 4, 6, 8, 10},
	} {
		p := &facts.Package{}
		for _, l := range layers {
			p.Layers = append(p.Layers, facts.PackageLayer{Layer: l})
		}
		if got := layersOf(p); got != want {
			t.Errorf("%v: got %q, want %q", layers, got, want)
		}
	}
}

// TestPackageNames checks that a name of any length and any characters stays on its
// line.
func TestPackageNames(t *testing.T) {
	r := packed(2)
	r.Packages[0].Name, r.Packages[0].Version, r.Packages[0].Modules = strings.Repeat("世", 5000), "1\n2", []string{"m\x1b@1"}
	for _, l := range []int{2, 4, 6, 8, 9} {
		r.Packages[0].Layers = append(r.Packages[0].Layers, facts.PackageLayer{Layer: l})
	}
	r.Packages[1].Name, r.Packages[1].Type, r.Packages[1].RemovedBy = "p\x1b[2J", "deb\n", 1
	var b strings.Builder
	if err := Packages(&b, &Input{Report: r}, PackagesOptions{}); err != nil {
		t.Fatal(err)
	}
	owned := []OwnedFiles{{Package: &r.Packages[0], Files: []OwnedFile{{Path: "/\x1b", Names: []string{"/\xff"}, Bytes: 5, HiddenBy: 1, Cause: "\u202e"}}}, {Package: &r.Packages[1]}}
	if err := PackageFiles(&b, &Input{Report: r}, owned, PackagesOptions{}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"brought by  in layers        type      name ", "         0  0, 2, 4, 6, 8-9  npm  ",
		strings.Repeat("世", 99) + "…  1\\n2\n", `  p\x1b[2J`, "  1  removed by layer 1\n", "    5 B      0  /\\x1b == /\\xff  (\\u202e by layer 1)\n",
		"built from 1 module\n                m\\x1b@1\n", "   none of its files has content of its own\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("not safe:\n%q", text)
	}
}
