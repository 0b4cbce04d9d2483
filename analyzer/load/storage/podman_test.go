package storage

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// podmanRoot is a graph root of podman that a test fills.
type podmanRoot struct {
	dir    string
	images []podmanImage
	layers []podmanLayer
}

// add adds an image of those layers and returns the ID of the top one. pack
// compresses the records.
func (p *podmanRoot) add(t *testing.T, created time.Time, pack func(testing.TB, []byte) []byte, names []string, layers ...[]byte) string {
	t.Helper()
	config := configOf(t, created, layers...)
	id, parent := hexOf(config), ""
	for i, l := range layers {
		lid := chainOf(layers)[i]
		if p.dir != "" {
			extract(t, filepath.Join(p.dir, "overlay", lid, "diff"), l)
			write(t, filepath.Join(p.dir, "overlay-layers", lid+".tar-split.gz"), pack(t, split(t, l)))
		}
		p.layers = append(p.layers, podmanLayer{ID: lid, Parent: parent, DiffID: "sha256:" + hexOf(l), DiffSize: int64(len(l))})
		parent = lid
	}
	manifest := []byte(`{"config":{"digest":"sha256:` + id + `"}}`)
	key := "=" + base64.StdEncoding.EncodeToString([]byte("sha256:"+id))
	write(t, filepath.Join(p.dir, "overlay-images", id, key), config)
	write(t, filepath.Join(p.dir, "overlay-images", id, "manifest"), manifest)
	p.images = append(p.images, podmanImage{
		ID: id, Digest: hashOf(manifest).String(), Names: names, Layer: parent, Created: created, Data: []string{"sha256:" + id, "manifest"},
	})
	p.save(t)
	return id
}

func (p *podmanRoot) save(t *testing.T) {
	t.Helper()
	write(t, filepath.Join(p.dir, "overlay-images", "images.json"), marshal(t, p.images))
	write(t, filepath.Join(p.dir, "overlay-layers", "layers.json"), marshal(t, p.layers))
}

// TestPodman reads layers from podman's storage: with records compressed in
// either way, and with the lower layers in an additional store.
func TestPodman(t *testing.T) {
	layers := testLayers(t)
	for name, pack := range map[string]func(testing.TB, []byte) []byte{"gzip": gzipped, "zstd": zstded} {
		t.Run(name, func(t *testing.T) {
			p := podmanRoot{dir: t.TempDir()}
			id := p.add(t, then, pack, []string{"localhost/app:latest"}, layers...)
			img, err := Podman(PodmanOptions{Root: p.dir}, "app")
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			if img.ID.Hex != id || len(img.Layers) != len(layers) || img.Driver != "overlay" || img.Digest.String() != p.images[0].Digest {
				t.Errorf("got image %s, %d layers of %s, manifest %s", img.ID, len(img.Layers), img.Driver, img.Digest)
			}
			for i, l := range img.Layers {
				compareLayer(t, l, layers[i])
			}
			if err := img.Check(); err != nil {
				t.Error(err)
			}
			if err := os.RemoveAll(filepath.Join(p.dir, "overlay-images", id)); err != nil {
				t.Fatal(err)
			}
			var damage *Error
			if err := img.Check(); !errors.As(err, &damage) {
				t.Errorf("got %v, want that the image was removed", err)
			}
		})
	}
}

func TestPodmanNames(t *testing.T) {
	p := podmanRoot{dir: t.TempDir()}
	one := p.add(t, then, gzipped, []string{"localhost/app:latest", "docker.io/library/nginx:1"}, tarOf(t, regular("one", nil)))
	two := p.add(t, then.Add(time.Hour), gzipped, []string{"docker.io/library/app:latest", "quay.io/org/tool:2"}, tarOf(t, regular("two", nil)))
	three := p.add(t, then.Add(2*time.Hour), gzipped, nil, tarOf(t, regular("one", nil)), tarOf(t, regular("three", nil)))
	// An intermediate image of three, and an index.
	p.images = append(p.images, podmanImage{ID: strings.Repeat("0", 64), Layer: p.images[0].Layer, Data: []string{"sha256:" + strings.Repeat("0", 64)}},
		podmanImage{ID: strings.Repeat("1", 64), Names: []string{"localhost/list:latest"}, Data: []string{"manifest"}})
	p.save(t)
	for _, tt := range []struct{ name, want string }{
		{"app", one},
		{"localhost/app", one},
		{"docker.io/app", two},
		{"docker.io/library/app:latest", two},
		{"nginx:1", one},
		{"nginx", ""},
		{"tool:2", two},
		{"org/tool:2", two},
		{"quay.io/org/tool:2", two},
		{"rg/tool:2", ""},
		{"quay.io/org/tool@" + p.images[1].Digest, two},
		{"quay.io/org/tool@" + p.images[0].Digest, ""},
		{three, three},
		{"sha256:" + three, three},
		{three[:12], three},
		{strings.Repeat("2", 64), ""},
		{"", ""},
	} {
		img, err := Podman(PodmanOptions{Root: p.dir}, tt.name)
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
	var i *IncompleteError
	if _, err := Podman(PodmanOptions{Root: p.dir}, "list"); !errors.As(err, &i) {
		t.Errorf("got %v, want that a list has no config", err)
	}
	list, err := PodmanImages(PodmanOptions{Root: p.dir})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range list {
		got = append(got, s.ID.Hex)
	}
	if diff := cmp.Diff([]string{three, two, one}, got); diff != "" {
		t.Error(diff)
	}
	if list[0].Size != 2*1536 || list[2].Tags[0] != "docker.io/library/nginx:1" {
		t.Errorf("got %+v", list)
	}
}

// TestPodmanConf finds the storage with storage.conf.
func TestPodmanConf(t *testing.T) {
	home := t.TempDir()
	below := tarOf(t, regular("below", nil))
	p := podmanRoot{dir: filepath.Join(home, "mine")}
	shared := podmanRoot{dir: filepath.Join(home, "shared")}
	common := shared.add(t, then, gzipped, []string{"localhost/common:latest"}, below)
	p.add(t, then, gzipped, []string{"localhost/mine:latest"}, below, tarOf(t, regular("above", nil)))
	p.layers = p.layers[1:] // the bottom one is in the additional store only
	p.save(t)
	env := map[string]string{"HOME": home, "USER": "somebody"}
	o := PodmanOptions{Env: func(k string) string { return env[k] }, UID: 1000}
	write(t, filepath.Join(home, ".config/containers/storage.conf"), []byte(`
[storage]
driver = "overlay" # a comment
graphroot = "$HOME/mine"
[storage.options]
additionalimagestores = [
  "`+shared.dir+`",
  "/none/at/all",
]
`))
	img, err := Podman(o, "mine")
	if err != nil {
		t.Fatal(err)
	}
	compareLayer(t, img.Layers[0], below)
	img.Close()
	env["_CONTAINERS_ROOTLESS_UID"] = "1000"
	unshared := PodmanOptions{Env: o.Env} // under "podman unshare" the UID is 0
	if img, err = Podman(unshared, "mine"); err != nil {
		t.Fatal(err)
	}
	img.Close()
	delete(env, "_CONTAINERS_ROOTLESS_UID")
	if img, err = Podman(o, "common"); err != nil || img.ID.Hex != common {
		t.Fatalf("got %v, %v; want the further store's", img, err)
	}
	img.Close()

	// Without a storage.conf of the user it is below the home folder.
	if err := os.RemoveAll(filepath.Join(home, ".config")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(home, ".local/share/containers"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(shared.dir, filepath.Join(home, ".local/share/containers/storage")); err != nil {
		t.Fatal(err)
	}
	if img, err = Podman(o, "common"); err != nil {
		t.Fatal(err)
	}
	img.Close()
	env["XDG_DATA_HOME"] = home
	if _, err := Podman(o, "common"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such folder", err)
	}
	env["CONTAINERS_STORAGE_CONF"] = filepath.Join(home, "storage.conf")
	write(t, env["CONTAINERS_STORAGE_CONF"], []byte("[storage]\ngraphroot = \"$HOME/mine\"\n"))
	var i *IncompleteError
	if _, err := Podman(o, "mine"); !errors.As(err, &i) || !strings.Contains(err.Error(), "is not in the storage") {
		t.Errorf("got %v, want that a layer is in no store", err)
	}
	env["STORAGE_DRIVER"] = "zfs"
	if _, err := Podman(o, "mine"); !errors.As(err, &i) || !strings.Contains(err.Error(), `the graph driver "zfs"`) {
		t.Errorf("got %v, want that zfs can't be read", err)
	}
	write(t, env["CONTAINERS_STORAGE_CONF"], []byte("[storage"))
	if _, err := Podman(o, "mine"); !errors.As(err, &i) {
		t.Errorf("got %v, want that the file can't be read", err)
	}
}

// TestPodmanIncomplete opens images of which something is missing.
func TestPodmanIncomplete(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(p *podmanRoot)
		want string
	}{
		{"pulled in part", func(p *podmanRoot) { p.layers[0].Flags = map[string]any{"incomplete": true} }, "was only pulled in part"},
		{"without a diff ID", func(p *podmanRoot) { p.layers[0].DiffID = "" }, "the config says"},
		{"a path for an ID", func(p *podmanRoot) { p.layers[0].ID, p.images[0].Layer = "../../x", "../../x" }, `layer 0 is called "../../x"`},
		{"its own parent", func(p *podmanRoot) { p.layers[0].Parent = p.layers[0].ID }, "more than"},
		{"too few layers", func(p *podmanRoot) { p.images[0].Layer = "" }, "has 0 layers of the image, the config 1"},
		{"no tar-split", func(p *podmanRoot) {
			os.Remove(filepath.Join(p.dir, "overlay-layers", p.layers[0].ID+".tar-split.gz"))
		}, "layer 0 has no tar-split"},
		{"an ID that is a path", func(p *podmanRoot) { p.images[0].ID = "../../x" }, "no image"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := podmanRoot{dir: t.TempDir()}
			p.add(t, then, gzipped, []string{"localhost/app:latest"}, tarOf(t, regular("one", nil)))
			tt.make(&p)
			p.save(t)
			img, err := Podman(PodmanOptions{Root: p.dir}, "app")
			if err == nil {
				img.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
