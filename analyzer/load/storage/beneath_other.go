//go:build !linux

package storage

import (
	"errors"
	"io"
	"os"
)

// folder is a layer's folder. Engines keep layers on Linux; elsewhere the folder
// is a copy, and os.Root guards well enough against symlinks.
type folder struct{ root *os.Root }

func openFolder(name string) (*folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

func (d *folder) close() error { return d.root.Close() }

// content is an open file.
type content struct{ f *os.File }

// open opens a regular file.
func (d *folder) open(name string) (content, info, error) {
	name = beneath(name)
	// Lstat comes first: opening a named pipe would block.
	at, err := d.root.Lstat(name)
	if err != nil {
		return content{}, info{}, err
	}
	if !at.Mode().IsRegular() {
		return content{}, info{}, errNotRegular
	}
	f, err := d.root.Open(name)
	if err != nil {
		return content{}, info{}, err
	}
	now, err := f.Stat()
	if err == nil && !os.SameFile(at, now) {
		err = errors.New("it was replaced while it was opened")
	}
	if err != nil {
		f.Close()
		return content{}, info{}, err
	}
	return content{f}, infoOf(now), nil
}

func infoOf(i os.FileInfo) info {
	return info{i.Mode().IsRegular(), i.Size(), i.ModTime().Unix()}
}

// ReadAt reads all of p, or returns io.EOF.
func (c content) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.f.ReadAt(p, off)
	if n == len(p) && err == io.EOF {
		err = nil
	}
	return n, err
}

func (c content) close() { c.f.Close() }

// directory is an open folder below a layer's folder.
type directory struct{ root *os.Root }

func (d *folder) directory(name string) (directory, error) {
	if name == "" {
		name = "."
	}
	root, err := d.root.OpenRoot(name)
	return directory{root}, err
}

func (d directory) stat(name string) (info, error) {
	i, err := d.root.Lstat(name)
	if err != nil {
		return info{}, err
	}
	return infoOf(i), nil
}

func (d directory) close() {
	if d.root != nil {
		d.root.Close()
	}
}

// owner returns "": owners are only looked up on Linux.
func owner(string) string { return "" }
