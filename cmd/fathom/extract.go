package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fathom/analyzer"
	"fathom/analyzer/extract"
	"fathom/analyzer/inspect"
	"fathom/ui/report"
)

const extractLong = `Copy a file or a whole folder of the image to the disk: as the image shows it or,
with --layer N, as it was after layer N. Where DEST is a folder it goes there
under its own name; otherwise DEST is its new name.

Modes, symlinks, hard links, holes and times are kept. Owners, and with them the
setuid and setgid bits, are kept only for root. Extended attributes, and with them
file capabilities, are not kept. Devices and named pipes are left out, with a note.

Nothing is written outside DEST or through a symlink. If something exists in the
way, nothing is written at all, unless --overwrite or --skip says what to do. A file
appears whole or not at all.`

func newExtract(a *app) *cobra.Command {
	var (
		s               = newSettings()
		n               layerFlag
		overwrite, skip bool
	)
	cmd := &cobra.Command{
		Use:   "extract [flags] IMAGE PATH DEST",
		Short: "Copy a file or a folder of the image to the disk",
		Long:  extractLong,
		Args:  takes(3, 3, "an IMAGE, a PATH and a DEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			an, err := a.files(cmd, args[0], s, inspect.Content)
			if err != nil {
				return err
			}
			defer an.Image.Close()
			at, err := n.after(an.Tree.Layers())
			if err != nil {
				return err
			}
			answer := extract.Skip
			if overwrite {
				answer = extract.Overwrite
			}
			return a.extract(cmd.Context(), an, args[1], args[2], at, overwrite || skip, answer)
		},
	}
	s.addFlags(cmd.Flags(), opening)
	n.add(cmd, "as it was after layer `N`, 0 being the bottom")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace existing files and symlinks, never a folder")
	cmd.Flags().BoolVar(&skip, "skip", false, "leave existing files as they are")
	cmd.MarkFlagsMutuallyExclusive("overwrite", "skip")
	return cmd
}

func (a *app) extract(ctx context.Context, an *analyzer.Analysis, path, dest string, at int, answered bool, answer extract.Answer) error {
	n, err := an.Tree.Resolve(path, at, false)
	if err != nil {
		return err
	}
	p, err := extract.New(ctx, an, n, at, dest)
	if err != nil {
		return err
	}
	defer p.Close()
	if len(p.Conflicts) > 0 && !answered {
		first := p.Conflicts[0]
		more := ""
		if n := len(p.Conflicts) - 1; n > 0 {
			more = fmt.Sprintf(", and %d more in the way", n)
		}
		return hinted("--overwrite replaces what is there, --skip leaves it", "extracting to %s: a %s exists already%s", first.Path, first.Kind, more)
	}
	for i := range p.Conflicts {
		p.Conflicts[i].Answer = answer
	}
	var progress analyzer.Progress
	stop := a.showProgress(&progress)
	task := progress.Start("extracting", p.Bytes)
	res, err := p.Run(ctx, task)
	task.Finish()
	stop()
	for _, note := range p.Notes {
		fmt.Fprintf(a.stderr, "fathom: note: %s\n", line(note.Path+": "+note.Text))
	}
	if more := p.Skipped - len(p.Notes); more > 0 {
		fmt.Fprintf(a.stderr, "fathom: note: %d more entries are left out\n", more)
	}
	if err != nil {
		return fmt.Errorf("%w (%s)", err, extracted(res))
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %s\n", line(p.Dest), extracted(res))
	return err
}

// extracted summarizes what was written.
func extracted(r extract.Result) string {
	s := count(r.Files, "file") + ", " + report.Size(r.Bytes)
	for _, part := range []struct {
		n    int
		name string
	}{{r.Dirs, "folder"}, {r.Symlinks, "symlink"}, {r.Links, "hard link"}} {
		if part.n > 0 {
			s += ", " + count(part.n, part.name)
		}
	}
	if r.Kept > 0 {
		s += fmt.Sprintf("; %d in the way stayed", r.Kept)
	}
	return s
}

func count(n int, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}
