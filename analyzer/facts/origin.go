package facts

import (
	"fmt"
	"slices"
	"strings"
)

// Base is the image that the lowest layers of an image are.
type Base struct {
	Reference string `json:"reference"` // "" if only its layers are known
	Digest    string `json:"digest"`    // of its manifest, or ""
	Layers    int    `json:"layers"`    // how many of the image's layers are its layers
	Evidence  string `json:"evidence"`  // one of the Evidence constants
	Certainty string `json:"certainty"` // CertainExact, CertainVerified or CertainGuessed
	Chain     []Link `json:"chain"`     // the images that it is based on in turn, the largest first
}

// Link is one of the images that a base is based on. Its fields are as in Base.
type Link struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest"`
	Layers    int    `json:"layers"`
	Evidence  string `json:"evidence"`
	Certainty string `json:"certainty"`
}

// What says that an image is the base (Base.Evidence).
const (
	EvidenceFlag       = "flag"
	EvidenceProvenance = "provenance"
	EvidenceAnnotation = "annotation"
	EvidenceEngine     = "engine"
	EvidenceHistory    = "history"
)

// How sure a base is (Base.Certainty), besides CertainExact.
const (
	CertainVerified = "verified" // its diff IDs are those of the lowest layers
	CertainGuessed  = "guessed"
)

// Part holds the figures of the base image's layers or of the others.
type Part struct {
	StoredBytes     int64 `json:"storedBytes"`
	VisibleBytes    int64 `json:"visibleBytes"`
	WastedBytes     int64 `json:"wastedBytes"`
	CompressedBytes int64 `json:"compressedBytes"` // 0 if unknown
	Files           int   `json:"files"`           // of the final filesystem
	Layers          int   `json:"layers"`
	// CopiedFromBaseBytes is what own layers store again of the base, unchanged and
	// visible.
	CopiedFromBaseBytes int64 `json:"copiedFromBaseBytes,omitempty"`
	// HiddenByOwnBytes is what own layers hide of the base.
	HiddenByOwnBytes int64 `json:"hiddenByOwnBytes,omitempty"`
}

// Dockerfile is the file that the image was built from.
type Dockerfile struct {
	Name      string `json:"name"`
	Text      string `json:"text"`
	Certainty string `json:"certainty"` // CertainExact or CertainLikely
}

// checkOrigin returns an error if the base and its figures contradict the report.
func (r *Report) checkOrigin() error {
	if err := r.checkSources(); err != nil {
		return err
	}
	t := &r.Totals
	if (t.Own == nil) != (r.Base == nil) || (t.Base == nil) != (r.Base == nil) {
		return fmt.Errorf("its base and the figures of its base do not go together")
	}
	if r.Base == nil {
		return nil
	}
	for _, l := range append(slices.Clone(r.Base.Chain), Link{Evidence: r.Base.Evidence, Certainty: r.Base.Certainty}) {
		switch {
		case !slices.Contains([]string{EvidenceFlag, EvidenceProvenance, EvidenceAnnotation, EvidenceEngine, EvidenceHistory}, l.Evidence):
			return fmt.Errorf("its base has an unknown evidence: %.40q", l.Evidence)
		case l.Certainty != CertainExact && l.Certainty != CertainVerified && l.Certainty != CertainGuessed:
			return fmt.Errorf("its base has an unknown certainty: %.40q", l.Certainty)
		}
	}
	above := len(r.Layers)
	for _, layers := range r.Base.sizes() {
		if layers < 1 || layers > above {
			return fmt.Errorf("its base can't have %d of %d layers", layers, above)
		}
		above = layers - 1
	}
	for _, p := range []struct {
		name     string
		part     *Part
		from, to int
	}{{"base", t.Base, 0, r.Base.Layers}, {"own", t.Own, r.Base.Layers, len(r.Layers)}} {
		x := p.part
		if err := counts(p.name, x.StoredBytes, x.VisibleBytes, x.WastedBytes, x.CompressedBytes, int64(x.Files), int64(x.Layers), x.CopiedFromBaseBytes, x.HiddenByOwnBytes); err != nil {
			return err
		}
		var stored, visible, wasted total
		for _, l := range r.Layers[p.from:p.to] {
			stored.add(l.StoredBytes)
			visible.add(l.VisibleBytes)
			wasted.add(l.WastedBytes)
		}
		if int64(stored) != x.StoredBytes || int64(visible) != x.VisibleBytes || int64(wasted) != x.WastedBytes || x.Layers != p.to-p.from {
			return fmt.Errorf("its %s layers store %d bytes, and its totals say %d", p.name, stored, x.StoredBytes)
		}
	}
	var copied total
	for _, w := range r.Waste {
		if w.OwnCopy && (w.StoredIn >= r.Base.Layers || w.HiddenBy < r.Base.Layers) {
			return fmt.Errorf("%.80q is not content of the base that own layers hide", w.Path)
		}
		if w.OwnCopy {
			copied.add(w.Bytes)
		}
	}
	if int64(copied) != t.Own.CopiedFromBaseBytes {
		return fmt.Errorf("own layers copy %d bytes of the base, and its waste says %d", t.Own.CopiedFromBaseBytes, copied)
	}
	if t.Own.Files+t.Base.Files != t.Files {
		return fmt.Errorf("own and base have %d and %d files of %d", t.Own.Files, t.Base.Files, t.Files)
	}
	return nil
}

// checkSources returns an error if lines of the Dockerfile can't be there.
func (r *Report) checkSources() error {
	lines := -1
	if d := r.Dockerfile; d != nil {
		if d.Certainty != CertainExact && d.Certainty != CertainLikely {
			return fmt.Errorf("its Dockerfile has an unknown certainty: %.40q", d.Certainty)
		}
		lines = 1 + strings.Count(d.Text, "\n")
	}
	check := func(s *Source) error {
		switch {
		case s == nil:
			return nil
		case s.Line < 1 || s.End < s.Line:
			return fmt.Errorf("%d to %d is not a range of lines", s.Line, s.End)
		case lines >= 0 && s.File == r.Dockerfile.Name && s.End > lines:
			return fmt.Errorf("the Dockerfile has %d lines, not %d", lines, s.End)
		case s.Certainty != CertainExact && s.Certainty != CertainLikely:
			return fmt.Errorf("its lines have an unknown certainty: %.40q", s.Certainty)
		}
		return nil
	}
	for i := range r.Layers {
		if err := check(r.Layers[i].Source); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	for i := range r.History {
		if err := check(r.History[i].Source); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	for i := range r.Findings {
		if err := check(r.Findings[i].Source); err != nil {
			return fmt.Errorf("finding %d: %w", i, err)
		}
	}
	return nil
}

// sizes returns the layers of the base and of those it is based on.
func (b *Base) sizes() []int {
	all := []int{b.Layers}
	for _, l := range b.Chain {
		all = append(all, l.Layers)
	}
	return all
}
