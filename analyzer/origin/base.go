package origin

import (
	"cmp"
	"slices"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// Known is an image whose layers are known: it may be a base image.
type Known struct {
	Reference string
	Digest    string   // of its manifest, or ""
	DiffIDs   []string // bottom first
}

// below reports whether the image is the lowest layers of one with these diff IDs.
// An image without layers is below none.
func (k *Known) below(diffIDs []string) bool {
	n := len(k.DiffIDs)
	return n > 0 && n <= len(diffIDs) && slices.Equal(k.DiffIDs, diffIDs[:n])
}

// base returns the image as a base.
func (k *Known) base(evidence, certainty string) facts.Base {
	return facts.Base{
		Reference: k.Reference, Digest: k.Digest, Layers: len(k.DiffIDs),
		Evidence: evidence, Certainty: certainty, Chain: []facts.Link{},
	}
}

// Largest returns the base that the most layers are of, among images that are known
// to be below an image with these diff IDs, with those below it as its chain. It
// returns nil if none is. Images with all layers are left out, unless all is set.
func Largest(known []Known, diffIDs []string, all bool, evidence, certainty string) *facts.Base {
	var fit []facts.Base
	for i := range known {
		k := &known[i]
		if k.below(diffIDs) && (all || len(k.DiffIDs) < len(diffIDs)) {
			fit = append(fit, k.base(evidence, certainty))
		}
	}
	if len(fit) == 0 {
		return nil
	}
	// Among names of the same layers, the shortest is the most general one.
	slices.SortStableFunc(fit, func(a, b facts.Base) int {
		return cmp.Or(cmp.Compare(b.Layers, a.Layers), cmp.Compare(len(a.Reference), len(b.Reference)), cmp.Compare(a.Reference, b.Reference))
	})
	fit = slices.CompactFunc(fit, func(a, b facts.Base) bool { return a.Layers == b.Layers })
	for _, b := range fit[1:] {
		fit[0].Chain = append(fit[0].Chain, facts.Link{Reference: b.Reference, Digest: b.Digest, Layers: b.Layers, Evidence: b.Evidence, Certainty: b.Certainty})
	}
	return &fit[0]
}

// Guess returns the base as the history suggests it: it ends with the last CMD or
// ENTRYPOINT that a step with content follows. It returns nil if there is none.
func Guess(history []facts.Step) *facts.Base {
	layers, end := 0, 0
	pending := -1
	for _, s := range history {
		if s.Layer >= 0 {
			if pending >= 0 {
				end, pending = pending, -1
			}
			layers = s.Layer + 1
			continue
		}
		switch name, _, _ := strings.Cut(facts.Command(s.Command), " "); strings.ToUpper(name) {
		case "CMD", "ENTRYPOINT":
			pending = layers
		}
	}
	if end == 0 {
		return nil
	}
	return &facts.Base{Layers: end, Evidence: facts.EvidenceHistory, Certainty: facts.CertainGuessed, Chain: []facts.Link{}}
}

// Split adds up the figures of the lowest layers, which are the base's, and of the
// others. It marks the waste of which own layers have a copy.
func Split(a *analyzer.Analysis, layers int) (own, base facts.Part) {
	t, r := a.Tree, a.Report
	for i := range r.Layers {
		l := &r.Layers[i]
		p := &own
		if i < layers {
			p = &base
		}
		p.StoredBytes += l.StoredBytes
		p.VisibleBytes += l.VisibleBytes
		p.WastedBytes += l.WastedBytes
		p.CompressedBytes += l.CompressedBytes
		p.Layers++
	}
	if r.Totals.CompressedBytes == 0 { // that of some layer is unknown
		own.CompressedBytes, base.CompressedBytes = 0, 0
	}
	last := t.Layers() - 1
	for n := filetree.Root + 1; int(n) < t.Len(); n++ {
		if s, ok := t.At(n, last); ok && s.Content != filetree.NoContent {
			if s.Layer < layers {
				base.Files++
			} else {
				own.Files++
			}
		}
	}
	copies := map[filetree.Content]bool{}
	type piece struct {
		path   string
		stored int
	}
	copied := map[piece]bool{}
	for c := range filetree.Content(t.Contents()) {
		s := t.Stored(c)
		if s.Layer >= layers {
			break // contents are in the order of the layers
		}
		if s.Cause == filetree.Visible || s.HiddenBy < layers {
			continue
		}
		base.HiddenByOwnBytes += s.Bytes
		if s.Cause != filetree.MetadataOnly {
			continue
		}
		if c := LastCopy(t, s); c != filetree.NoContent && !copies[c] {
			copies[c] = true
			own.CopiedFromBaseBytes += t.Stored(c).Bytes
			copied[piece{t.Path(s.Lost), s.Layer}] = true
		}
	}
	for i := range r.Waste {
		w := &r.Waste[i]
		w.OwnCopy = w.HiddenBy >= layers && copied[piece{w.Path, w.StoredIn}]
	}
	return own, base
}

// LastCopy follows content that was stored again and returns the last copy, if that is
// visible, or NoContent. Copies that are hidden in turn are waste.
func LastCopy(t *filetree.Tree, s filetree.Stored) filetree.Content {
	for s.Cause == filetree.MetadataOnly {
		next, ok := t.At(s.Lost, s.HiddenBy)
		if !ok || next.Content == filetree.NoContent {
			return filetree.NoContent
		}
		s = t.Stored(next.Content)
		if s.Cause == filetree.Visible {
			return next.Content
		}
	}
	return filetree.NoContent
}
