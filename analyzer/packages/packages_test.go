package packages

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// found returns the packages of an image in the text form of testdata/images. Its
// layers are compressed if stream is set: then lookers see them as they are read.
func found(t *testing.T, text string, stream bool) (*Packages, *analyzer.Analysis) {
	t.Helper()
	c, opt := imagetest.None, analyzer.Options{}
	if stream {
		c, opt.Look = imagetest.Zstd, Lookers()
	}
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(c), opt)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	p, err := Find(t.Context(), a, Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	addUp(t, p, a)
	return p, a
}

// addUp checks that the bytes and files of all packages and of what belongs to none
// are those of the image, and that Of agrees with the list.
func addUp(t *testing.T, p *Packages, a *analyzer.Analysis) {
	t.Helper()
	visible, wasted, files := p.Unowned.VisibleBytes, p.Unowned.WastedBytes, p.Unowned.Files
	for _, x := range p.List {
		visible += x.VisibleBytes
		wasted += x.WastedBytes
		files += x.Files
		for _, l := range x.Layers {
			visible -= l.VisibleBytes
			wasted -= l.WastedBytes
		}
		visible += x.VisibleBytes
		wasted += x.WastedBytes
	}
	totals := a.Report.Totals
	if visible != totals.VisibleBytes || wasted != totals.WastedBytes || files != totals.Files {
		t.Errorf("packages and unowned have %d visible and %d wasted bytes in %d files, the image %d and %d in %d", visible, wasted, files, totals.VisibleBytes, totals.WastedBytes, totals.Files)
	}
	sums := make([]int64, len(p.List))
	for c := range filetree.Content(a.Tree.Contents()) {
		if i := p.Of(c); i >= 0 {
			sums[i] += a.Tree.Stored(c).Bytes
		}
	}
	for i, x := range p.List {
		if sums[i] != x.VisibleBytes+x.WastedBytes {
			t.Errorf("%s %s owns %d bytes, its figures are %d and %d", x.Type, x.Name, sums[i], x.VisibleBytes, x.WastedBytes)
		}
	}
	if u := p.Unowned; u.MoreFolders == 0 {
		for _, f := range u.Folders {
			u.VisibleBytes -= f.VisibleBytes
			u.WastedBytes -= f.WastedBytes
			u.Files -= f.Files
		}
		if u.VisibleBytes != 0 || u.WastedBytes != 0 || u.Files != 0 {
			t.Errorf("the folders of what belongs to no package leave out %d visible and %d wasted bytes in %d files", u.VisibleBytes, u.WastedBytes, u.Files)
		}
	}
}

// TestImages checks on every test image that the figures add up.
func TestImages(t *testing.T) {
	for _, name := range imagetest.Some(t) {
		a, err := analyzer.Analyze(t.Context(), imagetest.Load(t, name).Image(imagetest.Gzip), analyzer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Find(t.Context(), a, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { addUp(t, p, a) })
	}
}

// TestInvalidUTF8 checks that a package owns files whose names are not UTF-8: a list is
// noted as JSON, which can't hold them.
func TestInvalidUTF8(t *testing.T) {
	p, _ := found(t, `
layer RUN install
  file var/lib/dpkg/status text="Package: a\nStatus: install ok installed\nVersion: 1\n"
  file var/lib/dpkg/info/a.list text="/opt\n/opt/a\xff\n/opt/\xe9t\xe9\n/opt/\xe9t\xe9/\u00e9\n"
  file "opt/a\xff" 10xa
  file "opt/a\xfe" 20xa
  file "opt/\xe9t\xe9/\u00e9" 40xa
`, false)
	if len(p.List) != 1 || p.List[0].VisibleBytes != 50 {
		t.Errorf("got %+v, want 50 bytes", p.List)
	}
}

// randomImage returns the text of an image in which packages come, change and go, and
// their files are removed, replaced, linked and moved behind symlinks.
func randomImage(rnd *rand.Rand) string {
	var b strings.Builder
	pick := func(s ...string) string { return s[rnd.IntN(len(s))] }
	dirs := []string{"lib/", "usr/lib/", "bin/", "usr/bin/", "app/", "app/node_modules/x/", "app/node_modules/x/node_modules/@s/y/", "etc/"}
	path := func() string { return pick(dirs...) + pick("1", "2", "3") }
	for range 1 + rnd.IntN(6) {
		b.WriteString("layer RUN make\n")
		for range rnd.IntN(14) {
			switch p := path(); rnd.IntN(12) {
			case 0:
				fmt.Fprintf(&b, "  file %s\n", pick("app/.wh.node_modules", "usr/.wh.lib", "lib/.wh.1", ".wh.lib", "var/lib/dpkg/.wh.status", "var/lib/dpkg/info/.wh.a.list"))
			case 1:
				fmt.Fprintf(&b, "  file %s.wh..wh..opq\n", pick(dirs...))
			case 2:
				fmt.Fprintf(&b, "  link %s -> %s\n", p, path())
			case 3:
				fmt.Fprintf(&b, "  symlink %s -> %s\n", pick("lib", "bin", "app/node_modules/x"), pick("usr/lib", "/usr/bin", "../lib", "lib"))
			case 4, 5:
				text := ""
				for _, name := range []string{"a", "b"} {
					if rnd.IntN(3) > 0 {
						text += fmt.Sprintf("Package: %s\\nStatus: install ok installed\\nVersion: %d\\nArchitecture: x\\n\\n", name, rnd.IntN(2))
					}
				}
				fmt.Fprintf(&b, "  file var/lib/dpkg/status text=%q\n", strings.ReplaceAll(text, `\n`, "\n"))
			case 6, 7:
				text := ""
				for range rnd.IntN(5) {
					text += "/" + path() + "\n"
				}
				fmt.Fprintf(&b, "  file var/lib/dpkg/info/%s.list text=%q\n", pick("a", "b", "a:x"), text)
			case 8:
				fmt.Fprintf(&b, "  file %spackage.json text=%q\n", pick(dirs[5], dirs[6]), `{"name": "n", "version": "`+pick("1", "2")+`"`+pick("}", ""))
			case 9:
				fmt.Fprintf(&b, "  file var/lib/dpkg/diversions text=%q\n", "/"+path()+"\n/"+path()+"\n"+pick("a", ":", "b")+"\n")
			default:
				fmt.Fprintf(&b, "  file %s %s %s\n", p, pick("644", "755"), pick("10xa", "20xb", "30xc", "0xx"))
			}
		}
	}
	return b.String()
}

// TestRandom checks on random images that the figures add up, that a streamed image
// has the same packages, and that every owner is what a plain search finds.
func TestRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 1))
	owned, images := 0, 400
	if testing.Short() {
		images = 100
	}
	for range images {
		text := randomImage(rnd)
		plain, a := found(t, text, false)
		streamed, _ := found(t, text, true)
		if diff := cmp.Diff(plain.List, streamed.List); diff != "" {
			t.Errorf("streamed (-plain +streamed):\n%s", diff)
		}
		for c := range filetree.Content(a.Tree.Contents()) {
			want := naiveOwner(a, c)
			got := ""
			if i := plain.Of(c); i >= 0 {
				got = plain.List[i].Type + " " + plain.List[i].Name
				if plain.List[i].Type == facts.TypeNPM {
					got = plain.List[i].Database
				}
				owned++
			}
			if got != want {
				s := a.Tree.Stored(c)
				t.Errorf("content of %s in layer %d belongs to %q, want %q", a.Tree.Path(s.Node), s.Layer, got, want)
			}
		}
		if t.Failed() {
			t.Fatal(text)
		}
	}
	if owned < images {
		t.Errorf("only %d pieces of content have an owner: the images say little", owned)
	}
}

// naiveOwner returns the owner of content by what the image shows after the last layer
// that shows the content: the name of a deb, or the package.json of an npm package.
func naiveOwner(a *analyzer.Analysis, c filetree.Content) string {
	t := a.Tree
	s := t.Stored(c)
	at := t.Layers() - 1
	if s.Cause != filetree.Visible {
		at = max(s.Layer, s.HiddenBy-1)
	}
	names := t.Names(c, at)
	if len(names) == 0 {
		names = []filetree.Node{s.Node}
	}
	read := func(path string) (string, bool) {
		n, ok := t.Lookup(path)
		if !ok {
			return "", false
		}
		st, ok := t.At(n, at)
		if !ok || st.Kind != layer.File {
			return "", false
		}
		return content(a, st.Content), true
	}
	status, _ := read("/var/lib/dpkg/status")
	divert, _ := read("/var/lib/dpkg/diversions")
	for _, pkg := range []string{"a", "b"} {
		if !strings.Contains(status, "Package: "+pkg+"\n") {
			continue
		}
		list, ok := read("/var/lib/dpkg/info/" + pkg + ":x.list")
		if !ok {
			list, _ = read("/var/lib/dpkg/info/" + pkg + ".list")
		}
		for line := range strings.Lines(list) {
			path := strings.TrimSuffix(line, "\n")
			if d := strings.Split(divert, "\n"); len(d) == 4 && d[0] == path && d[2] != pkg {
				path = d[1]
			}
			i := strings.LastIndexByte(path, '/')
			dir, err := t.Resolve(path[:i]+"/", at, true)
			if err != nil {
				continue
			}
			if n, ok := t.Child(dir, path[i+1:]); ok {
				for _, name := range names {
					if n == name {
						return "deb " + pkg
					}
				}
			}
		}
	}
	best := ""
	for _, n := range names {
		for ; n != filetree.Root; n = t.Parent(n) {
			p := t.Path(n)
			if !isModule(p[1:]+"/package.json", "package.json") {
				continue
			}
			if text, ok := read(p + "/package.json"); ok && strings.HasPrefix(text, "{") && (len(p) > len(best) || best == "") {
				best = p + "/package.json"
			}
		}
	}
	return best
}

// content returns content as text.
func content(a *analyzer.Analysis, c filetree.Content) string {
	r, err := a.Open(context.Background(), c)
	if err != nil {
		panic(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Of a layer that was listed without its content, only databases are fetched. That is a
// warning.
func TestFetchedLayers(t *testing.T) {
	img := imagetest.Must(t, `
layer RUN apt-get install a
  file var/lib/dpkg/status text="Package: a\nStatus: install ok installed\nVersion: 1\n"
  file var/lib/dpkg/info/a.list text="/usr/bin/a\n"
  file usr/bin/a 20000xa
`).Image()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	blob, opened := img.Layers[0].Blob, atomic.Int32{}
	img.Layers[0].Blob = layer.Blob{Open: func(ctx context.Context, e *layer.Entry) (io.ReadCloser, error) {
		opened.Add(1)
		return layer.Content(ctx, blob, e)
	}}
	p, err := Find(t.Context(), a, Options{})
	if err != nil {
		t.Fatal(err)
	}
	addUp(t, p, a)
	if len(p.List) != 1 || p.List[0].VisibleBytes != 20000 || opened.Load() != 2 {
		t.Errorf("got %+v after opening %d files", p.List, opened.Load())
	}
	want := []facts.Warning{{Layer: 0, Text: "only package databases in it were downloaded, so programs and Java archives in it are unknown as packages"}}
	if d := cmp.Diff(want, p.Warnings); d != "" {
		t.Error(d)
	}
}

// A database in a layer that was not downloaded may list the same packages: they are
// not taken for removed.
func TestUnreadLayer(t *testing.T) {
	img := imagetest.Must(t, `
layer RUN apt-get install a
  file var/lib/dpkg/status text="Package: a\nStatus: install ok installed\nVersion: 1\n"
  file var/lib/dpkg/info/a.list text="/usr/bin/a\n"
  file usr/bin/a 20000xa
layer RUN apt-get install b
  file var/lib/dpkg/status text="Package: b\nStatus: install ok installed\nVersion: 1\n"
`).Image()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	img.Layers[1].Blob = layer.Blob{}
	p, err := Find(t.Context(), a, Options{})
	if err != nil {
		t.Fatal(err)
	}
	addUp(t, p, a)
	if len(p.List) != 1 || p.List[0].Name != "a" || p.List[0].VisibleBytes != 20000 || p.List[0].RemovedBy != -1 || len(p.Warnings) != 1 {
		t.Errorf("got %+v with %+v", p.List, p.Warnings)
	}
}
