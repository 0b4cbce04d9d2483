package main

import (
	"context"

	"fathom/analyzer/load"
	"fathom/ui"
)

// choose lets the user choose an image of the engines, or the demo, and opens it
// in the explorer.
func (j *job) choose(ctx context.Context) error {
	if err := j.prepare(); err != nil {
		return err
	}
	from := j.options()
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
	list := j.look()
	j.explorer.Chosen = true
	return ui.Choose(ctx, engines, list, func(ctx context.Context, c ui.Candidate) error {
		if c.Demo {
			return j.demo(ctx, j.show)
		}
		return j.show(ctx, source{ref: c.Ref, stdin: j.stdin})
	})
}
