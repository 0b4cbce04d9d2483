package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
	"fathom/analyzer/load/registry"
	"fathom/analyzer/load/toc"
)

// tables lists the layers that are not in the cache and have a table of contents
// from that table. If a table can't be used, its layer is downloaded, with a warning
// unless the registry does not support range requests.
func (r *remote) tables(ctx context.Context, img *analyzer.Image, pieces []blobRef) error {
	if !r.o.opt.TOC && !r.o.opt.Verify {
		return nil
	}
	tables := make([]*toc.Table, len(pieces))
	failed := make([]error, len(pieces))
	var noRanges atomic.Bool
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(remoteLayers)
	first := map[*remoteBlob]int{}
	for i, p := range pieces {
		b := r.blobs[p.desc.Digest]
		if _, again := first[b]; again {
			continue
		}
		first[b] = i
		place, err := toc.Find(p.desc.Annotations, b.size)
		if place == nil || err != nil {
			failed[i] = err
			continue
		}
		if c := r.o.opt.Cache; c != nil && !r.o.opt.Verify {
			if d, ok := c.Get(b.digest); ok {
				if err := d.Take(r.o.limits.Memory); err != nil {
					return fmt.Errorf("layer %d (%s): %w", i, p.title(), err)
				}
				b.diff = d
				continue
			}
		}
		place.Limits = r.o.limits
		group.Go(func() error {
			if noRanges.Load() {
				return nil
			}
			t, err := toc.Open(gctx, place, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
				return r.repo.Range(ctx, b.digest, off, n)
			})
			var remote *registry.Error
			switch {
			case err == nil:
				tables[i] = t
			case errors.Is(err, registry.ErrNoRanges):
				noRanges.Store(true)
			default:
				failed[i] = err
				if errors.As(err, &remote) && remote.Kind == registry.Stalled {
					noRanges.Store(true) // the other tables would fail in the same way
				}
			}
			return gctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return context.Cause(ctx)
	}
	for i, p := range pieces {
		tables[i] = tables[first[r.blobs[p.desc.Digest]]]
	}
	if r.o.opt.Verify {
		r.verify(img, pieces, tables)
	}
	var fetched, all int64
	for i, t := range tables {
		l := &img.Layers[i]
		if failed[i] != nil {
			r.o.warnings = append(r.o.warnings, facts.Warning{Layer: i, Text: fmt.Sprintf("its table of contents is not used: %v", failed[i])})
		}
		if t == nil || r.o.opt.Verify {
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

// verify sets the Verified hook of every layer. When the layer's digests have been
// compared, the hook stores it in the cache and compares it with its table of
// contents.
func (r *remote) verify(img *analyzer.Image, pieces []blobRef, tables []*toc.Table) {
	for i, p := range pieces {
		b := r.blobs[p.desc.Digest]
		img.Layers[i].Verified = func(ctx context.Context, d *layer.Diff) error {
			if c := r.o.opt.Cache; c != nil && parseDigest(b.digest.String()).checkable() {
				_ = c.Put(b.digest, d) // after an error it is downloaded again next time
			}
			if tables[i] == nil {
				return nil
			}
			table, err := tables[i].Diff(ctx, layer.Options{Limits: r.o.limits})
			if err != nil {
				return fmt.Errorf("its table of contents: %w", err)
			}
			defer r.o.limits.Memory.Give(table.Memory)
			return agree(table, d)
		}
	}
}

// agree returns an error at the first difference between a table of contents and
// its layer. It does not compare what a table leaves out or rounds.
func agree(table, holds *layer.Diff) error {
	for i := range max(table.Len(), holds.Len()) {
		switch {
		case i >= table.Len():
			return fmt.Errorf("its table of contents lacks /%s, which it holds", holds.At(i).Path)
		case i >= holds.Len():
			return fmt.Errorf("its table of contents has /%s, which it doesn't hold", table.At(i).Path)
		}
		a, b := *table.At(i), *holds.At(i)
		if d := a.ModTime - b.ModTime; d < -1 || d > 1 {
			return fmt.Errorf("its table of contents tells another time of /%s", b.Path)
		}
		for _, e := range []*layer.Entry{&a, &b} {
			e.ModTime, e.Offset, e.Hash, e.Hashed, e.FromTable = 0, 0, layer.Hash{}, false, false
		}
		if a != b {
			return fmt.Errorf("its table of contents tells something else of /%s than it holds", b.Path)
		}
	}
	return nil
}
