package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"fathom/analyzer"
)

// maxAttestation is the largest attestation that is read, as in BuildKit.
const maxAttestation = 40 << 20

// The media type of an attestation, and the annotation with its kind.
const (
	inTotoType    = "application/vnd.in-toto+json"
	predicateKey  = "in-toto.io/predicate-type"
	provenanceURI = "https://slsa.dev/provenance/"
)

// attests returns the digest of the image that a manifest of attestations is about,
// or "". doc is nil if only its descriptor is known.
func attests(d descriptor, doc *document) string {
	if about := d.Annotations["vnd.docker.reference.digest"]; about != "" {
		return about
	}
	if doc != nil && doc.Subject != nil && doc.ArtifactType == "application/vnd.docker.attestation.manifest.v1+json" {
		return doc.Subject.Digest
	}
	return ""
}

// attest gives each image its attestations.
func attest(found []*candidate) {
	byDigest := map[string]*candidate{}
	for _, c := range found {
		if c.other == "" && c.digest != "" {
			byDigest[c.digest] = c
		}
	}
	for _, a := range found {
		if c := byDigest[a.about]; c != nil && a.about != "" {
			c.attestations = append(c.attestations, a)
		}
	}
}

// attestationDoc adds the attestations in a manifest to its candidate.
func (w *walker) attestationDoc(c *candidate, doc *document) {
	for _, l := range doc.Layers {
		if l.MediaType == inTotoType && strings.HasPrefix(l.Annotations[predicateKey], provenanceURI) && l.check() == nil {
			c.layers = append(c.layers, w.blobRef(l))
		}
	}
}

// provenance returns a function that reads the attestation of how the image was
// built; nil if there is none.
func provenance(c *candidate, manifest func(context.Context, descriptor) ([]byte, error), blob func(context.Context, blobRef) (io.ReadCloser, error)) func(context.Context) ([]byte, error) {
	if len(c.attestations) == 0 {
		return nil
	}
	return func(ctx context.Context) ([]byte, error) {
		for _, a := range c.attestations {
			b, err := a.read(ctx, manifest, blob)
			if b != nil || err != nil {
				return b, err
			}
		}
		return nil, nil
	}
}

// read returns the provenance in a manifest of attestations, or nil.
func (c *candidate) read(ctx context.Context, manifest func(context.Context, descriptor) ([]byte, error), blob func(context.Context, blobRef) (io.ReadCloser, error)) ([]byte, error) {
	fail := func(err error) error { return fmt.Errorf("reading the attestation %s: %w", c.digest, err) }
	if c.absent && manifest != nil {
		b, err := manifest(ctx, descriptor{Digest: c.digest})
		if err != nil {
			return nil, fail(err)
		}
		var doc document
		if _, err := decode(b, &doc); err != nil {
			return nil, fail(err)
		}
		w := walker{names: func(d digest) []string { return []string{d.String()} }}
		w.attestationDoc(c, &doc)
		c.absent = false
	}
	for _, l := range c.layers {
		r, err := blob(ctx, l)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fail(analyzer.WithoutPath(err))
		}
		b, err := io.ReadAll(io.LimitReader(r, maxAttestation+1))
		r.Close()
		switch {
		case err != nil:
			return nil, fail(err)
		case len(b) > maxAttestation:
			return nil, &LimitError{What: "the attestation " + c.digest, Limit: maxAttestation, Unit: "bytes"}
		}
		if err := l.desc.matches(b); err != nil {
			return nil, fail(err)
		}
		return b, nil
	}
	return nil, nil
}
