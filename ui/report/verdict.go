package report

import (
	"bufio"
	"bytes"
	"errors"
	"math"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// verdictForm is the form of a verdict in JSON (docs/report.schema.json).
type verdictForm struct {
	Result       string            `json:"result"` // pass, fail or error
	FailOn       string            `json:"failOn"`
	Default      bool              `json:"default"`
	Config       string            `json:"config"`
	Totals       verdictTotals     `json:"totals"`
	Own          *verdictTotals    `json:"own"` // null if the base image is unknown
	Baseline     *baselineForm     `json:"baseline"`
	Suppressions []suppressionForm `json:"suppressions"`
	Notes        []string          `json:"notes"`
	Warnings     []string          `json:"warnings"`
	Rules        []ruleForm        `json:"rules"` // written one by one
}

type verdictTotals struct {
	StoredBytes     int64   `json:"storedBytes"`
	WastedBytes     int64   `json:"wastedBytes"`
	SuppressedBytes int64   `json:"suppressedBytes"`
	KnownBytes      int64   `json:"knownBytes,omitempty"` // of waste that the baseline has too, with only-new
	Efficiency      float64 `json:"efficiency"`
	WastedRatio     float64 `json:"wastedRatio"`
}

type baselineForm struct {
	Reference   string   `json:"reference"`
	ID          string   `json:"id"`
	StoredBytes int64    `json:"storedBytes"`
	GrowthBytes int64    `json:"growthBytes"`
	GrowthRatio *float64 `json:"growthRatio"` // null if the baseline stores nothing
}

type suppressionForm struct {
	Path   string   `json:"path"`
	Rules  []string `json:"rules"` // of the gate, or that find something; none for waste
	Reason string   `json:"reason"`
	Until  string   `json:"until"`
	Source string   `json:"source"`
	State  string   `json:"state"` // used, unused or expired
	Files  int      `json:"files"`
	Bytes  int64    `json:"bytes"`
	// Places are those of findings that it covers.
	Places []placeForm `json:"places"`
	// Package is a glob in place of Path, of a suppression of packages.
	Package string `json:"package,omitempty"`
}

// placeForm is a place of a finding of the report. An index of len(places) stands for
// those that the report doesn't list.
type placeForm struct {
	Finding int `json:"finding"`
	Place   int `json:"place"`
}

type ruleForm struct {
	Name      string         `json:"name"`
	Result    string         `json:"result"` // pass, warn, fail or error
	Severity  string         `json:"severity"`
	Scope     string         `json:"scope"` // all, or own: the layers above the base image
	Unit      string         `json:"unit"`  // ratio, bytes or count
	Bound     string         `json:"bound"` // atMost or atLeast
	Limit     any            `json:"limit"`
	Observed  any            `json:"observed"` // null if the rule can't be evaluated, like limit
	Error     string         `json:"error"`
	Source    string         `json:"source"`
	Globs     []string       `json:"globs"`
	Names     []string       `json:"names"`             // of findings that fail, or what is required
	Folders   []folderForm   `json:"folders,omitempty"` // of max-folder-growth
	Known     bool           `json:"known,omitempty"`   // it passes because the baseline is no better
	Skipped   bool           `json:"skipped,omitempty"` // it passes because there is no baseline yet
	Offenders []offenderForm `json:"offenders"`         // written one by one
}

type folderForm struct {
	Glob     string `json:"glob"`
	Limit    int64  `json:"limit"`
	Observed int64  `json:"observed"`
}

type offenderForm struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"pathBytes,omitempty"`
	Glob      string `json:"glob,omitempty"`
	Change    string `json:"change,omitempty"`  // how it differs from the baseline
	Package   string `json:"package,omitempty"` // "npm:left-pad"; the path is that of its database
	Version   string `json:"version,omitempty"`
	Cause     string `json:"cause,omitempty"`
	Finding   string `json:"finding,omitempty"`  // the rule of the finding that it is a place of
	Redacted  string `json:"redacted,omitempty"` // of a secret
	Places    int    `json:"places,omitempty"`   // it stands for so many places that are not listed
	Files     int    `json:"files"`
	Bytes     int64  `json:"bytes"`
	StoredIn  int    `json:"storedIn"`
	HiddenBy  int    `json:"hiddenBy"`
	Advice    string `json:"advice,omitempty"`
}

// writeVerdict writes the verdict with all offenders of its rules, each on its own
// line. It doesn't keep them in memory.
func writeVerdict(b *bufio.Writer, r *facts.Report, v *gate.Verdict) error {
	if err := writeOpen(b, formOf(r, v), "  ", "[]\n  }"); err != nil {
		return err
	}
	b.WriteByte('[')
	for i := range v.Rules {
		rule := &v.Rules[i]
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n      ")
		if err := writeOpen(b, ruleFormOf(v, rule), "", "[]}"); err != nil {
			return err
		}
		b.WriteByte('[')
		if _, err := writeElements(b, "        ", rule.All(), offenderFormOf); err != nil {
			return err
		}
		b.WriteString("]}")
	}
	_, err := b.WriteString("\n    ]\n  }")
	return err
}

// writeOpen writes v up to the empty list at its end, leaving the list open.
func writeOpen(b *bufio.Writer, v any, prefix, end string) error {
	text, err := encode(v, prefix)
	if err != nil {
		return err
	}
	text, ok := bytes.CutSuffix(text, []byte(end))
	if !ok {
		return errors.New("it doesn't end with a list")
	}
	_, err = b.Write(text)
	return err
}

func formOf(r *facts.Report, v *gate.Verdict) verdictForm {
	t := v.Totals
	f := verdictForm{
		Result: result(v), FailOn: v.FailOn.String(), Default: v.Default, Config: v.Config,
		Totals:       verdictTotals(t),
		Suppressions: []suppressionForm{}, Notes: append([]string{}, v.Notes...), Warnings: append([]string{}, v.Warnings...),
		Rules: []ruleForm{},
	}
	if v.Own != nil {
		own := verdictTotals(*v.Own)
		f.Own = &own
	}
	if bytes, ratio, ok := v.Growth(); ok {
		f.Baseline = &baselineForm{v.Baseline.Reference, v.Baseline.ID(), v.Baseline.StoredBytes(), bytes, &ratio}
		if math.IsInf(ratio, 0) {
			f.Baseline.GrowthRatio = nil
		}
	}
	places := map[*gate.Suppressed][]placeForm{}
	for i := range r.Findings {
		for j := range len(r.Findings[i].Places) + 1 {
			if s := v.SuppressedBy(i, j); s != nil {
				places[s] = append(places[s], placeForm{i, j})
			}
		}
	}
	for i := range v.Suppressed {
		s := &v.Suppressed[i]
		x := suppressionForm{
			Path: s.Path, Package: s.Package, Rules: append([]string{}, s.Rules...), Reason: s.Reason, Source: s.Source, State: "used",
			Files: s.Pieces, Bytes: s.Bytes, Places: append([]placeForm{}, places[s]...),
		}
		if !s.Until.IsZero() {
			x.Until = s.Until.Format(gate.Day)
		}
		switch {
		case s.Expired:
			x.State = "expired"
		case s.Pieces == 0:
			x.State = "unused"
		}
		f.Suppressions = append(f.Suppressions, x)
	}
	return f
}

func ruleFormOf(v *gate.Verdict, r *gate.Rule) ruleForm {
	f := ruleForm{
		Name: r.Name, Result: word(v, r), Severity: r.Severity.String(), Scope: gate.All.String(), Unit: "ratio", Bound: "atMost",
		Source: r.Source, Globs: append([]string{}, r.Globs...), Names: append([]string{}, r.Names...), Offenders: []offenderForm{},
	}
	if f.Result == "ok" {
		f.Result = "pass"
	}
	if r.Own {
		f.Scope = gate.Own.String()
	}
	if r.AtLeast {
		f.Bound = "atLeast"
	}
	f.Limit, f.Observed = r.Limit, r.Observed
	switch r.Unit {
	case gate.Bytes:
		f.Unit, f.Limit, f.Observed = "bytes", int64(r.Limit), int64(r.Observed)
	case gate.Count:
		f.Unit, f.Limit, f.Observed = "count", int64(r.Limit), int64(r.Observed)
	}
	f.Known, f.Skipped = r.Known, r.Skipped
	for _, g := range r.Folders {
		f.Folders = append(f.Folders, folderForm{g.Glob, g.Limit, g.Bytes})
	}
	if r.Skipped {
		f.Observed = nil
	}
	if r.Err != nil {
		f.Limit, f.Observed, f.Error = nil, nil, r.Err.Error()
	}
	return f
}

func offenderFormOf(o gate.Offender) any {
	f := offenderForm{
		Path: o.Path, Glob: o.Glob, Change: o.Change, Package: o.Package, Version: o.Version, Cause: o.Cause, Finding: o.Finding, Redacted: o.Redacted, Places: o.Places, Files: o.Files, Bytes: o.Bytes, StoredIn: o.StoredIn, HiddenBy: o.HiddenBy, Advice: o.Advice,
	}
	if !utf8.ValidString(o.Path) {
		f.PathBytes = []byte(o.Path)
	}
	return f
}
