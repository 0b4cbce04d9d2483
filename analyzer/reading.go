package analyzer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// maxReading is the most bytes of a file that a Reading unpacks.
const maxReading = 16 << 30

// Reading is the content of a file, which can be read at any offset. If the layer
// is an uncompressed tar with random access, and the file is not sparse, all
// content is available from the start. Otherwise Fill makes it available, from the
// first byte on, by unpacking it into a temporary file that has no name. A Reading
// is safe for concurrent use.
type Reading struct {
	a       *Analysis
	content filetree.Content
	size    int64
	limit   int64
	section *io.SectionReader // nil if the content must be unpacked

	arrived atomic.Int64
	open    context.Context // canceled by Close
	stop    context.CancelFunc
	filling sync.Mutex // guards src, file and taken
	src     io.ReadCloser
	file    *os.File
	taken   int64                   // bytes taken from Limits.Temp
	shared  atomic.Pointer[os.File] // file, for ReadAt
}

// Reading opens content for reading at any offset. The caller must close the
// Reading. It is valid until the image is closed.
func (a *Analysis) Reading(c filetree.Content) (*Reading, error) {
	s := a.Tree.Stored(c)
	r := &Reading{a: a, content: c, size: s.Bytes, limit: min(s.Bytes, maxReading)}
	r.open, r.stop = context.WithCancel(context.Background())
	var err error
	r.section, err = layer.Section(a.Image.Layers[s.Layer].Blob, entry(s))
	if err != nil {
		return nil, a.reading(s, err)
	}
	if r.section != nil {
		r.arrived.Store(s.Bytes)
	}
	return r, nil
}

// Size returns the size of the content.
func (r *Reading) Size() int64 { return r.size }

// Arrived returns how many bytes can be read now, from the first on.
func (r *Reading) Arrived() int64 { return r.arrived.Load() }

// ReadAt implements io.ReaderAt for the bytes that have arrived. It returns io.EOF
// at their end.
func (r *Reading) ReadAt(p []byte, off int64) (int, error) {
	if r.section != nil {
		return r.section.ReadAt(p, off)
	}
	arrived := r.arrived.Load()
	if off >= arrived {
		return 0, io.EOF
	}
	short := int64(len(p)) > arrived-off
	if short {
		p = p[:arrived-off]
	}
	n, err := r.shared.Load().ReadAt(p, off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// Fill unpacks up to n more bytes and reports whether there are more. The first
// call must also unpack everything that precedes the file in its layer.
func (r *Reading) Fill(ctx context.Context, n int64) (more bool, err error) {
	if r.section != nil {
		return false, nil
	}
	r.filling.Lock()
	defer r.filling.Unlock()
	if err := r.open.Err(); err != nil {
		return false, err
	}
	if r.src == nil {
		// src outlives this call, so it is opened with r.open. While this call runs,
		// ctx cancels r.open too.
		defer context.AfterFunc(ctx, r.stop)()
		if r.file, err = TempFile(r.a.Image.Temp); err != nil {
			return false, err
		}
		r.shared.Store(r.file)
		if r.src, err = r.a.Open(r.open, r.content); err != nil {
			return false, err
		}
	}
	buf := make([]byte, 256<<10)
	for end := min(r.arrived.Load()+n, r.limit); ; {
		at := r.arrived.Load()
		if at >= end {
			break
		}
		if err := errors.Join(ctx.Err(), r.open.Err()); err != nil {
			return false, err
		}
		got, err := io.ReadFull(r.src, buf[:min(int64(len(buf)), end-at)])
		if err := r.put(buf[:got], at); err != nil {
			return false, err
		}
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = fmt.Errorf("it ends after %d of %d bytes", at+int64(got), r.size)
			}
			return false, r.a.reading(r.a.Tree.Stored(r.content), err)
		}
	}
	switch at := r.arrived.Load(); {
	case at < r.limit:
		return true, nil
	case at < r.size:
		return false, fmt.Errorf("only the first %d bytes are unpacked", at)
	}
	return false, nil
}

// put writes p at offset at of the temporary file. If p is all zeros, it leaves a
// hole.
func (r *Reading) put(p []byte, at int64) error {
	var err error
	if len(p) == 0 {
		return nil
	}
	if len(bytes.TrimLeft(p, "\x00")) > 0 {
		if err := r.a.Image.Limits.Temp.Take(int64(len(p))); err != nil {
			return r.a.reading(r.a.Tree.Stored(r.content), err)
		}
		r.taken += int64(len(p))
		_, err = r.file.WriteAt(p, at)
	} else {
		err = r.file.Truncate(at + int64(len(p)))
	}
	if err != nil {
		return fmt.Errorf("writing a temporary file: %w", WithoutPath(err))
	}
	r.arrived.Store(at + int64(len(p)))
	return nil
}

// Close stops a running Fill and closes the temporary file, which frees its space.
func (r *Reading) Close() {
	r.stop()
	r.filling.Lock()
	defer r.filling.Unlock()
	if r.src != nil {
		r.src.Close()
		r.src = nil
	}
	if r.file != nil {
		r.file.Close()
		r.a.Image.Limits.Temp.Give(r.taken)
		r.taken = 0
	}
}

// entry returns the entry that package layer needs to find stored content.
func entry(s filetree.Stored) *layer.Entry {
	return &layer.Entry{Kind: layer.File, Size: s.Bytes, Held: s.Held, Offset: s.Offset, Sparse: s.Sparse}
}

// reading adds the path and the layer of content that could not be read to err.
func (a *Analysis) reading(s filetree.Stored, err error) error {
	return fmt.Errorf("reading %s of %s: %w", a.Tree.Path(s.Node), a.Image.layerName(s.Layer), err)
}

// Each reads several contents, which must be sorted, so that it needs to unpack
// each layer only once. It calls read with the index of each content and a reader,
// which read need not read to the end. Each returns the errors of read unchanged.
func (a *Analysis) Each(ctx context.Context, contents []filetree.Content, read func(i int, r io.Reader) error) error {
	for from := 0; from < len(contents); {
		first := a.Tree.Stored(contents[from])
		var entries []layer.Entry
		to := from
		for ; to < len(contents); to++ {
			s := a.Tree.Stored(contents[to])
			if s.Layer != first.Layer {
				break
			}
			entries = append(entries, *entry(s))
		}
		var own error
		at := 0
		err := layer.Contents(ctx, a.Image.Layers[first.Layer].Blob, entries, func(i int, r io.Reader) error {
			at = i
			own = read(from+i, r)
			return own
		})
		switch {
		case own != nil:
			return own
		case err != nil:
			return a.reading(a.Tree.Stored(contents[from+at]), err)
		}
		from = to
	}
	return nil
}
