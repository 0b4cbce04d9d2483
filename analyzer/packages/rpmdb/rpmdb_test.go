package rpmdb

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// databases are the databases in testdata, which all have the same packages.
var databases = []string{"sqlite", "ndb", "bdb", "bdb-bigendian"}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(data []byte) ([]Package, error) {
	return Read(bytes.NewReader(data), int64(len(data)))
}

// format returns packages as lines, sorted.
func format(packages []Package) []string {
	var out []string
	for _, p := range packages {
		text := fmt.Sprintf("package %s %s %s\n", p.Name, p.EVR(), p.Arch)
		var files []string
		for i, dir := range p.Dirs {
			for _, name := range p.Names[i] {
				files = append(files, dir+name+"\n")
			}
		}
		slices.Sort(files)
		out = append(out, text+strings.Join(files, ""))
	}
	slices.Sort(out)
	return out
}

// installed returns what rpm said about the packages (testdata/make.sh), in the form
// of format: without the files that belong to another package.
func installed(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	var text string
	var files []string
	add := func() {
		slices.Sort(files)
		out = append(out, text+strings.Join(files, ""))
		files = nil
	}
	for line := range strings.Lines(string(data)) {
		switch state, path, _ := strings.Cut(line, " "); {
		case state == "package":
			if text != "" {
				add()
			}
			text = line
		case state == "normal":
			files = append(files, strings.TrimLeft(path, " "))
		case state != "replaced" && line != "(contains no files)\n" && !strings.HasPrefix(line, "wrong color"):
			t.Fatalf("unknown line %q", line)
		}
	}
	add()
	slices.Sort(out)
	return out
}

func TestRead(t *testing.T) {
	want := installed(t)
	for _, name := range databases {
		packages, err := read(testdata(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, format(packages)); diff != "" {
			t.Errorf("%s: packages (-rpm +got):\n%s", name, diff)
		}
	}
}

func TestLocal(t *testing.T) {
	db := sqlite{usable: 4096}
	for size, want := range map[int]int{ // as SQLite's own table dbstat says
		4060: 4060, 4061: 4061, 4062: 489, 4580: 489, 4581: 489, 5000: 908, 8153: 4061, 8154: 489, 59664: 2376,
	} {
		if got := db.local(size); got != want {
			t.Errorf("a row of %d bytes has %d in its page, want %d", size, got, want)
		}
	}
}
