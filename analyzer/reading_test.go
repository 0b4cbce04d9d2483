package analyzer_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// readingOf opens the file that the image shows at path.
func readingOf(t *testing.T, a *analyzer.Analysis, path string) *analyzer.Reading {
	t.Helper()
	n, ok := a.Tree.Lookup(path)
	if !ok {
		t.Fatalf("no %s", path)
	}
	st, _ := a.Tree.At(n, a.Tree.Layers()-1)
	r, err := a.Reading(st.Content)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func analysis(t *testing.T, text string, c imagetest.Compression) *analyzer.Analysis {
	t.Helper()
	img := imagetest.Must(t, text).Image(c)
	img.Temp = t.TempDir()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const readings = `
layer
  file before 700000xb
  file text   600000xt
  file hole   sparse=700000@300000 text="abc"
  file empty
`

// The content of a Reading does not depend on how its layer is stored. Only the
// time at which it is available does.
func TestReading(t *testing.T) {
	hole := strings.Repeat("\x00", 300000) + "abc" + strings.Repeat("\x00", 399997)
	for _, test := range []struct {
		path string
		c    imagetest.Compression
		want string
		once bool // all content is available from the start
	}{
		{"text", imagetest.None, strings.Repeat("t", 600000), true},
		{"text", imagetest.Gzip, strings.Repeat("t", 600000), false},
		{"text", imagetest.Zstd, strings.Repeat("t", 600000), false},
		{"hole", imagetest.None, hole, false},
		{"hole", imagetest.Gzip, hole, false},
		{"empty", imagetest.None, "", true},
		{"empty", imagetest.Gzip, "", true},
	} {
		a := analysis(t, readings, test.c)
		r := readingOf(t, a, test.path)
		if r.Size() != int64(len(test.want)) {
			t.Errorf("%s: got size %d, want %d", test.path, r.Size(), len(test.want))
		}
		if once := r.Arrived() == r.Size(); once != test.once {
			t.Errorf("%s, %v: %d bytes are there at once", test.path, test.c, r.Arrived())
		}
		last := int64(0)
		for more := true; more; {
			var err error
			if more, err = r.Fill(t.Context(), 100000); err != nil {
				t.Fatal(err)
			}
			if n := r.Arrived(); more && n != last+100000 {
				t.Fatalf("%s: %d bytes came, want 100000", test.path, n-last)
			}
			last = r.Arrived()
			p := make([]byte, 10)
			if n, err := r.ReadAt(p, max(last-5, 0)); n != int(min(last, 5)) || err != io.EOF && last > 0 && last < r.Size() {
				t.Fatalf("%s: read %d bytes at the end of what arrived: %v", test.path, n, err)
			}
		}
		got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
		if err != nil || string(got) != test.want {
			t.Errorf("%s, %v: got %d bytes, error %v", test.path, test.c, len(got), err)
		}
	}
}

// Fill must fail if the Reading was closed or the context was canceled.
func TestReadingEnds(t *testing.T) {
	a := analysis(t, readings, imagetest.Gzip)
	r := readingOf(t, a, "text")
	if _, err := r.Fill(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := r.Fill(t.Context(), 10); !errors.Is(err, context.Canceled) {
		t.Errorf("after Close got %v", err)
	}
	if _, err := r.ReadAt(make([]byte, 5), 0); err == nil {
		t.Error("the temporary file can be read after Close")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readingOf(t, a, "text").Fill(ctx, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that ended got %v", err)
	}
}
