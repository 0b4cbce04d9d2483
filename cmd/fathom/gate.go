package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/gate"
)

// configFile is the config file that was asked for, or "".
func (a *app) configFile(f *gateFlags) string {
	if f.set.Changed("config") {
		return f.config
	}
	return a.getenv("FATHOM_CONFIG")
}

// judge gives the verdict on an image.
func (a *app) judge(ctx context.Context, an *analyzer.Analysis, f *exploreFlags, j *judging) (*gate.Verdict, error) {
	var err error
	opt := gate.Options{
		FailOn: j.failOn.value, Suppress: j.suppress, Today: time.Now().UTC(), AllowUnverified: j.allowTOC.value,
	}
	if an.Tree != nil {
		opt.Files = gate.Files(an.Tree, an.Report.Waste)
	}
	if j.baseline.value != "" {
		if opt.Baseline, err = a.openBaseline(ctx, f, j); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			opt.BaselineErr = fmt.Errorf("reading the baseline: %w", err)
		}
	}
	v, err := gate.Check(an.Report, j.limits, opt)
	if err != nil {
		return nil, fmt.Errorf("judging %s: %w", an.Report.Image.Reference, err)
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
	r, err := savedReport(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if r == nil {
		flags := f.imageFlags
		flags.image = "" // which chooses in the image that is judged
		an, err := a.analyze(ctx, source{ref: name}, &flags)
		if err != nil {
			return nil, err
		}
		defer an.Image.Close()
		r = an.Report
	}
	if !j.allowTOC.value {
		if err := gate.Unverified(r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &gate.Baseline{Reference: j.baseline.value, ID: r.Image.ID, Totals: r.Totals, Layers: r.Layers}, nil
}

// savedReport is the report in a file; nil when name is no file or the file is
// no JSON, and so perhaps an image.
func savedReport(name string) (*analyzer.Report, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // whoever opens it as an image says what is wrong
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	in := bufio.NewReader(file)
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, cause(err)
		case strings.IndexByte(" \t\r\n", b) >= 0:
		case b != '{':
			return nil, nil
		default:
			if err := in.UnreadByte(); err != nil {
				return nil, err
			}
			return analyzer.ReadReport(in)
		}
	}
}
