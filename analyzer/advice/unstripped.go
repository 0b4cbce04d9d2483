package advice

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

const (
	leastSymbols = 64 << 10 // bytes that strip must remove from a file
	manySymbols  = 25e6     // bytes of a finding that is a warning
	maxSections  = 1 << 10  // of a linked file; real ones have less than 100
	maxNames     = 64 << 10 // bytes of the names of all sections that are read
	maxName      = 32       // bytes of the name of a section that are compared
)

func unstripped() Rule {
	look := &layer.Looker{
		Name: "elf 1", Min: leastSymbols,
		Wants: func(path string) bool { return !strings.HasPrefix(path, "usr/lib/debug/") },
		Sniff: func(head []byte) bool { return bytes.HasPrefix(head, []byte(elf.ELFMAG)) },
		Look: func(_ string, s *layer.Sample) []string {
			n, golang := symbols(s)
			if n < leastSymbols {
				return nil
			}
			return []string{strconv.FormatInt(n, 10) + map[bool]string{true: " go"}[golang]}
		},
	}
	return Rule{
		Name:     "unstripped",
		Severity: facts.SeverityInfo,
		Means:    "Programs and libraries have symbol tables and debug sections.",
		Why:      "Only debuggers read them. A program does not load them.",
		Fix:      "Strip the files in the step that makes them, before a later stage copies them. Go leaves the sections out with `-ldflags='-s -w'`. To debug a crash later, keep the unstripped files outside the image.",
		Not:      "Object files, kernel modules, and files below /usr/lib/debug. Less than 25 MB in one layer are of severity info.",
		reads:    true,
		look:     look,
		find:     func(im *image) ([]*finding, error) { return im.unstripped(look), nil },
	}
}

// symbols returns how many bytes strip would remove from an ELF file, and whether Go
// made it. It returns 0 for what is not a linked file, and if s does not hold the
// tables.
func symbols(s *layer.Sample) (sum int64, golang bool) {
	if len(s.Head) < elf.EI_NIDENT {
		return 0, false
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if elf.Data(s.Head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	narrow := elf.Class(s.Head[elf.EI_CLASS]) == elf.ELFCLASS32
	var h elf.Header64
	size := int64(binary.Size(elf.Section64{}))
	if narrow {
		size = int64(binary.Size(elf.Section32{}))
		var n elf.Header32
		if _, err := binary.Decode(s.Head, order, &n); err != nil {
			return 0, false
		}
		h = elf.Header64{Type: n.Type, Shoff: uint64(n.Shoff), Shentsize: n.Shentsize, Shnum: n.Shnum, Shstrndx: n.Shstrndx}
	} else if _, err := binary.Decode(s.Head, order, &h); err != nil {
		return 0, false
	}
	linked := elf.Type(h.Type) == elf.ET_EXEC || elf.Type(h.Type) == elf.ET_DYN
	if !linked || int64(h.Shentsize) != size || h.Shnum > maxSections || h.Shstrndx >= h.Shnum {
		return 0, false
	}
	table, ok := part(s, h.Shoff, uint64(h.Shnum)*uint64(size))
	if !ok {
		return 0, false
	}
	sections := make([]elf.Section64, h.Shnum)
	for i := range sections {
		x, p := &sections[i], table[int64(i)*size:] // long enough for Decode
		if !narrow {
			_, _ = binary.Decode(p, order, x)
			continue
		}
		var n elf.Section32
		_, _ = binary.Decode(p, order, &n)
		*x = elf.Section64{Name: n.Name, Type: n.Type, Flags: uint64(n.Flags), Off: uint64(n.Off), Size: uint64(n.Size)}
	}
	names, ok := part(s, sections[h.Shstrndx].Off, min(sections[h.Shstrndx].Size, maxNames))
	if !ok {
		return 0, false
	}
	for i, x := range sections {
		name := names[min(uint64(x.Name), uint64(len(names))):]
		name, _, _ = bytes.Cut(name[:min(len(name), maxName)], []byte{0})
		golang = golang || string(name) == ".go.buildinfo"
		flags := elf.SectionFlag(x.Flags)
		switch {
		case elf.SectionType(x.Type) == elf.SHT_NOBITS:
			if flags&elf.SHF_EXECINSTR != 0 {
				return 0, false // the symbols of another file, split from it
			}
		case flags&elf.SHF_ALLOC == 0 && i != int(h.Shstrndx) && isSymbols(string(name)):
			if x.Off <= uint64(s.Size) && x.Size <= uint64(s.Size)-x.Off {
				sum = min(sum+int64(x.Size), s.Size)
			}
		}
	}
	return sum, golang
}

// part returns n bytes of a file, if s holds them.
func part(s *layer.Sample, off, n uint64) ([]byte, bool) {
	if off > uint64(s.Size) || n > uint64(s.Size) || !s.Has(int64(off), int64(n)) {
		return nil, false
	}
	p := make([]byte, n)
	_, err := s.ReadAt(p, int64(off))
	return p, err == nil || n == 0
}

func isSymbols(section string) bool {
	return section == ".symtab" || section == ".strtab" || section == ".gdb_index" ||
		strings.HasPrefix(section, ".debug_") || strings.HasPrefix(section, ".zdebug_") || strings.HasPrefix(section, ".stab")
}

// unstripped returns a finding for each layer that stores unstripped files.
func (im *image) unstripped(look *layer.Looker) []*finding {
	type file struct {
		content filetree.Content
		node    filetree.Node
		symbols int64
		golang  bool
	}
	layers := map[int][]file{}
	for _, n := range im.notes[look.Name] {
		s := im.tree.Stored(n.Content)
		node := im.tree.FirstName(n.Content, im.last())
		number, kind, _ := strings.Cut(n.Data, " ")
		symbols, err := strconv.ParseInt(number, 10, 64)
		if node == filetree.None || im.claimed[n.Content] || err != nil || symbols > s.Bytes {
			continue
		}
		layers[s.Layer] = append(layers[s.Layer], file{n.Content, node, symbols, kind == "go"})
	}
	var out []*finding
	for i := range im.tree.Layers() {
		files := layers[i]
		if len(files) == 0 {
			continue
		}
		slices.SortStableFunc(files, func(a, b file) int { return cmp.Compare(b.symbols, a.symbols) })
		fix := facts.Fix{Text: "strip them at the end of the step that makes them"}
		var paths []string
		golang := true
		for _, f := range files {
			if word, ok := shellWord(im.tree.Path(f.node)); ok {
				paths = append(paths, word)
			}
			golang = golang && f.golang
		}
		named := len(paths) == len(files) && len(files) <= maxStripped
		command := facts.Command(im.command(i))
		switch {
		case golang:
			fix = facts.Fix{Text: "let Go leave them out: set this before the step that builds", Lines: []string{`ENV GOFLAGS="'-ldflags=-s -w'"`}}
		case strings.HasPrefix(command, "COPY ") || strings.HasPrefix(command, "ADD "):
			// Stripping them in the image would store them again.
			fix.Text = "strip them in the stage that makes them, before they are copied"
		case named:
			fix.Lines = im.followed(i, "strip "+strings.Join(paths, " "))
		}
		f := im.newFinding(fmt.Sprintf("layer %d stores symbols and debug sections of %s", i, count(len(files), "file")), fix)
		for _, x := range files {
			f.claim(x.node, x.content, x.symbols)
		}
		if f.Bytes >= manySymbols {
			f.Severity = facts.SeverityWarn
		}
		out = append(out, f)
	}
	return out
}

// maxStripped is how many files a line to paste may name.
const maxStripped = 20

// count returns "1 file", "2 files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// shellWord quotes a path for a shell, if it must be. It reports false for a path that
// does not fit on a line of a Dockerfile.
func shellWord(path string) (string, bool) {
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return "", false
	}
	special := strings.ContainsFunc(path, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+@%,:=", r)
	})
	if special {
		path = "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path, true
}
