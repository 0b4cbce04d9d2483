// Package analyzer measures a container image: what every layer stores, what
// the image shows, and what nobody will ever see of it. docs/analysis.md
// defines every figure.
package analyzer

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// Image is an opened image: what is known about it, and a way to each layer's
// bytes. Package load makes it, Analyze reads it. Nothing in it is invented.
type Image struct {
	Reference string  // as the user wrote it
	Source    string  // what it was read from: "docker-archive", "oci-archive", "oci-layout", ...
	ID        v1.Hash // of the config
	Digest    v1.Hash // of the manifest; zero when there is none
	Platform  v1.Platform
	Tags      []string // full names where the source has them, sorted
	Config    *v1.ConfigFile
	Layers    []Layer // bottom first
	Warnings  []facts.Warning

	// Parallel is how many layers are to be read at a time at least: more than
	// there are processors where reading is mostly waiting.
	Parallel int

	// Limits bounds what reading the image may take.
	Limits layer.Limits

	// Temp is the folder for temporary files; "" is the system's.
	Temp string

	// Check tells, after everything was read, whether the source is still the
	// one that was opened; may be nil.
	Check func() error
	// Release gives back what Open took (files, temporary files); may be nil.
	Release func() error
}

// Layer is one layer of an opened image.
type Layer struct {
	DiffID    v1.Hash // of the uncompressed tar
	Digest    v1.Hash // of the blob as stored; zero when the source does not say
	MediaType types.MediaType
	Blob      layer.Blob
	// Compressed reports whether the blob is a compressed form of the tar, so that
	// Blob.Size is the layer's compressed size.
	Compressed bool
	// Unverified reports whether Blob.List takes the entries from a table of
	// contents that nobody has compared with the tar.
	Unverified bool
	// Verified, when not nil, sees the entries after they were verified.
	Verified func(context.Context, *layer.Diff) error
}

// Close releases the image. The content of its files can't be read afterwards.
func (img *Image) Close() error {
	if img == nil || img.Release == nil {
		return nil
	}
	return img.Release()
}
