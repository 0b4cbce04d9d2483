package viewer

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sniffed is the number of bytes that decide whether a file is text.
const sniffed = 8 << 10

// magics are the magic numbers of file formats. The first match counts.
var magics = []struct {
	at    int
	bytes string
	name  string
}{
	{0, "\x1f\x8b", "gzip"},
	{0, "\x28\xb5\x2f\xfd", "zstd"},
	{0, "\xfd7zXZ\x00", "xz"},
	{0, "BZh", "bzip2"},
	{0, "\x04\x22\x4d\x18", "lz4"},
	{0, "7z\xbc\xaf\x27\x1c", "7-Zip archive"},
	{0, "PK\x03\x04", "zip archive"},
	{0, "PK\x05\x06", "zip archive, empty"},
	{257, "ustar", "tar archive"},
	{0, "!<arch>\ndebian", "Debian package"},
	{0, "!<arch>\n", "static library"},
	{0, "\xed\xab\xee\xdb", "RPM package"},
	{0, "hsqs", "squashfs image"},
	{0x438, "\x53\xef", "ext filesystem"},
	{32769, "CD001", "ISO 9660 image"},
	{0, "070701", "cpio archive"},
	{0, "SQLite format 3\x00", "SQLite database"},
	{0, "\x89PNG\r\n\x1a\n", "PNG image"},
	{0, "\xff\xd8\xff", "JPEG image"},
	{0, "GIF8", "GIF image"},
	{8, "WEBP", "WebP image"},
	{8, "WAVE", "WAVE sound"},
	{0, "BM", "BMP image"},
	{0, "II*\x00", "TIFF image"},
	{0, "MM\x00*", "TIFF image"},
	{0, "\x00\x00\x01\x00", "Windows icon"},
	{4, "ftyp", "MP4 or related media"},
	{0, "OggS", "Ogg media"},
	{0, "ID3", "MP3 sound"},
	{0, "fLaC", "FLAC sound"},
	{0, "\x1aE\xdf\xa3", "Matroska media"},
	{0, "%PDF-", "PDF document"},
	{0, "\x00\x01\x00\x00\x00", "TrueType font"},
	{0, "OTTO", "OpenType font"},
	{0, "wOFF", "WOFF font"},
	{0, "wOF2", "WOFF2 font"},
	{0, "\x00asm", "WebAssembly module"},
	{0, "\xca\xfe\xba\xbe", "Java class or Mach-O binary"},
	{0, "\xcf\xfa\xed\xfe", "Mach-O binary"},
	{0, "\xce\xfa\xed\xfe", "Mach-O binary"},
	{0, "MZ", "Windows program"},
	{0, "\xde\x12\x04\x95", "message catalogue (gettext)"},
	{0, "\x95\x04\x12\xde", "message catalogue (gettext)"},
	{0, "TZif", "time zone data"},
	{0, "\x1a\x01", "terminfo entry"},
	{0, "\x1e\x02", "terminfo entry"},
	{0, "glibc-ld.so.cache", "cache of the dynamic linker"},
	{0, "\x00\x06\x15\x61", "Berkeley DB"},
	{12, "\x62\x31\x05\x00", "Berkeley DB"},
	{12, "\x61\x15\x06\x00", "Berkeley DB"},
	{0, "GDBM", "GDBM database"},
	{0, "\x30\x82", "DER, a certificate or key"},
	{0, "LUKS\xba\xbe", "LUKS volume"},
	{0, "DIRC", "git index"},
	{0, "PACK", "git pack"},
	{0, "\xfftOc", "git pack index"},
	{0, "\xff\xfe", "UTF-16 text"},
	{0, "\xfe\xff", "UTF-16 text"},
}

// kindOf describes the format of a file by its first bytes, not by its name. It returns
// "" if the format is unknown.
func kindOf(head []byte) string {
	if bytes.HasPrefix(head, []byte(elf.ELFMAG)) {
		return elfKind(head)
	}
	if len(head) >= 16 && bytes.Equal(head[2:4], []byte("\r\n")) && head[4] == 0 && !isText(head) {
		return "Python bytecode"
	}
	for _, m := range magics {
		if end := m.at + len(m.bytes); end <= len(head) && string(head[m.at:end]) == m.bytes {
			return m.name
		}
	}
	return ""
}

// elfKind describes an ELF file by its header.
func elfKind(b []byte) string {
	if len(b) < 20 {
		return "ELF, cut"
	}
	bits := map[byte]string{1: "32-bit", 2: "64-bit"}[b[elf.EI_CLASS]]
	var order binary.ByteOrder = binary.LittleEndian
	if b[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		order = binary.BigEndian
	}
	kind := map[elf.Type]string{
		elf.ET_REL: "object", elf.ET_EXEC: "program", elf.ET_DYN: "program or library", elf.ET_CORE: "core dump",
	}[elf.Type(order.Uint16(b[16:]))]
	machine := elf.Machine(order.Uint16(b[18:]))
	name := map[elf.Machine]string{
		elf.EM_386: "x86", elf.EM_X86_64: "x86-64", elf.EM_ARM: "ARM", elf.EM_AARCH64: "ARM64", elf.EM_RISCV: "RISC-V",
		elf.EM_PPC64: "POWER", elf.EM_S390: "s390x", elf.EM_MIPS: "MIPS", elf.EM_LOONGARCH: "LoongArch", elf.EM_BPF: "BPF",
	}[machine]
	if name == "" {
		name = fmt.Sprintf("machine %d", uint16(machine))
	}
	return strings.Join(strings.Fields("ELF "+bits+" "+name+" "+kind), " ")
}

// isText reports whether the beginning of a file is text.
func isText(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && (utf8.FullRune(b[i:]) || len(b) < sniffed) {
			return false
		}
		if r < ' ' && !strings.ContainsRune("\t\n\r\f\b\x1b", r) {
			return false
		}
		i += n
	}
	return true
}
