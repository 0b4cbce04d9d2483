package analyzer

import (
	"context"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// The limits for what is fetched for lookers from a registry, for an image. A layer that
// would take more stays unread.
const (
	maxFetchedBytes = 64 << 20
	maxFetchedFiles = 512
	fetchesAtOnce   = 8
)

// fetch looks at files of layers that were listed without their content, with the
// lookers that have Fetch, and adds their notes to out. It adds all layers to out.Fetched or
// out.Unread, unless every looker has looked at them.
func (a *Analysis) fetch(ctx context.Context, layers []int, lookers []layer.Looker, out *Notes, progress *Progress) error {
	worth := slices.DeleteFunc(slices.Clone(lookers), func(k layer.Looker) bool { return k.Fetch == 0 })
	looking := layer.Looking{Lookers: worth}
	var all []filetree.Content
	bytes := int64(0)
	fetched := map[int]bool{}
	for _, i := range layers {
		if a.looked[i].first == i && len(worth) > 0 {
			contents, size, ok := a.worthFetching(i, &looking)
			if fetched[i] = ok && len(all)+len(contents) <= maxFetchedFiles && bytes+size <= maxFetchedBytes; fetched[i] {
				all = append(all, contents...)
				bytes += size
			}
		}
		switch {
		case !fetched[a.looked[i].first]:
			out.Unread = append(out.Unread, i)
		case len(worth) < len(lookers):
			out.Fetched = append(out.Fetched, i)
		}
	}
	slices.Sort(out.Unread)
	if len(all) == 0 {
		return nil
	}
	task := progress.Start("fetching files", bytes)
	defer task.Finish()
	found := make([][]layer.Note, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetchesAtOnce)
	for k, c := range all {
		group.Go(func() error {
			s := a.Tree.Stored(c)
			r, err := a.Open(ctx, c)
			if err != nil {
				return err
			}
			defer r.Close()
			l := layer.Looking{Lookers: worth, Memory: a.Image.Limits.Memory}
			if found[k], err = l.Read(a.lookPath(s), s.Bytes, io.TeeReader(r, &counting{task})); err != nil {
				return a.reading(s, err)
			}
			for i := range found[k] {
				if err := a.Image.Limits.Memory.Take(found[k][i].Memory()); err != nil {
					return a.reading(s, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, i := range layers {
		from, to := a.contents(i)
		first, _ := a.contents(a.looked[i].first)
		for k, c := range all {
			if same := from + c - first; a.Tree.Stored(c).Layer == a.looked[i].first && same < to {
				for _, n := range found[k] {
					out.By[n.Looker] = append(out.By[n.Looker], Note{same, n.Data})
				}
			}
		}
	}
	return nil
}

// worthFetching returns the content of layer i that lookers want, and its size. It
// reports false if some of it is not worth fetching.
func (a *Analysis) worthFetching(i int, looking *layer.Looking) (contents []filetree.Content, size int64, ok bool) {
	from, to := a.contents(i)
	for c := from; c < to; c++ {
		s := a.Tree.Stored(c)
		if s.Sparse || !looking.Wants(s.Bytes) || !looking.WantsPath(a.lookPath(s), s.Bytes) {
			continue
		}
		if !looking.Fetches(a.lookPath(s), s.Bytes) {
			return nil, 0, false
		}
		contents = append(contents, c)
		size += s.Bytes
	}
	return contents, size, true
}

// lookPath returns the path of content for lookers.
func (a *Analysis) lookPath(s filetree.Stored) string {
	return strings.TrimPrefix(a.Tree.Path(s.Node), "/")
}

// counting counts bytes for a task.
type counting struct{ task *Task }

func (c *counting) Write(p []byte) (int, error) {
	c.task.Read.Add(int64(len(p)))
	return len(p), nil
}
