package packages

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
	"fathom/analyzer/packages/rpmdb"
)

// maxRPM is the size in bytes up to which a database of rpm is read. A package takes
// about 100 kB of it, so this is enough for more packages than desktops have.
const maxRPM = 256 << 20

// rpms returns the formats of rpm's databases, which are read at offsets.
func rpms() []format {
	var databases, logs []string
	for _, dir := range []string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"} {
		databases = append(databases, dir+"rpmdb.sqlite", dir+"Packages.db", dir+"Packages")
		logs = append(logs, dir+"rpmdb.sqlite-wal")
	}
	return []format{{is(databases...), readRPM}, {is(logs...), readWAL}}
}

// readRPM reads a database of rpm.
func readRPM(_ string, s *layer.Sample) ([]record, error) {
	packages, err := rpmdb.Read(s, s.Size)
	if err != nil {
		return nil, err
	}
	out := make([]record, 0, len(packages))
	for i := range packages {
		p := &packages[i]
		out = append(out, record{
			Type: facts.TypeRPM, Name: p.Name, Version: p.EVR(), Arch: p.Arch,
			Files: list{Dirs: p.Dirs, Names: p.Names},
		})
	}
	return out, nil
}

// walHeader is the size in bytes of a write-ahead log of SQLite without changes.
const walHeader = 32

// readWAL reads the write-ahead log next to rpmdb.sqlite. rpm empties it when it closes
// the database.
func readWAL(_ string, s *layer.Sample) ([]record, error) {
	if s.Size > walHeader {
		return nil, errors.New("it may have changes that rpmdb.sqlite lacks")
	}
	return nil, nil
}

// readRPMManifest reads the list of packages that distroless images of Azure Linux have
// instead of a database, without files: rpm's NAME, VERSION-RELEASE, INSTALLTIME,
// BUILDTIME, VENDOR, EPOCH, SIZE, ARCH, EPOCHNUM and SOURCERPM, with tabs between them.
func readRPMManifest(_ string, s *layer.Sample) ([]record, error) {
	var out []record
	for line := range bytes.Lines(s.Head) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			continue
		}
		field := strings.Split(string(line), "\t")
		if len(field) < 10 || field[0] == "" {
			return nil, fmt.Errorf("reading line %d: %.80q has %d fields, not 10", len(out)+1, line, len(field))
		}
		r := record{Type: facts.TypeRPM, Name: field[0], Version: field[1], Arch: field[7]}
		if epoch := field[8]; epoch != "0" {
			r.Version = epoch + ":" + r.Version
		}
		if field[0] != "gpg-pubkey" {
			out = append(out, r)
		}
		if len(out) > maxPackages {
			return nil, errTooMany
		}
	}
	return out, nil
}
