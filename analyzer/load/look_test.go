package load

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
	"fathom/analyzer/load/cache"
)

// startLooker notes the first byte of every file.
var startLooker = layer.Looker{Name: "start 1", Look: func(_ string, s *layer.Sample) []string { return []string{string(s.Head[:1])} }}

// wantStarts checks the notes of startLooker about sample.
func wantStarts(t *testing.T, an *analyzer.Analysis) {
	t.Helper()
	notes, err := an.Notes(t.Context(), []layer.Looker{startLooker}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, n := range notes.By[startLooker.Name] {
		got += n.Data
	}
	if want := "aha"; got != want || len(notes.Unread) > 0 {
		t.Errorf("got notes %q and unread layers %v, want %q", got, notes.Unread, want)
	}
}

// TestRegistryNotes counts the blobs downloaded if lookers look at an image whose
// layers are in the cache, without and with their notes.
func TestRegistryNotes(t *testing.T) {
	img := imagetest.Must(t, sample)
	s := newServer(t)
	s.image(t, "app", "1", img, types.OCIManifestSchema1, imagetest.Gzip, nil)
	c, err := cache.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ref, look := "registry:"+s.repo("app")+":1", []layer.Looker{startLooker}
	analyze(t, ref, Options{Cache: c})
	for run, blobs := range []int{3, 1} { // the config and two layers, then only the config
		s.since()
		an := analyze(t, ref, Options{Cache: c, Look: look})
		wantStarts(t, an)
		if got := s.since()["blobs"]; got != blobs {
			t.Errorf("run %d downloads %d blobs, want %d", run, got, blobs)
		}
	}
}

// TestStreamedNotes looks at the files of an archive of which nothing is kept.
func TestStreamedNotes(t *testing.T) {
	img := imagetest.Must(t, sample)
	for name, archive := range map[string][]byte{"plain": img.DockerArchive().Tar(), "gzip": img.OCIArchive(imagetest.Gzip)} {
		t.Run(name, func(t *testing.T) {
			wantStarts(t, analyze(t, "-", Options{NoKeep: true, Stdin: bytes.NewBuffer(archive), Look: []layer.Looker{startLooker}}))
		})
	}
}

// TestFetchedNotes looks at layers that are listed from their tables of contents: the
// files that a looker says are worth it are fetched, each once, and no others.
func TestFetchedNotes(t *testing.T) {
	var text strings.Builder
	text.WriteString("layer\n  file db/a text=first\n  file bin/x text=program\n  file db/b text=second\n")
	text.WriteString("layer\n  file db/big 40000xc\n") // more than Fetch
	text.WriteString("layer\n  file db/a text=first\n  file bin/x text=program\n  file db/b text=second\n")
	text.WriteString("layer\n")
	for i := range 511 {
		fmt.Fprintf(&text, "  file db/%d text=many\n", i) // with those above, more than 512
	}
	text.WriteString("layer\n  file bin/y text=program\n")
	var mu sync.Mutex
	var parts []string
	s := newServer(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if part := r.Header.Get("Range"); part != "" {
				mu.Lock()
				parts = append(parts, r.URL.Path+" "+part)
				mu.Unlock()
			}
			h.ServeHTTP(w, r)
		})
	})
	s.putStargz(t, "toc", imagetest.Must(t, text.String()), nil, nil)
	db := layer.Looker{
		Name: "db 1", Fetch: 30_000, Wants: func(path string) bool { return strings.HasPrefix(path, "db/") },
		Look: func(path string, s *layer.Sample) []string { return []string{path + " " + string(s.Head)} },
	}
	for _, tt := range []struct {
		lookers         []layer.Looker
		unread, fetched []int
		parts           int
		notes           []string
	}{
		{[]layer.Looker{startLooker}, []int{0, 1, 2, 3, 4}, nil, 0, nil},
		{[]layer.Looker{db}, []int{1, 3}, nil, 2, []string{"0 db/a first", "0 db/b second", "2 db/a first", "2 db/b second"}},
		{[]layer.Looker{startLooker, db}, []int{1, 3}, []int{0, 2, 4}, 2, []string{"0 db/a first", "0 db/b second", "2 db/a first", "2 db/b second"}},
	} {
		an := analyze(t, "registry:"+s.repo("toc")+":1", Options{TOC: true, Look: tt.lookers})
		parts = nil
		notes, err := an.Notes(t.Context(), tt.lookers, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range notes.By["db 1"] {
			got = append(got, fmt.Sprintf("%d %s", an.Tree.Stored(n.Content).Layer, n.Data))
		}
		if !slices.Equal(got, tt.notes) || !slices.Equal(notes.Unread, tt.unread) || !slices.Equal(notes.Fetched, tt.fetched) {
			t.Errorf("got the notes %q, unread %v, fetched %v; want %+v", got, notes.Unread, notes.Fetched, tt)
		}
		slices.Sort(parts)
		if len(slices.Compact(parts)) != tt.parts || len(parts) != tt.parts {
			t.Errorf("got the requests %q, want %d", parts, tt.parts)
		}
	}
}
