package load

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// descriptor names content by its digest. Unlike ggcr's it takes any digest,
// so that one of an unknown algorithm doesn't make the rest unreadable.
type descriptor struct {
	MediaType    types.MediaType   `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Digest       string            `json:"digest"`
	Size         *int64            `json:"size"`
	Data         string            `json:"data"`
	URLs         []string          `json:"urls"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *v1.Platform      `json:"platform"`
}

// document is a manifest or an index. Its fields decide which one it is: the media
// type may be missing or wrong.
type document struct {
	MediaType    types.MediaType `json:"mediaType"`
	ArtifactType string          `json:"artifactType"`
	Manifests    []descriptor    `json:"manifests"`
	Config       *descriptor     `json:"config"`
	Layers       []descriptor    `json:"layers"`
	FSLayers     []any           `json:"fsLayers"`
	Subject      *descriptor     `json:"subject"`

	Annotations map[string]string `json:"annotations"`
}

// walker walks through the indexes of a source and collects the images.
type walker struct {
	o     *opening
	src   source
	names func(digest) []string // the file names that a blob may have
	form  string
	// get fetches a manifest or index; nil reads it from src. If it does not
	// exist, the error is fs.ErrNotExist.
	get func(context.Context, descriptor) ([]byte, error)

	found   []*candidate
	byBlob  map[string]*candidate // by digest of the manifest
	visits  int
	parents []string // digests of the indexes above
}

// layoutImages returns the images of an OCI layout.
func (o *opening) layoutImages(ctx context.Context, src source, index []byte, docker bool) ([]*candidate, error) {
	form := "oci-archive"
	if _, ok := src.(folder); ok {
		form = "oci-layout"
	}
	if s, err := src.open("oci-layout"); err == nil {
		s.close()
	} else if !docker {
		o.warn("oci-layout is missing; index.json is used nevertheless")
	}
	w := &walker{o: o, src: src, form: form, byBlob: map[string]*candidate{}, names: func(d digest) []string {
		return []string{"blobs/" + d.alg + "/" + d.hex}
	}}
	var doc document
	trailing, err := decode(index, &doc)
	if err != nil {
		return nil, fmt.Errorf("reading index.json: %w", err)
	}
	if trailing > 0 {
		o.warn("index.json: %d bytes after its end are ignored", trailing)
	}
	if doc.Config != nil || doc.Layers != nil {
		return nil, errors.New("reading index.json: it is a manifest, not an index")
	}
	for _, d := range doc.Manifests {
		if err := w.walk(ctx, d, tagsOf(d)); err != nil {
			return nil, fmt.Errorf("reading index.json: %w", err)
		}
	}
	attest(w.found)
	return w.found, nil
}

// dirImages returns the images of a folder that skopeo wrote with dir:. Its
// manifest.json is the manifest or index of a registry.
func (o *opening) dirImages(ctx context.Context, src source, manifest []byte) ([]*candidate, error) {
	var doc document
	if _, err := decode(manifest, &doc); err != nil {
		return nil, fmt.Errorf("reading manifest.json: %w", err)
	}
	if doc.Config == nil && doc.Manifests == nil && doc.FSLayers == nil {
		return nil, &NotImageError{NoImages, "an archive or folder whose manifest.json is not an image manifest"}
	}
	w := &walker{o: o, src: src, form: "dir", byBlob: map[string]*candidate{}, names: func(d digest) []string {
		return []string{d.hex, d.hex + ".manifest.json"}
	}}
	self := descriptor{Digest: digestOf(manifest).String(), MediaType: doc.MediaType}
	if err := w.document(ctx, self, manifest, nil); err != nil {
		return nil, fmt.Errorf("reading manifest.json: %w", err)
	}
	attest(w.found)
	return w.found, nil
}

// tagsOf returns the names in a descriptor of index.json.
func tagsOf(d descriptor) []string {
	name, ref := d.Annotations["io.containerd.image.name"], d.Annotations["org.opencontainers.image.ref.name"]
	switch {
	case name != "":
		return []string{fullName(name)}
	case strings.ContainsAny(ref, "/:"):
		return []string{fullName(ref)}
	case ref != "":
		return []string{ref} // a tag without a repository
	}
	return nil
}

// walk reads the manifest or index of a descriptor.
func (w *walker) walk(ctx context.Context, d descriptor, tags []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.visits++; w.visits > maxDescriptors {
		return &LimitError{What: "the index", Limit: maxDescriptors, Unit: "manifests"}
	}
	if err := d.check(); err != nil {
		return err
	}
	for _, p := range w.parents {
		if p == d.Digest {
			return fmt.Errorf("index %s contains itself", d.Digest)
		}
	}
	if c := w.byBlob[d.Digest]; c != nil {
		c.addTags(tags...)
		return nil
	}
	b, err := w.read(ctx, d)
	if errors.Is(err, fs.ErrNotExist) {
		// This is legal: an archive may have only some platforms of an index.
		w.add(&candidate{digest: d.Digest, absent: true, other: pseudo(d, nil), about: attests(d, nil)}, d, tags)
		return nil
	}
	if err != nil {
		return err
	}
	return w.document(ctx, d, b, tags)
}

// document adds a manifest, or walks through an index.
func (w *walker) document(ctx context.Context, d descriptor, b []byte, tags []string) error {
	var doc document
	if first(b) != '{' {
		w.add(&candidate{digest: d.Digest, other: "neither a manifest nor an index"}, d, tags)
		return nil
	}
	if _, err := decode(b, &doc); err != nil {
		return fmt.Errorf("reading manifest %s: %w", d.Digest, err)
	}
	isManifest := doc.Config != nil || doc.Layers != nil
	switch {
	case doc.Manifests != nil && isManifest:
		return fmt.Errorf("%s is a manifest and an index at once", d.Digest)
	case doc.Manifests != nil:
		if len(w.parents) == maxIndexDepth {
			return &LimitError{What: "the depth of the index", Limit: maxIndexDepth, Unit: "levels"}
		}
		w.parents = append(w.parents, d.Digest)
		defer func() { w.parents = w.parents[:len(w.parents)-1] }()
		for _, child := range doc.Manifests {
			if err := w.walk(ctx, child, tags); err != nil {
				return err
			}
		}
		return nil
	case doc.FSLayers != nil:
		w.add(&candidate{digest: d.Digest, other: "an image of schema 1, which is not supported"}, d, tags)
		return nil
	case attests(d, &doc) != "":
		c := &candidate{digest: d.Digest, other: attestation, about: attests(d, &doc)}
		w.attestationDoc(c, &doc)
		w.add(c, d, tags)
		return nil
	case doc.Config == nil:
		w.add(&candidate{digest: d.Digest, other: artifact(doc, d)}, d, tags)
		return nil
	}
	c := &candidate{digest: d.Digest, other: pseudo(d, &doc), annotations: doc.Annotations}
	if c.other == "" {
		if err := doc.Config.check(); err != nil {
			return fmt.Errorf("manifest %s: config: %w", d.Digest, err)
		}
		if len(doc.Layers) > maxLayers {
			return &LimitError{What: "manifest " + d.Digest, Limit: maxLayers, Unit: "layers"}
		}
		c.config = w.blobRef(*doc.Config)
		for i, l := range doc.Layers {
			if err := l.check(); err != nil {
				return fmt.Errorf("manifest %s: layer %d: %w", d.Digest, i, err)
			}
			c.layers = append(c.layers, w.blobRef(l))
		}
	}
	w.add(c, d, tags)
	return nil
}

func (w *walker) add(c *candidate, d descriptor, tags []string) {
	c.form = w.form
	c.above = append([]string(nil), w.parents...)
	if d.Platform != nil {
		c.platform = *d.Platform
	}
	c.addTags(tags...)
	w.byBlob[d.Digest] = c
	w.found = append(w.found, c)
}

// blobRef returns a reference to the blob of a descriptor.
func (w *walker) blobRef(d descriptor) blobRef {
	names := w.names(parseDigest(d.Digest))
	return blobRef{name: names[0], more: names[1:], desc: &d}
}

// read reads the manifest or index of d and checks its digest.
func (w *walker) read(ctx context.Context, d descriptor) ([]byte, error) {
	if w.get != nil {
		return w.get(ctx, d)
	}
	s, err := w.blobRef(d).open(w.src)
	if err != nil {
		return nil, err
	}
	defer s.close()
	b, err := w.o.read(s, "manifest "+d.Digest)
	if err != nil {
		return nil, err
	}
	if err := d.matches(b); err != nil {
		return nil, fmt.Errorf("manifest %w", err)
	}
	return b, nil
}

// check rejects a descriptor with an invalid digest or size.
func (d descriptor) check() error {
	if parseDigest(d.Digest).alg == "" {
		return fmt.Errorf("%q is not a digest", d.Digest)
	}
	if d.Size != nil && *d.Size < 0 {
		return fmt.Errorf("%s has the size %d", d.Digest, *d.Size)
	}
	return nil
}

// matches compares content with the size and digest of d.
func (d descriptor) matches(b []byte) error {
	if d.Size != nil && *d.Size != int64(len(b)) {
		return fmt.Errorf("%s has %d bytes, its descriptor says %d", d.Digest, len(b), *d.Size)
	}
	want := parseDigest(d.Digest)
	if !want.checkable() {
		return nil
	}
	if got := want.of(b); got != want {
		return fmt.Errorf("%s is damaged: its content has the digest %s", want, got)
	}
	return nil
}

func (d descriptor) data() ([]byte, bool) {
	if d.Data == "" {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(d.Data)
	return b, err == nil
}

// attestation is what pseudo says of a manifest of attestations.
const attestation = "an attestation"

// pseudo says what a manifest is that isn't an image, or returns "". Attestations
// are recognised as moby does it, artifacts by the OCI's rule. doc is nil if the
// source doesn't have the manifest.
func pseudo(d descriptor, doc *document) string {
	if d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
		return attestation
	}
	if p := d.Platform; p != nil && p.OS == "unknown" && p.Architecture == "unknown" {
		return attestation
	}
	if doc == nil {
		if d.ArtifactType != "" && d.ArtifactType != string(types.OCIConfigJSON) {
			return "an artifact of type " + d.ArtifactType
		}
		return ""
	}
	switch doc.Config.MediaType {
	case types.OCIConfigJSON, types.DockerConfigJSON, "application/octet-stream", "":
	default:
		return artifact(*doc, d)
	}
	if doc.ArtifactType != "" && doc.ArtifactType != string(types.OCIConfigJSON) {
		return artifact(*doc, d)
	}
	layers := len(doc.Layers) == 0
	for _, l := range doc.Layers {
		layers = layers || layerType(l.MediaType)
	}
	if !layers {
		return fmt.Sprintf("an artifact with content of type %s", doc.Layers[0].MediaType)
	}
	return ""
}

func artifact(doc document, d descriptor) string {
	kind := doc.ArtifactType
	if kind == "" && doc.Config != nil {
		kind = string(doc.Config.MediaType)
	}
	if kind == "" {
		kind = d.ArtifactType
	}
	if kind == "" {
		return "an artifact"
	}
	return "an artifact of type " + kind
}

// layerType reports whether a media type, which may be "", can be that of a layer.
func layerType(t types.MediaType) bool {
	return t == "" || strings.HasPrefix(string(t), "application/vnd.oci.image.layer.") ||
		strings.HasPrefix(string(t), "application/vnd.docker.image.rootfs.") ||
		strings.HasPrefix(string(t), "application/vnd.erofs.layer.")
}
