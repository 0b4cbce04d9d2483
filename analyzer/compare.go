package analyzer

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// batch is the number of groups that a worker takes at a time. Groups that are
// close in the tree are mostly close on disk.
const batch = 64

// compare finds out which pieces of each group have the same bytes. If a group has
// only two pieces and neither is hashed, compare reads both until they differ.
// Otherwise it hashes each piece that has no usable hash yet, and compares hashes.
func compare(ctx context.Context, img *Image, groups []filetree.Group) error {
	var next atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() error {
			for {
				from := int(next.Add(batch)) - batch
				if from >= len(groups) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return context.Cause(ctx)
				}
				for _, g := range groups[from:min(from+batch, len(groups))] {
					if err := compareGroup(ctx, img, g); err != nil {
						return err
					}
				}
			}
		})
	}
	return work.Wait()
}

func compareGroup(ctx context.Context, img *Image, g filetree.Group) error {
	if len(g) == 2 && !g[0].Hashed && !g[1].Hashed {
		a, b := img.Layers[g[0].Layer].Blob, img.Layers[g[1].Layer].Blob
		same, err := layer.Equal(ctx, a, g[0].Offset, b, g[1].Offset, g[0].Bytes)
		if err != nil {
			return fmt.Errorf("comparing content of %s and %s: %w", img.layerName(g[0].Layer), img.layerName(g[1].Layer), err)
		}
		if same {
			g[1].Same = 0
		}
		return nil
	}
	fromTable := !slices.ContainsFunc(g, func(p filetree.Piece) bool { return !p.FromTable })
	first := make(map[layer.Hash]int, len(g))
	for i := range g {
		p := &g[i]
		if !p.Hashed || p.FromTable && !fromTable {
			h, err := sum(ctx, img.Layers[p.Layer].Blob, p)
			if err != nil {
				return fmt.Errorf("reading %s: %w", img.layerName(p.Layer), err)
			}
			p.Hash, p.Hashed = h, true
		}
		if at, ok := first[p.Hash]; ok {
			p.Same = at
		} else {
			first[p.Hash] = i
		}
	}
	return nil
}

// sum returns the hash of a piece: the hash that layer.Read computes of content,
// not the hash in a table of contents.
func sum(ctx context.Context, b layer.Blob, p *filetree.Piece) (layer.Hash, error) {
	if !p.FromTable {
		return layer.Sum(ctx, b, p.Offset, p.Bytes)
	}
	r, err := layer.Content(ctx, b, &layer.Entry{Kind: layer.File, Size: p.Bytes, Held: p.Bytes, Offset: p.Offset})
	if err != nil {
		return layer.Hash{}, err
	}
	defer r.Close()
	return layer.HashOf(ctx, r)
}
