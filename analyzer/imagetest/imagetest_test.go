package imagetest

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var sample = `
# A comment.
from nowhere
note a note # with a hash
tag example.com/app:1 example.com/app:2
platform linux/arm64/v8
user 7:7
env A=b "C=d e"
entrypoint /bin/sh -c "echo hi"
step ENV A=b
layer RUN make # not a comment
  file    "a b"       0600 3:4 3xy mtime=12 xattr:user.a="\x00\xff"
  file    /abs/motd   text="hi\n" # a comment
  file    /abs/motd   2x#
  link    h           -> ../../x
  symlink "\xff"      -> "a b"
  char    null        666 1,3
  fifo    p
  file    holes       sparse=5000@1024 512xs
  dir     ` + long + `/ 1777 gnu
  file    ` + long + `/` + long + ` 3000000:-1
layer
  dir d
tree
  file h same=x
status 1
  A d e
  =lt f
wasted 3 of 8
waste
  abs/motd 3 repeated 0 0
warning root
`

var long = strings.Repeat("n", 130)

func TestParse(t *testing.T) {
	img := Must(t, sample)
	want := []Entry{
		{Kind: "file", Name: "a b", Mode: 0o600, UID: 3, GID: 4, Data: []byte("yyy"), MTime: 12, Xattrs: map[string]string{"user.a": "\x00\xff"}},
		{Kind: "file", Name: "/abs/motd", Mode: 0o644, Data: []byte("hi\n"), MTime: MTime},
		{Kind: "file", Name: "/abs/motd", Mode: 0o644, Data: []byte("##"), MTime: MTime},
		{Kind: "link", Name: "h", Mode: 0o644, Link: "../../x", MTime: MTime},
		{Kind: "symlink", Name: "\xff", Mode: 0o777, Link: "a b", MTime: MTime},
		{Kind: "char", Name: "null", Mode: 0o666, Major: 1, Minor: 3, MTime: MTime},
		{Kind: "fifo", Name: "p", Mode: 0o644, MTime: MTime},
		{Kind: "file", Name: "holes", Mode: 0o644, Data: bytes.Repeat([]byte("s"), 512), Sparse: 5000, SparseAt: 1024, MTime: MTime},
		{Kind: "dir", Name: long + "/", Mode: 0o1777, GNU: true, MTime: MTime},
		{Kind: "file", Name: long + "/" + long, Mode: 0o644, UID: 3000000, GID: -1, MTime: MTime},
	}
	if d := cmp.Diff(want, img.Layers[0]); d != "" {
		t.Errorf("layer 0 (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]v1.History{{CreatedBy: "ENV A=b", EmptyLayer: true}, {CreatedBy: "RUN make # not a comment"}, {}}, img.History); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]map[string]Status{{}, {"d": "A", "e": "A", "f": "=lt"}}, img.Status); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
	if d := cmp.Diff(v1.Config{User: "7:7", Env: []string{"A=b", "C=d e"}, Entrypoint: []string{"/bin/sh", "-c", "echo hi"}}, img.Config); d != "" {
		t.Errorf("config (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Waste{{"abs/motd", 3, "repeated", 0, 0}}, img.Waste); d != "" {
		t.Errorf("waste (-want +got):\n%s", d)
	}
	if img.Tree[0].Same != "x" || img.Wasted != 3 || img.Total != 8 || img.Warnings[0] != "root" ||
		img.Note != "a note # with a hash" || img.Platform.Variant != "v8" || len(img.Tags) != 2 {
		t.Errorf("got %+v", img)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"  file a":                              "line 1: an indented line below no heading",
		"laier":                                 `line 1: unknown heading "laier"`,
		"layer\n  filé a":                       `line 2: unknown kind "filé"`,
		"layer\n  file":                         "line 2: want: KIND NAME ...",
		"layer\n\n  file a 8x":                  `line 3: what is "8x"?`,
		"layer\n  link a":                       "line 2: -> without a target",
		"layer\n  link a ->":                    "line 2: -> without a target",
		"layer\n  file \"a":                     `line 2: quoting of "a`,
		"layer\n  file a color=red":             `line 2: what is "color=red"?`,
		"layer\nstatus 0\n  X a":                `line 3: unknown status "X"`,
		"layer\nstatus 0\n  A a\n  M a":         `line 4: second status of "a"`,
		"layer\nstatus 0\nstatus 0":             `line 3: status "0": want the index of a layer, in order`,
		"layer\nstatus 1\n  A a":                "status of layer 1: there are 1 layers",
		"wasted 3":                              "line 1: want: wasted BYTES of BYTES",
		"layer\nwaste\n  a 3 lost 0 0":          `line 3: unknown cause "lost"`,
		"layer\nwaste\n  a 3 removed 0":         "line 3: want: PATH BYTES CAUSE STORED-IN HIDDEN-BY",
		"layer\n  file a 9999999999999999999xa": `line 2: size of "9999999999999999999xa"`,
	} {
		_, err := Parse([]byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %s", text, err, want)
		}
	}
}

// TestLayerTar reads the output of LayerTar with archive/tar.
func TestLayerTar(t *testing.T) {
	img := Must(t, sample)
	r := tar.NewReader(bytes.NewReader(img.LayerTar(0)))
	for i, e := range img.Layers[0] {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		got := Entry{
			Kind: e.Kind, Name: h.Name, Mode: h.Mode, UID: int64(h.Uid), GID: int64(h.Gid),
			Link: h.Linkname, Major: h.Devmajor, Minor: h.Devminor, MTime: h.ModTime.Unix(),
			Sparse: e.Sparse, SparseAt: e.SparseAt, GNU: e.GNU,
		}
		if v, ok := h.PAXRecords["SCHILY.xattr.user.a"]; ok {
			got.Xattrs = map[string]string{"user.a": v}
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("reading entry %d: %v", i, err)
		}
		if !bytes.Equal(data, e.Content()) {
			t.Errorf("entry %d: got %d bytes %.20q, want %d", i, len(data), data, e.Size())
		}
		got.Data = e.Data
		if d := cmp.Diff(e, got); d != "" {
			t.Errorf("entry %d (-want +got):\n%s", i, d)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last entry: got %v, want EOF", err)
	}
}

const twice = `
tag example.com/app:1
layer COPY a
  file a 500xm
layer COPY a
  file a 500xm
layer
  file b 10xb
`

// TestForms reads the forms that go-containerregistry supports with it.
func TestForms(t *testing.T) {
	img := Must(t, twice)
	tag, err := name.NewTag("example.com/app:1")
	if err != nil {
		t.Fatal(err)
	}
	for form, a := range map[string]Archive{
		"docker":       img.DockerArchive(),
		"docker 25":    img.DockerArchive25(),
		"podman":       img.Podman(),
		"kaniko":       img.Kaniko(),
		"kaniko zstd":  img.Kaniko(Zstd),
		"kaniko mixed": img.Kaniko(Gzip, None, Zstd),
		"jib":          img.Jib(),
		"containerd":   img.Containerd(Gzip, Zstd),
	} {
		t.Run(form, func(t *testing.T) {
			data := a.Tar()
			got, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }, &tag)
			if err != nil {
				t.Fatal(err)
			}
			checkLayers(t, img, got)
		})
	}
	t.Run("oci", func(t *testing.T) {
		dir := t.TempDir()
		img.OCILayout(t, dir, Gzip)
		idx, err := layout.ImageIndexFromPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		m, err := idx.IndexManifest()
		if err != nil || len(m.Manifests) != 1 {
			t.Fatalf("got %d manifests, %v", len(m.Manifests), err)
		}
		got, err := idx.Image(m.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(got); err != nil {
			t.Error(err)
		}
		checkLayers(t, img, got)
	})
	t.Run("registry", func(t *testing.T) {
		ref, err := name.ParseReference(img.Registry(t, Gzip))
		if err != nil {
			t.Fatal(err)
		}
		got, err := remote.Image(ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(got); err != nil {
			t.Error(err)
		}
		checkLayers(t, img, got)
	})
}

func checkLayers(t *testing.T, img *Image, got v1.Image) {
	t.Helper()
	c, err := got.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(img.ConfigFile(), c); d != "" {
		t.Errorf("config (-want +got):\n%s", d)
	}
	layers, err := got.Layers()
	if err != nil || len(layers) != len(img.Layers) {
		t.Fatalf("got %d layers, %v, want %d", len(layers), err, len(img.Layers))
	}
	for i, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(data, img.LayerTar(i)) {
			t.Errorf("layer %d: %d bytes, %v, want %d", i, len(data), err, len(img.LayerTar(i)))
		}
	}
}

// TestDockerSymlink checks that a repeated layer of a legacy archive is a symlink,
// as docker writes it.
func TestDockerSymlink(t *testing.T) {
	links := 0
	a := Must(t, twice).DockerArchive()
	for _, e := range a {
		if e.Kind == "symlink" {
			links++
			if to := a.Find(path.Join(path.Dir(e.Name), e.Link)); to == nil || len(to.Data) == 0 {
				t.Errorf("%s leads to %s, which is no layer", e.Name, e.Link)
			}
		}
	}
	if links != 1 {
		t.Errorf("got %d symlinks, want 1", links)
	}
}

// TestContainerdAbsent checks that the archive holds the blobs of one platform and
// its attestation, but only descriptors of the other.
func TestContainerdAbsent(t *testing.T) {
	a := Must(t, twice).Containerd()
	var text []string
	for _, e := range a {
		text = append(text, string(e.Data))
		if strings.Contains(string(e.Data), `"s390x"`) && strings.Contains(string(e.Data), `"rootfs"`) {
			t.Errorf("%s: the config of the other platform is there", e.Name)
		}
	}
	all := strings.Join(text, "")
	if n := strings.Count(all, "attestation-manifest"); n != 2 {
		t.Errorf("got %d attestations, want 2", n)
	}
	if !strings.Contains(all, `"s390x"`) {
		t.Error("no descriptor of the other platform")
	}
}

func TestNix(t *testing.T) {
	a := Must(t, twice).Nix()
	found := false
	for _, e := range a {
		if e.Mode&0o222 != 0 {
			t.Errorf("%s can be written", e.Name)
		}
		if path.Base(e.Name) == "layer.tar" {
			found = true
			h, err := tar.NewReader(bytes.NewReader(e.Data)).Next()
			if err != nil || h.Name[0] != '/' {
				t.Errorf("layer entry %v, %v: want an absolute name", h, err)
			}
		}
	}
	if !found {
		t.Error("no layer")
	}
}

// TestRead parses every image of testdata and checks its steps and sums.
func TestRead(t *testing.T) {
	for _, name := range Names(t) {
		img := Load(t, name)
		steps := 0
		for _, h := range img.History {
			if !h.EmptyLayer {
				steps++
			}
		}
		if got := img.Image(); steps != len(img.Layers) || len(got.Layers) != steps {
			t.Errorf("%s: %d layers, %d steps with one", name, len(got.Layers), steps)
		}
		if img.From == "" {
			t.Errorf("%s: no from", name)
		}
		var stored int64
		for _, l := range img.Layers {
			for _, e := range l {
				if e.Kind == "file" {
					stored += e.Size()
				}
			}
		}
		if stored != img.Total {
			t.Errorf("%s: entries store %d bytes, the case says %d", name, stored, img.Total)
		}
		if img.Waste != nil {
			var sum int64
			for _, w := range img.Waste {
				sum += w.Bytes
			}
			if sum != img.Wasted {
				t.Errorf("%s: waste lines add up to %d, the case says %d", name, sum, img.Wasted)
			}
		}
	}
}
