// Package imagetest makes container images from text, for tests. Every image is a
// file in testdata/images that lists the entries of its layers and the expected
// result of analyzing it. testdata/README.md describes the format.
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

// Image is an image described by text, with the expected result of analyzing it.
type Image struct {
	Name string
	From string // the origin of the case
	Note string // how engines differ

	Platform  v1.Platform // linux/amd64 by default
	Tags      []string
	Created   time.Time
	Config    v1.Config
	History   []v1.History // every step; one step per layer is not empty
	NoHistory bool         // the config has no history

	Layers [][]Entry // bottom first, entries in the order of the tar

	Tree   []Entry             // the merged tree; names have no leading slash
	Status []map[string]Status // for each layer, the paths it touched
	Wasted int64
	Total  int64
	// Waste is all wasted content, nil if the case does not list it.
	Waste []Waste
	// Warnings has a substring of each expected warning.
	Warnings []string
}

// Entry is one member of a layer's tar, or one path of the merged tree.
type Entry struct {
	Kind string // dir, file, link, symlink, char, block, fifo
	Name string // as written in the tar
	Mode int64
	UID  int64
	GID  int64
	Data []byte // the bytes of a file that the layer stores
	Link string
	// Major and Minor are for char and block.
	Major, Minor int64
	MTime        int64
	Xattrs       map[string]string
	// Sparse is the length of a sparse file, 0 for any other. Its Data begins at
	// SparseAt; the rest is a hole.
	Sparse, SparseAt int64
	GNU              bool   // write long names like GNU tar, not as PAX records
	Flag             byte   // the type flag, if it is not that of Kind
	Same             string // in a tree: another name of the same content
	Archive          string // the name of the archive that Data is
}

// Size returns the length of a file, holes included.
func (e *Entry) Size() int64 {
	if e.Sparse > 0 {
		return e.Sparse
	}
	return int64(len(e.Data))
}

// Content returns the content of a file, with holes as zeros. It is meant for small
// files.
func (e *Entry) Content() []byte {
	if e.Sparse == 0 {
		return e.Data
	}
	b := make([]byte, e.Sparse)
	copy(b[e.SparseAt:], e.Data)
	return b
}

// Status says what a layer did to a path: "A" added, "M" modified, "R" removed,
// "=l" listed again unchanged, "=d" the same file stored again. A "t" is appended
// if the modification time changed.
type Status string

// Waste is content that the analysis must report as wasted.
type Waste struct {
	Path     string // without leading slash
	Bytes    int64
	Cause    string
	StoredIn int
	HiddenBy int
}

// MTime is the default time of an entry: 14 November 2023.
const MTime = 1700000000

// Dir returns the path of the testdata/images directory of the module that the test
// runs in.
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

// Names returns the names of the images in testdata/images, sorted. The test fails
// if there are none.
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

// Some returns the names of all images or, with -short, of every fourth one: the race
// detector needs no image for each shape.
func Some(t testing.TB) []string {
	names := Names(t)
	if !testing.Short() {
		return names
	}
	var out []string
	for i := 0; i < len(names); i += 4 {
		out = append(out, names[i])
	}
	return out
}

// Must parses an image from text in the test's source.
func Must(t testing.TB, text string) *Image {
	t.Helper()
	img, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("parsing an image: %v", err)
	}
	img.Name = "test"
	return img
}

// Absolute returns the image with all names in its layers absolute and without a
// trailing slash, as nix writes them.
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
