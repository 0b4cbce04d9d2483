package imagetest

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
	attestation    = "vnd.docker.reference.type"
)

// blobs holds the files below blobs/sha256, each blob once.
type blobs struct{ Archive }

func (b *blobs) add(data []byte, mt types.MediaType) v1.Descriptor {
	h := Digest(data)
	if name := "blobs/sha256/" + h.Hex; b.Find(name) == nil {
		b.Archive = append(b.Archive, file(name, data))
	}
	return v1.Descriptor{MediaType: mt, Size: int64(len(data)), Digest: h}
}

// addManifest adds the image's layers, config and manifest.
func (b *blobs) addManifest(img *Image, cs []Compression) (v1.Descriptor, v1.Manifest) {
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	m.Config = b.add(toJSON(img.ConfigFile()), types.OCIConfigJSON)
	for i := range img.Layers {
		c := pick(cs, i)
		m.Layers = append(m.Layers, b.add(Compress(img.LayerTar(i), c), c.mediaType()))
	}
	d := b.add(toJSON(m), types.OCIManifestSchema1)
	d.Platform = img.platform()
	return d, m
}

func (img *Image) platform() *v1.Platform {
	p := img.Platform
	return &p
}

func index(ds ...v1.Descriptor) []byte {
	return toJSON(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: ds})
}

// tagged returns the descriptor d once per tag, or once if there are no tags.
func (img *Image) tagged(d v1.Descriptor) []v1.Descriptor {
	if len(img.Tags) == 0 {
		return []v1.Descriptor{d}
	}
	var out []v1.Descriptor
	for _, tag := range img.Tags {
		c := d
		c.Annotations = map[string]string{containerdName: tag, refName: tag[strings.LastIndex(tag, ":")+1:]}
		out = append(out, c)
	}
	return out
}

var layoutFile = file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))

// OCI returns an OCI layout as `skopeo copy ... oci-archive:` writes it: one image,
// one level of index, and the tags as they are.
func (img *Image) OCI(cs ...Compression) Archive {
	var b blobs
	d, _ := b.addManifest(img, cs)
	d.Platform = nil
	ds := []v1.Descriptor{d}
	for i, tag := range img.Tags {
		c := d
		c.Annotations = map[string]string{refName: tag}
		ds = append(ds[:i], c)
	}
	head := Archive{dir("blobs/"), dir("blobs/sha256/")}
	return append(append(head, b.Archive...), file("index.json", index(ds...)), layoutFile)
}

// OCIArchive returns OCI as a tar.
func (img *Image) OCIArchive(cs ...Compression) []byte { return img.OCI(cs...).Tar() }

// OCILayout writes OCI into dir.
func (img *Image) OCILayout(t testing.TB, dir string, cs ...Compression) {
	t.Helper()
	img.OCI(cs...).WriteDir(t, dir)
}

// RulesOCI returns an OCI layout as Bazel's rules_oci writes it: index.json refers
// to another index, and every blob is a symlink to a file elsewhere in the
// directory.
func (img *Image) RulesOCI(cs ...Compression) Archive {
	var b blobs
	d, _ := b.addManifest(img, cs)
	inner := b.add(index(d), types.OCIImageIndex)
	var a Archive
	for _, e := range b.Archive {
		store := "store/" + strings.TrimPrefix(e.Name, "blobs/sha256/")
		a = append(a, file(store, e.Data), symlink(e.Name, "../../"+store))
	}
	return append(a, file("index.json", index(inner)), layoutFile)
}

// DockerArchive25 returns what `docker save` has written since version 25 with the
// classic image store: uncompressed blobs, an index.json, a manifest.json, and a
// legacy JSON per layer that only the repositories file refers to.
func (img *Image) DockerArchive25() Archive {
	var b blobs
	d, m := b.addManifest(img, nil)
	d.Platform = nil
	it := item{Config: "blobs/sha256/" + m.Config.Digest.Hex, RepoTags: img.Tags, LayerSources: map[string]v1.Descriptor{}}
	top := ""
	for i, id := range img.chainIDs() {
		l := m.Layers[i]
		it.Layers = append(it.Layers, "blobs/sha256/"+l.Digest.Hex)
		it.LayerSources[l.Digest.String()] = l
		top = b.add(toJSON(map[string]any{"id": id, "os": "linux"}), "").Digest.Hex
	}
	a := append(Archive{dir("blobs/"), dir("blobs/sha256/")}, b.Archive...)
	a = append(a, file("index.json", index(img.tagged(d)...)), file("manifest.json", toJSON([]item{it})), layoutFile)
	if len(img.Tags) > 0 {
		a = append(a, repositories(img.Tags, top))
	}
	return a.sorted()
}

// Containerd returns what `docker save` writes with the containerd image store: a
// nested index with the image, its attestation, and another platform with its
// attestation, whose blobs are not in the archive. The manifest.json names only the
// platform whose blobs are. Layers are gzip if cs is empty.
func (img *Image) Containerd(cs ...Compression) Archive {
	if len(cs) == 0 {
		cs = []Compression{Gzip}
	}
	var b, absent blobs
	d, m := b.addManifest(img, cs)
	other := *img
	other.Platform = v1.Platform{OS: "linux", Architecture: "s390x"}
	od, _ := absent.addManifest(&other, cs)
	inner := b.add(index(d, b.attestation(d), od, absent.attestation(od)), types.OCIImageIndex)
	it := item{Config: "blobs/sha256/" + m.Config.Digest.Hex, RepoTags: img.Tags}
	for _, l := range m.Layers {
		it.Layers = append(it.Layers, "blobs/sha256/"+l.Digest.Hex)
	}
	a := append(Archive{dir("blobs/"), dir("blobs/sha256/")}, b.Archive...)
	return append(a, file("index.json", index(img.tagged(inner)...)), file("manifest.json", toJSON([]item{it})), layoutFile).sorted()
}

// attestation adds an attestation as buildkit attaches it to the image d.
func (b *blobs) attestation(d v1.Descriptor) v1.Descriptor {
	statement := b.add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"`+d.Digest.Hex+`"}]}`), "application/vnd.in-toto+json")
	statement.Annotations = map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
	config := b.add(toJSON(v1.ConfigFile{
		OS: "unknown", Architecture: "unknown",
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{statement.Digest}},
	}), types.OCIConfigJSON)
	m := b.add(toJSON(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: config, Layers: []v1.Descriptor{statement},
	}), types.OCIManifestSchema1)
	m.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
	m.Annotations = map[string]string{attestation: "attestation-manifest", "vnd.docker.reference.digest": d.Digest.String()}
	return m
}

// MultiPlatform returns an OCI layout of several images, one per platform, in one
// nested index. All blobs are present.
func MultiPlatform(imgs []*Image, cs ...Compression) Archive {
	var b blobs
	var ds []v1.Descriptor
	for _, img := range imgs {
		d, _ := b.addManifest(img, cs)
		ds = append(ds, d, b.attestation(d))
	}
	inner := b.add(index(ds...), types.OCIImageIndex)
	return append(b.Archive, file("index.json", index(imgs[0].tagged(inner)...)), layoutFile)
}

// SkopeoDir returns what `skopeo copy ... dir:` writes: blobs named by the hex of
// their digest, and the manifest. Layers copied from a docker archive are
// uncompressed even if their media type says otherwise.
func (img *Image) SkopeoDir(cs ...Compression) Archive {
	config := toJSON(img.ConfigFile())
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	m.Config = v1.Descriptor{MediaType: types.DockerConfigJSON, Size: int64(len(config)), Digest: Digest(config)}
	a := Archive{file("version", []byte("Directory Transport Version: 1.1\n")), file(m.Config.Digest.Hex, config)}
	for i := range img.Layers {
		blob := Compress(img.LayerTar(i), pick(cs, i))
		d := v1.Descriptor{MediaType: types.DockerLayer, Size: int64(len(blob)), Digest: Digest(blob)}
		m.Layers = append(m.Layers, d)
		if a.Find(d.Digest.Hex) == nil {
			a = append(a, file(d.Digest.Hex, blob))
		}
	}
	return append(a, file("manifest.json", toJSON(m)))
}
