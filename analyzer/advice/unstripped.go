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
	leastProgram = 128 << 10 // bytes of a file
	leastSymbols = 64 << 10  // bytes that strip must remove from it
	manySymbols  = 25e6      // bytes of a finding that is a warning
	maxSections  = 1 << 10   // of a linked file; real ones have less than 100
	maxNames     = 64 << 10  // bytes of the names of all sections that are read
	maxName      = 32        // bytes of the name of a section that are compared
)

func unstripped() Rule {
	look := &layer.Looker{
		Name: "elf 1", Min: leastProgram, Sparing: true,
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
		Not:      "Object files, kernel modules, files below /usr/lib/debug, and what packages of the distribution bring. Less than 25 MB in one layer are of severity info.",
		reads:    true,
		look:     look,
		find:     func(im *image) ([]*finding, error) { return im.unstripped(look), nil },
	}
}

// symbols returns how many bytes strip would remove from an ELF file, and whether Go
// made it. It returns 0 for what is not a linked file, and if s does not hold the
// tables.
func symbols(s *layer.Sample) (sum int64, golang bool) {
	if len(s.Head) < binary.Size(elf.Header64{}) {
		return 0, false
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if elf.Data(s.Head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	// Where the fields are that matter: in the header the offset of the table of
	// sections, the size of its rows, their number and that of the row with the names;
	// in a row the name, kind, flags, offset and size of a section.
	number, row := order.Uint64, binary.Size(elf.Section64{})
	shoff, shentsize, shnum, shstrndx := 40, 58, 60, 62
	shflags, shoffset, shsize := 8, 24, 32
	if elf.Class(s.Head[elf.EI_CLASS]) == elf.ELFCLASS32 {
		number, row = func(p []byte) uint64 { return uint64(order.Uint32(p)) }, binary.Size(elf.Section32{})
		shoff, shentsize, shnum, shstrndx = 32, 46, 48, 50
		shflags, shoffset, shsize = 8, 16, 20
	}
	kind := elf.Type(order.Uint16(s.Head[16:]))
	rows, names := order.Uint16(s.Head[shnum:]), order.Uint16(s.Head[shstrndx:])
	if kind != elf.ET_EXEC && kind != elf.ET_DYN || int(order.Uint16(s.Head[shentsize:])) != row || rows > maxSections || names >= rows {
		return 0, false
	}
	table, ok := part(s, number(s.Head[shoff:]), uint64(rows)*uint64(row))
	if !ok {
		return 0, false
	}
	type section struct {
		name, kind       uint32
		flags, off, size uint64
	}
	sections := make([]section, rows)
	for i := range sections {
		p := table[i*row:]
		sections[i] = section{order.Uint32(p), order.Uint32(p[4:]), number(p[shflags:]), number(p[shoffset:]), number(p[shsize:])}
	}
	text, ok := part(s, sections[names].off, min(sections[names].size, maxNames))
	if !ok {
		return 0, false
	}
	for i, x := range sections {
		name := text[min(uint64(x.name), uint64(len(text))):]
		name, _, _ = bytes.Cut(name[:min(len(name), maxName)], []byte{0})
		golang = golang || string(name) == ".go.buildinfo"
		flags := elf.SectionFlag(x.flags)
		switch {
		case elf.SectionType(x.kind) == elf.SHT_NOBITS:
			if flags&elf.SHF_EXECINSTR != 0 {
				return 0, false // the symbols of another file, split from it
			}
		case flags&elf.SHF_ALLOC == 0 && i != int(names) && isSymbols(string(name)):
			if x.off <= uint64(s.Size) && x.size <= uint64(s.Size)-x.off {
				sum = min(sum+int64(x.size), s.Size)
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
	known := im.hasDistribution()
	layers := map[int][]file{}
	for _, n := range im.notes[look.Name] {
		s := im.tree.Stored(n.Content)
		node := im.tree.FirstName(n.Content, im.last())
		number, kind, _ := strings.Cut(n.Data, " ")
		symbols, err := strconv.ParseInt(number, 10, 64)
		if node == filetree.None || im.claimed[n.Content] || err != nil || symbols > s.Bytes || im.distributed(n.Content) || !known && im.packaged(node, s.Layer) {
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
		case golang && (!strings.HasPrefix(command, "RUN ") || im.step(i).runsGo()):
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

// runsGo reports whether the step runs Go.
func (s *step) runsGo() bool {
	return s.runs(func(call) bool { return true }, "go") != nil
}

// packaged reports whether the step of layer i installs packages of the distribution,
// and n is where only these put files.
func (im *image) packaged(n filetree.Node, i int) bool {
	return im.step(i).installs() && im.inSystem(n) && !strings.HasPrefix(im.tree.Path(n), "/usr/local/")
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
