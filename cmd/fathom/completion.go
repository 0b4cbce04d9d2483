package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const completionLong = `Write a script to standard output that completes fathom's commands and flags.

  bash        source <(fathom completion bash)
  zsh         fathom completion zsh > "${fpath[1]}/_fathom"
  fish        fathom completion fish | source
  powershell  fathom completion powershell | Out-String | Invoke-Expression`

// completeValues lets a shell complete the values of flags that take one of a few, in
// all commands.
func completeValues(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if v, ok := f.Value.(*flagText); ok {
			if names, ok := v.takes.schema["enum"].([]string); ok {
				// It fails only for a flag that the command doesn't have.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	})
	for _, c := range cmd.Commands() {
		completeValues(c)
	}
}

// newCompletion is cobra's completion command, except that a shell it doesn't
// know is an error.
func newCompletion(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion " + strings.Join(shells, "|"),
		Short:     "Write a completion script for a shell",
		Long:      completionLong,
		ValidArgs: shells,
		Args:      takes(1, 1, "the name of a shell"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return hinted("it can be "+strings.Join(shells, ", "), "no completion for %q", args[0])
		},
	}
}
