package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/ui/report"
)

const configLong = `What a project or a person always wants stands in a config file: the rules of
the gate in the project's .fathom.yaml, how the explorer looks in the user's own.
docs/config.md tells of every key.`

func newConfig(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, show or check the config file",
		Long:  configLong,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(fmt.Errorf("fathom config knows no %q", args[0]), args[0], []string{"init", "show", "verify"})
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newConfigInit(a), newConfigShow(a), newConfigVerify(a))
	return cmd
}

func newConfigInit(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a config file to begin with, with a comment on every key",
		Long:  "Write a config file to begin with, with a comment on every key: .fathom.yaml in\nthe working directory, or FILE. A file that is there stays as it is. The limits of\na .dive-ci beside it are taken over.",
		Args:  takes(0, 1, "at most one FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := configName
			if len(args) > 0 {
				name = args[0]
			}
			dive := filepath.Join(filepath.Dir(name), diveName)
			c := &config{}
			found, err := c.add(dive, dive)
			if err != nil {
				return err
			}
			if other, err := configIn(filepath.Dir(name), ".fathom.yml"); name == configName && (err != nil || other != "") {
				return cmp.Or(err, hinted("fathom config verify checks it", "writing %s: there is %s already", name, other))
			}
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			switch {
			case errors.Is(err, fs.ErrExist):
				return hinted("fathom config verify checks it", "writing %s: it is there already", name)
			case err != nil:
				return fmt.Errorf("writing %s: %w", name, cause(err))
			}
			_, err = io.WriteString(f, starter(c.ci))
			if err := errors.Join(err, f.Close()); err != nil {
				return errors.Join(fmt.Errorf("writing %s: %w", name, cause(err)), os.Remove(name))
			}
			if found {
				fmt.Fprintf(a.stderr, "fathom: note: the limits are those of %s, which is no longer read\n", line(dive))
				for _, w := range c.ci.warnings {
					fmt.Fprintf(a.stderr, "fathom: warning: %s\n", line(w))
				}
			}
			return nil
		},
	}
}

const configVerifyLong = `Say whether FILE, or else every config file that fathom would read here, is good,
and whether the gate can judge by it: some rule is on, max-growth has a baseline,
a baseline that is a file is there. Variables count, and flags of the gate can be
given as the gate gets them. The exit code is 2 when something is wrong, and when
there is no file.`

func newConfigVerify(a *app) *cobra.Command {
	var f exploreFlags
	cmd := &cobra.Command{
		Use:   "verify [flags] [FILE]",
		Short: "Say whether a config file is good",
		Long:  configVerifyLong,
		Args:  takes(0, 1, "at most one FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := &config{}, error(nil)
			switch {
			case len(args) > 0 && f.gateFlags.set.Changed("config"):
				return errors.New("--config and FILE name a file each: only one can")
			case len(args) > 0:
				var found bool
				if found, err = c.add(args[0], args[0]); err == nil && !found {
					err = fmt.Errorf("reading %s: no such file or directory", args[0])
				}
			default:
				c, err = a.readConfig(a.configFile(&f.gateFlags))
			}
			if err != nil {
				return err
			}
			if len(c.read) == 0 && (c.ci == nil || c.ci.err == nil) {
				return hinted("fathom config init writes one", "there is no config file")
			}
			j, err := a.judging(&f.gateFlags, c)
			if err == nil {
				err = misspelt(os.Environ())
			}
			if err == nil {
				err = j.check()
			}
			if err != nil {
				return err
			}
			for _, s := range j.suppress {
				if s.Expired(time.Now().UTC()) {
					j.warnings = append(j.warnings, fmt.Sprintf("%s: the suppression of %q ended on %s", s.Source, s.Path, s.Until.Format(gate.Day)))
				}
			}
			for _, w := range j.warnings {
				fmt.Fprintf(a.stderr, "fathom: warning: %s\n", line(w))
			}
			for _, name := range c.read {
				fmt.Fprintf(a.stdout, "%s: good\n", report.Safe(name))
			}
			return a.stdout.err
		},
	}
	f.gateFlags.add(cmd.Flags())
	return cmd
}

// check says what the gate would always answer with an error, as far as that
// can be known without an image.
func (j *judging) check() error {
	i := slices.IndexFunc(j.limits, func(l gate.Limit) bool { return l.Rule == gate.MaxGrowth })
	name := j.baselineName()
	if name == "" {
		if i >= 0 {
			return hinted("baseline: FILE in the section ci, FATHOM_BASELINE, or --baseline as the gate gets it",
				"%s: max-growth can't be evaluated: %w", j.limits[i].Source, gate.ErrNoBaseline)
		}
		return nil
	}
	_, err := os.Stat(name)
	if err != nil && (filepath.IsAbs(name) || strings.HasPrefix(name, ".") || filepath.Ext(name) == ".json" || fileName.MatchString(name)) {
		return fmt.Errorf("%s: reading the baseline %s: %w", j.baseline.from, name, cause(err))
	}
	r, err := inspect.Saved(name)
	if r != nil && !j.allowTOC.value {
		err = gate.Unverified(r)
	}
	if err != nil {
		return fmt.Errorf("%s: reading the baseline %s: %w", j.baseline.from, name, err)
	}
	return nil
}

const configShowLong = `Show every setting of the gate as it holds here, and where it is from: a flag, a
variable, a place in a file, or the default. Flags of the gate can be given to see
what they change.`

func newConfigShow(a *app) *cobra.Command {
	var f exploreFlags
	cmd := &cobra.Command{
		Use:   "show [flags]",
		Short: "Show the settings that hold here, and where each is from",
		Long:  configShowLong,
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.readConfig(a.configFile(&f.gateFlags))
			if err != nil {
				return err
			}
			j, err := a.judging(&f.gateFlags, c)
			if err != nil {
				return err
			}
			if err := misspelt(os.Environ()); err != nil {
				return err
			}
			return a.showConfig(c, j)
		},
	}
	f.gateFlags.add(cmd.Flags())
	return cmd
}

func (a *app) showConfig(c *config, j *judging) error {
	files := "none"
	if len(c.read) > 0 {
		files = strings.Join(c.read, ", ")
	}
	for _, n := range slices.Concat(j.notes, j.warnings) {
		fmt.Fprintf(a.stderr, "fathom: note: %s\n", line(n))
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	row := func(name, value, from string) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, report.Safe(value), report.Safe(from))
	}
	row("config files", files, "")
	for _, s := range gate.Specs() {
		i := slices.IndexFunc(j.limits, func(l gate.Limit) bool { return l.Rule == s.Name })
		k := slices.IndexFunc(j.rules, func(r setting[ruleValue]) bool { return r.value.name == s.Name })
		switch {
		case i >= 0:
			row(s.Name, limitText(j.limits[i]), j.limits[i].Source)
		case k >= 0:
			row(s.Name, off, j.rules[k].from)
		default:
			row(s.Name, off, "default")
		}
	}
	row("fail-on", j.failOn.value.String(), j.failOn.from)
	row("no-fail", strconv.FormatBool(j.noFail.value), j.noFail.from)
	row("allow-toc", strconv.FormatBool(j.allowTOC.value), j.allowTOC.from)
	baseline := j.baseline.value
	if baseline == "" {
		baseline = "none"
	}
	row("baseline", baseline, j.baseline.from)
	for _, s := range j.suppress {
		value := s.Path + ": " + s.Reason
		if len(s.Rules) > 0 {
			value = s.Path + " (" + strings.Join(s.Rules, ", ") + "): " + s.Reason
		}
		if !s.Until.IsZero() {
			value += " (until " + s.Until.Format(gate.Day) + ")"
		}
		row("suppress", value, s.Source)
	}
	return w.Flush()
}

// limitText is a limit as it can be written again.
func limitText(l gate.Limit) string {
	text := ""
	switch {
	case len(l.Globs) > 0:
		text = strings.Join(l.Globs, " ")
	case l.Unit == gate.Percent:
		text = strconv.FormatFloat(l.Ratio*100, 'g', 12, 64) + "%"
	case l.Unit == gate.Ratio:
		text = strconv.FormatFloat(l.Ratio, 'g', -1, 64)
	default:
		text = strconv.FormatInt(l.Number, 10)
	}
	if l.Severity == gate.Warn {
		text += " (warn)"
	}
	return text
}

// starter is what config init writes, with the limits of a .dive-ci unless that
// is nil. Every line of it is good as it stands, and so is what a comment shows,
// once it is one no more.
func starter(dive *ciConfig) string {
	var b strings.Builder
	b.WriteString(starterHead)
	for _, s := range gate.Specs() {
		fmt.Fprintf(&b, "\n  # %s\n", s.Means)
		comment, example := "# ", s.Name+": "+s.Example
		if s.Default {
			comment = ""
		}
		if dive != nil {
			if r, ok := dive.rules[s.Name]; ok {
				comment, example = "", fmt.Sprintf("%s: %s # %s", s.Name, starterLimit(r.value), r.from)
			}
		}
		fmt.Fprintf(&b, "  %s%s\n", comment, example)
	}
	b.WriteString(starterTail)
	return b.String()
}

// starterLimit is a limit of dive's as the config file has it.
func starterLimit(v ruleValue) string {
	switch {
	case v.off:
		return off
	case v.limit.Unit == gate.Bytes:
		return strconv.FormatInt(v.limit.Number, 10)
	case v.limit.Ratio == 1:
		return "100%" // a bare 1 is refused
	}
	return strconv.FormatFloat(v.limit.Ratio, 'f', -1, 64)
}

const starterHead = `# The config of fathom for this project. docs/config.md tells of every key.
version: 1

# What an image must keep to, wherever fathom judges one (--ci, CI=true). A limit
# that is met exactly is kept. Sizes are 20MB (20,000,000 bytes) or 20MiB, shares
# 0.9 or 90%. A rule can be {limit: ..., severity: warn}; off leaves it out.
ci:
`

const starterTail = `
  # what fails: error, or warn for broken rules of severity warn too
  # fail-on: error

  # exit 0 also when a rule fails
  # no-fail: false

  # judge also layers whose table of contents nobody compared with their content
  # allow-toc: false

  # what max-growth measures from: the file of fathom --json FILE, or an image
  # baseline: fathom-baseline.json

  # waste, or with a rule denied paths, that the team knows of: it does not count,
  # until the day has passed
  # suppress:
  #   - path: /var/lib/dpkg/**
  #     reason: the base image is updated in a step of its own
  #     until: 2027-06-30
  #   - path: /srv/app/test/.env
  #     rule: deny-path
  #     reason: settings of the test suite, without a secret
`
