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
	// checkers is how many goroutines check the files of a layer: most of the
	// time goes into waiting for the disk.
	checkers = 8
	batch    = 512 // entries per turn: neighbours share folders

	// Not every file system can store times outside of these; they are not compared.
	minTime = 0
	maxTime = 1<<31 - 1
)

// checkFiles compares the files of the layer's folder with d: each must be
// there, with its size and modification time.
func (v *virtual) checkFiles(ctx context.Context, d *layer.Diff) error {
	var next atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	for range min(checkers, d.Len()/batch+1) {
		work.Go(func() error {
			c := checker{v: v}
			defer c.leave()
			for {
				from := int(next.Add(batch)) - batch
				if from >= d.Len() {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				for i := from; i < min(from+batch, d.Len()); i++ {
					e := d.At(i)
					if e.Kind != layer.File {
						continue
					}
					if err := c.check(e); err != nil {
						return v.fail(e.Path, err)
					}
				}
			}
		})
	}
	return work.Wait()
}

// checker compares files of a layer with their entries. It keeps the folder of
// the last one open.
type checker struct {
	v    *virtual
	name string
	dir  directory
	open bool
}

func (c *checker) check(e *layer.Entry) error {
	if dir := path.Dir(e.Path); !c.open || dir != c.name {
		c.leave()
		d, err := c.v.files.directory(dir)
		if err != nil {
			return err
		}
		c.dir, c.name, c.open = d, dir, true
	}
	is, err := c.dir.stat(path.Base(e.Path))
	switch {
	case err != nil:
		return err
	case !is.regular:
		return errNotRegular
	case is.size != e.Size:
		return changed(is.size, e.Size)
	case is.mtime != e.ModTime && e.ModTime >= minTime && e.ModTime <= maxTime:
		return fmt.Errorf("it was changed: its modification time is %d, not %d", is.mtime, e.ModTime)
	}
	return nil
}

func (c *checker) leave() {
	if c.open {
		c.dir.close()
		c.open = false
	}
}

func changed(is, was int64) error {
	return fmt.Errorf("it was changed: it has %d bytes, not %d", is, was)
}
