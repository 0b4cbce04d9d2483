package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// contentStores are the folders in which containerd may keep its blobs. They
// are relative to containerd's root, to docker's data root, or to the store.
var contentStores = []string{
	"io.containerd.content.v1.content",
	"containerd/daemon/io.containerd.content.v1.content",
	"daemon/io.containerd.content.v1.content",
	"",
}

// Content finds an index or a manifest in the content store of containerd, which
// docker can use as well. The store is a folder like an OCI layout without an
// index.json; Content returns what that file would hold. It takes a digest:
// names are in the daemon's database, which can't be opened while the daemon
// runs. The error is a *NotFoundError, *DeniedError or *IncompleteError.
func Content(root string, digest v1.Hash) (dir string, index []byte, err error) {
	fail := func(err error) (string, []byte, error) {
		return "", nil, fmt.Errorf("reading containerd's content store: %w", err)
	}
	if digest.Algorithm != "sha256" || !isHex(digest.Hex, 64) {
		return fail(fmt.Errorf("%q is not a sha256 digest", digest))
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

// indexOf returns an index with one descriptor, that of raw.
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
