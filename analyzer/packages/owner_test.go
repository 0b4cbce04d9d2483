package packages

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// status returns the text of dpkg's status, of packages written as NAME VERSION.
func status(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n", name, version)
	}
	return b.String()
}

// dpkg returns the lines of an image that store dpkg's status.
func dpkg(packages ...string) string {
	return fmt.Sprintf("  file var/lib/dpkg/status text=%q\n", status(packages...))
}

// files returns the line of an image that stores dpkg's list for a package.
func files(name string, paths ...string) string {
	return fmt.Sprintf("  file var/lib/dpkg/info/%s.list text=%q\n", name, "/.\n"+strings.Join(paths, "\n")+"\n")
}

// databases is the folder of which the tests leave out what is unowned.
const databases = "/var/lib/dpkg"

// TestOwners checks whose the files of images are. Every figure is worked out by hand.
func TestOwners(t *testing.T) {
	const layer = "layer RUN make\n"
	for _, tt := range []struct{ name, image, want string }{
		{"a package", layer + dpkg("curl 8") + files("curl", "/usr", "/usr/bin", "/usr/bin/curl", "/usr/share/doc/curl") +
			"  file usr/bin/curl 755 100xa\n  file usr/bin/other 10xb\n", `
deb curl 8 of amd64: visible 100, wasted 0, files 1, brought by 0, layers 0:100/0
unowned /usr/bin: visible 10, wasted 0, files 1`},

		{"listed by the architecture", layer + dpkg("libc6 2") + files("libc6:amd64", "/lib/libc.so") + files("libc6", "/etc/x") +
			"  file lib/libc.so 755 100xa\n  file etc/x 10xb\n", `
deb libc6 2 of amd64: visible 100, wasted 0, files 1, brought by 0, layers 0:100/0
unowned /etc: visible 10, wasted 0, files 1`},

		{"an upgrade is in both layers", layer + dpkg("curl 7", "tar 1") + files("curl", "/bin/curl", "/etc/curlrc") + files("tar", "/bin/tar") +
			"  file bin/curl 100xa\n  file etc/curlrc 5xc\n  file bin/tar 50xt\n" +
			layer + "  file srv/x 1xx\n" +
			layer + dpkg("curl 8", "tar 1") + files("curl", "/bin/curl", "/etc/curlrc") + "  file bin/curl 120xb\n", `
deb curl 8 of amd64: visible 125, wasted 100, files 2, brought by 2, layers 0:5/100 2:120/0
deb tar 1 of amd64: visible 50, wasted 0, files 1, brought by 0, layers 0:50/0
unowned /srv: visible 1, wasted 0, files 1`},

		{"a removed package", layer + dpkg("gcc 12") + files("gcc", "/bin/gcc") + "  file bin/gcc 100xa\n" +
			layer + dpkg("tar 1") + "  file bin/.wh.gcc\n  file var/lib/dpkg/info/.wh.gcc.list\n", `
deb gcc 12 of amd64: visible 0, wasted 100, files 0, brought by 0, removed by 1, layers 0:0/100
deb tar 1 of amd64: visible 0, wasted 0, files 0, brought by 1, layers`},

		{"an emptied database", layer + dpkg("tar 1") + files("tar", "/bin/tar") + "  file bin/tar 50xt\n" +
			layer + "  file var/lib/dpkg/status\n", `
deb tar 1 of amd64: visible 0, wasted 0, files 0, brought by 0, removed by 1, layers
unowned /bin: visible 50, wasted 0, files 1`},

		{"a removed database", layer + dpkg("tar 1") + files("tar", "/bin/tar") + "  file bin/tar 50xt\n" +
			layer + "  file bin/.wh.tar\n" + layer + "  file var/.wh.lib\n", `
deb tar 1 of amd64: visible 0, wasted 50, files 0, brought by 0, removed by 2, layers 0:0/50`},

		{"only the list is removed", layer + dpkg("tar 1") + files("tar", "/bin/tar") + "  file bin/tar 50xt\n" +
			layer + "  file var/lib/dpkg/info/.wh.tar.list\n", `
deb tar 1 of amd64: visible 0, wasted 0, files 0, brought by 0, layers
unowned /bin: visible 50, wasted 0, files 1`},

		{"chown stores a package again", layer + dpkg("tar 1") + files("tar", "/bin/tar") + "  file bin/tar 50xt\n" +
			layer + "  file bin/tar 1:1 50xt\n", `
deb tar 1 of amd64: visible 50, wasted 50, files 1, brought by 0, layers 0:0/50 1:50/0`},

		{"usr is merged", layer + "  symlink lib -> usr/lib\n" + dpkg("libc6 2", "old 1") + files("libc6", "/lib/libc.so") + files("old", "/usr/lib/old.so") +
			"  file usr/lib/libc.so 100xa\n  file lib/old.so 10xb\n", `
deb libc6 2 of amd64: visible 100, wasted 0, files 1, brought by 0, layers 0:100/0
deb old 1 of amd64: visible 10, wasted 0, files 1, brought by 0, layers 0:10/0`},

		{"usr is merged later", layer + dpkg("libc6 2") + files("libc6", "/lib/libc.so") + "  file lib/libc.so 100xa\n" +
			layer + "  file .wh.lib\n  symlink lib -> usr/lib\n  file usr/lib/libc.so 100xa\n", `
deb libc6 2 of amd64: visible 100, wasted 100, files 1, brought by 0, layers 0:0/100 1:100/0`},

		{"symlinks in a circle", layer + "  symlink a -> b\n  symlink b -> a\n  symlink c -> c/c\n" + dpkg("x 1") + files("x", "/a/f", "/c/f", "/d/f") + "  file d/f 1xx\n", `
deb x 1 of amd64: visible 1, wasted 0, files 1, brought by 0, layers 0:1/0`},

		{"a diversion", layer + dpkg("dash 1", "mine 2") + files("dash", "/bin/sh") + files("mine", "/bin/sh", "/etc/mine") +
			"  file var/lib/dpkg/diversions text=\"/bin/sh\\n/bin/sh.distrib\\nmine\\n\"\n  file bin/sh 10xa\n  file bin/sh.distrib 100xb\n  file etc/mine 1xc\n", `
deb dash 1 of amd64: visible 100, wasted 0, files 1, brought by 0, layers 0:100/0
deb mine 2 of amd64: visible 11, wasted 0, files 2, brought by 0, layers 0:11/0`},

		{"a diversion comes later", layer + dpkg("dash 1") + files("dash", "/bin/sh") + "  file bin/sh 100xb\n" +
			layer + "  file var/lib/dpkg/diversions text=\"/bin/sh\\n/bin/sh.distrib\\n:\\n\"\n  file bin/sh.distrib 100xb\n  file bin/sh 10xa\n", `
deb dash 1 of amd64: visible 100, wasted 100, files 1, brought by 0, layers 0:0/100 1:100/0
unowned /bin: visible 10, wasted 0, files 1`},

		{"several owners", layer + dpkg("node-x 1", "node-y 1") + files("node-x", "/app/node_modules/x/a", "/etc/both") + files("node-y", "/etc/both") +
			"  file app/node_modules/x/package.json text=\"{\\\"name\\\":\\\"x\\\",\\\"version\\\":\\\"3\\\"}\"\n  file app/node_modules/x/a 10xa\n  file app/node_modules/x/b 20xb\n" +
			"  file app/node_modules/x/node_modules/y/package.json text=\"{\\\"name\\\":\\\"y\\\",\\\"version\\\":\\\"4\\\"}\"\n  file app/node_modules/x/node_modules/y/lib/c 40xc\n" +
			"  file app/node_modules/.package-lock.json 80xd\n  file app/main.js 160xe\n  file etc/both 7xx\n", `
npm y 4: visible 66, wasted 0, files 2, brought by 0, layers 0:66/0
npm x 3: visible 46, wasted 0, files 2, brought by 0, layers 0:46/0
deb node-x 1 of amd64: visible 17, wasted 0, files 2, brought by 0, layers 0:17/0
deb node-y 1 of amd64: visible 0, wasted 0, files 0, brought by 0, layers
unowned /app: visible 160, wasted 0, files 1
unowned /app/node_modules: visible 80, wasted 0, files 1`},

		{"an npm package changes", layer + "  file n/node_modules/@s/x/package.json text=\"{\\\"name\\\":\\\"@s/x\\\",\\\"version\\\":\\\"3\\\"}\"\n  file n/node_modules/@s/x/a 100xa\n" +
			layer + "  file n/node_modules/@s/.wh.x\n" +
			layer + "  file n/node_modules/@s/x/package.json text=\"{\\\"name\\\":\\\"@s/x\\\",\\\"version\\\":\\\"4\\\"}\"\n  file n/node_modules/@s/x/a 200xb\n", `
npm @s/x 4: visible 229, wasted 129, files 2, brought by 2, layers 0:0/129 2:229/0`},

		{"a Python package is upgraded", layer + "  file s/x-1.dist-info/METADATA text=\"Name: x\\nVersion: 1\\n\"\n  file s/x-1.dist-info/RECORD text=\"x/a,,\\n\"\n  file s/x/a 100xa\n" +
			layer + "  file s/.wh.x-1.dist-info\n  file s/x-2.dist-info/METADATA text=\"Name: x\\nVersion: 2\\n\"\n  file s/x-2.dist-info/RECORD text=\"x/a,,\\n\"\n  file s/x/a 200xa\n" +
			"  file other/x-1.dist-info/METADATA text=\"Name: x\\nVersion: 1\\n\"\n", `
python x 2: visible 225, wasted 125, files 3, brought by 1, layers 0:0/125 1:225/0
python x 1: visible 19, wasted 0, files 1, brought by 1, layers 1:19/0`},

		{"an egg and a package of conda are upgraded", layer + "  file s/x-1.egg/EGG-INFO/PKG-INFO text=\"Name: x\\nVersion: 1\\n\"\n  file conda-meta/y-1-0.json text=\"{\\\"name\\\":\\\"y\\\",\\\"version\\\":\\\"1\\\"}\"\n" +
			layer + "  file s/.wh.x-1.egg\n  file s/x-2.egg/EGG-INFO/PKG-INFO text=\"Name: x\\nVersion: 2\\n\"\n  file conda-meta/.wh.y-1-0.json\n  file conda-meta/y-2-0.json text=\"{\\\"name\\\":\\\"y\\\",\\\"version\\\":\\\"2\\\"}\"\n", `
conda y 2: visible 26, wasted 26, files 1, brought by 1, layers 0:0/26 1:26/0
python x 2: visible 19, wasted 19, files 1, brought by 1, layers 0:0/19 1:19/0`},

		{"hard links", layer + dpkg("git 1") + files("git", "/usr/bin/git", "/usr/lib/git/git") + "  file usr/bin/git 100xa\n  link usr/lib/git/git -> usr/bin/git\n  link srv/git -> usr/bin/git\n", `
deb git 1 of amd64: visible 100, wasted 0, files 3, brought by 0, layers 0:100/0`},

		{"distroless", layer + "  file var/lib/dpkg/status.d/tzdata text=\"Package: tzdata\\nVersion: 2024a\\nArchitecture: all\\nDescription: x\\n\"\n" +
			"  file var/lib/dpkg/status.d/tzdata.md5sums text=\"0123  usr/share/zoneinfo/UTC\\n4567  usr/share/doc/tzdata/copyright\\n\"\n  file usr/share/zoneinfo/UTC 100xa\n", `
deb tzdata 2024a of all: visible 100, wasted 0, files 1, brought by 0, layers 0:100/0`},

		{"listed twice", layer + dpkg("tar 1", "tar 1") + files("tar", "/bin/tar") + "  file bin/tar 50xt\n" + layer + dpkg("tar 1"), `
deb tar 1 of amd64: visible 50, wasted 0, files 1, brought by 0, layers 0:50/0`},

		{"not installed", layer + "  file var/lib/dpkg/status text=\"Package: a\\nStatus: deinstall ok config-files\\nVersion: 1\\n\\nPackage: b\\nStatus: install reinstreq half-installed\\nVersion: 1\\n\\nPackage: c\\nStatus: hold ok installed\\nVersion: 1\\n\"\n", `
deb c 1: visible 0, wasted 0, files 0, brought by 0, layers`},

		{"a database that can't be read", layer + dpkg("tar 1") + files("tar", "/bin/tar") + "  file bin/tar 50xt\n" +
			layer + "  file var/lib/dpkg/status text=\"Status: install ok installed\\n\"\n", `
deb tar 1 of amd64: visible 0, wasted 0, files 0, brought by 0, removed by 1, layers
unowned /bin: visible 50, wasted 0, files 1
warning 1 /var/lib/dpkg/status: can't read this package database: finding the package of stanza 0: it has no Package field: its packages are unknown, and their files count as unowned`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, stream := range []bool{false, true} {
				p, _ := found(t, tt.image, stream)
				if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), describe(p)); diff != "" {
					t.Errorf("streamed: %v (-want +got):\n%s", stream, diff)
				}
			}
		})
	}
}

// describe describes packages, and what is unowned outside of databases.
func describe(p *Packages) string {
	var out []string
	for _, x := range p.List {
		s := strings.TrimSuffix(x.Type+" "+x.Name+" "+x.Version, " ")
		if x.Arch != "" {
			s += " of " + x.Arch
		}
		s += fmt.Sprintf(": visible %d, wasted %d, files %d, brought by %d", x.VisibleBytes, x.WastedBytes, x.Files, x.BroughtBy)
		if x.RemovedBy != -1 {
			s += fmt.Sprintf(", removed by %d", x.RemovedBy)
		}
		s += ", layers"
		for _, l := range x.Layers {
			s += fmt.Sprintf(" %d:%d/%d", l.Layer, l.VisibleBytes, l.WastedBytes)
		}
		out = append(out, s)
	}
	for _, f := range p.Unowned.Folders {
		if !strings.HasPrefix(f.Path+"/", databases+"/") && f.Path != "/var" {
			out = append(out, fmt.Sprintf("unowned %s: visible %d, wasted %d, files %d", f.Path, f.VisibleBytes, f.WastedBytes, f.Files))
		}
	}
	for _, w := range p.Warnings {
		out = append(out, fmt.Sprintf("warning %d %s: %s", w.Layer, w.Path, w.Text))
	}
	return strings.Join(out, "\n")
}

func TestDiffer(t *testing.T) {
	for _, tt := range []struct{ a, b, gone, come string }{
		{"", "", "", ""},
		{"a b c", "a b c", "", ""},
		{"a b c", "", "a b c", ""},
		{"", "a b", "", "a b"},
		{"a b c", "a x c", "b", "x"},
		{"a b c", "c b a", "", ""},
		{"a b c d", "a c e d", "b", "e"},
	} {
		a, b := strings.Fields(tt.a), strings.Fields(tt.b)
		gone, come := differ(a, b)
		text := func(lines []string, at []int) string {
			var out []string
			for _, i := range at {
				out = append(out, lines[i])
			}
			return strings.Join(out, " ")
		}
		if text(a, gone) != tt.gone || text(b, come) != tt.come {
			t.Errorf("%s and %s: got %s and %s, want %s and %s", tt.a, tt.b, text(a, gone), text(b, come), tt.gone, tt.come)
		}
	}
}

// TestManyDamaged checks that only some of many files that can't be read have a warning
// of their own.
func TestManyDamaged(t *testing.T) {
	var b strings.Builder
	b.WriteString("layer RUN make\n")
	for i := range maxWarnings + 5 {
		fmt.Fprintf(&b, "  file node_modules/m%d/package.json text=\"{\"\n", i)
	}
	p, _ := found(t, b.String(), true)
	if n := len(p.Warnings); n != maxWarnings+1 || p.Warnings[n-1].Text != "and 5 more files of package databases can't be read" {
		t.Errorf("got %d warnings, the last %+v", n, p.Warnings[n-1])
	}
}

// TestManyClaims checks the claim that counts among more claims of a node than are looked
// at again each time.
func TestManyClaims(t *testing.T) {
	var c claims
	for i := range int32(100) {
		c.list = append(c.list, claim{node: 1, from: i / 10, to: i/10 + 1, unit: i})
	}
	c.list = append(c.list, claim{node: 2, from: 0, to: 100, unit: 100})
	for range 2 { // as at remembers what it found
		for layer := range int32(12) {
			want := layer * 10
			switch got := c.at(0, layer); {
			case layer >= 10 && got != nil:
				t.Errorf("after layer %d: got package %d, want none", layer, got.unit)
			case layer < 10 && (got == nil || got.unit != want):
				t.Errorf("after layer %d: got %+v, want package %d", layer, got, want)
			}
			if got := c.at(100, layer); got == nil || got.unit != 100 {
				t.Errorf("the second node after layer %d: got %+v, want package 100", layer, got)
			}
		}
	}
	if got := len(c.found); got != 10 {
		t.Errorf("got %d layers remembered, want 10: all but the first two", got)
	}
}

// TestManyFolders checks that the folders of gems count as what is looked at: gems of one
// name can claim the same ones.
func TestManyFolders(t *testing.T) {
	const folders = 10
	var b strings.Builder
	b.WriteString("layer RUN gem install\n  file g/specifications/a-1.gemspec text=\"# stub: a 1 ruby lib\\n\"\n")
	for i := range folders {
		fmt.Fprintf(&b, "  file g/extensions/x/%d/a-1/f 1xa\n", i)
	}
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, b.String()).Image(imagetest.None), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := a.Notes(t.Context(), Lookers(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []int{100, folders - 1} {
		r := newReading(a.Tree, a.Image.Limits.Memory)
		if err := r.read(notes.By); err != nil {
			t.Fatal(err)
		}
		r.work = maxWork - left
		taken := r.taken
		o, err := r.claims()
		if err != nil {
			t.Fatal(err)
		}
		want := folders
		if left < folders {
			want = 0
		}
		if got := len(o.trees.list); got != want || (len(r.warnings) > 0) != (want == 0) || (r.taken > taken) != (want > 0) {
			t.Errorf("%d left: got %d folders, %d bytes and the warnings %v, want %d folders, and a warning if there are none", left, got, r.taken-taken, r.warnings, want)
		}
		r.release()
	}
}

// TestIncomplete checks that a damaged database of the system is told among any number
// of damaged files of languages.
func TestIncomplete(t *testing.T) {
	var b strings.Builder
	b.WriteString("layer RUN make\n  file var/lib/dpkg/status text=\"Status: install ok installed\\n\"\n")
	for i := range maxWarnings + 5 {
		fmt.Fprintf(&b, "  file app/node_modules/m%d/package.json text=\"{\"\n", i)
	}
	p, _ := found(t, b.String(), false)
	var told []string
	for _, w := range p.Warnings {
		if Incomplete(w) {
			told = append(told, w.Path)
		}
	}
	if diff := cmp.Diff([]string{"/var/lib/dpkg/status"}, told); diff != "" {
		t.Error(diff)
	}
	if !Incomplete(facts.Warning{Layer: -1, Text: tooMuch}) || Incomplete(facts.Warning{Path: "/var/lib/dpkg/status", Text: "odd"}) {
		t.Error("other warnings are not told apart")
	}
}
