package origin

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

func TestLargest(t *testing.T) {
	ours := []string{"1", "2", "3", "4"}
	known := []Known{
		{Reference: "other", DiffIDs: []string{"1", "7"}},
		{Reference: "debian:12-slim", DiffIDs: []string{"1"}},
		{Reference: "debian:12", DiffIDs: []string{"1"}},
		{Reference: "node", Digest: "sha256:a", DiffIDs: []string{"1", "2", "3"}},
		{Reference: "ours:1", DiffIDs: ours},
		{Reference: "ours:2", DiffIDs: []string{"1", "2", "3", "4", "5"}},
		{Reference: "empty"},
	}
	got := Largest(known, ours, false, facts.EvidenceEngine, facts.CertainVerified)
	want := &facts.Base{
		Reference: "node", Digest: "sha256:a", Layers: 3, Evidence: "engine", Certainty: "verified",
		Chain: []facts.Link{{Reference: "debian:12", Layers: 1, Evidence: "engine", Certainty: "verified"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Largest(known, ours, true, facts.EvidenceFlag, facts.CertainExact); got == nil || got.Reference != "ours:1" {
		t.Errorf("with all layers: got %+v", got)
	}
	if got := Largest(known, []string{"9"}, true, "", ""); got != nil {
		t.Errorf("no image is below: got %+v", got)
	}
}

func TestGuess(t *testing.T) {
	step := func(command string, layer int) facts.Step { return facts.Step{Command: command, Layer: layer} }
	debian := []facts.Step{step("/bin/sh -c #(nop) ADD file:1 in /", 0), step(`/bin/sh -c #(nop)  CMD ["bash"]`, -1)}
	for _, tt := range []struct {
		name  string
		steps []facts.Step
		want  int
	}{
		{"nothing", nil, 0},
		{"the base alone", debian, 0},
		{"own steps", append(debian[:2:2], step("RUN make", 1), step(`CMD ["app"]`, -1)), 1},
		{"two bases", append(debian[:2:2], step("RUN make", 1), step(`ENTRYPOINT ["node"]`, -1), step("COPY . .", 2)), 2},
		{"configuration only", append(debian[:2:2], step("ENV A=1", -1), step(`CMD ["app"]`, -1)), 0},
	} {
		got := 0
		if b := Guess(tt.steps); b != nil {
			got = b.Layers
			if b.Certainty != facts.CertainGuessed {
				t.Errorf("%s: it is %s", tt.name, b.Certainty)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got a base of %d layers, want %d", tt.name, got, tt.want)
		}
	}
}

func TestSplit(t *testing.T) {
	// The own layers store a again with another owner, remove b, replace c, add d,
	// store e again twice, and remove f, which is their own.
	img := imagetest.Must(t, `layer base
  file a 10xa
  file b 20xb
  file c 5xc
  file e 3xe
  file keep 100xk
layer own
  file a 7:0 10xa
  file .wh.b
  file c 7xd
  file d 1000xd
  file e 7:0 3xe
  file f 40xf
layer own again
  file e 8:0 3xe
  file .wh.f
`)
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own, base := Split(a, 1)
	want := facts.Part{
		StoredBytes:         10 + 7 + 1000 + 3 + 40 + 3,
		VisibleBytes:        10 + 7 + 1000 + 3,
		WastedBytes:         3 + 40, // the first copy of e, and f
		Files:               4,      // a c d e
		Layers:              2,
		CopiedFromBaseBytes: 10 + 3, // a, and the last copy of e
	}
	if diff := cmp.Diff(want, own); diff != "" {
		t.Errorf("own: %s", diff)
	}
	want = facts.Part{
		StoredBytes: 138, VisibleBytes: 100, WastedBytes: 38, Files: 1, Layers: 1,
		HiddenByOwnBytes: 38, // a b c e
	}
	if diff := cmp.Diff(want, base); diff != "" {
		t.Errorf("base: %s", diff)
	}
	if a.Report.Totals.StoredBytes != own.StoredBytes+base.StoredBytes {
		t.Errorf("the parts do not add up to %d", a.Report.Totals.StoredBytes)
	}
}
