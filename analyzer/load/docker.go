package load

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"fathom/analyzer"
)

// dockerItem is an element of a docker archive's manifest.json.
type dockerItem struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerImages returns the images of a manifest.json that is an array.
func (o *opening) dockerImages(manifest []byte) ([]*candidate, error) {
	var items []dockerItem
	trailing, err := decode(manifest, &items)
	if err != nil {
		return nil, fmt.Errorf("reading manifest.json: %w", err)
	}
	if trailing > 0 {
		o.warn("manifest.json: %d bytes after its end are ignored", trailing)
	}
	if len(items) > maxDescriptors {
		return nil, &LimitError{What: "manifest.json", Limit: maxDescriptors, Unit: "images"}
	}
	var found []*candidate
	for i, item := range items {
		for _, name := range append([]string{item.Config}, item.Layers...) {
			if len(name) > maxPath {
				return nil, &LimitError{What: "a name in manifest.json", Limit: maxPath, Unit: "bytes"}
			}
		}
		if clean(item.Config) == "" {
			return nil, fmt.Errorf("reading manifest.json: image %d has no Config", i)
		}
		c := &candidate{form: "docker-archive", config: blobRef{name: clean(item.Config)}}
		if len(item.Layers) > maxLayers {
			return nil, &LimitError{What: "an image of manifest.json", Limit: maxLayers, Unit: "layers"}
		}
		for _, name := range item.Layers {
			if clean(name) == "" {
				return nil, fmt.Errorf("reading manifest.json: image %d has a layer without a name", i)
			}
			c.layers = append(c.layers, blobRef{name: clean(name)})
		}
		if len(item.RepoTags) > maxDescriptors {
			return nil, &LimitError{What: "an image of manifest.json", Limit: maxDescriptors, Unit: "tags"}
		}
		tags := make([]string, len(item.RepoTags))
		for i, tag := range item.RepoTags {
			tags[i] = fullName(tag)
		}
		c.addTags(tags...)
		found = append(found, c)
	}
	return found, nil
}

// namedDigest returns the digest in a file's name, or "": the name is
// "blobs/sha256/<hex>", "<hex>.json", or "sha256:<hex>".
func namedDigest(name string) string {
	base := path.Base(name)
	if dir := path.Dir(name); path.Base(path.Dir(dir)) == "blobs" {
		d := path.Base(dir) + ":" + base
		if parseDigest(d).checkable() {
			return d
		}
		return ""
	}
	if strings.HasPrefix(base, "sha256:") && parseDigest(base).checkable() {
		return base
	}
	if hex, ok := strings.CutSuffix(base, ".json"); ok && parseDigest("sha256:"+hex).checkable() {
		return "sha256:" + hex
	}
	return ""
}

// join merges the images of manifest.json with those of index.json. Both list the
// same images; those of manifest.json come first.
func join(docker, oci []*candidate) []*candidate {
	all := docker
	byKey := map[string]*candidate{}
	for _, d := range docker {
		for _, key := range []string{d.config.name, d.config.name + "\x00" + d.layerNames()} {
			if byKey[key] == nil {
				byKey[key] = d
			}
		}
	}
	for _, c := range oci {
		key := c.config.name + "\x00" + c.layerNames()
		if len(c.layers) == 0 {
			key = c.config.name // docker 25.0.0 wrote manifests without layers
		}
		same := byKey[key]
		if c.config.name == "" || same == nil {
			all = append(all, c)
			continue
		}
		same.addTags(c.tags...)
		if same.digest != "" {
			continue
		}
		same.digest, same.above, same.platform = c.digest, c.above, c.platform
		same.annotations, same.attestations = c.annotations, c.attestations
		same.config.desc = c.config.desc
		if len(c.layers) == len(same.layers) {
			for i := range same.layers {
				same.layers[i].desc = c.layers[i].desc
			}
		}
	}
	return all
}

// layerNames returns the names of the layers as one string, for comparing.
func (c *candidate) layerNames() string {
	var b strings.Builder
	for _, p := range c.layers {
		b.WriteString(p.name)
		b.WriteByte(0)
	}
	return b.String()
}

// list finds every image of a source.
func (o *opening) list(ctx context.Context, src source) ([]*candidate, error) {
	manifest, err := o.readOptional(src, "manifest.json")
	if err != nil {
		return nil, err
	}
	if a, ok := src.(*archive); ok {
		for _, name := range []string{"manifest.json", "index.json"} {
			if a.repeats[name] {
				o.warn("%s is in the archive more than once; the last one counts", name)
			}
		}
	}
	var docker []*candidate
	if manifest != nil {
		switch first(manifest) {
		case '[', 'n': // null is an empty list
			if docker, err = o.dockerImages(manifest); err != nil {
				return nil, err
			}
		case '{':
			return o.dirImages(ctx, src, manifest)
		default:
			return nil, errors.New("reading manifest.json: it is not JSON")
		}
	}
	idx, err := o.readOptional(src, "index.json")
	if err != nil {
		return nil, err
	}
	if idx == nil {
		if manifest == nil {
			return nil, nothing(src)
		}
		return docker, nil
	}
	oci, err := o.layoutImages(ctx, src, idx, manifest != nil)
	if err != nil {
		return nil, err
	}
	return join(docker, oci), nil
}

// readOptional reads a document; it returns nil if the source doesn't have it.
func (o *opening) readOptional(src source, name string) ([]byte, error) {
	s, err := src.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, analyzer.WithoutPath(err))
	}
	defer s.close()
	b, err := o.read(s, name)
	if err != nil {
		return nil, err
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

// nothing returns an error that says what a source without an image's metadata is.
func nothing(src source) error {
	switch src := src.(type) {
	case *archive:
		if src.has("oci-layout") {
			return errors.New("it has oci-layout but no index.json")
		}
		if src.cut {
			return errors.New("neither manifest.json nor index.json came up to there")
		}
		return src.noImage()
	default:
		names := src.names()
		for _, name := range names {
			if name == "oci-layout" {
				return errors.New("it has oci-layout but no index.json")
			}
		}
		if len(names) == 0 {
			return &NotImageError{NoImages, "an empty folder"}
		}
		return &NotImageError{NoImages, "a folder with neither index.json nor manifest.json"}
	}
}
