package layer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/zeebo/xxh3"
)

const (
	// maxSpecial is the limit for the bytes of a long name, an extended header
	// or a sparse map, as in archive/tar and libarchive.
	maxSpecial   = 1 << 20
	maxFragments = 1 << 20
)

var errSparse = errors.New("sparse map: not valid")

// fragment is a range of a sparse file whose data is in the archive.
type fragment struct{ offset, length int64 }

// sparse reads the map of a sparse entry, and sets h.size and h.name to the size
// and name of the file where they are stored with the map. is reports whether
// the entry is sparse; body is the length of the entry's body after the map.
//
// The map has one of three places: the header block and the blocks after it in
// GNU's own format (type S), the extended header in PAX 0.0 and 0.1, and decimal
// lines at the start of the body in PAX 1.0.
func (w *walker) sparse(h *header, b *block) (is bool, frags []fragment, body int64, err error) {
	body = h.size
	if headerOnly(h.flag) {
		body = 0
	}
	if h.flag == 'S' {
		frags, err = w.sparseGNU(h, b)
	} else {
		p := &w.pax
		major, minor := string(p.major), string(p.minor)
		one := false
		switch {
		case major == "0" && (minor == "0" || minor == "1"):
		case major == "1" && minor == "0":
			one = true
		case major != "" || minor != "":
			return false, nil, body, nil
		case len(p.fields()) > 0:
		default:
			return false, nil, body, nil
		}
		if len(p.name) > 0 {
			h.name, h.prefix = p.name, nil
		}
		size := p.sparseSize
		if len(size) == 0 {
			size = p.realSize
		}
		if len(size) > 0 {
			if h.size, err = strconv.ParseInt(string(size), 10, 64); err != nil {
				return true, nil, 0, errSparse
			}
		}
		if one {
			frags, err = w.sparse10(&body)
		} else {
			frags, err = p.sparse01()
		}
	}
	if err != nil {
		return true, nil, 0, err
	}
	if headerOnly(h.flag) || !valid(frags, h.size) {
		return true, nil, 0, errSparse
	}
	return true, join(frags), body, nil
}

func (w *walker) sparseGNU(h *header, b *block) ([]fragment, error) {
	if h.format != formatGNU {
		return nil, errors.New("sparse map: not in GNU's format")
	}
	var ok bool
	if h.size, ok = number(b[483:495]); !ok {
		return nil, errSparse
	}
	var frags []fragment
	part, more := b[386:482], b[482]
	for total := len(part) + 1; total < maxSpecial; total += blockSize {
		for ; len(part) >= 24 && part[0] != 0; part = part[24:] {
			off, ok1 := number(part[:12])
			n, ok2 := number(part[12:24])
			if !ok1 || !ok2 || len(frags) == maxFragments {
				return nil, errSparse
			}
			frags = append(frags, fragment{off, n})
		}
		if more == 0 {
			return frags, nil
		}
		ext, err := w.src.block()
		if err != nil {
			return nil, short(err)
		}
		part, more = ext[:504], ext[504]
	}
	return nil, errors.New("sparse map: too long")
}

// fields returns the numbers of a map in the extended header.
func (p *pax) fields() [][]byte {
	switch {
	case len(p.pairs) == 1 && len(p.pairs[0]) == 0:
		return nil
	case len(p.pairs) > 0:
		return p.pairs
	case len(p.sparseMap) > 0:
		return bytes.Split(p.sparseMap, []byte{','})
	}
	return nil
}

func (p *pax) sparse01() ([]fragment, error) {
	fields := p.fields()
	n, err := strconv.ParseInt(string(p.blocks), 10, 0)
	if err != nil || n < 0 || n > math.MaxInt64/2 || int64(len(fields)) != 2*n {
		return nil, errSparse
	}
	frags := make([]fragment, 0, n)
	for i := 0; i < len(fields); i += 2 {
		off, err1 := strconv.ParseInt(string(fields[i]), 10, 64)
		n, err2 := strconv.ParseInt(string(fields[i+1]), 10, 64)
		if err1 != nil || err2 != nil || len(frags) == maxFragments {
			return nil, errSparse
		}
		frags = append(frags, fragment{off, n})
	}
	return frags, nil
}

// sparse10 reads the lines at the start of the body: the number of fragments,
// then the offset and the length of each. The data begins at the next block
// boundary; sparse10 subtracts the blocks of the map from body.
func (w *walker) sparse10(body *int64) ([]fragment, error) {
	var text []byte
	total, seen := 0, 0 // text[:seen] has no newline
	line := func() (int64, error) {
		for {
			if i := bytes.IndexByte(text[seen:], '\n'); i >= 0 {
				n, err := strconv.ParseInt(string(text[:seen+i]), 10, 64)
				text, seen = text[seen+i+1:], 0
				if err != nil {
					return 0, errSparse
				}
				return n, nil
			}
			seen = len(text)
			if total += blockSize; total > maxSpecial {
				return 0, errors.New("sparse map: too long")
			}
			if *body < blockSize {
				return 0, errEnd
			}
			b, err := w.src.block()
			if err != nil {
				return 0, short(err)
			}
			*body -= blockSize
			text = append(text, b[:]...)
		}
	}
	n, err := line()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > math.MaxInt64/2 {
		return nil, errSparse
	}
	var frags []fragment
	for ; n > 0; n-- {
		off, err := line()
		if err != nil {
			return nil, err
		}
		length, err := line()
		if err != nil {
			return nil, err
		}
		if len(frags) == maxFragments {
			return nil, errSparse
		}
		frags = append(frags, fragment{off, length})
	}
	return frags, nil
}

// valid reports whether the fragments are in order, do not overlap, and lie
// within a file of the given size.
func valid(frags []fragment, size int64) bool {
	if size < 0 {
		return false
	}
	var end int64
	for _, f := range frags {
		if f.offset < end || f.length < 0 || f.length > size-f.offset {
			return false
		}
		end = f.offset + f.length
	}
	return true
}

// join drops empty fragments and joins adjacent ones, so that a file has the
// same map in every format.
func join(frags []fragment) []fragment {
	out := frags[:0]
	for _, f := range frags {
		switch last := len(out) - 1; {
		case f.length == 0:
		case last >= 0 && out[last].offset+out[last].length == f.offset:
			out[last].length += f.length
		default:
			out = append(out, f)
		}
	}
	return out
}

// hashMap writes the size and the map of a sparse file to h. The data of the
// file must follow. For a file without holes hashMap writes nothing, so that the
// hash is that of a file which is not sparse.
func hashMap(h *xxh3.Hasher, size int64, frags []fragment) {
	if size == 0 || len(frags) == 1 && frags[0] == (fragment{0, size}) {
		return
	}
	var b []byte
	b = append(b, "sparse\x00"...)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	for _, f := range frags {
		b = binary.LittleEndian.AppendUint64(b, uint64(f.offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(f.length))
	}
	h.Write(b)
}
