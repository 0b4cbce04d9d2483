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
	"time"

	"github.com/spf13/cobra"

	"fathom/analyzer"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/load"
)

// imageFlags say which image to open, and how. Every command that takes an
// IMAGE has them.
type imageFlags struct {
	image    string
	platform string
	temp     string
	noKeep   bool
	via      string
	verify   bool
	rootfs   bool
	timeout  duration
	// What the image may take; 0 is load's default.
	maxMemory, maxUnpacked, maxTemp byteSize
	registryFlags
}

func (f *imageFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.image, "image", "", "which image, where the source holds several: a `TAG`, a digest, or @N for the Nth from 0")
	flags.StringVar(&f.platform, "platform", "", "which platform, where there are several: `OS/ARCH[/VARIANT]`")
	flags.StringVar(&f.temp, "temp", "", "keep temporary files in `DIR`")
	flags.BoolVar(&f.noKeep, "no-keep", false, "keep nothing of an image that streams in: no temporary file, no content to look at")
	flags.StringVar(&f.via, "via", "", "how to get at an engine's image: `WAY` is storage (its folders) or api (a save); else the first that works")
	flags.BoolVar(&f.verify, "verify", false, "compare every digest and diff ID with the content, whatever it costs")
	f.timeout = duration(time.Minute)
	flags.Var(&f.timeout, "timeout", "give up an engine, a registry or a credential helper that sends nothing for `DURATION`")
	flags.BoolVar(&f.rootfs, "rootfs", false, "open a tar as one layer, whatever is in it: a root filesystem or a layer")
	flags.Var(&f.maxMemory, "max-memory", "take at most `SIZE` of memory for the image (default a sixteenth of the machine's, at least 1GB)")
	flags.Var(&f.maxUnpacked, "max-unpacked", "decompress at most `SIZE` of the image (default 64GiB)")
	flags.Var(&f.maxTemp, "max-temp", "write at most `SIZE` to temporary files (default 64GiB)")
	f.registryFlags.add(flags)
}

// byteSize is a flag's number of bytes, which must be more than 0.
type byteSize int64

// Set, String and Type make it a pflag.Value.
func (b *byteSize) Set(s string) error {
	n, err := gate.ParseBytes(s)
	if err != nil || n == 0 {
		return errors.New("not a size such as 2GB or 512MiB")
	}
	*b = byteSize(n)
	return nil
}

func (b *byteSize) String() string { return "" }
func (b *byteSize) Type() string   { return "SIZE" }

// duration is a flag's time, which must be more than 0.
type duration time.Duration

// Set, String and Type make it a pflag.Value.
func (d *duration) Set(s string) error {
	t, err := time.ParseDuration(s)
	if err != nil || t <= 0 {
		return errors.New("not a time such as 90s or 5m")
	}
	*d = duration(t)
	return nil
}

func (d *duration) String() string { return time.Duration(*d).String() }
func (d *duration) Type() string   { return "DURATION" }

// source is where an image comes from.
type source struct {
	ref   string
	stdin io.Reader // what ref "-" reads
	name  string    // shown in the place of ref, unless empty
}

// holds is whether the image is read from the file called name: it must not be
// written to. Which part of ref is a path is not known before it was opened, so
// that all that may be are looked at.
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
func (a *app) inspect(ctx context.Context, src source, f *imageFlags, needs inspect.Needs) (*inspect.Result, error) {
	var progress analyzer.Progress
	stop := a.showProgress(&progress)
	defer stop()
	return a.open(ctx, src, f, needs, &progress)
}

// files opens the image for its files.
func (a *app) files(ctx context.Context, ref string, f *imageFlags, needs inspect.Needs) (*analyzer.Analysis, error) {
	r, err := a.inspect(ctx, source{ref: ref, stdin: a.stdin}, f, needs|inspect.Files)
	if err != nil {
		return nil, err
	}
	return r.Analysis, nil
}

// open opens the image and measures it.
func (a *app) open(ctx context.Context, src source, f *imageFlags, needs inspect.Needs, progress *analyzer.Progress) (*inspect.Result, error) {
	if src.ref == "-" && a.isTerminal(src.stdin) {
		return nil, hinted("docker save NAME | fathom -", "opening standard input: it is a terminal")
	}
	opt := load.Options{
		Platform: f.platform, Image: f.image, Stdin: src.stdin, Temp: f.temp,
		NoKeep: f.noKeep, Rootfs: f.rootfs, Verify: f.verify, Via: load.Via(f.via), Progress: progress,
		MaxMemory: int64(f.maxMemory), MaxUnpacked: int64(f.maxUnpacked), MaxTemp: int64(f.maxTemp),
	}
	if f.via != "" && opt.Via != load.ViaStorage && opt.Via != load.ViaAPI {
		return nil, fmt.Errorf("--via: %q is neither storage nor api", f.via)
	}
	f.into(&opt)
	opt.Engine.Idle, opt.Registry.Idle = time.Duration(f.timeout), time.Duration(f.timeout)
	r, err := inspect.Open(ctx, src.ref, inspect.Options{Load: opt, Name: src.name, Needs: needs})
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

// check says whether the image has the layer that was asked for.
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

// after is the layer after which the image is looked at: the one given, or the
// last.
func (f *layerFlag) after(layers int) (int, error) {
	if f.given {
		return f.n, f.check(layers)
	}
	return layers - 1, nil
}
