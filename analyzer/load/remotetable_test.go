package load

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load/cache"
)

// putStargz pushes an image whose layers have tables of contents: their own, or
// those of the layers of liar.
func (s *server) putStargz(t *testing.T, name string, img, liar *imagetest.Image, change func(*v1.Manifest)) {
	t.Helper()
	config := img.ConfigFile()
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for i := range img.Layers {
		blob, toc := stargz(t, img.LayerTar(i))
		if liar != nil {
			var other []byte
			other, toc = stargz(t, liar.LayerTar(i))
			blob = graft(t, blob, other)
		}
		config.RootFS.DiffIDs[i] = imagetest.Digest(unzip(t, blob))
		d := s.put(t, name, blob)
		d.MediaType = types.OCILayer
		d.Annotations = map[string]string{estargz.TOCJSONDigestAnnotation: toc}
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

// stargz returns a tar as eStargz, and the digest of its table of contents.
func stargz(t *testing.T, tar []byte) (blob []byte, toc string) {
	t.Helper()
	r := bytes.NewReader(tar)
	built, err := estargz.Build(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		t.Fatal(err)
	}
	defer built.Close()
	if blob, err = io.ReadAll(built); err != nil {
		t.Fatal(err)
	}
	return blob, built.TOCDigest().String()
}

func unzip(t *testing.T, blob []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	tar, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return tar
}

// graft returns the files of blob with the table of contents of other. The footer,
// the last 51 bytes, has the offset of the table in hexadecimal digits.
func graft(t *testing.T, blob, other []byte) []byte {
	t.Helper()
	footer := other[len(other)-51:]
	table := func(blob []byte) int64 {
		at, err := strconv.ParseInt(string(blob[len(blob)-51:][16:32]), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	at, tar := table(other), unzip(t, blob[:table(blob)])
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.NoCompression) // stored, so that all offsets in the table are before the table
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(tar); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	begin := out.Len()
	out.Write(other[at : len(other)-51])
	out.Write(footer[:16])
	fmt.Fprintf(&out, "%016x", begin)
	out.Write(footer[32:])
	return out.Bytes()
}

// TestRegistryTables lists layers from their tables of contents.
func TestRegistryTables(t *testing.T) {
	img := imagetest.Must(t, sample)
	var whole, parts atomic.Int32
	var deaf atomic.Bool // ignores Range headers
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
	s.putStargz(t, "toc", img, nil, nil)
	s.putStargz(t, "lies", img, nil, func(m *v1.Manifest) {
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
		whole      int32 // blobs downloaded, with the config; one blob is two layers
		unverified []bool
		warnings   int
	}{
		{"listed", "toc", Options{TOC: true}, false, 1, []bool{true, true, true}, 0},
		{"verified", "toc", Options{TOC: true, Verify: true}, false, 3, make([]bool, 3), 0},
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
			if diff := cmp.Diff(want, an.Report, inRegistry, cmpopts.IgnoreFields(facts.Layer{}, "Unverified"),
				cmpopts.IgnoreFields(facts.Report{}, "Warnings")); diff != "" {
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

// Verify finds a table of contents that matches the digest in the manifest but not
// its layer.
func TestRegistryTablesVerified(t *testing.T) {
	img := imagetest.Must(t, sample)
	other := imagetest.Must(t, strings.Replace(sample, "etc/motd", "etc/motto", 1))
	s := newServer(t)
	s.putStargz(t, "honest", img, nil, nil)
	c, err := cache.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	analyze(t, "registry:"+s.repo("honest")+":1", Options{Verify: true, Cache: c})
	if kept, err := c.List(); err != nil || len(kept) != 2 {
		t.Errorf("%d layers are in the cache, %v; want the 2 different ones", len(kept), err)
	}

	s.putStargz(t, "liar", img, other, nil)
	opened, err := Open(t.Context(), "registry:"+s.repo("liar")+":1", Options{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	_, err = analyzer.Analyze(t.Context(), opened, analyzer.Options{Verify: true})
	if err == nil || !strings.Contains(err.Error(), "its table of contents tells something else of /etc/motd than it holds") {
		t.Errorf("got %v", err)
	}
}

// If range requests stall, no more tables are requested than those requested at the
// same time.
func TestRegistryTablesStalled(t *testing.T) {
	var text strings.Builder
	for i := range 3 * remoteLayers {
		fmt.Fprintf(&text, "layer\n  file f%d text=%[1]d\n", i)
	}
	var parts atomic.Int32
	s := newServer(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				parts.Add(1)
				<-r.Context().Done()
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s.putStargz(t, "toc", imagetest.Must(t, text.String()), nil, nil)
	opt := Options{TOC: true}
	opt.Registry.Idle = 200 * time.Millisecond
	an := analyze(t, "registry:"+s.repo("toc")+":1", opt)
	if got := parts.Load(); got > remoteLayers || len(an.Report.Warnings) != int(got) {
		t.Errorf("got %d requests for parts and the warnings %v, want at most %d of each", got, an.Report.Warnings, remoteLayers)
	}
}
