package main

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// TestEnginePackages compares the packages of a real image with what dpkg says in a
// container: the bytes of each package, file by file, each file counted once.
func TestEnginePackages(t *testing.T) {
	e := openEngine(t, "docker")
	e.build(t, "npm")
	var out bytes.Buffer
	e.pipe(t, nil, &out, "run", "--rm", "--user", "0", "--network", "none", "npm", "sh", "-c",
		`dpkg-query -W -f '${Package} ${Architecture} ${Version} ${binary:Package}\n' | LC_ALL=C sort | while read -r name arch version full; do
			echo "= $name $arch $version"; dpkg -L "$full" | tr '\n' '\0' | xargs -0 stat -c '%F:%d:%i %s' 2>/dev/null
		done; find / -xdev -name package.json -path '*/node_modules/*'`)
	type figures struct {
		version string
		bytes   int64
	}
	want, modules := map[string]figures{}, map[string]bool{}
	seen, at := map[string]bool{}, ""
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "= "):
			at = words[1] + " " + words[2]
			want[at] = figures{version: words[3]}
		case strings.HasPrefix(line, "/"):
			if folder := path.Dir(line); path.Base(path.Dir(folder)) == "node_modules" || strings.HasPrefix(path.Base(path.Dir(folder)), "@") && path.Base(path.Dir(path.Dir(folder))) == "node_modules" {
				modules[line] = true
			}
		case strings.HasPrefix(line, "regular ") && !seen[line]:
			seen[line] = true
			var size int64
			if _, err := fmt.Sscan(words[len(words)-1], &size); err != nil {
				t.Fatal(err)
			}
			f := want[at]
			f.bytes += size
			want[at] = f
		}
	}
	r := measure(t, e.file(t, t.TempDir(), "npm.tar", "save", "npm"))
	got, found := map[string]figures{}, map[string]bool{}
	sum := r.Unowned.VisibleBytes
	for _, p := range r.Packages {
		sum += p.VisibleBytes
		switch {
		case p.Type == facts.TypeDeb && p.RemovedBy < 0:
			got[p.Name+" "+p.Arch] = figures{p.Version, p.VisibleBytes}
		case p.Type == facts.TypeNPM && p.RemovedBy < 0:
			found[p.Database] = true
		}
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %v, dpkg says %v", name, got[name], want[name])
		}
	}
	for name := range modules {
		if !found[name] {
			t.Errorf("%s is not found", name)
		}
	}
	if len(got) != len(want) || len(found) != len(modules) || len(want) < 80 || len(modules) < 10 {
		t.Errorf("got %d debs, dpkg says %d; got %d npm packages, the image has %d", len(got), len(want), len(found), len(modules))
	}
	if sum != r.Totals.VisibleBytes {
		t.Errorf("packages and unowned have %d visible bytes, the image %d", sum, r.Totals.VisibleBytes)
	}
	t.Logf("%d debs and %d npm packages as dpkg and find show them", len(want), len(modules))
}
