package analyzer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

const three = `
layer /bin/sh -c #(nop) ADD file:1 in /
  file big   3000xb
  file etc/a 10xa

step ENV A=b

layer RUN make
  file etc/a 10xA

layer RUN rm -rf /big
  file .wh.big
`

// If a layer can't be read completely, Analyze fails with an error that names the
// layer.
func TestBrokenLayer(t *testing.T) {
	for _, test := range []struct {
		name   string
		spoil  func(l *analyzer.Layer, data []byte) []byte
		c      imagetest.Compression
		verify bool
		want   string
	}{
		{name: "cut in a header", want: "unexpected end", spoil: func(_ *analyzer.Layer, b []byte) []byte { return b[:700] }},
		{name: "cut after an entry", want: "no end marker", spoil: func(_ *analyzer.Layer, b []byte) []byte { return b[:1024] }},
		{name: "cut gzip", c: imagetest.Gzip, want: "unexpected end", spoil: func(_ *analyzer.Layer, b []byte) []byte { return b[:len(b)-9] }},
		{name: "other gzip", c: imagetest.Gzip, want: "digest: expected sha256:", spoil: func(_ *analyzer.Layer, b []byte) []byte {
			b = bytes.Clone(b)
			b[4] ^= 1 // change the time in the header, not the content
			return b
		}},
		{name: "other diff ID", verify: true, want: "diff ID: expected sha256:0000", spoil: func(l *analyzer.Layer, b []byte) []byte {
			l.DiffID = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
			return b
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			img := imagetest.Must(t, three).Image(test.c)
			l := &img.Layers[1]
			data, err := io.ReadAll(io.NewSectionReader(l.Blob.At, 0, l.Blob.Size))
			if err != nil {
				t.Fatal(err)
			}
			data = test.spoil(l, data)
			l.Blob.At, l.Blob.Size = bytes.NewReader(data), int64(len(data))
			a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Verify: test.verify})
			if err == nil || a != nil {
				t.Fatalf("got analysis %v, error %v; want only an error", a, err)
			}
			if got := err.Error(); !strings.HasPrefix(got, "reading layer 1 (sha256:") || !strings.Contains(got, test.want) {
				t.Errorf("got error %q, want layer 1 and %q", got, test.want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := analyzer.Analyze(ctx, imagetest.Must(t, three).Image(), analyzer.Options{}); !errors.Is(err, stopped) {
		t.Errorf("got %v, want the cause of the cancellation", err)
	}
}

// If the source reports an error at the end, such as a changed file, Analyze fails.
func TestCheck(t *testing.T) {
	img := imagetest.Must(t, three).Image()
	changed := errors.New("the file changed")
	img.Check = func() error { return changed }
	if _, err := analyzer.Analyze(t.Context(), img, analyzer.Options{}); !errors.Is(err, changed) {
		t.Errorf("got %v, want what Check says", err)
	}
}

func TestReport(t *testing.T) {
	img := imagetest.Must(t, three).Image(imagetest.None, imagetest.Gzip)
	var p analyzer.Progress
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{Progress: &p})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Report
	want := facts.Totals{
		StoredBytes: 3020, VisibleBytes: 10, WastedBytes: 3010, Efficiency: 10.0 / 3020, Files: 1, Layers: 3,
	}
	if diff := cmp.Diff(want, r.Totals); diff != "" {
		t.Errorf("totals (-want +got)\n%s", diff)
	}
	wantWaste := []facts.Waste{
		{Path: "/big", Bytes: 3000, Cause: "removed", StoredIn: 0, HiddenBy: 2},
		{Path: "/etc/a", Bytes: 10, Cause: "overwritten", StoredIn: 0, HiddenBy: 1},
	}
	if diff := cmp.Diff(wantWaste, r.Waste); diff != "" {
		t.Errorf("waste (-want +got)\n%s", diff)
	}
	type figures struct {
		command                        string
		stored, visible, wasted, hides int64
		added, modified, removed       int
		compressed                     bool
	}
	var got []figures
	for _, l := range r.Layers {
		got = append(got, figures{l.Command, l.StoredBytes, l.VisibleBytes, l.WastedBytes, l.HidesBytes, l.Added, l.Modified, l.Removed, l.CompressedBytes > 0})
	}
	wantLayers := []figures{
		{"/bin/sh -c #(nop) ADD file:1 in /", 3010, 0, 3010, 0, 3, 0, 0, false},
		{"RUN make", 10, 10, 0, 10, 0, 1, 0, true},
		{"RUN rm -rf /big", 0, 0, 0, 3000, 0, 0, 1, true},
	}
	if diff := cmp.Diff(wantLayers, got, cmp.AllowUnexported(figures{})); diff != "" {
		t.Errorf("layers (-want +got)\n%s", diff)
	}
	var steps []int
	for _, s := range r.History {
		steps = append(steps, s.Layer)
	}
	if diff := cmp.Diff([]int{0, -1, 1, 2}, steps); diff != "" {
		t.Errorf("layers of the steps (-want +got)\n%s", diff)
	}
	for _, task := range p.Tasks() {
		if !task.Done() || task.Read.Load() != task.Total {
			t.Errorf("%s: %d of %d bytes read, done %v", task.Name, task.Read.Load(), task.Total, task.Done())
		}
	}
	if n := len(p.Tasks()); n != 3 {
		t.Errorf("%d tasks, want one for each layer", n)
	}
}

// If the history doesn't match the layers, the layers have no commands and a
// warning says so.
func TestHistoryMismatch(t *testing.T) {
	img := imagetest.Must(t, three).Image()
	img.Config.History = img.Config.History[:2]
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range a.Report.Layers {
		if l.Command != "" {
			t.Errorf("layer %d has command %q", l.Index, l.Command)
		}
	}
	if w := a.Report.Warnings; len(w) != 1 || !strings.Contains(w[0].Text, "1 steps that made a layer") {
		t.Errorf("warnings %v, want one about the history", w)
	}
}

func TestOpen(t *testing.T) {
	for _, c := range []imagetest.Compression{imagetest.None, imagetest.Gzip, imagetest.Zstd} {
		a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, three).Image(c), analyzer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, _ := a.Tree.Lookup("/etc/a")
		for i, want := range []string{"aaaaaaaaaa", "AAAAAAAAAA"} {
			s, _ := a.Tree.At(n, i)
			r, err := a.Open(t.Context(), s.Content)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil || string(got) != want {
				t.Errorf("after layer %d: got %q, %v; want %q", i, got, err, want)
			}
		}
	}
}

// In UTC, the time is in a year that JSON can't represent.
func TestReportYears(t *testing.T) {
	img := imagetest.Must(t, three).Image()
	at := time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*3600))
	img.Config.Created = v1.Time{Time: at}
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(a.Report.Image.Created); err != nil || string(got) != `"9999-12-31T23:00:00-02:00"` {
		t.Errorf("got %s, %v", got, err)
	}
}
