package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and the Go version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, version())
			return err
		},
	}
}

// version returns what the build knows about itself, on one line.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "fathom (unknown build) " + runtime.Version()
	}
	return versionOf(info)
}

// home returns the URL of the repository that the build is from, "" if the path of its
// module has no host.
func home() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return homeOf(info)
}

func homeOf(info *debug.BuildInfo) string {
	if host, _, _ := strings.Cut(info.Main.Path, "/"); !strings.Contains(host, ".") {
		return ""
	}
	return "https://" + info.Main.Path
}

func versionOf(info *debug.BuildInfo) string {
	setting := map[string]string{}
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	var commit []string
	if rev := setting["vcs.revision"]; rev != "" {
		commit = append(commit, "commit "+rev[:min(len(rev), 12)])
	}
	if t := setting["vcs.time"]; t != "" {
		commit = append(commit, t)
	}
	if setting["vcs.modified"] == "true" {
		commit = append(commit, "modified")
	}
	s := "fathom " + cmp.Or(info.Main.Version, "(devel)")
	if len(commit) > 0 {
		s += " (" + strings.Join(commit, ", ") + ")"
	}
	return fmt.Sprintf("%s %s %s/%s", s, info.GoVersion, cmp.Or(setting["GOOS"], runtime.GOOS), cmp.Or(setting["GOARCH"], runtime.GOARCH))
}
