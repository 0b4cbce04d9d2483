package layer

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// raw is a member of a tar, whose bytes are a header block with the given fields
// and the padded body.
type raw struct {
	name, link, prefix string
	flag               byte
	size               string // the field as written; if "", len(body) in octal
	mode, uid, mtime   string
	magic              string // if "", "ustar\x0000"; "-" for v7
	body               string
	edit               func(*block)
}

func (r raw) bytes() []byte {
	var b block
	copy(b[0:100], r.name)
	field := func(at, n int, s, other string) {
		if s == "" {
			s = other
		}
		copy(b[at:at+n], s)
	}
	field(100, 8, r.mode, "0000644\x00")
	field(108, 8, r.uid, "0000000\x00")
	field(116, 8, "", "0000000\x00")
	field(124, 12, r.size, fmt.Sprintf("%011o\x00", len(r.body)))
	field(136, 12, r.mtime, "00000000000\x00")
	b[156] = r.flag
	copy(b[157:257], r.link)
	if r.magic != "-" {
		field(257, 8, r.magic, "ustar\x0000")
	}
	copy(b[345:500], r.prefix)
	if r.edit != nil {
		r.edit(&b)
	}
	fixChecksum(&b)
	out := append([]byte(nil), b[:]...)
	out = append(out, r.body...)
	return append(out, make([]byte, -len(r.body)&(blockSize-1))...)
}

func raws(rs ...raw) []byte {
	var out []byte
	for _, r := range rs {
		out = append(out, r.bytes()...)
	}
	return append(out, make([]byte, 2*blockSize)...)
}

const gnuMagic = "ustar  \x00"

// records returns PAX records made from pairs of a key and a value.
func records(kv ...string) string {
	var b strings.Builder
	for i := 0; i < len(kv); i += 2 {
		s := " " + kv[i] + "=" + kv[i+1] + "\n"
		n := len(s)
		for len(fmt.Sprint(n))+len(s) != n {
			n = len(fmt.Sprint(n)) + len(s)
		}
		fmt.Fprintf(&b, "%d%s", n, s)
	}
	return b.String()
}

// num returns n as a field in base 256.
func num(n, size int) string {
	b := make([]byte, size)
	for i := size - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
	b[0] |= 0x80
	return string(b)
}

// sparseGNU returns a GNU sparse member with the given fragments (offset,
// length).
func sparseGNU(name string, size int, body string, frags ...[2]int) raw {
	put := func(b []byte, f [2]int) {
		copy(b, fmt.Sprintf("%011o\x00%011o\x00", f[0], f[1]))
	}
	var ext []byte
	r := raw{name: name, flag: 'S', magic: gnuMagic, size: fmt.Sprintf("%011o\x00", len(body)), edit: func(b *block) {
		copy(b[483:495], fmt.Sprintf("%011o\x00", size))
		for i, f := range frags {
			if i < 4 {
				put(b[386+24*i:], f)
			}
		}
		if len(frags) > 4 {
			b[482] = 1
		}
	}}
	for i := 4; i < len(frags); i += 21 {
		e := make([]byte, blockSize)
		for j := i; j < len(frags) && j < i+21; j++ {
			put(e[24*(j-i):], frags[j])
		}
		if i+21 < len(frags) {
			e[504] = 1
		}
		ext = append(ext, e...)
	}
	r.body = string(ext) + body // the size field counts body only
	return r
}

// corpus returns tars of every form that the walker reads, and broken ones, by
// name.
func corpus(t testing.TB) map[string][]byte {
	long := strings.Repeat("long/", 60) + "name"
	c := map[string][]byte{
		"empty":       {},
		"zeros":       make([]byte, 1024),
		"no marker":   raw{name: "a", flag: '0', body: "x"}.bytes(),
		"one zero":    append(raw{name: "a", flag: '0'}.bytes(), make([]byte, 512)...),
		"zero, data":  append(make([]byte, 512), raw{name: "a", flag: '0'}.bytes()...),
		"after end":   append(raws(raw{name: "a", flag: '0'}), "rubbish"...),
		"v7":          raws(raw{name: "d/", magic: "-"}, raw{name: "d/f", magic: "-", body: "x"}, raw{name: "l", link: "d/f", flag: '2', magic: "-"}),
		"prefix":      raws(raw{name: "f", prefix: "a/b", flag: '0'}, raw{name: "full" + strings.Repeat("n", 96), prefix: strings.Repeat("p", 155), flag: '0', body: "b"}),
		"star":        raws(raw{name: "f", prefix: "a/b", flag: '0', edit: func(b *block) { copy(b[508:], "tar\x00"); copy(b[476:], "00000000017 00000000017 ") }}),
		"star bad":    raws(raw{name: "f", flag: '0', edit: func(b *block) { copy(b[508:], "tar\x00"); copy(b[476:], "zzzzzzzzzzz ") }}),
		"gnu times":   raws(raw{name: "f", flag: '0', magic: gnuMagic, edit: func(b *block) { copy(b[345:], "00000000017\x0000000000017\x00") }}),
		"gnu prefix":  raws(raw{name: "f", flag: '0', magic: gnuMagic, prefix: "was/prefix/here"}),
		"gnu latin":   raws(raw{name: "f", flag: '0', magic: gnuMagic, prefix: "pr\xe9fix"}),
		"gnu long":    raws(raw{name: "././@LongLink", flag: 'L', magic: gnuMagic, body: long + "\x00"}, raw{name: "././@LongLink", flag: 'K', magic: gnuMagic, body: long + "x\x00"}, raw{name: "cut", link: "cut", flag: '2', magic: gnuMagic}),
		"long empty":  raws(raw{name: "x", flag: 'L', body: "\x00"}, raw{name: "kept", flag: '0'}),
		"long twice":  raws(raw{flag: 'L', body: "one"}, raw{flag: 'L', body: "two"}, raw{name: "x", flag: '0'}),
		"long, end":   raws(raw{flag: 'L', body: "one"}),
		"too long":    raws(raw{flag: 'L', body: strings.Repeat("x", 1<<20+1)}, raw{name: "x", flag: '0'}),
		"pax":         raws(raw{name: "h", flag: 'x', body: records("path", long, "size", "3", "uid", "4000000", "gid", "-5", "mtime", "-1.5", "atime", "1", "SCHILY.xattr.user.b", "2", "SCHILY.xattr.user.a", "1\x00", "SCHILY.xattr.user.e", "", "linkpath", "", "comment", "x")}, raw{name: "short", flag: '0', body: "abc", size: "0"}),
		"pax last":    raws(raw{flag: 'x', body: records("path", "one", "uid", "bad", "path", "two", "uid", "3", "SCHILY.xattr.a", "1", "SCHILY.xattr.a", "2")}, raw{name: "x", flag: '0'}),
		"pax twice":   raws(raw{flag: 'x', body: records("path", "one", "uid", "9")}, raw{flag: 'x', body: records("gid", "3")}, raw{name: "x", flag: '0'}),
		"pax, long":   raws(raw{flag: 'x', body: records("path", "one")}, raw{flag: 'L', body: "two"}, raw{name: "x", flag: '0'}),
		"pax global":  raws(raw{flag: 'x', body: records("path", "lost")}, raw{name: "g", flag: 'g', body: records("path", "no", "uid", "bad")}, raw{name: "kept", flag: '0'}),
		"pax bad":     raws(raw{flag: 'x', body: "9 path=x\n\n"}, raw{name: "x", flag: '0'}),
		"pax NUL":     raws(raw{flag: 'x', body: records("path", "a\x00b")}, raw{name: "x", flag: '0'}),
		"pax size":    raws(raw{flag: 'x', body: records("size", "-1")}, raw{name: "x", flag: '0'}),
		"pax huge":    raws(raw{flag: 'x', body: records("size", "9223372036854775807")}, raw{name: "x", flag: '0'}),
		"pax link":    raws(raw{flag: 'x', body: records("size", "-1")}, raw{name: "x", link: "y", flag: '1'}),
		"base 256":    raws(raw{name: "x", flag: '0', size: num(3, 12), uid: num(1<<30, 8), mtime: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0", body: "abc"}),
		"negative":    raws(raw{name: "x", flag: '0', size: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}),
		"negative in": raws(raw{name: "x", flag: '2', link: "y", size: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}),
		"overflow":    raws(raw{name: "x", flag: '0', size: "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}),
		"not octal":   raws(raw{name: "x", flag: '0', uid: "0000009\x00"}),
		"spaces":      raws(raw{name: "x", flag: '0', mode: "   644 \x00", uid: "       \x00", size: "          3 ", body: "abc"}),
		"link size":   raws(raw{name: "x", flag: '0', body: "abc"}, raw{name: "y", link: "x", flag: '1', size: "00000000003\x00"}, raw{name: "z", flag: '5', size: "00000001000\x00"}),
		"link body":   raws(raw{name: "x", flag: '0', body: "abc"}, raw{name: "y", link: "x", flag: '1', body: "abc"}),
		"types":       raws(raw{name: "c", flag: '3', edit: func(b *block) { copy(b[329:], "0000005\x000000001\x00") }}, raw{name: "b", flag: '4'}, raw{name: "p", flag: '6'}, raw{name: "f", flag: '7', body: "x"}, raw{name: "V", flag: 'V', body: "volume"}, raw{name: "A", flag: 'A'}, raw{name: "after", flag: '0'}),
		"markers":     raws(raw{name: "a/.wh.b", flag: '0'}, raw{name: "a/.wh..wh..opq", flag: '0'}, raw{name: ".wh..wh..opq", flag: '0'}, raw{name: ".wh.d/", flag: '5'}, raw{name: ".wh.d/f", flag: '0', body: "x"}, raw{name: ".wh.b", flag: '0', body: "body"}, raw{name: "x/.wh.", flag: '0'}, raw{name: "x/.wh..", flag: '0'}, raw{name: "x/.wh...", flag: '0'}, raw{name: ".wh..wh.aufs", flag: '0'}, raw{name: ".wh..wh.orph/x", flag: '0', body: "x"}, raw{name: "s/.wh.l", link: "x", flag: '2'}),
		"names":       raws(raw{name: "./", flag: '5'}, raw{name: "/abs", flag: '0'}, raw{name: "a//b/./c", flag: '0'}, raw{name: "../../up", flag: '0'}, raw{name: "a/x/../y", flag: '0'}, raw{name: "f/", flag: '0', body: "x"}, raw{name: "..", flag: '5'}, raw{name: "", flag: '0', body: "x"}, raw{name: "d//", flag: '5'}, raw{name: "..data", link: "../..", flag: '2'}, raw{name: "h", link: "/../f", flag: '1'}, raw{name: "a\\b\n\x1b\xff", flag: '0'}),
		"sparse gnu":  raws(sparseGNU("s", 10000, "abcdef", [2]int{512, 3}, [2]int{9000, 3}), raw{name: "z", flag: '0'}),
		"sparse ext":  raws(sparseGNU("s", 1<<20, strings.Repeat("y", 30), many(30)...), raw{name: "z", flag: '0', body: "x"}),
		"sparse bad":  raws(sparseGNU("s", 10, "abcdef", [2]int{5, 3}, [2]int{2, 3})),
		"sparse less": raws(sparseGNU("s", 100, "abc", [2]int{5, 30}), raw{name: "z", flag: '0'}),
		"sparse more": raws(sparseGNU("s", 100, "abcdef", [2]int{5, 3}), raw{name: "z", flag: '0'}),
		"sparse v7":   raws(raw{name: "s", flag: 'S', magic: "-"}),
		"sparse 0.0":  raws(raw{flag: 'x', body: records("GNU.sparse.size", "1000", "GNU.sparse.numblocks", "2", "GNU.sparse.offset", "10", "GNU.sparse.numbytes", "2", "GNU.sparse.offset", "20", "GNU.sparse.numbytes", "1")}, raw{name: "s", flag: '0', body: "abc"}),
		"sparse 0.1":  raws(raw{flag: 'x', body: records("GNU.sparse.name", "real", "GNU.sparse.size", "1000", "GNU.sparse.numblocks", "2", "GNU.sparse.map", "10,2,20,1")}, raw{name: "GNUSparseFile.1/s", flag: '0', body: "abc"}),
		"sparse 1.0":  raws(raw{flag: 'x', body: records("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "real", "GNU.sparse.realsize", "1000")}, raw{name: "GNUSparseFile.1/s", flag: '0', body: pad("2\n10\n2\n20\n1\n") + "abc"}),
		"sparse 8Ei":  raws(raw{flag: 'x', body: records("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "real", "GNU.sparse.realsize", "9223372036854775807")}, raw{name: "s", flag: '0', body: pad("1\n9223372036854775804\n3\n") + "abc"}),
		"sparse 2.0":  raws(raw{flag: 'x', body: records("GNU.sparse.major", "2", "GNU.sparse.minor", "0")}, raw{name: "s", flag: '0', body: "abc"}),
		"sparse dir":  raws(raw{flag: 'x', body: records("GNU.sparse.map", "0,0", "GNU.sparse.numblocks", "1")}, raw{name: "s", flag: '5'}),
		"sparse odd":  raws(raw{flag: 'x', body: records("GNU.sparse.offset", "", "GNU.sparse.map", "1,1")}, raw{name: "s", flag: '0'}),
	}
	for _, f := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		hs := []tar.Header{
			{Name: "dir/", Typeflag: '5', Mode: 0o1777, ModTime: time.Unix(1700000000, 0), Format: f},
			{Name: "dir/file", Typeflag: '0', Size: 700, Mode: 0o644, Uid: 1000, Gid: 1000, Uname: "u", ModTime: time.Unix(1, 0), Format: f},
			{Name: strings.Repeat("d/", 60) + "f", Typeflag: '0', Size: 1, Format: f},
			{Name: "null", Typeflag: '3', Devmajor: 1, Devminor: 3, Format: f},
			{Name: "dir/hard", Typeflag: '1', Linkname: "dir/file", Format: f},
			{Name: "dir/soft", Typeflag: '2', Linkname: "/etc/x", Format: f},
		}
		if f != tar.FormatUSTAR {
			hs = append(hs,
				tar.Header{Name: long, Typeflag: '2', Linkname: long, Format: f},
				tar.Header{Name: "big owner", Typeflag: '0', Uid: 1 << 31, Size: 5, Format: f})
		}
		if f == tar.FormatPAX {
			hs = append(hs, tar.Header{Name: "attr", Typeflag: '0', Size: 2, PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}, ModTime: time.Unix(5, 500), Format: f},
				tar.Header{Typeflag: 'g', Name: "pax_global_header", PAXRecords: map[string]string{"comment": "c"}, Format: f},
				tar.Header{Name: "ünïcode", Typeflag: '0', Format: f})
		}
		c[f.String()] = build(t, hs...)
	}
	return c
}

func many(n int) (frags [][2]int) {
	for i := range n {
		frags = append(frags, [2]int{i * 1000, 1})
	}
	return frags
}

func pad(s string) string { return s + string(make([]byte, -len(s)&(blockSize-1))) }

// TestOracle compares the walker with archive/tar on the whole corpus: complete
// tars, truncated ones, and ones with a flipped bit.
func TestOracle(t *testing.T) {
	step := 17
	if testing.Short() {
		step = 211
	}
	for name, p := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			compare(t, p)
			if len(p) > 64<<10 {
				return // it tests the size, and would take too long
			}
			for n := 0; n < len(p); n += 61 {
				compare(t, p[:n])
				compare(t, p[:n&^(blockSize-1)])
			}
			for i := 0; i < len(p); i += step {
				q := bytes.Clone(p)
				q[i] ^= 1 << (i % 8)
				compare(t, q)
				fixChecksums(t, q)
				compare(t, q)
			}
		})
	}
}
