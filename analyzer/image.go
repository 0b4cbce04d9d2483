// Package analyzer measures a container image: what every layer stores, what
// the image shows, and what is wasted because later layers hide it.
// docs/analysis.md defines every figure.
package analyzer

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// Image is an opened image: what its source says about it, and access to the bytes
// of each layer. Package load opens images; Analyze reads them.
type Image struct {
	Reference string  // as the user wrote it
	Source    string  // the kind of source: "docker-archive", "oci-archive", "oci-layout", ...
	ID        v1.Hash // of the config
	Digest    v1.Hash // of the manifest; zero if there is none
	Platform  v1.Platform
	Tags      []string // full names if the source has them, sorted
	Config    *v1.ConfigFile
	Layers    []Layer // bottom first
	Warnings  []facts.Warning

	Annotations map[string]string // of the manifest
	// Provenance reads the attestation of how the image was built, an in-toto
	// statement. It is nil if the source has none.
	Provenance func(context.Context) ([]byte, error)

	// Parallel is the least number of layers to read at a time. Sources for which
	// reading is mostly waiting set it above the number of processors.
	Parallel int

	// Limits limits what reading the image may use.
	Limits layer.Limits

	// Temp is the folder for temporary files; "" means the system's.
	Temp string

	// Check, if not nil, is called after all layers were read. It returns an error
	// if the source has changed since it was opened.
	Check func() error
	// Release, if not nil, releases what Open acquired, such as open and temporary
	// files.
	Release func() error
}

// Layer is one layer of an opened image.
type Layer struct {
	DiffID    v1.Hash // of the uncompressed tar
	Digest    v1.Hash // of the blob as stored; zero if the source does not say
	MediaType types.MediaType
	Blob      layer.Blob
	// Compressed reports whether the blob is a compressed form of the tar, so that
	// Blob.Size is the layer's compressed size.
	Compressed bool
	// Unverified reports whether Blob.List takes the entries from a table of
	// contents that was not compared with the tar.
	Unverified bool
	// Verified, if not nil, is called with the entries after they were verified.
	Verified func(context.Context, *layer.Diff) error
}

// Close releases the image. The content of its files can't be read afterwards.
func (img *Image) Close() error {
	if img == nil || img.Release == nil {
		return nil
	}
	return img.Release()
}
