package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// TestEngineImages loads images that no builder would make into engines, and
// compares what fathom shows of them with what the engines export.
func TestEngineImages(t *testing.T) {
	images := map[string]*imagetest.Image{}
	for _, name := range []string{"estargz", "hl-attributes", "implied-parent-reset", "aufs-metadata", "marker-bodies", "sparse", "wh-with-body"} {
		images[name] = imagetest.Load(t, name)
	}
	for seed := range uint64(25) {
		img := randomImage(seed)
		if oddWarnings(t, img) == 0 {
			images[img.Name] = img
		}
	}
	if len(images) < 15 {
		t.Fatalf("only %d images have nothing that engines do differently", len(images))
	}
	for _, name := range []string{"docker", "docker26", "containerd", "podman"} {
		t.Run(name, func(t *testing.T) {
			e, dir := openEngine(t, name), t.TempDir()
			for name, img := range images {
				t.Run(name, func(t *testing.T) { compareLoaded(t, e, dir, img) })
			}
		})
	}
}

// compareLoaded loads img into the engine, and compares what fathom shows of it with
// what the engine exports.
func compareLoaded(t *testing.T, e engine, dir string, img *imagetest.Image) {
	tag := "localhost/fathom-" + img.Name + ":1"
	img.Tags, img.Config.Cmd = []string{tag}, []string{"/none"}
	archive := img.DockerArchive().Tar()
	e.run(t, bytes.NewReader(archive), "load", "--quiet")
	defer e.run(t, nil, "rmi", tag)
	saved := filepath.Join(dir, img.Name+".tar")
	if err := os.WriteFile(saved, archive, 0o666); err != nil {
		t.Fatal(err)
	}
	id := e.run(t, nil, "create", tag)
	exported := e.file(t, dir, img.Name+".export.tar", "export", id)
	e.run(t, nil, "rm", id)

	want, got := readExport(t, exported), list(t, saved)
	for p := range want.files {
		if top, _, _ := strings.Cut(p[1:], "/"); e.name != "podman" && dockerMakes[p] != "" || strings.Contains(" dev etc proc sys run .dockerenv ", " "+top+" ") {
			delete(want.files, p) // a mount point
		}
	}
	for _, p := range resetDirs(t, saved) {
		if e.name != "containerd" {
			s := got[p]
			s.Mode, s.UID, s.GID = "0755", 0, 0
			got[p] = s
		}
	}
	if diff := cmp.Diff(want.files, got); diff != "" {
		t.Errorf("the files differ from %s's export (-) in:\n%s\n%s", e.name, diff, describeLayers(img))
	}
	if total := measure(t, saved).Totals; total.VisibleBytes != want.bytes {
		t.Errorf("%d bytes are visible, %s exports %d", total.VisibleBytes, e.name, want.bytes)
	}
}

// resetDirs returns the directories that, according to the warnings, docker and
// podman show as new ones, except those that a higher layer has an entry for.
func resetDirs(t *testing.T, image string) (paths []string) {
	t.Helper()
	a := app{stderr: io.Discard, getenv: os.Getenv}
	an, err := a.inspect(t.Context(), source{ref: image}, newSettings().options(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer an.Close()
	for _, w := range an.Report.Warnings {
		if !strings.Contains(w.Text, "none for it: docker (overlay2)") {
			continue
		}
		n, _ := an.Analysis.Tree.Lookup(w.Path)
		if st, ok := an.Analysis.Tree.At(n, an.Analysis.Tree.Layers()-1); ok && st.Kind == layer.Dir && st.Layer < w.Layer {
			paths = append(paths, w.Path)
		}
	}
	return paths
}

// oddWarnings counts the warnings of an image about entries that engines reject or
// handle differently.
func oddWarnings(t *testing.T, img *imagetest.Image) (n int) {
	t.Helper()
	b := filetree.NewBuilder()
	for i := range img.Layers {
		tar := img.LayerTar(i)
		d, err := layer.Read(t.Context(), layer.Blob{At: bytes.NewReader(tar), Size: int64(len(tar))}, layer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		warnings, err := b.Apply(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range append(warnings, d.Warnings...) {
			if !strings.Contains(w.Text, "none for it: docker (overlay2)") {
				n++
			}
		}
	}
	return n
}

// randomImage returns an image of a few layers, whose entries share few names. Their
// parent directories have entries or not.
func randomImage(seed uint64) *imagetest.Image {
	r := rand.New(rand.NewPCG(seed, 0))
	img := &imagetest.Image{Name: fmt.Sprintf("random-%d", seed), NoHistory: true}
	img.Platform.OS, img.Platform.Architecture = "linux", "amd64"
	name := func() string {
		p := string("abc"[r.IntN(3)])
		for r.IntN(3) > 0 && len(p) < 5 {
			p += "/" + string("abc"[r.IntN(3)])
		}
		return p
	}
	modes := []int64{0o755, 0o755, 0o700, 0o1777, 0o644, 0o4755, 0o2750}
	for range 2 + r.IntN(3) {
		dirs := map[string]bool{} // the layer's paths and their parents, true for directories; engines reject paths below files
		var files []string
		var entries []imagetest.Entry
		for range 1 + r.IntN(7) {
			p := name()
			e := imagetest.Entry{Kind: "file", Name: p, Mode: modes[r.IntN(len(modes))], MTime: imagetest.MTime}
			if r.IntN(2) == 0 {
				e.UID, e.GID = int64(r.IntN(3)), int64(r.IntN(3))
			}
			dir, base := "", p
			if i := strings.LastIndexByte(p, '/'); i >= 0 {
				dir, base = p[:i+1], p[i+1:]
			}
			switch n := r.IntN(12); {
			case n < 4:
				e.Kind, e.Name = "dir", p+"/"
				e.Mode &^= 0o2000 // directories created below would inherit setgid
			case n == 4:
				e.Kind, e.Link = "symlink", "nowhere"
				e.Mode = 0o777
			case n < 7 && len(files) > 0:
				e.Kind, e.Link = "link", files[r.IntN(len(files))]
			case n == 7 && len(img.Layers) > 0:
				e = imagetest.Entry{Kind: "file", Name: dir + ".wh." + base, MTime: imagetest.MTime}
			case n == 8 && len(img.Layers) > 0:
				e = imagetest.Entry{Kind: "file", Name: p + "/.wh..wh..opq", MTime: imagetest.MTime}
			default:
				e.Data = bytes.Repeat([]byte{byte('a' + r.IntN(20))}, r.IntN(30))
			}
			_, known := dirs[p]
			for up := dir; up != "" && !known; up = up[:strings.LastIndexByte(up[:len(up)-1], '/')+1] {
				is, ok := dirs[up[:len(up)-1]]
				known = ok && !is
			}
			if known {
				continue
			}
			for up := dir; up != ""; up = up[:strings.LastIndexByte(up[:len(up)-1], '/')+1] {
				dirs[up[:len(up)-1]] = true
			}
			dirs[p] = e.Kind == "dir" || strings.HasSuffix(e.Name, ".opq")
			if e.Kind == "file" && e.Mode != 0 {
				files = append(files, p)
			}
			entries = append(entries, e)
		}
		img.Layers = append(img.Layers, entries)
	}
	return img
}

func describeLayers(img *imagetest.Image) string {
	var b strings.Builder
	for _, l := range img.Layers {
		b.WriteString("layer\n")
		for _, e := range l {
			fmt.Fprintf(&b, "  %s %s %o %d:%d %dx -> %s\n", e.Kind, e.Name, e.Mode, e.UID, e.GID, len(e.Data), e.Link)
		}
	}
	return b.String()
}
