package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
)

// configFile is the config file that was asked for, or "".
func (a *app) configFile(f *gateFlags) string {
	if f.set.Changed("config") {
		return f.config
	}
	return a.getenv("FATHOM_CONFIG")
}

// judge gives the verdict on an image.
func (a *app) judge(ctx context.Context, r *inspect.Result, f *exploreFlags, j *judging) (*gate.Verdict, error) {
	var err error
	opt := gate.Options{
		FailOn: j.failOn.value, Suppress: j.suppress, Today: time.Now().UTC(), AllowUnverified: j.allowTOC.value,
	}
	if r.Analysis != nil {
		opt.Files = gate.Files(r.Analysis.Tree, r.Report.Waste)
	}
	if j.baseline.value != "" {
		if opt.Baseline, err = a.openBaseline(ctx, f, j); err != nil {
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
	v.Config = j.config
	v.Notes = slices.Concat(j.notes, v.Notes)
	v.Warnings = slices.Concat(j.warnings, v.Warnings)
	if j.noFail.value && v.Failed() > 0 && v.Errors() == 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("no-fail (%s): the exit code is 0 all the same", j.noFail.from))
	}
	return &v, nil
}

// unevaluated says which rules could not be evaluated, one error for each
// reason.
func unevaluated(r *analyzer.Report, v *gate.Verdict) []error {
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

// outcome is the verdict as an error: nil where the exit code is 0. All but
// the last error are printed.
func (a *app) outcome(r *analyzer.Report, v *gate.Verdict, noFail bool) error {
	if errs := unevaluated(r, v); len(errs) > 0 {
		last := len(errs) - 1
		for _, err := range errs[:last] {
			a.report(err, hint(err))
		}
		return errs[last]
	}
	if !v.Pass() && !noFail {
		return errRule
	}
	return nil
}

// needs is what the gate needs of an image.
func (j *judging) needs() inspect.Needs {
	if j.allowTOC.value {
		return 0
	}
	return inspect.Proof
}

// baselineName is where the baseline is. A file that a config names is looked
// for beside the config first.
func (j *judging) baselineName() string {
	name := j.baseline.value
	if strings.HasPrefix(j.baseline.from, j.config+":") && !filepath.IsAbs(name) {
		beside := filepath.Join(filepath.Dir(j.config), name)
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return name
}

// openBaseline reads the report of a file, or measures an image.
func (a *app) openBaseline(ctx context.Context, f *exploreFlags, j *judging) (*gate.Baseline, error) {
	name := j.baselineName()
	flags := f.imageFlags
	flags.image = "" // which chooses in the image that is judged
	opened, err := a.inspect(ctx, source{ref: name}, &flags, j.needs())
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	r := opened.Report
	if !j.allowTOC.value {
		if err := gate.Unverified(r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &gate.Baseline{Reference: j.baseline.value, ID: r.Image.ID, Totals: r.Totals, Layers: r.Layers}, nil
}
