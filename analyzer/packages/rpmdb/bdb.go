package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// See dbinc/db_page.h of Berkeley DB: a hash table whose keys are the numbers of
// packages, in the byte order of the machine that wrote it.
const bdbMagic = 0x061561

// The types of pages.
const (
	bdbHashUnsorted = 2
	bdbOverflow     = 7
	bdbHashMeta     = 8
	bdbHash         = 13
	bdbHead         = 26 // bytes before the offsets of a page's items
)

// The types of items in hash pages.
const (
	bdbInline  = 1
	bdbOffPage = 3
)

// bdb is a Berkeley DB hash table.
type bdb struct {
	*pages
	order  binary.ByteOrder
	bucket []byte // the page whose items are read
	value  []byte // of an item in overflow pages
}

// readBDB calls header with each header in the order of the buckets.
func readBDB(f *file, header func([]byte) error) error {
	meta, err := f.bytes(0, 512)
	if err != nil {
		return err
	}
	db := &bdb{order: binary.LittleEndian}
	if binary.BigEndian.Uint32(meta[12:]) == bdbMagic {
		db.order = binary.BigEndian
	}
	version, size := db.order.Uint32(meta[16:]), db.order.Uint32(meta[20:])
	switch encrypted, flags := meta[24], meta[26]; {
	case version < 8 || version > 10:
		return fmt.Errorf("version %d is not supported", version)
	case meta[25] != bdbHashMeta || encrypted != 0 || flags != 0:
		return errors.New("the database is not a plain hash table")
	case size < 512 || size > 64<<10 || size&(size-1) != 0:
		return fmt.Errorf("pages of %d bytes", size)
	}
	last := db.order.Uint32(meta[72:])
	var spares [32]uint32
	for i := range spares {
		spares[i] = db.order.Uint32(meta[96+4*i:])
	}
	db.pages = f.pages(int(size), 0)
	if _, err := db.page(0); err != nil {
		return err
	}
	for b := uint32(0); ; b++ {
		i := bits.Len32(b)
		if i == len(spares) {
			return fmt.Errorf("bucket %d does not exist", b)
		}
		for no, more := b+spares[i], true; more; more = no != 0 {
			if no, err = db.items(no, header); err != nil {
				return err
			}
		}
		if b == last {
			return nil
		}
	}
}

// items calls header with the headers in a page of a bucket, and returns the bucket's
// next page.
func (db *bdb) items(no uint32, header func([]byte) error) (uint32, error) {
	page, err := db.typed(no, bdbHash, bdbHashUnsorted)
	if err != nil {
		return 0, err
	}
	db.bucket = append(db.bucket[:0], page...) // reading overflow pages changes page
	page = db.bucket
	n := int(db.order.Uint16(page[20:]))
	if n%2 != 0 || bdbHead+2*n > len(page) {
		return 0, fmt.Errorf("page %d has %d items", no, n)
	}
	end := len(page) // items are stored from the end of the page
	var key []byte
	for i := range n {
		at := int(db.order.Uint16(page[bdbHead+2*i:]))
		if at >= end || at < bdbHead+2*n {
			return 0, fmt.Errorf("page %d has an item at byte %d", no, at)
		}
		item := page[at:end]
		end = at
		if i%2 == 0 {
			if key = item[1:]; item[0] != bdbInline || len(key) != 4 {
				return 0, fmt.Errorf("page %d has a key that is not the number of a package", no)
			}
			continue
		}
		if bytes.Equal(key, []byte{0, 0, 0, 0}) {
			continue // the highest number
		}
		value := item[1:]
		switch {
		case item[0] == bdbOffPage && len(item) == 12:
			if value, err = db.overflow(db.order.Uint32(item[4:]), db.order.Uint32(item[8:])); err != nil {
				return 0, err
			}
		case item[0] != bdbInline:
			return 0, fmt.Errorf("page %d has an item of type %d", no, item[0])
		}
		if err := header(value); err != nil {
			return 0, err
		}
	}
	return db.order.Uint32(page[16:]), nil
}

// overflow returns a value of size bytes from a chain of pages. It is valid until the
// next call.
func (db *bdb) overflow(no, size uint32) ([]byte, error) {
	db.value = db.value[:0]
	for int64(len(db.value)) < int64(size) {
		page, err := db.typed(no, bdbOverflow, bdbOverflow)
		if err != nil {
			return nil, fmt.Errorf("reading a value of %d bytes: %w", size, err)
		}
		n := int(db.order.Uint16(page[22:]))
		if n > len(page)-bdbHead || int64(len(db.value)+n) > int64(size) {
			return nil, fmt.Errorf("page %d has %d bytes of a value of %d", no, n, size)
		}
		db.value = append(db.value, page[bdbHead:][:n]...)
		no = db.order.Uint32(page[16:])
	}
	return db.value, nil
}

// typed returns a page of type a or b. It is valid until the next call.
func (db *bdb) typed(no uint32, a, b byte) ([]byte, error) {
	page, err := db.page(no)
	if err != nil {
		return nil, err
	}
	if db.order.Uint32(page[8:]) != no || page[25] != a && page[25] != b {
		return nil, fmt.Errorf("page %d has type %d and number %d", no, page[25], db.order.Uint32(page[8:]))
	}
	return page, nil
}
