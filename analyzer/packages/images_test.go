package packages

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/layer"
)

// table returns the packages as text, and what belongs to none, by folder.
func table(p *Packages) string {
	var out strings.Builder
	for _, x := range p.List {
		fmt.Fprintf(&out, "%s %s %s: %d+%d bytes, %d files, layers %d to %d\n", x.Type, x.Name, x.Version, x.VisibleBytes, x.WastedBytes, x.Files, x.BroughtBy, x.RemovedBy)
	}
	for _, f := range p.Unowned.Folders {
		fmt.Fprintf(&out, "unowned %q: %d+%d bytes\n", f.Path, f.VisibleBytes, f.WastedBytes)
	}
	for _, w := range p.Warnings {
		why := strings.TrimPrefix(w.Text, "can't read this package database: ")
		why, _, _ = strings.Cut(why, ": its packages are unknown")
		fmt.Fprintf(&out, "warning %s: %s\n", w.Path, why)
	}
	return out.String()
}

func TestTextFormatsInImages(t *testing.T) {
	const site = "usr/lib/python3/site-packages/"
	manifest := compress(`{"jsonwall":"1.0","schema":"1.0","count":4}
{"kind":"content","slice":"a_libs","path":"/lib/a"}
{"kind":"content","slice":"a_libs","path":"/lib/gone"}
{"kind":"package","name":"a","version":"1","arch":"amd64"}
`)
	for _, c := range []struct{ name, image, want string }{
		{"an upgrade of apk, and a folder that is a symlink", fmt.Sprintf(`
layer RUN apk add a
  symlink lib -> usr/lib
  file usr/lib/apk/db/installed text=%q
  file usr/bin/a 100xa
layer RUN apk upgrade
  file usr/lib/apk/db/installed text=%q
  file usr/bin/a 110xa
  file usr/lib/b 1000xb
`, "P:a\nV:1\nF:usr/bin\nR:a\n\n", "P:a\nV:2\nF:usr/bin\nR:a\nF:lib\nR:b\n\nP:.build-deps\nV:0\n\n"),
			`apk a 2: 1110+100 bytes, 2 files, layers 1 to -1
apk .build-deps 0: 0+0 bytes, 0 files, layers 1 to -1
unowned "/usr/lib/apk": 52+23 bytes
`},
		{"a database of apk that moves", `
layer RUN apk add a
  file lib/apk/db/installed text="P:a\nV:1\nF:bin\nR:a\n\n"
  file bin/a 100xa
layer RUN apk upgrade apk-tools
  file lib/apk/.wh.db
  file usr/lib/apk/db/installed text="P:a\nV:1\nF:bin\nR:a\n\n"
`, `apk a 1: 100+0 bytes, 1 files, layers 0 to -1
unowned "/lib/apk": 0+19 bytes
unowned "/usr/lib/apk": 19+0 bytes
`},
		{"names that are not UTF-8", `
layer RUN apk add a
  file lib/apk/db/installed text="P:a\nV:1\nF:usr/\xff\nR:\xfe\nR:\u00ff\n\n"
  file "usr/\xff/\xfe" 100xa
  file "usr/\xff/\u00ff" 200xa
  file var/lib/dpkg/status text="Package: b\nStatus: install ok installed\nVersion: 1\n\n"
  file var/lib/dpkg/info/b.list text="/usr/\xfd\n"
  file "usr/\xfd" 400xb
`, `deb b 1: 400+0 bytes, 1 files, layers 0 to -1
apk a 1: 300+0 bytes, 2 files, layers 0 to -1
unowned "/var/lib/dpkg": 59+0 bytes
unowned "/lib/apk": 26+0 bytes
`},
		{"pip", fmt.Sprintf(`
layer RUN pip install
  file %[1]sa-1.dist-info/METADATA text="Name: A.b\nVersion: 1\n"
  file %[1]sa-1.dist-info/RECORD text="a/__init__.py,,\n\"a/x,y\",,\n../../../bin/a,,\n/usr/share/a,,\n"
  file %[1]sa/__init__.py 100xa
  file "%[1]sa/x,y" 200xa
  file usr/bin/a 400xa
  file usr/share/a 800xa
  file %[1]sa/new 1600xa
  file %[1]sb-1.dist-info/METADATA text="Name: b\nVersion: 1\n"
  file %[1]sb/__init__.py 3200xa
  file %[1]sc.egg-link text="/app/c"
  file app/c.egg-info/PKG-INFO text="Name: c\nVersion: 1\n"
  file app/c/__init__.py 6400xa
`, site), `python A.b 1: 1579+0 bytes, 6 files, layers 0 to -1
python b 1: 19+0 bytes, 1 files, layers 0 to -1
unowned "/app/c": 6400+0 bytes
unowned "/usr/lib/python3/site-packages/b": 3200+0 bytes
unowned "/usr/lib/python3/site-packages/a": 1600+0 bytes
unowned "/app/c.egg-info": 19+0 bytes
unowned "/usr/lib/python3/site-packages": 6+0 bytes
`},
		{"a Python package of the distribution", `
layer RUN apk add py3-a
  file lib/apk/db/installed text="P:py3-a\nV:1\nF:usr/lib/python3/site-packages\nR:a.py\nF:usr/lib/python3/site-packages/a-1.dist-info\nR:METADATA\n\n"
  file usr/lib/python3/site-packages/a.py 100xa
  file usr/lib/python3/site-packages/a-1.dist-info/METADATA text="Name: a\nVersion: 1\n"
`, `apk py3-a 1: 119+0 bytes, 2 files, layers 0 to -1
python a 1: 0+0 bytes, 0 files, layers 0 to -1
unowned "/lib/apk": 109+0 bytes
`},
		{"an egg, a distutils package and one of a setup.py", `
layer RUN make
  file v/site-packages/a-1-py3.8.egg/EGG-INFO/PKG-INFO text="Name: a\nVersion: 1\n"
  file v/site-packages/a-1-py3.8.egg/a/x 100xa
  file v/site-packages/b-1.egg-info text="Name: b\nVersion: 1\n"
  file v/site-packages/b.py 200xb
  file v/site-packages/c-1.egg-info/PKG-INFO text="Name: c\nVersion: 1\n"
  file v/site-packages/c-1.egg-info/installed-files.txt text="../c.py\nPKG-INFO\n"
  file v/site-packages/c.py 400xc
`, `python c 1: 436+0 bytes, 3 files, layers 0 to -1
python a 1: 119+0 bytes, 2 files, layers 0 to -1
python b 1: 19+0 bytes, 1 files, layers 0 to -1
unowned "/v/site-packages": 200+0 bytes
`},
		{"two environments of conda", `
layer RUN conda install
  file opt/conda/conda-meta/z-1-0.json text="{\"name\":\"z\",\"version\":\"1\",\"files\":[\"lib/z.so\",\"lib/python3/site-packages/z.py\"]}"
  file opt/conda/lib/z.so 100xz
  file opt/conda/lib/python3/site-packages/z.py 50xz
  file opt/conda/lib/python3/site-packages/z-1.dist-info/METADATA text="Name: z\nVersion: 1\n"
  file opt/conda/lib/python3/site-packages/z-1.dist-info/RECORD text="z.py,,\n"
  file opt/conda/envs/e/conda-meta/z-1-0.json text="{\"name\":\"z\",\"version\":\"1\",\"files\":[\"lib/z.so\"]}"
  file opt/conda/envs/e/lib/z.so 1000xz
layer RUN conda remove
  file opt/conda/envs/e/conda-meta/.wh.z-1-0.json
  file opt/conda/envs/e/lib/.wh.z.so
`, `conda z 1: 0+1047 bytes, 0 files, layers 0 to 1
conda z 1: 230+0 bytes, 3 files, layers 0 to -1
python z 1: 26+0 bytes, 2 files, layers 0 to -1
`},
		{"Chisel, and a status without lists as chisel-wrapper writes it", fmt.Sprintf(`
layer COPY --from=chisel
  symlink lib -> usr/lib
  file var/lib/dpkg/status text="Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\nPackage: b\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"
  file var/lib/chisel/manifest.wall text=%q
  file usr/lib/a 100xa
  file usr/lib/c 200xc
`, manifest), fmt.Sprintf(`deb a 1: 100+0 bytes, 1 files, layers 0 to -1
deb b 1: 0+0 bytes, 0 files, layers 0 to -1
unowned "/usr/lib": 200+0 bytes
unowned "/var/lib/dpkg": 144+0 bytes
unowned "/var/lib/chisel": %d+0 bytes
`, len(manifest))},
		{"pnpm", `
layer RUN pnpm install debug@4.3.4
  file app/node_modules/.modules.yaml 10xy
  symlink app/node_modules/debug -> .pnpm/debug@4.3.4/node_modules/debug
  file app/node_modules/.pnpm/debug@4.3.4/node_modules/debug/package.json text="{\"name\":\"debug\",\"version\":\"4.3.4\"}"
  file app/node_modules/.pnpm/debug@4.3.4/node_modules/debug/src/index.js 100xd
  symlink app/node_modules/.pnpm/debug@4.3.4/node_modules/ms -> ../../ms@2.1.2/node_modules/ms
  file app/node_modules/.pnpm/ms@2.1.2/node_modules/ms/package.json text="{\"name\":\"ms\",\"version\":\"2.1.2\"}"
  file app/node_modules/.pnpm/ms@2.1.2/node_modules/ms/index.js 200xm
  symlink app/node_modules/.pnpm/node_modules/ms -> ../ms@2.1.2/node_modules/ms
  file app/node_modules/.pnpm/lock.yaml 20xl
`, `npm ms 2.1.2: 231+0 bytes, 2 files, layers 0 to -1
npm debug 4.3.4: 134+0 bytes, 2 files, layers 0 to -1
unowned "/app/node_modules/.pnpm": 20+0 bytes
unowned "/app/node_modules": 10+0 bytes
`},
		{"compiled Python", `
layer RUN apt-get install python3-a
  file var/lib/dpkg/status text="Package: a\nStatus: install ok installed\nVersion: 1\n\n"
  file var/lib/dpkg/info/a.list text="/p/a.py\n/p/b.c.py\n"
  file p/a.py 1xa
  file p/__pycache__/a.cpython-311.pyc 10xa
  file p/__pycache__/a.cpython-311.opt-1.pyc 20xa
  file p/__pycache__/b.cpython-311.pyc 40xa
  file p/b.c.py 2xa
  file p/__pycache__/b.c.cpython-311.pyc 4xa
  file p/__pycache__/.pyc 0xa
  file p/__pycache__/a.py 100xa
  file p/x/a.cpython-311.pyc 200xa
  file __pycache__/a.cpython-311.pyc 400xa
  file p/own.py 1000xa
  file p/__pycache__/own.cpython-311.pyc 2000xa
`, `deb a 1: 37+0 bytes, 5 files, layers 0 to -1
unowned "/p/__pycache__": 2140+0 bytes
unowned "/p": 1000+0 bytes
unowned "/__pycache__": 400+0 bytes
unowned "/p/x": 200+0 bytes
unowned "/var/lib/dpkg": 70+0 bytes
`},
		{"gems", `
layer RUN gem install
  file "g/*/specifications/a-1.gemspec" text="# stub: a 1 ruby lib\n"
  file "g/*/specifications/default/b-1.gemspec" text="# stub: b 1 ruby lib\n"
  file "g/*/gems/a-1/lib/a.rb" 100xa
  file "g/*/gems/b-1/exe/b" 200xa
  file "g/*/cache/a-1.gem" 400xa
  file "g/*/extensions/x/3.1/a-1/a.so" 1000xa
  file "g/*/extensions/y/3.1/a-1/a.so" 2000xa
  file "g/*/extensions/y/3.1/c-1/c.so" 4000xa
  file "g/*/doc/a-1/ri/a.ri" 8000xa
  file "g/h/doc/a-1/ri/a.ri" 50xa
  file "g/h/extensions/y/3.1/a-1/a.so" 60xa
`, `gem a 1: 11521+0 bytes, 6 files, layers 0 to -1
gem b 1: 221+0 bytes, 2 files, layers 0 to -1
unowned "/g/*/extensions/y/3.1/c-1": 4000+0 bytes
unowned "/g/h": 110+0 bytes
`},
		{"composer", `
layer RUN composer install
  file app/vendor/composer/installed.json text="{\"packages\":[{\"name\":\"a/b\",\"version\":\"v1\",\"install-path\":\"../a/b\"},{\"name\":\"c/d\",\"version\":\"2\",\"install-path\":\"../../web/core\"},{\"name\":\"m/m\",\"version\":\"1\",\"install-path\":null}]}"
  file app/vendor/a/b/x 100xa
  file app/web/core/y 200xa
  file app/web/index 400xa
`, `composer c/d 2: 200+0 bytes, 1 files, layers 0 to -1
composer a/b v1: 100+0 bytes, 1 files, layers 0 to -1
composer m/m 1: 0+0 bytes, 0 files, layers 0 to -1
unowned "/app/web": 400+0 bytes
unowned "/app/vendor/composer": 178+0 bytes
`},
		{"damaged files", fmt.Sprintf(`
layer RUN make
  file lib/apk/db/installed text="P:a\nV:1\nF:bin\nR:a\n"
  file bin/a 100xa
  file %[1]sa-1.dist-info/METADATA text="Name: a\nVersion: 1\n"
  file %[1]sa-1.dist-info/RECORD text="\"a"
  file %[1]sa 200xa
  file var/lib/chisel/manifest.wall 10xa
  file app/specifications/a-1.gemspec 10xa
`, site), `python a 1: 21+0 bytes, 2 files, layers 0 to -1
unowned "/usr/lib/python3/site-packages": 200+0 bytes
unowned "/bin": 100+0 bytes
unowned "/lib/apk": 18+0 bytes
unowned "/app/specifications": 10+0 bytes
unowned "/var/lib/chisel": 10+0 bytes
warning /app/specifications/a-1.gemspec: finding the name of the gem: no line begins with # stub:
warning /lib/apk/db/installed: reading the last package: unexpected end of file
warning /usr/lib/python3/site-packages/a-1.dist-info/RECORD: reading entry 1: a quote without end
warning /var/lib/chisel/manifest.wall: reading line 1: invalid input: magic number mismatch
`},
	} {
		p, _ := found(t, c.image, false)
		if diff := cmp.Diff(c.want, table(p)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestLargeDatabase reads a list of files that is larger than what lookers get of other
// files.
func TestLargeDatabase(t *testing.T) {
	var db strings.Builder
	fmt.Fprint(&db, "P:a\nV:1\nF:usr\n")
	for i := range 200_000 {
		fmt.Fprintf(&db, "R:%d\n", i)
	}
	fmt.Fprint(&db, "R:last\n\n")
	if db.Len() < layer.MaxWhole {
		t.Fatalf("the database has only %d bytes", db.Len())
	}
	text := fmt.Sprintf("layer RUN make\n  file usr/0 1xa\n  file usr/100000 20xa\n  file usr/last 300xa\n  file lib/apk/db/installed text=%q\n", db.String())
	for _, stream := range []bool{false, true} {
		p, _ := found(t, text, stream)
		want := fmt.Sprintf("apk a 1: 321+0 bytes, 3 files, layers 0 to -1\nunowned \"/lib/apk\": %d+0 bytes\n", db.Len())
		if diff := cmp.Diff(want, table(p)); diff != "" {
			t.Errorf("stream %t: (-want +got)\n%s", stream, diff)
		}
	}
}

func TestMostEntries(t *testing.T) {
	look := Lookers()[0]
	for path, c := range map[string]struct{ start, entry, end string }{
		"lib/apk/db/installed":        {"P:a\nF:b\n", "R:c\n", "\n"},
		"opt/conda/conda-meta/a.json": {`{"name":"a","files":["b"`, `,"c"`, "]}"},
	} {
		for n, want := range map[int]bool{1000: false, maxEntries: true} {
			text := c.start + strings.Repeat(c.entry, n) + c.end
			notes := look.Look(path, &layer.Sample{Size: int64(len(text)), Head: []byte(text)})
			if got := strings.HasPrefix(notes[0], "!counting entries: more than 4194304"); got != want {
				t.Errorf("%s with %d files: got %.80q", path, n, notes[0])
			}
		}
	}
}
