package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/ui/report"
)

// outputFlags say which results to write, and where.
type outputFlags struct {
	json     string
	reports  []string
	noGitHub bool
}

func (f *outputFlags) add(flags *pflag.FlagSet) {
	var names []string
	for _, x := range report.Formats() {
		names = append(names, x.Name)
	}
	flags.StringVar(&f.json, "json", "", "write the report as JSON to `FILE`; - is standard output")
	flags.StringArrayVar(&f.reports, "report", nil, "write a report to FILE, or else to standard output; may be repeated: `FORMAT[=FILE]` is "+strings.Join(names, ", "))
	flags.BoolVar(&f.noGitHub, "no-github", false, "in GitHub Actions, write annotations and a job summary only when asked to")
}

// written is one result and where it goes.
type written struct {
	format report.Format
	flag   string // as the user gave it
	file   string // "" for standard output
}

// outputs returns the results that were asked for. At most one goes to standard
// output, and no two to the same file. With the first error it returns those that
// could be parsed.
func (j *job) outputs() (all []written, first error) {
	if j.flags.Changed("json") {
		x, _ := report.FormatOf("json")
		all = append(all, written{x, "--json " + j.json, j.json})
		if j.json == "" {
			first = errors.New("--json: the file has no name")
		}
	}
	for _, text := range j.reports {
		name, file, named := strings.Cut(text, "=")
		x, ok := report.FormatOf(name)
		switch {
		case !ok:
			first = cmp.Or(first, unknownFormat(name))
			continue
		case named && file == "":
			first = cmp.Or(first, fmt.Errorf("--report %s: the file has no name", text))
		}
		all = append(all, written{x, "--report " + text, file})
	}
	has := map[string]string{}
	for i := range all {
		w := &all[i]
		at := ""
		if w.file == "-" {
			w.file = ""
		}
		if w.file != "" {
			at = place(w.file)
		}
		switch other, ok := has[at]; {
		case !ok || at == os.DevNull:
		case at == "":
			first = cmp.Or(first, hinted("--report "+w.format.Name+"=FILE writes a file", "%s and %s: only one can have standard output", other, w.flag))
		default:
			first = cmp.Or(first, fmt.Errorf("%s and %s: only one can have the file", other, w.flag))
		}
		has[at] = w.flag
	}
	return all, first
}

// place returns the path of a file with its symlinks resolved.
func place(name string) string {
	name = filepath.Clean(name)
	if at, err := filepath.EvalSymlinks(name); err == nil {
		return at
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
		return filepath.Join(dir, filepath.Base(name))
	}
	return name
}

// spare returns an error if a result would overwrite src, which the run reads.
// what describes src.
func (j *job) spare(src source, what string) error {
	for _, w := range j.results {
		if w.file != "" && src.holds(w.file) {
			return fmt.Errorf("%s: that is %s itself", w.flag, what)
		}
	}
	return nil
}

func unknownFormat(name string) error {
	var names []string
	for _, x := range report.Formats() {
		names = append(names, x.Name)
	}
	return unknown(fmt.Errorf("--report: %q is none of %s", name, strings.Join(names, ", ")), name, names)
}

// checkOutputs returns the error of outputs that can't be written, before
// anything is read.
func (j *job) checkOutputs(src source) error {
	for _, w := range j.results {
		if w.format.Judges && !j.gated {
			return hinted("leave out --ci=false", "%s tells how an image is judged, and --ci=false judges nothing", w.flag)
		}
	}
	return j.spare(src, "the image")
}

// print writes all results: files first, so that the verdict comes last.
func (j *job) print(ctx context.Context, r *facts.Report, v *gate.Verdict) error {
	in := &report.Input{
		Report: r, Verdict: v, Version: version(), Home: home(),
		Dockerfile: j.origin.Dockerfile,
	}
	var out *written
	annotated := false
	for _, w := range j.results {
		annotated = annotated || w.format.Name == "github"
		if w.file == "" {
			out = &w
			continue
		}
		err := report.WriteFile(ctx, w.file, func(to io.Writer) error { return w.format.Write(to, in) })
		if err != nil {
			return err
		}
		j.omits(&w, in)
	}
	if v != nil && j.getenv("GITHUB_ACTIONS") == "true" && !j.noGitHub {
		if err := j.gitHub(in, annotated); err != nil {
			return err
		}
	}
	if out == nil && (v != nil || len(j.results) == 0) {
		text, _ := report.FormatOf("text")
		out = &written{format: text}
	}
	if out == nil {
		return nil
	}
	j.concluded = true
	if err := out.format.Write(j.stdout, in); err != nil {
		return err
	}
	j.omits(out, in)
	if v != nil && out.format.Name != "text" {
		return report.Verdict(j.stderr, in)
	}
	return nil
}

// omits prints a note if the format leaves something out.
func (a *app) omits(w *written, in *report.Input) {
	if w.format.Omits == nil {
		return
	}
	if text := w.format.Omits(in); text != "" {
		fmt.Fprintf(a.stderr, "fathom: %s: %s\n", w.flag, text)
	}
}

// gitHub writes the annotations, to standard error where standard output
// belongs to something else (the runner reads both), and the job summary.
func (j *job) gitHub(in *report.Input, annotated bool) error {
	if !annotated {
		if err := report.GitHub(j.textOut(), in); err != nil {
			return err
		}
	}
	file := j.getenv("GITHUB_STEP_SUMMARY")
	if file == "" {
		return nil
	}
	var text bytes.Buffer
	if err := report.Markdown(&text, in); err != nil {
		return err
	}
	return j.appendSummary(file, append(text.Bytes(), '\n'))
}

// maxSummary is the largest summary of a step. GitHub drops a larger one
// entirely.
const maxSummary = 1 << 20

// appendSummary adds text to what other commands of the step wrote, all of it
// or nothing.
func (a *app) appendSummary(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("writing the job summary: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("writing the job summary: %w", err)
	}
	if info.Mode().IsRegular() && info.Size()+int64(len(text)) > maxSummary {
		fmt.Fprintln(a.stderr, "fathom: the job summary is full: the report is left out of it")
		return nil
	}
	if _, err := f.Write(text); err != nil {
		if info.Mode().IsRegular() {
			err = errors.Join(err, f.Truncate(info.Size()))
		}
		return fmt.Errorf("writing the job summary: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing the job summary: %w", err)
	}
	return nil
}
