package analyzer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

const noted = `
layer COPY a
  file a/x text="key one"
  file a/large 600x!
  file big 2000000xk
  file sparse text="key" sparse=4096@0
layer COPY b
  file a/x text="key two"
  file a/.wh.large
  file n text="no key"
`

// keys notes the files that begin with "key", or with a k.
func keys() layer.Looker {
	return layer.Looker{
		Name: "keys 1", Max: 3_000_000,
		Sniff: func(head []byte) bool { return head[0] == 'k' },
		Look: func(path string, s *layer.Sample) []string {
			return []string{fmt.Sprintf("%s %d %.7s", path, s.Size, s.Head)}
		},
	}
}

// The notes of an image are the same however its layers are stored, and whether they
// were made while the layers were read or later.
func TestNotes(t *testing.T) {
	c := imagetest.Must(t, noted)
	want := []string{"0: a/x 7 key one", "0: big 2000000 kkkkkkk", "1: a/x 7 key two"}
	for form, cs := range map[string][]imagetest.Compression{
		"plain": nil, "gzip": {imagetest.Gzip}, "mixed": {imagetest.Zstd, imagetest.None},
	} {
		for _, early := range []bool{false, true} {
			opt := analyzer.Options{}
			if early {
				opt.Look = []layer.Looker{keys()}
			}
			img := c.Image(cs...)
			a, err := analyzer.Analyze(t.Context(), img, opt)
			if err != nil {
				t.Fatal(err)
			}
			var progress analyzer.Progress
			notes, err := a.Notes(t.Context(), []layer.Looker{keys()}, &progress)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, lines(a, notes)); d != "" || len(notes.Unread) > 0 {
				t.Errorf("%s, early %v: unread %v (-want +got):\n%s", form, early, notes.Unread, d)
			}
			read := early && form == "gzip"
			if got := len(progress.Tasks()) == 0; got != read {
				t.Errorf("%s, early %v: all notes from the first reading: %v", form, early, got)
			}
			for _, task := range progress.Tasks() {
				if !task.Done() || task.Read.Load() != task.Total || task.Total == 0 {
					t.Errorf("%s, early %v: %d of %d bytes done", form, early, task.Read.Load(), task.Total)
				}
			}
		}
	}
}

func lines(a *analyzer.Analysis, notes *analyzer.Notes) []string {
	var out []string
	for _, n := range notes.By["keys 1"] {
		s := a.Tree.Stored(n.Content)
		if path, _, _ := strings.Cut(n.Data, " "); a.Tree.Path(s.Node) != "/"+path {
			out = append(out, "of "+a.Tree.Path(s.Node))
		}
		out = append(out, fmt.Sprintf("%d: %s", s.Layer, n.Data))
	}
	return out
}

// A blob that two layers share is noted for both, and read once.
func TestNotesOfSharedBlob(t *testing.T) {
	c := imagetest.Must(t, "layer COPY a\n  file x text=key\nlayer COPY a\n  file x text=key\n")
	for _, early := range []bool{false, true} {
		img := c.Image(imagetest.Gzip)
		for i := range img.Layers {
			img.Layers[i].Blob.Key = "one"
		}
		opt := analyzer.Options{}
		if early {
			opt.Look = []layer.Looker{keys()}
		}
		a, err := analyzer.Analyze(t.Context(), img, opt)
		if err != nil {
			t.Fatal(err)
		}
		var progress analyzer.Progress
		notes, err := a.Notes(t.Context(), []layer.Looker{keys()}, &progress)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"0: x 3 key", "1: x 3 key"}, lines(a, notes)); d != "" {
			t.Errorf("early %v (-want +got):\n%s", early, d)
		}
		for _, task := range progress.Tasks() {
			if task.Total != 3 {
				t.Errorf("%d bytes are looked at, want 3", task.Total)
			}
		}
	}
}

// Layers whose content is elsewhere are named, unless lookers have seen them before.
func TestNotesOfUnreadLayers(t *testing.T) {
	c := imagetest.Must(t, noted)
	img := c.Image(imagetest.Gzip, imagetest.None)
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Look: []layer.Looker{keys()}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range img.Layers {
		img.Layers[i].Blob = layer.Blob{}
	}
	notes, err := a.Notes(t.Context(), []layer.Looker{keys()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{1}, notes.Unread); d != "" || len(notes.By["keys 1"]) != 2 {
		t.Errorf("%d notes; unread (-want +got):\n%s", len(notes.By["keys 1"]), d)
	}
}

// Notes that are made later count against the memory limit too.
func TestNotesTakeMemory(t *testing.T) {
	img := imagetest.Must(t, noted).Image()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	img.Limits.Memory = layer.NewQuota(layer.Memory, 100)
	_, err = a.Notes(t.Context(), []layer.Looker{keys()}, nil)
	var over *layer.QuotaError
	if !errors.As(err, &over) {
		t.Errorf("got %v", err)
	}
}
