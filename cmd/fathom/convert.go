package main

import (
	"github.com/spf13/cobra"
)

const convertLong = `Convert a report that fathom --json FILE IMAGE saved to other formats, without the
image. FORMAT is as for fathom --report. --ci, the flags of rules, and formats that
contain a verdict judge the report, with the exit codes of the gate. Rules that deny
paths need the image itself.`

func newConvert(a *app) *cobra.Command {
	j := newJob(a)
	j.onlySaved = true
	cmd := &cobra.Command{
		Use:     "convert --report FORMAT[=FILE] ... REPORT",
		Short:   "Convert a saved report to other formats",
		Long:    convertLong,
		Example: "  fathom convert --report html=report.html --report markdown report.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return j.run(func() error {
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
	j.add(cmd, building)
	return cmd
}
