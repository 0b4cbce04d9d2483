package advice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/packages"
)

// randomImage returns the text of an image with content that many rules look for, of
// which much is removed, replaced or linked.
func randomImage(rnd *rand.Rand) string {
	var b strings.Builder
	b.WriteString("archive a tar\n  file d/1 1000x1\n  file d/2 2000x2\n  file d/3 1100000x3\n")
	pick := func(s ...string) string { return s[rnd.IntN(len(s))] }
	dirs := []string{
		"", "srv/", "srv/d/", "d/", "app/node_modules/x/", "app/.git/objects/", "root/.cache/pip/", "root/.npm/_cacache/", "var/lib/apt/lists/",
		"var/cache/apt/", "var/log/", "usr/share/doc/x/", "usr/share/man/", "usr/include/", "usr/lib/debug/", "usr/lib/python3/__pycache__/", "etc/", "tmp/",
	}
	path := func() string {
		return pick(dirs...) + pick("1", "2", "3", "a", "b", "lastlog", "gcc", "x.a", "x.pyc", ".env", "x.log", "copyright")
	}
	var files strings.Builder // of packages
	for range 30 {
		files.WriteString("/" + path() + " ")
	}
	for range 1 + rnd.IntN(5) {
		fmt.Fprintf(&b, "layer %s\n", pick("RUN make", "RUN apt-get update && apt-get install -y gcc", "COPY . /srv", "RUN chown -R 1:1 /srv", "RUN npm install", "RUN rm -rf /srv"))
		for range rnd.IntN(12) {
			switch p := path(); rnd.IntN(12) {
			case 0:
				if at := strings.LastIndexByte(p, '/'); at >= 0 {
					fmt.Fprintf(&b, "  file %s/.wh.%s\n", p[:at], p[at+1:])
				}
			case 1:
				if at := strings.IndexByte(p, '/'); at >= 0 && rnd.IntN(2) == 0 {
					fmt.Fprintf(&b, "  file %s/.wh..wh..opq 10xo\n", p[:at])
				}
			case 2:
				fmt.Fprintf(&b, "  link %s -> %s\n", p, path())
			case 3:
				fmt.Fprintf(&b, "  file %s 1200000x\x00\n", p)
			case 4:
				fmt.Fprintf(&b, "  file %s %s elf=%d%s\n", p, pick("644", "755", "4755"), 60_000+rnd.IntN(2)*200_000, pick("", ",go"))
			case 5:
				fmt.Fprintf(&b, "  file %s archive=a\n", p)
			case 6:
				dir := pick(dirs...)
				fmt.Fprintf(&b, "  file %[1]sd/1 1000x1\n  file %[1]sd/2 2000x2\n  file %[1]sd/3 1100000x3\n", dir)
			case 7:
				fmt.Fprintf(&b, "  file %s sparse=2000000@0 %dxs\n", p, 1+rnd.IntN(100))
			case 8:
				b.WriteString(debs("gcc", files.String(), "curl", "/etc/a /srv/1"))
			default:
				fmt.Fprintf(&b, "  file %s %s %s %s\n", p, pick("644", "600"), pick("0:0", "1:1"), pick("1000x1", "2000x2", "1100000x3", "1100000x4", "70000x5", "0xx"))
			}
		}
	}
	return b.String()
}

type place struct {
	path  string
	layer int
}

// No byte counts twice, whatever the image: each content is in at most one finding,
// and the findings add up to what Find returns, which is at most what is stored.
func TestNothingCountsTwice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	rules := map[string]bool{}
	images := 80
	if testing.Short() { // with the race detector
		images = 20
	}
	for i := range images {
		text := randomImage(rnd)
		a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image([]imagetest.Compression{imagetest.None, imagetest.Zstd}[i%2]), analyzer.Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		pkgs, err := packages.Find(t.Context(), a, packages.Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all, sum, err := Find(t.Context(), a, Options{Packages: pkgs})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		total := int64(0)
		saves := map[place]int64{}
		for _, f := range all {
			rules[f.Rule] = true
			total += f.Bytes
			for _, p := range f.Places {
				saves[place{p.Path, p.Layer}] += p.Bytes
			}
		}
		stored, at := int64(0), map[place]int64{} // and at each path or below
		for c := range filetree.Content(a.Tree.Contents()) {
			s := a.Tree.Stored(c)
			stored += s.Bytes
			for n := s.Node; n != filetree.None; n = a.Tree.Parent(n) {
				at[place{a.Tree.Path(n), s.Layer}] += s.Bytes
			}
			if s.Lost != s.Node { // a finding may name the last link
				at[place{a.Tree.Path(s.Lost), s.Layer}] += s.Bytes
			}
		}
		for p, n := range saves {
			if n > at[p] {
				t.Errorf("%d bytes are saved at %s of layer %d, which stores %d:\n%s", n, p.path, p.layer, at[p], text)
			}
		}
		if total != sum || sum > stored || stored != a.Report.Totals.StoredBytes {
			t.Fatalf("the findings add up to %d, Find returns %d, and %d bytes are stored:\n%s", total, sum, stored, text)
		}
		// Reading a report checks that the places of each finding add up to it.
		a.Report.Findings, a.Report.Totals.FindingsBytes = all, sum
		saved, err := json.Marshal(a.Report)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := facts.Read(bytes.NewReader(saved)); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	for _, r := range []string{"archive-and-content", "removed-later", "duplicate-content", "unstripped"} {
		if !rules[r] {
			t.Errorf("no image has a finding of %s", r)
		}
	}
}
