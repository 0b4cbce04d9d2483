package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"fathom/analyzer"
	"fathom/analyzer/compare"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/load"
	"fathom/analyzer/packages"
	"fathom/ui"
	"fathom/ui/report"
)

const compareLong = `Compare two images: what grew, why, and what it costs to pull. The overview has at most
12 lines; what is the same is left out. On a terminal, the comparison opens in the
explorer instead; --report text prints the overview. --details lists the files in few rows, the layers
with the reason for each new digest, the packages, the settings and the findings. --files
lists every path.

The files are those of the final filesystems, whatever layers they come from. Each path
differs for one reason: added, removed, content, mode, owner, mtime, xattr, link, kind or
renamed. docs/compare.md explains every figure.

OLD and NEW are images as for fathom IMAGE; flags apply to both. Each can also be a report
that fathom --json wrote, but then only figures can be compared.

Rules of the gate judge NEW, with OLD as the baseline (docs/gate.md). Without a rule on the
command line nothing is judged, and the exit code is 0 whatever differs. With one, it is 1
if a rule fails. It is 2 if an image can't be opened or a rule can't be evaluated.`

const compareExample = `  fathom compare app:1 app:2
  fathom compare --details registry:ghcr.io/org/app:main app.tar
  fathom compare --report markdown=comment.md main.json app.tar
  fathom compare --require same-files app:1 app:2`

func newCompare(a *app) *cobra.Command {
	var opt report.CompareOptions
	all := false
	j := newJob(a)
	cmd := &cobra.Command{
		Use:     "compare [flags] OLD NEW",
		Short:   "Compare two images: what grew, why, and what it costs to pull",
		Long:    compareLong,
		Example: compareExample,
		Args:    takes(2, 2, "two images, OLD and NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.isTerminal(a.stdout) && !all {
				opt.Most = packagesShown
			}
			var src [2]source
			for i, ref := range args {
				src[i] = source{ref: ref, stdin: a.stdin}
			}
			return j.conclude(j.compare(cmd.Context(), src, opt))
		},
	}
	j.flags = cmd.Flags()
	j.addFlags(j.flags, opening, explorer, building, search, judgment, configFile)
	for _, name := range unused() {
		_ = j.flags.MarkHidden(name) // it fails only for a flag that the command doesn't have
	}
	j.flags.BoolVar(&opt.Details, "details", false, "list what differs: files in few rows, layers, packages, settings and findings")
	j.flags.BoolVar(&opt.Paths, "files", false, "list every path that differs")
	j.flags.BoolVar(&all, "all", false, "list everything on a terminal too, where --details ends each list after 40 lines")
	j.flags.StringVar(&j.json, "json", "", "write the comparison as JSON to `FILE`; - is standard output")
	j.flags.StringArrayVar(&j.reports, "report", nil, "write a report to FILE, or else to standard output; may be repeated: `FORMAT[=FILE]` is "+strings.Join(compareFormats(), ", "))
	return cmd
}

// unused returns flags about one image, which are not for a comparison: what only one
// side knows would differ.
func unused() []string { return []string{"dockerfile", "provenance", "baseline", "baseline-missing"} }

func compareFormats() []string {
	var names []string
	for _, f := range report.CompareFormats() {
		names = append(names, f.Name)
	}
	return names
}

// compare compares two images and writes how they differ.
func (j *job) compare(ctx context.Context, src [2]source, opt report.CompareOptions) error {
	if err := j.compareOutputs(src, opt); err != nil {
		return err
	}
	c, err := j.readConfig(j.settings, j.flags)
	if err != nil {
		return err
	}
	if err := j.settle(j.settings, j.flags, c, opening, explorer, building, search); err != nil {
		return err
	}
	j.origin.Dockerfile, j.origin.Provenance = "", ""
	if j.gated = j.asked(); j.gated {
		if err := j.flags.Set("baseline", src[0].ref); err != nil {
			return err
		}
		if err := j.settleGate(j.settings, j.flags, c); err != nil {
			return err
		}
	}
	var progress analyzer.Progress
	if !j.gated && len(j.results) == 0 && !opt.Details && !opt.Paths && j.interactive(src[0]) && j.interactive(src[1]) {
		return j.showComparison(ctx, src, &progress)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := j.showProgress(&progress)
	sides, err := j.openBoth(ctx, cancel, src, &progress)
	stop()
	if err != nil {
		return err
	}
	defer sides[0].Close()
	defer sides[1].Close()
	for i, r := range sides {
		if opt.Paths && r.Analysis == nil {
			return hinted("fathom compare --files OLD NEW needs two images; without --files it compares their figures", "--files: %s is a saved report, which has no files", src[i].ref)
		}
	}
	if sides[0].Analysis == nil && sides[1].Analysis == nil {
		if err := j.onlyImages(src[0]); err != nil {
			return err
		}
	}
	found, err := compareSides(ctx, sides)
	if err != nil {
		return err
	}
	inspect.HideComparison(&found.Facts)
	inspect.HideSecrets(sides[0].Report)
	inspect.HideSecrets(sides[1].Report)
	if err := j.printComparison(ctx, &report.CompareInput{Comparison: found, CompareOptions: opt, Version: version()}); err != nil || !j.gated {
		return err
	}
	v, err := j.verdict(sides[1], gate.Options{Baseline: &gate.Baseline{Reference: src[0].ref, Comparison: found}}, j.notes)
	if err != nil {
		return err
	}
	j.concluded = true
	if err := report.Verdict(j.textOut(), &report.Input{Report: sides[1].Report, Verdict: v}); err != nil {
		return err
	}
	return j.outcome(sides[1].Report, v)
}

// compareSides compares two opened images. A saved report has no secrets, so the other
// side must not have them either: settings and steps would differ that do not.
func compareSides(ctx context.Context, sides [2]*inspect.Result) (*compare.Comparison, error) {
	if sides[0].Analysis == nil || sides[1].Analysis == nil {
		inspect.HideSecrets(sides[0].Report)
		inspect.HideSecrets(sides[1].Report)
	}
	return compare.Compare(ctx, compare.Side{Report: sides[0].Report, Analysis: sides[0].Analysis}, compare.Side{Report: sides[1].Report, Analysis: sides[1].Analysis})
}

// showComparison shows how two images differ in the explorer.
func (j *job) showComparison(ctx context.Context, src [2]source, progress *analyzer.Progress) error {
	var opened [2]*inspect.Result
	cancel := func() {}
	defer func() { cancel() }()
	err := ui.OpenComparison(ctx, src[0].ref+" and "+src[1].ref, progress, func(ctx context.Context) (*compare.Comparison, error) {
		ctx, cancel = context.WithCancel(ctx)
		sides, err := j.openBoth(ctx, cancel, src, progress)
		if err != nil {
			return nil, err
		}
		opened = sides
		return compareSides(ctx, sides)
	}, j.look(src[:]...))
	opened[0].Close()
	opened[1].Close()
	return err
}

// compareOutputs parses the outputs, and checks them and the flags before anything is
// read.
func (j *job) compareOutputs(src [2]source, opt report.CompareOptions) error {
	for _, name := range unused() {
		if j.flags.Changed(name) {
			return fmt.Errorf("--%s: it is about one image, and fathom compare has OLD and NEW", name)
		}
	}
	if src[0].ref == "-" && src[1].ref == "-" {
		return errors.New("OLD and NEW: only one can be standard input")
	}
	for _, text := range j.reports {
		name, _, _ := strings.Cut(text, "=")
		if names := compareFormats(); !slices.Contains(names, name) {
			return unknown(fmt.Errorf("--report: %q is none of %s", name, strings.Join(names, ", ")), name, names)
		}
	}
	var err error
	if j.results, err = j.outputs(); err != nil {
		return err
	}
	for _, w := range j.results {
		if w.file == "" && w.format.Name != "text" && (opt.Details || opt.Paths) {
			return hinted(w.format.Name+" has all of it; --report "+w.format.Name+"=FILE writes a file", "--details and --files are for text, and %s has standard output", w.flag)
		}
	}
	for i, what := range sideNames() {
		if err := j.spare(src[i], what); err != nil {
			return err
		}
	}
	return nil
}

// sideNames returns the names of both sides in errors.
func sideNames() [2]string { return [2]string{"the old image", "the new image"} }

// openBoth opens both images, or saved reports. The caller closes them. Their content can
// be read until then, as long as ctx lasts. An error of one side cancels the other.
func (j *job) openBoth(ctx context.Context, cancel func(), src [2]source, progress *analyzer.Progress) (sides [2]*inspect.Result, err error) {
	var group errgroup.Group
	if !apart(src) {
		group.SetLimit(1)
	}
	for i, what := range sideNames() {
		group.Go(func() (err error) {
			if sides[i], err = j.openSide(ctx, src[i], progress); err != nil {
				cancel()
				err = fmt.Errorf("%s: %w", what, err)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		sides[0].Close()
		sides[1].Close()
		return sides, err
	}
	return sides, nil
}

// apart reports whether two images can be opened at the same time: one of them is a
// file. Images of one registry share layers, which the first one leaves in the cache.
func apart(src [2]source) bool {
	return slices.ContainsFunc(src[:], func(s source) bool {
		_, path := load.Scheme(s.ref)
		_, err := os.Stat(path)
		return err == nil || s.ref == "-"
	})
}

// openSide opens one of the two images, or a saved report.
func (j *job) openSide(ctx context.Context, src source, progress *analyzer.Progress) (*inspect.Result, error) {
	if rep, err := inspect.Saved(src.ref); rep != nil || err != nil {
		return &inspect.Result{Report: rep}, err
	}
	opt := j.options()
	return j.open(ctx, src, opt, inspect.Content|j.needs(), progress,
		inspect.Origin(j.origin, opt), inspect.Packages(packages.Options{}), inspect.Findings(j.judged()))
}

// printComparison writes all results: files first.
func (j *job) printComparison(ctx context.Context, in *report.CompareInput) error {
	write := func(w io.Writer, name string) error {
		formats := report.CompareFormats()
		return formats[slices.IndexFunc(formats, func(f report.CompareFormat) bool { return f.Name == name })].Write(w, in)
	}
	out := ""
	if len(j.results) == 0 || in.Details || in.Paths {
		out = "text"
	}
	for _, w := range j.results {
		if w.file == "" {
			out = w.format.Name
			continue
		}
		if err := report.WriteFile(ctx, w.file, func(to io.Writer) error { return write(to, w.format.Name) }); err != nil {
			return err
		}
	}
	if out == "" {
		return nil
	}
	return write(j.stdout, out)
}
