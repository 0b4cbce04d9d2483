package load

import (
	"archive/tar"
	"context"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/load/storage"
)

// overlay opens the changes of an overlay as an image of one layer without a
// config. It returns nil if path is not a folder of an overlay.
func (o *opening) overlay(ctx context.Context, path string) (*analyzer.Image, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() || plausible(path, info) {
		return nil, nil
	}
	upper, err := storage.Upper(path)
	if upper == "" || err != nil {
		return nil, err
	}
	if o.opt.Image != "" {
		return nil, fmt.Errorf("%q can't be chosen: the folder of an overlay is one layer", o.opt.Image)
	}
	l, err := o.pack(ctx, func(w *tar.Writer) error { return storage.WriteUpper(ctx, upper, w) })
	if err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		o.warn("only root sees which folders of a system's overlay hide those below them (trusted.overlay.opaque)")
	}
	o.opt.Progress.Note("what the overlay changed is read from " + upper)
	config := &v1.ConfigFile{RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{l.DiffID}}}
	return &analyzer.Image{Source: "overlay", Config: config, Layers: []analyzer.Layer{l}}, nil
}
