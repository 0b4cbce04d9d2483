package storage

import (
	"errors"
	"fmt"
	"io/fs"
)

// HoleError says that the storage of a layer isn't what its records say: a file
// is missing, was changed, or may not be read. The engine itself may still be
// able to give the image.
type HoleError struct {
	Layer int    // from the bottom, -1 when it is about the image
	Path  string // of the file: below the layer's folder, or of the storage's own
	Err   error
}

func (e *HoleError) Error() string {
	if e.Layer < 0 {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("layer %d in the storage: %q: %v", e.Layer, e.Path, e.Err)
}

func (e *HoleError) Unwrap() error { return e.Err }

// NotFoundError says that the storage has no such image.
type NotFoundError struct{ Root, Name string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no image %q in %s", e.Name, e.Root)
}

// AmbiguousError says that the beginning of an ID is that of several images.
type AmbiguousError struct {
	Name string
	IDs  []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d images have an ID that begins with %q", len(e.IDs), e.Name)
}

// DeniedError says that the storage is somebody else's.
type DeniedError struct {
	Path string
	Who  string // who may read it, "" when that isn't known
	Err  error
}

func (e *DeniedError) Error() string {
	if e.Who == "" {
		return fmt.Sprintf("%s may not be read", e.Path)
	}
	return fmt.Sprintf("%s may be read by %s only", e.Path, e.Who)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// IncompleteError says that the storage knows the image but doesn't hold
// everything it takes to read it, or keeps it in a way that can't be read.
type IncompleteError struct {
	What string
	Err  error // may be nil
}

func (e *IncompleteError) Error() string {
	if e.Err == nil {
		return e.What
	}
	return fmt.Sprintf("%s: %v", e.What, e.Err)
}

func (e *IncompleteError) Unwrap() error { return e.Err }

// missing is an IncompleteError with a reason, except where the reason is that
// somebody else owns the storage.
func missing(err error, what string) error {
	if errors.Is(err, fs.ErrPermission) {
		return denied(err)
	}
	return &IncompleteError{what, err}
}

// denied is a DeniedError when err says so, and err otherwise.
func denied(err error) error {
	var p *fs.PathError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &p) {
		return err
	}
	return &DeniedError{Path: p.Path, Who: owner(p.Path), Err: err}
}
