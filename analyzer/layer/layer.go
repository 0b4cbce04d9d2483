// Package layer reads one layer of an image: a tar, plain or compressed, into
// the entries it holds.
package layer

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Blob is a layer as it is stored: a tar, plain or compressed. Which of the two
// is decided by its bytes.
type Blob struct {
	// At reads the blob at any offset, concurrently; nil when it only streams.
	At io.ReaderAt
	// Size is the length of the blob in bytes, or -1 when it is not known.
	Size int64
	// Stream opens the blob from its start; used only when At is nil.
	Stream func(context.Context) (io.ReadCloser, error)
}

// Options says what to check while reading. The zero value checks structure only.
type Options struct {
	Digest v1.Hash       // of the blob as stored; compared when it is set and the blob is streamed through
	DiffID v1.Hash       // of the uncompressed tar
	Verify bool          // compare Digest and DiffID whatever it costs
	Read   *atomic.Int64 // counts bytes of the blob as they are read or skipped; may be nil
}

// Read reads a whole layer.
func Read(ctx context.Context, b Blob, opt Options) (*Diff, error) {
	return nil, errors.New("layer.Read")
}

// Content opens the content of a file entry (e.Kind == File) of the layer in b.
func Content(ctx context.Context, b Blob, e *Entry) (io.ReadCloser, error) {
	return nil, errors.New("layer.Content")
}
