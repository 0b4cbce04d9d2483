package origin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fathom/analyzer/facts"
)

// MaxProvenance is the largest attestation that is read, as in BuildKit.
const MaxProvenance = 40 << 20

// Provenance is what a builder says about how it made an image: an attestation of
// BuildKit, of SLSA v0.2 or v1.
type Provenance struct {
	Files []*Dockerfile // nil for one that can't be parsed; MaxDockerfile bytes together
	steps []provenStep
	bases []Material
}

// Material is an image that a build started from.
type Material struct {
	Reference string // "docker.io/library/debian:12"
	Digest    string
}

// provenStep is a step that made layers.
type provenStep struct {
	number int
	chains [][]string // digests of all layers after the step, compressed
	places []place    // the instructions that it is of: stages can share a step
	source string     // the image, of a step that is one
}

// place is an instruction in a Dockerfile.
type place struct {
	file, line, end int
	stage           int
}

// ErrNoSteps means that an attestation names no steps: a build with mode=min
// writes it.
var ErrNoSteps = errors.New("it names no steps: build with --provenance=mode=max")

// The parts of an attestation that say which step made which layer.
type (
	statement struct {
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
		// The file that buildx build --metadata-file writes.
		Metadata json.RawMessage `json:"buildx.build.provenance"`
	}
	predicate struct {
		// SLSA v0.2
		BuildConfig *buildConfig        `json:"buildConfig"`
		Materials   []resource          `json:"materials"`
		Metadata    map[string]buildkit `json:"-"`
		RawMetadata json.RawMessage     `json:"metadata"`
		// SLSA v1
		BuildDefinition struct {
			InternalParameters struct {
				BuildConfig *buildConfig `json:"buildConfig"`
			} `json:"internalParameters"`
			ResolvedDependencies []resource `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Metadata struct {
				BuildKit *buildkit `json:"buildkit_metadata"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	buildConfig struct {
		Steps []struct {
			ID string `json:"id"`
			Op struct {
				Op struct {
					Source *struct {
						Identifier string `json:"identifier"`
					} `json:"source"`
				} `json:"Op"`
			} `json:"op"`
		} `json:"llbDefinition"`
	}
	resource struct {
		URI    string            `json:"uri"`
		Digest map[string]string `json:"digest"`
	}
	buildkit struct {
		Source struct {
			Locations map[string]struct {
				Locations []struct {
					Source int `json:"sourceIndex"`
					Ranges []struct {
						Start, End struct {
							Line int `json:"line"`
						}
					} `json:"ranges"`
				} `json:"locations"`
			} `json:"locations"`
			Infos []struct {
				Filename string `json:"filename"`
				Language string `json:"language"`
				Data     []byte `json:"data"`
			} `json:"infos"`
		} `json:"source"`
		Layers map[string][][]struct {
			Digest string `json:"digest"`
		} `json:"layers"`
	}
)

const metadataKey = "https://mobyproject.org/buildkit@v1#metadata"

// ParseProvenance parses an attestation of BuildKit: an in-toto statement, its
// predicate alone, or the file that docker buildx build --metadata-file writes.
func ParseProvenance(text []byte) (*Provenance, error) {
	if len(text) > MaxProvenance {
		return nil, fmt.Errorf("it is larger than %d bytes", MaxProvenance)
	}
	var st statement
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, err
	}
	raw := json.RawMessage(text)
	switch {
	case st.Metadata != nil:
		raw = st.Metadata
	case st.Predicate != nil:
		raw = st.Predicate
	}
	var p predicate
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	config, kit, from := p.BuildConfig, p.RunDetails.Metadata.BuildKit, p.Materials
	if kit == nil && p.RawMetadata != nil {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(p.RawMetadata, &all); err != nil {
			return nil, err
		}
		if own := all[metadataKey]; own != nil {
			kit = &buildkit{}
			if err := json.Unmarshal(own, kit); err != nil {
				return nil, err
			}
		}
	}
	config = cmp.Or(config, p.BuildDefinition.InternalParameters.BuildConfig)
	out := &Provenance{}
	for _, r := range slices.Concat(from, p.BuildDefinition.ResolvedDependencies) {
		if ref, ok := imageOf(r.URI); ok {
			out.bases = append(out.bases, Material{Reference: ref, Digest: digestOf(r.Digest)})
		}
	}
	if kit == nil || config == nil || len(kit.Layers) == 0 {
		return out, ErrNoSteps
	}
	size := 0
	for _, info := range kit.Source.Infos {
		var d *Dockerfile
		if size += len(info.Data); size <= MaxDockerfile {
			d, _ = ParseDockerfile(cmp.Or(info.Filename, "Dockerfile"), info.Data)
		}
		out.Files = append(out.Files, d)
	}
	images := map[string]string{}
	for _, s := range config.Steps {
		if src := s.Op.Op.Source; src != nil {
			images[s.ID] = strings.TrimPrefix(src.Identifier, "docker-image://")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kit.Layers)) {
		id, _, _ := strings.Cut(name, ":")
		number, err := strconv.Atoi(strings.TrimPrefix(id, "step"))
		if err != nil {
			continue
		}
		s := provenStep{number: number, source: images[id]}
		for _, chain := range kit.Layers[name] {
			digests := make([]string, len(chain))
			for i, d := range chain {
				digests[i] = d.Digest
			}
			s.chains = append(s.chains, digests)
		}
		for _, at := range kit.Source.Locations[id].Locations {
			if at.Source < 0 || at.Source >= len(out.Files) || out.Files[at.Source] == nil {
				continue
			}
			p := place{file: at.Source}
			for _, r := range at.Ranges {
				if r.Start.Line < 1 || r.End.Line < r.Start.Line || r.End.Line > out.Files[at.Source].lines {
					continue
				}
				if p.line == 0 || r.Start.Line < p.line {
					p.line = r.Start.Line
				}
				p.end = max(p.end, r.End.Line)
			}
			if p.line > 0 {
				p.stage = out.Files[at.Source].StageAt(p.line)
				s.places = append(s.places, p)
			}
		}
		out.steps = append(out.steps, s)
	}
	slices.SortStableFunc(out.steps, func(a, b provenStep) int { return cmp.Compare(a.number, b.number) })
	return out, nil
}

// imageOf returns the image that a resource is: "pkg:docker/debian@12?platform=…".
func imageOf(uri string) (string, bool) {
	rest, ok := strings.CutPrefix(uri, "pkg:docker/")
	if !ok {
		return "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	return strings.Replace(rest, "@", ":", 1), true
}

func digestOf(all map[string]string) string {
	if hex := all["sha256"]; hex != "" {
		return "sha256:" + hex
	}
	return ""
}

// Of reports whether the attestation is of an image with these layers.
func (p *Provenance) Of(digests []string) bool { return p.last(digests) != nil }

// last returns a step after which the image has all of its layers; nil if there is
// none.
func (p *Provenance) last(digests []string) *provenStep {
	var found *provenStep
	for i := range p.steps {
		for _, chain := range p.steps[i].chains {
			if len(digests) > 0 && slices.Equal(chain, digests) {
				found = &p.steps[i]
			}
		}
	}
	return found
}

// Sources returns for each layer the lines that made it, or nil. digests are those of
// the layers as stored, the bottom layer first.
func (p *Provenance) Sources(digests []string) []*facts.Source {
	out := make([]*facts.Source, len(digests))
	const several = -1
	alone := map[string]int{}         // by the only digest of a chain: the step, or several
	made := make([]int, len(digests)) // by layer: 1 + the step
	for i := range p.steps {
		s := &p.steps[i]
		if len(s.places) == 0 || s.source != "" { // the lines of an image are those of FROM
			continue
		}
		for _, chain := range s.chains {
			n := len(chain)
			if n > 0 && n <= len(digests) && made[n-1] == 0 && slices.Equal(chain, digests[:n]) {
				made[n-1] = 1 + i
			}
			if n == 1 {
				if at, ok := alone[chain[0]]; ok && at != i {
					alone[chain[0]] = several
				} else {
					alone[chain[0]] = i
				}
			}
		}
	}
	_, base, _ := p.Base(digests)
	last := p.last(digests)
	stages := p.stages(last)
	for i, d := range digests {
		at := made[i] - 1
		if at < 0 && i >= base && last != nil { // COPY --link makes a layer that knows none below
			if only, ok := alone[d]; ok {
				at = only
			}
		}
		if at >= 0 {
			out[i] = p.source(&p.steps[at], stages)
		}
	}
	return out
}

// stageOf is a stage of one of the files.
type stageOf struct{ file, stage int }

// stages returns the stages that the image with this last step is made from. If
// several stages end with that step, it is the last of them.
func (p *Provenance) stages(last *provenStep) map[stageOf]bool {
	if last == nil || len(last.places) == 0 {
		return nil
	}
	end := slices.MaxFunc(last.places, func(a, b place) int { return cmp.Compare(a.stage, b.stage) })
	all := map[stageOf]bool{}
	for _, stage := range p.Files[end.file].Chain(end.stage) {
		all[stageOf{end.file, stage}] = true
	}
	return all
}

// source returns the lines of a step: of several places the first in one of the
// stages, if there is one.
func (p *Provenance) source(s *provenStep, stages map[stageOf]bool) *facts.Source {
	at := s.places[0]
	if i := slices.IndexFunc(s.places, func(p place) bool { return stages[stageOf{p.file, p.stage}] }); i >= 0 {
		at = s.places[i]
	}
	d := p.Files[at.file]
	out := &facts.Source{File: d.Name, Line: at.line, End: at.end, Certainty: facts.CertainExact}
	if at.stage >= 0 {
		out.Stage = cmp.Or(d.Stages[at.stage].Name, strconv.Itoa(at.stage))
	}
	return out
}

// Base returns the image that the lowest layers are, and how many layers it has. It
// returns false if the attestation names none.
func (p *Provenance) Base(digests []string) (Material, int, bool) {
	best := Material{}
	layers := 0
	for _, s := range p.steps {
		if s.source == "" || strings.Contains(s.source, "://") {
			continue
		}
		for _, chain := range s.chains {
			if len(chain) > layers && len(chain) <= len(digests) && slices.Equal(chain, digests[:len(chain)]) {
				layers = len(chain)
				ref, digest, _ := strings.Cut(s.source, "@")
				best = Material{Reference: ref, Digest: digest}
			}
		}
	}
	return best, layers, layers > 0
}

// Materials returns the images that the build used.
func (p *Provenance) Materials() []Material { return p.bases }

// Dockerfile returns the file that most steps are from; nil if there is none.
func (p *Provenance) Dockerfile() *Dockerfile {
	counts := make([]int, len(p.Files))
	best := -1
	for _, s := range p.steps {
		for _, at := range s.places {
			counts[at.file]++
			if best < 0 || counts[at.file] > counts[best] {
				best = at.file
			}
		}
	}
	if best < 0 {
		return nil
	}
	return p.Files[best]
}
