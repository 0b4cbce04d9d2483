package origin

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func readProvenance(t *testing.T, name string) (*Provenance, []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseProvenance(text)
	if err != nil {
		t.Fatal(err)
	}
	digests, err := os.ReadFile("testdata/" + name + ".digests")
	if err != nil {
		t.Fatal(err)
	}
	return p, strings.Fields(string(digests))
}

// TestSources has attestations of docker 26 and the lines of the Dockerfiles, which
// are in align.Dockerfile and heredoc.Dockerfile.
func TestSources(t *testing.T) {
	for _, tt := range []struct{ name, want, stages string }{
		{"v0.2", "4 20 21 22-24 25", "base 2 2 2 2"},
		{"base", "- - 17 18 19 20 21", "- - 1 1 1 1 1"},
	} {
		p, digests := readProvenance(t, tt.name)
		sources := p.Sources(digests)
		if got := lines(sources); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		var stages []string
		for _, s := range sources {
			if s == nil {
				stages = append(stages, "-")
			} else {
				stages = append(stages, s.Stage)
			}
		}
		if got := strings.Join(stages, " "); got != tt.stages {
			t.Errorf("%s: got the stages %s, want %s", tt.name, got, tt.stages)
		}
	}
}

func TestBase(t *testing.T) {
	p, digests := readProvenance(t, "base")
	base, layers, ok := p.Base(digests)
	const digest = "sha256:664c9d8156c52b79db54fa9252b3c409aa6855cad17ab30c5b57893465627bbc"
	if !ok || base.Reference != "docker.io/library/proof-docs-before:latest" || base.Digest != digest || layers != 2 {
		t.Errorf("got %+v with %d layers, %v", base, layers, ok)
	}
	if base, _, ok := p.Base(digests[1:]); ok {
		t.Errorf("an image without those layers has the base %+v", base)
	}
	p, digests = readProvenance(t, "v0.2")
	if base, _, ok := p.Base(digests); ok {
		t.Errorf("an image from scratch has the base %+v", base)
	}
}

func TestParseProvenance(t *testing.T) {
	for text, want := range map[string]string{
		``:   "unexpected end of JSON input",
		`[]`: "cannot unmarshal array",
		`{"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": {"materials": []}}`:  ErrNoSteps.Error(),
		`{"predicate": {"buildConfig": {"llbDefinition": [{"id": "step0"}]}, "metadata": null}}`: ErrNoSteps.Error(),
		`{"predicate": {"metadata": {"https://mobyproject.org/buildkit@v1#metadata": 7}}}`:       "cannot unmarshal number",
	} {
		if _, err := ParseProvenance([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	// A build with mode=min names what it started from.
	p, err := ParseProvenance([]byte(`{"predicate": {"materials": [{"uri": "pkg:docker/debian@12?platform=linux%2Famd64", "digest": {"sha256": "ab"}}]}}`))
	if !errors.Is(err, ErrNoSteps) || len(p.bases) != 1 || p.bases[0].Reference != "debian:12" || p.bases[0].Digest != "sha256:ab" {
		t.Errorf("got %+v, %v", p, err)
	}
}
