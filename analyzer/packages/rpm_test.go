package packages

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/layer"
)

// rpmDatabase returns a database of rpmdb/testdata.
func rpmDatabase(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open("rpmdb/testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// spread moves the packages of an ndb database to the middle of a file of more than
// 2 MiB.
func spread(data []byte) []byte {
	const slots, gap = 4096, 1 << 20
	out := slices.Concat(data[:slots], make([]byte, gap), data[slots:], make([]byte, gap))
	for at := 32; at < slots; at += 16 {
		if block := binary.LittleEndian.Uint32(out[at+8:]); block != 0 {
			binary.LittleEndian.PutUint32(out[at+8:], block+gap/16)
		}
	}
	return out
}

// summary returns each package as a line: name, version, architecture, visible and
// wasted bytes, and the layers that bring and remove it.
func summary(p *Packages) []string {
	var out []string
	for _, x := range p.List {
		out = append(out, fmt.Sprintf("%s %s %s %s %d+%d %d..%d", x.Type, x.Name, x.Version, x.Arch, x.VisibleBytes, x.WastedBytes, x.BroughtBy, x.RemovedBy))
	}
	slices.Sort(out)
	return out
}

// TestRPM checks the owners of files by the databases in rpmdb/testdata, which rpm
// wrote.
func TestRPM(t *testing.T) {
	want := []string{
		"rpm arches 1.0-1 i686 4+0 0..-1",
		"rpm arches 1.0-1 x86_64 8+2 0..-1", // the program, which both list
		"rpm empty 1.0-1 noarch 0+0 0..-1",
		"rpm epoch 2:1.0~rc1-1 noarch 16+0 0..-1",
		"rpm folders 1.0-1 noarch 160+0 0..-1", // with the file in /
		"rpm many 1.0-1 noarch 256+0 0..-1",
		"rpm moved 1.0-1 noarch 512+0 0..-1",
		"rpm replacing 1.0-1 noarch 1024+0 0..-1",
		"rpm twice 1.0-1 noarch 0+0 0..-1",
		"rpm twice 2.0-1 noarch 2048+0 0..-1",
	}
	for _, c := range []struct {
		path string
		data []byte
	}{
		{"var/lib/rpm/rpmdb.sqlite", rpmDatabase(t, "sqlite")},
		{"usr/lib/sysimage/rpm/Packages.db", rpmDatabase(t, "ndb")},
		{"usr/lib/sysimage/rpm/Packages.db", spread(rpmDatabase(t, "ndb"))},
		{"usr/share/rpm/Packages", rpmDatabase(t, "bdb")},
		{"var/lib/rpm/Packages", rpmDatabase(t, "bdb-bigendian")},
	} {
		for _, stream := range []bool{false, true} {
			p, _ := found(t, fmt.Sprintf(`
layer RUN dnf install
  file %s text=%q
  file opt/arches/program 2xa
  file opt/arches/i686 4xa
  file opt/epoch/file 16xa
  file rootfile 32xa
  file "usr/share/folders/latin1-\xff" 128xa
  file usr/lib/many/folder-10/file-with-a-long-name-40 256xa
  file srv/elsewhere/bin/moved 512xa
  file opt/moved/bin/moved 4096xa
  file usr/bin/folders 1024xa
  file opt/twice-2.0/file 2048xa
layer RUN strip
  file opt/arches/program 8xa
`, c.path, c.data), stream)
			if diff := cmp.Diff(want, summary(p)); diff != "" {
				t.Errorf("%s, streamed %t (-want +got):\n%s", c.path, stream, diff)
			}
			if got, want := p.Unowned.VisibleBytes, int64(4096+len(c.data)); got != want || len(p.Warnings) > 0 {
				t.Errorf("%s: %d bytes belong to no package, want %d; %v", c.path, got, want, p.Warnings)
			}
			if p.List[0].Database != "/"+c.path {
				t.Errorf("%s: database %s", c.path, p.List[0].Database)
			}

		}
	}
}

// TestRPMMoves checks that packages stay the same when their database moves, and that
// those that it no longer lists are removed.
func TestRPMMoves(t *testing.T) {
	image := fmt.Sprintf(`
layer FROM fedora:35
  file var/lib/rpm/Packages text=%q
  file opt/epoch/file 16xa
layer RUN rpm --rebuilddb
  file var/lib/rpm/.wh.Packages
  file usr/lib/sysimage/rpm/rpmdb.sqlite text=%q
`, rpmDatabase(t, "bdb"), rpmDatabase(t, "sqlite"))
	removed := image + "layer RUN rm\n  file usr/lib/sysimage/rpm/.wh.rpmdb.sqlite\n"
	for image, want := range map[string]string{
		image:   "rpm epoch 2:1.0~rc1-1 noarch 16+0 0..-1",
		removed: "rpm epoch 2:1.0~rc1-1 noarch 0+0 0..2", // nothing lists the file any more
	} {
		p, _ := found(t, image, false)
		if got := summary(p); len(got) != 10 || got[3] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestSeveralVersions checks packages of which several versions are installed for some
// time, and a database that lists the same one twice.
func TestSeveralVersions(t *testing.T) {
	line := func(version, arch string) string {
		return "kernel\t" + version + "\t1\t1\tx\t(none)\t1\t" + arch + "\t0\tx.src.rpm\n"
	}
	image := ""
	for _, text := range []string{
		line("1-1", "x86_64") + line("1-1", "noarch"),
		line("1-1", "x86_64") + line("2-1", "x86_64") + line("1-1", "noarch"),
		line("2-1", "x86_64") + line("2-1", "noarch"),
		line("2-1", "x86_64") + line("2-1", "noarch") + line("2-1", "noarch"),
	} {
		image += fmt.Sprintf("layer RUN dnf\n  file var/lib/rpmmanifest/container-manifest-2 text=%q\n", text)
	}
	p, _ := found(t, image, false)
	want := []string{
		"rpm kernel 1-1 x86_64 0+0 0..2",
		"rpm kernel 2-1 noarch 0+0 2..-1",
		"rpm kernel 2-1 x86_64 0+0 1..-1",
	}
	if diff := cmp.Diff(want, summary(p)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRPMManifest(t *testing.T) {
	text := fixture(t, "rpm/container-manifest-2")
	var got []string
	for _, r := range readFixture(t, readRPMManifest, "rpm/container-manifest-2") {
		got = append(got, r.Name+" "+r.Version+" "+r.Arch)
	}
	slices.Sort(got)
	want := []string{
		"arches 1.0-1 i686", "arches 1.0-1 x86_64", "empty 1.0-1 noarch", "epoch 2:1.0~rc1-1 noarch", "folders 1.0-1 noarch", "many 1.0-1 noarch",
		"moved 1.0-1 noarch", "replacing 1.0-1 noarch", "twice 1.0-1 noarch", "twice 2.0-1 noarch",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, text := range []string{text + "bash\n", "\tx" + text, strings.Replace(text, "\tempty-1.0-1.src.rpm", "", 1), strings.Repeat(text, maxPackages/10+1)} {
		if got, err := readRPMManifest("", &layer.Sample{Head: []byte(text)}); err == nil {
			t.Errorf("%.50q: %d packages, want an error", text, len(got))
		}
	}
}

// TestDamagedRPM checks that a database that can't be read is a warning, and that its
// files are unowned.
func TestDamagedRPM(t *testing.T) {
	data := rpmDatabase(t, "sqlite")
	p, _ := found(t, fmt.Sprintf(`
layer RUN dnf install
  file var/lib/rpm/rpmdb.sqlite text=%q
  file var/lib/rpm/rpmdb.sqlite-wal 4096xw
  file usr/share/rpm/Packages text="not a database"
  file usr/share/rpm/rpmdb.sqlite-wal
  file usr/lib/sysimage/rpm/rpmdb.sqlite-wal 32xw
  file opt/epoch/file 16xa
`, data[:4096]), true)
	var got []string
	for _, w := range p.Warnings {
		got = append(got, w.Path+" "+w.Text)
	}
	slices.Sort(got)
	end := ": its packages are unknown, and their files count as unowned"
	want := []string{
		"/usr/share/rpm/Packages can't read this package database: it is not a database of rpm" + end,
		"/var/lib/rpm/rpmdb.sqlite can't read this package database: reading the schema: page 33 does not exist: the database is truncated" + end,
		"/var/lib/rpm/rpmdb.sqlite-wal can't read this package database: it may have changes that rpmdb.sqlite lacks" + end,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(p.List) > 0 {
		t.Errorf("%d packages, warnings (-want +got):\n%s", len(p.List), diff)
	}
	for _, k := range Lookers() {
		if k.Name == "packages rpm 1" {
			data := append(rpmDatabase(t, "ndb"), strings.Repeat("\n", maxEntries)...) // it is no text
			if notes := k.Look("var/lib/rpm/Packages", &layer.Sample{Size: int64(len(data)), Head: data}); strings.HasPrefix(notes[0], "!") {
				t.Error(notes)
			}
			notes := k.Look("var/lib/rpm/Packages", &layer.Sample{Size: maxRPM + 1})
			if want := []string{"!it has 268435457 bytes, more than 268435456"}; !slices.Equal(notes, want) {
				t.Errorf("got %q, want %q", notes, want)
			}
		}
	}
}

func FuzzRPMManifest(f *testing.F) { fuzzReader(f, readRPMManifest, "rpm/container-manifest-2") }
