package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fathom/ui/report"
)

const demoLong = `Explore a small image that is built into fathom: the checkout service of a web
shop, with every kind of waste in it.

All flags of fathom IMAGE work here too. --save FILE writes the image as docker
save would, for the other commands.`

func newDemo(a *app) *cobra.Command {
	j, save := newJob(a), ""
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Explore a built-in image",
		Long:  demoLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if cmd.Flags().Changed("save") {
				return a.saveDemo(ctx, save, cmd.Flags())
			}
			// CI in the environment concerns the image of a build, not the demo.
			return j.run(func() error { return j.demo(ctx, j.explore) })
		},
	}
	j.add(cmd, opening, explorer, search)
	cmd.Flags().StringVar(&save, "save", "", "write the image to `FILE` instead; - is standard output")
	return cmd
}

// demo opens the demo image.
func (j *job) demo(ctx context.Context, open func(context.Context, source) error) error {
	r, w := io.Pipe()
	defer r.Close()
	go func() { w.CloseWithError(writeDemo(w)) }()
	return open(ctx, source{ref: "-", stdin: r, name: "demo"})
}

// saveDemo writes the demo image to a file. Any other flag is an error: it would
// be ignored.
func (a *app) saveDemo(ctx context.Context, file string, flags *pflag.FlagSet) error {
	var other string
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "save" {
			other = f.Name
		}
	})
	switch {
	case other != "":
		return hinted("fathom --"+other+" ... FILE works on what --save wrote", "--save writes the image and does nothing else: not with --%s", other)
	case file == "":
		return errors.New("--save: the file has no name")
	case file != "-":
		return report.WriteFile(ctx, file, writeDemo)
	case a.isTerminal(a.stdout):
		return errors.New("--save -: standard output is a terminal")
	}
	return writeDemo(a.stdout)
}
