package storage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// store is a graph root of podman, for one graph driver.
type store struct{ root, driver string }

// podmanImage and podmanLayer are the elements of podman's images.json and
// layers.json.
type podmanImage struct {
	ID      string           `json:"id"`
	Digest  string           `json:"digest"`
	Names   []string         `json:"names"`
	Layer   string           `json:"layer"`
	Created time.Time        `json:"created"`
	Data    []string         `json:"big-data-names"`
	Sizes   map[string]int64 `json:"big-data-sizes"`
}

type podmanLayer struct {
	ID       string         `json:"id"`
	Parent   string         `json:"parent"`
	DiffID   string         `json:"diff-digest"`
	DiffSize int64          `json:"diff-size"`
	Flags    map[string]any `json:"flags"`
}

func (s store) images() ([]podmanImage, error) {
	return documents[podmanImage](filepath.Join(s.root, s.driver+"-images", "images.json"))
}

func (s store) layers() ([]podmanLayer, error) {
	return documents[podmanLayer](filepath.Join(s.root, s.driver+"-layers", "layers.json"))
}

// documents reads a list that podman keeps; a missing file is an empty list.
func documents[T any](file string) ([]T, error) {
	raw, err := read(file, maxLists)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, denied(err)
	}
	var list []T
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, &IncompleteError{"reading " + file, err}
	}
	return list, nil
}

// maxLists is the limit for the list of all layers, in bytes.
const maxLists = 256 << 20

// folder returns the folder with the files of a layer.
func (s store) folder(id string) string {
	switch s.driver {
	case "vfs":
		return filepath.Join(s.root, "vfs", "dir", id)
	case "btrfs":
		return filepath.Join(s.root, "btrfs", "subvolumes", id)
	}
	return filepath.Join(s.root, s.driver, id, "diff")
}

// Podman opens an image in the storage that podman shares with buildah and
// cri-o. Like podman it takes a name with or without host, tag or digest, an
// ID, or a prefix of one. The error is a *NotFoundError, *AmbiguousError,
// *DeniedError or *IncompleteError.
func Podman(opt PodmanOptions, name string) (*Image, error) {
	stores, err := opt.stores()
	if err != nil {
		return nil, fmt.Errorf("reading podman's storage: %w", err)
	}
	img, err := openPodman(stores, name)
	if err != nil {
		return nil, fmt.Errorf("reading podman's storage: %w", err)
	}
	return img, nil
}

// PodmanImages lists the images in podman's storage, the latest first, without
// the intermediate images of a build.
func PodmanImages(opt PodmanOptions) ([]Summary, error) {
	stores, err := opt.stores()
	if err != nil {
		return nil, fmt.Errorf("reading podman's storage: %w", err)
	}
	layers, err := allLayers(stores)
	if err != nil {
		return nil, fmt.Errorf("reading podman's storage: %w", err)
	}
	var images []podmanImage
	seen := map[string]bool{}
	for _, s := range stores {
		some, err := s.images()
		if err != nil {
			return nil, fmt.Errorf("reading podman's storage: %w", err)
		}
		for _, i := range some {
			if isHex(i.ID, 64) && !seen[i.ID] && i.config() != "" {
				seen[i.ID] = true
				images = append(images, i)
			}
		}
	}
	var list []Summary
	latest := map[string]time.Time{} // when the latest image with a layer was created
	for _, i := range images {
		sum := Summary{ID: v1.Hash{Algorithm: "sha256", Hex: i.ID}, Tags: i.tags(), Created: i.Created}
		chain, _ := ancestry(layers, i.Layer)
		for _, l := range chain {
			sum.Size += max(l.DiffSize, 0)
			if latest[l.ID].Before(i.Created) {
				latest[l.ID] = i.Created
			}
		}
		list = append(list, sum)
	}
	for n := len(list) - 1; n >= 0; n-- {
		if s := list[n]; len(s.Tags) == 0 && latest[images[n].Layer].After(s.Created) {
			list = slices.Delete(list, n, n+1)
		}
	}
	sortSummaries(list)
	return list, nil
}

// config returns the key under which podman keeps the config, "" if it has none.
func (i *podmanImage) config() string {
	if want := "sha256:" + i.ID; slices.Contains(i.Data, want) {
		return want
	}
	return ""
}

func (i *podmanImage) tags() []string {
	var tags []string
	for _, n := range i.Names {
		if !strings.Contains(n, "@") {
			tags = append(tags, n)
		}
	}
	slices.Sort(tags)
	return tags
}

// resolve finds the image that want means, and its store. An ID takes precedence
// over a name, and a name over a prefix of an ID.
func resolve(stores []store, want string) (podmanImage, store, error) {
	hex := strings.TrimPrefix(want, "sha256:")
	var ids []string
	all := map[string]podmanImage{}
	of := map[string]store{}
	for _, s := range stores {
		images, err := s.images()
		if err != nil {
			return podmanImage{}, s, err
		}
		for _, i := range images {
			if _, ok := of[i.ID]; ok || !isHex(i.ID, 64) {
				continue
			}
			ids = append(ids, i.ID)
			all[i.ID], of[i.ID] = i, s
		}
	}
	id := hex
	if _, ok := of[hex]; !ok {
		if id = byName(ids, all, want); id == "" {
			var err error
			if id, err = byPrefix(stores[0].root, want, hex, ids); err != nil {
				return podmanImage{}, stores[0], err
			}
		}
	}
	return all[id], of[id], nil
}

// byName returns the ID of the image that has the name want. A name without a
// host means first that of localhost, then that of docker.io, and then that of
// any other host.
func byName(ids []string, all map[string]podmanImage, want string) string {
	full, ok := parseName(want)
	if !ok {
		return ""
	}
	short := full.host == "docker.io" && !strings.HasPrefix(want, "docker.io/") && !strings.HasPrefix(want, "index.docker.io/")
	repository := strings.TrimPrefix(full.repository, "library/")
	best, rank := "", 0
	for _, id := range ids {
		image := all[id]
		for _, s := range image.Names {
			n, ok := parseName(s)
			if !ok {
				continue
			}
			if full.digest != "" {
				n.digest = image.Digest // whichever tag the name has
			}
			got := 0
			switch local := (name{"localhost", repository, full.tag, full.digest}); {
			case short && n.same(local):
				got = 3
			case n.same(full):
				got = 2
			case short && (n.repository == repository || strings.HasSuffix(n.repository, "/"+repository)) &&
				n.same(name{n.host, n.repository, full.tag, full.digest}):
				got = 1
			}
			if got > rank {
				best, rank = id, got
			}
		}
	}
	return best
}

// storedLayer is a layer and the store that has it.
type storedLayer struct {
	podmanLayer
	store
}

// allLayers returns the layers of all stores by their IDs.
func allLayers(stores []store) (map[string]storedLayer, error) {
	all := map[string]storedLayer{}
	for _, s := range stores {
		layers, err := s.layers()
		if err != nil {
			return nil, err
		}
		for _, l := range layers {
			if _, ok := all[l.ID]; !ok {
				all[l.ID] = storedLayer{l, s}
			}
		}
	}
	return all, nil
}

// ancestry returns the layers from the bottom one up to top.
func ancestry(all map[string]storedLayer, top string) ([]storedLayer, error) {
	var chain []storedLayer
	for id := top; id != ""; {
		l, ok := all[id]
		if !ok {
			return nil, &IncompleteError{What: fmt.Sprintf("the layer %s is not in the storage", id)}
		}
		if chain = append(chain, l); len(chain) > maxLayers {
			return nil, &IncompleteError{What: fmt.Sprintf("the image has more than %d layers", maxLayers)}
		}
		id = l.Parent
	}
	slices.Reverse(chain)
	return chain, nil
}

// data returns the file in which podman keeps an image's data of that key.
func (s store) data(image, key string) string {
	plain := strings.IndexFunc(key, func(c rune) bool { return c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') }) < 0
	if !plain {
		key = "=" + base64.StdEncoding.EncodeToString([]byte(key))
	}
	return filepath.Join(s.root, s.driver+"-images", image, key)
}

func openPodman(stores []store, name string) (*Image, error) {
	i, s, err := resolve(stores, name)
	if err != nil {
		return nil, err
	}
	key := i.config()
	if key == "" {
		return nil, &IncompleteError{What: fmt.Sprintf("the storage has no config for %s: it is an index, or a manifest of schema 1", i.ID)}
	}
	raw, c, err := readConfig(s.data(i.ID, key), i.ID)
	if err != nil {
		return nil, err
	}
	img := &Image{ID: hashOf(raw), Config: raw, Tags: i.tags(), Driver: s.driver, engine: "podman"}
	manifest, err := read(s.data(i.ID, "manifest"), maxDocument)
	if err == nil && hashOf(manifest).String() == i.Digest {
		img.Manifest, img.Digest = manifest, hashOf(manifest)
	}
	if err := s.fill(img, stores, i, c); err != nil {
		return nil, errors.Join(err, img.Close())
	}
	return img, nil
}

// fill opens the layers of the image.
func (s store) fill(img *Image, stores []store, i podmanImage, c *config) error {
	if err := img.watch(s.data(i.ID, i.config())); err != nil {
		return incomplete(err, "the image's config can't be read")
	}
	all, err := allLayers(stores)
	if err != nil {
		return err
	}
	layers, err := ancestry(all, i.Layer)
	if err != nil {
		return err
	}
	if len(layers) != len(c.RootFS.DiffIDs) {
		return &IncompleteError{What: fmt.Sprintf("the storage has %d layers of the image, the config %d", len(layers), len(c.RootFS.DiffIDs))}
	}
	for n, l := range layers {
		diffID := c.RootFS.DiffIDs[n]
		switch {
		case !isName(l.ID):
			return &IncompleteError{What: fmt.Sprintf("layer %d is called %q", n, l.ID)}
		case l.Flags["incomplete"] == true:
			return &IncompleteError{What: fmt.Sprintf("layer %d was only pulled in part", n)}
		case l.DiffID != diffID.String():
			return &IncompleteError{What: fmt.Sprintf("layer %d is %q in the storage, the config says %s", n, l.DiffID, diffID)}
		}
		split := filepath.Join(l.root, l.driver+"-layers", l.ID+".tar-split.gz")
		if err := img.add(diffID, split, l.folder(l.ID)); err != nil {
			return err
		}
	}
	return nil
}
