package main

import (
	"context"
	"errors"
	"io"
	"time"

	"fathom/analyzer/load"
	"fathom/ui"
)

// choose has a person choose one of the engines' images, or the demo, and
// explores it.
func (a *app) choose(ctx context.Context, f *exploreFlags) error {
	settings, err := a.readConfig(a.configFile(&f.gateFlags))
	if err != nil {
		return err
	}
	opt, err := a.options(f, settings)
	if err != nil {
		return err
	}
	from := load.Options{Via: load.Via(f.via)}
	from.Engine.Idle = time.Duration(f.timeout)
	var engines []ui.Engine
	for _, scheme := range load.Engines() {
		engines = append(engines, ui.Engine{Name: scheme, List: func(ctx context.Context) ([]ui.Candidate, error) {
			all, err := load.Images(ctx, scheme, from)
			out := make([]ui.Candidate, len(all))
			for i, img := range all {
				out[i] = ui.Candidate{Ref: img.Ref, Name: img.Name, ID: img.ID, Engine: scheme, Size: img.Size, Created: img.Created}
			}
			return out, err
		}})
	}
	c, err := ui.Choose(ctx, engines, opt)
	switch {
	case errors.Is(err, ui.ErrNoChoice):
		return nil
	case err != nil:
		return err
	case c.Demo:
		r, w := io.Pipe()
		defer r.Close()
		go func() { w.CloseWithError(writeDemo(w)) }()
		return a.explore(ctx, source{ref: "-", stdin: r, name: "demo"}, f, false)
	}
	return a.explore(ctx, source{ref: c.Ref, stdin: a.stdin}, f, false)
}
