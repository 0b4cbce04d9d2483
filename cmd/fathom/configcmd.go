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
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fathom/analyzer"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/ui/report"
)

const configLong = `A config file holds settings: the rules of the gate in the project's
.fathom.yaml, the looks of the explorer in the user's own. docs/config.md explains
every key.`

func newConfigCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, show or check the config file",
		Long:  configLong,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(fmt.Errorf("fathom config has no command %q", args[0]), args[0], []string{"init", "show", "verify"})
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
		Short: "Write a starter config file, with a comment on every key",
		Long:  "Write a starter config file, with a comment on every key: .fathom.yaml in\nthe working directory, or FILE. An existing file is not overwritten. The limits\nof a .dive-ci beside it are taken over.",
		Args:  takes(0, 1, "at most one FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := configName
			if len(args) > 0 {
				name = args[0]
			}
			dive := filepath.Join(filepath.Dir(name), diveName)
			s := newSettings()
			c := newConfig(s)
			found, err := c.add(dive, dive)
			if err != nil {
				return err
			}
			if other, err := configIn(filepath.Dir(name), ".fathom.yml"); name == configName && (err != nil || other != "") {
				return cmp.Or(err, hinted("fathom config verify checks it", "writing %s: %s exists already", name, other))
			}
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			switch {
			case errors.Is(err, fs.ErrExist):
				return hinted("fathom config verify checks it", "writing %s: it exists already", name)
			case err != nil:
				return fmt.Errorf("writing %s: %w", name, analyzer.WithoutPath(err))
			}
			_, err = io.WriteString(f, s.starter(c.section(judgment).values))
			if err := errors.Join(err, f.Close()); err != nil {
				return errors.Join(fmt.Errorf("writing %s: %w", name, analyzer.WithoutPath(err)), os.Remove(name))
			}
			if found {
				fmt.Fprintf(a.stderr, "fathom: note: the limits are those of %s, which is no longer read\n", line(dive))
				for _, w := range c.section(judgment).warnings {
					fmt.Fprintf(a.stderr, "fathom: warning: %s\n", line(w))
				}
			}
			return nil
		},
	}
}

const configVerifyLong = `Check FILE, or else every config file that fathom would read here, and whether the
gate can use it: some rule is on, rules that need a baseline have one, and a
baseline file exists. Variables count. Give the flags that the gate is run with, if any. The exit
code is 2 if something is wrong, or if there is no file.`

func newConfigVerify(a *app) *cobra.Command {
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "verify [flags] [FILE]",
		Short: "Check a config file",
		Long:  configVerifyLong,
		Args:  takes(0, 1, "at most one FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := newConfig(s), error(nil)
			switch {
			case len(args) > 0 && cmd.Flags().Changed("config"):
				return errors.New("--config and FILE name a file each: only one can")
			case len(args) > 0:
				err = c.addNamed(args[0])
			default:
				c, err = a.readConfig(s, cmd.Flags())
			}
			if err != nil {
				return err
			}
			if len(c.read) == 0 && c.section(judgment).err == nil {
				return hinted("fathom config init writes one", "there is no config file")
			}
			if err := a.settleGate(s, cmd.Flags(), c); err != nil {
				return err
			}
			if err := s.check(); err != nil {
				return err
			}
			for _, x := range s.suppress {
				if x.Expired(time.Now().UTC()) {
					s.warnings = append(s.warnings, fmt.Sprintf("%s: the suppression of %s ended on %s", x.Source, x.What(), x.Until.Format(gate.Day)))
				}
			}
			for _, w := range s.warnings {
				fmt.Fprintf(a.stderr, "fathom: warning: %s\n", line(w))
			}
			for _, name := range c.read {
				fmt.Fprintf(a.stdout, "%s: good\n", report.Safe(name))
			}
			return a.stdout.err
		},
	}
	s.addFlags(cmd.Flags(), judgment, configFile)
	return cmd
}

// check returns the error that the gate would report for every image.
func (s *settings) check() error {
	name, from := s.baselineName(), s.given["baseline"].from
	if name == "" {
		if l := s.needsBaseline(); l != nil {
			return hinted("baseline: FILE in the section ci, FATHOM_BASELINE, or the --baseline that the gate is run with",
				"%s: %s can't be evaluated: %w", l.Source, l.Rule, gate.ErrNoBaseline)
		}
		return nil
	}
	if err := s.missingBaseline(); err != nil {
		if s.missing == missingPass && errors.Is(err, fs.ErrNotExist) {
			s.warnings = append(s.warnings, fmt.Sprintf("%s: there is no baseline yet: %v", from, err))
			return nil
		}
		return fmt.Errorf("%s: reading the baseline %w", from, err)
	}
	r, err := inspect.Saved(name)
	if r != nil && !s.allowTOC {
		err = gate.Unverified(r)
	}
	if err != nil {
		return fmt.Errorf("%s: reading the baseline %s: %w", from, name, err)
	}
	if l := s.comparing(); r != nil && l != nil && !slices.Equal(l.Names, []string{gate.Reproducible}) {
		s.warnings = append(s.warnings, fmt.Sprintf("%s: %s can't be evaluated for every image: the baseline %s is a saved report, which has no files", l.Source, l.Rule, name))
	}
	return nil
}

const configShowLong = `Show every setting of the gate that applies here, what fathom searches for and what
the image was built from, and where each is from: a flag, a variable, a place in a
file, or the default. Give flags of the gate to see what they change.`

func newConfigShow(a *app) *cobra.Command {
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "show [flags]",
		Short: "Show the settings that apply here, and where each is from",
		Long:  configShowLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.readConfig(s, cmd.Flags())
			if err != nil {
				return err
			}
			if err := a.settle(s, cmd.Flags(), c, search, building); err != nil {
				return err
			}
			if err := a.settleGate(s, cmd.Flags(), c); err != nil {
				return err
			}
			return a.showConfig(s, c.read)
		},
	}
	s.addFlags(cmd.Flags(), search, building, judgment, configFile)
	return cmd
}

func (a *app) showConfig(s *settings, read []string) error {
	files := "none"
	if len(read) > 0 {
		files = strings.Join(read, ", ")
	}
	for _, n := range slices.Concat(s.notes, s.warnings) {
		fmt.Fprintf(a.stderr, "fathom: note: %s\n", line(n))
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	row := func(name, value, from string) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, report.Safe(value), report.Safe(from))
	}
	row("config files", files, "")
	for _, r := range s.rows {
		switch l := s.limitOf(r.name); {
		case r.group == search || r.group == building && r.in&inFile != 0:
			row(r.name, s.given[r.name].text, s.given[r.name].from)
		case r.group != judgment || r.in&inAll != inAll:
		case l != nil:
			row(r.name, limitText(*l), l.Source)
		default:
			row(r.name, s.given[r.name].text, s.given[r.name].from)
		}
	}
	for _, s := range s.suppress {
		value := cmp.Or(s.Path, s.Package)
		if len(s.Rules) > 0 {
			value = strings.TrimPrefix(value+" ("+strings.Join(s.Rules, ", ")+")", " ")
		}
		value += ": " + s.Reason
		if !s.Until.IsZero() {
			value += " (until " + s.Until.Format(gate.Day) + ")"
		}
		row("suppress", value, s.Source)
	}
	return w.Flush()
}

// limitText formats a limit, with its severity if that is not error, and its scope if it
// has one.
func limitText(l gate.Limit) string {
	var more []string
	if l.Severity == gate.Warn {
		more = append(more, "warn")
	}
	if l.Scope != gate.Auto {
		more = append(more, "scope "+l.Scope.String())
	}
	if more == nil {
		return l.String()
	}
	return l.String() + " (" + strings.Join(more, ", ") + ")"
}

// starter returns what config init writes, with the limits of a .dive-ci. It is
// valid as it is, and stays valid when a commented key is uncommented.
func (s *settings) starter(dive map[string]given) string {
	var b strings.Builder
	b.WriteString(starterHead)
	for _, r := range s.rows {
		if r.group != judgment || r.in&inFile == 0 {
			continue
		}
		help, rule := strings.CutPrefix(r.help, "rule: ")
		if help, _, _ = strings.Cut(help, ": `"); !rule {
			help = r.plain()
		}
		fmt.Fprintf(&b, "\n  # %s\n", help)
		comment, example := "# ", r.name+": "+r.example
		if r.active {
			comment = ""
		}
		if g, ok := dive[r.name]; ok {
			comment, example = "", r.name+": "+g.text+" # "+g.from
		}
		for l := range strings.Lines(strings.ReplaceAll(example, ": \n", ":\n")) {
			fmt.Fprintf(&b, "  %s%s\n", comment, strings.TrimRight(l, "\n"))
		}
	}
	b.WriteString("\n# What the image was built from.\n# build:\n")
	for _, r := range s.rows {
		if r.group == building && r.in&inFile != 0 {
			fmt.Fprintf(&b, "#   # %s\n#   %s: %s\n", r.plain(), r.name, r.example)
		}
	}
	return b.String()
}

const starterHead = `# The config of fathom for this project. docs/config.md explains every key.
version: 1

# The rules for images, wherever fathom judges one (--ci, CI=true). A limit that is
# met exactly passes. Sizes are 20MB (20,000,000 bytes) or 20MiB, shares
# 0.9 or 90%. A rule can be {limit: ..., severity: warn, scope: own}; off turns it off.
ci:
`
