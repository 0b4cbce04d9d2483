package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fathom/analyzer/load"
)

const rootLong = `fathom opens a container image and shows what each layer did, what it ships and
what nobody will ever see of it.

IMAGE is the file of a docker save, a podman save or an OCI archive (compressed
or not), a folder with an OCI layout, or - for a tar on standard input.
If it holds several images, FILE:TAG, FILE@DIGEST or --image choose one; ./NAME is
always a file. A report that --json wrote opens again, without the files.

An argument that is not a file is an image name. The first engine that has the
image, docker or podman, is asked for it, and then its registry. docker:NAME,
podman:NAME and registry:NAME ask only there. The schemes of skopeo and syft work
too (docker-archive:, oci-dir:, ...). A tar of files that is no image opens as one
layer. Without an IMAGE, fathom lists the images of the engines.

On a terminal the image opens in the explorer; otherwise, and with --ci, fathom
prints a summary.`

const rootExample = `  fathom app.tar                                  explore
  fathom nginx:1.27                               from an engine, or else its registry
  fathom registry:ghcr.io/org/app:1               without an engine
  docker save app | fathom -                      without a file
  fathom --ci --max-wasted-bytes 20MB app.tar     judge in CI
  fathom --json report.json app.tar               export
  fathom advise app.tar                           what to change, and what it saves
  fathom packages app.tar                         which package takes how much
  fathom compare app:1 app:2                      what grew, and why
  fathom demo                                     explore a built-in image`

func newRoot(a *app) *cobra.Command {
	j := newJob(a)
	j.ciEnvironment = ciEnvironment(a.getenv("CI"))
	root := &cobra.Command{
		Use:           "fathom [flags] IMAGE",
		Short:         "See what a container image ships and what nobody will ever see of it",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return j.run(func() error {
				if len(args) == 1 {
					return suggest(cmd, args[0], j.explore(cmd.Context(), source{ref: args[0], stdin: a.stdin}))
				}
				if len(args) > 1 {
					return unknownCommand(cmd, args)
				}
				if j.gated || len(j.results) > 0 || !a.isTerminal(a.stdout) {
					return hinted("fathom --help says what an IMAGE can be; fathom demo needs none", "no IMAGE given")
				}
				if a.isTerminal(a.stdin) {
					return j.choose(cmd.Context())
				}
				return cmd.Help()
			})
		},
	}
	j.add(root, opening, explorer, building, search)
	root.SetVersionTemplate("{{.Version}}\n")
	help := newHelp()
	help.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(help)
	root.AddCommand(newDemo(a), newConvert(a), newBuild(a))
	for _, c := range []*cobra.Command{newAdvise(a), newPackages(a), newCompare(a), newLs(a), newCat(a), newExtract(a), newConfigCommand(a), newCache(a), newVersion(a), newCompletion(a)} {
		c.SetFlagErrorFunc(flagError)
		root.AddCommand(c)
	}
	root.CompletionOptions.DisableDefaultCmd = true
	completeValues(root)
	root.SuggestionsMinimumDistance = 2
	return root
}

// flagError adds a hint to the error of a command line that can't be parsed.
func flagError(cmd *cobra.Command, err error) error {
	wrong := &pflag.InvalidValueError{}
	if errors.As(err, &wrong) && wrong.GetFlag().Value.Type() == "bool" {
		return hinted(fmt.Sprintf("--%s alone means true", wrong.GetFlag().Name), "--%s: %q is neither true nor false", wrong.GetFlag().Name, wrong.GetValue())
	}
	if dives := diveFlag(err); dives != "" {
		return &hintError{err, dives}
	}
	if near := nearFlag(cmd, err); near != "" {
		return &hintError{err, "did you mean --" + near + "?"}
	}
	return &hintError{err, cmd.CommandPath() + " --help lists the flags"}
}

// suggest adds a hint to the error of an image that was not found: the commands
// with similar names.
func suggest(cmd *cobra.Command, name string, err error) error {
	var notFound *load.NotFoundError
	if near := cmd.SuggestionsFor(name); len(near) > 0 && errors.As(err, &notFound) && notFound.Scheme == "" {
		return &hintError{err, didYouMean(near)}
	}
	return err
}

// nearFlag returns the flag that an unknown one was probably meant to be, or "".
func nearFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return ""
	}
	// cobra suggests commands, not flags: the flag becomes a command.
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

// unknownCommand returns the error for more than one argument.
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
