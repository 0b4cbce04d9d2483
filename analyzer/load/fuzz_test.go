package load

import (
	"bytes"
	"strings"
	"testing"

	"fathom/analyzer/imagetest"
)

// FuzzOpenArchive opens its input as standard input. Open must not panic. If it
// returns an image, the image must have as many layers as diff IDs, and every layer
// must be readable to its end. (The fuzzer takes a minute to minimize an archive:
// run it with -fuzzminimizetime 10x.)
func FuzzOpenArchive(f *testing.F) {
	img, err := imagetest.Parse([]byte(sample))
	if err != nil {
		f.Fatal(err)
	}
	whole := img.DockerArchive().Tar()
	for _, a := range []imagetest.Archive{
		img.DockerArchive25(), img.Containerd(), img.Podman(), img.Kaniko(), img.Nix(), img.RulesOCI(), img.SkopeoDir(),
		deepIndex(3), wideIndex(3), layerOf(img, "application/vnd.oci.image.layer.v1.tar", nil),
	} {
		f.Add(a.Tar())
	}
	f.Add(img.LayerTar(0)) // a root filesystem
	f.Add(whole)
	f.Add(whole[:len(whole)-1024])
	f.Add(whole[:len(whole)/2])
	f.Add(imagetest.Compress(whole, imagetest.Gzip))
	f.Add(imagetest.Compress(whole, imagetest.Zstd))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := Open(t.Context(), "-", Options{Stdin: bytes.NewReader(b), Temp: t.TempDir(), MaxTemp: 1 << 20})
		if err != nil {
			return
		}
		defer img.Close()
		if img.Config == nil {
			if len(img.Layers) != 1 {
				t.Errorf("%d layers without a config", len(img.Layers))
			}
		} else if len(img.Layers) != len(img.Config.RootFS.DiffIDs) {
			t.Errorf("%d layers, %d diff IDs", len(img.Layers), len(img.Config.RootFS.DiffIDs))
		}
		for i, l := range img.Layers {
			b := make([]byte, l.Blob.Size)
			if n, err := l.Blob.At.ReadAt(b, 0); int64(n) != l.Blob.Size {
				t.Errorf("layer %d: %d of %d bytes: %v", i, n, l.Blob.Size, err)
			}
		}
	})
}

// FuzzDocuments opens an archive of the JSON documents given. In them DIGEST stands
// for the digest of the manifest, and CONFIG for that of the config.
func FuzzDocuments(f *testing.F) {
	const config = `{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"]}}`
	f.Add(`[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]}]`, ``, ``, config)
	f.Add(`[{"Config":"blobs/sha256/CONFIG","RepoTags":null,"Layers":["l"]},{"Config":"c"}]`,
		`{"manifests":[{"digest":"DIGEST","size":0,"platform":{"os":"unknown","architecture":"unknown"}}]}`,
		`{"config":{"digest":"sha256:CONFIG"},"layers":[{"digest":"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef","data":"eA=="}]}`, config)
	f.Add(``, `{"manifests":[{"digest":"sha512:ab","annotations":{"org.opencontainers.image.ref.name":"x"}},{"digest":"DIGEST"}]}`,
		`{"manifests":[{"digest":"sha256:CONFIG","artifactType":"x"}]}`, config)
	f.Add(`{"schemaVersion":2,"config":{"digest":"sha256:CONFIG"},"layers":[]}`, ``, ``, `{"rootfs":{}}`)
	f.Fuzz(func(t *testing.T, docker, oci, manifest, config string) {
		expand := func(s string) string {
			return strings.NewReplacer("DIGEST", digestOf([]byte(manifest)).String(), "CONFIG", digestOf([]byte(config)).hex).Replace(s)
		}
		manifest = expand(manifest)
		empty := string(make([]byte, 1024))
		a := imagetest.Archive{
			file("c", config), file("l", empty),
			file("blobs/sha256/"+digestOf([]byte(config)).hex, config),
			file("blobs/sha256/"+digestOf([]byte(empty)).hex, empty),
			file("blobs/sha256/"+digestOf([]byte(manifest)).hex, manifest),
		}
		for name, data := range map[string]string{"manifest.json": docker, "index.json": oci} {
			if data != "" {
				a = append(a, file(name, expand(data)))
			}
		}
		b := a.Tar()
		src, err := index(t.Context(), bytes.NewReader(b), int64(len(b)), 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		o := &opening{}
		img, err := o.image(t.Context(), src, platform{})
		if err != nil {
			return
		}
		if len(img.Layers) != len(img.Config.RootFS.DiffIDs) || img.ID != imagetest.Digest([]byte(config)) {
			t.Errorf("got %d layers, %d diff IDs, ID %s", len(img.Layers), len(img.Config.RootFS.DiffIDs), img.ID)
		}
	})
}
