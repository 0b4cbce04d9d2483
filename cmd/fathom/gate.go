package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/load"
	engines "fathom/analyzer/load/engine"
	"fathom/analyzer/load/registry"
	"fathom/analyzer/packages"
)

// judge gives the verdict on an image.
func (j *job) judge(ctx context.Context, r *inspect.Result) (*gate.Verdict, error) {
	var err error
	var opt gate.Options
	notes := j.notes
	if j.baseline != "" {
		var opened *inspect.Result
		opt.Baseline, opened, err = j.openBaseline(ctx, r)
		defer opened.Close()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, err
		case j.missing == missingPass && isMissing(err):
			opt.NoBaseline = true
			notes = append(notes, fmt.Sprintf("the baseline %s does not exist (baseline-missing: pass)", j.baselineName()))
		default:
			opt.BaselineErr = fmt.Errorf("reading the baseline: %w", err)
		}
	}
	return j.verdict(r, opt, notes)
}

// verdict judges an image. opt has the baseline.
func (j *job) verdict(r *inspect.Result, opt gate.Options, notes []string) (*gate.Verdict, error) {
	opt.FailOn, opt.Suppress, opt.Today, opt.AllowUnverified, opt.Scope, opt.OnlyNew = j.failOn, j.suppress, time.Now().UTC(), j.allowTOC, j.scope, j.onlyNew
	if r.Analysis != nil {
		opt.Files = gate.Files(r.Analysis.Tree, r.Report.Waste)
	}
	v, err := gate.Check(r.Report, j.limits, opt)
	if err != nil {
		return nil, fmt.Errorf("judging %s: %w", r.Report.Image.Reference, err)
	}
	v.Config = j.file
	v.Notes = slices.Concat(notes, v.Notes)
	v.Warnings = slices.Concat(j.warnings, v.Warnings)
	if j.noFail && v.Failed() > 0 && v.Errors() == 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("no-fail (%s): the exit code is 0 anyway", j.given["no-fail"].from))
	}
	return &v, nil
}

// judgeLeft judges what is left of an image without what the user of the explorer has
// marked as fixed, by the rules that the gate would use. It has no baseline.
func (j *job) judgeLeft(r *facts.Report, files iter.Seq[gate.File]) (gate.Verdict, error) {
	if j.ungated != nil {
		return gate.Verdict{}, j.ungated
	}
	return gate.Check(r, j.limits, gate.Options{
		FailOn: j.failOn, Suppress: j.suppress, Today: time.Now().UTC(), Files: files, AllowUnverified: true, Scope: j.scope, NoBaseline: true,
	})
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
	var needs inspect.Needs
	if j.gated && !j.allowTOC {
		needs |= inspect.Proof
	}
	if j.gated && j.baseline != "" && j.comparing() != nil {
		needs |= inspect.Content
	}
	return needs
}

// What to do if there is no baseline yet.
const (
	missingFail = "fail"
	missingPass = "pass"
)

// baselineName returns the name of the baseline. A file that the config file names lies
// beside the config file, wherever fathom is run.
func (s *settings) baselineName() string {
	name := s.baseline
	if !strings.HasPrefix(s.given["baseline"].from, s.file+":") {
		return name
	}
	scheme, path := load.Scheme(name)
	if slices.Contains([]string{"registry", "docker", "podman", "docker-daemon", "containers-storage"}, scheme) || path == "-" || filepath.IsAbs(path) {
		return name
	}
	beside := filepath.Join(filepath.Dir(s.file), path)
	switch {
	case scheme != "":
		return scheme + ":" + beside
	case namesFile(path) || isFile(path) || isFile(beside):
		return beside
	}
	return name // of an image
}

// files yields the parts of a name that can be a path: what follows a ':' or '@' chooses
// an image in the file.
func files(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for yield(name) {
			i := strings.LastIndexAny(name, ":@")
			if i < 0 {
				return
			}
			name = name[:i]
		}
	}
}

// namesFile reports whether a name can only be that of a file.
func namesFile(name string) bool {
	for name := range files(name) {
		if filepath.IsAbs(name) || strings.HasPrefix(name, ".") || filepath.Ext(name) == ".json" || fileName.MatchString(name) {
			return true
		}
	}
	return false
}

// isFile reports whether a name is that of a file or folder that exists.
func isFile(name string) bool {
	for name := range files(name) {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// missingBaseline returns the error for a baseline that can only be a file and does not
// exist. No engine and no registry is asked for it.
func (s *settings) missingBaseline() error {
	name := s.baselineName()
	if scheme, _ := load.Scheme(name); name == "" || scheme != "" || isFile(name) || name == s.baseline && !namesFile(name) {
		return nil
	}
	_, err := os.Stat(name)
	return fmt.Errorf("%s: %w", name, analyzer.WithoutPath(err))
}

// isMissing reports whether an error says that there is no baseline: no file, or no image
// of that name. It is false if something keeps fathom from knowing.
func isMissing(err error) bool {
	var none *load.NotFoundError
	var remote *registry.Error
	var image *engines.NoImageError
	switch {
	case errors.As(err, &image):
		return true
	case errors.As(err, &remote):
		return remote.Kind == registry.NotFound
	case errors.As(err, &none):
		return none.Err == nil || errors.Is(none.Err, fs.ErrNotExist)
	}
	return errors.Is(err, fs.ErrNotExist)
}

// comparing returns the first active rule that compares the files of the image with those
// of the baseline, or nil.
func (j *judging) comparing() *gate.Limit {
	return j.first(func(s *gate.Spec) bool { return s.NeedsFiles(j.onlyNew) })
}

// needsBaseline returns the first active rule that needs a baseline, or nil.
func (j *judging) needsBaseline() *gate.Limit { return j.first((*gate.Spec).NeedsBaseline) }

func (j *judging) first(is func(*gate.Spec) bool) *gate.Limit {
	i := slices.IndexFunc(j.limits, func(l gate.Limit) bool {
		s, _ := gate.SpecOf(l.Rule)
		return is(&s)
	})
	if i < 0 {
		return nil
	}
	return &j.limits[i]
}

// judged returns what to look for in an image that is judged.
func (j *job) judged() advice.Options {
	look := j.advice()
	if l := j.limitOf(gate.FailOnFinding); l != nil {
		look.On = append(look.On, l.Names...)
	}
	return look
}

// openBaseline reads the report of a file, or measures an image, and compares r with it.
// The files are compared if a rule needs that. The caller closes the baseline.
func (j *job) openBaseline(ctx context.Context, r *inspect.Result) (*gate.Baseline, *inspect.Result, error) {
	if err := j.missingBaseline(); err != nil {
		return nil, nil, fmt.Errorf("opening %w", err)
	}
	name := j.baselineName()
	report, err := inspect.Saved(name)
	opened := &inspect.Result{Report: report}
	if report == nil && err == nil {
		opt := j.options()
		opt.Image = "" // which chooses in the image that is judged
		opened, err = j.inspect(ctx, source{ref: name}, opt, j.needs(), j.baselinePasses()...)
	}
	if err != nil {
		return nil, nil, err
	}
	inspect.HideSecrets(opened.Report)
	if !j.allowTOC {
		if err := gate.Unverified(opened.Report); err != nil {
			opened.Close()
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	old, new := compare.Side{Report: opened.Report}, compare.Side{Report: r.Report}
	if j.comparing() != nil {
		old.Analysis, new.Analysis = opened.Analysis, r.Analysis
	}
	c, err := compare.Compare(ctx, old, new)
	if err != nil {
		opened.Close()
		return nil, nil, err
	}
	return &gate.Baseline{Reference: j.baseline, Comparison: c}, opened, nil
}

// baselinePasses returns the passes over the baseline: those whose facts are compared.
func (j *job) baselinePasses() []inspect.Pass {
	origin := j.origin
	origin.Dockerfile, origin.Provenance, origin.Asked = "", "", false // of the image that is judged
	passes := []inspect.Pass{inspect.Origin(origin, j.options())}
	packaged := slices.ContainsFunc(j.limits, func(l gate.Limit) bool {
		s, _ := gate.SpecOf(l.Rule)
		return s.AboutPackages()
	})
	if packaged || j.onlyNew {
		passes = append(passes, inspect.Packages(packages.Options{}))
	}
	if j.onlyNew {
		passes = append(passes, inspect.Findings(j.judged()))
	}
	return passes
}
