package imagetest

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// ELF returns a program with one section of code and n bytes of symbols, half of
// them in a symbol table. If golang is set, it looks like one that Go made.
func ELF(n int, golang bool) []byte {
	type section struct {
		name  string
		kind  elf.SectionType
		flags elf.SectionFlag
		size  int
	}
	sections := []section{
		{}, {".text", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR, 4000},
		{".symtab", elf.SHT_SYMTAB, 0, n / 2}, {".debug_info", elf.SHT_PROGBITS, 0, n - n/2},
	}
	if golang {
		sections = append(sections, section{".go.buildinfo", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE, 64})
	}
	names := "\x00"
	for _, s := range sections {
		names += s.name + "\x00"
	}
	sections = append(sections, section{".shstrtab", elf.SHT_STRTAB, 0, len(names) + len(".shstrtab\x00")})
	names += ".shstrtab\x00"

	random := rand.NewChaCha8([32]byte{}) // code does not compress well either
	var h elf.Header64
	off := binary.Size(h)
	var body bytes.Buffer
	var table []elf.Section64
	for _, s := range sections {
		data := make([]byte, s.size)
		_, _ = random.Read(data) // never fails
		if s.name == ".shstrtab" {
			data = []byte(names)
		}
		table = append(table, elf.Section64{
			Name: uint32(strings.Index(names, "\x00"+s.name+"\x00") + 1), Type: uint32(s.kind), Flags: uint64(s.flags),
			Off: uint64(off + body.Len()), Size: uint64(s.size),
		})
		body.Write(data)
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	h.Type, h.Machine, h.Version = uint16(elf.ET_EXEC), uint16(elf.EM_X86_64), uint32(elf.EV_CURRENT)
	h.Ehsize, h.Shentsize = uint16(off), uint16(binary.Size(table[0]))
	h.Shoff, h.Shnum, h.Shstrndx = uint64(off+body.Len()), uint16(len(table)), uint16(len(table)-1)
	var out bytes.Buffer
	for _, v := range []any{h, body.Bytes(), table} {
		if err := binary.Write(&out, binary.LittleEndian, v); err != nil {
			panic(fmt.Sprintf("writing an ELF file: %v", err))
		}
	}
	return out.Bytes()
}

// Pack returns an archive of entries: a "tar", or a "tar.gz" or "zip" that stores
// its content without compressing it.
func Pack(kind string, entries []Entry) ([]byte, error) {
	var b bytes.Buffer
	switch kind {
	case "tar":
		return Tar(entries), nil
	case "tar.gz":
		w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(Tar(entries)); err != nil {
			return nil, err
		}
		err = w.Close()
		return b.Bytes(), err
	case "zip":
		z := zip.NewWriter(&b)
		for _, e := range entries {
			w, err := z.CreateHeader(&zip.FileHeader{Name: e.Name, Method: zip.Store})
			if err != nil {
				return nil, err
			}
			if _, err := w.Write(e.Data); err != nil {
				return nil, err
			}
		}
		err := z.Close()
		return b.Bytes(), err
	}
	return nil, fmt.Errorf("unknown kind of archive %q", kind)
}
