package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// Finding is a finding in words, which all outputs share. Its texts are safe to show.
type Finding struct {
	Rule     string
	Severity string // error, warn or info
	Sure     string // proven or likely
	Size     string // what the fix saves; "" if it is not about size
	Title    string
	Fix      string
	Lines    []string // of the fix, to paste
	Places   []FindingPlace
	More     string // "and 12 more places", or ""
	Steps    []FindingStep
	Owner    string // "of the base image", or ""
	At       string // the lines of the Dockerfile to change, or ""
}

// FindingPlace is a place of a Finding in words.
type FindingPlace struct {
	Path  string // "layer 3" for a whole layer, "the config" for the config
	Size  string // "" if it is not about size
	Files string // "12 files", or ""
	Where string // "in layer 3, hidden by layer 5", or ""
	Value string // of a secret: its first characters and its length; or ""
}

// FindingStep is a step that a Finding is about.
type FindingStep struct {
	Layer   int
	Command string // one line, whole
	At      string // its lines of the Dockerfile, or ""
}

// short returns the step on a line that is not too long, with its lines of the
// Dockerfile.
func (s *FindingStep) short() string { return short(s.Command) + inParentheses(s.At) }

// FindingOf returns a finding of r in words.
func FindingOf(r *facts.Report, f *facts.Finding) Finding {
	x := Finding{
		Rule: Safe(f.Rule), Severity: Safe(f.Severity), Sure: Safe(f.Certainty), Size: sizeOr(f.Bytes), Title: Safe(f.Title), Fix: Safe(f.Fix.Text), At: Lines(f.Source),
	}
	if f.Owner == facts.OwnerBase {
		x.Owner = "of the base image"
	}
	for _, l := range f.Fix.Lines {
		x.Lines = append(x.Lines, pasted(l))
	}
	for i := range f.Places {
		x.Places = append(x.Places, placeOf(&f.Places[i]))
	}
	if f.MorePlaces > 0 {
		x.More = "and " + count(f.MorePlaces, "more place")
	}
	for _, i := range f.Layers {
		x.Steps = append(x.Steps, FindingStep{i, stepOr(r.Layers[i].Command), Lines(r.Layers[i].Source)})
	}
	return x
}

// pasted returns a line to paste. It is as it was, with its backslashes, if nothing in it
// is hidden or a command for a CI runner, and otherwise has visible escapes.
func pasted(line string) string {
	if utf8.ValidString(line) && !strings.ContainsFunc(line, hidden) && !strings.Contains(line, "##[") && !strings.Contains(line, "##vso[") {
		return line
	}
	return Safe(line)
}

func placeOf(p *facts.Place) FindingPlace {
	x := FindingPlace{Path: Safe(p.Path), Size: sizeOr(p.Bytes), Value: Safe(p.Redacted)}
	switch {
	case p.Path != "" && p.Layer >= 0:
		x.Where = fmt.Sprintf("in layer %d", p.Layer)
	case p.Path == "" && p.Layer >= 0:
		x.Path = fmt.Sprintf("layer %d", p.Layer)
	case p.Path == "":
		x.Path = "the config"
	}
	if p.Files > 1 {
		x.Files = count(p.Files, "file")
	}
	switch {
	case p.HiddenBy < 0:
	case p.HiddenBy == p.Layer:
		x.Where += ", hidden by the same layer"
	default:
		x.Where += fmt.Sprintf(", hidden by layer %d", p.HiddenBy)
	}
	x.Where = strings.TrimPrefix(x.Where, ", ")
	return x
}

// Line returns the place on one line, without its size.
func (p *FindingPlace) Line() string {
	s := p.Path
	if p.Files != "" {
		s += " (" + p.Files + ")"
	}
	if p.Where != "" {
		s += ", " + p.Where
	}
	if p.Value != "" {
		s += ": " + p.Value
	}
	return s
}

// findingOffender returns an offender that is a place of a finding, on one line.
func findingOffender(o *gate.Offender) string {
	if o.Places > 0 {
		return "and " + count(o.Places, "more place")
	}
	p := placeOf(&facts.Place{Path: o.Path, Layer: o.StoredIn, Files: o.Files, HiddenBy: o.HiddenBy, Redacted: o.Redacted})
	return p.Line()
}

func sizeOr(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return Size(bytes)
}

// openFindings returns the findings without the places that the verdict suppresses, nil
// if the report has none. A finding of which all places are suppressed is left out.
func (in *Input) openFindings() []facts.Finding {
	if in.Verdict == nil || in.Report.Findings == nil {
		return in.Report.Findings
	}
	open := []facts.Finding{}
	for i, f := range in.Report.Findings {
		n := len(f.Places)
		rest := f.Bytes
		var places []facts.Place
		f.Bytes = 0
		for j, p := range f.Places {
			rest -= p.Bytes
			if in.Verdict.SuppressedBy(i, j) == nil {
				places = append(places, p)
				f.Bytes += p.Bytes
			}
		}
		f.Places = places
		others := parts(&in.Report.Findings[i]) > n && in.Verdict.SuppressedBy(i, n) == nil
		if others {
			f.Bytes += rest
		}
		if others || len(places) > 0 {
			open = append(open, f)
		}
	}
	return open
}

// shownFindings returns the findings to list for people: errors first, and none of
// severity info or suppressed.
func (in *Input) shownFindings() []facts.Finding {
	var errors, others []facts.Finding
	for _, f := range in.openFindings() {
		switch f.Severity {
		case facts.SeverityError:
			errors = append(errors, f)
		case facts.SeverityWarn:
			others = append(others, f)
		}
	}
	return append(errors, others...)
}

// line returns a finding on one line, without its size: "removed-later: layer 2 removes
// what layer 1 stores (likely)".
func (f *Finding) line() string {
	s := f.Rule + ": " + f.Title
	if f.Sure == facts.CertainLikely {
		s += " (likely)"
	}
	return s + inParentheses(f.Owner)
}

// FindingsSum is what findings come to.
type FindingsSum struct {
	Findings  int   // without those of severity info
	Bytes     int64 // what fixing them saves
	Info      int   // those of severity info
	InfoBytes int64
}

// SumFindings adds up findings. Those of severity info are counted apart: what they
// are about is often there on purpose.
func SumFindings(all []facts.Finding) FindingsSum {
	var s FindingsSum
	for i := range all {
		if all[i].Severity == facts.SeverityInfo {
			s.Info++
			s.InfoBytes += all[i].Bytes
		} else {
			s.Findings++
			s.Bytes += all[i].Bytes
		}
	}
	return s
}

// String returns "8 findings, 1.3 GB", without the size if they are not about it.
// Findings of severity info are left out.
func (s FindingsSum) String() string {
	text := count(s.Findings, "finding")
	if s.Bytes > 0 {
		text += ", " + Size(s.Bytes)
	}
	return text
}

// FindingsLine returns what is known about what to change in an image: "2.0 GB -> 711 MB,
// 8 findings" or "no findings". Findings of severity info are left out.
func FindingsLine(r *facts.Report) string {
	if r.Findings == nil {
		return "unknown, as an older version wrote the report"
	}
	s := SumFindings(r.Findings)
	return savings(r, s.Findings, s.Bytes)
}

// savings returns "2.0 GB -> 711 MB, 8 findings". If they save too little to tell the
// sizes apart, it returns "8 findings, 12 kB", or without the size if they save nothing.
func savings(r *facts.Report, findings int, bytes int64) string {
	before, after := Size(r.Totals.StoredBytes), Size(r.Totals.StoredBytes-bytes)
	switch {
	case findings == 0:
		return "no findings"
	case before == after:
		return FindingsSum{Findings: findings, Bytes: bytes}.String()
	}
	return fmt.Sprintf("%s -> %s, %s", before, after, count(findings, "finding"))
}
