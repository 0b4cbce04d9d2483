package layer

import (
	"context"
	"fmt"
	"io"
)

// Section returns a reader of the content of a file entry at any offset. It
// returns nil where the content can only be streamed: in a compressed layer, in
// a blob that is a stream or has an Open function, and for a sparse file.
func Section(b Blob, e *Entry) (*io.SectionReader, error) {
	if e.Kind != File {
		return nil, fmt.Errorf("opening content: a %s has none", e.Kind)
	}
	b = b.sized()
	if plain, err := b.plain(); err != nil || !plain || e.Sparse {
		return nil, err
	}
	if e.Size > b.Size-e.Offset {
		return nil, fmt.Errorf("opening content: it ends at byte %d of %d", b.Size-e.Offset, e.Size)
	}
	return io.NewSectionReader(b.At, e.Offset, e.Size), nil
}

// Plain returns a reader of the tar in b if that is uncompressed and can be read at
// any offset, and otherwise nil.
func Plain(b Blob) (io.ReaderAt, error) {
	b = b.sized()
	if plain, err := b.plain(); err != nil || !plain {
		return nil, err
	}
	return b.At, nil
}

// plain reports whether the blob is an uncompressed tar that can be read at any
// offset.
func (b Blob) plain() (bool, error) {
	if b.At == nil || b.Size < 0 || b.Open != nil {
		return false, nil
	}
	enc, err := sniffAt(b)
	return err == nil && enc == tarPlain, err
}

// Contents opens the content of several file entries, as Content does for one,
// and calls read with the index of each entry and a reader of its content. The
// entries must be in the order of their offsets, so that a layer that can only
// be streamed is read once. read may stop before the end of the content; if it
// returns an error, Contents returns that.
func Contents(ctx context.Context, b Blob, entries []Entry, read func(i int, r io.Reader) error) error {
	b = b.sized()
	plain, err := b.plain()
	if err != nil || len(entries) == 0 {
		return err
	}
	if plain || b.Open != nil {
		for i := range entries {
			r, err := Content(ctx, b, &entries[i])
			if err != nil {
				return err
			}
			err = read(i, r)
			r.Close()
			if err != nil {
				return err
			}
		}
		return nil
	}
	s, err := b.stream(ctx, nil, nil, nil)
	if err != nil {
		return err
	}
	defer s.close()
	at := &counted{r: s}
	for i := range entries {
		e := &entries[i]
		if _, err := io.CopyN(io.Discard, at, e.Offset-at.n); err != nil {
			if err == io.EOF {
				err = fmt.Errorf("opening content: the layer ends before byte %d", e.Offset)
			}
			return err
		}
		r := io.Reader(&content{r: io.LimitReader(at, e.Size), left: e.Size})
		if e.Sparse {
			var err error
			if r, err = expand(ctx, at, closer(func() {})); err != nil {
				return err
			}
		}
		if err := read(i, r); err != nil {
			return err
		}
	}
	return nil
}

// counted counts the bytes read from a stream.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
