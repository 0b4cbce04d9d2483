package load

import (
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/layer"
)

// oneLayer returns an image whose only layer is a tar of files. It has no config.
func (o *opening) oneLayer(r reference, src source, kind Kind, want platform) (*analyzer.Image, error) {
	a, ok := src.(*archive)
	gone := false
	if ok {
		_, gone = a.r.(*memory)
	}
	switch {
	case !ok:
		return nil, errors.New("the tar of a root filesystem is expected, and it is a folder")
	case a.flaw() != nil:
		return nil, a.flaw()
	case o.opt.Image != "" || want != platform{}:
		return nil, errors.New("it is one layer without a config: no image or platform can be chosen in it")
	case gone:
		return nil, fmt.Errorf("it is one layer: %w", ErrNotKept)
	}
	a.forget(nil)
	name := "rootfs"
	if kind == SingleLayer {
		name = "layer"
	}
	o.opt.Progress.Note(r.title() + " is read as one layer: it is a tar of files, not an image")
	return &analyzer.Image{Source: name, Layers: []analyzer.Layer{{
		MediaType: types.OCIUncompressedLayer,
		Blob:      layer.Blob{At: io.NewSectionReader(a.r, 0, a.size), Size: a.size},
	}}}, nil
}
