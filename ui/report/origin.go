package report

import (
	"cmp"
	"fmt"

	"fathom/analyzer/facts"
)

// part is the own layers or those of the base image, in words.
type part struct{ Name, Size, Text string }

// partsOf returns the figures of the own layers and of the base image; none if the base
// is unknown.
func partsOf(r *facts.Report) []part {
	own, base := r.Totals.Own, r.Totals.Base
	if r.Base == nil || own == nil || base == nil {
		return nil
	}
	text := func(p *facts.Part, more int64, what string) string {
		s := fmt.Sprintf("in %s, %s wasted", count(p.Layers, "layer"), Size(p.WastedBytes))
		if more > 0 {
			s += fmt.Sprintf(", %s %s", Size(more), what)
		}
		return s
	}
	return []part{
		{"own layers", Size(own.StoredBytes), text(own, own.CopiedFromBaseBytes, "of the base stored again")},
		{"base image", Size(base.StoredBytes), text(base, base.HiddenByOwnBytes, "of that hidden by own layers") + ": " + BaseName(r.Base)},
	}
}

// BaseName returns the base image and how sure it is: "debian:12 (exact: you named it)".
// It is safe to show.
func BaseName(b *facts.Base) string {
	return baseReference(b.Reference) + " (" + BaseCertainty(b) + ")"
}

// BaseCertainty returns how sure it is that an image is the base, and why: "exact: you
// named it". It is safe to show.
func BaseCertainty(b *facts.Base) string {
	why := map[string]string{
		facts.EvidenceFlag: "you named it", facts.EvidenceProvenance: "the build's attestation names it", facts.EvidenceAnnotation: "the image's annotation names it",
		facts.EvidenceEngine: "an engine here has it", facts.EvidenceHistory: "the history looks like it",
	}[b.Evidence]
	return Safe(b.Certainty + ": " + cmp.Or(why, b.Evidence))
}

func baseReference(reference string) string { return Safe(cmp.Or(reference, "unknown image")) }

// Lines returns a source as "Dockerfile:17" or "Dockerfile:17-19", safe to show; "" for
// nil.
func Lines(s *facts.Source) string {
	switch {
	case s == nil:
		return ""
	case s.End > s.Line:
		return Safe(fmt.Sprintf("%s:%d-%d", s.File, s.Line, s.End))
	}
	return Safe(fmt.Sprintf("%s:%d", s.File, s.Line))
}
