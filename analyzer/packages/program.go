package packages

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime/debug"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// What a program says about itself is looked for in linked ELF files of at least
// leastProgram bytes. Up to wholeProgram bytes all of a file can be read; of a larger
// one the first and the last 512 KiB, and 1 MiB from where Go's build information should
// be. In those, the list of Rust's crates is usually not found.
const (
	leastProgram = 16 << 10
	wholeProgram = 8 << 20
	maxNotes     = 64 << 10 // bytes of the notes in one segment
	maxCrates    = 4 << 20  // bytes of the JSON about crates
)

func programs() layer.Looker {
	return layer.Looker{
		Name: "programs 1", Min: leastProgram, Whole: wholeProgram, Sparing: true,
		Wants:  func(path string) bool { return !strings.HasPrefix(path, "usr/lib/debug/") },
		Sniff:  isLinked,
		Window: goWindow,
		Look:   lookWith(readProgram),
	}
}

// lookWith returns the function Look for files that may say nothing about packages.
func lookWith(read func(name string, s *layer.Sample) ([]record, error)) func(string, *layer.Sample) []string {
	return func(p string, s *layer.Sample) []string {
		records, err := read(path.Base(p), s)
		if len(records) == 0 && err == nil {
			return nil
		}
		return []string{note(records, err)}
	}
}

// goWindow returns where Go's build information is in a large program: at the start of
// the last segment that stays writable, or up to 1 MiB after it if another linker
// than Go's put other data first.
func goWindow(s *layer.Sample) (off, n int64) {
	x, ok := elfOf(s.Head, s)
	if !ok {
		return 0, 0
	}
	var data, fixed segment // fixed becomes read-only when the program starts
	for _, g := range x.segments() {
		switch {
		case g.kind == elf.PT_GNU_RELRO:
			fixed = g
		case g.kind == elf.PT_LOAD && g.flags&(elf.PF_W|elf.PF_X) == elf.PF_W && g.size > 0:
			data = g
		}
	}
	from, to := data.off, data.off+data.size
	if end := fixed.off + fixed.size; fixed.off >= from && end < to {
		from = end
	}
	return int64(from), int64(min(to-from, layer.MaxWindow))
}

// readProgram reads what Go, cargo auditable or a package manager put into a program.
func readProgram(name string, s *layer.Sample) ([]record, error) {
	x, ok := elfOf(s.Head, s)
	if !ok {
		return nil, nil
	}
	in, ok := x.sections(".go.buildinfo", ".dep-v0")
	golang, crates := in[0], in[1]
	if !ok { // it may be there all the same
		off, n := goWindow(s)
		golang = section{uint64(off), uint64(n)}
	}
	info := x.bytes(golang.off, min(golang.size, layer.MaxWindow))
	switch at := infoAt(info); {
	case at >= 0:
		return readGo(name, &x, info[at:])
	case ok && golang.size > 0 && info == nil:
		return nil, fmt.Errorf("reading Go's build information: %w", errHeld)
	case crates.size > 0:
		return readCrates(&x, crates)
	}
	for _, g := range x.segments() {
		if g.kind == elf.PT_NOTE {
			if out, err := readNotes(x.order, g.align, x.bytes(g.off, min(g.size, maxNotes))); len(out) > 0 || err != nil {
				return out, err
			}
		}
	}
	return nil, nil
}

// readGo reads Go's build information, which begins p. Its format is described in package
// debug/buildinfo, which needs parts of a file that a sample may not hold.
func readGo(name string, x *elfFile, p []byte) ([]record, error) {
	var info *debug.BuildInfo
	version, text, err := goInfo(x, p)
	if err == nil {
		info, err = debug.ParseBuildInfo(text)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Go's build information: %w", err)
	}
	if info.Path == "command-line-arguments" { // built from files, not from a package
		info.Path = ""
	}
	out := record{Type: facts.TypeGo, Name: cmp.Or(info.Main.Path, info.Path, name), Version: info.Main.Version, Self: true}
	changed := ""
	for _, set := range info.Settings {
		switch set.Key {
		case "GOARCH":
			out.Arch = set.Value
		case "vcs.revision":
			if (out.Version == "(devel)" || out.Version == "") && set.Value != "" {
				out.Version = set.Value[:min(len(set.Value), 12)]
			}
		case "vcs.modified":
			if set.Value == "true" {
				changed = "+dirty"
			}
		}
	}
	switch {
	case info.Main.Path == "" && strings.HasPrefix(info.Path, "cmd/"):
		out.Version = version // a tool of Go
	case out.Version != info.Main.Version:
		out.Version += changed
	}
	out.Modules = append(out.Modules, "stdlib@"+version)
	for _, m := range info.Deps {
		if m.Replace != nil && m.Replace.Version != "" {
			m = m.Replace
		}
		out.Modules = append(out.Modules, m.Path+"@"+m.Version)
	}
	return []record{out}, nil
}

// goInfo returns the version of Go and the text with the modules from p, where Go's
// build information begins.
func goInfo(x *elfFile, p []byte) (version, text string, err error) {
	const (
		pointerSize, flags = 14, 15 // where they are
		pointers, start    = 16, 32 // likewise: of strings before Go 1.18, of strings since
		inline             = 2      // the flag for strings that follow
		frame              = 16     // bytes before and after the text
	)
	if len(p) < start {
		return "", "", errors.New("it is incomplete")
	}
	var parts [2]string
	if p[flags]&inline != 0 {
		p = p[start:]
		for i := range parts {
			n, size := binary.Uvarint(p)
			if size <= 0 || n > uint64(len(p)-size) {
				return "", "", errors.New("it is incomplete")
			}
			parts[i] = string(p[size : size+int(n)])
			p = p[size+int(n):]
		}
	} else {
		size := int(p[pointerSize])
		if want := map[bool]int{true: 8, false: 4}[x.wide]; size != want {
			return "", "", fmt.Errorf("its pointers have %d bytes", size)
		}
		for i := range parts {
			head, err := x.memory(x.number(p[pointers+i*size:], 0, 0), uint64(2*size))
			if err != nil {
				return "", "", err
			}
			part, err := x.memory(x.number(head, 0, 0), x.number(head, size, size))
			if err != nil {
				return "", "", err
			}
			parts[i] = string(part)
		}
	}
	version, text = parts[0], parts[1]
	if version == "" {
		return "", "", errors.New("it has no version of Go")
	}
	if n := len(text); n > 2*frame && text[n-frame-1] == '\n' {
		return version, text[frame : n-frame], nil
	}
	return version, "", nil // not built with modules
}

// infoAt returns where Go's build information begins in p, -1 if it does not.
func infoAt(p []byte) int {
	const magic, align = "\xff Go buildinf:", 16
	for from := 0; ; {
		at := bytes.Index(p[from:], []byte(magic))
		switch {
		case at < 0:
			return -1
		case (from+at)%align == 0:
			return from + at
		}
		from += at + 1
	}
}

// memory returns n bytes that the program has at an address when it starts.
func (x *elfFile) memory(addr, n uint64) ([]byte, error) {
	for _, g := range x.segments() {
		if g.kind == elf.PT_LOAD && addr >= g.addr && addr-g.addr <= g.size && n <= g.size-(addr-g.addr) {
			if p := x.bytes(g.off+addr-g.addr, n); p != nil {
				return p, nil
			}
			return nil, errHeld
		}
	}
	return nil, fmt.Errorf("it points to %d bytes at %#x, which the file does not have", n, addr)
}

// readCrates reads the section that cargo auditable adds.
func readCrates(x *elfFile, in section) ([]record, error) {
	const doing = "reading the list of crates"
	p := x.bytes(in.off, in.size)
	if p == nil {
		return nil, fmt.Errorf(doing+": %w", errHeld)
	}
	z, err := zlib.NewReader(bytes.NewReader(p))
	if err != nil {
		return nil, fmt.Errorf(doing+": %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxCrates+1))
	if err != nil {
		return nil, fmt.Errorf(doing+": %w", err)
	}
	if len(text) > maxCrates {
		return nil, fmt.Errorf(doing+": more than %d bytes", maxCrates)
	}
	var list struct {
		Packages []struct {
			Name, Version, Kind string
			Root                bool
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf(doing+": %w", err)
	}
	out := record{Type: facts.TypeCargo, Self: true}
	for _, x := range list.Packages {
		switch {
		case x.Root:
			out.Name, out.Version = x.Name, x.Version
		case x.Kind != "build":
			out.Modules = append(out.Modules, module(x.Name, x.Version))
		}
	}
	if out.Name == "" {
		return nil, errors.New(doing + ": none of them is the program's")
	}
	return []record{out}, nil
}

// Notes with this owner and type are about the package of a program. See
// https://systemd.io/ELF_PACKAGE_METADATA.
const (
	noteOwner = "FDO\x00"
	noteType  = 0xcafe1a7e
)

// readNotes reads what the notes in a segment say about the package of a program.
func readNotes(order binary.ByteOrder, align uint64, p []byte) ([]record, error) {
	if align != 8 {
		align = 4
	}
	padded := func(n uint32) uint64 { return (uint64(n) + align - 1) &^ (align - 1) }
	for len(p) >= 12 {
		nameSize, size, kind := order.Uint32(p), order.Uint32(p[4:]), order.Uint32(p[8:])
		start := (12 + uint64(nameSize) + align - 1) &^ (align - 1)
		end := start + uint64(size)
		if end > uint64(len(p)) {
			return nil, nil
		}
		if kind == noteType && string(p[12:12+nameSize]) == noteOwner {
			return readNote(p[start:end])
		}
		p = p[min(uint64(len(p)), start+padded(size)):]
	}
	return nil, nil
}

func readNote(text []byte) ([]record, error) {
	var in struct{ Name, Version, Architecture string }
	text, _, _ = bytes.Cut(text, []byte{0})
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("reading the note about its package: %w", err)
	}
	if in.Name == "" {
		return nil, errors.New("reading the note about its package: it has no name")
	}
	return []record{{Type: facts.TypeELF, Name: in.Name, Version: in.Version, Arch: in.Architecture, Self: true}}, nil
}
