package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// build opens the config and all layers of an image.
func (o *opening) build(ctx context.Context, src source, c *candidate) (*analyzer.Image, error) {
	if missing := c.missing(src); len(missing) > 0 {
		return nil, c.incomplete(missing)
	}
	raw, err := o.readConfig(src, c.config)
	if err != nil {
		return nil, err
	}
	img, err := o.configured(c, raw)
	if err != nil {
		return nil, err
	}
	opened := map[string]section{}
	for i, p := range c.layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := o.layer(src, p, opened)
		if err != nil {
			return nil, fmt.Errorf("layer %d (%s): %w", i, p.title(), err)
		}
		l.DiffID = img.Config.RootFS.DiffIDs[i]
		// The digest of an uncompressed layer is its diff ID: a difference shows
		// without reading the layer that layers were mixed up.
		if !l.Compressed && l.Digest.Algorithm == l.DiffID.Algorithm && l.Digest != l.DiffID {
			return nil, fmt.Errorf("layer %d (%s): it is not compressed, so its digest %s should be its diff ID, which is %s", i, p.title(), l.Digest, l.DiffID)
		}
		o.unchecked(i, p)
		img.Layers = append(img.Layers, l)
	}
	img.Provenance = provenance(c, nil, func(_ context.Context, p blobRef) (io.ReadCloser, error) {
		s, err := p.open(src)
		if err != nil {
			return nil, err
		}
		return reading{io.NewSectionReader(s.at, 0, s.size), s}, nil
	})
	return img, nil
}

// reading is a section as a stream.
type reading struct {
	io.Reader
	s section
}

func (r reading) Close() error { r.s.close(); return nil }

// unchecked warns about a layer whose digest uses an unknown algorithm.
func (o *opening) unchecked(i int, p blobRef) {
	if p.desc != nil && !parseDigest(p.desc.Digest).checkable() {
		o.warnings = append(o.warnings, facts.Warning{Layer: i, Text: "its digest " + p.desc.Digest + " can't be checked: unknown algorithm"})
	}
}

// configured returns the image of a config, without layers.
func (o *opening) configured(c *candidate, raw []byte) (*analyzer.Image, error) {
	config, trailing, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("reading config %s: %w", c.config.name, err)
	}
	if trailing > 0 {
		o.warn("config %s: %d bytes after its end are ignored", c.config.name, trailing)
	}
	if len(c.layers) != len(config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("the manifest has %d layers, the config %d diff IDs", len(c.layers), len(config.RootFS.DiffIDs))
	}
	if err := o.limits.Memory.Take(int64(len(raw)) * documentMemory); err != nil {
		return nil, fmt.Errorf("reading config %s: %w", c.config.name, err)
	}
	img := &analyzer.Image{
		Source:   c.form,
		ID:       digestOf(raw).hash(),
		Platform: v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant, OSVersion: config.OSVersion},
		Tags:     c.tags,
		Config:   config,

		Annotations: c.annotations,
	}
	if c.digest != "" {
		img.Digest = parseDigest(c.digest).hash()
	}
	if img.Platform.OS == "" && img.Platform.Architecture == "" {
		img.Platform = c.platform
	}
	return img, nil
}

// incomplete returns the error for an image with missing blobs.
func (c *candidate) incomplete(missing []string) error {
	const most = 10
	list := missing
	more := ""
	if len(list) > most {
		more = fmt.Sprintf(" and %d more", len(list)-most)
		list = list[:most]
	}
	foreign := ""
	for _, p := range c.layers {
		if p.desc != nil && len(p.desc.URLs) > 0 {
			foreign = " (the image has foreign layers, which are kept elsewhere)"
		}
	}
	return fmt.Errorf("blobs of the image are missing: %s%s%s", strings.Join(list, ", "), more, foreign)
}

func (p blobRef) title() string {
	if p.desc != nil {
		return p.desc.Digest
	}
	return p.name
}

// readConfig reads a config and checks it against its descriptor. In a docker
// archive, a config's file name may differ from its digest: engines load it
// nevertheless.
func (o *opening) readConfig(src source, p blobRef) ([]byte, error) {
	s, err := p.open(src)
	if err != nil {
		return nil, fmt.Errorf("reading config %s: %w", p.name, analyzer.WithoutPath(err))
	}
	defer s.close()
	b, err := o.read(s, "config "+p.name)
	if err != nil {
		return nil, err
	}
	if p.desc != nil {
		if err := p.desc.matches(b); err != nil {
			return nil, fmt.Errorf("config %w", err)
		}
		return b, nil
	}
	if want := parseDigest(namedDigest(p.name)); want.alg != "" && want.of(b) != want {
		o.warn("config %s: its file name is not its digest, which is %s", p.name, digestOf(b))
	}
	return b, nil
}

// parseConfig decodes a config, which must have a list of layers.
func parseConfig(b []byte) (config *v1.ConfigFile, trailing int, err error) {
	var shape struct {
		RootFS *struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if _, err := decode(b, &shape); err != nil {
		if err == io.ErrUnexpectedEOF {
			return nil, 0, errors.New("it is empty or cut short")
		}
		return nil, 0, err
	}
	if shape.RootFS == nil {
		return nil, 0, errors.New("it has no rootfs: it is not the config of an image")
	}
	for i, id := range shape.RootFS.DiffIDs {
		if d := parseDigest(id); !d.checkable() {
			return nil, 0, fmt.Errorf("diff ID %d of %d: %q is not a digest that can be checked", i+1, len(shape.RootFS.DiffIDs), id)
		}
	}
	config = new(v1.ConfigFile)
	trailing, err = decode(b, config)
	return config, trailing, err
}

// layer opens a layer's blob, unless it is open already, and checks its first
// bytes.
func (o *opening) layer(src source, p blobRef, opened map[string]section) (analyzer.Layer, error) {
	var l analyzer.Layer
	if p.desc != nil {
		if err := p.desc.readable(); err != nil {
			return l, err
		}
	}
	s, again := opened[p.name]
	if !again {
		var err error
		if s, err = p.open(src); err != nil {
			return l, analyzer.WithoutPath(err)
		}
		if f, ok := s.file.(*os.File); ok {
			if err := o.keep(f, p.name); err != nil {
				f.Close()
				return l, err
			}
		}
		opened[p.name] = s
	}
	if s.have < s.size {
		return l, fmt.Errorf("the archive ends after %d of its %d bytes", s.have, s.size)
	}
	head := make([]byte, min(headSize, s.size))
	if _, err := io.ReadFull(io.NewSectionReader(s.at, 0, s.size), head); err != nil {
		return l, fmt.Errorf("reading its first bytes: %w", err)
	}
	form := sniff(head)
	l.Blob = layer.Blob{Key: s.key, At: s.at, Size: s.size, List: s.list}
	l.Compressed = form.compressed()
	l.MediaType = mediaTypes[form]
	digest := parseDigest(namedDigest(p.name))
	if d := p.desc; d != nil {
		if d.Size != nil && *d.Size != s.size {
			return l, fmt.Errorf("it has %d bytes, its descriptor says %d", s.size, *d.Size)
		}
		digest = parseDigest(d.Digest)
		if d.MediaType != "" {
			l.MediaType = d.MediaType
		}
	}
	if digest.checkable() {
		l.Digest = digest.hash()
	}
	return l, form.expectLayer(l.MediaType)
}

// expectLayer returns an error if the format can't be that of a layer: a tar,
// compressed or not.
func (f form) expectLayer(t types.MediaType) error {
	switch {
	case f == formTar, f == formZeros, f == formEmpty, f.compressed():
		return nil
	case t != "":
		return fmt.Errorf("it is %s, not a tar (%s)", f, t)
	}
	return fmt.Errorf("it is %s, not a tar", f)
}

// mediaTypes has the media types for layers without a descriptor, as in a docker
// archive without an OCI manifest. Docker 25 and later writes the same.
var mediaTypes = map[form]types.MediaType{
	formEmpty: types.OCIUncompressedLayer,
	formZeros: types.OCIUncompressedLayer,
	formTar:   types.OCIUncompressedLayer,
	formGzip:  types.OCILayer,
	formZstd:  types.OCILayerZStd,
}

// readable rejects a layer whose descriptor says that it isn't a tar.
func (d descriptor) readable() error {
	t := string(d.MediaType)
	switch {
	case strings.HasSuffix(t, "+encrypted"):
		return fmt.Errorf("it is encrypted (%s)", t)
	case strings.Contains(t, "nydus"), strings.Contains(t, "erofs"), strings.Contains(t, "squashfs"):
		return fmt.Errorf("it is a file system image, not a tar (%s)", t)
	}
	for key := range d.Annotations {
		if strings.HasPrefix(key, "containerd.io/snapshot/nydus-") || strings.HasPrefix(key, "containerd.io/snapshot/overlaybd/") {
			return fmt.Errorf("it is a file system image, not a tar (%s)", key)
		}
	}
	return nil
}
