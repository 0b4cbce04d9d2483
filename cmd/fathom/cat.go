package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fathom/analyzer"
	"fathom/analyzer/inspect"
	"fathom/analyzer/layer"
)

const catLong = `Write the content of a file to standard output, unchanged: as the image shows it
or, with --layer N, as it was after layer N. Symlinks are followed inside the
image, up to 40 of them.`

func newCat(a *app) *cobra.Command {
	var (
		s = newSettings()
		n layerFlag
	)
	cmd := &cobra.Command{
		Use:   "cat [flags] IMAGE PATH",
		Short: "Write a file's content, even if a later layer hides it",
		Long:  catLong,
		Args:  takes(2, 2, "an IMAGE and a PATH"),
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
			return a.cat(cmd.Context(), an, args[1], at)
		},
	}
	s.addFlags(cmd.Flags(), opening)
	n.add(cmd, "as it was after layer `N`, 0 being the bottom")
	return cmd
}

func (a *app) cat(ctx context.Context, an *analyzer.Analysis, path string, at int) error {
	n, err := an.Tree.Resolve(path, at, true)
	if err != nil {
		return err
	}
	st, _ := an.Tree.At(n, at)
	switch real := an.Tree.Path(n); {
	case real == "/" || st.Kind == layer.Dir:
		return hinted("fathom ls lists it", "%s is a directory", real)
	case st.Kind != layer.File:
		return fmt.Errorf("%s is a %s: it has no content", real, st.Kind.Noun())
	}
	r, err := an.Open(ctx, st.Content)
	if err != nil {
		return err
	}
	defer r.Close()
	written, err := io.Copy(a.stdout, cancelReader{ctx, r})
	switch {
	case err != nil && errors.Is(err, a.stdout.err):
		return err
	case err != nil:
		return fmt.Errorf("reading %s: %w", an.Tree.Path(n), err)
	case written != st.Size:
		return fmt.Errorf("reading %s: it ends after %d of %d bytes", an.Tree.Path(n), written, st.Size)
	}
	return nil
}

// cancelReader fails once its context has ended.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
