package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
)

// judge gives the verdict on an image.
func (j *job) judge(ctx context.Context, r *inspect.Result) (*gate.Verdict, error) {
	var err error
	opt := gate.Options{FailOn: j.failOn, Suppress: j.suppress, Today: time.Now().UTC(), AllowUnverified: j.allowTOC, Scope: j.scope}
	if r.Analysis != nil {
		opt.Files = gate.Files(r.Analysis.Tree, r.Report.Waste)
	}
	if j.baseline != "" {
		if opt.Baseline, err = j.openBaseline(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			opt.BaselineErr = fmt.Errorf("reading the baseline: %w", err)
		}
	}
	v, err := gate.Check(r.Report, j.limits, opt)
	if err != nil {
		return nil, fmt.Errorf("judging %s: %w", r.Report.Image.Reference, err)
	}
	v.Config = j.file
	v.Notes = slices.Concat(j.notes, v.Notes)
	v.Warnings = slices.Concat(j.warnings, v.Warnings)
	if j.noFail && v.Failed() > 0 && v.Errors() == 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("no-fail (%s): the exit code is 0 anyway", j.given["no-fail"].from))
	}
	return &v, nil
}

// unevaluated returns the rules that could not be evaluated, one error for each
// reason.
func unevaluated(r *facts.Report, v *gate.Verdict) []error {
	var errs []error
	var last error
	for _, rule := range v.Rules {
		if rule.Err != nil && rule.Err != last { // one and the same keeps all of them from being evaluated
			last = rule.Err
			errs = append(errs, fmt.Errorf("judging %s: %s can't be evaluated: %w", r.Image.Reference, rule.Name, rule.Err))
		}
	}
	return errs
}

// outcome returns the verdict as an error, nil if the exit code is 0. It prints
// all errors but the last.
func (j *job) outcome(r *facts.Report, v *gate.Verdict) error {
	if errs := unevaluated(r, v); len(errs) > 0 {
		last := len(errs) - 1
		for _, err := range errs[:last] {
			j.report(err, hint(err))
		}
		return errs[last]
	}
	if !v.Pass() && !j.noFail {
		return errRule
	}
	return nil
}

// needs returns what the verdict needs of an image, if there will be one.
func (j *job) needs() inspect.Needs {
	if !j.gated || j.allowTOC {
		return 0
	}
	return inspect.Proof
}

// baselineName returns the name of the baseline. A file that the config file
// names is looked for beside the config file first.
func (s *settings) baselineName() string {
	name := s.baseline
	if strings.HasPrefix(s.given["baseline"].from, s.file+":") && !filepath.IsAbs(name) {
		beside := filepath.Join(filepath.Dir(s.file), name)
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return name
}

// openBaseline reads the report of a file, or measures an image.
func (j *job) openBaseline(ctx context.Context) (*gate.Baseline, error) {
	opt := j.options()
	opt.Image = "" // which chooses in the image that is judged
	opened, err := j.inspect(ctx, source{ref: j.baselineName()}, opt, j.needs())
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	r := opened.Report
	if !j.allowTOC {
		if err := gate.Unverified(r); err != nil {
			return nil, fmt.Errorf("%s: %w", j.baselineName(), err)
		}
	}
	return &gate.Baseline{Reference: j.baseline, ID: r.Image.ID, Totals: r.Totals, Layers: r.Layers}, nil
}
