package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/layer"
)

// testLayers are layers with every kind of entry, with none, with one file, and
// with several ends.
func testLayers(t *testing.T) [][]byte {
	one := tarOf(t, regular("one", []byte("1")))
	return [][]byte{
		tarOf(t, oddMembers()...),
		tarOf(t),
		append(bytes.Clone(one), make([]byte, 10240-len(one)%10240)...),
		one[:len(one)-1024], // no end marker
		append(bytes.Clone(one), make([]byte, 3<<20)...),
		tarOf(t, regular("etc/a", []byte("other"))),
	}
}

// TestDocker reads layers from a storage, and compares them with the tars that
// it was made from.
func TestDocker(t *testing.T) {
	d, layers := newDocker(t), testLayers(t)
	id := d.add(t, then, map[string]string{"app:latest": "app"}, layers...)
	img, err := Docker(d.dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if img.ID.Hex != id || len(img.Layers) != len(layers) || img.Driver != "overlay2" {
		t.Errorf("got image %s, %d layers of %s", img.ID, len(img.Layers), img.Driver)
	}
	if diff := cmp.Diff([]string{"docker.io/library/app:latest"}, img.Tags); diff != "" {
		t.Error(diff)
	}
	for i, l := range img.Layers {
		compareLayer(t, l, layers[i])
	}
	if err := img.Check(); err != nil {
		t.Error(err)
	}
}

// compareLayer compares a layer of a storage with its tar.
func compareLayer(t *testing.T, l Layer, want []byte) {
	t.Helper()
	var read atomic.Int64
	opt := layer.Options{DiffID: hashOf(want)}
	wantDiff, err := layer.Read(t.Context(), layer.Blob{At: bytes.NewReader(want), Size: int64(len(want)), Window: headerWindow}, opt)
	if err != nil {
		t.Fatal(err)
	}
	opt.Read = &read
	diff, err := layer.Read(t.Context(), l.Blob, opt)
	if err != nil {
		t.Fatal(err)
	}
	sameDiff(t, diff, wantDiff)
	if d := cmp.Diff(wantDiff.Warnings, diff.Warnings); d != "" {
		t.Error(d)
	}
	if read.Load() != int64(len(want)) {
		t.Errorf("%d bytes were counted, want %d", read.Load(), len(want))
	}
	got, err := io.ReadAll(io.NewSectionReader(l.Blob.At, 0, 1<<60))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes, %v; want %d", len(got), err, len(want))
	}
	opt.Verify = true
	if _, err := layer.Read(t.Context(), l.Blob, opt); err != nil {
		t.Errorf("with all verified: %v", err)
	}
	for i := range diff.Len() {
		e := diff.At(i)
		if e.Kind != layer.File {
			continue
		}
		r, err := layer.Content(t.Context(), l.Blob, e)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(content, want[e.Offset:e.Offset+e.Size]) {
			t.Errorf("%s has %d bytes, %v; want %d", e.Path, len(content), err, e.Size)
		}
		r.Close()
	}
}

// TestReadAt reads at any offset, from several goroutines, with and without an
// index.
func TestReadAt(t *testing.T) {
	var members []member
	for range 40 {
		members = append(members, regular(strings.Repeat("x", len(members)+1), large[:len(members)*700]))
	}
	want := tarOf(t, members...)
	d := newDocker(t)
	d.add(t, then, map[string]string{"app:latest": "app"}, want)
	img, err := Docker(d.dir, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	at := img.Layers[0].Blob.At
	for range 2 {
		var readers sync.WaitGroup
		for seed := range uint64(4) {
			readers.Go(func() {
				random := rand.New(rand.NewPCG(seed, 1))
				for range 300 {
					off := random.IntN(len(want))
					p := make([]byte, random.IntN(5000))
					n, err := at.ReadAt(p, int64(off))
					wantN := min(len(p), len(want)-off)
					if n != wantN || !bytes.Equal(p[:n], want[off:off+n]) || (err == io.EOF) != (n < len(p)) {
						t.Errorf("%d bytes at %d: got %d, %v; want %d", len(p), off, n, err, wantN)
						return
					}
				}
			})
		}
		readers.Wait()
		if n := img.Layers[0].tar.Length(); n != int64(len(want)) { // now there is one
			t.Errorf("the length is %d, want %d", n, len(want))
		}
	}
	tar := img.Layers[0].tar
	if len(tar.cursors) > maxCursors || len(tar.open) > maxOpenFiles {
		t.Errorf("%d cursors and %d files are open", len(tar.cursors), len(tar.open))
	}
	if err := img.Close(); err != nil {
		t.Error(err)
	}
	if _, err := at.ReadAt(make([]byte, 700), 700); err == nil {
		t.Error("content of a closed image was read")
	}
}

// TestIndex adds names that share much, little, and nothing with the one before.
func TestIndex(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("usr/share/%d/a", i/7), fmt.Sprintf("usr/share/%d/a/%d", i/7, i), fmt.Sprintf("%d", i%10))
	}
	names = append(names, "a/b", "a/usr", "usr", "usr/a", "", strings.Repeat("n", 70_000), strings.Repeat("n", 70_001))
	x := new(index)
	for i, n := range names {
		if err := x.add(int64(i)*10, &record{file: true, name: []byte(n), size: 5}); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range names {
		if got := string(x.name([]byte("before "), i)); got != "before "+n {
			t.Errorf("name %d is %q, want %q", i, got, n)
		}
		for off, want := range map[int64]int{0: i, 4: i, 5: -1, 9: -1} {
			if got := x.find(int64(i)*10 + off); got != want {
				t.Errorf("byte %d is of file %d, want %d", int64(i)*10+off, got, want)
			}
		}
	}
	if len(x.names) > 140_000+len(names)*12 {
		t.Errorf("the names take %d bytes", len(x.names))
	}
}

// TestDockerNames finds images by every form of name that the daemon takes.
func TestDockerNames(t *testing.T) {
	d := newDocker(t)
	digest := "@sha256:" + strings.Repeat("ab", 32)
	one := d.add(t, then, map[string]string{"app:latest": "app", "app:1": "app", "app" + digest: "app"}, tarOf(t, regular("one", nil)))
	two := d.add(t, then.Add(time.Hour), map[string]string{
		"localhost:5000/app:latest": "localhost:5000/app", "org/app:2": "org/app", one[:6] + ":latest": one[:6],
	}, tarOf(t, regular("two", nil)))
	three := d.add(t, then.Add(-time.Hour), nil, tarOf(t, regular("three", nil)))
	for _, tt := range []struct{ name, want string }{
		{"app", one},
		{"app:1", one},
		{"app:2", ""},
		{"library/app", one},
		{"docker.io/app:1", one},
		{"index.docker.io/library/app", one},
		{"app" + digest, one},
		{"app:gone" + digest, one},
		{"app@sha256:" + strings.Repeat("cd", 32), ""},
		{"localhost:5000/app", two},
		{"org/app", ""},
		{"org/app:2", two},
		{one, one},
		{"sha256:" + one, one},
		{one[:12], one},
		{one[:6], two}, // a name takes precedence
		{three, three},
		{"sha256:" + three[:9], three},
		{strings.Repeat("0", 64), ""},
		{"none", ""},
		{"", ""},
		{"../../etc/passwd", ""},
	} {
		img, err := Docker(d.dir, tt.name)
		if tt.want == "" {
			var n *NotFoundError
			if !errors.As(err, &n) {
				t.Errorf("%q: got %v, %v; want that there is none", tt.name, img, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.name, err)
			continue
		}
		if img.ID.Hex != tt.want {
			t.Errorf("%q is %s, want %s", tt.name, img.ID, tt.want)
		}
		img.Close()
	}
	list, err := DockerImages(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	sha := func(hex string) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex} }
	want := []Summary{
		{ID: sha(two), Created: then.Add(time.Hour), Size: 1000, Tags: []string{
			"docker.io/library/" + one[:6] + ":latest", "docker.io/org/app:2", "localhost:5000/app:latest"}},
		{ID: sha(one), Created: then, Size: 1000, Tags: []string{"docker.io/library/app:1", "docker.io/library/app:latest"}},
		{ID: sha(three), Created: then.Add(-time.Hour), Size: 1000},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	write(t, d.image("imagedb", "metadata", "sha256", one, "parent"), []byte("sha256:"+three))
	if list, err := DockerImages(d.dir); err != nil || len(list) != 2 {
		t.Errorf("got %v, %v; want two, without a step of another", list, err)
	}
}

// TestAmbiguous has two images whose IDs share a prefix.
func TestAmbiguous(t *testing.T) {
	d := newDocker(t)
	first := map[byte]bool{}
	for i := int64(0); len(first) == int(i); i++ { // until a digit comes twice
		first[d.add(t, time.Unix(i, 0), nil, tarOf(t))[0]] = true
	}
	count := map[byte]int{}
	list, err := DockerImages(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		count[s.ID.Hex[0]]++
	}
	for digit, n := range count {
		img, err := Docker(d.dir, string(digit))
		var a *AmbiguousError
		if n > 1 {
			if !errors.As(err, &a) || len(a.IDs) != n {
				t.Errorf("%c: got %v, want that %d begin so", digit, err, n)
			}
		} else if err != nil {
			t.Errorf("%c: %v", digit, err)
		} else {
			img.Close()
		}
	}
}

// TestDockerDrivers puts the files of a layer where other graph drivers keep them.
func TestDockerDrivers(t *testing.T) {
	one := tarOf(t, regular("etc/a", []byte("1")))
	for driver, folder := range map[string]string{
		"vfs": "vfs/dir/cachea", "btrfs": "btrfs/subvolumes/cachea", "fuse-overlayfs": "fuse-overlayfs/cachea/diff",
	} {
		d := newDocker(t)
		d.driver = driver
		d.add(t, then, map[string]string{"app:latest": "app"}, one)
		if from, to := layerFolder(d, 0), filepath.Join(d.dir, filepath.FromSlash(folder)); from != to {
			write(t, filepath.Join(to, "of the layer below"), nil)
			if err := os.Rename(filepath.Join(from, "etc"), filepath.Join(to, "etc")); err != nil {
				t.Fatal(err)
			}
		}
		img, err := Docker(d.dir, "app")
		if err != nil {
			t.Errorf("%s: %v", driver, err)
			continue
		}
		compareLayer(t, img.Layers[0], one)
		img.Close()
	}
	d := newDocker(t)
	d.driver = "devicemapper"
	d.add(t, then, map[string]string{"app:latest": "app"}, one)
	_, err := Docker(d.dir, "app")
	var i *IncompleteError
	if !errors.As(err, &i) || !strings.Contains(err.Error(), `the graph driver "devicemapper"`) {
		t.Errorf("got %v, want that devicemapper can't be read", err)
	}
	if _, err := Docker(filepath.Join(d.dir, "none"), "app"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such folder", err)
	}
}

// TestContent finds a manifest in a content store.
func TestContent(t *testing.T) {
	manifest := []byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)
	digest := hashOf(manifest)
	for _, store := range contentStores {
		root := t.TempDir()
		dir := filepath.Join(root, filepath.FromSlash(store))
		blob := filepath.Join(dir, "blobs", "sha256", digest.Hex)
		write(t, blob, manifest)
		got, index, err := Content(root, digest)
		want := `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + digest.String() + `","size":58}]}`
		if err != nil || got != dir || string(index) != want {
			t.Errorf("%q: got %s, %s, %v; want %s", store, got, index, err, want)
		}
		var n *NotFoundError
		if _, _, err := Content(root, hashOf(nil)); !errors.As(err, &n) {
			t.Errorf("got %v, want that there is no such blob", err)
		}
		write(t, blob, []byte(`{}`))
		var i *IncompleteError
		if _, _, err := Content(root, digest); !errors.As(err, &i) {
			t.Errorf("got %v, want that the blob is damaged", err)
		}
	}
	if _, _, err := Content(t.TempDir(), v1.Hash{Algorithm: "sha256", Hex: "../../x"}); err == nil {
		t.Error("a digest that is a path was looked up")
	}
}
