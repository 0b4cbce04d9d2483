// Package load opens a container image, wherever it is stored, as an
// analyzer.Image. It recognises a file by its content, never by its name or media
// type.
//
// The ID of the image is the sha256 of the config's bytes; Digest is that of the
// manifest, if the source has one. A layer's Digest comes from the manifest or
// from the name of its blob in blobs/; in older docker archives it is zero. Its
// MediaType is that of the manifest, even if it is wrong; without a manifest it is
// the OCI's media type for the layer's bytes, which docker 25 and later also
// writes.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
	"fathom/analyzer/load/cache"
	"fathom/analyzer/load/engine"
	"fathom/analyzer/load/registry"
)

// Options for Open; the zero value opens the only image of a source.
type Options struct {
	// Platform is "os/arch" or "os/arch/variant": the image to take where
	// there are several.
	Platform string
	// Image chooses among several: a tag or full name, a digest or image ID,
	// or "@N" for the Nth, counting from 0.
	Image string
	// Stdin is what "-" reads.
	Stdin io.Reader
	// Temp is the folder for temporary files; "" is the system's.
	Temp string
	// MaxMemory is how many bytes of memory the image may take; 0 is a
	// sixteenth of the machine's, or of what its control group may have, but a
	// gigabyte at least.
	MaxMemory int64
	// MaxUnpacked is how many bytes decompressing the image may give, and
	// MaxTemp how many may be in temporary files; 0 is 64 GiB each.
	MaxUnpacked, MaxTemp int64
	// NoKeep leaves out the temporary file that an uncompressed archive on a
	// stream would go to: the content of its files can't be read afterwards.
	NoKeep bool
	// Rootfs says that the source is a tar of files, to be opened as one layer,
	// whatever is in it. Without it a tar opens so that has no image's metadata
	// and looks like a root filesystem or a layer.
	Rootfs bool
	// Verify says that everything will be verified, and thus read once more.
	Verify bool
	// Via says how to read the images of an engine.
	Via Via
	// Engine says where to look for engines.
	Engine engine.Options
	// Registry says how to read from registries.
	Registry registry.Options
	// Keep keeps layers from a registry in temporary files, for reading content.
	// Otherwise a layer is downloaded again when content is read, and kept then
	// unless NoKeep is set.
	Keep bool
	// Cache caches the entries of layers in registries; may be nil.
	Cache *cache.Cache
	// TOC lists a layer in a registry from its table of contents, if it has one;
	// then the layer is Unverified.
	TOC bool
	// Look looks at the files of layers that are read before Open returns: those of
	// an archive on a stream. It must be what analyzer.Options has.
	Look []layer.Looker
	// Progress gets a task for each download and decompression; may be nil.
	Progress *analyzer.Progress
}

const (
	maxDocument    = 20 << 20  // bytes of a manifest, an index or a config
	maxEntries     = 200_000   // entries of the outer archive
	maxDocuments   = 256 << 20 // bytes of all of them
	maxDescriptors = 10_000    // manifests and indexes that are looked at
	maxLayers      = 10_000    // of one image
	maxIndexDepth  = 8
	maxLinks       = 40
	maxPath        = 4096      // bytes of a name or a link in an archive, as of a path on disk
	maxSteps       = 256 << 20 // bytes of names that are looked up in one archive
)

// opening is an Open in progress: what it has noticed and what it holds open.
type opening struct {
	opt      Options
	limits   layer.Limits
	warnings []facts.Warning
	files    []*os.File
	checks   []func() error
	closers  []func() error
	// documents is how many bytes of manifests and configs were read.
	documents int64
}

// Open opens the image that ref names: "docker:NAME", "podman:NAME" (an image or
// a container), "registry:NAME", "archive:FILE", "oci:DIR[:TAG]", the like with
// the schemes of skopeo and syft, "-" for a tar on standard input, the path of a
// file or folder, also an overlay's, or else the name of an image: the first
// engine's that has it, or its registry's. A tar of files without an image
// around it is an image of one layer, with neither config nor diff ID. The image
// holds files open until it is closed. A *NotFoundError, *SchemeError,
// *ChoiceError, *NotImageError, *LimitError, *TempError, *StorageError,
// *registry.Error or an error of package engine in the error says more.
func Open(ctx context.Context, ref string, opt Options) (*analyzer.Image, error) {
	r, err := parse(ref)
	if err != nil {
		return nil, err
	}
	if r.image != "" {
		if opt.Image != "" && opt.Image != r.image {
			return nil, fmt.Errorf("opening %s: both %q and %q are asked for", ref, r.image, opt.Image)
		}
		opt.Image = r.image
	}
	want, err := parsePlatform(opt.Platform)
	if err != nil {
		return nil, err
	}
	if opt.NoKeep && opt.Verify {
		return nil, errors.New("what is not kept can't be verified: it is read only once")
	}
	o := &opening{opt: opt, limits: opt.limits()}
	img, err := o.open(ctx, r, want)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", r.title(), errors.Join(err, o.close()))
	}
	img.Reference = ref
	img.Temp = opt.Temp
	img.Limits = o.limits
	img.Warnings = o.warnings
	img.Check = o.check
	img.Release = o.close
	return img, nil
}

func (o *opening) open(ctx context.Context, r reference, want platform) (*analyzer.Image, error) {
	if r.path == "" {
		if o.opt.Rootfs {
			return nil, errors.New("the tar of a root filesystem is expected, and it is a name")
		}
		return o.named(ctx, r, want)
	}
	if !o.opt.Rootfs {
		if img, err := o.overlay(ctx, r.path); img != nil || err != nil {
			return img, err
		}
	}
	src, err := o.source(ctx, r)
	if err != nil {
		return nil, err
	}
	if o.opt.Rootfs {
		return o.oneLayer(r, src, RootFilesystem, want)
	}
	img, err := o.image(ctx, src, want)
	var other *NotImageError
	if errors.As(err, &other) && (other.Kind == RootFilesystem || other.Kind == SingleLayer) {
		return o.oneLayer(r, src, other.Kind, want)
	}
	return img, err
}

// image chooses an image of the source and opens it.
func (o *opening) image(ctx context.Context, src source, want platform) (*analyzer.Image, error) {
	found, err := o.list(ctx, src)
	if err != nil {
		return nil, withFlaw(src, err)
	}
	c, err := o.choose(ctx, src, found, want)
	if err != nil {
		return nil, withFlaw(src, err)
	}
	img, err := o.build(ctx, src, c)
	if err != nil {
		return nil, withFlaw(src, err)
	}
	if a, ok := src.(*archive); ok {
		a.forget(img)
	}
	if flaw := src.flaw(); flaw != nil {
		o.warn("%v; the image itself is all there", flaw)
	}
	return img, nil
}

// withFlaw adds a flaw of the source to an error that it explains.
func withFlaw(src source, err error) error {
	if flaw := src.flaw(); flaw != nil {
		return fmt.Errorf("%w: %w", flaw, err)
	}
	return err
}

func (o *opening) warn(format string, args ...any) {
	o.warnings = append(o.warnings, facts.Warning{Layer: -1, Text: fmt.Sprintf(format, args...)})
}

// keep holds f open until the image is closed, and watches that it stays as it is.
func (o *opening) keep(f *os.File, name string) error {
	before, err := f.Stat()
	if err != nil {
		return err
	}
	o.files = append(o.files, f)
	o.checks = append(o.checks, func() error { return unchanged(f, before, name) })
	return nil
}

// unchanged returns an error unless f has the size and time it had before.
func unchanged(f *os.File, before os.FileInfo, name string) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if now.Size() != before.Size() {
		return fmt.Errorf("%s changed while it was read: it had %d bytes and now has %d", name, before.Size(), now.Size())
	}
	if !now.ModTime().Equal(before.ModTime()) {
		const form = "2006-01-02 15:04:05.000000000 UTC"
		return fmt.Errorf("%s was written to while it was read: its size is the same, its time was %s and now is %s",
			name, before.ModTime().UTC().Format(form), now.ModTime().UTC().Format(form))
	}
	return nil
}

func (o *opening) check() error {
	for _, check := range o.checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *opening) close() error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.Close())
	}
	o.files = nil
	for _, c := range o.closers {
		errs = append(errs, c())
	}
	o.closers = nil
	return errors.Join(errs...)
}
