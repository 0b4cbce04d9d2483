package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fathom/analyzer"
	"fathom/analyzer/inspect"
	"fathom/analyzer/load"
)

// source is where an image comes from.
type source struct {
	ref   string
	stdin io.Reader // what ref "-" reads
	name  string    // shown in the place of ref, unless empty
}

// holds reports whether the image is read from the file called name, which must
// not be overwritten. Which part of ref is the path is not known before it is
// opened, so holds looks at every part that can be.
func (s source) holds(name string) bool {
	out, err := os.Stat(name)
	if err != nil || !out.Mode().IsRegular() || name == "-" {
		return false
	}
	same := func(in os.FileInfo, err error) bool { return err == nil && os.SameFile(in, out) }
	if f, ok := s.stdin.(*os.File); ok && s.ref == "-" {
		return same(f.Stat())
	}
	_, path := load.Scheme(s.ref)
	for ; path != ""; path = path[:max(0, strings.LastIndexAny(path, ":@"))] {
		if same(os.Stat(path)) {
			return true
		}
		for _, part := range []string{"index.json", "manifest.json", "oci-layout"} {
			if same(os.Stat(filepath.Join(path, part))) {
				return true
			}
		}
	}
	return false
}

// inspect opens the image and measures it, with a progress bar where one can be
// seen. The caller closes the result.
func (a *app) inspect(ctx context.Context, src source, opt load.Options, needs inspect.Needs, passes ...inspect.Pass) (*inspect.Result, error) {
	var progress analyzer.Progress
	stop := a.showProgress(&progress)
	defer stop()
	return a.open(ctx, src, opt, needs, &progress, passes...)
}

// files opens the image of a command for its files.
func (a *app) files(cmd *cobra.Command, ref string, s *settings, needs inspect.Needs) (*analyzer.Analysis, error) {
	if err := a.settle(s, cmd.Flags(), newConfig(s), opening); err != nil {
		return nil, err
	}
	r, err := a.inspect(cmd.Context(), source{ref: ref, stdin: a.stdin}, s.options(), needs|inspect.Files)
	if err != nil {
		return nil, err
	}
	return r.Analysis, nil
}

// open opens the image and measures it.
func (a *app) open(ctx context.Context, src source, opt load.Options, needs inspect.Needs, progress *analyzer.Progress, passes ...inspect.Pass) (*inspect.Result, error) {
	if src.ref == "-" && a.isTerminal(src.stdin) {
		return nil, hinted("docker save NAME | fathom -", "opening standard input: it is a terminal")
	}
	opt.Stdin, opt.Progress = src.stdin, progress
	r, err := inspect.Open(ctx, src.ref, inspect.Options{Load: opt, Name: src.name, Needs: needs, Passes: passes})
	if err != nil {
		return nil, mistyped(ctx, err, opt)
	}
	return r, nil
}

// layerFlag is the --layer of ls and cat.
type layerFlag struct {
	n     int
	given bool
}

func (f *layerFlag) add(cmd *cobra.Command, usage string) { cmd.Flags().Var(f, "layer", usage) }

// Set, String and Type make it a pflag.Value.
func (f *layerFlag) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return errors.New("not the number of a layer")
	}
	f.n, f.given = n, true
	return nil
}

func (f *layerFlag) String() string { return "" }
func (f *layerFlag) Type() string   { return "N" }

// check returns an error if the image doesn't have the layer.
func (f *layerFlag) check(layers int) error {
	switch {
	case !f.given || f.n < layers:
		return nil
	case layers == 0:
		return fmt.Errorf("--layer %d: the image has no layers", f.n)
	case layers == 1:
		return fmt.Errorf("--layer %d: the image has only layer 0", f.n)
	}
	return fmt.Errorf("--layer %d: the image has layers 0 to %d", f.n, layers-1)
}

// after returns the layer whose state is shown: the given one, or the last.
func (f *layerFlag) after(layers int) (int, error) {
	if f.given {
		return f.n, f.check(layers)
	}
	return layers - 1, nil
}
