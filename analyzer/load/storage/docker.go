package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	maxDocument = 20 << 20 // bytes of a config, a manifest, or a list of images
	maxLayers   = 10_000   // of one image
	maxSmall    = 4 << 10  // bytes of a file that holds an ID
)

// drivers are docker's graph drivers that keep the files of a layer in a plain
// folder. Those of vfs and btrfs also hold the files of the layers below.
var drivers = []struct{ name, before, after string }{
	{"overlay2", "overlay2", "diff"},
	{"fuse-overlayfs", "fuse-overlayfs", "diff"},
	{"vfs", "vfs/dir", ""},
	{"btrfs", "btrfs/subvolumes", ""},
}

// docker is the data root of a docker daemon, for one graph driver.
type docker struct {
	root, driver  string
	before, after string
}

// dockers returns the graph drivers that a data root holds images of.
func dockers(root string) ([]docker, error) {
	entries, err := os.ReadDir(filepath.Join(root, "image"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(root); err != nil {
			return nil, err
		}
		return nil, nil // the images are containerd's, or there are none
	}
	if err != nil {
		return nil, denied(err)
	}
	var found []docker
	for _, d := range drivers {
		if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == d.name }) {
			found = append(found, docker{root, d.name, d.before, d.after})
		}
	}
	if len(found) == 0 && len(entries) > 0 {
		return nil, &IncompleteError{What: fmt.Sprintf("%s uses the graph driver %q, which does not keep layers in plain folders", root, entries[0].Name())}
	}
	return found, nil
}

// Docker opens an image in the data root of a docker daemon, which need not be
// running. Like the daemon it takes a name with or without a tag or digest, an
// ID, or a prefix of one. The error is a *NotFoundError, *AmbiguousError,
// *DeniedError or *IncompleteError.
func Docker(root, name string) (*Image, error) {
	all, err := dockers(root)
	if err != nil {
		return nil, fmt.Errorf("reading docker's storage: %w", err)
	}
	for _, d := range all {
		img, err := d.open(name)
		if n := (*NotFoundError)(nil); errors.As(err, &n) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading docker's storage: %w", err)
		}
		return img, nil
	}
	return nil, fmt.Errorf("reading docker's storage: %w", &NotFoundError{root, name})
}

// DockerImages lists the images in the data root of a docker daemon, the latest
// first, without the intermediate images of a build.
func DockerImages(root string) ([]Summary, error) {
	all, err := dockers(root)
	if err != nil {
		return nil, fmt.Errorf("reading docker's storage: %w", err)
	}
	var list []Summary
	for _, d := range all {
		ids, err := d.ids()
		if err != nil {
			return nil, fmt.Errorf("reading docker's storage: %w", err)
		}
		names, err := d.names()
		if err != nil {
			return nil, fmt.Errorf("reading docker's storage: %w", err)
		}
		steps := d.steps(ids)
		for _, id := range ids {
			if steps[id] && len(names.tags(id)) == 0 {
				continue
			}
			raw, c, err := d.config(id)
			if err != nil {
				continue // removed in the meantime, or not readable
			}
			list = append(list, Summary{ID: hashOf(raw), Tags: names.tags(id), Size: d.size(c), Created: c.Created})
		}
	}
	sortSummaries(list)
	return list, nil
}

func sortSummaries(list []Summary) {
	slices.SortStableFunc(list, func(a, b Summary) int { return b.Created.Compare(a.Created) })
}

func (d docker) meta(name ...string) string {
	return filepath.Join(append([]string{d.root, "image", d.driver}, name...)...)
}

// ids returns the IDs of all images, in hex.
func (d docker) ids() ([]string, error) {
	entries, err := os.ReadDir(d.meta("imagedb", "content", "sha256"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, denied(err)
	}
	var ids []string
	for _, e := range entries {
		if isHex(e.Name(), 64) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// steps returns the images that are parents of others.
func (d docker) steps(ids []string) map[string]bool {
	steps := map[string]bool{}
	for _, id := range ids {
		if parent, err := read(d.meta("imagedb", "metadata", "sha256", id, "parent"), maxSmall); err == nil {
			steps[strings.TrimPrefix(string(parent), "sha256:")] = true
		}
	}
	return steps
}

// names maps the names of images to the hex IDs of the images.
type names map[string]string

func (d docker) names() (names, error) {
	file := d.meta("repositories.json")
	raw, err := read(file, maxDocument)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, denied(err)
	}
	var doc struct{ Repositories map[string]names }
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, &IncompleteError{What: "reading " + file, Err: err}
	}
	all := names{}
	for _, of := range doc.Repositories {
		for name, id := range of {
			all[name] = strings.TrimPrefix(id, "sha256:")
		}
	}
	return all, nil
}

// tags returns the full names of an image that have a tag, sorted.
func (n names) tags(id string) []string {
	var tags []string
	for name, of := range n {
		if of == id && !strings.Contains(name, "@") {
			if r, err := reference.ParseNormalizedNamed(name); err == nil {
				name = reference.TagNameOnly(r).String()
			}
			tags = append(tags, name)
		}
	}
	slices.Sort(tags)
	return tags
}

// resolve finds the ID of an image as the daemon does: a name takes precedence
// over a prefix of an ID.
func (d docker) resolve(name string) (string, error) {
	ids, err := d.ids()
	if err != nil {
		return "", err
	}
	hex := strings.TrimPrefix(name, "sha256:")
	if isHex(hex, 64) {
		if slices.Contains(ids, hex) {
			return hex, nil
		}
		return "", &NotFoundError{d.root, name}
	}
	all, err := d.names()
	if err != nil {
		return "", err
	}
	if want, ok := parseName(name); ok {
		for name, id := range all {
			if n, ok := parseName(name); ok && n.same(want) && slices.Contains(ids, id) {
				return id, nil
			}
		}
	}
	return byPrefix(d.root, name, hex, ids)
}

// byPrefix finds the one ID that starts with hex.
func byPrefix(root, name, hex string, ids []string) (string, error) {
	var found []string
	if isHex(hex, len(hex)) {
		for _, id := range ids {
			if strings.HasPrefix(id, hex) {
				found = append(found, id)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", &NotFoundError{root, name}
	case 1:
		return found[0], nil
	}
	return "", &AmbiguousError{name, found}
}

// config is the part of an image's config that this package needs.
type config struct {
	Created time.Time `json:"created"`
	RootFS  struct {
		DiffIDs []v1.Hash `json:"diff_ids"`
	} `json:"rootfs"`
}

func (d docker) config(id string) ([]byte, *config, error) {
	return readConfig(d.meta("imagedb", "content", "sha256", id), id)
}

// readConfig reads the config of the image id, which is the config's sha256 in
// hex.
func readConfig(file, id string) ([]byte, *config, error) {
	raw, err := read(file, maxDocument)
	if err != nil {
		return nil, nil, incomplete(err, "the image's config can't be read")
	}
	if got := hashOf(raw).Hex; got != id {
		return nil, nil, &IncompleteError{What: fmt.Sprintf("%s is damaged: its content has the digest sha256:%s", file, got)}
	}
	c := new(config)
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, nil, &IncompleteError{"reading " + file, err}
	}
	if n := len(c.RootFS.DiffIDs); n > maxLayers {
		return nil, nil, &IncompleteError{What: fmt.Sprintf("the image has %d layers, more than %d", n, maxLayers)}
	}
	return raw, c, nil
}

// chain returns the chain IDs of an image's layers, in hex: each identifies a
// layer together with all layers below it.
func chain(diffIDs []v1.Hash) []string {
	ids := make([]string, len(diffIDs))
	for i, d := range diffIDs {
		if ids[i] = d.Hex; i > 0 {
			sum := sha256.Sum256([]byte("sha256:" + ids[i-1] + " " + d.String()))
			ids[i] = hex.EncodeToString(sum[:])
		}
	}
	return ids
}

// size adds up the sizes that docker records for the layers; a layer whose
// record can't be read counts as 0.
func (d docker) size(c *config) (sum int64) {
	for _, id := range chain(c.RootFS.DiffIDs) {
		raw, err := read(d.meta("layerdb", "sha256", id, "size"), maxSmall)
		if n, _, ok := number(raw); err == nil && ok {
			sum += n
		}
	}
	return sum
}

func (d docker) open(name string) (*Image, error) {
	id, err := d.resolve(name)
	if err != nil {
		return nil, err
	}
	raw, c, err := d.config(id)
	if err != nil {
		return nil, err
	}
	all, err := d.names()
	if err != nil {
		return nil, err
	}
	img := &Image{ID: hashOf(raw), Config: raw, Tags: all.tags(id), Driver: d.driver, engine: "docker"}
	if err := d.fill(img, c); err != nil {
		return nil, errors.Join(err, img.Close())
	}
	return img, nil
}

// fill opens the layers of the image.
func (d docker) fill(img *Image, c *config) error {
	if err := img.watch(d.meta("imagedb", "content", "sha256", img.ID.Hex)); err != nil {
		return incomplete(err, "the image's config can't be read")
	}
	for i, id := range chain(c.RootFS.DiffIDs) {
		diffID := c.RootFS.DiffIDs[i]
		if diffID.Algorithm != "sha256" || !isHex(diffID.Hex, 64) {
			return &IncompleteError{What: fmt.Sprintf("layer %d has the diff ID %q", i, diffID)}
		}
		db := d.meta("layerdb", "sha256", id)
		is, err := read(filepath.Join(db, "diff"), maxSmall)
		if err != nil {
			return incomplete(err, fmt.Sprintf("layer %d is not in the storage", i))
		}
		if string(is) != diffID.String() {
			return &IncompleteError{What: fmt.Sprintf("layer %d is %q in the storage, the config says %s", i, is, diffID)}
		}
		cache, err := read(filepath.Join(db, "cache-id"), maxSmall)
		if err != nil {
			return incomplete(err, fmt.Sprintf("layer %d is not in the storage", i))
		}
		if !isName(string(cache)) {
			return &IncompleteError{What: fmt.Sprintf("layer %d: its folder is called %q", i, cache)}
		}
		folder := filepath.Join(d.root, filepath.FromSlash(d.before), string(cache), d.after)
		if err := img.add(diffID, filepath.Join(db, "tar-split.json.gz"), folder); err != nil {
			return err
		}
	}
	return nil
}

// isName reports whether s can be an ID in a storage and thus the name of a
// file: letters, digits, "-" and "_".
func isName(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// isHex reports whether s consists of n lower-case hex digits, and n > 0.
func isHex(s string, n int) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == n && n > 0
}

func hashOf(b []byte) v1.Hash {
	sum := sha256.Sum256(b)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}
