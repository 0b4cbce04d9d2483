package storage

import (
	"context"
	"fmt"
	"path"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer/layer"
)

const (
	// atOnce is how many goroutines look at the files of a layer: on a disk
	// that has to be asked, waiting is most of it.
	atOnce  = 8
	perTurn = 512 // entries that each takes at a time: neighbours share folders

	// Times that not every filesystem can keep are not compared.
	minTime = 0
	maxTime = 1<<31 - 1
)

// present looks whether every file of the layer is in its folder, with its size
// and the time of its last change.
func (v *virtual) present(ctx context.Context, d *layer.Diff) error {
	var next atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	for range min(atOnce, d.Len()/perTurn+1) {
		work.Go(func() error {
			l := looker{v: v}
			defer l.leave()
			for {
				from := int(next.Add(perTurn)) - perTurn
				if from >= d.Len() {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				for i := from; i < min(from+perTurn, d.Len()); i++ {
					e := d.At(i)
					if e.Kind != layer.File {
						continue
					}
					if err := l.look(e); err != nil {
						return v.hole(e.Path, err)
					}
				}
			}
		})
	}
	return work.Wait()
}

// Present looks whether the files of d, which this layer was found to hold
// before, all are in the storage. Blob.List does so itself.
func (l *Layer) Present(ctx context.Context, d *layer.Diff) error { return l.tar.present(ctx, d) }

// looker looks at files of a layer, with the folder of the last one open.
type looker struct {
	v    *virtual
	name string
	dir  directory
	open bool
}

func (l *looker) look(e *layer.Entry) error {
	if dir := path.Dir(e.Path); !l.open || dir != l.name {
		l.leave()
		d, err := l.v.files.directory(dir)
		if err != nil {
			return err
		}
		l.dir, l.name, l.open = d, dir, true
	}
	is, err := l.dir.stat(path.Base(e.Path))
	switch {
	case err != nil:
		return err
	case !is.regular:
		return errOther
	case is.size != e.Size:
		return changed(is.size, e.Size)
	case is.mtime != e.ModTime && e.ModTime >= minTime && e.ModTime <= maxTime:
		return fmt.Errorf("it was changed: its time is %d, not %d", is.mtime, e.ModTime)
	}
	return nil
}

func (l *looker) leave() {
	if l.open {
		l.dir.close()
		l.open = false
	}
}

func changed(is, was int64) error {
	return fmt.Errorf("it was changed: it has %d bytes, not %d", is, was)
}
