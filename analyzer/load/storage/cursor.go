package storage

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
)

// maxNames is how many bytes all names of a layer's files may have.
const maxNames = 1 << 30

// index holds where in a tar the content of each file is. Of a name it keeps
// what differs from the name before, and every 16th name in full.
type index struct {
	files []file // in the order of the tar, none empty
	names []byte
	size  int64 // of the tar

	last []byte // the name that was added last
}

// file is the content of a file in the tar.
type file struct {
	off, size int64
	name      uint32 // where its name ends in names; it starts where the one before ends
	shared    uint16 // how many bytes of the name before it starts with
}

const inFull = 16 // one name in so many is kept in full

func (x *index) add(off int64, r *record) error {
	shared := 0
	if len(x.files)%inFull > 0 {
		for shared < min(len(r.name), len(x.last), 1<<16-1) && r.name[shared] == x.last[shared] {
			shared++
		}
	}
	x.last = append(x.last[:shared], r.name[shared:]...)
	if len(x.names)+len(r.name)-shared > maxNames {
		return fmt.Errorf("more than %d bytes of names", maxNames)
	}
	x.names = append(x.names, r.name[shared:]...)
	x.files = append(x.files, file{off, r.size, uint32(len(x.names)), uint16(shared)})
	return nil
}

// name appends the name of a file to buf.
func (x *index) name(buf []byte, i int) []byte {
	from := uint32(0)
	first := i - i%inFull
	if first > 0 {
		from = x.files[first-1].name
	}
	before := len(buf)
	for _, f := range x.files[first : i+1] {
		buf = append(buf[:before+int(f.shared)], x.names[from:f.name]...)
		from = f.name
	}
	return buf
}

// find returns the file whose content holds the byte at off, or -1.
func (x *index) find(off int64) int {
	i := sort.Search(len(x.files), func(i int) bool { return x.files[i].off > off }) - 1
	if i >= 0 && off < x.files[i].off+x.files[i].size {
		return i
	}
	return -1
}

// cursor reads a layer's tar from front to back, record by record. It holds one
// record in memory.
type cursor struct {
	v    *virtual
	in   *os.File
	recs *records

	rec        record
	start, end int64 // of the record's bytes in the tar
	raw        []byte
	decoded    bool   // raw holds the record's bytes
	index      *index // to which every file is added; may be nil
	ended      bool   // there are no more records
}

func (v *virtual) newCursor() (*cursor, error) {
	f, err := openRegular(v.split)
	if err != nil {
		return nil, v.fail(v.split, err)
	}
	recs, err := newRecords(f)
	if err != nil {
		f.Close()
		return nil, v.fail(v.split, err)
	}
	return &cursor{v: v, in: f, recs: recs}, nil
}

func (c *cursor) close() {
	c.recs.close()
	c.in.Close()
}

// next goes to the next record. At the end it returns io.EOF.
func (c *cursor) next() error {
	err := c.recs.next(&c.rec)
	if err == nil && c.rec.size > math.MaxInt64/2-c.end {
		err = errors.New("the sizes of all files add up to too much")
	}
	if err == nil && c.rec.file && c.rec.size > 0 && c.index != nil {
		err = c.index.add(c.end, &c.rec)
	}
	c.start, c.decoded = c.end, false
	switch {
	case err == io.EOF:
		c.ended, c.rec = true, record{}
		return err
	case err != nil:
		return c.v.fail(c.v.split, err)
	}
	c.end += c.rec.size
	return nil
}

// readAt reads at off, which must not be before the current record.
func (c *cursor) readAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		for at >= c.end {
			if c.ended {
				return n, io.EOF
			}
			if err := c.next(); err != nil {
				return n, err
			}
		}
		some := p[n:min(int64(len(p)), int64(n)+c.end-at)]
		if c.rec.file {
			if err := c.v.content(string(c.rec.name), c.rec.size, some, at-c.start); err != nil {
				return n, err
			}
		} else {
			if !c.decoded {
				if c.raw, err = c.rec.raw(c.raw[:0]); err != nil {
					return n, c.v.fail(c.v.split, err)
				}
				c.decoded = true
			}
			copy(some, c.raw[at-c.start:])
		}
		n += len(some)
	}
	return n, nil
}

// drain goes to the end and returns the length of the tar.
func (c *cursor) drain() (int64, error) {
	for !c.ended {
		if err := c.next(); err != nil && err != io.EOF {
			return 0, err
		}
	}
	return c.end, nil
}
