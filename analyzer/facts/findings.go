package facts

import (
	"cmp"
	"fmt"
	"slices"
)

// Finding is one thing that the maker of the image can change: what it is, where it
// is, what it costs, and how to fix it. See docs/findings.md.
type Finding struct {
	Rule       string  `json:"rule"`      // a name from docs/findings.md
	Severity   string  `json:"severity"`  // one of the Severity constants
	Certainty  string  `json:"certainty"` // CertainProven or CertainLikely
	Title      string  `json:"title"`     // one sentence
	Bytes      int64   `json:"bytes"`     // what the fix saves; 0 if it is not about size
	Fix        Fix     `json:"fix"`
	Places     []Place `json:"places"` // the largest first, at most MaxPlaces
	MorePlaces int     `json:"morePlaces"`
	Layers     []int   `json:"layers"` // the layers of all places, in order
	Source     *Source `json:"source"` // the lines to change; null if unknown
	Owner      string  `json:"owner"`  // OwnerUnknown, until the base image is known
}

// Fix says how to fix a finding.
type Fix struct {
	Text  string   `json:"text"`  // a sentence
	Lines []string `json:"lines"` // of a Dockerfile or of .dockerignore, to paste
}

// Place is one place of a finding: a file, a folder or a whole layer.
type Place struct {
	Path      string `json:"path"`                // rooted; "" for a layer or the config
	PathBytes []byte `json:"pathBytes,omitempty"` // the path, if it is not valid UTF-8
	Layer     int    `json:"layer"`               // the layer that stores it, or -1
	Bytes     int64  `json:"bytes"`
	Files     int    `json:"files"`              // how many files of a folder
	HiddenBy  int    `json:"hiddenBy"`           // the layer that hides it, or -1
	Redacted  string `json:"redacted,omitempty"` // of a secret: its first characters and its length
}

// Source is a range of lines in a file.
type Source struct {
	File      string `json:"file"`
	Line      int    `json:"line"`            // from 1
	End       int    `json:"end"`             // the last line
	Stage     string `json:"stage,omitempty"` // the name or the number of the stage
	Certainty string `json:"certainty"`
}

// MaxPlaces is how many places of a finding a report lists.
const MaxPlaces = 100

// How serious a finding is (Finding.Severity).
const (
	SeverityError = "error"
	SeverityWarn  = "warn"
	SeverityInfo  = "info"
)

// Severities returns the severities of findings, the most serious first.
func Severities() []string { return []string{SeverityError, SeverityWarn, SeverityInfo} }

// How sure a finding is (Finding.Certainty).
const (
	CertainProven = "proven"
	CertainLikely = "likely"
	CertainExact  = "exact" // of a Source: the builder says so
)

// Whose step a finding is about (Finding.Owner).
const (
	OwnerOwn     = "own"
	OwnerBase    = "base"
	OwnerUnknown = "unknown"
)

// Which layers were searched for secrets (Report.Secrets).
const (
	SecretsAll  = "all"
	SecretsOwn  = "own"  // only those above the base image
	SecretsSome = "some" // the content of some layers was not downloaded
	SecretsOff  = "off"
)

// CompareFindings orders findings as a report lists them: the largest first, then
// the most serious, then by rule and title.
func CompareFindings(a, b Finding) int {
	rank := func(f *Finding) int { return slices.Index(Severities(), f.Severity) }
	return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(rank(&a), rank(&b)), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Title, b.Title))
}

// fillFindings sets what the JSON form of the findings does not represent directly.
func (r *Report) fillFindings() {
	for i := range r.Findings {
		f := &r.Findings[i]
		for j := range f.Places {
			if p := &f.Places[j]; len(p.PathBytes) > 0 && p.Path == asText(p.PathBytes) {
				p.Path = string(p.PathBytes)
			}
		}
		if f.Places == nil {
			f.Places = []Place{}
		}
		if f.Layers == nil {
			f.Layers = []int{}
		}
		if f.Fix.Lines == nil {
			f.Fix.Lines = []string{}
		}
	}
}

// checkFindings returns an error if the findings of a saved report contradict
// themselves or the totals. Findings is nil in a report of an earlier version.
func (r *Report) checkFindings() error {
	var sum total
	for i := range r.Findings {
		f := &r.Findings[i]
		name := fmt.Sprintf("finding %d", i)
		if err := counts(name, f.Bytes, int64(f.MorePlaces)); err != nil {
			return err
		}
		if err := f.check(name, len(r.Layers)); err != nil {
			return err
		}
		sum.add(f.Bytes)
	}
	if int64(sum) != r.Totals.FindingsBytes {
		return fmt.Errorf("its findings add up to %d bytes, and its totals say %d", sum, r.Totals.FindingsBytes)
	}
	if int64(sum) > r.Totals.StoredBytes {
		return fmt.Errorf("its findings save %d bytes of %d", sum, r.Totals.StoredBytes)
	}
	return nil
}

func (f *Finding) check(name string, layers int) error {
	switch {
	case f.Rule == "":
		return fmt.Errorf("%s has no rule", name)
	case !slices.Contains(Severities(), f.Severity):
		return fmt.Errorf("%s has an unknown severity: %.40q", name, f.Severity)
	case f.Certainty != CertainProven && f.Certainty != CertainLikely:
		return fmt.Errorf("%s has an unknown certainty: %.40q", name, f.Certainty)
	case f.Owner != OwnerOwn && f.Owner != OwnerBase && f.Owner != OwnerUnknown:
		return fmt.Errorf("%s has an unknown owner: %.40q", name, f.Owner)
	case len(f.Places) > MaxPlaces:
		return fmt.Errorf("%s lists %d places, more than %d", name, len(f.Places), MaxPlaces)
	}
	at := -1
	for _, l := range f.Layers {
		if l <= at || l >= layers {
			return fmt.Errorf("%s: layer %d is out of place", name, l)
		}
		at = l
	}
	var sum total
	for _, p := range f.Places {
		if err := counts(name, p.Bytes, int64(p.Files)); err != nil {
			return err
		}
		switch {
		case p.Layer < -1 || p.Layer >= layers || p.HiddenBy < -1 || p.HiddenBy >= layers || p.HiddenBy >= 0 && p.HiddenBy < p.Layer:
			return fmt.Errorf("%s can't be in layer %d and hidden by layer %d: there are %d", name, p.Layer, p.HiddenBy, layers)
		case len(p.PathBytes) > 0 && p.Path != string(p.PathBytes):
			return fmt.Errorf("%s has a place with two paths", name)
		case p.Path != "" && p.Path != "/" && !clean(p.Path):
			return fmt.Errorf("%s: the path %.80q is not rooted and clean", name, p.Path)
		}
		sum.add(p.Bytes)
	}
	if sum < 0 || int64(sum) > f.Bytes || f.MorePlaces == 0 && int64(sum) != f.Bytes {
		return fmt.Errorf("%s saves %d bytes, and its places add up to %d", name, f.Bytes, sum)
	}
	return nil
}
