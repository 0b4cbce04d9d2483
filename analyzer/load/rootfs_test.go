package load

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// TestRootfs opens tars without image metadata as one layer: tars that look like a
// root filesystem or a layer, and any other tar with the Rootfs option.
func TestRootfs(t *testing.T) {
	tar := func(a ...imagetest.Entry) []byte { return imagetest.Tar(a) }
	export := tar(file("etc/hosts", "x"), file("bin/sh", ""))
	single := tar(file("etc/.wh.hosts", ""), file("etc/motd", "x"))
	some := tar(file("app/main.py", "x"))
	save := imagetest.Must(t, sample).DockerArchive()
	forced := Options{Rootfs: true}
	for _, tt := range []struct {
		name    string
		b       []byte
		opt     Options
		source  string
		entries int
	}{
		{"docker export", export, Options{}, "rootfs", 2},
		{"docker export, gzip", gzipped(t, export), Options{}, "rootfs", 2},
		{"docker export, xz", xzipped(t, export), Options{Verify: true}, "rootfs", 2},
		{"layer", single, Options{}, "layer", 2},
		{"any tar", some, forced, "rootfs", 1},
		{"any tar, zstd", imagetest.Compress(some, imagetest.Zstd), forced, "rootfs", 1},
		{"nothing", make([]byte, 1024), forced, "rootfs", 0},
		{"an image", save.Tar(), forced, "rootfs", len(save)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, in := range []string{"file", "-"} {
				ref := in
				if in == "file" {
					ref = write(t, "x", tt.b)
				} else {
					tt.opt.Stdin = bytes.NewBuffer(tt.b)
				}
				img := openImage(t, ref, tt.opt)
				if img.Source != tt.source || len(img.Layers) != 1 || img.ID != (v1.Hash{}) || img.Layers[0].DiffID != (v1.Hash{}) {
					t.Fatalf("%s: got %+v, want one layer of a %s, and nothing invented", in, img, tt.source)
				}
				d, err := layer.Read(t.Context(), img.Layers[0].Blob, layer.Options{Verify: tt.opt.Verify})
				if err != nil || d.Len() != tt.entries {
					t.Errorf("%s: got %v entries, %v; want %d", in, d, err, tt.entries)
				}
			}
		})
	}

	dir := folderOf(t, save)
	for _, tt := range []struct {
		name, ref string
		b         []byte
		opt       Options
		words     string
	}{
		{"any tar", "", some, Options{}, "neither manifest.json nor index.json"},
		{"both platforms of buildx", "", tar(file("linux_amd64/bin/sh", "")), Options{}, "neither manifest.json nor index.json"},
		{"cut", "", export[:600], Options{}, "without its end marker"},
		{"not a tar", "", []byte("hello"), forced, "not an image: it is something unknown"},
		{"nothing", "", make([]byte, 1024), Options{}, "an empty tar"},
		{"image", "", export, Options{Image: "app:1"}, "no image or platform can be chosen in it"},
		{"platform", "", export, Options{Platform: "linux/amd64"}, "no image or platform can be chosen in it"},
		{"not kept", "-", nil, Options{Stdin: bytes.NewBuffer(export), NoKeep: true}, "streamed by and was not kept"},
		{"folder", dir, nil, forced, "it is a folder"},
		{"name", "docker:app", nil, forced, "it is a name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ref == "" {
				tt.ref = write(t, "x", tt.b)
			}
			err := wantError(t, tt.ref, tt.opt, tt.words)
			if strings.HasPrefix(tt.name, "any") && !errors.As(err, new(*NotImageError)) {
				t.Errorf("got %T, want a NotImageError", err)
			}
		})
	}
}
