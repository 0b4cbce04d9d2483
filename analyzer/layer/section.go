package layer

import (
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
	if b.At == nil || b.Size < 0 || e.Sparse {
		return nil, nil
	}
	enc, err := sniffAt(b)
	if err != nil {
		return nil, err
	}
	if enc != tarPlain {
		return nil, nil
	}
	if e.Size > b.Size-e.Offset {
		return nil, fmt.Errorf("opening content: it ends at byte %d of %d", b.Size-e.Offset, e.Size)
	}
	return io.NewSectionReader(b.At, e.Offset, e.Size), nil
}
