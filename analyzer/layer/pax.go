package layer

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// pax holds the records of the PAX extended header before an entry. Its slices
// point into the header's body.
type pax struct {
	path, link                   []byte
	size, uid, gid               []byte
	atime, mtime, ctime          []byte
	xattrs                       []xattr
	sparse                       bool // a sparse map or its version is among the records
	major, minor, name           []byte
	sparseSize, realSize, blocks []byte
	sparseMap                    []byte
	pairs                        [][]byte // format 0.0: offset, numbytes, offset, ...
}

type xattr struct{ name, value []byte }

func (p *pax) reset() {
	*p = pax{xattrs: p.xattrs[:0], pairs: p.pairs[:0]}
}

// parse reads the records of an extended header. A later record replaces an
// earlier one of the same key.
func (p *pax) parse(body []byte) error {
	p.reset()
	for len(body) > 0 {
		digits, rest, ok := bytes.Cut(body, []byte{' '})
		n, err := strconv.ParseInt(string(digits), 10, 0)
		if !ok || err != nil || n < 5 || n > int64(len(body)) {
			return errors.New("extended header: a record's length is wrong")
		}
		n -= int64(len(digits) + 1)
		if n <= 0 || rest[n-1] != '\n' {
			return errors.New("extended header: a record's length is wrong")
		}
		key, value, ok := bytes.Cut(rest[:n-1], []byte{'='})
		if !ok || len(key) == 0 {
			return errors.New("extended header: a record has no key")
		}
		if err := p.record(key, value); err != nil {
			return err
		}
		body = rest[n:]
	}
	return nil
}

func (p *pax) record(key, value []byte) error {
	const prefix = "SCHILY.xattr."
	switch string(key) {
	case "path", "linkpath", "uname", "gname":
		if bytes.IndexByte(value, 0) >= 0 {
			return fmt.Errorf("extended header: the %s has a NUL", key)
		}
	default:
		if bytes.IndexByte(key, 0) >= 0 {
			return errors.New("extended header: a key has a NUL")
		}
	}
	switch string(key) {
	case "path":
		p.path = value
	case "linkpath":
		p.link = value
	case "size":
		p.size = value
	case "uid":
		p.uid = value
	case "gid":
		p.gid = value
	case "atime":
		p.atime = value
	case "mtime":
		p.mtime = value
	case "ctime":
		p.ctime = value
	case "GNU.sparse.offset", "GNU.sparse.numbytes":
		want := "GNU.sparse.offset"
		if len(p.pairs)%2 == 1 {
			want = "GNU.sparse.numbytes"
		}
		if string(key) != want || bytes.IndexByte(value, ',') >= 0 {
			return errors.New("extended header: the sparse map is out of order")
		}
		p.pairs = append(p.pairs, value)
		p.sparse = true
	case "GNU.sparse.major":
		p.major, p.sparse = value, true
	case "GNU.sparse.minor":
		p.minor, p.sparse = value, true
	case "GNU.sparse.name":
		p.name = value
	case "GNU.sparse.size":
		p.sparseSize = value
	case "GNU.sparse.realsize":
		p.realSize = value
	case "GNU.sparse.numblocks":
		p.blocks = value
	case "GNU.sparse.map":
		p.sparseMap, p.sparse = value, true
	default:
		if bytes.HasPrefix(key, []byte(prefix)) {
			p.xattrs = append(p.xattrs, xattr{key[len(prefix):], value})
		}
	}
	return nil
}

// merge replaces the fields of h by those in the records. A record with an
// empty value leaves the field as it is.
func (p *pax) merge(h *header) error {
	if len(p.path) > 0 {
		h.name, h.prefix = p.path, nil
	}
	if len(p.link) > 0 {
		h.link = p.link
	}
	for _, f := range []struct {
		key   string
		value []byte
		to    *int64
	}{{"size", p.size, &h.size}, {"uid", p.uid, &h.uid}, {"gid", p.gid, &h.gid}} {
		if len(f.value) == 0 {
			continue
		}
		n, err := strconv.ParseInt(string(f.value), 10, 64)
		if err != nil {
			return fmt.Errorf("extended header: the %s is not a number", f.key)
		}
		*f.to = n
	}
	for _, f := range []struct {
		key   string
		value []byte
	}{{"atime", p.atime}, {"mtime", p.mtime}, {"ctime", p.ctime}} {
		if len(f.value) == 0 {
			continue
		}
		n, ok := paxTime(f.value)
		if !ok {
			return fmt.Errorf("extended header: the %s is not a time", f.key)
		}
		if f.key == "mtime" {
			h.mtime = n
		}
	}
	return nil
}

// paxTime parses a decimal time and returns its seconds, rounded down.
func paxTime(b []byte) (int64, bool) {
	whole, fraction, _ := bytes.Cut(b, []byte{'.'})
	n, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil {
		return 0, false
	}
	some := false // one of the first nine digits, which count, is not zero
	for i, c := range fraction {
		if c < '0' || c > '9' {
			return 0, false
		}
		some = some || c != '0' && i < 9
	}
	if some && whole[0] == '-' {
		n--
	}
	return n, true
}

// attributes returns the extended attributes as in Entry.Xattrs. overlay
// reports whether overlayfs gives a meaning to one of them.
func (p *pax) attributes() (s string, overlay bool) {
	if len(p.xattrs) == 0 {
		return "", false
	}
	sort.SliceStable(p.xattrs, func(i, j int) bool {
		return bytes.Compare(p.xattrs[i].name, p.xattrs[j].name) < 0
	})
	var b strings.Builder
	for i, x := range p.xattrs {
		if i+1 < len(p.xattrs) && bytes.Equal(x.name, p.xattrs[i+1].name) {
			continue
		}
		b.Write(x.name)
		b.WriteByte('=')
		b.Write(x.value)
		b.WriteByte(0)
		overlay = overlay || bytes.HasPrefix(x.name, []byte("trusted.overlay.")) ||
			bytes.HasPrefix(x.name, []byte("user.overlay."))
	}
	return b.String(), overlay
}
