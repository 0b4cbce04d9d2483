package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/load"
)

// archive writes an image with two layers, one of which hides a file, and returns
// its path.
func archive(t *testing.T) string {
	t.Helper()
	img, err := imagetest.Parse([]byte("layer one\n  file a 3xb\nlayer two\n  file .wh.a\n"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "app.tar")
	if err := os.WriteFile(name, img.DockerArchive().Tar(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOpen(t *testing.T) {
	name := archive(t)
	r, err := Open(t.Context(), name, Options{Name: "shown"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Analysis == nil || r.Report != r.Analysis.Report || r.Report.Image.Reference != "shown" || r.Report.Totals.WastedBytes != 3 {
		t.Errorf("got %+v of %+v", r.Report.Totals, r.Report.Image)
	}
	n, ok := r.Analysis.Tree.Lookup("/a")
	if !ok {
		t.Fatal("the tree does not have /a")
	}
	st, _ := r.Analysis.Tree.At(n, 0)
	f, err := r.Analysis.Open(t.Context(), st.Content)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(f); string(text) != "bbb" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	if err := errors.Join(f.Close(), r.Close()); err != nil {
		t.Error(err)
	}

	// The saved report opens, without files.
	text, err := json.Marshal(r.Report)
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(saved, append([]byte("\n "), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), saved, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Analysis != nil || again.Report.Totals != r.Report.Totals {
		t.Errorf("got %+v and the analysis %v", again.Report.Totals, again.Analysis)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	var notImage *load.NotImageError
	for _, needs := range []Needs{Files, Content} {
		if _, err := Open(t.Context(), saved, Options{Needs: needs}); !errors.As(err, &notImage) {
			t.Errorf("needs %b: got %v, want a *load.NotImageError", needs, err)
		}
	}
}

func TestSaved(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json": `{"schemaVersion": 2}`,
		"empty":         "",
		"list.json":     "[]",
		"brace.tar":     "{.tar\x00",
	} {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if rep, err := Saved(name); rep != nil || err != nil {
			t.Errorf("%s: got %v, %v, want that it is no report", name, rep, err)
		}
	}
	cut := filepath.Join(dir, "cut.json")
	if err := os.WriteFile(cut, []byte(`{"schema": 1`), 0o600); err != nil {
		t.Fatal(err)
	}
	var saved *SavedError
	if _, err := Saved(cut); !errors.As(err, &saved) || saved.Name != cut {
		t.Errorf("got %v, want a *SavedError", err)
	}
	for _, name := range []string{dir, "-", filepath.Join(dir, "none"), archive(t)} {
		if rep, err := Saved(name); rep != nil || err != nil {
			t.Errorf("%s: got %v, %v", name, rep, err)
		}
	}
}

func TestPasses(t *testing.T) {
	name := archive(t)
	var ran []string
	pass := func(name string, err error) Pass {
		return Pass{Name: name, Run: func(_ context.Context, r *Result) error {
			if r.Report == nil {
				t.Errorf("%s: there is no report", name)
			}
			ran = append(ran, name)
			return err
		}}
	}
	r, err := Open(t.Context(), name, Options{Passes: []Pass{pass("one", nil), pass("two", nil)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	broken := errors.New("broken")
	_, err = Open(t.Context(), name, Options{Passes: []Pass{pass("three", broken), pass("four", nil)}})
	if !errors.Is(err, broken) || err.Error() != "three: broken" {
		t.Errorf("got %v", err)
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
}

func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		own    Needs
		passes []Needs
		want   Needs
	}{
		{0, nil, 0},
		{Proof, nil, Proof},
		{Content, nil, Content | Files},
		{0, []Needs{Files, Proof}, Files | Proof},
		{Proof, []Needs{Content}, Proof | Content | Files},
	} {
		opt := Options{Needs: tt.own}
		for _, n := range tt.passes {
			opt.Passes = append(opt.Passes, Pass{Needs: n})
		}
		if got := opt.needs(); got != tt.want {
			t.Errorf("%b and %b: got %b, want %b", tt.own, tt.passes, got, tt.want)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct{ ref, engine, want string }{
		{"app:1", "podman", "podman:app:1"},
		{"app", "docker", "docker:app"},
		{"docker:app", "docker", "docker:app"},
		{"podman://app", "podman", "podman://app"},
	} {
		if got := within(tt.engine, tt.ref); got != tt.want {
			t.Errorf("%s within %s: got %s, want %s", tt.ref, tt.engine, got, tt.want)
		}
	}
}
