package storage

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"fathom/analyzer/layer"
)

// headerWindow is how much is read at a time where only headers are wanted: a
// block, so that the content of files isn't touched.
const headerWindow = 512

const (
	keepFiles   = 4 // open files of a layer that more may be read of
	keepCursors = 2
)

// virtual is the tar of a layer, put together as it is read.
type virtual struct {
	layer int
	split string // the file of records
	files *folder
	head  [headerWindow]byte // of the tar, which is asked for its form again and again
	heads int                // how much of it there is

	mu      sync.Mutex
	index   *index
	cursors []*cursor // not in use, the one used last at the end
	open    []kept    // likewise
	closed  bool
}

// kept is an open file.
type kept struct {
	name string
	content
}

// open opens the tar of a layer, of whose records only the first are read.
func open(layer int, split, folder string) (*virtual, error) {
	files, err := openFolder(folder)
	if err != nil {
		return nil, err
	}
	v := &virtual{layer: layer, split: split, files: files}
	c, err := v.newCursor()
	if err == nil {
		if err = c.next(); err == nil && !c.rec.file {
			v.heads, err = c.readAt(v.head[:min(c.end, headerWindow)], 0)
		}
		c.close()
		if err == io.EOF { // no records, no bytes
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

func (v *virtual) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.cursors {
		c.close()
	}
	for _, k := range v.open {
		k.close()
	}
	v.cursors, v.open, v.closed = nil, nil, true
	return v.files.close()
}

// hole wraps an error into one that names the layer and the file, once.
func (v *virtual) hole(path string, err error) error {
	if h := (*HoleError)(nil); errors.As(err, &h) {
		return err
	}
	return &HoleError{Layer: v.layer, Path: path, Err: err}
}

// ReadAt reads the tar at any offset, concurrently. Content of files comes at
// once; the bytes between have to be looked for from the front of the records
// when they are not ahead of what was last read.
func (v *virtual) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("reading a layer: the offset is negative")
	}
	if end := off + int64(len(p)); end <= int64(v.heads) {
		return copy(p, v.head[off:]), nil
	}
	if x := v.known(); x != nil {
		if i := x.find(off); i >= 0 && off+int64(len(p)) <= x.files[i].off+x.files[i].size {
			if err := v.content(string(x.name(nil, i)), x.files[i].size, p, off-x.files[i].off); err != nil {
				return 0, err
			}
			return len(p), nil
		}
	}
	c, err := v.take(off)
	if err != nil {
		return 0, err
	}
	n, err := c.readAt(p, off)
	if err != nil && err != io.EOF {
		c.close()
		return n, err
	}
	v.give(c)
	return n, err
}

// Length is that of the tar, or -1 when its records can't be read. It is
// known once the entries were listed, and counted otherwise.
func (v *virtual) Length() int64 {
	if x := v.known(); x != nil {
		return x.size
	}
	c, err := v.newCursor()
	if err != nil {
		return -1
	}
	defer c.close()
	c.index = new(index)
	if c.index.size, err = c.drain(); err != nil {
		return -1
	}
	v.learn(c.index)
	return c.index.size
}

func (v *virtual) known() *index {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.index
}

func (v *virtual) learn(x *index) {
	x.files, x.names = slices.Clip(x.files), slices.Clip(x.names)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.index = x
}

// take gives the cursor that is nearest before off, for the caller alone.
func (v *virtual) take(off int64) (*cursor, error) {
	v.mu.Lock()
	best := -1
	for i, c := range v.cursors {
		if c.start <= off && (best < 0 || c.start > v.cursors[best].start) {
			best = i
		}
	}
	if best >= 0 {
		c := v.cursors[best]
		v.cursors = slices.Delete(v.cursors, best, best+1)
		v.mu.Unlock()
		return c, nil
	}
	v.mu.Unlock()
	return v.newCursor()
}

func (v *virtual) give(c *cursor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		c.close()
		return
	}
	if len(v.cursors) == keepCursors {
		v.cursors[0].close()
		v.cursors = slices.Delete(v.cursors, 0, 1)
	}
	v.cursors = append(v.cursors, c)
}

// content reads all of p at off in a file that must have size bytes.
func (v *virtual) content(name string, size int64, p []byte, off int64) error {
	f, err := v.file(name, size)
	if err != nil {
		return v.hole(name, err)
	}
	_, err = f.ReadAt(p, off)
	if err != nil {
		f.close()
		return v.hole(name, whole(err))
	}
	if off+int64(len(p)) == size {
		f.close() // mostly this was all of it, or the last
		return nil
	}
	v.keep(name, f)
	return nil
}

// file opens a file, or takes the one that is open.
func (v *virtual) file(name string, size int64) (content, error) {
	v.mu.Lock()
	if i := slices.IndexFunc(v.open, func(k kept) bool { return k.name == name }); i >= 0 {
		f := v.open[i].content
		v.open = slices.Delete(v.open, i, i+1)
		v.mu.Unlock()
		return f, nil
	}
	v.mu.Unlock()
	f, is, err := v.files.open(name)
	if err != nil {
		return f, err
	}
	if is.size != size {
		f.close()
		return f, changed(is.size, size)
	}
	return f, nil
}

func (v *virtual) keep(name string, f content) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		f.close()
		return
	}
	if len(v.open) == keepFiles {
		v.open[0].close()
		v.open = slices.Delete(v.open, 0, 1)
	}
	v.open = append(v.open, kept{name, f})
}

// list reads the headers of the tar in one pass over the records, and looks at
// every file. It is layer.Blob's List.
func (v *virtual) list(ctx context.Context, opt layer.Options) (*layer.Diff, error) {
	d, err := v.headers(ctx, opt)
	if err == nil {
		err = v.present(ctx, d)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, v.hole(v.split, err)
	}
	return d, nil
}

// endless is the size of a tar that is not known. Its end marker ends it.
const endless = 1 << 61

func (v *virtual) headers(ctx context.Context, opt layer.Options) (*layer.Diff, error) {
	c, err := v.newCursor()
	if err != nil {
		return nil, err
	}
	defer c.close()
	c.index = new(index)
	pass := &forward{c: c}
	plain := opt
	plain.Read = nil
	if opt.Read != nil {
		pass.seen = func(n int64) { opt.Read.Add(n) }
	}
	d, err := layer.Read(ctx, layer.Blob{At: pass, Size: endless, Window: headerWindow}, plain)
	if err != nil && !c.ended {
		return nil, err
	}
	size, drained := c.drain()
	if drained != nil {
		return nil, drained
	}
	c.index.size = size
	v.learn(c.index)
	pass.tell(size)
	if err != nil { // a tar without an end marker, or one that is cut: it needs its length
		return layer.Read(ctx, layer.Blob{At: v, Size: size, Window: headerWindow}, plain)
	}
	d.Size = size
	return d, nil
}

// forward reads a tar whose reader never goes back.
type forward struct {
	c    *cursor
	told int64
	seen func(int64) // may be nil
}

func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	if off < f.c.start {
		return f.c.v.ReadAt(p, off)
	}
	f.tell(off)
	return f.c.readAt(p, off)
}

func (f *forward) tell(to int64) {
	if f.seen != nil && to > f.told {
		f.seen(to - f.told)
		f.told = to
	}
}
