package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load/cache"
	"fathom/analyzer/load/registry"
)

// server is a registry in this process that records its requests.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newServer(t *testing.T, wrap ...func(http.Handler) http.Handler) *server {
	t.Helper()
	t.Setenv("HOME", t.TempDir()) // no credentials
	t.Setenv("DOCKER_CONFIG", "")
	s := &server{}
	h := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	for _, w := range wrap {
		h = w(h)
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path != "/v2/" {
			s.mu.Lock()
			s.asked = append(s.asked, r.URL.Path)
			s.mu.Unlock()
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// since returns the number of requests for "manifests", "blobs" and so on since the
// last call.
func (s *server) since() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[string]int{}
	for _, path := range s.asked {
		parts := strings.Split(path, "/")
		count[parts[len(parts)-2]]++
	}
	s.asked = nil
	return count
}

// repo returns the repository for an image that imagetest can't push.
func (s *server) repo(name string) string {
	return strings.TrimPrefix(s.URL, "http://") + "/test/" + name
}

func (s *server) put(t *testing.T, name string, data []byte) v1.Descriptor {
	t.Helper()
	h := imagetest.Digest(data)
	s.send(t, http.MethodPost, "/v2/test/"+name+"/blobs/uploads/?digest="+h.String(), "application/octet-stream", data)
	return v1.Descriptor{Digest: h, Size: int64(len(data))}
}

func (s *server) manifest(t *testing.T, name, tag string, mt types.MediaType, doc any) v1.Descriptor {
	t.Helper()
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	h := imagetest.Digest(data)
	if tag == "" {
		tag = h.String()
	}
	s.send(t, http.MethodPut, "/v2/test/"+name+"/manifests/"+tag, string(mt), data)
	return v1.Descriptor{Digest: h, Size: int64(len(data)), MediaType: mt}
}

func (s *server) send(t *testing.T, method, path, mt string, data []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mt)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("%s %s: %s: %s", method, path, res.Status, body)
	}
}

// image pushes an image and returns the descriptor of its manifest.
func (s *server) image(t *testing.T, name, tag string, img *imagetest.Image, mt types.MediaType, c imagetest.Compression, change func(*v1.Manifest)) v1.Descriptor {
	t.Helper()
	config, err := json.Marshal(img.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	m := v1.Manifest{SchemaVersion: 2, MediaType: mt, Config: s.put(t, name, config), Layers: []v1.Descriptor{}}
	m.Config.MediaType = types.OCIConfigJSON
	layer := types.OCILayer
	if mt == types.DockerManifestSchema2 {
		m.Config.MediaType, layer = types.DockerConfigJSON, types.DockerLayer
	}
	for i := range img.Layers {
		d := s.put(t, name, imagetest.Compress(img.LayerTar(i), c))
		d.MediaType = layer
		m.Layers = append(m.Layers, d)
	}
	if change != nil {
		change(&m)
	}
	d := s.manifest(t, name, tag, mt, m)
	d.Platform = &img.Platform
	return d
}

// inRegistry ignores fields that differ between a registry and an archive.
var inRegistry = cmp.Options{
	cmpopts.IgnoreFields(facts.Image{}, "Reference", "Source", "ID", "Digest", "Tags"),
	cmpopts.IgnoreFields(facts.Totals{}, "CompressedBytes"),
	cmpopts.IgnoreFields(facts.Layer{}, "Digest", "MediaType", "CompressedBytes", "Checked"),
}

func analyze(t *testing.T, ref string, opt Options) *analyzer.Analysis {
	t.Helper()
	img, err := Open(t.Context(), ref, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	an, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Verify: opt.Verify, Look: opt.Look})
	if err != nil {
		t.Fatal(err)
	}
	return an
}

// quick disables retries, so that errors of a registry are returned at once.
var quick = registry.Options{Retries: -1, Backoff: time.Millisecond}

// TestRegistry opens one image in every form that a registry can hold.
func TestRegistry(t *testing.T) {
	img := imagetest.Must(t, sample)
	want := analyze(t, write(t, "archive", img.DockerArchive25().Tar()), Options{}).Report
	s := newServer(t)
	for _, tt := range []struct {
		name string
		mt   types.MediaType
		c    imagetest.Compression
	}{
		{"plain", types.OCIManifestSchema1, imagetest.None}, // its media type says gzip
		{"gzip", types.OCIManifestSchema1, imagetest.Gzip},
		{"zstd", types.OCIManifestSchema1, imagetest.Zstd},
		{"docker", types.DockerManifestSchema2, imagetest.Gzip},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := s.image(t, tt.name, "1", img, tt.mt, tt.c, nil)
			for _, opt := range []Options{{}, {Keep: true}, {Verify: true}, {Verify: true, Keep: true}} {
				opt.Temp = t.TempDir()
				an := analyze(t, "registry:"+s.repo(tt.name)+":1", opt)
				if diff := cmp.Diff(want, an.Report, inRegistry); diff != "" {
					t.Errorf("the report differs from the archive's (-):\n%s", diff)
				}
				got := an.Image
				if got.Source != "registry" || got.Digest != d.Digest || !slices.Equal(got.Tags, []string{s.repo(tt.name) + ":1"}) {
					t.Errorf("got source %q, digest %s, tags %q", got.Source, got.Digest, got.Tags)
				}
				var sizes int64
				for i, l := range got.Layers {
					if size := int64(len(imagetest.Compress(img.LayerTar(i), tt.c))); l.Blob.Size != size {
						t.Errorf("layer %d: got size %d, want %d", i, l.Blob.Size, size)
					} else if tt.c != imagetest.None {
						sizes += size
					}
				}
				if an.Report.Totals.CompressedBytes != sizes {
					t.Errorf("got %d compressed bytes, want %d", an.Report.Totals.CompressedBytes, sizes)
				}
				wantContent(t, an, "/bin/app", strings.Repeat("a", 3000))
				if left, _ := os.ReadDir(opt.Temp); len(left) > 0 {
					t.Errorf("%s is left in the temporary folder", left[0].Name())
				}
			}
			byDigest := analyze(t, "registry://"+s.repo(tt.name)+"@"+d.Digest.String(), Options{})
			if len(byDigest.Image.Tags) > 0 {
				t.Errorf("by digest: got the tags %q", byDigest.Image.Tags)
			}
		})
	}
}

func wantContent(t *testing.T, an *analyzer.Analysis, path, want string) {
	t.Helper()
	n, ok := an.Tree.Lookup(path)
	if !ok {
		t.Fatalf("there is no %s", path)
	}
	st, _ := an.Tree.At(n, an.Tree.Layers()-1)
	r, err := an.Open(t.Context(), st.Content)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %d bytes and %v, want %d", path, len(got), err, len(want))
	}
}

// TestRegistryContent counts the blobs downloaded for content.
func TestRegistryContent(t *testing.T) {
	img := imagetest.Must(t, sample)
	s := newServer(t)
	s.image(t, "app", "1", img, types.OCIManifestSchema1, imagetest.Gzip, nil)
	for _, tt := range []struct {
		name     string
		opt      Options
		analysis int // blobs for the analysis: the config and two layers, one of which occurs twice
		content  int // blobs for reading content twice
	}{
		{"kept", Options{Keep: true}, 3, 0},
		{"kept later", Options{}, 3, 1},
		{"never kept", Options{Keep: true, NoKeep: true}, 3, 2},
		{"no room", Options{Keep: true, Temp: "/nonexistent"}, 3, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.since()
			an := analyze(t, "registry:"+s.repo("app")+":1", tt.opt)
			if got := s.since()["blobs"]; got != tt.analysis {
				t.Errorf("%d blobs are downloaded for the analysis, want %d", got, tt.analysis)
			}
			wantContent(t, an, "/bin/app", strings.Repeat("a", 3000))
			wantContent(t, an, "/bin/app", strings.Repeat("a", 3000))
			if got := s.since()["blobs"]; got != tt.content {
				t.Errorf("%d blobs are downloaded for content, want %d", got, tt.content)
			}
		})
	}
}

// TestRegistryCache counts the requests of a second run with the same cache.
func TestRegistryCache(t *testing.T) {
	img := imagetest.Must(t, sample)
	s := newServer(t)
	s.image(t, "app", "1", img, types.OCIManifestSchema1, imagetest.Gzip, nil)
	c, err := cache.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	first := analyze(t, "registry:"+s.repo("app")+":1", Options{Cache: c})
	s.since()
	second := analyze(t, "registry:"+s.repo("app")+":1", Options{Cache: c})
	if diff := cmp.Diff(map[string]int{"manifests": 1, "blobs": 1}, s.since()); diff != "" {
		t.Errorf("the second run asks for (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first.Report, second.Report); diff != "" {
		t.Errorf("the second report differs (-first +second):\n%s", diff)
	}
	wantContent(t, second, "/bin/app", strings.Repeat("a", 3000))
}

// TestRegistryDamage opens an image with a layer that does not match its digest.
// That is an error: the layer is not cached, and a kept file is not read.
func TestRegistryDamage(t *testing.T) {
	img := imagetest.Must(t, sample)
	bad := imagetest.Compress(img.LayerTar(1), imagetest.None)
	bad[512] ^= 1 // in the content of etc/motd
	digest := imagetest.Digest(img.LayerTar(1)).String()
	var broken atomic.Bool
	s := newServer(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if broken.Load() && strings.HasSuffix(r.URL.Path, digest) {
				w.Write(bad)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s.image(t, "app", "1", img, types.OCIManifestSchema1, imagetest.None, nil)
	c, err := cache.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	opened := openImage(t, "registry:"+s.repo("app")+":1", Options{Cache: c, Keep: true})
	_, err = analyzer.Analyze(t.Context(), opened, analyzer.Options{})
	if err == nil || !strings.Contains(err.Error(), "layer 1 (") || !strings.Contains(err.Error(), "digest: expected "+digest) {
		t.Errorf("got %v", err)
	}
	if _, ok := c.Get(imagetest.Digest(img.LayerTar(1))); ok {
		t.Error("the cache has it")
	}

	broken.Store(false)
	an := analyze(t, "registry:"+s.repo("app")+":1", Options{})
	broken.Store(true)
	n, _ := an.Tree.Lookup("/etc/motd")
	st, _ := an.Tree.At(n, 2)
	if _, err := an.Open(t.Context(), st.Content); err == nil || !strings.Contains(err.Error(), "digest: expected") {
		t.Errorf("content of a layer that changed: got %v", err)
	}
}

// TestRegistryChoice chooses among the images of an index.
func TestRegistryChoice(t *testing.T) {
	s := newServer(t)
	amd, arm := other(t, "linux/amd64"), other(t, "linux/arm64/v8")
	amd3, other1 := other(t, "linux/amd64/v3"), other(t, "linux/s390x")
	put := func(img *imagetest.Image) v1.Descriptor {
		return s.image(t, "app", "", img, types.OCIManifestSchema1, imagetest.Gzip, nil)
	}
	attestation := put(other(t, "linux/riscv64"))
	attestation.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
	index := func(tag string, ds ...v1.Descriptor) v1.Descriptor {
		return s.manifest(t, "app", tag, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: append([]v1.Descriptor{}, ds...)})
	}
	dAmd, dArm, dOther := put(amd), put(arm), put(other1)
	dSilent := dOther
	dSilent.Platform = nil
	index("all", dAmd, attestation, dArm, put(amd3), dOther)
	index("foreign", dOther, put(other(t, "windows/amd64")))
	index("single", attestation, dOther)
	index("silent", dSilent, dArm)
	index("nested", index("", index("", dOther, dArm), attestation))
	index("nothing")
	index("attested", attestation)
	deep := index("", dAmd)
	for range maxIndexDepth {
		deep = index("", deep)
	}
	index("deep", deep)
	var wide []v1.Descriptor
	for i := range maxFetches + 1 {
		wide = append(wide, index("", v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: dAmd.Digest, Size: int64(i), Platform: dAmd.Platform}))
	}
	index("wide", wide...)

	this := map[string]*imagetest.Image{"amd64": amd, "arm64": arm}[runtime.GOARCH]
	for _, tt := range []struct {
		tag      string
		opt      Options
		want     *imagetest.Image
		err      string
		requests int // for manifests
	}{
		{tag: "all", want: this, requests: 2},
		{tag: "all", opt: Options{Platform: "linux/arm64"}, want: arm, requests: 2},
		{tag: "all", opt: Options{Platform: "linux/amd64/v3"}, want: amd3, requests: 2},
		{tag: "all", opt: Options{Image: "@3"}, want: other1, requests: 2},
		{tag: "all", opt: Options{Image: dArm.Digest.String()}, want: arm, requests: 2},
		{tag: "all", opt: Options{Platform: "linux/ppc64le"}, err: "no image for linux/ppc64le among @0 "},
		{tag: "all", opt: Options{Image: attestation.Digest.String()}, err: "it is an attestation"},
		{tag: "foreign", err: "no image for linux/" + runtime.GOARCH + " among @0 "},
		{tag: "single", want: other1, requests: 2},
		{tag: "silent", opt: Options{Platform: "linux/s390x"}, want: other1, requests: 2},
		{tag: "nested", opt: Options{Platform: "linux/s390x"}, want: other1, requests: 4},
		{tag: "nothing", err: "an index without any image"},
		{tag: "attested", err: "it is an attestation"},
		{tag: "deep", err: "depth of the index"},
		{tag: "wide", err: "has to be fetched"},
		{tag: "absent", err: "no such image or tag, or it is private (404)"},
	} {
		t.Run(tt.tag, func(t *testing.T) {
			ref := "registry:" + s.repo("app") + ":" + tt.tag
			tt.opt.Registry = quick
			if tt.err != "" {
				wantError(t, ref, tt.opt, tt.err)
				return
			}
			if tt.want == nil {
				t.Skip("this machine has another processor")
			}
			s.since()
			img := openImage(t, ref, tt.opt)
			if got := s.since()["manifests"]; got != tt.requests {
				t.Errorf("%d manifests are asked for, want %d", got, tt.requests)
			}
			if diff := cmp.Diff(tt.want.ConfigFile(), img.Config); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
	if ref := "registry:" + s.repo("app") + "@" + dArm.Digest.String(); runtime.GOARCH != "arm64" {
		openImage(t, ref, Options{}) // a named image is opened for any platform
		wantError(t, ref, Options{Platform: "linux/s390x"}, "no image for linux/s390x among @0")
	}
}

// TestRegistryRefuses opens images that can't be read and checks that the error
// contains the words given.
func TestRegistryRefuses(t *testing.T) {
	s := newServer(t)
	img := imagetest.Must(t, sample)
	put := func(tag string, change func(*v1.Manifest)) {
		s.image(t, "app", tag, img, types.OCIManifestSchema1, imagetest.Gzip, change)
	}
	absent := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("ab", 32)}
	put("encrypted", func(m *v1.Manifest) { m.Layers[1].MediaType += "+encrypted" })
	put("artifact", func(m *v1.Manifest) { m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json" })
	put("few", func(m *v1.Manifest) { m.Layers = m.Layers[:2] })
	put("config", func(m *v1.Manifest) { m.Config.Size++ })
	put("sizes", func(m *v1.Manifest) { m.Layers[2].Size++ })
	put("size", func(m *v1.Manifest) { m.Layers[1].Size++ })
	put("foreign", func(m *v1.Manifest) {
		m.Layers[1].Digest = absent
		m.Layers[1].MediaType = types.DockerForeignLayer
		m.Layers[1].URLs = []string{"https://example.com/layer?secret=1"}
	})
	put("foreign-but-there", func(m *v1.Manifest) {})
	xz := s.put(t, "app", xzipped(t, img.LayerTar(1)))
	put("xz", func(m *v1.Manifest) { m.Layers[1].Digest, m.Layers[1].Size = xz.Digest, xz.Size })
	plain := s.put(t, "app", img.LayerTar(0))
	put("mixed", func(m *v1.Manifest) { m.Layers[1].Digest, m.Layers[1].Size = plain.Digest, plain.Size })
	s.send(t, http.MethodPut, "/v2/test/app/manifests/schema1", string(types.DockerManifestSchema1),
		[]byte(`{"schemaVersion": 1, "name": "app", "fsLayers": [{"blobSum": "`+plain.Digest.String()+`"}], "history": []}`))
	for _, tt := range []struct {
		tag   string
		words []string
	}{
		{"encrypted", []string{"layer 1 (sha256:", "it is encrypted"}},
		{"artifact", []string{"it is an artifact of type application/vnd.cncf.helm.config.v1+json"}},
		{"few", []string{"the manifest has 2 layers, the config 3 diff IDs"}},
		{"config", []string{"reading the config", "bytes, the manifest says"}},
		{"sizes", []string{"layer 2 (sha256:", "two different sizes"}},
		{"size", []string{"reading layer 1 (sha256:", "bytes, the manifest says"}},
		{"foreign", []string{"reading layer 1 (sha256:abab", "it is a foreign layer, which 127.0.0.1:", `doesn't have; it is not fetched from "https://example.com/layer"`}},
		{"mixed", []string{"reading layer 1 (sha256:", "it is not compressed, so its digest"}},
		{"schema1", []string{"an image of schema 1, which is not supported"}},
	} {
		t.Run(tt.tag, func(t *testing.T) {
			opened, err := Open(t.Context(), "registry:"+s.repo("app")+":"+tt.tag, Options{Registry: quick})
			if err == nil {
				defer opened.Close()
				_, err = analyzer.Analyze(t.Context(), opened, analyzer.Options{})
			}
			for _, word := range tt.words {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("got %v, want %q in it", err, word)
				}
			}
		})
	}

	// Engines accept a layer compressed with xz, whatever its media type.
	opened, err := Open(t.Context(), "registry:"+s.repo("app")+":xz", Options{Registry: quick})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := analyzer.Analyze(t.Context(), opened, analyzer.Options{Verify: true}); err != nil {
		t.Errorf("a layer in xz: %v", err)
	}
}

// TestRegistryParallel reads four layers from a registry that sends none of them
// until all four are requested.
func TestRegistryParallel(t *testing.T) {
	text := ""
	for i := range remoteLayers {
		text += fmt.Sprintf("layer\n  file f%d 100xa\n", i)
	}
	img := imagetest.Must(t, text)
	var layers sync.WaitGroup
	layers.Add(remoteLayers)
	s := newServer(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := range img.Layers {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, imagetest.Digest(img.LayerTar(i)).String()) {
					layers.Done()
					layers.Wait()
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	s.image(t, "app", "1", img, types.OCIManifestSchema1, imagetest.None, nil)
	analyze(t, "registry:"+s.repo("app")+":1", Options{})
}

// TestRegistryInterrupt cancels the context while the download of a layer stalls.
func TestRegistryInterrupt(t *testing.T) {
	img := imagetest.Must(t, sample)
	ctx, stop := context.WithCancelCause(t.Context())
	gone := errors.New("interrupted")
	s := newServer(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, imagetest.Digest(img.LayerTar(1)).String()) {
				w.Write(img.LayerTar(1)[:700])
				w.(http.Flusher).Flush()
				stop(gone)
				<-r.Context().Done()
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s.image(t, "app", "1", img, types.OCIManifestSchema1, imagetest.None, nil)
	opened := openImage(t, "registry:"+s.repo("app")+":1", Options{Keep: true})
	if _, err := analyzer.Analyze(ctx, opened, analyzer.Options{}); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}
