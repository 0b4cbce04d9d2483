package imagetest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Registry serves the image from a registry in this process until the test ends. It
// returns the image's reference (127.0.0.1:PORT/test/NAME:latest). Layers are gzip
// if cs is empty.
func (img *Image) Registry(t testing.TB, cs ...Compression) string {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	return img.Push(t, s.URL, cs...)
}

// Push pushes the image to the registry at url, an http URL, and returns its
// reference. Layers are gzip if cs is empty.
func (img *Image) Push(t testing.TB, url string, cs ...Compression) string {
	t.Helper()
	if len(cs) == 0 {
		cs = []Compression{Gzip}
	}
	var b blobs
	d, _ := b.addManifest(img, cs)
	repo := "test/" + strings.ToLower(img.Name)
	for _, e := range b.Archive {
		digest := Digest(e.Data)
		if digest == d.Digest {
			continue
		}
		put(t, http.MethodPost, url+"/v2/"+repo+"/blobs/uploads/?digest="+digest.String(), "application/octet-stream", e.Data)
	}
	put(t, http.MethodPut, url+"/v2/"+repo+"/manifests/latest", types.OCIManifestSchema1, b.blob(d.Digest))
	return strings.TrimPrefix(url, "http://") + "/" + repo + ":latest"
}

func (b *blobs) blob(h v1.Hash) []byte { return b.Find("blobs/sha256/" + h.Hex).Data }

func put(t testing.TB, method, url string, mt types.MediaType, data []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", string(mt))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("%s %s: %s: %s", method, url, res.Status, body)
	}
}
