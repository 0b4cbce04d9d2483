package load

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load/cache"
)

// putStargz puts an image there whose layers have tables of contents.
func (s *server) putStargz(t *testing.T, name string, img *imagetest.Image, change func(*v1.Manifest)) {
	t.Helper()
	config := img.ConfigFile()
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for i := range img.Layers {
		r := bytes.NewReader(img.LayerTar(i))
		built, err := estargz.Build(io.NewSectionReader(r, 0, r.Size()))
		if err != nil {
			t.Fatal(err)
		}
		blob, err := io.ReadAll(built)
		if err != nil {
			t.Fatal(err)
		}
		built.Close()
		if config.RootFS.DiffIDs[i], err = v1.NewHash(built.DiffID().String()); err != nil {
			t.Fatal(err)
		}
		d := s.put(t, name, blob)
		d.MediaType = types.OCILayer
		d.Annotations = map[string]string{estargz.TOCJSONDigestAnnotation: built.TOCDigest().String()}
		m.Layers = append(m.Layers, d)
	}
	raw, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	m.Config = s.put(t, name, raw)
	m.Config.MediaType = types.OCIConfigJSON
	if change != nil {
		change(&m)
	}
	s.manifest(t, name, "1", types.OCIManifestSchema1, m)
}

// TestRegistryTables lists layers from their tables of contents.
func TestRegistryTables(t *testing.T) {
	img := imagetest.Must(t, sample)
	var whole, parts atomic.Int32
	var deaf atomic.Bool // to ranges
	s := newServer(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				switch {
				case r.Header.Get("Range") == "":
					whole.Add(1)
				case deaf.Load():
					r.Header.Del("Range")
				default:
					parts.Add(1)
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	s.putStargz(t, "toc", img, nil)
	s.putStargz(t, "lies", img, func(m *v1.Manifest) {
		m.Layers[1].Annotations[estargz.TOCJSONDigestAnnotation] = m.Layers[1].Digest.String()
	})
	c, err := cache.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := analyze(t, "registry:"+s.repo("toc")+":1", Options{}).Report
	for _, tt := range []struct {
		name       string
		image      string
		opt        Options
		deaf       bool
		whole      int32 // blobs downloaded, with the config; one is two layers
		unverified []bool
		warnings   int
	}{
		{"listed", "toc", Options{TOC: true}, false, 1, []bool{true, true, true}, 0},
		{"verified", "toc", Options{TOC: true, Verify: true}, false, 4, make([]bool, 3), 0},
		{"not asked for", "toc", Options{}, false, 3, make([]bool, 3), 0},
		{"no ranges", "toc", Options{TOC: true}, true, 3, make([]bool, 3), 0},
		{"a table that is another", "lies", Options{TOC: true}, false, 2, []bool{true, false, true}, 1},
		{"not yet in the cache", "toc", Options{TOC: true, Cache: c}, false, 1, []bool{true, true, true}, 0},
		{"for the cache", "toc", Options{Cache: c}, false, 3, make([]bool, 3), 0},
		{"in the cache", "toc", Options{TOC: true, Cache: c}, false, 1, make([]bool, 3), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole.Store(0)
			deaf.Store(tt.deaf)
			tt.opt.Progress = &analyzer.Progress{}
			an := analyze(t, "registry:"+s.repo(tt.image)+":1", tt.opt)
			var unverified []bool
			said := false
			for _, l := range an.Report.Layers {
				unverified = append(unverified, l.Unverified)
				said = said || l.Unverified
			}
			if diff := cmp.Diff(tt.unverified, unverified); diff != "" {
				t.Errorf("unverified layers (-want +got):\n%s", diff)
			}
			if note := strings.Join(tt.opt.Progress.Notes(), "\n"); strings.Contains(note, "% of those layers' bytes") != said {
				t.Errorf("got the notes %q", note)
			}
			if got := whole.Load(); got != tt.whole {
				t.Errorf("%d blobs are downloaded, want %d", got, tt.whole)
			}
			if len(an.Report.Warnings) != tt.warnings {
				t.Errorf("got the warnings %v, want %d", an.Report.Warnings, tt.warnings)
			}
			if diff := cmp.Diff(want, an.Report, inRegistry, cmpopts.IgnoreFields(analyzer.LayerReport{}, "Unverified"),
				cmpopts.IgnoreFields(analyzer.Report{}, "Warnings")); diff != "" {
				t.Errorf("the report differs from a verified one (-):\n%s", diff)
			}
			before := parts.Load()
			wantContent(t, an, "/bin/app", strings.Repeat("a", 3000))
			if said && parts.Load() == before {
				t.Error("content came without a range")
			}
		})
	}
}
