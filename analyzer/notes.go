package analyzer

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sort"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Note is a note of a looker about content.
type Note struct {
	Content filetree.Content
	Data    string
}

// Notes holds what lookers noted about the files of an image.
type Notes struct {
	// By holds the notes of each looker, by its name, sorted by content.
	By map[string][]Note
	// Unread lists the layers that no looker has looked at, because their content is
	// not on this machine: layers of a registry that were listed from a table of
	// contents or from the cache.
	Unread []int
	// Fetched lists the layers of which only the files that lookers with Looker.Fetch
	// want were fetched from the registry. No other looker has looked at them.
	Fetched []int
}

// looked is what was noted while a layer was read.
type looked struct {
	diff  *layer.Diff // without entries
	first int         // the first layer with the same blob
}

// Notes returns what lookers note about the files of all layers, also about removed
// and overwritten ones. Layers that lookers have looked at while Analyze read them
// are not read again. Of other layers it reads only what the lookers want, several
// layers and files at a time. Content that several layers store is noted for each.
// The memory of the notes counts against the limits of the image. progress may be
// nil.
//
// Of layers that were listed without their content, it fetches the files that lookers
// with Looker.Fetch want, within limits for the image.
func (a *Analysis) Notes(ctx context.Context, lookers []layer.Looker, progress *Progress) (*Notes, error) {
	out := &Notes{By: map[string][]Note{}}
	if len(lookers) == 0 {
		return out, nil
	}
	notes := make([][]layer.Note, len(a.Image.Layers))
	var missing, remote []int
	for i, l := range a.Image.Layers {
		switch {
		case a.looked[i].diff.LookedAt(lookers):
			notes[i] = a.looked[i].diff.Notes
		case l.Blob.Open != nil:
			remote = append(remote, i)
		case l.Blob.At == nil:
			out.Unread = append(out.Unread, i)
		case a.looked[i].first == i:
			missing = append(missing, i)
		}
	}
	if err := a.lookAt(ctx, missing, lookers, notes, progress); err != nil {
		return nil, err
	}
	if err := a.fetch(ctx, remote, lookers, out, progress); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, k := range lookers {
		wanted[k.Name] = true
	}
	for i := range notes {
		from, to := a.contents(i)
		for _, n := range notes[a.looked[i].first] {
			c := from + filetree.Content(sort.Search(int(to-from), func(k int) bool {
				return a.Tree.Stored(from+filetree.Content(k)).Offset >= n.Offset
			}))
			if wanted[n.Looker] && c < to && a.Tree.Stored(c).Offset == n.Offset {
				out.By[n.Looker] = append(out.By[n.Looker], Note{c, n.Data})
			}
		}
	}
	for _, n := range out.By {
		slices.SortStableFunc(n, func(x, y Note) int { return cmp.Compare(x.Content, y.Content) })
	}
	return out, nil
}

// contents returns the first content of layer i, and the first after its contents.
func (a *Analysis) contents(i int) (from, to filetree.Content) {
	search := func(i int) filetree.Content {
		return filetree.Content(sort.Search(a.Tree.Contents(), func(c int) bool { return a.Tree.Stored(filetree.Content(c)).Layer >= i }))
	}
	return search(i), search(i + 1)
}

// share is content that one goroutine looks at: consecutive content of one layer.
type share struct {
	layer    int
	at       io.ReaderAt // nil if the layer is compressed
	contents []filetree.Content
	notes    []layer.Note
}

// shareSize is how many files a goroutine takes at a time.
const shareSize = 256

// lookAt looks at the layers in missing and sets their notes.
func (a *Analysis) lookAt(ctx context.Context, missing []int, lookers []layer.Looker, notes [][]layer.Note, progress *Progress) error {
	if len(missing) == 0 {
		return nil
	}
	sizes := layer.Looking{Lookers: lookers}
	var shares []*share
	total := int64(0)
	for _, i := range missing {
		at, err := layer.Plain(a.Image.Layers[i].Blob)
		if err != nil {
			return fmt.Errorf("reading %s: %w", a.Image.layerName(i), err)
		}
		var s *share
		from, to := a.contents(i)
		for c := from; c < to; c++ {
			d := a.Tree.Stored(c)
			if d.Sparse || !sizes.Wants(d.Bytes) {
				continue
			}
			if s == nil || at != nil && len(s.contents) == shareSize {
				s = &share{layer: i, at: at}
				shares = append(shares, s)
			}
			s.contents = append(s.contents, c)
			total += sampled(d)
		}
	}
	task := progress.Start("looking at the content of files", total)
	defer task.Finish()
	// Compressed layers take longest.
	order := slices.Clone(shares)
	slices.SortStableFunc(order, func(x, y *share) int { return len(y.contents) - len(x.contents) })
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan *share, len(order))
	for _, s := range order {
		next <- s
	}
	close(next)
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		work.Go(func() error {
			l := &layer.Looking{Lookers: lookers, Memory: a.Image.Limits.Memory}
			for s := range next {
				if err := a.lookAtShare(ctx, l, s, task); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for _, s := range shares {
		notes[s.layer] = append(notes[s.layer], s.notes...)
	}
	return nil
}

// sampled returns how many bytes of a file a looker gets.
func sampled(s filetree.Stored) int64 { return min(s.Bytes, layer.MaxWhole) }

func (a *Analysis) lookAtShare(ctx context.Context, l *layer.Looking, s *share, task *Task) error {
	take := func(d filetree.Stored, notes []layer.Note, err error) error {
		if err != nil {
			return a.reading(d, err)
		}
		for _, n := range notes {
			n.Offset = d.Offset
			if err := a.Image.Limits.Memory.Take(n.Memory()); err != nil {
				return a.reading(d, err)
			}
			s.notes = append(s.notes, n)
		}
		task.Read.Add(sampled(d))
		return context.Cause(ctx)
	}
	if s.at == nil {
		return a.Each(ctx, s.contents, func(i int, r io.Reader) error {
			d := a.Tree.Stored(s.contents[i])
			notes, err := l.Read(a.lookPath(d), d.Bytes, r)
			return take(d, notes, err)
		})
	}
	for _, c := range s.contents {
		d := a.Tree.Stored(c)
		notes, err := l.At(a.lookPath(d), d.Bytes, io.NewSectionReader(s.at, d.Offset, d.Bytes))
		if err := take(d, notes, err); err != nil {
			return err
		}
	}
	return nil
}
