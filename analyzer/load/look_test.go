package load

import (
	"bytes"
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
