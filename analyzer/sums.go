package analyzer

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Sums hashes the first n bytes of each content, or all of it if that is less. It
// omits content that can't be read at offsets, for which ok is false. It reads
// several files at a time.
func (a *Analysis) Sums(ctx context.Context, contents []filetree.Content, n int64) (sums []layer.Hash, ok []bool, err error) {
	plain := make([]bool, len(a.Image.Layers))
	for i, l := range a.Image.Layers {
		at, err := layer.Plain(l.Blob)
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", a.Image.layerName(i), err)
		}
		plain[i] = at != nil
	}
	sums, ok = make([]layer.Hash, len(contents)), make([]bool, len(contents))
	var next atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(contents)) {
		work.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(contents) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return context.Cause(ctx)
				}
				s := a.Tree.Stored(contents[i])
				if s.Sparse || !plain[s.Layer] {
					continue
				}
				var err error
				if sums[i], err = layer.Sum(ctx, a.Image.Layers[s.Layer].Blob, s.Offset, min(n, s.Bytes)); err != nil {
					return a.reading(s, err)
				}
				ok[i] = true
			}
		})
	}
	return sums, ok, work.Wait()
}
