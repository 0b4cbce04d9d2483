package load

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/ulikunitz/xz"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// sample has two tags, and a layer that occurs twice with another one in between.
const sample = `
tag docker.io/library/app:1 docker.io/library/app:latest
platform linux/amd64
entrypoint /bin/app
layer RUN make
  dir  bin/ 755
  file bin/app 755 3000xa
layer RUN touch
  file etc/motd text="hi\n"
layer RUN make
  dir  bin/ 755
  file bin/app 755 3000xa
step ENV A=b
`

// write writes b to a temporary file and returns its path.
func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// folderOf writes an archive as a folder and returns its path.
func folderOf(t *testing.T, a imagetest.Archive) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "image")
	a.WriteDir(t, dir)
	return dir
}

// openImage opens a valid image and closes it when the test ends.
func openImage(t *testing.T, ref string, opt Options) *analyzer.Image {
	t.Helper()
	opt.Temp = t.TempDir()
	img, err := Open(t.Context(), ref, opt)
	if err != nil {
		t.Fatalf("Open(%s): %v", ref, err)
	}
	t.Cleanup(func() {
		if err := img.Check(); err != nil {
			t.Errorf("Check: %v", err)
		}
		if err := img.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if left, _ := os.ReadDir(opt.Temp); len(left) > 0 {
		t.Errorf("%s is left in the temporary folder", left[0].Name())
	}
	return img
}

// same fails the test unless got equals want in everything that all forms of an
// archive contain, and its layers match their diff IDs and digests.
func same(t *testing.T, got *analyzer.Image, want *imagetest.Image) {
	t.Helper()
	config := want.ConfigFile()
	var ids []v1.Hash
	for i, l := range got.Layers {
		ids = append(ids, l.DiffID)
		if l.Blob.At == nil {
			t.Errorf("layer %d can't be read at an offset", i)
		}
		if _, err := layer.Read(t.Context(), l.Blob, layer.Options{Digest: l.Digest, DiffID: l.DiffID, Verify: true}); err != nil {
			t.Errorf("layer %d: %v", i, err)
		}
	}
	if diff := cmp.Diff(config.RootFS.DiffIDs, ids); diff != "" {
		t.Errorf("diff IDs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(config, got.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if got.Platform.String() != want.Platform.String() {
		t.Errorf("got platform %s, want %s", got.Platform, want.Platform)
	}
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(b)
	z.Close()
	return buf.Bytes()
}

func xzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := xz.NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(b)
	z.Close()
	return buf.Bytes()
}

// TestForms opens one image in all forms that tools write.
func TestForms(t *testing.T) {
	img := imagetest.Must(t, sample)
	g, z := imagetest.Gzip, imagetest.Zstd
	hard := img.DockerArchive()
	for i, e := range hard {
		if e.Kind == "symlink" {
			hard[i].Kind, hard[i].Link = "link", strings.TrimPrefix(e.Link, "../")
		}
	}
	absolute := img.Nix()
	for i := range absolute {
		absolute[i].Name = "/" + strings.TrimPrefix(absolute[i].Name, "./")
	}
	xzLayers := img.DockerArchive()
	for i, e := range xzLayers {
		if e.Kind == "file" && strings.HasSuffix(e.Name, "/layer.tar") {
			xzLayers[i].Data = xzipped(t, e.Data)
		}
	}
	multi := imagetest.MultiPlatform([]*imagetest.Image{img}, g)

	tests := []struct {
		name    string
		archive imagetest.Archive
		source  string // in a tar
		folder  string // in a folder; "" if the form can't be a folder
		tags    string
		digest  bool // of the manifest is known
		image   *imagetest.Image
	}{
		{"docker", img.DockerArchive(), "docker-archive", "docker-archive", "both", false, img},
		{"docker hard links", hard, "docker-archive", "", "both", false, img},
		{"docker xz layers", xzLayers, "docker-archive", "docker-archive", "both", false, img},
		{"docker 25", img.DockerArchive25(), "docker-archive", "docker-archive", "both", true, img},
		{"containerd gzip", img.Containerd(g), "docker-archive", "docker-archive", "both", true, img},
		{"containerd mixed", img.Containerd(z, g, imagetest.None), "docker-archive", "docker-archive", "both", true, img},
		{"containerd without manifest.json", img.Containerd(g).Without("manifest.json"), "oci-archive", "oci-layout", "both", true, img},
		{"podman", img.Podman(), "docker-archive", "docker-archive", "both", false, img},
		{"kaniko", img.Kaniko(g, z, imagetest.None), "docker-archive", "docker-archive", "both", false, img},
		{"jib", img.Jib(), "docker-archive", "docker-archive", "both", false, img},
		{"nix", img.Nix(), "docker-archive", "docker-archive", "both", false, img.Absolute()},
		{"absolute names", absolute, "docker-archive", "docker-archive", "both", false, img.Absolute()},
		{"oci", img.OCI(), "oci-archive", "oci-layout", "both", true, img},
		{"oci gzip", img.OCI(g), "oci-archive", "oci-layout", "both", true, img},
		{"oci nested", multi, "oci-archive", "oci-layout", "both", true, img},
		{"rules_oci", img.RulesOCI(g), "oci-archive", "oci-layout", "", true, img},
		{"skopeo dir plain", img.SkopeoDir(), "dir", "dir", "", true, img},
		{"skopeo dir", img.SkopeoDir(g, z), "dir", "dir", "", true, img},
	}
	for _, tt := range tests {
		check := func(t *testing.T, ref string, opt Options, source string) {
			t.Helper()
			got := openImage(t, ref, opt)
			same(t, got, tt.image)
			if got.Source != source {
				t.Errorf("got source %s, want %s", got.Source, source)
			}
			tags := map[string][]string{"both": img.Tags}[tt.tags]
			if diff := cmp.Diff(tags, got.Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			if known := got.Digest != (v1.Hash{}); known != tt.digest {
				t.Errorf("got digest %v, want one: %v", got.Digest, tt.digest)
			}
			if len(got.Warnings) > 0 {
				t.Errorf("got warnings %v", got.Warnings)
			}
		}
		b := tt.archive.Tar()
		t.Run(tt.name, func(t *testing.T) {
			check(t, write(t, "x", b), Options{}, tt.source)
		})
		t.Run(tt.name+"/compressed", func(t *testing.T) {
			check(t, write(t, "x.tar", gzipped(t, b)), Options{}, tt.source)
		})
		if tt.folder != "" {
			t.Run(tt.name+"/folder", func(t *testing.T) {
				check(t, folderOf(t, tt.archive), Options{}, tt.folder)
			})
		}
	}
}

// TestCompressedWhole opens an archive in every compression, from a file and from
// standard input.
func TestCompressedWhole(t *testing.T) {
	img := imagetest.Must(t, sample)
	b := img.DockerArchive().Tar()
	half := len(b) / 2
	skippable := append([]byte("\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"), imagetest.Compress(b, imagetest.Zstd)...)
	bz, err := os.ReadFile("testdata/docker.tar.bz2")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		b    []byte
		warn bool
	}{
		{"plain", b, false},
		{"gzip", gzipped(t, b), false},
		{"gzip members", append(gzipped(t, b[:half]), gzipped(t, b[half:])...), false},
		{"gzip padded", append(gzipped(t, b), make([]byte, 700)...), true},
		{"zstd", imagetest.Compress(b, imagetest.Zstd), false},
		{"zstd behind a skippable frame", skippable, false},
		{"xz", xzipped(t, b), false},
		{"gzip in xz", xzipped(t, gzipped(t, b)), false},
		{"bzip2", bz, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "x", tt.b)
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { file.Close() })
			for _, opened := range []*analyzer.Image{
				openImage(t, path, Options{}),
				openImage(t, "-", Options{Stdin: bytes.NewReader(tt.b)}),
				openImage(t, "-", Options{Stdin: file}),
			} {
				same(t, opened, img)
				if warned := len(opened.Warnings) > 0; warned != tt.warn {
					t.Errorf("got warnings %v, want some: %v", opened.Warnings, tt.warn)
				}
			}
		})
	}
}
