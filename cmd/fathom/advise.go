package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/ui/report"
)

const adviseLong = `List what to change in an image: errors first, then what saves most. The second line
has what fixing all of it saves together. Each finding has its severity, what the fix
saves, its places, the steps that it is about, and lines to paste into the Dockerfile
or .dockerignore. docs/findings.md explains every rule.

Findings of severity info are about what is often there on purpose: one line counts
them, and --all lists them.

IMAGE can also be a report that fathom --json wrote. Suppressions of the config file
don't apply. The exit code is 0 whatever is found: fathom --ci judges.`

func newAdvise(a *app) *cobra.Command {
	var opt report.AdviceOptions
	j := newJob(a)
	cmd := &cobra.Command{
		Use:     "advise [flags] IMAGE",
		Short:   "List what to change in an image, and what that saves",
		Long:    adviseLong,
		Example: "  fathom advise app.tar\n  fathom advise --rule removed-later --all app.tar",
		Args:    takes(1, 1, "an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return j.advise(cmd.Context(), source{ref: args[0], stdin: a.stdin}, opt)
		},
	}
	j.flags = cmd.Flags()
	j.addFlags(j.flags, opening, building, search, configFile)
	j.flags.StringArrayVar(&opt.Rules, "rule", nil, "list only the findings of `RULE`, also of severity info; may be repeated")
	j.flags.StringVar(&opt.Severity, "severity", "", "the least `SEVERITY` to list: error, warn or info (default warn)")
	j.flags.BoolVar(&opt.All, "all", false, "list findings of severity info too, and all places of each finding")
	j.flags.StringVar(&j.json, "json", "", "write the whole report as JSON to `FILE` in place of the list, as fathom --json does; - is standard output")
	return cmd
}

// advise lists what to change in an image.
func (j *job) advise(ctx context.Context, src source, opt report.AdviceOptions) error {
	for _, name := range opt.Rules {
		if !slices.Contains(gate.FindingRules(), name) {
			return unknown(fmt.Errorf("--rule: %q is not a rule that finds something", name), name, gate.FindingRules())
		}
	}
	if j.flags.Changed("severity") {
		if err := among(opt.Severity, facts.Severities()); err != nil {
			return fmt.Errorf("--severity: %w", err)
		}
	}
	if err := j.prepareList(src); err != nil {
		return err
	}
	r, err := j.saved(src)
	if r == nil && err == nil {
		look := j.advice()
		look.On = opt.Rules
		r, err = j.inspect(ctx, src, j.options(), 0, j.passes(look)...)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	inspect.HideSecrets(r.Report)
	switch {
	case len(j.results) > 0:
		return j.print(ctx, r.Report, nil)
	case r.Report.Findings == nil:
		return hinted("fathom advise IMAGE looks for them in the image itself", "advising on %s: %w", src.ref, gate.ErrNoFindings)
	}
	return report.Advice(j.stdout, &report.Input{Report: r.Report}, opt)
}

// prepareList settles the settings of a command that lists something about one image, or
// writes the whole report as JSON.
func (j *job) prepareList(src source) error {
	var err error
	if j.results, err = j.outputs(); err != nil {
		return err
	}
	if err := j.spare(src, "the image"); err != nil {
		return err
	}
	c, err := j.readConfig(j.settings, j.flags)
	if err != nil {
		return err
	}
	if err := j.settle(j.settings, j.flags, c, opening, building, search); err != nil {
		return err
	}
	j.findDockerfile(true)
	return nil
}
