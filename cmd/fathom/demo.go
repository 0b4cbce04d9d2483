package main

import (
	"io"

	"github.com/spf13/cobra"

	"fathom/ui/report"
)

const demoLong = `Explore a small image that is built into fathom: a web shop's checkout service
as such images come to be, with every kind of waste in it.

All flags of fathom IMAGE work here too. --save FILE writes the image as docker
save would, for the other commands.`

func newDemo(a *app) *cobra.Command {
	var (
		f    exploreFlags
		save string
	)
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Explore a built-in image",
		Long:  demoLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if cmd.Flags().Changed("save") {
				return report.WriteFile(ctx, save, writeDemo)
			}
			r, w := io.Pipe()
			defer r.Close()
			go func() { w.CloseWithError(writeDemo(w)) }()
			// CI in the environment is about images that somebody builds.
			return a.explore(ctx, source{ref: "-", stdin: r, name: "demo"}, &f, f.gated(false))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&save, "save", "", "write the image to `FILE` instead")
	return cmd
}
