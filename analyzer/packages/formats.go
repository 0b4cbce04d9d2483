package packages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// format is one row of the table of formats: a kind of file that lists packages or
// their files.
type format struct {
	// matches reports whether the file with this path, without leading slash, and this
	// base name has the format.
	matches func(path, name string) bool
	// read returns what a file says. Its result must depend on the base name and the
	// content alone, because a layer can hold the file elsewhere, too.
	read func(name string, s *layer.Sample) ([]record, error)
}

// maxFetch is the size in bytes up to which a database is fetched from a registry.
const maxFetch = 32 << 20

// maxText is the size in bytes up to which a database of text is read.
const maxText = 64 << 20

// maxEntries is how many lines and commas a database may have: every format needs one of
// them for each path, and what the shortest path takes in memory is thirty times as long.
const maxEntries = 4 << 20

// maxPackages is how many packages one database may list; Debian has about 70,000. A
// record takes fifty times as much memory as the shortest text that makes one.
const maxPackages = 1 << 17

var errTooMany = fmt.Errorf("counting packages: more than %d", maxPackages)

// formats returns all formats.
func formats() []format { return slices.Concat(texts(), rpms()) }

// texts returns the formats of databases that are read as a whole.
func texts() []format {
	return []format{
		{is("var/lib/dpkg/status"), readStatus},
		{within("var/lib/dpkg/status.d", ".md5sums"), readSums},
		{within("var/lib/dpkg/status.d", ""), readStatus},
		{within("var/lib/dpkg/info", ".list"), readList},
		{is("var/lib/dpkg/diversions"), readDiversions},
		{is("var/lib/chisel/manifest.wall"), readManifest},
		{is("lib/apk/db/installed", "usr/lib/apk/db/installed"), readAPK},
		{is("var/lib/rpmmanifest/container-manifest-2"), readRPMManifest},
		{isModule, readModule},
		{isDistInfo("METADATA"), readMetadata},
		{isDistInfo("RECORD"), readRecord},
		{isEggInfo("PKG-INFO"), readPkgInfo},
		{isEggInfo("installed-files.txt"), readInstalledFiles},
		{isEggFile, readEggFile},
		{isEgg, readEgg},
		{isGemspec, readGemspec},
		{isDefaultGemspec, readDefaultGemspec},
		{isComposer, readComposer},
		{isConda, readConda},
	}
}

// is returns a function that reports whether a path is one of paths.
func is(paths ...string) func(path, name string) bool {
	return func(p, name string) bool {
		for _, want := range paths {
			if p == want {
				return true
			}
		}
		return false
	}
}

// within returns a function that reports whether a path is in a folder and has an
// extension.
func within(folder, ext string) func(path, name string) bool {
	return func(p, name string) bool {
		return len(p) == len(folder)+1+len(name) && strings.HasPrefix(p, folder) && strings.HasSuffix(name, ext)
	}
}

// formatOf returns the first format in the table that a path has, nil if none.
func formatOf(table []format, p string) *format {
	name := p[strings.LastIndexByte(p, '/')+1:]
	for i := range table {
		if table[i].matches(p, name) {
			return &table[i]
		}
	}
	return nil
}

// Lookers returns the lookers whose notes Find needs. If analyzer.Options has them,
// Find need not read compressed layers again.
func Lookers() []layer.Looker {
	return []layer.Looker{looker("packages 1", maxText, texts(), false), looker("packages rpm 1", maxRPM, rpms(), true), programs(), jars()}
}

// looker returns the looker for a table of formats. They are sparing if they read at
// offsets, and else text.
func looker(name string, most int64, table []format, sparing bool) layer.Looker {
	return layer.Looker{
		Name:    name,
		Whole:   most,
		Fetch:   maxFetch,
		Sparing: sparing,
		Wants:   func(path string) bool { return formatOf(table, path) != nil },
		Look: func(p string, s *layer.Sample) []string {
			if s.Size > most {
				return []string{note(nil, fmt.Errorf("it has %d bytes, more than %d", s.Size, most))}
			}
			if !sparing && bytes.Count(s.Head, []byte("\n"))+bytes.Count(s.Head, []byte(",")) > maxEntries {
				return []string{note(nil, fmt.Errorf("counting entries: more than %d lines and commas", maxEntries))}
			}
			return []string{note(formatOf(table, p).read(path.Base(p), s))}
		},
	}
}

// A note holds a line of JSON for each record. The note of a file that can't be read
// is an exclamation mark and the error.
func note(records []record, err error) string {
	if err != nil {
		return "!" + err.Error()
	}
	var out strings.Builder
	encode := json.NewEncoder(&out)
	for i := range records {
		records[i].Files.encode()
		if err := encode.Encode(&records[i]); err != nil {
			return "!" + err.Error()
		}
	}
	return out.String()
}

// listed is what a file of a database says.
type listed struct {
	records []record
	lines   []string // the JSON of each record
	problem string   // why it can't be read
}

// parseNote returns what a note holds. Notes may come from a cache of an earlier run.
func parseNote(data string) *listed {
	out := &listed{}
	if problem, bad := strings.CutPrefix(data, "!"); bad {
		out.problem = problem
		return out
	}
	seen := map[string]bool{}
	for line := range strings.Lines(data) {
		if seen[line] {
			continue
		}
		seen[line] = true
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return &listed{problem: "decoding what was noted about it: " + err.Error()}
		}
		r.Files.decode()
		out.records = append(out.records, r)
		out.lines = append(out.lines, line)
	}
	return out
}

// files returns the list of files that a file holds which lists only files.
func (l *listed) files() *list {
	if l == nil || len(l.records) != 1 || l.records[0].Name != "" {
		return &list{}
	}
	return &l.records[0].Files
}

// rank orders the types of packages that may own a file: packages of the system come
// before those of languages, and files that are packages themselves come last.
func rank(kind string) int {
	switch kind {
	case facts.TypeDeb, facts.TypeAPK, facts.TypeRPM, facts.TypeConda:
		return system
	case facts.TypeGo, facts.TypeJava, facts.TypeCargo, facts.TypeELF:
		return file
	}
	return language
}

const (
	system = iota
	language
	file
)
