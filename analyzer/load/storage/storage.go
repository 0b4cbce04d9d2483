// Package storage reads images straight from the folders of container engines:
// the data root of docker, and the storage of podman. For every layer an engine
// keeps the raw headers of its tar (tar-split) and its files in a plain folder.
// This package combines the two into the layer's tar, byte for byte, without
// asking the engine and without writing a copy.
package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/layer"
)

// Image is an image in a storage. Close it.
type Image struct {
	ID     v1.Hash  // of the config
	Config []byte   // as it is stored; its sha256 is ID
	Tags   []string // full names, sorted
	// Manifest is the manifest as it is stored, and Digest its digest; docker
	// keeps none.
	Manifest []byte
	Digest   v1.Hash
	Layers   []Layer // bottom first
	Driver   string  // of the graph: "overlay2", "overlay", ...

	engine  string // "docker" or "podman"
	watched []watched
}

// Layer is one layer of an image.
type Layer struct {
	DiffID v1.Hash
	// Blob is the layer's tar, uncompressed. Its List reads the headers and
	// compares every file with its header. Both List and At return an *Error
	// where the storage does not match its records.
	Blob layer.Blob

	tar *virtual
}

// Summary describes one image in a list.
type Summary struct {
	ID      v1.Hash
	Tags    []string // full names, sorted; none for a dangling image
	Size    int64    // bytes of all files of all layers
	Created time.Time
}

// watched is a file or folder that must not change while the image is open.
type watched struct {
	path string
	info os.FileInfo
}

// watch records the state of path, for Check.
func (img *Image) watch(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	img.watched = append(img.watched, watched{path, info})
	return nil
}

// Check returns an *Error if the image was removed, or one of its layers
// replaced, since it was opened.
func (img *Image) Check() error {
	for _, w := range img.watched {
		now, err := os.Lstat(w.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = errors.New("it was removed while the image was read")
		case err != nil:
		case !os.SameFile(now, w.info):
			err = errors.New("it was replaced while the image was read")
		case !now.IsDir() && (now.Size() != w.info.Size() || !now.ModTime().Equal(w.info.ModTime())):
			err = errors.New("it changed while the image was read")
		}
		if err != nil {
			return &Error{Engine: img.engine, Layer: -1, Path: w.path, Err: err}
		}
	}
	return nil
}

// Close closes the files of all layers. Content can't be read afterwards.
func (img *Image) Close() error {
	var errs []error
	for _, l := range img.Layers {
		errs = append(errs, l.tar.close())
	}
	return errors.Join(errs...)
}

// add opens the next layer: split is the file of its records, folder holds its
// files.
func (img *Image) add(diffID v1.Hash, split, folder string) error {
	i := len(img.Layers)
	if err := img.watch(split); err != nil {
		return incomplete(err, fmt.Sprintf("layer %d has no tar-split", i))
	}
	if err := img.watch(folder); err != nil {
		return incomplete(err, fmt.Sprintf("layer %d has no folder", i))
	}
	t, err := open(img.engine, i, split, folder)
	if err != nil {
		return incomplete(err, fmt.Sprintf("layer %d is incomplete", i))
	}
	img.Layers = append(img.Layers, Layer{
		DiffID: diffID,
		Blob:   layer.Blob{At: t, Size: -1, Window: headerWindow, List: t.list},
		tar:    t,
	})
	return nil
}
