package load

import (
	"context"
	"errors"

	"fathom/analyzer"
	"fathom/analyzer/load/engine"
)

// Described is what the manifest and the config of an image say about its layers.
type Described struct {
	Reference string
	Digest    string   // of the manifest, or ""
	DiffIDs   []string // bottom first
}

// Describe finds an image as Open does, and reads no layer of it.
func Describe(ctx context.Context, ref string, opt Options) (*Described, error) {
	r, err := parse(ref)
	if err != nil {
		return nil, err
	}
	if r.path == "" && r.scheme != "registry" {
		for _, kind := range engines {
			if r.scheme != "" && r.scheme != kind.String() {
				continue
			}
			img, err := inspected(ctx, kind, r.name, opt)
			var gone *engine.UnavailableError
			var none *engine.NoImageError
			switch {
			case err == nil:
				return &Described{Reference: ref, DiffIDs: img.DiffIDs}, nil
			case r.scheme != "" && !errors.As(err, &gone), !errors.As(err, &gone) && !errors.As(err, &none):
				return nil, err
			}
		}
	}
	opt.Cache, opt.TOC, opt.Keep = nil, false, false
	img, err := Open(ctx, ref, opt)
	if err != nil {
		return nil, err
	}
	d := describe(img)
	return d, img.Close()
}

func describe(img *analyzer.Image) *Described {
	d := &Described{Reference: img.Reference}
	if img.Digest.Hex != "" {
		d.Digest = img.Digest.String()
	}
	for _, l := range img.Layers {
		d.DiffIDs = append(d.DiffIDs, l.DiffID.String())
	}
	return d
}

func inspected(ctx context.Context, kind engine.Kind, name string, opt Options) (engine.Image, error) {
	e, err := engine.Connect(ctx, kind, opt.Engine)
	if err != nil {
		return engine.Image{}, err
	}
	defer e.Close()
	return e.Find(ctx, name, opt.Platform)
}

// maxDescribed is how many images of an engine Local looks at, the newest ones.
const maxDescribed = 500

// Local describes the images with a name that running engines have.
func Local(ctx context.Context, opt Options) ([]Described, error) {
	var out []Described
	for _, kind := range engines {
		some, err := local(ctx, kind, opt)
		var gone *engine.UnavailableError
		if err != nil && !errors.As(err, &gone) {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

func local(ctx context.Context, kind engine.Kind, opt Options) ([]Described, error) {
	e, err := engine.Connect(ctx, kind, opt.Engine)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	all, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []Described
	for _, i := range all {
		if len(i.Tags) == 0 {
			continue
		}
		if len(out) == maxDescribed {
			break
		}
		img, err := e.Find(ctx, i.ID, "")
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			continue // it was removed in the meantime
		}
		out = append(out, Described{Reference: i.Tags[0], DiffIDs: img.DiffIDs})
	}
	return out, nil
}
