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
	Files []*Dockerfile // nil for one that can't be parsed
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
	file   int        // index of Files, or -1
	line   int
	end    int
	source string // the image, of a step that is one
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
// A warning says what of it can't be used.
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
	for _, info := range kit.Source.Infos {
		d, err := ParseDockerfile(cmp.Or(info.Filename, "Dockerfile"), info.Data)
		if err != nil {
			d = nil
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
		s := provenStep{number: number, file: -1, source: images[id]}
		for _, chain := range kit.Layers[name] {
			digests := make([]string, len(chain))
			for i, d := range chain {
				digests[i] = d.Digest
			}
			s.chains = append(s.chains, digests)
		}
		if at := kit.Source.Locations[id].Locations; len(at) > 0 && at[0].Source >= 0 && at[0].Source < len(out.Files) {
			for _, r := range at[0].Ranges {
				if r.Start.Line < 1 || r.End.Line < r.Start.Line {
					continue
				}
				s.file = at[0].Source
				if s.line == 0 || r.Start.Line < s.line {
					s.line = r.Start.Line
				}
				s.end = max(s.end, r.End.Line)
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

// Sources returns for each layer the lines that made it, or nil. digests are those of
// the layers as stored, the bottom layer first.
func (p *Provenance) Sources(digests []string) []*facts.Source {
	out := make([]*facts.Source, len(digests))
	last := map[string]int{} // by the last digest of a chain: the first step that has lines
	prefix := map[string]int{}
	for i := range p.steps {
		s := &p.steps[i]
		if s.file < 0 || s.source != "" { // the lines of an image are those of FROM
			continue
		}
		for _, chain := range s.chains {
			if len(chain) == 0 {
				continue
			}
			for _, at := range []struct {
				m   map[string]int
				key string
			}{{prefix, strings.Join(chain, " ")}, {last, chain[len(chain)-1]}} {
				if _, ok := at.m[at.key]; !ok {
					at.m[at.key] = i
				}
			}
		}
	}
	for i, d := range digests {
		at, ok := prefix[strings.Join(digests[:i+1], " ")]
		if !ok {
			if at, ok = last[d]; !ok {
				continue
			}
		}
		out[i] = p.source(&p.steps[at])
	}
	return out
}

func (p *Provenance) source(s *provenStep) *facts.Source {
	out := &facts.Source{Line: s.line, End: s.end, Certainty: facts.CertainExact}
	d := p.Files[s.file]
	if d == nil {
		return nil
	}
	out.File = d.Name
	if at := d.StageAt(s.line); at >= 0 {
		out.Stage = cmp.Or(d.Stages[at].Name, strconv.Itoa(at))
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
		if s.file < 0 || p.Files[s.file] == nil {
			continue
		}
		counts[s.file]++
		if best < 0 || counts[s.file] > counts[best] {
			best = s.file
		}
	}
	if best < 0 {
		return nil
	}
	return p.Files[best]
}
