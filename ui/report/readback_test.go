package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/ui/report"
)

// saved returns the report of an image of testdata/images, and its JSON.
func saved(t testing.TB, name string) (*facts.Report, []byte) {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Load(t, name).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.Report.Findings, a.Report.Totals.FindingsBytes, err = advice.Find(t.Context(), a, advice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.JSON(&b, a.Report); err != nil {
		t.Fatal(err)
	}
	return a.Report, b.Bytes()
}

// TestSavedReports reads back the JSON of every image of testdata/images. Bytes that
// are not UTF-8 can't be written in JSON and become replacement characters, except in
// the paths of waste and of findings.
func TestSavedReports(t *testing.T) {
	asJSON := cmp.Transformer("text", func(s string) string { return string([]rune(s)) })
	for _, name := range imagetest.Names(t) {
		t.Run(name, func(t *testing.T) {
			want, data := saved(t, name)
			got, err := facts.Read(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want.Waste {
				if got.Waste[i].Path != w.Path {
					t.Errorf("waste %d is %q, want %q", i, got.Waste[i].Path, w.Path)
				}
			}
			for i, f := range want.Findings {
				for j, p := range f.Places {
					if got.Findings[i].Places[j].Path != p.Path {
						t.Errorf("place %d of finding %d is %q, want %q", j, i, got.Findings[i].Places[j].Path, p.Path)
					}
				}
			}
			if diff := cmp.Diff(want, got, asJSON, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-saved +read):\n%s", diff)
			}
			var again bytes.Buffer
			if err := report.JSON(&again, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(data), again.String()); diff != "" {
				t.Errorf("written again:\n%s", diff)
			}
		})
	}
}

// FuzzRead checks that any report that was read can be written, and that reading it
// again returns the same report.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"name-not-utf8", "config-rich", "hl-all-names-at-once", "no-layers"} {
		_, data := saved(f, name)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := facts.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var sum int64
		for _, w := range r.Waste {
			sum += w.Bytes
			_, _ = r.Layers[w.StoredIn], r.Layers[w.HiddenBy]
		}
		if sum != r.Totals.WastedBytes {
			t.Errorf("%d bytes of waste, %d wasted", sum, r.Totals.WastedBytes)
		}
		var b bytes.Buffer
		if err := report.JSON(&b, r); err != nil {
			var bad *json.MarshalerError // a time that JSON can't represent
			if !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return
		}
		again, err := facts.Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}
