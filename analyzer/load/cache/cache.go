// Package cache keeps what layers held in the user's cache folder, so that a
// layer seen once need not be read again to be measured.
//
// A layer is known by the digest of its blob, which whoever reads the blob
// compares with every byte. It is never known by its diff ID: an image's config
// merely claims that, and an image made to do harm could claim the one of a
// base that everybody has, and put its own entries in the base's place. For the
// same reason only layers that were read to the end, with their digest
// compared, belong here; Put refuses what can't have been.
//
// The folder is shared by any number of processes without a lock: a file appears
// whole or not at all, is never written again, and may vanish at any time.
package cache

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/layer"
)

// Limit is how many bytes of disk a cache takes unless another limit is given.
const Limit = 512 << 20

// Variable is the environment variable that names the folder.
const Variable = "FATHOM_CACHE_DIR"

const (
	suffix = ".layer"
	temp   = "writing-" // begins the name of a file that is not whole yet

	block   = 4 << 10   // of the disk: the least that a file takes
	stale   = time.Hour // after which a file that is not whole was given up
	recount = 256       // files put before other processes' files are counted again
)

// Cache is a folder of layers. Its methods may be called concurrently.
type Cache struct {
	dir   string
	limit int64

	mu   sync.Mutex
	used int64 // bytes of disk, as far as this process knows
	puts int
}

// Open takes the folder dir; "" is the one that FATHOM_CACHE_DIR names, or
// else fathom/layers in the user's cache folder. It takes up to limit bytes,
// or Limit when that is 0. Nothing is made before the first Put.
func Open(dir string, limit int64) (*Cache, error) {
	if dir == "" {
		dir = os.Getenv(Variable)
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("finding the cache folder: %w", err)
		}
		dir = filepath.Join(user, "fathom", "layers")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the cache folder: %w", err)
	}
	return &Cache{dir: dir, limit: cmp.Or(limit, Limit)}, nil
}

// Dir is the folder, which need not be there yet.
func (c *Cache) Dir() string { return c.dir }

// Get gives what the layer with this digest holds. A file that is damaged is
// removed. Diff.Plain is never set.
func (c *Cache) Get(digest v1.Hash) (*layer.Diff, bool) {
	name, err := fileName(digest)
	if err != nil {
		return nil, false
	}
	path := filepath.Join(c.dir, name)
	data, err := read(path, c.limit)
	if err != nil {
		return nil, false
	}
	d, err := decode(data, digest)
	if err != nil {
		if !errors.Is(err, errOther) {
			os.Remove(path)
		}
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // the oldest go first; where it can't be told, so be it
	return d, true
}

// Put keeps what the layer with this digest holds. An error means that it is
// not kept, and nothing else.
func (c *Cache) Put(digest v1.Hash, d *layer.Diff) error {
	if err := c.put(digest, d); err != nil {
		return fmt.Errorf("keeping %s in the cache: %w", digest, err)
	}
	return nil
}

func (c *Cache) put(digest v1.Hash, d *layer.Diff) error {
	name, err := fileName(digest)
	if err != nil {
		return err
	}
	data, err := encode(d, digest)
	if err != nil {
		return err
	}
	if disk(int64(len(data))) > c.limit {
		return fmt.Errorf("its %d bytes are more than the whole cache may take", len(data))
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, temp) // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := cmp.Or(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(c.dir, name)); err != nil {
		os.Remove(f.Name())
		return err
	}
	c.makeRoom(disk(int64(len(data))))
	return nil
}

// makeRoom removes what was not used for the longest time when there is more
// than the limit, now that more bytes were added.
func (c *Cache) makeRoom(more int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used += more
	if c.puts++; c.puts%recount != 1 && c.used <= c.limit {
		return
	}
	files, left, err := c.scan()
	if err != nil {
		return
	}
	for _, path := range left {
		os.Remove(path)
	}
	c.used = 0
	for _, f := range files {
		c.used += disk(f.Size)
	}
	for _, f := range files {
		if c.used <= c.limit {
			return
		}
		// One that another process removed is gone all the same.
		if err := os.Remove(f.path); err == nil || errors.Is(err, fs.ErrNotExist) {
			c.used -= disk(f.Size)
		}
	}
}

// File is a layer in the cache.
type File struct {
	Digest v1.Hash
	Size   int64 // bytes of the file
	Used   time.Time
	path   string
}

// List is every layer in the cache, the one that was not used for the longest
// time first. A folder that is not there holds none.
func (c *Cache) List() ([]File, error) {
	files, _, err := c.scan()
	if err != nil {
		return nil, fmt.Errorf("reading the cache: %w", err)
	}
	return files, nil
}

// scan lists the layers, and the files that somebody began to write and gave up.
func (c *Cache) scan() (files []File, left []string, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		path := filepath.Join(c.dir, e.Name())
		if digest, ok := named(e.Name()); ok {
			files = append(files, File{digest, info.Size(), info.ModTime(), path})
		} else if strings.HasPrefix(e.Name(), temp) && time.Since(info.ModTime()) > stale {
			left = append(left, path)
		}
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(a.Used.Compare(b.Used), cmp.Compare(a.path, b.path))
	})
	return files, left, nil
}

// Clear removes every layer, and says how many it removed and how many bytes
// they had. Files that the cache did not write stay.
func (c *Cache) Clear() (n int, bytes int64, err error) {
	files, left, err := c.scan()
	if err != nil {
		return 0, 0, fmt.Errorf("clearing the cache: %w", err)
	}
	for _, path := range left {
		os.Remove(path)
	}
	for _, f := range files {
		switch e := os.Remove(f.path); {
		case e == nil:
			n++
			bytes += f.Size
		case !errors.Is(e, fs.ErrNotExist) && err == nil:
			err = fmt.Errorf("clearing the cache: %w", e)
		}
	}
	c.mu.Lock()
	c.used = 0
	c.mu.Unlock()
	return n, bytes, err
}

// fileName is the name of a layer's file. Only digests that can be compared
// have one.
func fileName(digest v1.Hash) (string, error) {
	name := digest.Algorithm + "-" + digest.Hex + suffix
	if _, ok := named(name); !ok {
		return "", fmt.Errorf("%q is no digest that can be checked", digest)
	}
	return name, nil
}

// named is the digest that a file is named for.
func named(name string) (v1.Hash, bool) {
	algorithm, hex, ok := strings.Cut(strings.TrimSuffix(name, suffix), "-")
	size := map[string]int{"sha256": 64, "sha512": 128}[algorithm]
	if !ok || !strings.HasSuffix(name, suffix) || size == 0 || len(hex) != size || strings.Trim(hex, "0123456789abcdef") != "" {
		return v1.Hash{}, false
	}
	return v1.Hash{Algorithm: algorithm, Hex: hex}, true
}

// disk is what a file of n bytes takes.
func disk(n int64) int64 { return (n + block - 1) &^ (block - 1) }

// read reads a file of the cache, unless somebody else may have written to it.
func read(path string, limit int64) ([]byte, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || foreign(info):
		return nil, fs.ErrPermission
	case info.Size() > limit:
		return nil, fs.ErrInvalid
	}
	return os.ReadFile(path)
}
