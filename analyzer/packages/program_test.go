package packages

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"compress/zlib"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// program returns a file of testdata/programs.
func program(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "programs", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// noted returns what a looker notes about a file at path, read at offsets and from its
// start, which must be the same.
func noted(t *testing.T, k layer.Looker, path string, p []byte) *listed {
	t.Helper()
	l := layer.Looking{Lookers: []layer.Looker{k}}
	at, err := l.At(path, int64(len(p)), bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := l.Read(path, int64(len(p)), bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(at, stream) {
		t.Fatalf("%s: read at offsets %+v, from the start %+v", path, at, stream)
	}
	if len(at) == 0 {
		return &listed{}
	}
	return parseNote(at[0].Data)
}

// What a Go program says about itself is what debug/buildinfo reads, which go version -m
// prints. The programs are of all linkers, and smaller and larger than what is read as
// a whole.
func TestReadGo(t *testing.T) {
	large := 0
	for _, tt := range []struct{ file, name, version string }{
		{"hello", "example.com/hello/v2", "(devel)"},           // Go's linker
		{"external", "example.com/hello/v2", "(devel)"},        // GNU ld, position-independent
		{"gofmt", "cmd/gofmt", "go1.26.8"},                     // of Go
		{"kubectl", "k8s.io/kubernetes", "4cb5f0764b8d+dirty"}, // Go's linker, 57 MB
		{"docker", "github.com/docker/cli/cmd/docker", ""},     // LLVM's lld, 42 MB, and without a main module
	} {
		p := program(t, tt.file)
		info, err := buildinfo.Read(bytes.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		want := record{Type: facts.TypeGo, Name: tt.name, Version: tt.version, Arch: "amd64", Self: true, Modules: []string{"stdlib@" + info.GoVersion}}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			want.Modules = append(want.Modules, m.Path+"@"+m.Version)
		}
		if name := cmp.Or(info.Main.Path, info.Path); name != tt.name {
			t.Errorf("%s: debug/buildinfo says %s", tt.file, name)
		}
		k := programs()
		for _, whole := range []int64{k.Whole, 1} {
			k.Whole = whole
			got := noted(t, k, "usr/bin/x", p)
			if d := gocmp.Diff([]record{want}, got.records); d != "" || got.problem != "" {
				t.Errorf("%s, whole up to %d: %s (-want +got):\n%s", tt.file, whole, got.problem, d)
			}
		}
		if int64(len(p)) > wholeProgram {
			large++
		}
	}
	if large != 2 {
		t.Errorf("%d programs are not read as a whole", large)
	}
}

// Reading a large program costs few bytes of it.
func TestProgramIsRead(t *testing.T) {
	for _, name := range []string{"kubectl", "docker"} {
		p := program(t, name)
		r := &counting{r: bytes.NewReader(p)}
		l := layer.Looking{Lookers: []layer.Looker{programs()}}
		if notes, err := l.At(name, int64(len(p)), r); len(notes) != 1 || err != nil {
			t.Fatalf("%s: %v, %v", name, notes, err)
		}
		if r.n > 2<<20 || r.calls > 12 {
			t.Errorf("%s: %d bytes were read with %d calls", name, r.n, r.calls)
		}
	}
}

type counting struct {
	r     io.ReaderAt
	n     int64
	calls int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.n += int64(len(p))
	c.calls++
	return c.r.ReadAt(p, off)
}

func TestReadProgram(t *testing.T) {
	crates := []record{{Type: facts.TypeCargo, Name: "hello", Version: "0.3.1", Self: true, Modules: []string{"anyhow@1.0.86", "libc@0.2.155"}}}
	note := []record{{Type: facts.TypeELF, Name: "hello-note", Version: "1.2-3", Arch: "amd64", Self: true}}
	audited, hello := program(t, "audited"), program(t, "noted")
	for _, tt := range []struct {
		name string
		p    []byte
		want []record
		err  string
	}{
		{"cargo auditable", audited, crates, ""},
		{"package note", hello, note, ""},
		{"crates that are not zlib", bytes.Replace(audited, []byte("\x78\x9c"), []byte("\x00\x00"), 1), nil, "reading the list of crates: zlib: invalid header"},
		{"note that is not JSON", bytes.Replace(hello, []byte(`{"type"`), []byte(`["type"`), 1), nil, "reading the note about its package: invalid character"},
		{"note without a name", bytes.Replace(hello, []byte(`"name"`), []byte(`"nime"`), 1), nil, "reading the note about its package: it has no name"},
		{"note of another type", bytes.Replace(hello, []byte("\x7e\x1a\xfe\xcaFDO"), []byte("\x7f\x1a\xfe\xcaFDO"), 1), nil, ""},
		{"note of another owner", bytes.Replace(hello, []byte("\x7e\x1a\xfe\xcaFDO"), []byte("\x7e\x1a\xfe\xcaFOO"), 1), nil, ""},
		{"truncated", hello[:2000], note, ""}, // the notes are at the start
		{"only a header", hello[:64], nil, ""},
		{"a section that is not Go's", bytes.Replace(oldGo(true, binary.LittleEndian), []byte("\xff Go"), []byte("\xff No"), 1), nil, ""},
		{"not ELF", []byte("#!/bin/sh" + strings.Repeat(" ", 100)), nil, ""},
	} {
		got, err := readProgram("x", &layer.Sample{Size: int64(len(tt.p)), Head: tt.p})
		if d := gocmp.Diff(tt.want, got); d != "" || (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, d)
		}
	}
}

// Only linked ELF files of at least 16 KiB are looked at, and not those with the symbols
// of others.
func TestProgramsWanted(t *testing.T) {
	k := programs()
	p := program(t, "audited")
	for path, want := range map[string]int{"usr/bin/x": 1, "usr/lib/debug/x": 0} {
		if got := noted(t, k, path, p); len(got.records) != want {
			t.Errorf("%s: %d records", path, len(got.records))
		}
	}
	object := bytes.Clone(p)
	object[16] = byte(elf.ET_REL)
	for name, p := range map[string][]byte{"object file": object, "small": program(t, "noted"), "other": append([]byte("x"), p[1:]...)} {
		if got := noted(t, k, "x", p); len(got.records) > 0 || got.problem != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// oldGo returns a program as Go 1.17 wrote them, with a main module and pointers to
// strings. Its tables are for files with 32 or 64 bits, in either byte order.
func oldGo(wide bool, order binary.AppendByteOrder) []byte {
	const base, text, data = 0x10000, 0x200, 0x400
	number := func(p []byte, n uint64) []byte {
		if wide {
			return order.AppendUint64(p, n)
		}
		return order.AppendUint32(p, uint32(n))
	}
	size := 4
	if wide {
		size = 8
	}
	version := "go1.17.1"
	mod := strings.Repeat("<", 16) + "path\texample.com/old/cmd\nmod\texample.com/old\tv1.0.0\t\ndep\texample.com/a\tv0.1.0\t\n=>\texample.com/b\tv0.2.0\t\n" + strings.Repeat(">", 16)
	p := make([]byte, 0x600)
	copy(p[text:], version+mod)
	info := append([]byte("\xff Go buildinf:"), byte(size), 0)
	if order == binary.AppendByteOrder(binary.BigEndian) {
		info[15] = 1
	}
	info = number(number(info, base+data+64), base+data+64+uint64(2*size))
	copy(p[data:], info)
	copy(p[data+64:], number(number(number(number(nil, base+text), uint64(len(version))), base+text+uint64(len(version))), uint64(len(mod))))
	names := "\x00.go.buildinfo\x00.shstrtab\x00"
	copy(p[0x500:], names)

	var b bytes.Buffer
	ident := [16]byte{0x7f, 'E', 'L', 'F', 1, 1, 1}
	if wide {
		ident[4] = 2
	}
	if info[15] == 1 {
		ident[5] = 2
	}
	put := func(v any) { _ = binary.Write(&b, order.(binary.ByteOrder), v) }
	if wide {
		put(elf.Header64{Ident: ident, Type: 2, Version: 1, Phoff: 64, Shoff: 0x700, Phentsize: 56, Phnum: 2, Shentsize: 64, Shnum: 3, Shstrndx: 2})
		put([]elf.Prog64{{Type: 1, Flags: 4, Vaddr: base, Filesz: data}, {Type: 1, Flags: 6, Off: data, Vaddr: base + data, Filesz: 0x100}})
	} else {
		put(elf.Header32{Ident: ident, Type: 2, Version: 1, Phoff: 52, Shoff: 0x700, Phentsize: 32, Phnum: 2, Shentsize: 40, Shnum: 3, Shstrndx: 2})
		put([]elf.Prog32{{Type: 1, Flags: 4, Vaddr: base, Filesz: data}, {Type: 1, Flags: 6, Off: data, Vaddr: base + data, Filesz: 0x100}})
	}
	copy(p, b.Bytes())
	b.Reset()
	b.Write(p)
	b.Write(make([]byte, 0x700-len(p)))
	if wide {
		put([]elf.Section64{{}, {Name: 1, Type: 1, Addr: base + data, Off: data, Size: 0x100}, {Name: 15, Type: 3, Off: 0x500, Size: uint64(len(names))}})
	} else {
		put([]elf.Section32{{}, {Name: 1, Type: 1, Addr: base + data, Off: data, Size: 0x100}, {Name: 15, Type: 3, Off: 0x500, Size: uint32(len(names))}})
	}
	return b.Bytes()
}

func TestReadOldGo(t *testing.T) {
	files := bytes.Replace(oldGo(true, binary.LittleEndian), []byte("example.com/old/cmd\nmod\texample.com/old\tv1.0.0\t\n"), []byte("command-line-arguments\nbuild\tGOARCH=amd64aaaaaa\n"), 1)
	if got, err := readProgram("x", &layer.Sample{Size: int64(len(files)), Head: files}); err != nil || len(got) != 1 || got[0].Name != "x" {
		t.Errorf("built from files: %+v, %v", got, err)
	}
	want := []record{{Type: facts.TypeGo, Name: "example.com/old", Version: "v1.0.0", Self: true, Modules: []string{"stdlib@go1.17.1", "example.com/b@v0.2.0"}}}
	for _, wide := range []bool{false, true} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			p := oldGo(wide, order)
			if info, err := buildinfo.Read(bytes.NewReader(p)); err != nil || info.Main.Path != "example.com/old" {
				t.Fatalf("debug/buildinfo reads %+v, %v", info, err)
			}
			got, err := readProgram("x", &layer.Sample{Size: int64(len(p)), Head: p})
			if d := gocmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("wide %v, %v: %v (-want +got):\n%s", wide, order, err, d)
			}
		}
	}
}

// Tables, sizes and strings that lie are errors or nothing, and take little memory.
func TestHostilePrograms(t *testing.T) {
	old := oldGo(true, binary.LittleEndian)
	with := func(off int, n uint64) []byte {
		p := bytes.Clone(old)
		binary.LittleEndian.PutUint64(p[off:], n)
		return p
	}
	const info, names = 0x700 + 64, 0x700 + 128
	const found = "found" // by the segment, as in a file without sections
	for _, tt := range []struct {
		name string
		p    []byte
		want string // the error
	}{
		{"the table of sections is outside", with(40, 1<<62), found},
		{"a negative offset", with(40, math.MaxUint64), found},
		{"a table across the end", with(40, 0x700+100), found},
		{"names are outside", with(names+24, 1<<63), found},
		{"names of 2^63 bytes", with(names+32, 1<<63), found},
		{"build information is outside", with(info+24, 1<<40), "the file is too large to be read as a whole"},
		{"build information of 2^63 bytes", with(info+32, 1<<63), "the file is too large to be read as a whole"},
		{"build information of 20 bytes", with(info+32, 20), "it is incomplete"},
		{"a pointer to nothing", with(0x410, 1<<40), "it points to 16 bytes at 0x10000000000, which the file does not have"},
		{"a string of 2^63 bytes", with(0x448, 1<<63), "it points to 9223372036854775808 bytes at 0x10200, which the file does not have"},
		{"a string at the end of memory", with(0x440, math.MaxUint64), "it points to 8 bytes at 0xffffffffffffffff, which the file does not have"},
		{"segments are outside", with(32, 1<<50), "it points to 16 bytes at 0x10440, which the file does not have"},
		{"a segment of 2^63 bytes", with(64+32, 1<<63), "it points to 8 bytes at 0x10200, which the file does not have"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := readProgram("x", &layer.Sample{Size: int64(len(tt.p)), Head: tt.p})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes of memory", tt.name, n)
		}
		said := found
		if err != nil {
			said = strings.TrimPrefix(err.Error(), "reading Go's build information: ")
		}
		if said != tt.want || len(got) > 0 != (tt.want == found) {
			t.Errorf("%s: got %v and the error %v, want %s", tt.name, got, err, tt.want)
		}
	}
	for n, want := range map[int]bool{1000: true, maxCrates: false, 1 << 28: false} {
		p := crates(n)
		x, _ := elfOf(old, &layer.Sample{Size: int64(len(p)), Head: p})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := readCrates(&x, section{0, uint64(len(p))})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; (err == nil) != want || len(got) > 0 != want || used > 10*maxCrates {
			t.Errorf("crates of %d bytes: %v, %v, %d bytes of memory", n, got, err, used)
		}
	}
}

// crates returns the section of a program "a" that has a crate with a long name.
func crates(n int) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	fmt.Fprintf(z, `{"packages":[{"name":"a","root":true},{"name":"%s","version":"1"}]}`, strings.Repeat("x", n))
	z.Close()
	return b.Bytes()
}

// The list of crates is found anywhere in a program that is read as a whole. In a larger
// one it may be out of reach, which is not the same as not being there.
func TestReadCratesInTheMiddle(t *testing.T) {
	for size, want := range map[int]string{3 << 20: "", wholeProgram + 1<<20: "reading the list of crates: the file is too large to be read as a whole"} {
		p := make([]byte, size)
		list, names := crates(1), "\x00.dep-v0\x00.shstrtab\x00"
		copy(p[size/2:], list)
		copy(p[size-1000:], names)
		var b bytes.Buffer
		_ = binary.Write(&b, binary.LittleEndian, elf.Header64{
			Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: 3, Version: 1, Phentsize: 56, Shoff: uint64(size - 192), Shentsize: 64, Shnum: 3, Shstrndx: 2,
		})
		copy(p, b.Bytes())
		b.Reset()
		_ = binary.Write(&b, binary.LittleEndian, []elf.Section64{
			{}, {Name: 1, Type: 1, Off: uint64(size / 2), Size: uint64(len(list))}, {Name: 9, Type: 3, Off: uint64(size - 1000), Size: uint64(len(names))},
		})
		copy(p[size-192:], b.Bytes())
		got := noted(t, programs(), "x", p)
		if got.problem != want || want == "" && (len(got.records) != 1 || got.records[0].Name != "a") {
			t.Errorf("%d bytes: %+v", size, got)
		}
	}
}

func TestGoWindow(t *testing.T) {
	const size = 64 << 20
	load := func(flags elf.ProgFlag, off, n uint64) elf.Prog64 {
		return elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(flags), Off: off, Filesz: n}
	}
	fixed := func(off, n uint64) elf.Prog64 {
		return elf.Prog64{Type: uint32(elf.PT_GNU_RELRO), Flags: uint32(elf.PF_R), Off: off, Filesz: n}
	}
	text := load(elf.PF_R|elf.PF_X, 0, 8<<20)
	for _, tt := range []struct {
		name   string
		progs  []elf.Prog64
		off, n int64
	}{
		{"one segment of data", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, 9<<20, 5000)}, 9 << 20, 5000},
		{"a large one", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, 9<<20, 5<<20)}, 9 << 20, 1 << 20},
		{"its start becomes read-only", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, 9<<20, 5<<20), fixed(9<<20, 3<<20)}, 12 << 20, 1 << 20},
		{"another segment becomes read-only", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, 9<<20, 5<<20), fixed(9<<20, 5<<20), load(elf.PF_R|elf.PF_W, 20<<20, 9000)}, 20 << 20, 9000},
		{"all becomes read-only", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, 9<<20, 5<<20), fixed(9<<20, 5<<20)}, 9 << 20, 1 << 20},
		{"no data", []elf.Prog64{text}, 0, 0},
		{"data outside the file", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, 63<<20, 5<<20)}, 0, 0},
		{"data across the end of memory", []elf.Prog64{text, load(elf.PF_R|elf.PF_W, math.MaxUint64, 5)}, 0, 0},
	} {
		var b bytes.Buffer
		_ = binary.Write(&b, binary.LittleEndian, elf.Header64{
			Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: 2, Version: 1, Phoff: 64, Phentsize: 56, Phnum: uint16(len(tt.progs)),
		})
		_ = binary.Write(&b, binary.LittleEndian, tt.progs)
		if off, n := goWindow(&layer.Sample{Size: size, Head: b.Bytes()}); off != tt.off || n != tt.n {
			t.Errorf("%s: got %d+%d, want %d+%d", tt.name, off, n, tt.off, tt.n)
		}
	}
}

func FuzzProgram(f *testing.F) {
	f.Add(program(f, "hello")[:8192])
	f.Add(program(f, "noted"))
	f.Add(oldGo(true, binary.LittleEndian))
	f.Add(oldGo(false, binary.BigEndian))
	f.Fuzz(func(t *testing.T, p []byte) {
		s := &layer.Sample{Size: int64(len(p)), Head: p}
		if off, n := goWindow(s); off < 0 || n < 0 || off+n > int64(len(p)) {
			t.Errorf("a window of %d+%d in %d bytes", off, n, len(p))
		}
		if records, err := readProgram("x", s); err == nil && len(note(records, nil)) > 7*len(p)+1000 {
			t.Errorf("%d bytes say %d", len(p), len(note(records, nil)))
		}
	})
}
