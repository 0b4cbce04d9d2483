package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/inspect"
	"fathom/analyzer/packages"
	"fathom/ui/report"
)

const packagesLong = `List the packages of an image by the bytes that their files really occupy, the largest
first. Each has its visible and its wasted bytes, the layer that brought this version,
the layers that store its files, its type, name and version. Packages that a later
layer removed are listed too, and marked: their bytes are still stored. The lines at
the top add up to all stored bytes. docs/packages.md says how files find their package.

--layer N lists what layer N stores of packages, and those that it brought or removed.
--unowned lists the folders whose files belong to no package. --files NAME lists the
files of the packages of that name, which may be TYPE:NAME.

IMAGE can also be a report that fathom --json wrote, except for --files. On a terminal
the list ends after 40 lines; --all lists more.`

// packagesShown is how many lines a list on a terminal has.
const packagesShown = 40

// packageQuery says what fathom packages lists.
type packageQuery struct {
	report.PackagesOptions
	layer        layerFlag
	unowned, all bool
	files        string
}

func newPackages(a *app) *cobra.Command {
	var q packageQuery
	j := newJob(a)
	cmd := &cobra.Command{
		Use:     "packages [flags] IMAGE",
		Short:   "List packages by the bytes that they occupy, and what belongs to none",
		Long:    packagesLong,
		Example: "  fathom packages app.tar\n  fathom packages --type npm --layer 2 app.tar\n  fathom packages --files deb:libc6 app.tar",
		Args:    takes(1, 1, "an IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return j.packages(cmd.Context(), source{ref: args[0], stdin: a.stdin}, &q)
		},
	}
	j.flags = cmd.Flags()
	j.addFlags(j.flags, opening, building, search, configFile)
	j.flags.StringArrayVar(&q.Types, "type", nil, "list only packages of `TYPE` ("+strings.Join(facts.PackageTypes(), ", ")+"); may be repeated")
	q.layer.add(cmd, "list what layer `N` stores of packages, 0 being the bottom")
	j.flags.StringVar(&q.Sort, "sort", report.SortSize, "the `ORDER`: size (visible and wasted bytes), name or waste")
	j.flags.BoolVar(&q.Removed, "removed", false, "list only packages that a later layer removed")
	j.flags.BoolVar(&q.unowned, "unowned", false, "list the folders whose files belong to no package")
	j.flags.StringVar(&q.files, "files", "", "list the files of the packages of this `NAME` or TYPE:NAME")
	j.flags.BoolVar(&q.all, "all", false, "list everything on a terminal too")
	j.flags.StringVar(&j.json, "json", "", "write the whole report as JSON to `FILE` in place of the list, as fathom --json does; - is standard output")
	for name, values := range map[string][]string{"type": facts.PackageTypes(), "sort": report.PackageOrders()} {
		// It fails only for a flag that the command doesn't have.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

// packages lists the packages of an image, what belongs to none, or the files of some.
func (j *job) packages(ctx context.Context, src source, q *packageQuery) error {
	for _, t := range q.Types {
		if err := among(t, facts.PackageTypes()); err != nil {
			return fmt.Errorf("--type: %w", err)
		}
	}
	if err := among(q.Sort, report.PackageOrders()); err != nil {
		return fmt.Errorf("--sort: %w", err)
	}
	if j.flags.Changed("files") && q.files == "" {
		return errors.New("--files: the package has no name")
	}
	for _, name := range []string{"type", "layer", "removed", "files"} {
		if q.unowned && j.flags.Changed(name) {
			return fmt.Errorf("--unowned and --%s: fathom lists either folders or packages", name)
		}
	}
	if err := j.prepareList(src); err != nil {
		return err
	}
	r, err := j.saved(src)
	if r == nil && err == nil {
		passes := []inspect.Pass{inspect.Origin(j.origin, j.options()), inspect.Packages(packages.Options{})}
		if len(j.results) > 0 {
			passes = j.passes(j.advice())
		}
		r, err = j.inspect(ctx, src, j.options(), 0, passes...)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	inspect.HideSecrets(r.Report)
	if err := q.layer.check(len(r.Report.Layers)); err != nil {
		return err
	}
	q.OfLayer, q.Layer = q.layer.given, q.layer.n
	if j.isTerminal(j.stdout) && !q.all {
		q.Most = packagesShown
	}
	in := &report.Input{Report: r.Report}
	switch {
	case len(j.results) > 0:
		return j.print(ctx, r.Report, nil)
	case q.files != "" && r.Analysis == nil:
		return hinted("fathom packages --files NAME IMAGE reads them from the image itself", "--files: %s is a saved report, which has no files of packages", src.ref)
	case r.Report.Packages == nil || r.Report.Unowned == nil:
		return hinted("fathom packages IMAGE looks for them in the image itself", "listing the packages of %s: the report has none, because an older version wrote it", src.ref)
	case q.files != "":
		all, err := q.owned(r)
		if err != nil {
			return err
		}
		return report.PackageFiles(j.stdout, in, all, q.PackagesOptions)
	case q.unowned:
		return report.Unowned(j.stdout, in, q.PackagesOptions)
	}
	return report.Packages(j.stdout, in, q.PackagesOptions)
}

// names returns the type, or "", and the name that --files gives.
func (q *packageQuery) names() (kind, name string) {
	kind, name, ok := strings.Cut(q.files, ":")
	if !ok || name == "" || !slices.Contains(facts.PackageTypes(), kind) {
		return "", q.files // names of java packages have a colon
	}
	return kind, name
}

// owned returns the packages that --files names, with their files.
func (q *packageQuery) owned(r *inspect.Result) ([]report.OwnedFiles, error) {
	kind, name := q.names()
	var all []report.OwnedFiles
	var others []string
	at := map[int]int{} // from the index of a package
	for i := range r.Packages.List {
		p := &r.Packages.List[i]
		asked := (kind == "" || p.Type == kind) && (len(q.Types) == 0 || slices.Contains(q.Types, p.Type)) && (!q.Removed || p.RemovedBy >= 0)
		switch {
		case asked && p.Name == name:
			at[i] = len(all)
			all = append(all, report.OwnedFiles{Package: p})
		case asked && len(p.Name) < 100:
			others = append(others, p.Name)
		}
	}
	if len(all) == 0 {
		err := fmt.Errorf("--files: the image has no package %q", q.files)
		if near := nearest(name, others); near != "" {
			return nil, &hintError{err, "did you mean " + near + "?"}
		}
		return nil, &hintError{err, "fathom packages IMAGE lists them"}
	}
	t := r.Analysis.Tree
	for c := range filetree.Content(t.Contents()) {
		i, ok := at[r.Packages.Of(c)]
		if !ok {
			continue
		}
		s := t.Stored(c)
		if q.OfLayer && s.Layer != q.Layer {
			continue
		}
		f := report.OwnedFile{Path: t.Path(s.Lost), Bytes: s.Bytes, Layer: s.Layer, HiddenBy: s.HiddenBy, Cause: s.Cause.String()}
		if names := t.Names(c, t.Layers()-1); len(names) > 0 {
			f.Path = t.Path(names[0])
			for _, n := range names[1:] {
				f.Names = append(f.Names, t.Path(n))
			}
		}
		all[i].Files = append(all[i].Files, f)
	}
	return all, nil
}
