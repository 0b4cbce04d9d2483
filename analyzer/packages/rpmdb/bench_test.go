package rpmdb

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// BenchmarkRead reads a database of 500 packages with 120 files each, in which a
// header has as many bytes as in distributions.
func BenchmarkRead(b *testing.B) {
	var headers [][]byte
	for p := range 500 {
		var dirs, names []string
		var indexes, sizes []uint32
		for f := range 120 {
			if f%8 == 0 {
				dirs = append(dirs, fmt.Sprintf("/usr/share/package-%d/folder-%d/", p, f))
			}
			names = append(names, fmt.Sprintf("file-with-a-name-%d.txt", f))
			indexes = append(indexes, uint32(len(dirs)-1))
			sizes = append(sizes, uint32(f))
		}
		headers = append(headers, buildHeader(
			text(tagName, fmt.Sprintf("package-%d", p)), text(tagVersion, "1.0"), text(tagRelease, "1"), text(tagArch, "noarch"),
			text(1005, strings.Repeat("description ", 100)), numbers(1028, sizes...),
			texts(1035, slices.Repeat([]string{strings.Repeat("0", 64)}, 120)...), // checksums
			texts(tagBaseNames, names...), texts(tagDirNames, dirs...), numbers(tagDirIndexes, indexes...)))
	}
	for _, c := range []struct {
		name string
		data []byte
	}{{"sqlite", buildSQLite(headers...)}, {"ndb", buildNDB(headers...)}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			for b.Loop() {
				packages, err := Read(bytes.NewReader(c.data), int64(len(c.data)))
				if err != nil || len(packages) != 500 {
					b.Fatalf("%d packages and %v", len(packages), err)
				}
			}
		})
	}
}

// buildSQLite returns a SQLite database with these headers, each in a leaf of its own.
func buildSQLite(headers ...[]byte) []byte {
	const size = 4096
	var out []byte
	add := func() (int, []byte) { // a new page; valid until the next one
		out = append(out, make([]byte, size)...)
		return len(out) / size, out[len(out)-size:]
	}
	// leaf fills the b-tree page with one row.
	leaf := func(page []byte, start int, row []byte, overflow int) {
		local := (&sqlite{usable: size}).local(len(row))
		cell := append(varint(len(row)), 1)
		cell = append(cell, row[:local]...)
		if local < len(row) {
			cell = be.AppendUint32(cell, uint32(overflow))
		}
		at := size - len(cell)
		copy(page[at:], cell)
		page[start] = sqliteLeaf
		be.PutUint16(page[start+3:], 1)
		be.PutUint16(page[start+8:], uint16(at))
	}
	// inner fills the b-tree page with children.
	inner := func(page []byte, children []int) {
		last := len(children) - 1
		page[0] = sqliteInterior
		be.PutUint16(page[3:], uint16(last))
		be.PutUint32(page[8:], uint32(children[last]))
		for i, child := range children[:last] {
			at := size - 5*(i+1)
			be.PutUint16(page[12+2*i:], uint16(at))
			be.PutUint32(page[at:], uint32(child))
		}
	}
	_, page := add()
	copy(page, sqliteMagic)
	be.PutUint16(page[16:], size)
	leaf(page, 100, []byte("\x06\x17\x1d\x1d\x01\x0dtablePackagesPackages\x02"), 0)
	add() // the root
	var leaves, inners []int
	for _, h := range headers {
		kind := varint(2*len(h) + 12)
		row := slices.Concat([]byte{byte(2 + len(kind)), 0}, kind, h)
		no, _ := add()
		for rest := row[(&sqlite{usable: size}).local(len(row)):]; len(rest) > 0; {
			next, page := add()
			n := copy(page[4:], rest)
			if rest = rest[n:]; len(rest) > 0 {
				be.PutUint32(page, uint32(next+1))
			}
		}
		leaf(out[(no-1)*size:][:size], 0, row, no+1)
		leaves = append(leaves, no)
	}
	for children := range slices.Chunk(leaves, 400) {
		no, page := add()
		inner(page, children)
		inners = append(inners, no)
	}
	inner(out[size:][:size], inners)
	return out
}

// varint returns a number as SQLite stores it.
func varint(v int) []byte {
	out := []byte{byte(v & 0x7f)}
	for v >>= 7; v > 0; v >>= 7 {
		out = append(out, byte(v&0x7f|0x80))
	}
	slices.Reverse(out)
	return out
}
