package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// contentStores is where containerd keeps blobs, below what may be named as its
// root: its own, docker's data root, or the store itself.
var contentStores = []string{
	"io.containerd.content.v1.content",
	"containerd/daemon/io.containerd.content.v1.content",
	"daemon/io.containerd.content.v1.content",
	"",
}

// Content finds an index or a manifest in the content store of containerd, which
// docker uses too when it is told to. The store is a folder laid out like an OCI
// layout without its index.json: index is what that would be. Which digest a
// name has only the daemon tells, whose database nobody else may open while it
// runs. The error is a *NotFoundError, *DeniedError or *IncompleteError.
func Content(root string, digest v1.Hash) (dir string, index []byte, err error) {
	fail := func(err error) (string, []byte, error) {
		return "", nil, fmt.Errorf("reading containerd's content store: %w", err)
	}
	if digest.Algorithm != "sha256" || !isHex(digest.Hex, 64) {
		return fail(fmt.Errorf("%q is not a digest that can be looked up", digest))
	}
	for _, store := range contentStores {
		dir := filepath.Join(root, filepath.FromSlash(store))
		raw, err := read(filepath.Join(dir, "blobs", "sha256", digest.Hex), maxDocument)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fail(denied(err))
		}
		index, err := indexOf(digest, raw)
		if err != nil {
			return fail(err)
		}
		return dir, index, nil
	}
	return fail(&NotFoundError{root, digest.String()})
}

// indexOf is an index with one descriptor, of raw.
func indexOf(digest v1.Hash, raw []byte) ([]byte, error) {
	if got := hashOf(raw); got != digest {
		return nil, &IncompleteError{What: fmt.Sprintf("%s is damaged: its content has the digest %s", digest, got)}
	}
	var doc struct {
		MediaType string `json:"mediaType"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, &IncompleteError{fmt.Sprintf("%s is neither an index nor a manifest", digest), err}
	}
	type descriptor struct {
		MediaType string `json:"mediaType,omitempty"`
		Digest    string `json:"digest"`
		Size      int    `json:"size"`
	}
	return json.Marshal(struct {
		SchemaVersion int          `json:"schemaVersion"`
		Manifests     []descriptor `json:"manifests"`
	}{2, []descriptor{{doc.MediaType, digest.String(), len(raw)}}})
}
