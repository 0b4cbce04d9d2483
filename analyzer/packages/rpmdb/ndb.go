package rpmdb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"slices"
)

// See lib/backend/ndb/rpmpkg.c of rpm. The file begins with pages of slots, the first
// two of which are the file's header; a slot states where the blob of a package is. All
// numbers are little-endian.
const (
	ndbMagic     = "RpmP"
	ndbSlot      = "Slot"
	ndbBlob      = "BlbS"
	ndbBlobEnd   = "BlbE"
	ndbPageSize  = 4096
	ndbBlockSize = 16 // of slots and blobs
	ndbBlobHead  = 16 // magic, package number, time, size
	ndbBlobTail  = 12 // Adler-32 of all before it, size, magic
)

// ndbPackage is a slot in use.
type ndbPackage struct {
	number        uint32
	block, blocks int64
}

// readNDB calls header with each header in the order of the file.
func readNDB(f *file, header func([]byte) error) error {
	head, err := f.bytes(0, 32)
	if err != nil {
		return err
	}
	if version := binary.LittleEndian.Uint32(head[4:]); version != 0 {
		return fmt.Errorf("version %d is not supported", version)
	}
	slots := int64(binary.LittleEndian.Uint32(head[12:])) * ndbPageSize
	if slots == 0 || slots > f.size {
		return fmt.Errorf("%d bytes of slots: %w", slots, errShort)
	}
	var packages []ndbPackage
	for at := int64(32); at < slots; at += ndbBlockSize {
		slot, err := f.bytes(at, ndbBlockSize)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(slot, []byte(ndbSlot)) {
			return fmt.Errorf("there is no slot at byte %d", at)
		}
		p := ndbPackage{
			binary.LittleEndian.Uint32(slot[4:]),
			int64(binary.LittleEndian.Uint32(slot[8:])),
			int64(binary.LittleEndian.Uint32(slot[12:])),
		}
		if p.block != 0 {
			packages = append(packages, p)
		}
	}
	slices.SortFunc(packages, func(a, b ndbPackage) int { return cmp.Compare(a.block, b.block) })
	free := slots / ndbBlockSize
	for _, p := range packages {
		if p.block < free {
			return fmt.Errorf("package %d overlaps other data", p.number)
		}
		free = p.block + p.blocks
		blob, err := f.ndbBlob(p)
		if err != nil {
			return fmt.Errorf("reading package %d: %w", p.number, err)
		}
		if err := header(blob); err != nil {
			return err
		}
	}
	return nil
}

// ndbBlob returns the header of a package.
func (f *file) ndbBlob(p ndbPackage) ([]byte, error) {
	if p.blocks > f.size/ndbBlockSize {
		return nil, errShort
	}
	blob, err := f.bytes(p.block*ndbBlockSize, int(p.blocks*ndbBlockSize))
	if err != nil {
		return nil, err
	}
	if len(blob) < ndbBlobHead+ndbBlobTail {
		return nil, errors.New("it is too short")
	}
	body, tail := blob[:len(blob)-ndbBlobTail], blob[len(blob)-ndbBlobTail:]
	size := binary.LittleEndian.Uint32(blob[12:])
	used := ndbBlobHead + int64(size) + ndbBlobTail
	switch {
	case !bytes.HasPrefix(blob, []byte(ndbBlob)) || !bytes.HasSuffix(blob, []byte(ndbBlobEnd)),
		binary.LittleEndian.Uint32(blob[4:]) != p.number,
		binary.LittleEndian.Uint32(tail[4:]) != size,
		(used+ndbBlockSize-1)/ndbBlockSize != p.blocks:
		return nil, errors.New("its start and its end don't match")
	case binary.LittleEndian.Uint32(tail) != adler32.Checksum(body):
		return nil, errors.New("its checksum is wrong")
	}
	return blob[ndbBlobHead:][:size], nil
}
