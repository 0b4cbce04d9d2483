package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fathom/analyzer/load/engine"
	"fathom/analyzer/load/storage"
)

// Found is an image that an engine has.
type Found struct {
	Ref     string // what opens it: "docker:app:1", "podman:sha256:…"
	Name    string // "" for one without a name
	ID      string
	Size    int64 // bytes, as the engine counts; 0 when unknown
	Created time.Time
}

// Engines returns the schemes of the engines that may have images.
func Engines() []string {
	names := make([]string, len(engines))
	for i, kind := range engines {
		names[i] = kind.String()
	}
	return names
}

// Images lists the images of an engine, the newest first: one for each name, and
// one for each image without a name. If the engine isn't running, Images reads
// its storage.
func Images(ctx context.Context, scheme string, opt Options) ([]Found, error) {
	for _, kind := range engines {
		if kind.String() == scheme {
			return images(ctx, kind, opt)
		}
	}
	return nil, fmt.Errorf("there is no engine %q", scheme)
}

func images(ctx context.Context, kind engine.Kind, opt Options) ([]Found, error) {
	e, err := engine.Connect(ctx, kind, opt.Engine)
	var gone *engine.UnavailableError
	if errors.As(err, &gone) && gone.Endpoint == "" && opt.Via != ViaAPI {
		if stored, missing := storedImages(kind); missing == nil {
			return stored, nil
		}
	}
	if err != nil {
		return nil, err
	}
	defer e.Close()
	all, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []Found
	for _, img := range all {
		out = append(out, found(kind, img.ID, img.Tags, img.Size, img.Created)...)
	}
	return out, nil
}

func storedImages(kind engine.Kind) ([]Found, error) {
	var all []storage.Summary
	var err error
	if kind == engine.Podman {
		all, err = storage.PodmanImages(storage.PodmanOptions{})
	} else {
		all, err = storage.DockerImages(dockerRoot)
	}
	if err != nil {
		return nil, err
	}
	var out []Found
	for _, img := range all {
		out = append(out, found(kind, img.ID.String(), img.Tags, img.Size, img.Created)...)
	}
	return out, nil
}

func found(kind engine.Kind, id string, tags []string, size int64, created time.Time) []Found {
	if len(tags) == 0 {
		return []Found{{Ref: kind.String() + ":" + id, ID: id, Size: size, Created: created}}
	}
	out := make([]Found, len(tags))
	for i, tag := range tags {
		out[i] = Found{Ref: kind.String() + ":" + tag, Name: tag, ID: id, Size: size, Created: created}
	}
	return out
}
