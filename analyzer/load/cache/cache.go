// Package cache keeps the entries of layers in the user's cache folder, so that a
// layer that was read once need not be read again.
//
// The key of a layer is the digest of its blob, which the reader of a blob
// compares with its bytes. The diff ID must not be the key: it is only claimed by
// an image's config, and a malicious image could claim that of a popular base
// image and replace the base's entries in the cache. For the same reason only
// layers that were read to the end, with their digest compared, belong here; Put
// rejects a layer that can't have been.
//
// Any number of processes share the folder without a lock: a file appears
// complete or not at all, is never changed, and may disappear at any time.
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

// Limit is the default limit for a cache, in bytes of disk.
const Limit = 512 << 20

// Variable is the environment variable that names the folder.
const Variable = "FATHOM_CACHE_DIR"

const (
	suffix = ".layer"
	temp   = "writing-" // prefix of the names of incomplete files

	block   = 4 << 10   // of the disk: the least that a file takes
	stale   = time.Hour // the age at which an incomplete file is abandoned
	recount = 256       // after so many Puts the files of other processes are counted again
)

// Cache is a folder of layers. Its methods may be called concurrently.
type Cache struct {
	dir   string
	limit int64

	mu   sync.Mutex
	used int64 // bytes of disk, as far as this process knows
	puts int
}

// Open returns the cache in the folder dir; "" means that in FATHOM_CACHE_DIR, or
// fathom/layers in the user's cache folder. A limit of 0 means Limit. The first
// Put makes the folder.
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

// Dir returns the folder, which may not exist yet.
func (c *Cache) Dir() string { return c.dir }

// Get returns the entries of the layer with this digest. It removes a damaged
// file. Diff.Plain is never set.
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
	_ = os.Chtimes(path, now, now) // makeRoom removes the oldest first; an error does no harm
	return d, true
}

// Put stores the entries of the layer with this digest. An error means only that
// they are not in the cache.
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
		return fmt.Errorf("its %d bytes are more than the limit of the cache", len(data))
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

// makeRoom is called after more bytes were added. Above the limit it removes the
// least recently used layers.
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
		// Another process may have removed the file.
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

// scan lists the layers, the least recently used first, and abandoned files.
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
		if digest, ok := digestIn(e.Name()); ok {
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

// Clear removes every layer, and returns their number and size. It keeps files
// that the cache did not write.
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

// fileName returns the name of a layer's file. It rejects a digest with an unknown
// algorithm.
func fileName(digest v1.Hash) (string, error) {
	name := digest.Algorithm + "-" + digest.Hex + suffix
	if _, ok := digestIn(name); !ok {
		return "", fmt.Errorf("%q is not a digest that can be checked", digest)
	}
	return name, nil
}

// digestIn returns the digest in the name of a layer's file.
func digestIn(name string) (v1.Hash, bool) {
	algorithm, hex, ok := strings.Cut(strings.TrimSuffix(name, suffix), "-")
	size := map[string]int{"sha256": 64, "sha512": 128}[algorithm]
	if !ok || !strings.HasSuffix(name, suffix) || size == 0 || len(hex) != size || strings.Trim(hex, "0123456789abcdef") != "" {
		return v1.Hash{}, false
	}
	return v1.Hash{Algorithm: algorithm, Hex: hex}, true
}

// disk returns how much disk a file of n bytes takes.
func disk(n int64) int64 { return (n + block - 1) &^ (block - 1) }

// read reads a file of the cache. It rejects a file that another user may have
// written.
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
