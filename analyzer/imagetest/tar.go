package imagetest

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

const block = 512

var flags = map[string]byte{"file": '0', "link": '1', "symlink": '2', "char": '3', "block": '4', "dir": '5', "fifo": '6'}

// LayerTar returns layer i as an uncompressed tar. Its headers are exactly those of
// the text: names are neither cleaned nor checked.
func (img *Image) LayerTar(i int) []byte { return Tar(img.Layers[i]) }

// Tar returns a tar of entries, with its end marker.
func Tar(entries []Entry) []byte {
	var b bytes.Buffer
	for i := range entries {
		writeEntry(&b, &entries[i])
	}
	b.Write(make([]byte, 2*block))
	return b.Bytes()
}

func writeEntry(b *bytes.Buffer, e *Entry) {
	h := header{
		name: e.Name, link: e.Link, mode: e.Mode, uid: e.UID, gid: e.GID, size: int64(len(e.Data)),
		mtime: e.MTime, flag: flags[e.Kind], major: e.Major, minor: e.Minor, gnu: e.GNU || e.Sparse > 0,
	}
	if e.Flag != 0 {
		h.flag = e.Flag
	}
	records := map[string]string{}
	switch {
	case e.Sparse > 0 && e.Flag == '0':
		h.gnu = false
		records["GNU.sparse.numblocks"] = "1"
		records["GNU.sparse.size"] = strconv.FormatInt(e.Sparse, 10)
		records["GNU.sparse.map"] = fmt.Sprintf("%d,%d", e.SparseAt, len(e.Data))
	case e.Sparse > 0:
		h.flag, h.sparse, h.sparseAt = 'S', e.Sparse, e.SparseAt
	}
	for k, v := range e.Xattrs {
		records["SCHILY.xattr."+k] = v
	}
	if h.gnu {
		writeLong(b, 'K', h.link)
		writeLong(b, 'L', h.name)
	} else {
		if len(h.name) > 100 {
			records["path"] = h.name
		}
		if len(h.link) > 100 {
			records["linkpath"] = h.link
		}
		for _, f := range []struct {
			key string
			n   *int64
			bit int
		}{{"uid", &h.uid, 21}, {"gid", &h.gid, 21}, {"mtime", &h.mtime, 33}} {
			if *f.n < 0 || *f.n >= 1<<f.bit {
				records[f.key] = strconv.FormatInt(*f.n, 10)
				*f.n = 0
			}
		}
	}
	if len(records) > 0 {
		data := pax(records)
		x := header{name: "PaxHeaders.0/entry", mode: 0o644, size: int64(len(data)), flag: 'x'}
		x.write(b)
		pad(b, data)
	}
	h.write(b)
	pad(b, e.Data)
}

// writeLong writes the GNU entry for a name that is too long for a header.
func writeLong(b *bytes.Buffer, flag byte, name string) {
	if len(name) <= 100 {
		return
	}
	h := header{name: "././@LongLink", flag: flag, size: int64(len(name) + 1), gnu: true}
	h.write(b)
	pad(b, append([]byte(name), 0))
}

// pax returns the records of an extended header, sorted by key.
func pax(records map[string]string) []byte {
	keys := make([]string, 0, len(records))
	for k := range records {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var out []byte
	for _, k := range keys {
		body := " " + k + "=" + records[k] + "\n"
		n := len(body) + 1
		for len(strconv.Itoa(n))+len(body) > n {
			n++
		}
		out = append(out, strconv.Itoa(n)+body...)
	}
	return out
}

func pad(b *bytes.Buffer, data []byte) {
	b.Write(data)
	b.Write(make([]byte, -len(data)&(block-1)))
}

// header holds the fields of a header block.
type header struct {
	name, link       string
	mode, uid, gid   int64
	size, mtime      int64
	flag             byte
	major, minor     int64
	gnu              bool
	sparse, sparseAt int64
}

func (h *header) write(b *bytes.Buffer) {
	var buf [block]byte
	octal := func(at, width int, n int64) {
		if n < 0 || n >= 1<<(3*(width-1)) { // base 256: GNU, but all readers accept it
			for i := width - 1; i >= 0; i-- {
				buf[at+i] = byte(n)
				n >>= 8
			}
			buf[at] |= 0x80
			return
		}
		copy(buf[at:], fmt.Sprintf("%0*o\x00", width-1, n))
	}
	copy(buf[0:100], h.name)
	octal(100, 8, h.mode)
	octal(108, 8, h.uid)
	octal(116, 8, h.gid)
	octal(124, 12, h.size)
	octal(136, 12, h.mtime)
	buf[156] = h.flag
	copy(buf[157:257], h.link)
	copy(buf[257:], "ustar\x0000")
	if h.gnu {
		copy(buf[257:], "ustar  \x00")
	}
	octal(329, 8, h.major)
	octal(337, 8, h.minor)
	if h.sparse > 0 {
		octal(386, 12, h.sparseAt)
		octal(398, 12, h.size)
		octal(483, 12, h.sparse)
	}
	copy(buf[148:156], strings.Repeat(" ", 8))
	sum := 0
	for _, c := range buf {
		sum += int(c)
	}
	copy(buf[148:156], fmt.Sprintf("%06o\x00 ", sum))
	b.Write(buf[:])
}
