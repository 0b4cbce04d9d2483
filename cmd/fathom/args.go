package main

import (
	"github.com/spf13/cobra"
)

// noArgs refuses any argument.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return hinted(cmd.CommandPath()+" --help shows how to use it", "%s takes no arguments, got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// takes refuses fewer than least or more than most arguments. what says what
// they are.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return hinted(cmd.CommandPath()+" --help shows how to use it", "%s takes %s, got %d arguments", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}
