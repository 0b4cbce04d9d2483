package analyzer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Analysis is a measured image. It is immutable and complete: Analyze fails if it
// can't read a part of the image.
type Analysis struct {
	Image  *Image
	Report *facts.Report
	Tree   *filetree.Tree
	looked []looked // by layer
}

// Options are the options of Analyze. Most callers want the zero value.
type Options struct {
	Verify   bool      // compare every digest and diff ID
	Progress *Progress // a task per layer; may be nil
	// Look looks at the files of layers whose content is read anyway; see
	// Analysis.Notes.
	Look []layer.Looker
}

// Analyze reads every layer of the image and measures it. It reads layers
// concurrently and applies them in their order.
func Analyze(ctx context.Context, img *Image, opt Options) (*Analysis, error) {
	warnings := slices.Clone(img.Warnings)
	checked := make([]string, len(img.Layers))
	looked := make([]looked, len(img.Layers))
	tree := filetree.NewBuilder()
	tree.Memory = img.Limits.Memory

	blobs, err := distinct(img)
	if err != nil {
		return nil, err
	}
	group, gctx := errgroup.WithContext(ctx)
	diffs := readLayers(gctx, group, img, blobs, opt)
	group.Go(func() error {
		again := map[int]*layer.Diff{} // by first layer, the blobs that later layers share
		for i := range img.Layers {
			b := blobs[i]
			d := again[b.first]
			if d == nil {
				select {
				case d = <-diffs[i]:
				case <-gctx.Done():
					return gctx.Err()
				}
				again[b.first] = d
			}
			checked[i] = check(img.Layers[i], d)
			looked[i].first = b.first
			looked[i].diff = &layer.Diff{Looked: d.Looked, Notes: d.Notes}
			apply := tree.Apply
			if i == b.last {
				apply = tree.ApplyLast
			}
			odd, err := apply(d)
			if err != nil {
				return fmt.Errorf("reading %s: %w", img.layerName(i), err)
			}
			warnings = append(warnings, layerWarnings(i, d.Warnings)...)
			warnings = append(warnings, layerWarnings(i, odd)...)
			if i == b.last {
				delete(again, b.first)
				img.Limits.Memory.Give(d.Memory)
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}

	t, err := tree.Build(ctx, func(ctx context.Context, groups []filetree.Group) error {
		return compare(ctx, img, groups)
	})
	var over *layer.QuotaError
	if errors.As(err, &over) {
		return nil, fmt.Errorf("adding up: %w", err) // err names the layer
	}
	if err != nil {
		return nil, err
	}
	if img.Check != nil {
		if err := img.Check(); err != nil {
			return nil, err
		}
	}
	r, err := measure(img, t, warnings, checked)
	if err != nil {
		return nil, err
	}
	return &Analysis{Image: img, Tree: t, Report: r, looked: looked}, nil
}

// check returns what the bytes of the layer were compared with while d was read:
// one of the facts.Checked constants, or "" for an unverified layer.
func check(l Layer, d *layer.Diff) string {
	none := v1.Hash{}
	digest := d.Digest != none && d.Digest == l.Digest
	diffID := d.DiffID != none && d.DiffID == l.DiffID
	switch {
	case l.Unverified:
		return ""
	case digest && diffID, (digest || diffID) && l.Digest == l.DiffID:
		return facts.CheckedBoth
	case digest:
		return facts.CheckedDigest
	case diffID:
		return facts.CheckedDiffID
	}
	return facts.CheckedHeaders
}

// span holds the first and the last of the layers that share a blob.
type span struct{ first, last int }

// distinct returns the span of every layer. Each blob is read only once, for the
// first layer of its span.
func distinct(img *Image) ([]span, error) {
	type known struct {
		key any
		// Digests of different algorithms can't be compared, so the blob is read
		// once for each algorithm.
		digest, diffID string
	}
	spans := make([]span, len(img.Layers))
	first := map[known]int{}
	last := make([]int, len(img.Layers))
	for i, l := range img.Layers {
		spans[i].first = i
		if l.Blob.Key != nil {
			k := known{l.Blob.Key, l.Digest.Algorithm, l.DiffID.Algorithm}
			at, again := first[k]
			if !again {
				first[k], at = i, i
			}
			if other := &img.Layers[at]; other.Digest != l.Digest || other.DiffID != l.DiffID {
				return nil, fmt.Errorf("reading %s: it is the same blob as %s, and has another digest or diff ID", img.layerName(i), img.layerName(at))
			}
			spans[i].first = at
		}
		last[spans[i].first] = i
	}
	for i := range spans {
		spans[i].last = last[spans[i].first]
	}
	return spans, nil
}

// readLayers starts reading the layers, as many at a time as there are processors,
// or img.Parallel if that is more. It sends the entries of each layer on a channel
// of its own. The entries of a blob that several layers share are sent only on the
// channel of the first of them.
func readLayers(ctx context.Context, group *errgroup.Group, img *Image, blobs []span, opt Options) []chan *layer.Diff {
	order := slices.DeleteFunc(readingOrder(img.Layers), func(i int) bool { return blobs[i].first != i })
	// If the layers are read in their order, each waits until the one before is
	// applied, so that only a few are in memory at a time.
	room := 1
	if slices.IsSorted(order) {
		room = 0
	}
	diffs := make([]chan *layer.Diff, len(img.Layers))
	tasks := make([]*Task, len(img.Layers))
	for i, l := range img.Layers {
		diffs[i] = make(chan *layer.Diff, room)
		if blobs[i].first == i {
			tasks[i] = opt.Progress.Start(fmt.Sprintf("layer %d", i), max(l.Blob.Size, 0))
		} else {
			opt.Progress.Start(fmt.Sprintf("layer %d", i), 0).Finish()
		}
	}
	var next atomic.Int64
	for range min(max(runtime.GOMAXPROCS(0), img.Parallel), len(order)) {
		group.Go(func() error {
			for {
				at := int(next.Add(1)) - 1
				if at >= len(order) {
					return nil
				}
				i := order[at]
				l := img.Layers[i]
				d, err := layer.Read(ctx, l.Blob, layer.Options{
					Digest: l.Digest, DiffID: l.DiffID, Verify: opt.Verify, Read: &tasks[i].Read, Look: opt.Look, Limits: img.Limits,
				})
				if err == nil && opt.Verify && l.Verified != nil {
					err = l.Verified(ctx, d)
				}
				if err != nil {
					return fmt.Errorf("reading %s: %w", img.layerName(i), err)
				}
				tasks[i].Finish()
				select {
				case diffs[i] <- d:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
	}
	return diffs
}

// readingOrder returns the order in which to read layers. Compressed layers come
// first, the largest first: decoding takes far longer than anything else, and no
// processor should start on a large layer at the end. The others follow from the
// bottom up, so that their entries can be applied and released soon after they are
// read.
func readingOrder(layers []Layer) []int {
	order := make([]int, len(layers))
	for i := range order {
		order[i] = i
	}
	size := func(i int) int64 {
		if layers[i].Compressed {
			return layers[i].Blob.Size
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size(b), size(a)) })
	return order
}

// layerName returns the name of layer i for errors.
func (img *Image) layerName(i int) string {
	id := img.Layers[i].Digest
	if id.Hex == "" {
		id = img.Layers[i].DiffID
	}
	if len(id.Hex) > 12 {
		return fmt.Sprintf("layer %d (%s:%s…)", i, id.Algorithm, id.Hex[:12])
	}
	return fmt.Sprintf("layer %d", i)
}

func layerWarnings(i int, in []layer.Warning) []facts.Warning {
	out := make([]facts.Warning, 0, len(in))
	for _, w := range in {
		path := w.Path
		if path != "" {
			path = "/" + strings.TrimLeft(path, "/")
		}
		out = append(out, facts.Warning{Layer: i, Path: path, Text: w.Text})
	}
	return out
}

// Open reads content. The reader is valid until the image is closed.
func (a *Analysis) Open(ctx context.Context, c filetree.Content) (io.ReadCloser, error) {
	s := a.Tree.Stored(c)
	r, err := layer.Content(ctx, a.Image.Layers[s.Layer].Blob, entry(s))
	if err != nil {
		return nil, a.reading(s, err)
	}
	return r, nil
}
