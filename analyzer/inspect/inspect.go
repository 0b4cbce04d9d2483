// Package inspect opens the image or the saved report that a reference names,
// measures it, and runs the requested passes.
package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
	"fathom/analyzer/load"
	"fathom/analyzer/packages"
)

// Result is what is known about an image. Every output reads it.
type Result struct {
	Report *facts.Report
	// Analysis has the files; it is nil for a saved report, which has none.
	Analysis *analyzer.Analysis
	// Packages tells which package owns which file; it is nil for a saved report, and
	// if the pass Packages did not run.
	Packages *packages.Packages
}

// Close releases the image. The content of its files can't be read afterwards.
func (r *Result) Close() error {
	if r == nil || r.Analysis == nil {
		return nil
	}
	return r.Analysis.Image.Close()
}

// Needs says what a reader of a Result needs, besides the report.
type Needs uint8

const (
	// Files needs the tree, which a saved report does not have.
	Files Needs = 1 << iota
	// Content needs the content of files after the analysis.
	Content
	// Proof needs entries that were read from the layers themselves, not from a
	// table of contents that was not compared with them.
	Proof
)

// Pass computes facts about a measured image and adds them to its report. Passes run
// once each, in order.
type Pass struct {
	Name  string // for errors: "finding packages"
	Needs Needs
	// Look has the lookers whose notes Run asks Result.Analysis for.
	Look []layer.Looker
	// Start, if not nil, is called before the image is opened: it can begin what does
	// not depend on the image.
	Start func(context.Context)
	Run   func(context.Context, *Result) error
}

// Options for Open.
type Options struct {
	// Load says how to open the image. Open sets Keep, TOC and Look as Needs and
	// Passes require.
	Load   load.Options
	Name   string // the image's name in the report; "" for the reference
	Needs  Needs
	Passes []Pass
}

// Open opens the image or the saved report that ref names. If the files of an
// engine's storage are missing or unreadable, it asks the engine itself, unless
// Load.Via forbids that. The caller closes the result.
func Open(ctx context.Context, ref string, opt Options) (*Result, error) {
	needs := opt.needs()
	if needs&Files == 0 {
		if rep, err := Saved(ref); rep != nil || err != nil {
			return run(ctx, &Result{Report: rep}, opt.Passes, err)
		}
	}
	opt.Load.Keep = needs&Content != 0
	opt.Load.TOC = needs&Proof == 0
	for _, p := range opt.Passes {
		opt.Load.Look = append(opt.Load.Look, p.Look...)
		if p.Start != nil {
			p.Start(ctx)
		}
	}
	a, err := measure(ctx, ref, opt)
	var storage *load.StorageError
	if opt.Load.Via == load.ViaBest && errors.As(err, &storage) {
		opt.Load.Progress.Note(fmt.Sprintf("the storage can't be used: %v", err))
		opt.Load.Via = load.ViaAPI
		opt.Name = cmp.Or(opt.Name, ref)
		var unavailable *load.UnavailableError
		again, apiErr := measure(ctx, within(storage.Engine, ref), opt)
		if !errors.As(apiErr, &unavailable) { // if the engine can't be asked, the storage's error says more
			a, err = again, apiErr
		}
	}
	if err != nil {
		return nil, err
	}
	return run(ctx, &Result{Report: a.Report, Analysis: a}, opt.Passes, nil)
}

// within returns a reference that only the engine resolves: elsewhere, a bare name
// could be another image.
func within(engine, ref string) string {
	if scheme, _ := load.Scheme(ref); scheme != "" {
		return ref
	}
	return engine + ":" + ref
}

// needs returns what the caller and the passes need together.
func (opt *Options) needs() Needs {
	all := opt.Needs
	for _, p := range opt.Passes {
		all |= p.Needs
	}
	if all&Content != 0 {
		all |= Files
	}
	return all
}

// measure opens the image one way and measures it.
func measure(ctx context.Context, ref string, opt Options) (*analyzer.Analysis, error) {
	img, err := load.Open(ctx, ref, opt.Load)
	if err != nil {
		return nil, err
	}
	if opt.Name != "" {
		img.Reference = opt.Name
	}
	a, err := analyzer.Analyze(ctx, img, analyzer.Options{Verify: opt.Load.Verify, Progress: opt.Load.Progress, Look: opt.Load.Look})
	if err != nil {
		img.Close()
		return nil, err
	}
	return a, nil
}

// run runs the passes, unless err is set: then it closes r and returns err.
func run(ctx context.Context, r *Result, passes []Pass, err error) (*Result, error) {
	for _, p := range passes {
		if err != nil {
			break
		}
		if err = p.Run(ctx, r); err != nil {
			err = fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Packages returns the pass that finds the packages of the image. A saved report keeps
// those that it was saved with.
func Packages(opt packages.Options) Pass {
	return Pass{Name: "finding packages", Look: packages.Lookers(), Run: func(ctx context.Context, r *Result) error {
		if r.Analysis == nil {
			return nil
		}
		found, err := packages.Find(ctx, r.Analysis, opt)
		if err != nil {
			return err
		}
		r.Packages = found
		r.Report.Packages, r.Report.Unowned = found.List, &found.Unowned
		r.Report.Warnings = append(r.Report.Warnings, found.Warnings...)
		return nil
	}}
}

// Findings returns the pass that finds what to change in the image. A saved report
// keeps the findings that it was saved with.
func Findings(opt advice.Options) Pass {
	return Pass{Name: "finding what to change", Look: advice.Lookers(opt), Run: func(ctx context.Context, r *Result) error {
		if r.Analysis == nil {
			return nil
		}
		r.Report.Secrets = facts.SecretsAll
		if opt.OwnSecrets {
			r.Report.Secrets = facts.SecretsOwn
		}
		off := opt.Quick || opt.NoSecrets
		if off {
			r.Report.Secrets = facts.SecretsOff
		}
		opt.Packages = r.Packages
		opt.Unread = func(layers []int) {
			if !off {
				r.Report.Secrets = facts.SecretsSome
			}
			for _, i := range layers {
				r.Report.Warnings = append(r.Report.Warnings, facts.Warning{Layer: i, Text: "its content was not downloaded, so rules that read content found nothing in it"})
			}
		}
		var err error
		r.Report.Findings, r.Report.Totals.FindingsBytes, err = advice.Find(ctx, r.Analysis, opt)
		return err
	}}
}
