// Package storage reads images straight from the folders of container engines:
// the data root of docker, and the storage of podman. For every layer those
// keep the raw headers of its tar (tar-split) and its files in a plain folder;
// put together they are the layer's tar, byte for byte, without being asked
// from the engine and without being written anywhere.
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

	watched []watched
}

// Layer is one layer of an image.
type Layer struct {
	DiffID v1.Hash
	// Blob is the layer's tar, uncompressed. Its List reads the headers and
	// looks at every file; both it and At answer with a *HoleError where the
	// storage isn't what its records say.
	Blob layer.Blob

	tar *virtual
}

// Summary is what a list of images shows of one.
type Summary struct {
	ID      v1.Hash
	Tags    []string // full names, sorted; none for a dangling image
	Size    int64    // bytes of all files of all layers
	Created time.Time
}

// watched is a file or folder that must stay the one it was.
type watched struct {
	path string
	info os.FileInfo
}

// watch notes what path is now.
func (img *Image) watch(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	img.watched = append(img.watched, watched{path, info})
	return nil
}

// Check tells whether the storage still is the one that was opened: the image
// was not removed, and no layer replaced. The error is a *HoleError.
func (img *Image) Check() error {
	for _, w := range img.watched {
		now, err := os.Lstat(w.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &HoleError{Layer: -1, Path: w.path, Err: errors.New("it was removed while the image was read")}
		case err != nil:
			return &HoleError{Layer: -1, Path: w.path, Err: err}
		case !os.SameFile(now, w.info):
			return &HoleError{Layer: -1, Path: w.path, Err: errors.New("it was replaced while the image was read")}
		case !now.IsDir() && (now.Size() != w.info.Size() || !now.ModTime().Equal(w.info.ModTime())):
			return &HoleError{Layer: -1, Path: w.path, Err: errors.New("it changed while the image was read")}
		}
	}
	return nil
}

// Close gives back what was opened. Content can't be read afterwards.
func (img *Image) Close() error {
	var errs []error
	for _, l := range img.Layers {
		errs = append(errs, l.tar.close())
	}
	return errors.Join(errs...)
}

// add opens the layer whose records and files lie there.
func (img *Image) add(diffID v1.Hash, split, folder string) error {
	i := len(img.Layers)
	if err := img.watch(split); err != nil {
		return missing(err, fmt.Sprintf("layer %d has no tar-split", i))
	}
	if err := img.watch(folder); err != nil {
		return missing(err, fmt.Sprintf("layer %d has no folder", i))
	}
	t, err := open(i, split, folder)
	if err != nil {
		return missing(err, fmt.Sprintf("layer %d is not whole", i))
	}
	img.Layers = append(img.Layers, Layer{
		DiffID: diffID,
		Blob:   layer.Blob{At: t, Size: -1, Window: headerWindow, List: t.list},
		tar:    t,
	})
	return nil
}
