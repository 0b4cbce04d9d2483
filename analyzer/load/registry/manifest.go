package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Manifest is a manifest or an index.
type Manifest struct {
	Bytes     []byte
	Digest    v1.Hash
	MediaType types.MediaType // as the registry calls it
}

// Root returns the manifest or index of the name. It resolves a tag; everything
// after it is requested by digest.
func (r *Repository) Root(ctx context.Context) (Manifest, error) {
	want := v1.Hash{}
	if d, ok := r.ref.(name.Digest); ok {
		h, err := v1.NewHash(d.DigestStr())
		if err != nil {
			return Manifest{}, fmt.Errorf("%s: %w", r.ref.Name(), err)
		}
		want = h
	}
	var m Manifest
	err := r.each(ctx, func(p *place) (err error) {
		m, err = p.manifest(ctx, r.ref.Identifier(), want)
		return err
	})
	return m, err
}

// Manifest returns the manifest or index with that digest.
func (r *Repository) Manifest(ctx context.Context, digest v1.Hash) (Manifest, error) {
	var m Manifest
	err := r.each(ctx, func(p *place) (err error) {
		m, err = p.manifest(ctx, digest.String(), digest)
		return err
	})
	return m, err
}

// manifest fetches by tag or digest, and compares the digest where it is known.
func (p *place) manifest(ctx context.Context, id string, want v1.Hash) (Manifest, error) {
	op := "reading its manifest"
	if want != (v1.Hash{}) {
		op = "reading the manifest " + short(want)
	}
	res, err := p.get(ctx, op, "manifests/"+id, http.Header{"Accept": {accept}})
	if err != nil {
		return Manifest{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Manifest{}, p.refused(op, res)
	}
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if res.ContentLength > MaxManifest {
		return Manifest{}, p.newError(op, Damaged, fmt.Sprintf("it has %d bytes, over the limit of %d", res.ContentLength, MaxManifest))
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, MaxManifest+1))
	switch {
	case err != nil:
		return Manifest{}, p.failed(ctx, op, err)
	case len(b) > MaxManifest:
		return Manifest{}, p.newError(op, Damaged, fmt.Sprintf("it is longer than the limit of %d bytes", MaxManifest))
	}
	sum := sha256.Sum256(b)
	m := Manifest{Bytes: b, Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}, MediaType: types.MediaType(kind)}
	switch header := res.Header.Get("Docker-Content-Digest"); {
	case want.Algorithm == "sha256" && m.Digest != want:
		return Manifest{}, p.newError(op, Damaged, fmt.Sprintf("it is another one: its digest is %s", m.Digest))
	case strings.HasPrefix(header, "sha256:") && header != m.Digest.String():
		return Manifest{}, p.newError(op, Damaged, fmt.Sprintf("its digest is %s, the registry calls it %s", m.Digest, plain(header)))
	}
	if t := strings.TrimSpace(string(b[:min(len(b), 512)])); !strings.HasPrefix(strings.TrimPrefix(t, "\ufeff"), "{") {
		return Manifest{}, p.newError(op, NoRegistry, fmt.Sprintf("its answer is not a manifest (%s)", plain(kind)))
	}
	return m, nil
}
