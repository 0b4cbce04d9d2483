package origin

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
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

// TestSources has attestations of docker 26 and, v1, of BuildKit 0.25, and the lines of
// the Dockerfiles, which are in align.Dockerfile and heredoc.Dockerfile.
func TestSources(t *testing.T) {
	for _, tt := range []struct{ name, want, stages string }{
		{"v0.2", "4 20 21 22-24 25", "base 2 2 2 2"},
		{"v1", "4 20 21 22-24 25", "base 2 2 2 2"},
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

// attestation returns one of a build of the Dockerfile, made of "ID LINES CHAIN"
// lines: LINES are those of its places, and CHAIN the digests of its layers.
func attestation(t *testing.T, dockerfile string, steps ...string) *Provenance {
	t.Helper()
	type object = map[string]any
	locations, layers, llb := object{}, object{}, []any{}
	for _, s := range steps {
		words := strings.Fields(s)
		id, op := words[0], object{}
		if words[1] == "image" {
			op = object{"Op": object{"source": object{"identifier": "docker-image://debian@sha256:d"}}}
			words[1] = "1"
		}
		var places, chain []object
		for line := range strings.SplitSeq(words[1], ",") {
			n, err := strconv.Atoi(line)
			if err != nil {
				t.Fatal(err)
			}
			at := object{"line": n}
			places = append(places, object{"ranges": []object{{"start": at, "end": at}}})
		}
		for _, d := range words[2:] {
			chain = append(chain, object{"digest": d})
		}
		locations[id], layers[id+":0"] = object{"locations": places}, [][]object{chain}
		llb = append(llb, object{"id": id, "op": op})
	}
	text, err := json.Marshal(object{
		"buildConfig": object{"llbDefinition": llb},
		"metadata": object{metadataKey: object{
			"layers": layers,
			"source": object{"locations": locations, "infos": []object{{"filename": "Dockerfile", "data": []byte(dockerfile)}}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseProvenance(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSourcesClaim has attestations that could claim lines for layers that other
// steps, builds or images made.
func TestSourcesClaim(t *testing.T) {
	const stages = "FROM debian AS a\nRUN x\nRUN y\nFROM debian AS b\nRUN x\nCOPY --link z z\nWORKDIR /z\n"
	steps := []string{
		"step0 image B E", // E is the layer of a WORKDIR that was there
		"step1 2,5 B E x", // both stages have the step
		"step2 6 z",
		"step3 7 B E x z E",
	}
	for _, tt := range []struct{ name, digests, want string }{
		{"the image", "B E x z E", "- - 5 6 7"},
		{"an image of other layers with the same base", "B E o E", "- - - -"},
		{"an image with the same linked copy", "o z E", "- - -"},
		{"the lower layers of the image and others", "B E x o E", "- - 2 - -"},
		{"layers of another base", "C E x z E", "- - - - -"},
		{"no layers", "", ""},
	} {
		digests := strings.Fields(tt.digests)
		p := attestation(t, stages, steps...)
		if got := strings.Join(lines(p.Sources(digests)), " "); got != tt.want {
			t.Errorf("%s: got the lines %s, want %s", tt.name, got, tt.want)
		}
		if got, want := p.Of(digests), tt.name == "the image"; got != want {
			t.Errorf("%s: got %v, want %v", tt.name, got, want)
		}
	}
	p := attestation(t, stages, "step0 image B", "step1 8 B x", "step2 9999999 B x y")
	if got := lines(p.Sources([]string{"B", "x", "y"})); !slices.Equal(got, []string{"-", "-", "-"}) {
		t.Errorf("lines beyond the file: got %s", got)
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
