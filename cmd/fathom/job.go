package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/packages"
	"fathom/ui"
	"fathom/ui/report"
)

// job is one run of fathom IMAGE, fathom demo or fathom convert: what was asked
// for, parsed once, and how far it got.
type job struct {
	*app
	*settings
	outputFlags
	flags     *pflag.FlagSet
	results   []written // and where each goes
	gated     bool      // the image must be judged
	concluded bool      // the gate's last line is printed, or on its way
	onlySaved bool      // the source must be a saved report
	recalled  bool      // the state file was read
	read      *config   // the config files
	limited   bool      // the explorer has settled how to judge
	ungated   error     // why it can't judge

	ciEnvironment bool // the environment asks for a verdict
}

func newJob(a *app) *job { return &job{app: a, settings: newSettings()} }

// add adds the flags of outputs and of the gate, and those of groups.
func (j *job) add(cmd *cobra.Command, groups ...group) {
	j.flags = cmd.Flags()
	j.outputFlags.add(j.flags)
	j.addFlags(j.flags, append(groups, gating, judgment, configFile)...)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// The flags behind the wrong one were not parsed. They say where results
		// go; err says what is wrong.
		j.reports = nil
		j.flags.ParseErrorsAllowlist.UnknownFlags = true
		_ = j.flags.Parse(j.args)
		_ = j.begin()
		return j.conclude(flagError(cmd, err))
	})
}

// run does the job.
func (j *job) run(do func() error) error {
	err := j.begin()
	if err == nil {
		err = do()
	}
	return j.conclude(err)
}

// conclude returns err. All errors of a job pass here: if there is no verdict, the
// gate's last line says so.
func (j *job) conclude(err error) error {
	if err != nil && j.gated && !j.concluded {
		fmt.Fprintln(j.textOut(), report.VerdictLine(nil))
	}
	return err
}

// begin parses the outputs, and whether a verdict is asked for: by --ci if it is
// given, else by the environment, a rule, or a result that needs one.
func (j *job) begin() error {
	var err error
	j.results, err = j.outputs()
	wrong := j.settle(j.settings, j.flags, newConfig(j.settings), gating)
	judges := func(w written) bool { return w.format.Judges }
	j.gated = wrong != nil || j.ci
	if !j.flags.Changed("ci") {
		j.gated = j.ciEnvironment || j.asked() || slices.ContainsFunc(j.results, judges)
	}
	return cmp.Or(err, wrong)
}

// asked reports whether a flag of the gate asks for a verdict.
func (j *job) asked() bool {
	return slices.ContainsFunc(j.rows, func(r setting) bool {
		return r.group == judgment && r.in&ungated == 0 && j.flags.Changed(r.flag())
	})
}

// textOut returns where the verdict goes as text: standard output, unless a result
// in another format goes there.
func (j *job) textOut() io.Writer {
	if slices.ContainsFunc(j.results, func(w written) bool { return w.file == "" && w.format.Name != "text" }) {
		return j.stderr
	}
	return j.stdout
}

// ciEnvironment reports whether the value of CI asks for the gate.
func ciEnvironment(value string) bool {
	on, err := strconv.ParseBool(value)
	return err == nil && on || strings.EqualFold(value, "yes")
}

// prepare settles the settings.
func (j *job) prepare() error {
	c, err := j.readConfig(j.settings, j.flags)
	if err != nil {
		return err
	}
	j.read = c
	if err := j.settle(j.settings, j.flags, c, opening, explorer, building, search); err != nil {
		return err
	}
	for _, name := range c.read {
		if err := j.spare(source{ref: name}, "the config file"); err != nil {
			return err
		}
	}
	j.findDockerfile(j.gated || len(j.results) > 0)
	if !j.gated {
		return nil
	}
	if err := j.settleGate(j.settings, j.flags, c); err != nil {
		return err
	}
	return j.spare(source{ref: j.baselineName()}, "the baseline")
}

// explore opens an image and shows it in every way that was asked for.
func (j *job) explore(ctx context.Context, src source) error {
	if err := j.checkOutputs(src); err != nil {
		return err
	}
	if err := j.prepare(); err != nil {
		return err
	}
	return j.output(ctx, src)
}

// output opens an image, after prepare, and shows it in every way that was asked for.
func (j *job) output(ctx context.Context, src source) error {
	if !j.gated && len(j.results) == 0 && j.interactive(src) {
		return j.show(ctx, src)
	}
	r, err := j.saved(src)
	if r == nil && err == nil {
		r, err = j.inspect(ctx, src, j.options(), j.needs(), j.passes(j.judged())...)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	inspect.HideSecrets(r.Report)
	var verdict *gate.Verdict
	if j.gated {
		if verdict, err = j.judge(ctx, r); err != nil {
			return err
		}
	}
	if err := j.print(ctx, r.Report, verdict); err != nil || verdict == nil {
		return err
	}
	return j.outcome(r.Report, verdict)
}

// passes returns the passes over an image.
func (j *job) passes(opt advice.Options) []inspect.Pass {
	return []inspect.Pass{inspect.Origin(j.origin, j.options()), inspect.Packages(packages.Options{Progress: opt.Progress}), inspect.Findings(opt)}
}

// findDockerfile takes the Dockerfile in the working directory if none is named and
// there is a reason to: the image is judged or reported where it was built.
func (j *job) findDockerfile(reason bool) {
	j.origin.Asked = j.origin.Dockerfile != ""
	if j.origin.Asked || !reason {
		return
	}
	if _, err := os.Stat("Dockerfile"); err == nil {
		j.origin.Dockerfile = "Dockerfile"
	}
}

// saved returns the saved report that src names, or nil.
func (j *job) saved(src source) (*inspect.Result, error) {
	rep, err := inspect.Saved(src.ref)
	switch {
	case err != nil:
		return nil, err
	case rep == nil && j.onlySaved:
		return nil, hinted("fathom --json FILE IMAGE saves one", "%s is not a saved report", report.Safe(src.ref))
	case rep == nil:
		return nil, nil
	}
	if err := j.onlyImages(src); err != nil {
		return nil, err
	}
	return &inspect.Result{Report: rep}, nil
}

// onlyImages returns an error if a flag was given that is about images only. src is a
// saved report.
func (j *job) onlyImages(src source) error {
	for _, name := range []string{"image", "platform", "rootfs", "verify", "secrets", "base", "provenance"} {
		if j.flags.Changed(name) {
			return fmt.Errorf("--%s: %s is a saved report, not an image", name, src.ref)
		}
	}
	return nil
}

// words returns the arguments that open images again: flags about opening, and the
// images. It returns nil if nothing can.
func (j *job) words(src []source) []string {
	var words []string
	for _, r := range j.rows {
		f := j.flags.Lookup(r.flag())
		if r.group != opening || r.in&inFlag == 0 || f == nil || !f.Changed {
			continue
		}
		for _, text := range f.Value.(*flagText).texts {
			words = append(words, "--"+r.flag()+"="+text)
		}
	}
	for _, s := range src {
		if s.ref == "-" || s.name != "" {
			return nil
		}
		words = append(words, s.ref)
	}
	return words
}

// input returns what a report of the explorer is made of.
func (j *job) input(ctx context.Context, r *inspect.Result, judge bool) (*report.Input, error) {
	in := &report.Input{Report: r.Report, Version: version(), Home: home(), Dockerfile: j.origin.Dockerfile}
	if !judge {
		return in, nil
	}
	if err := j.limit(); err != nil {
		return nil, err
	}
	var err error
	in.Verdict, err = j.judge(ctx, r)
	return in, err
}

// limit settles, once, how the explorer judges.
func (j *job) limit() error {
	if !j.limited {
		j.limited, j.ungated = true, j.settleGate(j.settings, j.flags, j.read)
	}
	return j.ungated
}

// look returns how the explorer looks.
func (j *job) look(src ...source) ui.Options {
	j.recall()
	opt := j.explorer
	opt.NoMouse, opt.Keep = !j.mouse, j.keep
	opt.Words, opt.Input = j.words(src), j.input
	opt.Hold, opt.Taken, opt.Interrupt = j.hold, j.taken, j.interrupt
	return opt
}

// show opens the image or the saved report in the explorer.
func (j *job) show(ctx context.Context, src source) error {
	r, err := j.saved(src)
	if err != nil {
		return err
	}
	_ = j.limit() // only what needs a verdict says what is wrong
	look := j.look(src)
	look.Judge = j.judgeLeft
	if r != nil {
		return ui.RunReport(ctx, r.Report, look)
	}
	look.Advice = j.judged()
	// The explorer looks for packages and findings once the image is shown. What
	// compressed layers hold is noted while they are read, so that it need not decompress
	// them again.
	notes := inspect.Pass{Look: append(packages.Lookers(), advice.Lookers(look.Advice)...), Run: func(context.Context, *inspect.Result) error { return nil }}
	var progress analyzer.Progress
	err = ui.Open(ctx, cmp.Or(src.name, src.ref), &progress, func(ctx context.Context) (*analyzer.Analysis, error) {
		var err error
		if r, err = j.open(ctx, src, j.options(), inspect.Content, &progress, inspect.Origin(j.origin, j.options()), notes); err != nil {
			return nil, err
		}
		return r.Analysis, nil
	}, look)
	r.Close()
	return err
}

// interactive reports whether a person sits at a terminal. With the image on
// standard input the keys come from the controlling terminal, as the UI reads
// them from there in any case.
func (j *job) interactive(src source) bool {
	if !j.isTerminal(j.stdout) {
		return false
	}
	if src.ref != "-" || src.name != "" {
		return j.isTerminal(j.stdin)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	tty.Close()
	return true
}
