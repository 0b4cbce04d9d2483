package load

import (
	"bytes"
	"strconv"
)

// form is a file format, as recognised by its first bytes.
type form string

const (
	formEmpty form = "empty"
	formTar   form = "a tar"
	formZeros form = "zero bytes"
	formGzip  form = "gzip"
	formZstd  form = "zstd"
	formXz    form = "xz"
	formBzip2 form = "bzip2"
	formOther form = "something unknown"
)

func (f form) compressed() bool {
	return f == formGzip || f == formZstd || f == formXz || f == formBzip2
}

var magics = []struct {
	at    int
	bytes string
	form  form
}{
	{0, "\x1f\x8b\x08", formGzip},
	{0, "\x28\xb5\x2f\xfd", formZstd},
	{0, "\xfd7zXZ\x00", formXz},
	{0, "BZh", formBzip2},
	{0, "\x7fELF", "an ELF program"},
	{0, "PK\x03\x04", "a zip archive"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{0, "hsqs", "a squashfs file system"},
	{0, "QFI\xfb", "a qcow2 disk image"},
	{0, "MZ", "a Windows program"},
	{0, "#!", "a script"},
	{0, "!<arch>\n", "an ar archive or Debian package"},
	{32, "SIF_MAGIC", "a SIF image of Singularity or Apptainer"},
	{1024, "\xe2\xe1\xf5\xe0", "an erofs file system"},
	{0x8001, "CD001", "an ISO file system"},
}

// sniff recognises a format by the first bytes; 1 KiB is enough.
func sniff(b []byte) form {
	if len(b) == 0 {
		return formEmpty
	}
	if len(b) >= 512 {
		if len(bytes.TrimLeft(b[:512], "\x00")) == 0 {
			return formZeros
		}
		if tarHeader(b[:512]) {
			return formTar
		}
	}
	for _, m := range magics {
		if len(b) > m.at && bytes.HasPrefix(b[m.at:], []byte(m.bytes)) {
			return m.form
		}
	}
	if len(b) >= 4 && b[0]&0xf0 == 0x50 && string(b[1:4]) == "\x2a\x4d\x18" {
		return formZstd // it begins with a skippable frame
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(b, bom), " \t\r\n")
	switch {
	case len(text) == 0:
		return "blank text"
	case text[0] == '{', text[0] == '[':
		return "JSON"
	case text[0] == '<':
		return "HTML or XML"
	}
	return formOther
}

var bom = []byte("\xef\xbb\xbf")

// tarHeader reports whether a block is the header of a tar entry: it has the magic
// of POSIX or GNU, or its checksum is right.
func tarHeader(b []byte) bool {
	if string(b[257:262]) == "ustar" {
		return true
	}
	field := string(bytes.Trim(b[148:156], " \x00"))
	want, err := strconv.ParseInt(field, 8, 64)
	if err != nil {
		return false
	}
	var sum, signed int64
	for i, c := range b {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int64(c)
		signed += int64(int8(c))
	}
	return want == sum || want == signed
}
