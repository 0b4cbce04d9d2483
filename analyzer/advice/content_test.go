package advice

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
	"fathom/analyzer/packages"
)

// foundBy returns the findings of one rule in an image, as text: the finding, its
// fix and its places. The result is the same for all forms of the layers.
func foundBy(t *testing.T, rule string, c *imagetest.Image) string {
	t.Helper()
	out := ""
	for i, cs := range [][]imagetest.Compression{nil, {imagetest.Gzip}, {imagetest.None, imagetest.Zstd}} {
		a, err := analyzer.Analyze(t.Context(), c.Image(cs...), analyzer.Options{Look: Lookers(Options{})})
		if err != nil {
			t.Fatal(err)
		}
		pkgs, err := packages.Find(t.Context(), a, packages.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all, _, err := Find(t.Context(), a, Options{Packages: pkgs})
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, f := range all {
			if f.Rule == rule {
				text += asText(f)
			}
		}
		if i == 0 {
			out = text
		} else if d := cmp.Diff(out, text); d != "" {
			t.Errorf("the findings of layers in form %d differ (-plain +that):\n%s", i, d)
		}
	}
	return out
}

func asText(f facts.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d: %s\n", f.Severity, f.Bytes, f.Title)
	fmt.Fprintf(&b, "  fix: %s\n", f.Fix.Text)
	for _, l := range f.Fix.Lines {
		fmt.Fprintf(&b, "  > %s\n", l)
	}
	for _, p := range f.Places {
		fmt.Fprintf(&b, "  %s layer %d, %d bytes, %d files", p.Path, p.Layer, p.Bytes, p.Files)
		if p.HiddenBy >= 0 {
			fmt.Fprintf(&b, ", hidden by %d", p.HiddenBy)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// What the distribution's packages bring is not for the image's maker to strip.
func TestPackagedSymbols(t *testing.T) {
	for path, want := range map[string]bool{"usr/lib/libasan.so": false, "lib/x": false, "usr/local/bin/app": true, "srv/app": true} {
		got := foundBy(t, "unstripped", imagetest.Must(t, "layer RUN apt-get install -y gcc\n  file "+path+" 755 elf=300000\n"))
		if (got != "") != want {
			t.Errorf("%s: got %q", path, got)
		}
	}
}

// If the packages are known, they say what the distribution brings, not the path.
func TestOwnedSymbols(t *testing.T) {
	owned := "layer RUN apt-get install -y p && make install\n" + debs("p", "/opt/p")
	for path, want := range map[string]bool{"opt/p": false, "usr/lib/libasan.so": true, "srv/app": true} {
		got := foundBy(t, "unstripped", imagetest.Must(t, owned+"  file "+path+" 755 elf=300000\n"))
		if (got != "") != want {
			t.Errorf("%s: got %q", path, got)
		}
	}
}

func TestUnstripped(t *testing.T) {
	want := `info 350001: layer 1 stores symbols and debug sections of 2 files
  fix: let Go leave them out: set this before the step that builds
  > ENV GOFLAGS="'-ldflags=-s -w'"
  /bin/a layer 1, 200000 bytes, 1 files
  /bin/b layer 1, 150001 bytes, 1 files
info 300000: layer 0 stores symbols and debug sections of 1 file
  fix: strip them in the stage that makes them, before they are copied
  /srv/app layer 0, 300000 bytes, 1 files
info 170000: layer 2 stores symbols and debug sections of 1 file
  fix: strip them at the end of the step that makes them
  > RUN make install \
  >     && strip '/usr/bin/it'\''s'
  /usr/bin/it's layer 2, 170000 bytes, 1 files
`
	if d := cmp.Diff(want, foundBy(t, "unstripped", imagetest.Load(t, "unstripped-before"))); d != "" {
		t.Errorf("before (-want +got):\n%s", d)
	}
	if got := foundBy(t, "unstripped", imagetest.Load(t, "unstripped-after")); got != "" {
		t.Errorf("after: got\n%s", got)
	}
	if got := foundBy(t, "unstripped", imagetest.Must(t, "layer RUN make\n  file a elf=25000000\n")); !strings.HasPrefix(got, "warn 25000000: ") {
		t.Errorf("25 MB of symbols: got\n%s", got)
	}
}

// linked returns a program with 100,000 bytes of symbols, with its header changed.
func linked(change func(h *elf.Header64)) []byte {
	p := imagetest.ELF(100_000, false)
	var h elf.Header64
	if _, err := binary.Decode(p, binary.LittleEndian, &h); err != nil {
		panic(err)
	}
	change(&h)
	if _, err := binary.Encode(p, binary.LittleEndian, h); err != nil {
		panic(err)
	}
	return p
}

func TestSymbols(t *testing.T) {
	whole := linked(func(*elf.Header64) {})
	narrow := narrowELF(binary.BigEndian)
	for name, tt := range map[string]struct {
		file []byte
		want int64
	}{
		"as it is":           {whole, 100_000},
		"32 bits":            {narrowELF(binary.LittleEndian), 5000},
		"big-endian":         {narrow, 5000},
		"cut in its table":   {whole[:len(whole)-1], 0},
		"cut in its header":  {whole[:40], 0},
		"empty":              {nil, 0},
		"object":             {linked(func(h *elf.Header64) { h.Type = uint16(elf.ET_REL) }), 0},
		"1024 sections":      {append(linked(func(h *elf.Header64) { h.Shnum = 1024 }), make([]byte, 1<<16)...), 100_000},
		"1025 sections":      {append(linked(func(h *elf.Header64) { h.Shnum = 1025 }), make([]byte, 1<<16+64)...), 0},
		"65535 sections":     {linked(func(h *elf.Header64) { h.Shnum = 0xffff }), 0},
		"2^32 sections":      {linked(func(h *elf.Header64) { h.Shnum, h.Shstrndx = 0, 0 }), 0},
		"no names":           {linked(func(h *elf.Header64) { h.Shstrndx = 0xffff }), 0},
		"other names":        {linked(func(h *elf.Header64) { h.Shstrndx = 1 }), 0},
		"table far away":     {linked(func(h *elf.Header64) { h.Shoff = 1 << 63 }), 0},
		"table at the end":   {linked(func(h *elf.Header64) { h.Shoff = uint64(len(whole)) }), 0},
		"sections of a byte": {linked(func(h *elf.Header64) { h.Shentsize = 1 }), 0},
	} {
		if got, _ := symbols(&layer.Sample{Size: int64(len(tt.file)), Head: tt.file}); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
	look := unstripped().look.Look
	for n, want := range map[int]int{65535: 0, 65536: 1} {
		p := imagetest.ELF(n, false)
		if got := look("", &layer.Sample{Size: int64(len(p)), Head: p}); len(got) != want {
			t.Errorf("%d bytes of symbols: got notes %q", n, got)
		}
	}
	// Sections that overlap are not more than the file.
	table := whole[len(whole)-5*64:]
	for i := 2; i < 4; i++ {
		binary.LittleEndian.PutUint64(table[i*64+24:], 0)
		binary.LittleEndian.PutUint64(table[i*64+32:], uint64(len(whole)))
	}
	if got, _ := symbols(&layer.Sample{Size: int64(len(whole)), Head: whole}); got != int64(len(whole)) {
		t.Errorf("overlapping sections: got %d of %d bytes", got, len(whole))
	}
}

// narrowELF returns a 32-bit file with 5000 bytes of symbols.
func narrowELF(order binary.ByteOrder) []byte {
	h := elf.Header32{Type: uint16(elf.ET_DYN), Shoff: 52, Shentsize: 40, Shnum: 3, Shstrndx: 2}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA] = byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB)
	if order == binary.BigEndian {
		h.Ident[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	names := "\x00.symtab\x00"
	table := []elf.Section32{{}, {Name: 1, Off: 52 + 120, Size: 5000}, {Off: 52 + 120 + 5000, Size: uint32(len(names))}}
	var b bytes.Buffer
	for _, v := range []any{h, table, make([]byte, 5000), []byte(names)} {
		if err := binary.Write(&b, order, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// Damaged files don't make symbols panic or count more than the file.
func TestSymbolsOfDamagedFiles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	whole := imagetest.ELF(3000, true)
	for range 20_000 {
		p := bytes.Clone(whole)
		for range 1 + rnd.IntN(4) {
			at := rnd.IntN(64)
			if rnd.IntN(2) == 0 {
				at = len(p) - 1 - rnd.IntN(500)
			}
			p[at] = byte(rnd.Uint32())
		}
		s := layer.Sample{Size: int64(len(p)), Head: p}
		if rnd.IntN(3) == 0 {
			s.Head, s.Tail = p[:512], p[len(p)-512:]
		}
		if n, _ := symbols(&s); n < 0 || n > s.Size {
			t.Fatalf("%d bytes of symbols in %d", n, s.Size)
		}
	}
}

func TestArchiveAndContent(t *testing.T) {
	want := `warn 1109100: /tmp/app.tar.gz is stored, and so are the files unpacked from it in /opt/app
  fix: unpack it from a bind mount: the line replaces the step that copies it and the step that unpacks it
  > RUN --mount=type=bind,source=app.tar.gz,target=/mnt/app.tar.gz mkdir -p /opt/app && tar -xf /mnt/app.tar.gz -C /opt/app --strip-components=1
  /tmp/app.tar.gz layer 0, 1109100 bytes, 1 files, hidden by 1
warn 1048698: /srv/tool.zip is stored, and so are the files unpacked from it in /srv
  fix: remove it at the end of the step that unpacks it
  > RUN wget https://example.com/tool.zip && unzip tool.zip \
  >     && rm /srv/tool.zip
  /srv/tool.zip layer 2, 1048698 bytes, 1 files
`
	c := imagetest.Load(t, "archive-before")
	if d := cmp.Diff(want, foundBy(t, "archive-and-content", c)); d != "" {
		t.Errorf("before (-want +got):\n%s", d)
	}
	if got := foundBy(t, "removed-later", c); got != "" {
		t.Errorf("the archive counts twice:\n%s", got)
	}
	if got := foundBy(t, "archive-and-content", imagetest.Load(t, "archive-after")); got != "" {
		t.Errorf("after: got\n%s", got)
	}
}
