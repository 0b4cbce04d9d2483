package packages

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
)

// Programs and archives are packages of the bytes that no other package owns. A note in
// a program of another package is not listed; a Go program of one is, without bytes.
func TestProgramsOfImage(t *testing.T) {
	img := imagetest.Must(t, `
layer RUN apt-get install tools
  file var/lib/dpkg/status text="Package: tools\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
  file var/lib/dpkg/info/tools.list text="/usr/bin/gotool\n/usr/bin/noted\n"
  file usr/bin/gotool text=gofmt
  file usr/bin/noted text=noted
layer COPY app
  file app/server text=external
  link app/same -> app/server
  file app/noted text=noted
  file app/noted2 text=noted
  file app/rust text=audited
  file app/lib.jar text=jar
layer COPY app again
  file app/server text=hello
  file app/.wh.lib.jar
`)
	sizes := map[string]int64{}
	for _, l := range img.Layers {
		for i := range l {
			switch name := string(l[i].Data); name {
			case "gofmt", "external", "audited", "hello", "noted":
				// The note is in a file that is too small to be looked at.
				l[i].Data = append(program(t, name), make([]byte, 2000*len(name))...)
				sizes[name] = int64(len(l[i].Data))
			case "jar":
				l[i].Data = zipOf(t, "a", "b")
				sizes[name] = int64(len(l[i].Data))
			}
		}
	}
	want := []string{
		fmt.Sprintf("cargo hello 0.3.1 at /app/rust: visible %d, wasted 0", sizes["audited"]),
		fmt.Sprintf("deb tools 1 at /var/lib/dpkg/status: visible %d, wasted 0", sizes["gofmt"]+sizes["noted"]),
		fmt.Sprintf("elf hello-note 1.2-3 at /app/noted2: visible %d, wasted 0", 2*sizes["noted"]),
		"go cmd/gofmt go1.26.8 at /usr/bin/gotool: visible 0, wasted 0",
		fmt.Sprintf("go example.com/hello/v2 (devel) at /app/same: visible %d, wasted 0", sizes["external"]),
		fmt.Sprintf("go example.com/hello/v2 (devel) at /app/server: visible %d, wasted 0", sizes["hello"]),
		fmt.Sprintf("java lib  at /app/lib.jar: visible 0, wasted %d", sizes["jar"]),
	}
	for _, c := range []imagetest.Compression{imagetest.None, imagetest.Gzip} {
		opt := analyzer.Options{Look: Lookers()}
		a, err := analyzer.Analyze(t.Context(), img.Image(c), opt)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Find(t.Context(), a, Options{})
		if err != nil {
			t.Fatal(err)
		}
		addUp(t, p, a)
		var got []string
		for _, x := range p.List {
			got = append(got, fmt.Sprintf("%s %s %s at %s: visible %d, wasted %d", x.Type, x.Name, x.Version, x.Database, x.VisibleBytes, x.WastedBytes))
		}
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" || len(p.Warnings) > 0 {
			t.Errorf("%v: %v (-want +got):\n%s", c, p.Warnings, d)
		}
		for c := range filetree.Content(a.Tree.Contents()) {
			if path := a.Tree.Path(a.Tree.Stored(c).Node); strings.HasPrefix(path, "/app/") && p.Of(c) < 0 {
				t.Errorf("%s belongs to no package", path)
			}
		}
	}
}
