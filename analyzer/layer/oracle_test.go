package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// oracle reads a tar with archive/tar and turns its headers into entries, with
// its own implementation of the rules. It leaves Held, and Offset and Hash of
// sparse files, at zero, because archive/tar does not give them.
func oracle(r io.Reader) ([]Entry, error) {
	c := &counter{r: r}
	t := tar.NewReader(c)
	var es []Entry
	total := int64(0)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return es, nil
		}
		if err != nil {
			return nil, err
		}
		e, ok := oracleEntry(h, c.n)
		if ok && e.Kind == File && !e.Sparse {
			hash := xxh3.New()
			if _, err := io.Copy(hash, t); err != nil {
				return nil, err
			}
			e.Hash, e.Hashed = toHash(hash.Sum128()), true
		}
		if ok {
			if e.Size > MaxContent-total {
				return nil, errors.New("too much content")
			}
			total += e.Size
			es = append(es, e)
		}
	}
}

// counter counts the bytes read, and hides that its reader can seek.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func oracleEntry(h *tar.Header, off int64) (e Entry, ok bool) {
	kinds := map[byte]Kind{'0': File, '7': File, 'S': File, '1': Link, '2': Symlink, '3': Char, '4': Block, '5': Dir, '6': Fifo}
	kind, known := kinds[h.Typeflag]
	if h.Typeflag == 'g' {
		return e, false
	}
	e = Entry{
		ModTime: h.ModTime.Unix(), UID: int64(h.Uid), GID: int64(h.Gid), Mode: uint16(h.Mode & 0o7777),
		Offset: off, Kind: kind,
	}
	p := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	dir, base := path.Split(p)
	if h.Typeflag < '1' || h.Typeflag > '6' {
		e.Size = h.Size
	}
	ignored := func() (Entry, bool) {
		e.Kind, e.Path = Ignored, p
		return e, e.Size > 0
	}
	if hidden, is := strings.CutPrefix(base, ".wh."); is {
		e.Kind = Whiteout
		e.Path = dir + hidden
		switch {
		case base == ".wh..wh..opq":
			e.Kind, e.Path = Opaque, strings.TrimSuffix(dir, "/")
		case strings.HasPrefix(base, ".wh..wh."), hidden == "", hidden == ".", hidden == "..":
			return ignored()
		}
		return e, true
	}
	if !known || p == "" && kind != Dir {
		return e, false
	}
	e.Path = p
	switch kind {
	case File:
		for k := range h.PAXRecords {
			if strings.HasPrefix(k, "GNU.sparse.") {
				e.Sparse = true
			}
		}
		// As in archive/tar, a file with another version is not sparse.
		major, minor := h.PAXRecords["GNU.sparse.major"], h.PAXRecords["GNU.sparse.minor"]
		e.Sparse = h.Typeflag == 'S' || e.Sparse && (major == "1" && minor == "0" ||
			major == "0" && (minor == "0" || minor == "1") || major+minor == "" && h.PAXRecords["GNU.sparse.map"] != "")
	case Char, Block:
		e.Major, e.Minor = h.Devmajor, h.Devminor
	case Symlink:
		e.Link = h.Linkname
	case Link:
		e.Link = strings.TrimPrefix(path.Clean("/"+h.Linkname), "/")
	}
	if e.Sparse {
		e.Offset = 0
	}
	var xs []string
	for k, v := range h.PAXRecords {
		if name, is := strings.CutPrefix(k, "SCHILY.xattr."); is {
			xs = append(xs, name+"\x00="+v) // the NUL makes them sort by name
		}
	}
	slices.Sort(xs)
	for _, x := range xs {
		e.Xattrs += strings.Replace(x, "\x00", "", 1) + "\x00"
	}
	return e, true
}

// walked reads a tar with the walker, at offsets or as a stream. It accepts a tar
// without an end marker. It checks the fields that the oracle leaves at zero, and
// then sets them to zero.
func walked(src *source) ([]Entry, error) {
	w := walker{src: src, stream: src.at == nil, diff: &Diff{}}
	if _, err := w.walk(); err != nil {
		return nil, err
	}
	es := entries(w.diff)
	stored := int64(0)
	for i := range es {
		e := &es[i]
		stored += e.Size
		switch {
		case e.Held < 0 || e.Held > e.Size || e.Kind != File && (e.Size != 0 && e.Kind < Whiteout || e.Sparse || e.Hashed):
			return nil, fmt.Errorf("%s: stored %d of %d", e.Path, e.Held, e.Size)
		case e.Sparse && !e.Hashed || e.Kind == File && w.stream && !e.Hashed:
			return nil, errors.New(e.Path + " is not hashed")
		case e.Kind == File && !e.Sparse && e.Held != e.Size:
			return nil, errors.New(e.Path + " is not stored in full")
		}
		if e.Sparse {
			e.Hash, e.Hashed, e.Offset = Hash{}, false, 0
		}
		e.Held = 0
	}
	if stored != w.diff.Stored {
		return nil, fmt.Errorf("stored %d, want %d", w.diff.Stored, stored)
	}
	return es, nil
}
