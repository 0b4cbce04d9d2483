package load

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer"
	"fathom/analyzer/load/engine"
	"fathom/analyzer/load/storage"
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
	return describeAt(ctx, ref, r, opt)
}

// DescribeNamed describes an image that an engine or its registry has under a name
// that is not the user's: it can't be a file, or choose where to look.
func DescribeNamed(ctx context.Context, name string, opt Options) (*Described, error) {
	return describeAt(ctx, "registry:"+name, reference{name: name}, opt)
}

func describeAt(ctx context.Context, ref string, r reference, opt Options) (*Described, error) {
	if r.path == "" && r.scheme != "registry" {
		for _, kind := range engines {
			if r.scheme != "" && r.scheme != kind.String() {
				continue
			}
			img, err := inspected(ctx, kind, r.name, opt)
			if err != nil && opt.Via != ViaAPI {
				if d := describeStored(kind, ref, r.name, err); d != nil {
					return d, nil
				}
			}
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

// describeStored describes an image in the storage of an engine that isn't running,
// as err says. It returns nil if there is none.
func describeStored(kind engine.Kind, ref, name string, err error) *Described {
	var gone *engine.UnavailableError
	if !errors.As(err, &gone) || gone.From != "" {
		return nil
	}
	st, _, err := openStorage(kind, "", "", name)
	if err != nil {
		return nil
	}
	defer st.Close()
	return describeLayers(ref, st)
}

func describeLayers(ref string, st *storage.Image) *Described {
	d := &Described{Reference: ref}
	if st.Digest.Hex != "" {
		d.Digest = st.Digest.String()
	}
	for _, l := range st.Layers {
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

// askedAtOnce is how many of them an engine is asked for at once: docker with the
// containerd store takes 20 ms for each.
const askedAtOnce = 8

// Local describes the images with a name that engines have. If one isn't running, it
// reads its storage.
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
	var gone *engine.UnavailableError
	if errors.As(err, &gone) && gone.From == "" && opt.Via != ViaAPI {
		return localStored(ctx, kind), nil
	}
	if err != nil {
		return nil, err
	}
	defer e.Close()
	all, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(i engine.Image) bool { return len(i.Tags) == 0 })
	all = all[:min(len(all), maxDescribed)]
	out := make([]Described, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(askedAtOnce)
	for i := range all {
		group.Go(func() error {
			img, err := e.Find(ctx, all[i].ID, "")
			if err == nil { // otherwise it was removed in the meantime
				out[i] = Described{Reference: all[i].Tags[0], DiffIDs: img.DiffIDs}
			}
			return context.Cause(ctx)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// localStored describes the images in the storage of an engine that isn't running:
// none, if that can't be read.
func localStored(ctx context.Context, kind engine.Kind) []Described {
	all, err := storedImages(kind)
	if err != nil {
		return nil
	}
	var out []Described
	for _, i := range all[:min(len(all), maxDescribed)] {
		if i.Name == "" || ctx.Err() != nil {
			continue
		}
		st, _, err := openStorage(kind, "", "", i.ID)
		if err != nil {
			continue
		}
		out = append(out, *describeLayers(i.Name, st))
		st.Close()
	}
	return out
}
