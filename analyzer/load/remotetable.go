package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer"
	"fathom/analyzer/load/registry"
	"fathom/analyzer/load/toc"
)

// tables has those layers listed from their tables of contents that have one
// and are not in the cache. Where that can't be done the layer is downloaded;
// nothing is said about it when the registry gives no parts of blobs.
func (r *remote) tables(ctx context.Context, img *analyzer.Image, pieces []piece) error {
	if !r.o.opt.TOC || r.o.opt.Verify {
		return nil
	}
	tables := make([]*toc.Table, len(pieces))
	failed := make([]error, len(pieces))
	var noRanges atomic.Bool
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(remoteLayers)
	for i, p := range pieces {
		b := r.blobs[p.desc.Digest]
		place, err := toc.Find(p.desc.Annotations, b.size)
		if place == nil || err != nil {
			failed[i] = err
			continue
		}
		if c := r.o.opt.Cache; c != nil {
			if d, ok := c.Get(b.digest); ok {
				b.diff = d
				continue
			}
		}
		group.Go(func() error {
			if noRanges.Load() {
				return nil
			}
			t, err := toc.Open(gctx, place, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
				return r.repo.Range(ctx, b.digest, off, n)
			})
			switch {
			case err == nil:
				tables[i] = t
			case errors.Is(err, registry.ErrNoRanges):
				noRanges.Store(true)
			default:
				failed[i] = err
			}
			return gctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return context.Cause(ctx)
	}
	var fetched, all int64
	for i, t := range tables {
		l := &img.Layers[i]
		if failed[i] != nil {
			r.o.warnings = append(r.o.warnings, analyzer.Warning{Layer: i, Text: fmt.Sprintf("not listed by its table of contents, but read: %v", failed[i])})
		}
		if t == nil {
			continue
		}
		l.Unverified = true
		l.Blob.List, l.Blob.Open = t.Diff, t.Open
		fetched, all = fetched+t.Fetched(), all+max(0, l.Blob.Size)
	}
	if all > 0 {
		r.o.opt.Progress.Note(fmt.Sprintf("listed from tables of contents, unverified: %.1f %% of those layers' bytes were fetched", 100*float64(fetched)/float64(all)))
	}
	return nil
}
