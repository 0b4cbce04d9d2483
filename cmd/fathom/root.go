package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fathom/analyzer"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/load"
	"fathom/ui"
	"fathom/ui/report"
)

const rootLong = `fathom opens a container image and shows what each layer did, what it ships and
what nobody will ever see of it.

IMAGE is the file of a docker save, a podman save or an OCI archive (compressed
or not), a folder with an OCI layout, or - for a tar on standard input.
FILE:TAG, FILE@DIGEST or --image choose where it holds several images; ./NAME is
always a file. The file of a report that --json wrote opens again, without the
files.

What is no file is a name: of the first engine, docker or podman, that has the
image, else of its registry. docker:NAME, podman:NAME and registry:NAME ask only
there. The schemes of skopeo and syft work, too (docker-archive:, oci-dir:, ...).
A tar of files without an image around it opens as one layer. Without an IMAGE,
fathom lists what the engines have.

On a terminal the image opens in the explorer; otherwise, and with --ci, fathom
prints a summary.`

const rootExample = `  fathom app.tar                                  explore
  fathom nginx:1.27                               of an engine, or else its registry
  fathom registry:ghcr.io/org/app:1               without any engine
  docker save app | fathom -                      without a file
  fathom --ci --max-wasted-bytes 20MB app.tar     gate
  fathom --json report.json app.tar               export
  fathom demo                                     look around without an image`

func newRoot(a *app) *cobra.Command {
	var f exploreFlags
	root := &cobra.Command{
		Use:           "fathom [flags] IMAGE",
		Short:         "See what a container image ships and what nobody will ever see of it",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			err := a.fromEnvironment(cmd.Flags())
			if err != nil && !cmd.HasParent() {
				return a.ungated(f.gated(ciEnvironment(a.getenv("CI"))), f.json, err)
			}
			return err
		},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return a.ungated(f.gated(ciEnvironment(a.getenv("CI"))), f.stdout(), unknownCommand(cmd, args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ci := f.gated(ciEnvironment(a.getenv("CI")))
			if len(args) == 0 {
				if !ci && !f.asked() && a.isTerminal(a.stdout) {
					if a.isTerminal(a.stdin) {
						return a.choose(cmd.Context(), &f)
					}
					return cmd.Help()
				}
				return a.ungated(ci, f.stdout(), hinted("fathom --help says what an IMAGE can be; fathom demo needs none", "no IMAGE given"))
			}
			err := a.explore(cmd.Context(), source{ref: args[0], stdin: a.stdin}, &f, ci)
			var notFound *load.NotFoundError
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 && errors.As(err, &notFound) && notFound.Scheme == "" {
				return &hintError{err, didYouMean(near)}
			}
			return err
		},
	}
	f.add(root)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		wrong := &pflag.InvalidValueError{}
		if errors.As(err, &wrong) && wrong.GetFlag().Value.Type() == "bool" {
			err = hinted(fmt.Sprintf("--%s alone means true", wrong.GetFlag().Name), "--%s: %q is neither true nor false", wrong.GetFlag().Name, wrong.GetValue())
		}
		if !cmd.HasParent() {
			// What stands behind the flag in question was not read.
			asked := wrong.GetFlag() != nil && wrong.GetFlag().Name == "ci"
			err = a.ungated(asked || f.gated(ciEnvironment(a.getenv("CI"))), f.stdout(), err)
		}
		if own := (*hintError)(nil); errors.As(err, &own) {
			return err
		}
		if dives := diveFlag(err); dives != "" {
			return &hintError{err, dives}
		}
		if near := nearFlag(cmd, err); near != "" {
			return &hintError{err, "did you mean --" + near + "?"}
		}
		return &hintError{err, cmd.CommandPath() + " --help lists the flags"}
	})
	root.SetHelpCommand(newHelp())
	root.AddCommand(newLs(a), newCat(a), newExtract(a), newDemo(a), newConfig(a), newCache(a), newConvert(a), newVersion(a), newCompletion(a))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	return root
}

// nearFlag is the flag that an unknown one was probably meant to be, or "".
func nearFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return ""
	}
	// cobra tells how near a command's name is to what was typed.
	near := ""
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		named := &cobra.Command{Use: "flags"}
		named.SuggestionsMinimumDistance = 2
		named.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		if near == "" && !f.Hidden && len(named.SuggestionsFor(unknown.GetSpecifiedName())) > 0 {
			near = f.Name
		}
	})
	return near
}

// exploreFlags are those of fathom IMAGE and of fathom demo.
type exploreFlags struct {
	imageFlags
	gateFlags
	outputFlags
	ci        bool
	onlySaved bool // the source must be a saved report
	ui        ui.Options
	set       *pflag.FlagSet
}

func (f *exploreFlags) add(cmd *cobra.Command) {
	f.imageFlags.add(cmd)
	flags := cmd.Flags()
	f.set = flags
	f.outputFlags.add(flags)
	f.addGate(flags)
	flags.StringVar(&f.ui.Theme, "theme", "", "colours of the explorer: `NAME` is "+strings.Join(ui.Themes(), ", "))
	flags.StringVar(&f.ui.Sort, "sort", "", "order of the files at first: `NAME` is "+strings.Join(ui.Sorts(), ", "))
	flags.BoolVar(&f.ui.NoMouse, "no-mouse", false, "leave the mouse to the terminal")
	flags.BoolVar(&f.ui.ASCII, "ascii", false, "draw the explorer without box and block characters")
}

func (f *exploreFlags) addGate(flags *pflag.FlagSet) {
	flags.BoolVar(&f.ci, "ci", false, "judge the image: exit 1 when a rule fails, 2 when it can't be evaluated (CI=true in the environment does the same)")
	f.gateFlags.add(flags)
}

// gated is whether the image is to be judged: as --ci says, where it is given;
// else when the environment asks for it or there is a rule.
func (f *exploreFlags) gated(environment bool) bool {
	if f.set.Changed("ci") {
		return f.ci
	}
	return environment || f.given() || f.judges()
}

// ciEnvironment is whether the value of CI asks for the gate.
func ciEnvironment(value string) bool {
	on, err := strconv.ParseBool(value)
	return err == nil && on || strings.EqualFold(value, "yes")
}

// check looks at the values of the flags that are no rules.
func (f *exploreFlags) check() error {
	if f.set.Changed("theme") && !slices.Contains(ui.Themes(), f.ui.Theme) {
		return fmt.Errorf("--theme: %q is none of %s", f.ui.Theme, strings.Join(ui.Themes(), ", "))
	}
	if f.set.Changed("sort") && !slices.Contains(ui.Sorts(), f.ui.Sort) {
		return fmt.Errorf("--sort: %q is none of %s", f.ui.Sort, strings.Join(ui.Sorts(), ", "))
	}
	return nil
}

// explore opens an image and shows it in every way that was asked for.
func (a *app) explore(ctx context.Context, src source, f *exploreFlags, ci bool) error {
	if err := f.check(); err != nil {
		return a.ungated(ci, f.stdout(), err)
	}
	if err := f.checkOutputs(src, ci); err != nil {
		return a.ungated(ci, f.stdout(), err)
	}
	if f.set.Changed("config") && f.config == "" {
		return a.ungated(ci, f.stdout(), errors.New("--config: the file has no name"))
	}
	settings, err := a.readConfig(a.configFile(&f.gateFlags))
	if err != nil {
		return a.ungated(ci, f.stdout(), err)
	}
	opt, err := a.options(f, settings)
	if err != nil {
		return a.ungated(ci, f.stdout(), err)
	}
	for _, name := range settings.read {
		if err := f.spare(source{ref: name}, "the config file"); err != nil {
			return a.ungated(ci, f.stdout(), err)
		}
	}
	var j *judging
	if ci {
		if j, err = a.judging(&f.gateFlags, settings); err == nil {
			err = misspelt(os.Environ())
		}
		if err == nil {
			err = f.spare(source{ref: j.baselineName()}, "the baseline")
		}
		if err != nil {
			return a.ungated(ci, f.stdout(), err)
		}
	}
	if !ci && !f.asked() && a.interactive(src) {
		return a.show(ctx, src, f, opt)
	}
	var needs inspect.Needs
	if ci {
		needs = j.needs()
	}
	r, err := f.saved(src)
	if r == nil && err == nil {
		r, err = a.inspect(ctx, src, &f.imageFlags, needs)
	}
	if err != nil {
		return a.ungated(ci, f.stdout(), err)
	}
	defer r.Close()
	var verdict *gate.Verdict
	if ci {
		if verdict, err = a.judge(ctx, r, f, j); err != nil {
			return a.ungated(ci, f.stdout(), err)
		}
	}
	if err := a.print(ctx, r.Report, &f.outputFlags, verdict); err != nil {
		return err
	}
	if verdict == nil {
		return nil
	}
	return a.outcome(r.Report, verdict, j.noFail.value)
}

// saved is the saved report that src names; nil where it names something else.
func (f *exploreFlags) saved(src source) (*inspect.Result, error) {
	rep, err := inspect.Saved(src.ref)
	switch {
	case err != nil:
		return nil, err
	case rep == nil && f.onlySaved:
		return nil, hinted("fathom --json FILE IMAGE saves one", "%s is no saved report", report.Safe(src.ref))
	case rep == nil:
		return nil, nil
	}
	for _, name := range []string{"image", "platform", "rootfs", "verify"} {
		if f.set.Changed(name) {
			return nil, fmt.Errorf("--%s: %s is a saved report, not an image", name, src.ref)
		}
	}
	return &inspect.Result{Report: rep}, nil
}

// show opens the image or the saved report in the explorer.
func (a *app) show(ctx context.Context, src source, f *exploreFlags, opt ui.Options) error {
	r, err := f.saved(src)
	if err != nil {
		return err
	}
	if r != nil {
		return ui.RunReport(ctx, r.Report, opt)
	}
	var progress analyzer.Progress
	err = ui.Open(ctx, cmp.Or(src.name, src.ref), &progress, func(ctx context.Context) (*analyzer.Analysis, error) {
		var err error
		if r, err = a.open(ctx, src, &f.imageFlags, inspect.Content, &progress); err != nil {
			return nil, err
		}
		return r.Analysis, nil
	}, opt)
	r.Close()
	return err
}

// interactive is whether a person sits at a terminal. With the image on
// standard input the keys come from the controlling terminal, as the UI reads
// them from there in any case.
func (a *app) interactive(src source) bool {
	if !a.isTerminal(a.stdout) {
		return false
	}
	if src.ref != "-" || src.name != "" {
		return a.isTerminal(a.stdin)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	tty.Close()
	return true
}

// ungated is err, after the gate's last line has said that nothing was judged.
// It stands where the verdict would have.
func (a *app) ungated(ci bool, file string, err error) error {
	if !ci {
		return err
	}
	if file == "-" {
		fmt.Fprintln(a.stderr, report.VerdictLine(nil))
	} else {
		fmt.Fprintln(a.stdout, report.VerdictLine(nil))
	}
	return err
}

// unknownCommand is the error for more arguments than one IMAGE.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if _, err := os.Stat(args[0]); err == nil {
		return hinted("fathom --help lists the commands", "one IMAGE at a time: there are %d arguments", len(args))
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return hinted(didYouMean(near), "unknown command %q", args[0])
	}
	return hinted("fathom --help lists the commands; it takes one IMAGE", "unknown command %q", args[0])
}

func didYouMean(commands []string) string {
	return "did you mean fathom " + strings.Join(commands, " or fathom ") + "?"
}
