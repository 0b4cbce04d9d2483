package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"strings"
)

// fillerWords are what the demo's files talk about.
var fillerWords = strings.Fields(`layer image file path size entry mode owner link content stored visible wasted
	removed request response order cart price refund payment customer session token server client error value
	result option default config module package version build release test return const await function import
	export class number string boolean object list index key table column query insert update select where`)

// fillerBlock is how many bytes of filler are made up before they repeat.
const fillerBlock = 4 << 10

// filler is size bytes that look like a file of the kind. The same seed gives
// the same bytes, another seed others.
func filler(kind, seed string, size int) string {
	h := fnv.New64a()
	fmt.Fprint(h, kind, seed)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	var b strings.Builder
	b.Grow(size + fillerBlock)
	switch kind {
	case "elf":
		b.WriteString("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00>\x00")
	case "png":
		b.WriteString("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	case "js":
		b.WriteString("'use strict';\n")
	case "json":
		b.WriteString("{\n")
	}
	var block strings.Builder
	for block.Len() < fillerBlock {
		fillLine(&block, kind, r)
	}
	for b.Len() < size {
		b.WriteString(block.String())
	}
	return b.String()[:size]
}

// database returns size bytes that say what is installed: the package.json of an npm
// package of a version, dpkg's status of packages NAME=VERSION, or dpkg's list of the
// files of a package.
func database(kind, p string, size int, args []string) (string, error) {
	var b strings.Builder
	end := ""
	switch kind {
	case "npm":
		name := p[strings.LastIndex(p, "node_modules/")+len("node_modules/"):]
		fmt.Fprintf(&b, "{\n  %q: %q,\n  %q: %q,\n  %q: %q,\n", "name", path.Dir(name), "version", strings.Join(args, " "), "license", "MIT")
		end = "  \"description\": \"a package of the demo\"\n}\n"
	case "dpkg":
		for _, arg := range args {
			name, version, _ := strings.Cut(arg, "=")
			stanza := fmt.Sprintf("Package: %s\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: %s\nDescription: %s of the demo\n ", name, version, name)
			b.WriteString(stanza + strings.ReplaceAll(filler("text", name, size/len(args)-len(stanza)-200), "\n", "\n ") + "\n\n")
		}
	case "list":
		b.WriteString("/.\n")
		for _, pattern := range args {
			b.WriteString(strings.Join(alternatives(pattern), "\n") + "\n")
		}
		// Files that the image was made without.
		for n := 0; b.Len() < size; n++ {
			fmt.Fprintf(&b, "/usr/share/locale/%s/%d\n", strings.TrimSuffix(path.Base(p), ".list"), n)
		}
		return b.String()[:size], nil
	}
	room := size - b.Len() - len(end)
	if room < 0 {
		return "", fmt.Errorf("%s: %d bytes are too few", p, size)
	}
	return b.String() + strings.Repeat("\n", room) + end, nil
}

// fillLine writes a line, or in a binary file a run of bytes.
func fillLine(b *strings.Builder, kind string, r *rand.Rand) {
	word := func() string { return fillerWords[r.IntN(len(fillerWords))] }
	switch kind {
	case "elf", "png", "cache":
		for range 24 {
			b.WriteByte(byte(r.Uint32()))
		}
		b.WriteString(word() + "\x00")
	case "js":
		fmt.Fprintf(b, "const %s%d = (%s) => %s.%s(%d);\n", word(), r.IntN(100), word(), word(), word(), r.IntN(1000))
	case "json":
		fmt.Fprintf(b, "  %q: %q,\n", word(), word())
	default:
		for range 8 + r.IntN(5) {
			b.WriteString(word() + " ")
		}
		b.WriteByte('\n')
	}
}
