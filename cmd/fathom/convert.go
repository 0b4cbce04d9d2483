package main

import (
	"github.com/spf13/cobra"
)

const convertLong = `Write a report that fathom --json FILE IMAGE saved in other forms, without the
image. FORMAT is as for fathom --report. The formats that tell how an image is
judged, --ci and the rules' flags judge the report, with the exit codes of the
gate; rules that deny paths need the image itself.`

func newConvert(a *app) *cobra.Command {
	j := newJob(a)
	j.onlySaved = true
	cmd := &cobra.Command{
		Use:     "convert --report FORMAT[=FILE] ... REPORT",
		Short:   "Write a saved report in other forms",
		Long:    convertLong,
		Example: "  fathom convert --report html=report.html --report markdown report.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return j.run(false, func() error {
				switch {
				case len(args) != 1:
					return hinted("fathom convert --report html=report.html report.json", "convert takes one REPORT: there are %d arguments", len(args))
				case len(j.results) == 0:
					return hinted("--report html=report.html, for example", "convert: --report says which forms to write")
				}
				return j.explore(cmd.Context(), source{ref: args[0], stdin: a.stdin})
			})
		},
	}
	j.add(cmd)
	return cmd
}
