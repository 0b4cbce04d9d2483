package storage

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"fathom/analyzer/layer"
)

// headerWindow is the size of one read while only headers are wanted: a block of
// the tar, so that the content of files isn't read.
const headerWindow = 512

const (
	maxOpenFiles = 4 // of a layer, which stay open for further reads
	maxCursors   = 2
)

// virtual is the tar of a layer, combined from records and files as it is read.
type virtual struct {
	engine   string
	layer    int
	split    string // the file of records
	files    *folder
	head     [headerWindow]byte // the first bytes of the tar, which are read again and again
	headSize int

	mu      sync.Mutex
	index   *index
	cursors []*cursor  // not in use, the one used last at the end
	open    []openFile // likewise
	closed  bool
}

type openFile struct {
	name string
	content
}

// open opens the tar of a layer. It reads no more than the first record.
func open(engine string, layer int, split, folder string) (*virtual, error) {
	files, err := openFolder(folder)
	if err != nil {
		return nil, err
	}
	v := &virtual{engine: engine, layer: layer, split: split, files: files}
	c, err := v.newCursor()
	if err == nil {
		if err = c.next(); err == nil && !c.rec.file {
			v.headSize, err = c.readAt(v.head[:min(c.end, headerWindow)], 0)
		}
		c.close()
		if err == io.EOF { // there are no records: the tar is empty
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

// fail returns an *Error that names the layer and the file; err itself if it is
// one already.
func (v *virtual) fail(path string, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return &Error{Engine: v.engine, Layer: v.layer, Path: path, Err: err}
}

// ReadAt reads the tar at any offset. It may be called concurrently. With an
// index it opens the file at off at once; all other bytes it finds by reading
// records, from the front unless a cursor is before off.
func (v *virtual) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("reading a layer: the offset is negative")
	}
	if end := off + int64(len(p)); end <= int64(v.headSize) {
		return copy(p, v.head[off:]), nil
	}
	if x := v.getIndex(); x != nil {
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
	v.release(c)
	return n, err
}

// Length returns the length of the tar, or -1 if its records can't be read. It
// reads all records unless list did so before.
func (v *virtual) Length() int64 {
	if x := v.getIndex(); x != nil {
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
	v.setIndex(c.index)
	return c.index.size
}

func (v *virtual) getIndex() *index {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.index
}

func (v *virtual) setIndex(x *index) {
	x.files, x.names = slices.Clip(x.files), slices.Clip(x.names)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.index = x
}

// take returns the cursor that is nearest before off. It is the caller's until
// release.
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

func (v *virtual) release(c *cursor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		c.close()
		return
	}
	if len(v.cursors) == maxCursors {
		v.cursors[0].close()
		v.cursors = slices.Delete(v.cursors, 0, 1)
	}
	v.cursors = append(v.cursors, c)
}

// content reads all of p at off in a file that must have size bytes.
func (v *virtual) content(name string, size int64, p []byte, off int64) error {
	f, err := v.file(name, size)
	if err != nil {
		return v.fail(name, err)
	}
	_, err = f.ReadAt(p, off)
	if err != nil {
		f.close()
		return v.fail(name, unexpected(err))
	}
	if off+int64(len(p)) == size {
		f.close() // most files are read once, to the end
		return nil
	}
	v.keep(name, f)
	return nil
}

// file opens a file, or takes it from those that are open.
func (v *virtual) file(name string, size int64) (content, error) {
	v.mu.Lock()
	if i := slices.IndexFunc(v.open, func(k openFile) bool { return k.name == name }); i >= 0 {
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
	if len(v.open) == maxOpenFiles {
		v.open[0].close()
		v.open = slices.Delete(v.open, 0, 1)
	}
	v.open = append(v.open, openFile{name, f})
}

// list reads the headers of the tar in one pass over the records, and then
// checks every file. It is layer.Blob's List.
func (v *virtual) list(ctx context.Context, opt layer.Options) (*layer.Diff, error) {
	d, err := v.headers(ctx, opt)
	if err == nil {
		err = v.checkFiles(ctx, d)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, v.fail(v.split, err)
	}
	return d, nil
}

// endless stands for the unknown size of a tar, which has an end marker.
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
		pass.progress = func(n int64) { opt.Read.Add(n) }
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
	v.setIndex(c.index)
	pass.report(size)
	if err != nil { // there is no end marker, or the tar is cut: its length is needed
		return layer.Read(ctx, layer.Blob{At: v, Size: size, Window: headerWindow}, plain)
	}
	d.Size = size
	return d, nil
}

// forward reads a tar from front to back with one cursor, and reports progress.
type forward struct {
	c        *cursor
	reported int64
	progress func(int64) // may be nil
}

func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	if off < f.c.start {
		return f.c.v.ReadAt(p, off)
	}
	f.report(off)
	return f.c.readAt(p, off)
}

func (f *forward) report(to int64) {
	if f.progress != nil && to > f.reported {
		f.progress(to - f.reported)
		f.reported = to
	}
}
