package packages

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer/layer"
)

type reader func(name string, s *layer.Sample) ([]record, error)

// readText reads text as if it were the content of the file name.
func readText(read reader, name, text string) ([]record, error) {
	return read(name, &layer.Sample{Size: int64(len(text)), Head: []byte(text)})
}

// readFixture reads a file of testdata as the file with its base name.
func readFixture(t *testing.T, read reader, file string) []record {
	t.Helper()
	records, err := readText(read, path.Base(file), fixture(t, file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return records
}

func fixture(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// show returns the records as text: a line for what each says about its package, and
// an indented line for each file.
func show(records []record) string {
	var out strings.Builder
	for _, r := range records {
		fmt.Fprintf(&out, "%s|%s|%s|%s owns=%s lists=%s\n", r.Type, r.Name, r.Version, r.Arch, r.Owns, strings.Join(r.Lists, ","))
		for i, dir := range r.Files.Dirs {
			for _, name := range r.Files.Names[i] {
				fmt.Fprintf(&out, "  %s %s\n", dir, name)
			}
		}
	}
	return out.String()
}

func TestTextReaders(t *testing.T) {
	for _, c := range []struct {
		name string
		read reader
		file string // its base name
		text string // of testdata, if it begins with @
		want string
	}{
		{"apk", readAPK, "installed", "@apk/installed", `apk|alpine-baselayout|3.4.3-r2|x86_64 owns= lists=
  / .profile
  /etc motd
  /etc shadow
  /var/spool mail
apk|musl|1.2.4-r2|x86_64 owns= lists=
  /lib ld-musl-x86_64.so.1
  /lib libc.musl-x86_64.so.1
apk|.build-deps|20231205.102030|noarch owns= lists=
`},
		{"apk without packages", readAPK, "installed", "\n", ""},
		{"apk with names of odd bytes", readAPK, "installed", "P:a\nV:1\nF:x y\nR:\xff: \\n\nR:R:b\n\n", "apk|a|1| owns= lists=\n  /x y \xff: \\n\n  /x y R:b\n"},
		{"dist-info", readMetadata, "METADATA", "@python/METADATA", "python|Frosted.Cake|1.2| owns=. lists=RECORD\n"},
		{"dist-info with a description", readMetadata, "METADATA", "Metadata-Version: 2.1\nName: a\n\nVersion: 2\n", "python|a|| owns=. lists=RECORD\n"},
		{"dist-info with a version only in the description", readMetadata, "METADATA", "Name: a\r\n\r\nVersion: 2\n", "python|a|| owns=. lists=RECORD\n"},
		{"egg-info", readPkgInfo, "PKG-INFO", "@python/PKG-INFO", "python|old-pie|0.9| owns=. lists=installed-files.txt\n"},
		{"egg-info file", readEggFile, "old_pie-0.9.egg-info", "@python/PKG-INFO", "python|old-pie|0.9| owns=old_pie-0.9.egg-info lists=\n"},
		{"egg", readEgg, "PKG-INFO", "@python/PKG-INFO", "python|old-pie|0.9| owns=.. lists=\n"},
		{"RECORD with all that CSV has", readRecord, "RECORD", "a.py,sha256=x,1\r\n/usr/share/a,,\n../../../bin/a,,\n\n\"a \"\"b\"\", c\n.txt\",,\nd\"e,,\nd/\xff,,", `||| owns= lists=
  .. a.py
  /usr/share a
  ../../../../bin a
  .. a "b", c
.txt
  .. d"e
  ../d ` + "\xff\n"},
		{"conda", readConda, "zlib-1.2.13-hd590300_5.json", "@conda/zlib-1.2.13-hd590300_5.json", `conda|zlib|1.2.13|x86_64 owns= lists=
  ../include zconf.h
  ../include zlib.h
  ../lib libz.a
  ../lib libz.so
  ../lib/pkgconfig zlib.pc
  ../share/man/man3 zlib.3
  . zlib-1.2.13-hd590300_5.json
`},
		{"gem", readGemspec, "churn-2.0.1.gemspec", "@gem/churn-2.0.1.gemspec", `gem|churn|2.0.1| owns=../gems/churn-2.0.1 lists=
  . churn-2.0.1.gemspec
  ../cache churn-2.0.1.gem
  ../build_info churn-2.0.1.info
`},
		{"gem for a platform", readGemspec, "curd-2.0.1-x86_64-linux.gemspec", "@gem/curd-2.0.1-x86_64-linux.gemspec", `gem|curd|2.0.1|x86_64-linux owns=../gems/curd-2.0.1-x86_64-linux lists=
  . curd-2.0.1-x86_64-linux.gemspec
  ../cache curd-2.0.1-x86_64-linux.gem
  ../build_info curd-2.0.1-x86_64-linux.info
`},
		{"gem of Ruby", readDefaultGemspec, "json-2.6.1.gemspec", "@gem/json-2.6.1.gemspec", `gem|json|2.6.1| owns=../../gems/json-2.6.1 lists=
  . json-2.6.1.gemspec
  ../../cache json-2.6.1.gem
  ../../build_info json-2.6.1.info
`},
		{"composer 2", readComposer, "installed.json", "@composer/installed.json", `composer|acme/jam|v1.4.0| owns=../acme/jam lists=
composer|acme/meta|1.0| owns= lists=
composer|acme/toast|2.0.0| owns=../acme/toast lists=
`},
		{"composer 1", readComposer, "installed.json", "@composer/installed-1.json", "composer|acme/jam|v1.4.0| owns=../acme/jam lists=\n"},
		{"chisel", readManifest, "manifest.wall", "@chisel/manifest.wall", `deb|base-files|12ubuntu4.7|amd64 owns= lists=
  /etc os-release
  /var/lib/chisel manifest.wall
  /var run
deb|libc6|2.35-0ubuntu3.8|amd64 owns= lists=
  /etc/ld.so.conf.d x86_64-linux-gnu.conf
  /lib/x86_64-linux-gnu libc.so.6
`},
	} {
		text := c.text
		if file, ok := strings.CutPrefix(text, "@"); ok {
			text = fixture(t, file)
		}
		records, err := readText(c.read, c.file, text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, show(records)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestPythonFilesAreThoseOfPip compares lists of files with what "pip show -f" says,
// which tells the paths from site-packages on.
func TestPythonFilesAreThoseOfPip(t *testing.T) {
	for _, c := range []struct {
		file, folder, want string
		read               reader
	}{
		{"python/RECORD", "Frosted.Cake-1.2.dist-info", "python/RECORD.files", readRecord},
		{"python/editable.RECORD", "edible-3.dist-info", "python/editable.RECORD.files", readRecord},
		{"python/installed-files.txt", "old_pie-0.9.egg-info", "python/installed-files.files", readInstalledFiles},
	} {
		records := readFixture(t, c.read, c.file)
		if len(records) != 1 || records[0].Name != "" {
			t.Fatalf("%s: got %v, want one record without name", c.file, records)
		}
		const site = "/v/lib/python3.11/site-packages"
		var got, want []string
		for p := range records[0].Files.all() {
			got = append(got, path.Join(site, c.folder, p))
		}
		for line := range strings.Lines(fixture(t, c.want)) {
			want = append(want, path.Join(site, strings.TrimSuffix(line, "\n")))
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: (-want +got)\n%s", c.file, diff)
		}
	}
}

// TestGemOwnsItsContents compares the folder of a gem with what "gem contents" says.
func TestGemOwnsItsContents(t *testing.T) {
	for file, contents := range map[string]string{"gem/churn-2.0.1.gemspec": "gem/churn.contents", "gem/curd-2.0.1-x86_64-linux.gemspec": "gem/curd.contents"} {
		folder := path.Join("specifications", readFixture(t, readGemspec, file)[0].Owns) + "/"
		lines := slices.Collect(strings.Lines(fixture(t, contents)))
		if len(lines) == 0 || slices.ContainsFunc(lines, func(line string) bool { return !strings.HasPrefix(line, folder) }) {
			t.Errorf("%s: got %s, want the folder of %q", file, folder, lines)
		}
	}
}

func compress(text string) string {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

func TestTextReadersFail(t *testing.T) {
	var huge bytes.Buffer
	z, err := zstd.NewWriter(&huge)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(z, `{"jsonwall":"1.0","count":1}`)
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for range maxManifest>>20 + 1 {
		z.Write(spaces)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := fixture(t, "chisel/manifest.wall")
	for _, c := range []struct {
		name string
		read reader
		text string
		want string // in the error
	}{
		{"apk: the last line is cut", readAPK, "P:a\nV:1\n\nP:b\nV:1", "line 5: unexpected end"},
		{"apk: the last package is cut", readAPK, "P:a\nV:1\n\nP:b\nV:1\nF:usr\nR:x\n", "last package: unexpected end"},
		{"apk: no field", readAPK, "P:a\nhello\n\n", `line 2: "hello" is not a field`},
		{"apk: no name", readAPK, "V:1\n\n", "no name"},
		{"apk: a file without folder", readAPK, "P:a\nR:x\n\n", "has no folder"},
		{"apk: the folder of the package before", readAPK, "P:a\nF:usr\n\nP:b\nR:x\n\n", "has no folder"},
		{"apk: a database of another kind", readAPK, "SQLite format 3\x00", "unexpected end"},
		{"METADATA without name", readMetadata, "Version: 1\n\nName: a\n", "no Name"},
		{"RECORD: a quote without end", readRecord, "a,,\n\"b,,\nc,,\n", "entry 2: a quote without end"},
		{"RECORD: text after a quote", readRecord, `"a"b,,` + "\n", "entry 1: text after"},
		{"RECORD: cut in a path", readRecord, "a,,\nb", "entry 2: unexpected end"},
		{"RECORD: cut in a checksum", readRecord, "a,,\nb,sha256=0", "entry 2: unexpected end"},
		{"RECORD: cut after a quoted path", readRecord, `"a"`, "entry 1: unexpected end"},
		{"installed-files.txt: cut", readInstalledFiles, "a\nb", "unexpected end"},
		{"conda: cut", readConda, `{"name":"a","files":["b"`, "unexpected end"},
		{"conda: no name", readConda, `{"files":["b"]}`, "name"},
		{"conda: deep", readConda, strings.Repeat("[", 20_000), "decoding JSON"},
		{"gem: no stub", readGemspec, "Gem::Specification.new do |s|\n# stub: a 1 ruby lib\nend\n", "no line"},
		{"gem: half a stub", readGemspec, "# stub: a 1 ruby\n", "not complete"},
		{"gem: another folder", readGemspec, "# stub: a/../../.. 1 ruby lib\n", "not a name"},
		{"composer: cut", readComposer, `{"packages":[{"name":"a/b"}`, "unexpected end"},
		{"composer: no packages", readComposer, `{"dev":true}`, "no array"},
		{"composer: no name", readComposer, `[{"name":"a/b"},{}]`, "package 1"},
		{"chisel: no zstd", readManifest, `{"jsonwall":"1.0","count":1}`, "magic number"},
		{"chisel: cut", readManifest, whole[:len(whole)-20], "unexpected EOF"},
		{"chisel: no header", readManifest, compress(`{"kind":"package","name":"a"}`), "not the header"},
		{"chisel: a line is missing", readManifest, compress(`{"jsonwall":"1.0","count":3}` + "\n" + `{"kind":"package","name":"a"}` + "\n"), "2 lines, and the header says 3"},
		{"chisel: a slice without package", readManifest, compress(`{"jsonwall":"1.0","count":2}` + "\n" + `{"kind":"content","slice":"b_c","path":"/d"}` + "\n"), `"b" is not listed`},
		{"chisel: empty", readManifest, compress(""), "empty"},
		{"dpkg: too many", readStatus, strings.Repeat("Package: a\nStatus: install ok installed\n\n", maxPackages+1), "more than 131072"},
		{"apk: too many", readAPK, strings.Repeat("P:a\n\n", maxPackages+1), "more than 131072"},
		{"composer: too many", readComposer, `[{"name":"a"}` + strings.Repeat(`,{"name":"a"}`, maxPackages) + "]", "more than 131072"},
		{"chisel: too many", readManifest, compress(`{"jsonwall":"1.0","count":131074}` + strings.Repeat(`{"kind":"package","name":"a"}`, maxPackages+1)), "more than 131072"},
		{"chisel: too large", readManifest, huge.String(), "more than 67108864 bytes"},
	} {
		records, err := readText(c.read, "file", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || records != nil {
			t.Errorf("%s: got %d records and the error %v, want an error with %q", c.name, len(records), err, c.want)
		}
	}
}

func TestTextFilesAreFoundByPath(t *testing.T) {
	for _, c := range []struct {
		path    string
		matches func(path, name string) bool
		want    bool
	}{
		{"usr/lib/python3/dist-packages/a-1.dist-info/METADATA", isDistInfo("METADATA"), true},
		{"var/task/a-1.dist-info/RECORD", isDistInfo("RECORD"), true},
		{"var/task/a-1.dist-info/x/RECORD", isDistInfo("RECORD"), false},
		{"METADATA", isDistInfo("METADATA"), false},
		{"v/site-packages/a.egg-info/PKG-INFO", isEggInfo("PKG-INFO"), true},
		{"app/src/a.egg-info/PKG-INFO", isEggInfo("PKG-INFO"), false}, // next to sources
		{"v/site-packages/a-1.egg-info", isEggFile, true},
		{"app/a-1.egg-info", isEggFile, false},
		{"v/site-packages/a.egg-link", isEggFile, false},
		{"v/site-packages/a-1-py3.8.egg/EGG-INFO/PKG-INFO", isEgg, true},
		{"v/site-packages/a/EGG-INFO/PKG-INFO", isEgg, false},
		{"opt/conda/conda-meta/zlib-1.json", isConda, true},
		{"conda-meta/zlib-1.json", isConda, true},
		{"opt/conda/conda-meta/history", isConda, false},
		{"opt/conda/conda-meta/x/y.json", isConda, false},
		{"usr/local/bundle/specifications/a-1.gemspec", isGemspec, true},
		{"specifications/a-1.gemspec", isGemspec, true},
		{"app/a.gemspec", isGemspec, false},
		{"usr/lib/ruby/gems/3.1.0/specifications/default/a-1.gemspec", isGemspec, false},
		{"usr/lib/ruby/gems/3.1.0/specifications/default/a-1.gemspec", isDefaultGemspec, true},
		{"specifications/default/a-1.gemspec", isDefaultGemspec, true},
		{"app/myspecifications/default/a-1.gemspec", isDefaultGemspec, false},
		{"app/vendor/composer/installed.json", isComposer, true},
		{"app/vendor/installed.json", isComposer, false},
	} {
		if got := c.matches(c.path, path.Base(c.path)); got != c.want {
			t.Errorf("%s: got %t, want %t", c.path, got, c.want)
		}
	}
}

// fuzzReader tests that a reader ends, and that what it returns is no larger than what
// it read: most tells how many bytes of paths it may return for a byte.
func fuzzReader(f *testing.F, read reader, seeds ...string) {
	for _, s := range seeds {
		f.Add(fixture(f, s))
	}
	f.Fuzz(func(t *testing.T, text string) {
		records, err := readText(read, "name", text)
		if err != nil && records != nil {
			t.Errorf("got %v and the error %v", records, err)
		}
		paths, bytes := 0, 0
		for _, r := range records {
			if len(r.Files.Dirs) != len(r.Files.Names) {
				t.Errorf("got %d folders and %d lists of names", len(r.Files.Dirs), len(r.Files.Names))
			}
			for i, names := range r.Files.Names {
				bytes += len(r.Files.Dirs[i])
				paths += len(names)
				for _, name := range names {
					bytes += len(name)
				}
			}
		}
		if size := len(text); paths > 3*len(records)+size || bytes > 100*len(records)+5*size {
			t.Errorf("got %d paths with %d bytes from %d bytes", paths, bytes, size)
		}
	})
}

func FuzzAPK(f *testing.F)      { fuzzReader(f, readAPK, "apk/installed") }
func FuzzMetadata(f *testing.F) { fuzzReader(f, readMetadata, "python/METADATA", "python/PKG-INFO") }
func FuzzRecord(f *testing.F) {
	fuzzReader(f, readRecord, "python/RECORD", "python/editable.RECORD")
}
func FuzzInstalledFiles(f *testing.F) {
	fuzzReader(f, readInstalledFiles, "python/installed-files.txt")
}
func FuzzConda(f *testing.F) { fuzzReader(f, readConda, "conda/zlib-1.2.13-hd590300_5.json") }
func FuzzGemspec(f *testing.F) {
	fuzzReader(f, readGemspec, "gem/churn-2.0.1.gemspec", "gem/json-2.6.1.gemspec")
}
func FuzzComposer(f *testing.F) {
	fuzzReader(f, readComposer, "composer/installed.json", "composer/installed-1.json")
}

func FuzzManifest(f *testing.F) {
	f.Add(fixture(f, "chisel/manifest.wall"))
	fuzzReader(f, func(name string, s *layer.Sample) ([]record, error) {
		if _, err := readManifest(name, s); err == nil {
			return nil, nil
		}
		return readText(readManifest, name, compress(string(s.Head)))
	}, "chisel/manifest.json")
}
