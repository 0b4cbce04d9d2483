package packages

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"

	"fathom/analyzer/layer"
)

// The limits for the tables of an ELF file.
const (
	maxSections = 1 << 10  // real ones have less than 100
	maxSegments = 1 << 7   // likewise
	maxNames    = 64 << 10 // bytes of the names of all sections
	maxName     = 32       // bytes of the name of a section that are compared
)

// elfFile reads an ELF file, of which a sample may hold only parts. Package debug/elf
// reads headers of compressed sections anywhere in the file, and gives up if it can't;
// and for a hostile table it takes far more memory than the file has bytes.
type elfFile struct {
	held
	order binary.ByteOrder
	wide  bool // 64 bits
	kind  elf.Type
}

// elfOf returns the ELF file that s is part of, if head, its start, says that it is one.
func elfOf(head []byte, s *layer.Sample) (x elfFile, ok bool) {
	if len(head) < binary.Size(elf.Header64{}) || string(head[:4]) != elf.ELFMAG {
		return x, false
	}
	x = elfFile{held: held{s}, order: binary.LittleEndian, wide: elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64}
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		x.order = binary.BigEndian
	}
	x.kind = elf.Type(x.order.Uint16(head[16:]))
	return x, true
}

// isLinked reports whether head is the start of a program or a shared library.
func isLinked(head []byte) bool {
	x, ok := elfOf(head, nil)
	return ok && (x.kind == elf.ET_EXEC || x.kind == elf.ET_DYN)
}

// number returns the number at off in p, in 32 or 64 bits, where offsets are those of a
// file with as many bits.
func (x *elfFile) number(p []byte, narrow, wide int) uint64 {
	if x.wide {
		return x.order.Uint64(p[wide:])
	}
	return uint64(x.order.Uint32(p[narrow:]))
}

// table returns a table and how many bytes its rows have. The offsets are those in the
// header, of the offset of the table and of the size of a row, which the number of rows
// follows.
func (x *elfFile) table(offNarrow, offWide, rowNarrow, rowWide, row, most int) []byte {
	at := rowNarrow
	if x.wide {
		at = rowWide
	}
	rows := int(x.order.Uint16(x.Head[at+2:]))
	if int(x.order.Uint16(x.Head[at:])) != row || rows > most {
		return nil
	}
	return x.bytes(x.number(x.Head, offNarrow, offWide), uint64(row*rows))
}

// bytes returns n bytes at off, nil if the sample does not hold them.
func (x *elfFile) bytes(off, n uint64) []byte {
	if size := uint64(x.Size); off > size || n > size-off || !x.Has(int64(off), int64(n)) {
		return nil
	}
	p := make([]byte, n)
	if _, err := x.ReadAt(p, int64(off)); err != nil {
		return nil
	}
	return p
}

// segment is a row of the table of segments.
type segment struct {
	kind                   elf.ProgType
	flags                  elf.ProgFlag
	off, addr, size, align uint64 // size is that in the file
}

// segments returns the segments that lie within the file.
func (x *elfFile) segments() []segment {
	row := binary.Size(elf.Prog32{})
	if x.wide {
		row = binary.Size(elf.Prog64{})
	}
	var out []segment
	for p := x.table(28, 32, 42, 54, row, maxSegments); len(p) >= row; p = p[row:] {
		g := segment{
			elf.ProgType(x.order.Uint32(p)), elf.ProgFlag(x.order.Uint32(p[24:])),
			x.number(p, 4, 8), x.number(p, 8, 16), x.number(p, 16, 32), x.number(p, 28, 48),
		}
		if x.wide {
			g.flags = elf.ProgFlag(x.order.Uint32(p[4:]))
		}
		if size := uint64(x.Size); g.off <= size && g.size <= size-g.off {
			out = append(out, g)
		}
	}
	return out
}

// section is where a section is in the file.
type section struct{ off, size uint64 }

// sections returns the first section with each of the names. It reports false if the
// sample does not hold the names of sections.
func (x *elfFile) sections(names ...string) (_ []section, ok bool) {
	out := make([]section, len(names))
	row, at := binary.Size(elf.Section32{}), 50
	if x.wide {
		row, at = binary.Size(elf.Section64{}), 62
	}
	rows := x.table(32, 40, 46, 58, row, maxSections)
	if i := int(x.order.Uint16(x.Head[at:])) * row; i+row <= len(rows) {
		p := rows[i:]
		text := x.bytes(x.number(p, 16, 24), min(x.number(p, 20, 32), maxNames))
		ok = text != nil
		for ; len(rows) >= row; rows = rows[row:] {
			name := text[min(int(x.order.Uint32(rows)), len(text)):]
			name, _, _ = bytes.Cut(name[:min(len(name), maxName)], []byte{0})
			for k := range names {
				if string(name) == names[k] && out[k] == (section{}) {
					out[k] = section{x.number(rows, 16, 24), x.number(rows, 20, 32)}
				}
			}
		}
	}
	return out, ok
}

// held reads the bytes that a sample holds, and fails on others.
type held struct{ *layer.Sample }

// errHeld says that the bytes are in a part of a large file that is not read.
var errHeld = errors.New("the file is too large to be read as a whole")

// ReadAt implements io.ReaderAt.
func (h held) ReadAt(p []byte, off int64) (int, error) {
	if n := min(int64(len(p)), h.Size-off); n > 0 && !h.Has(off, n) {
		return 0, errHeld
	}
	return h.Sample.ReadAt(p, off)
}
