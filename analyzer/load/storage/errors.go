package storage

import (
	"errors"
	"fmt"
	"io/fs"
)

// Error says that an image's storage does not match its records: a file is
// missing, was changed, or can't be read. The engine itself may still be able
// to save the image.
type Error struct {
	Engine string // "docker" or "podman"
	Layer  int    // from the bottom, -1 for the image itself
	Path   string // below the layer's folder, or of a file that the engine keeps about the image
	Err    error
}

func (e *Error) Error() string {
	if e.Layer < 0 {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("layer %d in the storage: %q: %v", e.Layer, e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// NotFoundError says that the storage does not have the image.
type NotFoundError struct{ Root, Name string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no image %q in %s", e.Name, e.Root)
}

// AmbiguousError says that the IDs of several images begin with Name.
type AmbiguousError struct {
	Name string
	IDs  []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d images have an ID that begins with %q", len(e.IDs), e.Name)
}

// DeniedError says that the caller has no permission to read the storage.
type DeniedError struct {
	Path string
	Who  string // the owner, "" if unknown
	Err  error
}

func (e *DeniedError) Error() string {
	if e.Who == "" {
		return fmt.Sprintf("no permission to read %s", e.Path)
	}
	return fmt.Sprintf("no permission to read %s, which belongs to %s", e.Path, e.Who)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// IncompleteError says that the storage has the image but lacks something that
// is needed to read it, or keeps it in a form that can't be read.
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

// incomplete returns an IncompleteError with err as its reason, or a
// DeniedError where err is a missing permission.
func incomplete(err error, what string) error {
	if errors.Is(err, fs.ErrPermission) {
		return denied(err)
	}
	return &IncompleteError{what, err}
}

// denied returns a DeniedError where err is a missing permission, and err
// otherwise.
func denied(err error) error {
	var p *fs.PathError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &p) {
		return err
	}
	return &DeniedError{Path: p.Path, Who: owner(p.Path), Err: err}
}
