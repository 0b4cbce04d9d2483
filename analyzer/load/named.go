package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/load/engine"
	"fathom/analyzer/load/storage"
)

// Via says how to read the images of an engine.
type Via string

const (
	ViaBest    Via = ""        // from its storage, or if that can't be read through its API
	ViaStorage Via = "storage" // from the folders in which the engine keeps its layers
	ViaAPI     Via = "api"     // from the archive that the engine saves
)

// StorageError says that an engine's storage does not match its records. The
// engine itself may still be able to save the image.
type StorageError = storage.Error

// UnavailableError says that no engine can be reached, NoImageError that an engine
// does not have the image.
type (
	UnavailableError = engine.UnavailableError
	NoImageError     = engine.NoImageError
)

// ErrSilent is the cause if an engine sent nothing for as long as Options.Engine
// allows.
var ErrSilent = engine.ErrSilent

// dockerRoot is docker's default data root.
const dockerRoot = "/var/lib/docker"

// engines are the engines in the order in which a name without scheme is tried.
var engines = [...]engine.Kind{engine.Docker, engine.Podman}

// named opens an image by its name.
func (o *opening) named(ctx context.Context, r reference, want platform) (*analyzer.Image, error) {
	switch r.scheme {
	case "docker":
		return o.imageOrContainer(ctx, engine.Docker, r.name, want)
	case "podman":
		return o.imageOrContainer(ctx, engine.Podman, r.name, want)
	case "registry":
		return o.registry(ctx, r.name, want)
	}
	return o.anywhere(ctx, r.name, want)
}

// anywhere opens an image by a name without scheme: in the first engine that has
// it, otherwise in its registry.
func (o *opening) anywhere(ctx context.Context, name string, want platform) (*analyzer.Image, error) {
	var absent []error
	for _, kind := range engines {
		img, err := o.engine(ctx, kind, name, want)
		var gone *engine.UnavailableError
		var none *engine.NoImageError
		switch {
		case err == nil:
			return img, nil
		case errors.As(err, &gone):
			if gone.Denied || gone.From != "" {
				o.opt.Progress.Note(err.Error()) // the user expects a configured engine to be used
			}
		case !errors.As(err, &none):
			return nil, err
		}
		absent = append(absent, err)
	}
	if isID(name) {
		return nil, &NotFoundError{Reference: name, Name: name, Engines: absent}
	}
	img, err := o.registry(ctx, name, want)
	if err != nil {
		return nil, &NotFoundError{Reference: name, Name: name, Engines: absent, Err: err}
	}
	o.opt.Progress.Note(fmt.Sprintf("%s is read from its registry: no engine here has it", name))
	return img, nil
}

// isID reports whether a name is an ID, which registries don't know.
func isID(name string) bool {
	return strings.HasPrefix(name, "sha256:") || len(name) == 64 && hexID.MatchString(name)
}

// engine opens an image of an engine: from its storage if that can be read,
// otherwise from the archive that the engine saves.
func (o *opening) engine(ctx context.Context, kind engine.Kind, name string, want platform) (*analyzer.Image, error) {
	e, err := engine.Connect(ctx, kind, o.opt.Engine)
	var gone *engine.UnavailableError
	if errors.As(err, &gone) && o.opt.Via != ViaAPI {
		return o.withoutEngine(kind, name, want, gone)
	}
	if err != nil {
		return nil, err
	}
	defer e.Close()
	found, err := e.Find(ctx, name, o.opt.Platform)
	if err != nil {
		return nil, err
	}
	if o.opt.Image != "" {
		return nil, fmt.Errorf("%q can't be chosen: %s's %s is one image", o.opt.Image, kind, name)
	}
	why := ""
	if o.opt.Via != ViaAPI {
		img, place, err := o.fromStorage(ctx, e, found, want)
		if err == nil {
			o.noteStorage(kind, name, place)
			img.Tags = fullNames(found.Tags)
			return img, nil
		}
		if ctx.Err() != nil || o.opt.Via == ViaStorage {
			return nil, err
		}
		why = fmt.Sprintf(" (not from its storage: %v)", err)
	}
	o.opt.Progress.Note(fmt.Sprintf("%s is saved by %s at %s%s", name, kind, e.Endpoint, why))
	img, err := o.saved(ctx, e, found, want)
	if err != nil {
		return nil, err
	}
	img.Source, img.Tags = kind.String(), fullNames(found.Tags)
	return img, nil
}

// withoutEngine opens an image in the storage of an engine that is not running.
func (o *opening) withoutEngine(kind engine.Kind, name string, want platform, gone *engine.UnavailableError) (*analyzer.Image, error) {
	if gone.From != "" {
		return nil, gone // its storage may be on another machine
	}
	st, place, err := openStorage(kind, "", "", name)
	var none *storage.NotFoundError
	var many *storage.AmbiguousError
	switch {
	case errors.As(err, &none):
		return nil, &engine.NoImageError{Kind: kind, Endpoint: none.Root, Name: name}
	case errors.As(err, &many):
		return nil, &engine.AmbiguousError{Kind: kind, Name: name, IDs: many.IDs}
	case err != nil && o.opt.Via == ViaStorage:
		return nil, err
	case err != nil:
		return nil, gone
	}
	o.closers = append(o.closers, st.Close)
	if o.opt.Image != "" {
		return nil, fmt.Errorf("%q can't be chosen: %s's %s is one image", o.opt.Image, kind, name)
	}
	img, err := o.stored(kind, st, want)
	if err != nil {
		return nil, err
	}
	o.noteStorage(kind, name, place)
	return img, nil
}

func (o *opening) noteStorage(kind engine.Kind, name, place string) {
	text := fmt.Sprintf("%s is read from %s's storage", name, kind)
	if place != "" {
		text += " in " + place
	}
	o.opt.Progress.Note(text)
}

// fromStorage opens an image in the storage of a running engine.
func (o *opening) fromStorage(ctx context.Context, e *engine.Engine, found engine.Image, want platform) (*analyzer.Image, string, error) {
	if !e.Local {
		return nil, "", errors.New("the engine is not on this machine")
	}
	at, err := e.Storage(ctx)
	if err != nil {
		return nil, "", err
	}
	if at.Content || found.Content {
		img, err := o.contents(ctx, e.Kind, at.Root, found)
		return img, at.Root, err
	}
	if at.Kind != e.Kind {
		return nil, "", fmt.Errorf("what answers is %s", at.Kind)
	}
	st, place, err := openStorage(e.Kind, at.Root, at.Driver, found.ID)
	if err != nil {
		return nil, "", err
	}
	o.closers = append(o.closers, st.Close)
	img, err := o.stored(e.Kind, st, want)
	return img, place, err
}

// contents opens an image in containerd's content store.
func (o *opening) contents(ctx context.Context, kind engine.Kind, root string, found engine.Image) (*analyzer.Image, error) {
	digest, err := v1.NewHash(found.ID)
	if err != nil {
		return nil, err
	}
	dir, index, err := storage.Content(root, digest)
	if err != nil {
		return nil, err
	}
	want, err := parsePlatform(found.Platform) // if there are several, the engine has chosen
	if err != nil {
		return nil, err
	}
	img, err := o.image(ctx, contentStore{folder(dir), index}, want)
	if err != nil {
		return nil, err
	}
	img.Source = kind.String()
	return img, nil
}

// contentStore is a folder of blobs that has no index of its own.
type contentStore struct {
	folder
	index []byte
}

func (s contentStore) open(name string) (section, error) {
	b := s.index
	switch name {
	case "index.json":
	case "oci-layout":
		b = []byte(`{"imageLayoutVersion":"1.0.0"}`)
	case "manifest.json":
		return section{}, fs.ErrNotExist
	default:
		return s.folder.open(name)
	}
	return section{at: bytes.NewReader(b), size: int64(len(b)), have: int64(len(b))}, nil
}

// openStorage opens an image in an engine's storage: in root, or if that is "" in
// the default folder.
func openStorage(kind engine.Kind, root, driver, name string) (*storage.Image, string, error) {
	if kind == engine.Podman {
		img, err := storage.Podman(storage.PodmanOptions{Root: root, Driver: driver}, name)
		return img, root, err
	}
	if root == "" {
		root = dockerRoot
	}
	img, err := storage.Docker(root, name)
	return img, root, err
}

// stored returns the image of an engine's storage.
func (o *opening) stored(kind engine.Kind, st *storage.Image, want platform) (*analyzer.Image, error) {
	c := &candidate{form: kind.String(), config: blobRef{name: st.ID.String()}, layers: make([]blobRef, len(st.Layers))}
	var doc document
	if json.Unmarshal(st.Manifest, &doc) == nil { // docker keeps no manifest
		c.annotations = doc.Annotations
	}
	img, err := o.configured(c, st.Config)
	if err != nil {
		return nil, err
	}
	if !want.fits(img.Platform) {
		return nil, &engine.PlatformError{Kind: kind, Name: st.ID.String(), Want: want.String(), Have: img.Platform.String()}
	}
	img.Tags, img.Digest = fullNames(st.Tags), st.Digest
	for _, l := range st.Layers {
		img.Layers = append(img.Layers, analyzer.Layer{DiffID: l.DiffID, MediaType: types.OCIUncompressedLayer, Blob: l.Blob})
	}
	o.checks = append(o.checks, st.Check)
	return img, nil
}

// saved opens an image from the archive that the engine saves.
func (o *opening) saved(ctx context.Context, e *engine.Engine, found engine.Image, want platform) (*analyzer.Image, error) {
	stream, err := e.Save(ctx, found)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	src, err := o.receive(ctx, stream, 0, e.Kind.String())
	if err == nil {
		var img *analyzer.Image
		if img, err = o.image(ctx, src, want); err == nil {
			return img, nil
		}
	}
	if ctx.Err() == nil {
		if said := stream.Said(); said != nil {
			return nil, said // the cause of err
		}
	}
	return nil, err
}

// fullNames returns the full names of an engine's tags, sorted.
func fullNames(tags []string) []string {
	full := make([]string, len(tags))
	for i, tag := range tags {
		full[i] = fullName(tag)
	}
	c := &candidate{}
	c.addTags(full...)
	return c.tags
}
