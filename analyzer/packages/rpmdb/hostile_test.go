package rpmdb

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tag is a tag of a header that buildHeader makes.
type tag struct {
	entry
	tag  uint32
	data string // at the end of the data, unless there is an offset
}

func text(number uint32, s string) tag {
	return tag{entry{typ: typeString, count: 1}, number, s + "\x00"}
}

func texts(number uint32, s ...string) tag {
	return tag{entry{typ: typeStringArray, count: uint32(len(s))}, number, strings.Join(s, "\x00") + "\x00"}
}

func numbers(number uint32, n ...uint32) tag {
	var data []byte
	for _, v := range n {
		data = binary.BigEndian.AppendUint32(data, v)
	}
	return tag{entry{typ: typeInt32, count: uint32(len(n))}, number, string(data)}
}

func buildHeader(tags ...tag) []byte {
	var index, data []byte
	for _, t := range tags {
		if t.offset == 0 {
			t.offset = uint32(len(data))
			data = append(data, t.data...)
		}
		for _, v := range []uint32{t.tag, t.typ, t.offset, t.count} {
			index = binary.BigEndian.AppendUint32(index, v)
		}
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	return slices.Concat(out, index, data)
}

// buildNDB returns an ndb database with these headers.
func buildNDB(headers ...[]byte) []byte {
	pages := len(headers)/250 + 1
	out := make([]byte, pages*ndbPageSize)
	copy(out, ndbMagic)
	le.PutUint32(out[12:], uint32(pages))
	for at := 32; at < len(out); at += ndbBlockSize {
		copy(out[at:], ndbSlot)
	}
	for i, h := range headers {
		start, number := len(out), uint32(i+1)
		out = append(out, ndbBlob...)
		out = le.AppendUint32(out, number)
		out = le.AppendUint32(out, 0)
		out = le.AppendUint32(out, uint32(len(h)))
		out = append(out, h...)
		for len(out)%ndbBlockSize != ndbBlockSize-ndbBlobTail {
			out = append(out, 0)
		}
		out = le.AppendUint32(out, adler32.Checksum(out[start:]))
		out = le.AppendUint32(out, uint32(len(h)))
		out = append(out, ndbBlobEnd...)
		slot := out[32+i*ndbBlockSize:]
		le.PutUint32(slot[4:], number)
		le.PutUint32(slot[8:], uint32(start/ndbBlockSize))
		le.PutUint32(slot[12:], uint32((len(out)-start)/ndbBlockSize))
	}
	return out
}

var minimal = []tag{text(tagName, "a"), text(tagVersion, "1"), text(tagRelease, "2")}

// readBounded is read. It fails the test if Read allocates more than some multiple of
// the size of the data.
func readBounded(t *testing.T, data []byte) ([]Package, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	packages, err := read(data)
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(64*len(data)+1<<20); got > limit {
		t.Errorf("reading %d bytes allocates %d, more than %d", len(data), got, limit)
	}
	return packages, err
}

func TestBuild(t *testing.T) { // the other tests mean something only if this works
	files := []tag{texts(tagDirNames, "/usr/", "/"), texts(tagBaseNames, "b", "usr", "c"), numbers(tagDirIndexes, 0, 1, 0)}
	one := buildHeader(append(files, minimal...)...)
	got, err := read(buildNDB(one,
		buildHeader(append([]tag{text(tagArch, "noarch"), numbers(tagEpoch, 3)}, minimal...)...),
		buildHeader(text(tagName, "gpg-pubkey"), text(tagVersion, "1"), text(tagRelease, "2"))))
	want := []Package{
		{Name: "a", Version: "1", Release: "2", Dirs: []string{"/usr/", "/"}, Names: [][]string{{"b", "c"}, {"usr"}}},
		{Name: "a", Version: "1", Release: "2", Epoch: 3, Arch: "noarch", Names: [][]string{}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, data := range map[string][]byte{"bdb": buildBDB(one), "sqlite": buildSQLite(one)} {
		if got, err := read(data); err != nil || !cmp.Equal(want[:1], got) {
			t.Errorf("%s: got %+v and %v", name, got, err)
		}
	}
}

func TestDamagedHeader(t *testing.T) {
	with := func(tags ...tag) []byte { return buildHeader(append(tags, minimal...)...) }
	patched := func(at int, v uint32) []byte {
		h := with()
		binary.BigEndian.PutUint32(h[at:], v)
		return h
	}
	names, dirs := texts(tagBaseNames, "b", "c"), texts(tagDirNames, "/usr/")
	for _, c := range []struct {
		name   string
		header []byte
		want   string
	}{
		{"empty", nil, "too short"},
		{"no entries", make([]byte, 8), "don't make 8 bytes"},
		{"more entries than bytes", patched(0, 1<<31), "don't make"},
		{"an entry too many", patched(0, 4), "don't make"},
		{"sizes that overflow 32 bits", patched(0, 1<<28+3), "don't make"},
		{"more data than bytes", patched(4, 1<<31), "don't make"},
		{"no name", buildHeader(minimal[1:]...), "has no name"},
		{"no version", buildHeader(minimal[0], minimal[2]), "has no version"},
		{"no release", buildHeader(minimal[:2]...), "has no release"},
		{"a name that is a number", with(numbers(tagArch, 1)), "has type 4, not 6"},
		{"a name without an end", buildHeader(minimal[1], minimal[2], tag{entry{typ: typeString, count: 1}, tagName, "a"}), "has no end"},
		{"a name after the data", with(tag{entry{typeString, 6, 1}, tagArch, ""}), "at byte 6 of 6"},
		{"a name at the largest offset", with(tag{entry{typeString, 1<<32 - 1, 1}, tagArch, ""}), "at byte 4294967295"},
		{"no values", with(tag{entry{typeInt32, 1, 0}, tagEpoch, ""}), "has 0 values"},
		{"values that overflow 32 bits", with(tag{entry{typeInt32, 1, 1 << 30}, tagEpoch, ""}), "1073741824 values"},
		{"ten million names", with(dirs, numbers(tagDirIndexes, 0), tag{entry{typeStringArray, 1, 1e7}, tagBaseNames, ""}), "strings, not 10000000"},
		{"ten million folders", with(tag{entry{typeStringArray, 1, 1e7}, tagDirNames, ""}), "strings, not 10000000"},
		{"names without folders", with(names), "2 names, but 0 folder indexes"},
		{"folders for other names", with(names, dirs, numbers(tagDirIndexes, 0)), "2 names, but 1 folder indexes"},
		{"folders for no names", with(dirs, numbers(tagDirIndexes, 0)), "0 names, but 1 folder indexes"},
		{"a folder that does not exist", with(names, dirs, numbers(tagDirIndexes, 0, 1)), `"c" is in folder 1 of 1`},
		{"a folder of a large number", with(names, dirs, numbers(tagDirIndexes, 0, 1<<32-1)), "is in folder 4294967295 of 1"},
		{"states for other names", with(names, dirs, numbers(tagDirIndexes, 0, 0), tag{entry{typ: typeChar, count: 1}, tagFileStates, "\x00"}), "and 1 states"},
	} {
		packages, err := readBounded(t, buildNDB(with(), c.header))
		if err == nil || !strings.Contains(err.Error(), c.want) || packages != nil {
			t.Errorf("%s: got %d packages and %v, want %q", c.name, len(packages), err, c.want)
		}
	}
}

func TestManyFiles(t *testing.T) {
	const n = MaxFiles/2 + 1
	names := tag{entry{typ: typeStringArray, count: n}, tagBaseNames, strings.Repeat("\x00", n)}
	indexes := tag{entry{typ: typeInt32, count: n}, tagDirIndexes, strings.Repeat("\x00", 4*n)}
	h := buildHeader(append(minimal, names, texts(tagDirNames, "/"), indexes)...)
	if _, err := readBounded(t, buildNDB(h)); err != nil {
		t.Error(err)
	}
	if packages, err := readBounded(t, buildNDB(h, h)); err == nil || packages != nil {
		t.Errorf("got %d packages and %v, want an error", len(packages), err)
	}
}

func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", MaxNames/2)
	file := buildHeader(append(minimal, texts(tagDirNames, long), texts(tagBaseNames, "b"), numbers(tagDirIndexes, 0))...)
	name := buildHeader(text(tagName, long), minimal[1], minimal[2])
	if _, err := readBounded(t, buildNDB(file)); err != nil {
		t.Error(err)
	}
	for _, headers := range [][][]byte{{file, file}, {name, name}} {
		if packages, err := readBounded(t, buildNDB(headers...)); err == nil || packages != nil {
			t.Errorf("got %d packages and %v, want an error", len(packages), err)
		}
	}
}

func TestManyPackages(t *testing.T) {
	headers := slices.Repeat([][]byte{buildHeader(minimal...)}, MaxPackages+1)
	if _, err := readBounded(t, buildNDB(headers[1:]...)); err != nil {
		t.Error(err)
	}
	if packages, err := readBounded(t, buildNDB(headers...)); err == nil || packages != nil {
		t.Errorf("got %d packages and %v, want an error", len(packages), err)
	}
}

func TestTruncated(t *testing.T) {
	want := installed(t)
	for _, name := range databases {
		data := testdata(t, name)
		failed := 0
		for size := 0; size < len(data); size += 509 {
			packages, err := read(data[:size])
			if err == nil && !cmp.Equal(want, format(packages)) {
				t.Errorf("%s: %d of %d bytes have %d packages", name, size, len(data), len(packages))
			} else if err != nil {
				failed++
			}
		}
		if failed == 0 {
			t.Errorf("%s: no error at any size", name)
		}
	}
}

var be, le = binary.BigEndian, binary.LittleEndian

func TestDamagedSQLite(t *testing.T) {
	const page = 4096
	// The root of the table is page 2, page 68 a leaf with one row, and page 55 begins
	// a chain of overflow pages.
	root, leaf, overflow := 1*page, 67*page, 54*page
	cell := func(d []byte, page int) []byte { return d[page+int(be.Uint16(d[page+8:])):] }
	for _, c := range []struct {
		name   string
		damage func(d []byte)
		want   string
	}{
		{"no page size", func(d []byte) { be.PutUint16(d[16:], 0) }, "pages of 0 bytes"},
		{"an odd page size", func(d []byte) { be.PutUint16(d[16:], 4095) }, "pages of 4095 bytes"},
		{"pages without room", func(d []byte) { be.PutUint16(d[16:], 512); d[20] = 255 }, "257 of them usable"},
		{"another page size", func(d []byte) { be.PutUint16(d[16:], 1) }, "schema"},
		{"no table", func(d []byte) { copy(d, bytes.ReplaceAll(d, []byte("Packages"), []byte("packages"))) }, "no table Packages"},
		{"an empty page", func(d []byte) { clear(d[leaf:][:page]) }, "page 68 is not part of a table"},
		{"a last child that is its parent", func(d []byte) { be.PutUint32(d[root+8:], 2) }, "page 2 is used twice"},
		{"a child that is its parent", func(d []byte) {
			be.PutUint32(d[root+int(be.Uint16(d[root+12:])):], 2)
		}, "page 2 is used twice"},
		{"a child that does not exist", func(d []byte) { be.PutUint32(d[root+8:], 1<<32-1) }, "page 4294967295 does not exist"},
		{"page 0", func(d []byte) { be.PutUint32(d[root+8:], 0) }, "page 0 does not exist"},
		{"more children than pages", func(d []byte) { be.PutUint16(d[root+3:], 1<<16-1) }, "page 2 has 65535 cells"},
		{"a child after the page", func(d []byte) { be.PutUint16(d[root+12:], page-3) }, "page 2 has a cell at byte 4093"},
		{"more rows than bytes", func(d []byte) { be.PutUint16(d[leaf+3:], 1<<16-1) }, "it has 65535 cells"},
		{"a row after the page", func(d []byte) { be.PutUint16(d[leaf+8:], 1<<16-1) }, "it has a cell at byte 65535"},
		{"a row at the last byte", func(d []byte) { be.PutUint16(d[leaf+8:], page-1); d[leaf+page-1] = 1 }, "it has a row"},
		{"many rows in one place", func(d []byte) {
			at := be.Uint16(d[leaf+8:])
			be.PutUint16(d[leaf+3:], 100)
			for i := range 100 {
				be.PutUint16(d[leaf+8+2*i:], at)
			}
		}, "its cells overlap"},
		{"a row of 2 GiB", func(d []byte) { copy(cell(d, leaf), "\x88\x80\x80\x80\x00") }, "a row of 2147483648 bytes"},
		{"a row of the largest size", func(d []byte) { copy(cell(d, leaf), "\xff\xff\xff\xff\xff\xff\xff\xff\xff") }, "a row of 18446744073709551615 bytes"},
		{"a row without columns", func(d []byte) { cell(d, leaf)[3] = 1 }, "lacks a column"},
		{"a row with a header of its own size", func(d []byte) { cell(d, leaf)[3] = 0xff }, "damaged"},
		{"a text", func(d []byte) { cell(d, leaf)[6] ^= 1 }, "not a blob"},
		{"a chain that loops", func(d []byte) { be.PutUint32(d[overflow:], 55) }, "page 55 is used twice"},
		{"a chain that ends early", func(d []byte) { be.PutUint32(d[overflow:], 0) }, "page 0 does not exist"},
		{"a chain through the table", func(d []byte) { be.PutUint32(d[overflow:], 2) }, "page 2 is used twice"},
	} {
		checkDamaged(t, c.name, testdata(t, "sqlite"), c.damage, c.want)
	}
}

func TestDamagedNDB(t *testing.T) {
	first, second := 32, 48 // slots
	blob := ndbPageSize     // of the first package
	for _, c := range []struct {
		name   string
		damage func(d []byte)
		want   string
	}{
		{"another version", func(d []byte) { d[4] = 1 }, "version 1 is not supported"},
		{"no slots", func(d []byte) { clear(d[12:16]) }, "0 bytes of slots"},
		{"more slots than bytes", func(d []byte) { le.PutUint32(d[12:], 1<<32-1) }, "truncated"},
		{"a blob among the slots", func(d []byte) { le.PutUint32(d[12:], 2) }, "truncated"},
		{"a damaged slot", func(d []byte) { d[first] = 's' }, "no slot at byte 32"},
		{"a blob after the file", func(d []byte) { le.PutUint32(d[second+8:], 1<<32-1) }, "truncated"},
		{"a blob in the slots", func(d []byte) { le.PutUint32(d[first+8:], 1) }, "package 1 overlaps other data"},
		{"two packages in one blob", func(d []byte) { copy(d[second:], d[first:][:16]) }, "package 1 overlaps other data"},
		{"a large blob", func(d []byte) { le.PutUint32(d[second+12:], 1<<32-1) }, "truncated"},
		{"an empty blob", func(d []byte) { le.PutUint32(d[first+12:], 0) }, "too short"},
		{"a short blob", func(d []byte) { le.PutUint32(d[first+12:], 2) }, "don't match"},
		{"another package", func(d []byte) { d[first+4] = 2 }, "don't match"},
		{"another size", func(d []byte) { d[blob+12]-- }, "don't match"},
		{"a large size", func(d []byte) { le.PutUint32(d[blob+12:], 1<<32-1) }, "don't match"},
		{"other content", func(d []byte) { d[blob+ndbBlobHead] = 1 }, "checksum"},
	} {
		h := buildHeader(minimal...)
		checkDamaged(t, c.name, buildNDB(h, h), c.damage, c.want)
	}
}

func TestDamagedBDB(t *testing.T) {
	const page = 4096
	find := func(d []byte, typ byte, ok func(p []byte) bool) []byte {
		for at := page; at < len(d); at += page {
			if p := d[at:][:page]; p[25] == typ && ok(p) {
				return p
			}
		}
		t.Fatalf("no page of type %d", typ)
		return nil
	}
	bucket := func(d []byte) []byte { // a page whose first value is in a chain
		return find(d, bdbHash, func(p []byte) bool {
			return le.Uint16(p[20:]) > 0 && p[le.Uint16(p[bdbHead+2:])] == bdbOffPage
		})
	}
	chain := func(d []byte) []byte {
		return find(d, bdbOverflow, func(p []byte) bool { return le.Uint32(p[16:]) != 0 })
	}
	value := func(d []byte) []byte { p := bucket(d); return p[le.Uint16(p[bdbHead+2:]):] }
	for _, c := range []struct {
		name   string
		damage func(d []byte)
		want   string
	}{
		{"another version", func(d []byte) { d[16] = 7 }, "version 7 is not supported"},
		{"an encrypted one", func(d []byte) { d[24] = 1 }, "not a plain hash table"},
		{"one with checksums", func(d []byte) { d[26] = 1 }, "not a plain hash table"},
		{"another type", func(d []byte) { d[25] = 9 }, "not a plain hash table"},
		{"no page size", func(d []byte) { le.PutUint32(d[20:], 0) }, "pages of 0 bytes"},
		{"a large page size", func(d []byte) { le.PutUint32(d[20:], 1<<31) }, "pages of 2147483648 bytes"},
		{"an odd page size", func(d []byte) { le.PutUint32(d[20:], 4095) }, "pages of 4095 bytes"},
		{"another page size", func(d []byte) { le.PutUint32(d[20:], 512) }, "has type"},
		{"many buckets", func(d []byte) { le.PutUint32(d[72:], 1<<32-1) }, "page"},
		{"a bucket after the file", func(d []byte) { le.PutUint32(d[96:], 1<<32-1) }, "page 4294967295 does not exist"},
		{"a bucket in the first page", func(d []byte) { le.PutUint32(d[100:], 1<<32-1) }, "page"},
		{"an empty page", func(d []byte) { clear(bucket(d)) }, "has type 0"},
		{"a bucket that loops", func(d []byte) { p := bucket(d); copy(p[16:20], p[8:]) }, "is used twice"},
		{"an odd number of items", func(d []byte) { bucket(d)[20] |= 1 }, "items"},
		{"more items than bytes", func(d []byte) { le.PutUint16(bucket(d)[20:], 1<<16-2) }, "has 65534 items"},
		{"an item after the page", func(d []byte) { le.PutUint16(bucket(d)[bdbHead:], page) }, "has an item at byte 4096"},
		{"an item in the offsets", func(d []byte) { le.PutUint16(bucket(d)[bdbHead:], bdbHead) }, "has an item at byte 26"},
		{"two items in one place", func(d []byte) { p := bucket(d); copy(p[bdbHead+2:], p[bdbHead:bdbHead+2]) }, "has an item at byte"},
		{"a long key", func(d []byte) { p := bucket(d); p[bdbHead]--; p[bdbHead+2]-- }, "has a key"},
		{"a value of another type", func(d []byte) { value(d)[0] = 2 }, "has an item of type 2"},
		{"a value that is no header", func(d []byte) { value(d)[0] = bdbInline }, "don't make 11 bytes"},
		{"a value of 2 GiB", func(d []byte) { le.PutUint32(value(d)[8:], 1<<31) }, "reading a value of 2147483648 bytes"},
		{"a chain that does not exist", func(d []byte) { le.PutUint32(value(d)[4:], 1<<32-1) }, "page 4294967295 does not exist"},
		{"a chain that loops", func(d []byte) { p := chain(d); copy(p[16:20], p[8:]) }, "is used twice"},
		{"a chain of empty pages that loops", func(d []byte) { p := chain(d); copy(p[16:20], p[8:]); clear(p[22:24]) }, "is used twice"},
		{"a chain that ends early", func(d []byte) { clear(chain(d)[16:20]) }, "page 0 is used twice"},
		{"a long page in a chain", func(d []byte) { le.PutUint16(chain(d)[22:], 1<<16-1) }, "has 65535 bytes of a value"},
	} {
		checkDamaged(t, c.name, testdata(t, "bdb"), c.damage, c.want)
	}
}

// checkDamaged checks that a database can't be read once it is damaged.
func checkDamaged(t *testing.T, name string, data []byte, damage func([]byte), want string) {
	t.Helper()
	damage(data)
	packages, err := readBounded(t, data)
	if err == nil || !strings.Contains(err.Error(), want) || packages != nil {
		t.Errorf("%s: got %d packages and %v, want %q", name, len(packages), err, want)
	}
}

// buildBDB returns a hash table with one bucket and this header, in pages of 512 bytes.
func buildBDB(header []byte) []byte {
	const size = 512
	meta, bucket := make([]byte, size), make([]byte, size)
	for i, v := range map[int]uint32{12: bdbMagic, 16: 9, 20: size, 96: 1} {
		le.PutUint32(meta[i:], v)
	}
	meta[25] = bdbHashMeta
	le.PutUint32(bucket[8:], 1) // its number
	bucket[20], bucket[25] = 2, bdbHash
	copy(bucket[size-5:], "\x01\x01\x00\x00\x00")
	value := bucket[size-17:]
	value[0] = bdbOffPage
	le.PutUint32(value[4:], 2)
	le.PutUint32(value[8:], uint32(len(header)))
	le.PutUint16(bucket[bdbHead:], size-5)
	le.PutUint16(bucket[bdbHead+2:], size-17)
	out := slices.Concat(meta, bucket)
	for no := uint32(2); len(header) > 0; no++ {
		page := make([]byte, size)
		n := copy(page[bdbHead:], header)
		header = header[n:]
		le.PutUint32(page[8:], no)
		le.PutUint16(page[22:], uint16(n))
		if page[25] = bdbOverflow; len(header) > 0 {
			le.PutUint32(page[16:], no+1)
		}
		out = append(out, page...)
	}
	return out
}

// FuzzRead starts from small databases, because it can't do much with those in
// testdata.
func FuzzRead(f *testing.F) {
	small := buildHeader(append(minimal, texts(tagDirNames, "/"), texts(tagBaseNames, "b"), numbers(tagDirIndexes, 0))...)
	large := buildHeader(append(minimal, texts(1005, strings.Repeat("x", 600)))...)
	f.Add(buildNDB(small, large))
	f.Add(buildSQLite(small, large))
	f.Add(buildBDB(large))
	f.Fuzz(func(t *testing.T, data []byte) {
		packages, err := readBounded(t, data)
		if err != nil && packages != nil {
			t.Errorf("%d packages and %v", len(packages), err)
		}
		for _, p := range packages {
			if len(p.Dirs) != len(p.Names) {
				t.Errorf("%d folders, but names in %d", len(p.Dirs), len(p.Names))
			}
		}
	})
}
