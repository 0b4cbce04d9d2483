package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/load/registry"
)

const (
	// maxFetches is how many manifests of an index are fetched to find the
	// image: its indexes, and images of which it doesn't say the platform.
	maxFetches = 64
	// remoteLayers is how many layers are downloaded at a time, at least.
	remoteLayers = 4
)

// remote is an image in a registry, while it is opened and after.
type remote struct {
	o       *opening
	repo    *registry.Repository
	fetches int
	blobs   map[string]*remoteBlob // by digest
}

// registry opens an image in a registry.
func (o *opening) registry(ctx context.Context, name string, want platform) (*analyzer.Image, error) {
	repo, err := registry.Open(name, o.opt.Registry)
	if err != nil {
		return nil, err
	}
	r := &remote{o: o, repo: repo, blobs: map[string]*remoteBlob{}}
	o.closers = append(o.closers, r.close)
	task := o.opt.Progress.Start("asking "+repo.Host(), 0)
	defer task.Finish()
	c, err := r.choose(ctx, want)
	if err != nil {
		return nil, err
	}
	raw, err := r.config(ctx, c)
	if err != nil {
		return nil, err
	}
	img, err := o.configured(c, raw)
	if err != nil {
		return nil, err
	}
	for i, p := range c.layers {
		l, err := r.layer(*p.desc, img.Config.RootFS.DiffIDs[i])
		if err != nil {
			return nil, fmt.Errorf("layer %d (%s): %w", i, p.title(), err)
		}
		o.unchecked(i, p)
		img.Layers = append(img.Layers, l)
	}
	img.Parallel = remoteLayers
	img.Provenance = provenance(c, r.manifest, func(ctx context.Context, p blobRef) (io.ReadCloser, error) {
		size := int64(-1)
		if p.desc.Size != nil {
			size = *p.desc.Size
		}
		if size > maxAttestation {
			return nil, &LimitError{What: "the attestation", Limit: maxAttestation, Unit: "bytes"}
		}
		return r.repo.Blob(ctx, parseDigest(p.desc.Digest).hash(), size)
	})
	if err := r.tables(ctx, img, c.layers); err != nil {
		return nil, err
	}
	for _, note := range repo.Notes() {
		o.warn("%s", note)
	}
	return img, nil
}

// choose finds the image that is asked for, and fetches its manifest.
func (r *remote) choose(ctx context.Context, want platform) (*candidate, error) {
	root, err := r.repo.Root(ctx)
	if err != nil {
		return nil, err
	}
	var tags []string
	if tag := r.repo.Tag(); tag != "" {
		tags = []string{fullName(r.repo.Name())}
	}
	w := r.walker(r.index)
	self := descriptor{Digest: root.Digest.String(), MediaType: root.MediaType}
	if err := w.document(ctx, self, root.Bytes, tags); err != nil {
		return nil, err
	}
	attest(w.found)
	c, err := r.pick(ctx, w.found, want)
	if err != nil || !c.absent {
		return c, err
	}
	// So far only the index was fetched.
	w = r.walker(nil)
	d := descriptor{Digest: c.digest}
	b, err := r.manifest(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := w.document(ctx, d, b, c.tags); err != nil {
		return nil, err
	}
	if len(w.found) != 1 {
		return nil, fmt.Errorf("manifest %s is an index, but its descriptor does not say so", c.digest)
	}
	got := w.found[0]
	got.platform, got.attestations = c.platform, c.attestations
	if got.other != "" {
		return nil, notImage(w.found, got)
	}
	return got, nil
}

func (r *remote) walker(get func(context.Context, descriptor) ([]byte, error)) *walker {
	return &walker{o: r.o, form: "registry", byBlob: map[string]*candidate{}, get: get,
		names: func(d digest) []string { return []string{d.String()} }}
}

// index fetches a manifest or index while the image is chosen. It does not fetch
// the manifest of an image whose platform the index names.
func (r *remote) index(ctx context.Context, d descriptor) ([]byte, error) {
	switch {
	case d.MediaType.IsIndex():
	case d.Platform != nil && (d.Platform.OS != "" || d.Platform.Architecture != ""), pseudo(d, nil) != "":
		return nil, fs.ErrNotExist
	}
	return r.manifest(ctx, d)
}

func (r *remote) manifest(ctx context.Context, d descriptor) ([]byte, error) {
	if r.fetches++; r.fetches > maxFetches {
		return nil, &LimitError{What: "what has to be fetched of the index", Limit: maxFetches, Unit: "manifests"}
	}
	m, err := r.repo.Manifest(ctx, parseDigest(d.Digest).hash())
	if err != nil {
		return nil, err
	}
	if r.o.documents += int64(len(m.Bytes)); r.o.documents > maxDocuments {
		return nil, &LimitError{What: "all manifests and configs", Limit: maxDocuments, Unit: "bytes"}
	}
	if err := d.matches(m.Bytes); err != nil {
		return nil, fmt.Errorf("manifest %w", err)
	}
	return m.Bytes, nil
}

// pick returns the one image that is asked for. Unless Platform or Image says
// otherwise that is the one for Linux and the architecture of this machine.
func (r *remote) pick(ctx context.Context, found []*candidate, want platform) (*candidate, error) {
	opt := &r.o.opt
	images, err := r.o.images(found, "an index without any image in it")
	if err != nil {
		return nil, err
	}
	fit, err := matching(images, opt.Image)
	if err != nil {
		return nil, err
	}
	asked, all := opt.Platform, fit
	unasked := len(fit) > 1 && want == (platform{}) && opt.Image == ""
	if unasked {
		want = host()
		asked = want.String()
	}
	if len(fit) > 1 || want != (platform{}) {
		if err := r.platforms(ctx, fit); err != nil {
			return nil, err
		}
	}
	fit = fitting(fit, want)
	if len(fit) == 1 {
		if unasked {
			r.o.notePlatform(fit[0], all)
		}
		return fit[0], nil
	}
	return nil, r.o.choiceError(images, fit, asked, func(*candidate) int { return 0 })
}

// platforms sets the platforms that the index doesn't name, from the configs.
func (r *remote) platforms(ctx context.Context, images []*candidate) error {
	for _, c := range images {
		if c.absent || c.platform.OS != "" || c.platform.Architecture != "" {
			continue
		}
		if r.fetches++; r.fetches > maxFetches {
			return &LimitError{What: "what has to be fetched of the index", Limit: maxFetches, Unit: "manifests"}
		}
		b, err := r.config(ctx, c)
		if err != nil {
			return err
		}
		config, _, err := parseConfig(b)
		if err != nil {
			return fmt.Errorf("reading config %s: %w", c.config.title(), err)
		}
		c.id = digestOf(b).String()
		c.platform = v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	}
	return nil
}

// config fetches an image's config and checks its digest.
func (r *remote) config(ctx context.Context, c *candidate) ([]byte, error) {
	d := *c.config.desc
	if b, ok := d.data(); ok && d.matches(b) == nil {
		return b, nil
	}
	size := int64(-1)
	if d.Size != nil {
		size = *d.Size
	}
	what := "config " + d.Digest
	if size > maxDocument {
		return nil, &LimitError{What: what, Limit: maxDocument, Unit: "bytes"}
	}
	body, err := r.repo.Blob(ctx, parseDigest(d.Digest).hash(), size)
	if err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxDocument+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the config: %w", err)
	case len(b) > maxDocument:
		return nil, &LimitError{What: what, Limit: maxDocument, Unit: "bytes"}
	}
	if err := d.matches(b); err != nil {
		return nil, fmt.Errorf("config %w", err)
	}
	return b, nil
}

// layer returns a layer that is downloaded when it is read.
func (r *remote) layer(d descriptor, diffID v1.Hash) (analyzer.Layer, error) {
	l := analyzer.Layer{DiffID: diffID, MediaType: d.MediaType}
	if err := d.readable(); err != nil {
		return l, err
	}
	digest := parseDigest(d.Digest)
	if digest.checkable() {
		l.Digest = digest.hash()
	}
	// The blob of an uncompressed layer is its tar: both have one digest. The media
	// type may be wrong.
	l.Compressed = l.Digest != diffID
	if l.Digest.Algorithm != diffID.Algorithm {
		l.Compressed = compressedType(d.MediaType)
	}
	b := r.blobs[d.Digest]
	if b == nil {
		b = &remoteBlob{r: r, desc: d, digest: digest.hash(), size: -1, compressed: l.Compressed, busy: make(chan struct{}, 1)}
		if d.Size != nil {
			b.size = *d.Size
		}
		r.blobs[d.Digest] = b
	}
	if d.Size != nil && *d.Size != b.size {
		return l, errors.New("it is listed with two different sizes")
	}
	l.Blob = b.blob()
	l.Blob.Key = d.Digest
	return l, nil
}

func compressedType(t types.MediaType) bool {
	return strings.HasSuffix(string(t), "gzip") || strings.HasSuffix(string(t), "zstd")
}

// foreign returns the URL of a layer that registries may not distribute, or "".
func (d descriptor) foreign() string {
	where := ""
	if len(d.URLs) > 0 {
		where = d.URLs[0]
	}
	if t := string(d.MediaType); strings.Contains(t, ".foreign.") || strings.Contains(t, ".nondistributable.") {
		return cmp.Or(where, "an address that is not given")
	}
	return where
}

func (r *remote) close() error {
	var errs []error
	for _, b := range r.blobs {
		errs = append(errs, b.close())
	}
	r.repo.Close()
	return errors.Join(errs...)
}
