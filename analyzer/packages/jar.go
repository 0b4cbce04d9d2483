package packages

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// All of a Java archive is read up to wholeJar bytes. Of a larger one, the first and
// the last 512 KiB are: the list of its files is at the end, and the manifest at the
// start. If the list is longer, the name of the file is all that is known.
const (
	wholeJar       = 8 << 20
	maxDirectory   = 4 << 20  // bytes of the list of files
	maxJarManifest = 64 << 10 // bytes of the manifest that are read
	maxPOM         = 4 << 10  // bytes of a pom.properties that are read; real ones have 100
	maxPOMs        = 4 << 10  // pom.properties that are read in one archive
)

func jars() layer.Looker {
	return layer.Looker{
		Name: "jars 1", Whole: wholeJar, Sparing: true,
		Wants: func(p string) bool { return isJar(p) },
		Sniff: func(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) },
		Look:  lookWith(readJar),
	}
}

func isJar(name string) bool {
	ext := path.Ext(name)
	return ext == ".jar" || ext == ".war" || ext == ".ear"
}

// readJar reads what an archive says about itself, and what it was built from: the
// modules with a pom.properties, and the archives in it, by their names.
func readJar(name string, s *layer.Sample) ([]record, error) {
	title, version := jarName(name)
	p := record{Type: facts.TypeJava, Name: title, Version: version, Self: true}
	files, err := zipFiles(s)
	if err == errHeld {
		return []record{p}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of its files: %w", err)
	}
	type pom struct{ artifact, name, version string }
	var poms []pom
	var manifest *zip.File
	for _, f := range files {
		switch {
		case f.Name == "META-INF/MANIFEST.MF":
			manifest = f
		case isJar(f.Name):
			p.Modules = append(p.Modules, module(jarName(path.Base(f.Name))))
		case strings.HasPrefix(f.Name, "META-INF/maven/") && path.Base(f.Name) == "pom.properties" && len(poms) < maxPOMs:
			in := properties(f, "=", maxPOM)
			if in["groupId"] != "" && in["artifactId"] != "" {
				poms = append(poms, pom{in["artifactId"], in["groupId"] + ":" + in["artifactId"], in["version"]})
			}
		}
	}
	// An archive may hold the classes of several projects.
	own := slices.IndexFunc(poms, func(x pom) bool { return x.artifact == title })
	if own < 0 && len(poms) == 1 {
		own = 0
	}
	for i, x := range poms {
		if i == own {
			p.Name, p.Version = x.name, x.version
		} else {
			p.Modules = append(p.Modules, module(x.name, x.version))
		}
	}
	slices.Sort(p.Modules)
	p.Modules = slices.Compact(p.Modules)
	if own < 0 && manifest != nil {
		in := properties(manifest, ":", maxJarManifest)
		bundle, _, _ := strings.Cut(in["Bundle-SymbolicName"], ";")
		p.Name = cmp.Or(strings.TrimSpace(bundle), in["Implementation-Title"], p.Name)
		p.Version = cmp.Or(in["Implementation-Version"], in["Bundle-Version"], p.Version)
	}
	return []record{p}, nil
}

func module(name, version string) string {
	if version == "" {
		return name
	}
	return name + "@" + version
}

// jarVersion finds where the version begins in the name of an archive.
var jarVersion = regexp.MustCompile(`-[0-9]`)

// jarName splits "name-version.jar".
func jarName(file string) (name, version string) {
	name = strings.TrimSuffix(file, path.Ext(file))
	if at := jarVersion.FindStringIndex(name); at != nil && at[0] > 0 {
		return name[:at[0]], name[at[0]+1:]
	}
	return cmp.Or(name, file), ""
}

// zipFiles returns the files of a zip. It checks first what makes package archive/zip
// take much time or memory: a list of files that is long.
func zipFiles(s *layer.Sample) ([]*zip.File, error) {
	const (
		endSize, magic   = 22, "PK\x05\x06"
		number, size, at = 10, 12, 16 // where they are in the end: the number of files, the bytes and the offset of their list
	)
	r := held{s}
	var tail []byte
	i := -1
	for _, comment := range []int64{0, 1<<16 - 1} { // the usual and the longest one
		tail = make([]byte, min(s.Size, endSize+comment))
		if n, err := r.ReadAt(tail, s.Size-int64(len(tail))); n < len(tail) {
			return nil, err
		}
		if i = bytes.LastIndex(tail, []byte(magic)); i >= 0 {
			break
		}
	}
	if i < 0 || len(tail)-i < endSize {
		return nil, errors.New("it has no end")
	}
	end, order := tail[i:], binary.LittleEndian
	if order.Uint32(end[size:]) > maxDirectory || order.Uint16(end[number:]) == 1<<16-1 || order.Uint32(end[at:]) == 1<<32-1 {
		return nil, errHeld
	}
	if from := s.Size - int64(len(tail)-i) - int64(order.Uint32(end[size:])); !s.Has(from, s.Size-from) {
		return nil, errHeld
	}
	z, err := zip.NewReader(r, s.Size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	return z.File, nil
}

// properties returns the lines "key, separator, value" in the first bytes of a file in
// a zip, up to an empty line; none if it can't be read.
func properties(f *zip.File, separator string, most int64) map[string]string {
	r, err := f.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	text, _ := io.ReadAll(io.LimitReader(r, most))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte("\n "), nil) // a manifest breaks lines after 72 bytes
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line == "\n" {
			break
		}
		if key, value, ok := strings.Cut(line, separator); ok {
			out[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return out
}
