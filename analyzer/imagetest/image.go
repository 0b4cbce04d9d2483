// Package imagetest makes container images out of text, for tests: every case
// is a file in testdata/images that says what its layers hold and what must
// come out of it. testdata/README.md describes the form.
package imagetest

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Image is one image as text describes it, and what analysing it must give.
type Image struct {
	Name string
	From string // where the case was taken from
	Note string // where engines differ

	Platform  v1.Platform // linux/amd64 unless stated
	Tags      []string
	Created   time.Time
	Config    v1.Config
	History   []v1.History // every step; as many non-empty ones as layers
	NoHistory bool         // the config has none

	Layers [][]Entry // bottom first, entries in the order of the tar

	Tree   []Entry             // the merged tree; names have no leading slash
	Status []map[string]Status // per layer what it touched, by path
	Wasted int64
	Total  int64
	// Waste is every wasted content, as far as the case lists it: nil when it
	// doesn't.
	Waste []Waste
	// Warnings are words that the warnings must contain, one each.
	Warnings []string
}

// Entry is one member of a layer's tar, or one path of the merged tree.
type Entry struct {
	Kind string // dir, file, link, symlink, char, block, fifo
	Name string // as it stands in the tar
	Mode int64
	UID  int64
	GID  int64
	Data []byte // what the layer stores of a file
	Link string
	// Major and Minor are of a char or block.
	Major, Minor int64
	MTime        int64
	Xattrs       map[string]string
	// Sparse is the length that a sparse file claims, 0 for any other; its
	// Data lies at SparseAt and the rest is a hole.
	Sparse, SparseAt int64
	GNU              bool   // long names as GNU tar writes them, not as PAX records
	Flag             byte   // the type flag, where it isn't the kind's own
	Same             string // in a tree: another name of the same content
}

// Size is how long a file is for whoever reads it.
func (e *Entry) Size() int64 {
	if e.Sparse > 0 {
		return e.Sparse
	}
	return int64(len(e.Data))
}

// Content is what a file reads as. It is for small files: holes become bytes.
func (e *Entry) Content() []byte {
	if e.Sparse == 0 {
		return e.Data
	}
	b := make([]byte, e.Sparse)
	copy(b[e.SparseAt:], e.Data)
	return b
}

// Status is what a layer did to a path: "A" added, "M" modified, "R" removed,
// "=l" listed again unchanged, "=d" the same file stored again; with a "t"
// behind it when the time moved.
type Status string

// Waste is one piece of content that must be found wasted.
type Waste struct {
	Path     string // without leading slash
	Bytes    int64
	Cause    string
	StoredIn int
	HiddenBy int
}

// MTime is the time of every entry that states none: 14 November 2023.
const MTime = 1700000000

// Dir is testdata/images of the project that the test runs in.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", "images")
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// Load reads testdata/images/NAME.txt.
func Load(t testing.TB, name string) *Image {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(t), name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(data)
	if err != nil {
		t.Fatalf("parsing %s.txt: %v", name, err)
	}
	img.Name = name
	return img
}

// Names lists the images of testdata/images, sorted. That there are none is a
// failure.
func Names(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(Dir(t), "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no images in %s: %v", Dir(t), err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".txt"))
	}
	sort.Strings(names)
	return names
}

// Must parses an image that stands in a test's own source.
func Must(t testing.TB, text string) *Image {
	t.Helper()
	img, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("parsing an image: %v", err)
	}
	img.Name = "test"
	return img
}

// Absolute is the image with every name of its layers beginning at "/" and no
// directory ending in one, as nix writes them.
func (img *Image) Absolute() *Image {
	c := *img
	c.Layers = make([][]Entry, len(img.Layers))
	for i, l := range img.Layers {
		c.Layers[i] = append([]Entry(nil), l...)
		for k := range c.Layers[i] {
			e := &c.Layers[i][k]
			e.Name = "/" + strings.Trim(strings.TrimPrefix(e.Name, "./"), "/")
		}
	}
	return &c
}
