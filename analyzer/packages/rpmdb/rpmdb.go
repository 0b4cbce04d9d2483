// Package rpmdb reads the databases in which rpm keeps the installed packages:
// rpmdb.sqlite (SQLite), Packages.db (rpm's own ndb) and Packages (Berkeley DB). All of
// them store one header per package.
//
// A database is hostile. Every page and every blob is read once at most, so time and
// memory are proportional to the size of the file, whatever its pages and counts say.
package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The limits of a database. Full desktop installations have a tenth of each.
const (
	MaxPackages = 1 << 16
	MaxFiles    = 2 << 20  // and folders, in all packages
	MaxNames    = 64 << 20 // bytes in the names of all packages, files and folders
)

// Package is an installed package.
type Package struct {
	Name, Version, Release string
	Epoch                  uint32 // 0 if it has none
	Arch                   string // "" if it has none
	// Dirs are the folders of its files as the header states them, usually with a
	// slash at both ends, and Names the base names of the files in each of them. A
	// folder may occur twice. Files are folders and links too; the base name of "/"
	// is "".
	Dirs  []string
	Names [][]string
}

// EVR returns the version as rpm compares it: "epoch:version-release", without an
// epoch of 0.
func (p *Package) EVR() string {
	evr := p.Version + "-" + p.Release
	if p.Epoch != 0 {
		evr = strconv.FormatUint(uint64(p.Epoch), 10) + ":" + evr
	}
	return evr
}

// Read returns the packages in a database of size bytes, in the order in which the
// database has them. Public keys, which rpm stores like packages, are left out.
func Read(r io.ReaderAt, size int64) ([]Package, error) {
	f := &file{r: r, size: size}
	start, err := f.bytes(0, int(min(size, 16)))
	if err != nil {
		return nil, err
	}
	var blobs func(*file, func([]byte) error) error
	switch {
	case bytes.HasPrefix(start, []byte(sqliteMagic)):
		blobs = readSQLite
	case bytes.HasPrefix(start, []byte(ndbMagic)):
		blobs = readNDB
	case len(start) == 16 && (binary.LittleEndian.Uint32(start[12:]) == bdbMagic || binary.BigEndian.Uint32(start[12:]) == bdbMagic):
		blobs = readBDB
	default:
		return nil, errors.New("it is not a database of rpm")
	}
	var out []Package
	h := header{files: MaxFiles, names: MaxNames}
	err = blobs(f, func(blob []byte) error {
		if len(out) == MaxPackages {
			return fmt.Errorf("more than %d packages", MaxPackages)
		}
		p, err := h.read(blob)
		if err != nil {
			return fmt.Errorf("reading header %d: %w", len(out)+1, err)
		}
		if p.Name != "gpg-pubkey" {
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var errShort = errors.New("the database is truncated")

// file reads a file in chunks, because the pages of a header follow each other.
type file struct {
	r    io.ReaderAt
	size int64
	at   int64  // where buf is
	buf  []byte // the last chunk
}

// bytes returns the n bytes at off. They are valid until the next call.
func (f *file) bytes(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > f.size-int64(n) {
		return nil, errShort
	}
	if off < f.at || off+int64(n) > f.at+int64(len(f.buf)) {
		const chunk = 64 << 10
		want := int(min(int64(max(n, chunk)), f.size-off))
		if cap(f.buf) < want {
			f.buf = make([]byte, want)
		}
		f.at, f.buf = off, f.buf[:want]
		if n, err := f.r.ReadAt(f.buf, off); n < want {
			f.buf = f.buf[:0]
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return f.buf[off-f.at:][:n:n], nil
}

// pages is a file that consists of pages.
type pages struct {
	f     *file
	size  int
	first uint32 // the number of the first page
	used  []bool
}

func (f *file) pages(size int, first uint32) *pages {
	return &pages{f: f, size: size, first: first, used: make([]bool, f.size/int64(size))}
}

// page returns the page with this number, which is valid until the next call. No page
// of a sound database has two parents, so it returns each page once.
func (p *pages) page(no uint32) ([]byte, error) {
	i := int64(no) - int64(p.first)
	if i < 0 || i >= int64(len(p.used)) {
		return nil, fmt.Errorf("page %d does not exist: %w", no, errShort)
	}
	if p.used[i] {
		return nil, fmt.Errorf("page %d is used twice", no)
	}
	p.used[i] = true
	return p.f.bytes(i*int64(p.size), p.size)
}
