package analyzer

import (
	"context"
	"errors"
	"io"

	"fathom/analyzer/filetree"
)

// Analysis is a measured image. It does not change.
type Analysis struct {
	Image  *Image
	Report *Report
	Tree   *filetree.Tree
}

// Options for Analyze; the zero value is what most callers want.
type Options struct {
	Verify   bool      // compare every digest and diff ID
	Progress *Progress // a task per layer; may be nil
}

// Analyze reads every layer of the image and measures it.
func Analyze(ctx context.Context, img *Image, opt Options) (*Analysis, error) {
	return nil, errors.New("Analyze")
}

// Open reads the content that a file shows. The reader is valid until the
// image is closed.
func (a *Analysis) Open(ctx context.Context, c filetree.Content) (io.ReadCloser, error) {
	return nil, errors.New("Open")
}
