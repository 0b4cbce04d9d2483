package layer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

const blockSize = 512

// block is one 512-byte block of a tar.
type block = [blockSize]byte

// format is the tar format of a header block. The formats differ in the fields
// after the link name.
type format uint8

const (
	formatV7 format = iota
	formatUSTAR
	formatSTAR
	formatGNU
)

// header holds the fields of one header block. Its slices point into the block.
type header struct {
	name, link, prefix []byte
	size, mode         int64
	uid, gid           int64
	mtime              int64
	major, minor       int64
	flag               byte
	format             format
}

// headerOnly reports whether an entry of this type has no body, even if its size
// field is not zero.
func headerOnly(flag byte) bool { return '1' <= flag && flag <= '6' }

// sum returns the sum of the bytes of a block. It is 0 only for a block of
// zeros. The bytes are added in four lanes of 16 bits, which 64 additions of at
// most 2*255 can't overflow.
func sum(b *block) int64 {
	const even = 0x00ff00ff00ff00ff
	var acc uint64
	for i := 0; i < blockSize; i += 32 {
		x0 := binary.LittleEndian.Uint64(b[i:])
		x1 := binary.LittleEndian.Uint64(b[i+8:])
		x2 := binary.LittleEndian.Uint64(b[i+16:])
		x3 := binary.LittleEndian.Uint64(b[i+24:])
		acc += x0&even + x0>>8&even + x1&even + x1>>8&even
		acc += x2&even + x2>>8&even + x3&even + x3>>8&even
	}
	return int64(acc&0xffff + acc>>16&0xffff + acc>>32&0xffff + acc>>48)
}

// verify compares the block's checksum field with total, the sum of its bytes.
// It also accepts the sum of signed bytes, which Sun's tar wrote.
func verify(b *block, total int64) error {
	field := b[148:156]
	want, ok := octal(field)
	if !ok {
		return fmt.Errorf("header checksum: %q is not a number", field)
	}
	unsigned := total + 8*' '
	for _, c := range field {
		unsigned -= int64(c)
	}
	if want == unsigned {
		return nil
	}
	signed := unsigned
	for i, c := range b {
		if c >= 0x80 && (i < 148 || i >= 156) {
			signed -= 256
		}
	}
	if want == signed {
		return nil
	}
	return fmt.Errorf("header checksum: expected %o, got %o", want, unsigned)
}

// parse reads a header block whose bytes add up to total. It accepts and rejects
// the same blocks as archive/tar.
func (h *header) parse(b *block, total int64) error {
	if err := verify(b, total); err != nil {
		return err
	}
	h.format = formatV7
	switch string(b[257:263]) {
	case "ustar\x00":
		h.format = formatUSTAR
		if string(b[508:512]) == "tar\x00" {
			h.format = formatSTAR
		}
	case "ustar ":
		if string(b[263:265]) == " \x00" {
			h.format = formatGNU
		}
	}
	h.flag = b[156]
	h.name, h.link, h.prefix = cString(b[0:100]), cString(b[157:257]), nil
	h.major, h.minor = 0, 0

	var ok [8]bool
	h.size, ok[0] = number(b[124:136])
	h.mode, ok[1] = number(b[100:108])
	h.uid, ok[2] = number(b[108:116])
	h.gid, ok[3] = number(b[116:124])
	h.mtime, ok[4] = number(b[136:148])
	ok[5], ok[6], ok[7] = true, true, true
	if h.format != formatV7 {
		h.major, ok[5] = number(b[329:337])
		h.minor, ok[6] = number(b[337:345])
	}
	switch h.format {
	case formatUSTAR:
		h.prefix = cString(b[345:500])
	case formatSTAR:
		h.prefix = cString(b[345:476])
		_, ok1 := number(b[476:488])
		_, ok2 := number(b[488:500])
		ok[7] = ok1 && ok2
	case formatGNU:
		// GNU has times where ustar has the prefix. Some writers put a prefix
		// there nevertheless (golang.org/issue/12594).
		if b[345] != 0 || b[357] != 0 {
			h.gnuPrefix(b)
		}
	}
	if ok != [8]bool{true, true, true, true, true, true, true, true} {
		names := [8]string{"size", "mode", "user", "group", "time", "device major", "device minor", "access time"}
		for i := range ok {
			if !ok[i] {
				return fmt.Errorf("header: the %s is not a number", names[i])
			}
		}
	}
	return nil
}

// gnuPrefix sets the prefix from a GNU header if the times in its place are not
// numbers and it is ASCII.
func (h *header) gnuPrefix(b *block) {
	ok := true
	for _, f := range [][]byte{b[345:357], b[357:369]} {
		if f[0] != 0 {
			_, is := number(f)
			ok = ok && is
		}
	}
	if ok {
		return
	}
	p := cString(b[345:500])
	for _, c := range p {
		if c >= 0x80 {
			return
		}
	}
	h.prefix = p
}

// cString returns b up to its first NUL.
func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// number reads a numeric field: octal digits, or, if the first bit is set, two's
// complement in base 256.
func number(b []byte) (int64, bool) {
	last := len(b) - 1
	var n uint64
	for _, c := range b[:last] {
		if c -= '0'; c > 7 {
			if b[0]&0x80 != 0 {
				return base256(b)
			}
			return octal(b)
		}
		n = n<<3 | uint64(c)
	}
	if t := b[last]; t == 0 || t == ' ' {
		return int64(n), true
	}
	return octal(b)
}

// octal reads octal digits and ignores spaces and NULs around them. Without
// digits it returns 0.
func octal(b []byte) (int64, bool) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == 0) {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return 0, true
	}
	n, err := strconv.ParseUint(string(cString(b)), 8, 64)
	return int64(n), err == nil
}

func base256(b []byte) (int64, bool) {
	var inv byte
	if b[0]&0x40 != 0 {
		inv = 0xff
	}
	var n uint64
	for i, c := range b {
		c ^= inv
		if i == 0 {
			c &= 0x7f
		}
		if n>>56 > 0 {
			return 0, false
		}
		n = n<<8 | uint64(c)
	}
	if n>>63 > 0 {
		return 0, false
	}
	if inv != 0 {
		return ^int64(n), true
	}
	return int64(n), true
}
