package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// See https://www.sqlite.org/fileformat2.html.
const sqliteMagic = "SQLite format 3\x00"

// The types of b-tree pages of a table.
const (
	sqliteInterior = 5
	sqliteLeaf     = 13
)

// sqlite is a SQLite database.
type sqlite struct {
	*pages
	usable  int    // bytes of a page
	leaf    []byte // the page whose rows are read
	payload []byte // of the row
}

// readSQLite calls header with each header in the table Packages, whose columns are
// the number of the package and the header.
func readSQLite(f *file, header func([]byte) error) error {
	head, err := f.bytes(0, 100)
	if err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = 64 << 10
	}
	db := &sqlite{usable: size - int(head[20])}
	if size < 512 || size&(size-1) != 0 || db.usable < 480 {
		return fmt.Errorf("pages of %d bytes, %d of them usable", size, db.usable)
	}
	db.pages = f.pages(size, 1)
	root := int64(-1)
	err = db.rows(1, func(row []byte) error {
		_, kind, err := sqliteColumn(row, 0)
		if err != nil {
			return err
		}
		_, name, err := sqliteColumn(row, 1)
		if err != nil || string(kind) != "table" || string(name) != "Packages" {
			return err
		}
		_, number, err := sqliteColumn(row, 3)
		if len(number) > 4 {
			return fmt.Errorf("a page number of %d bytes", len(number))
		}
		root = 0
		for _, b := range number {
			root = root<<8 | int64(b)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	if root < 0 {
		return errors.New("there is no table Packages")
	}
	return db.rows(uint32(root), func(row []byte) error {
		kind, blob, err := sqliteColumn(row, 1)
		if err != nil {
			return err
		}
		if kind < 12 || kind%2 != 0 {
			return fmt.Errorf("a column of type %d, not a blob", kind)
		}
		return header(blob)
	})
}

// rows calls row with the payload of each row of a table, which is valid until row
// returns.
func (db *sqlite) rows(root uint32, row func([]byte) error) error {
	next := []uint32{root}
	for len(next) > 0 {
		no := next[len(next)-1]
		next = next[:len(next)-1]
		page, err := db.page(no)
		if err != nil {
			return err
		}
		page = page[:db.usable]
		start := 0
		if no == 1 {
			start = 100 // the header of the database
		}
		head := page[start:]
		cells := int(binary.BigEndian.Uint16(head[3:]))
		switch head[0] {
		case sqliteInterior:
			if 12+2*cells > len(head) {
				return fmt.Errorf("page %d has %d cells", no, cells)
			}
			next = append(next, binary.BigEndian.Uint32(head[8:])) // the last one
			for i := cells - 1; i >= 0; i-- {
				at := int(binary.BigEndian.Uint16(head[12+2*i:]))
				if at+4 > len(page) {
					return fmt.Errorf("page %d has a cell at byte %d", no, at)
				}
				next = append(next, binary.BigEndian.Uint32(page[at:]))
			}
		case sqliteLeaf:
			db.leaf = append(db.leaf[:0], page...) // reading overflow pages changes page
			if err := db.cells(db.leaf, start+8, cells, row); err != nil {
				return fmt.Errorf("page %d: %w", no, err)
			}
		default:
			return fmt.Errorf("page %d is not part of a table", no)
		}
	}
	return nil
}

// cells calls row with the rows in a leaf page, whose offsets are at byte table.
func (db *sqlite) cells(page []byte, table, cells int, row func([]byte) error) error {
	if table+2*cells > len(page) {
		return fmt.Errorf("it has %d cells", cells)
	}
	room := len(page) - table - 2*cells // cells don't overlap
	for i := range cells {
		at := int(binary.BigEndian.Uint16(page[table+2*i:]))
		if at >= len(page) {
			return fmt.Errorf("it has a cell at byte %d", at)
		}
		cell := page[at:]
		size, n := sqliteVarint(cell)
		_, m := sqliteVarint(cell[n:]) // the row's number
		if n == 0 || m == 0 || size > uint64(db.f.size) {
			return fmt.Errorf("it has a row of %d bytes", size)
		}
		local := db.local(int(size))
		end := n + m + local
		if local < int(size) {
			end += 4 // the number of the overflow page
		}
		if room -= end; room < 0 || end > len(cell) {
			return errors.New("its cells overlap")
		}
		db.payload = append(db.payload[:0], cell[n+m:n+m+local]...)
		if local < int(size) {
			if err := db.overflow(binary.BigEndian.Uint32(cell[end-4:]), int(size)); err != nil {
				return err
			}
		}
		if err := row(db.payload); err != nil {
			return err
		}
	}
	return nil
}

// local returns how many bytes of a row of size bytes are in the leaf page itself.
func (db *sqlite) local(size int) int {
	if size <= db.usable-35 {
		return size
	}
	low := (db.usable-12)*32/255 - 23
	if n := low + (size-low)%(db.usable-4); n <= db.usable-35 {
		return n
	}
	return low
}

// overflow adds the bytes that the payload lacks, from a chain of pages.
func (db *sqlite) overflow(no uint32, size int) error {
	for len(db.payload) < size {
		page, err := db.page(no)
		if err != nil {
			return fmt.Errorf("reading a row of %d bytes: %w", size, err)
		}
		no = binary.BigEndian.Uint32(page)
		db.payload = append(db.payload, page[4:min(db.usable, 4+size-len(db.payload))]...)
	}
	return nil
}

// sqliteColumn returns the type and the bytes of a column of a row.
func sqliteColumn(row []byte, column int) (uint64, []byte, error) {
	size, n := sqliteVarint(row)
	if n == 0 || size > uint64(len(row)) {
		return 0, nil, errors.New("a row has a damaged header")
	}
	for types, body := row[min(uint64(n), size):size], row[size:]; len(types) > 0; column-- {
		kind, n := sqliteVarint(types)
		var width uint64
		switch {
		case kind >= 12:
			width = (kind - 12) / 2
		case kind == 10 || kind == 11:
			n = 0
		default:
			width = [...]uint64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[kind]
		}
		if n == 0 || width > uint64(len(body)) {
			return 0, nil, errors.New("a row has a damaged column")
		}
		if column == 0 {
			return kind, body[:width], nil
		}
		types, body = types[n:], body[width:]
	}
	return 0, nil, errors.New("a row lacks a column")
}

// sqliteVarint returns the number at the start of p and how many bytes it takes, 0 if
// p ends before.
func sqliteVarint(p []byte) (uint64, int) {
	var v uint64
	for i, b := range p[:min(len(p), 9)] {
		if i == 8 {
			return v<<8 | uint64(b), 9
		}
		v = v<<7 | uint64(b&0x7f)
		if b < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
