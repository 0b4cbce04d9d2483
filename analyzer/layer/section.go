package layer

import (
	"context"
	"fmt"
	"io"
)

// Section is the content of a file entry as something to read at any offset;
// nil where it only streams: in a compressed layer, in one without offsets, and
// for a sparse file.
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

// plain reports whether the blob is an uncompressed tar that can be read anywhere.
func (b Blob) plain() (bool, error) {
	if b.At == nil || b.Size < 0 || b.Open != nil {
		return false, nil
	}
	enc, err := sniffAt(b)
	return err == nil && enc == tarPlain, err
}

// Contents reads the content of several file entries in the order of their
// offsets, as Content does one by one; a layer that only streams is unpacked
// once. read gets the number of the entry, and takes as much as it likes.
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

// counted is a stream that knows where it is.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
