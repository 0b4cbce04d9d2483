package load

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"fathom/analyzer/imagetest"
)

// file returns a file entry.
func file(name, data string) imagetest.Entry {
	return imagetest.Entry{Kind: "file", Name: name, Mode: 0o644, Data: []byte(data)}
}

func link(kind, name, target string) imagetest.Entry {
	return imagetest.Entry{Kind: kind, Name: name, Mode: 0o777, Link: target}
}

// edit replaces text in an entry of the archive.
func edit(t *testing.T, a imagetest.Archive, name, old, new string) imagetest.Archive {
	t.Helper()
	e := a.Find(name)
	if e == nil || !bytes.Contains(e.Data, []byte(old)) {
		t.Fatalf("%s has no %q", name, old)
	}
	e.Data = bytes.ReplaceAll(e.Data, []byte(old), []byte(new))
	return a
}

// manifest returns the parsed manifest.json of a docker archive of one image.
func manifest(t *testing.T, a imagetest.Archive) dockerItem {
	t.Helper()
	var items []dockerItem
	if err := json.Unmarshal(a.Find("manifest.json").Data, &items); err != nil {
		t.Fatal(err)
	}
	return items[0]
}

func wantError(t *testing.T, ref string, opt Options, words ...string) error {
	t.Helper()
	opt.Temp = t.TempDir()
	img, err := Open(t.Context(), ref, opt)
	if err == nil {
		img.Close()
		t.Fatalf("Open(%s) gave no error, want one with %q", ref, words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got error %q, want %q in it", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is more than one line", err)
	}
	if left, _ := os.ReadDir(opt.Temp); len(left) > 0 {
		t.Errorf("%s is left in the temporary folder", left[0].Name())
	}
	return err
}

// TestBadArchives opens invalid archives and checks that the error contains the
// words given.
func TestBadArchives(t *testing.T) {
	img := imagetest.Must(t, sample)
	docker := func() imagetest.Archive { return img.DockerArchive() }
	it := manifest(t, docker())
	config := it.Config
	with := func(manifest string) imagetest.Archive {
		a := docker()
		a.Find("manifest.json").Data = []byte(manifest)
		return a
	}
	replaced := func(name string, e imagetest.Entry) imagetest.Archive {
		a := docker()
		*a.Find(name) = e
		return a
	}
	whole := docker().Tar()
	cutAt := func(name string) int { // before the header of the entry
		i := bytes.Index(whole, []byte(name+"\x00"))
		if i < 0 {
			t.Fatal(name)
		}
		return i
	}
	lastLayer := it.Layers[1]
	chain := docker().Without(lastLayer)
	for i := range 50 {
		chain = append(chain, link("symlink", fmt.Sprintf("l%d", i), fmt.Sprintf("l%d", i+1)))
	}
	chain = append(chain, link("symlink", lastLayer, "/l0"), file("l50", "x"))
	oci := func(a imagetest.Archive, old, new string) imagetest.Archive {
		return edit(t, a, "index.json", old, new)
	}
	tar := func(a ...imagetest.Entry) []byte { return imagetest.Tar(a) }

	tests := []struct {
		name  string
		b     []byte
		words []string
	}{
		// cut short (1, 2) and damaged (3)
		{"cut in a layer", whole[:cutAt(lastLayer)+700], []string{"archive ends after", "manifest.json"}},
		{"cut before the manifest", whole[:cutAt("manifest.json")], []string{"archive ends after", "without its end marker", "neither manifest.json nor index.json came"}},
		{"cut in the manifest", whole[:cutAt("manifest.json")+600], []string{"archive ends after", "bytes of manifest.json"}},
		{"layer behind the end", layerLast(t, img), []string{"layer 1 (", "archive ends after 100 of its"}},
		{"bad header", func() []byte { b := bytes.Clone(whole); b[cutAt("manifest.json")+150] = 'x'; return b }(), []string{"entry at byte", "invalid tar header"}},

		// manifest.json (11)
		{"no manifest", docker().Without("manifest.json", "repositories").Tar(), []string{"from before 1.10"}},
		{"empty manifest", with("").Tar(), []string{"reading manifest.json: it is not JSON"}},
		{"null", with("null").Tar(), []string{"without any image"}},
		{"no images", with("[]").Tar(), []string{"without any image"}},
		{"object", with("{}").Tar(), []string{"manifest.json is not an image manifest"}},
		{"text", with("hello").Tar(), []string{"reading manifest.json: it is not JSON"}},
		{"cut JSON", with(`[{"Config":"x`).Tar(), []string{"reading manifest.json: unexpected EOF"}},
		{"deep", with(strings.Repeat("[", 200_000)).Tar(), []string{"reading manifest.json", "max depth"}},
		{"wrong types", with(`[{"Config":1}]`).Tar(), []string{"reading manifest.json: Config is of the wrong type (number)"}},
		{"no config", with(`[{"Layers":["a"]}]`).Tar(), []string{"reading manifest.json: image 0 has no Config"}},
		{"config without a name", with(`[{"Config":"/","Layers":[]}]`).Tar(), []string{"reading manifest.json: image 0 has no Config"}},
		{"empty layer name", with(`[{"Config":"a","Layers":[""]}]`).Tar(), []string{"image 0 has a layer without a name"}},
		{"big manifest", with("[" + strings.Repeat(" ", maxDocument) + "]").Tar(), []string{"manifest.json is over the limit of 20971520 bytes"}},

		// what it names (12-17)
		{"missing all", docker().Without(config, it.Layers[0], lastLayer).Tar(), []string{config, it.Layers[0], lastLayer, "are missing"}},
		{"outside", with(`[{"Config":"../../../../etc/passwd","Layers":[]}]`).Tar(), []string{"are missing: etc/passwd"}},
		{"empty config", replaced(config, file(config, "")).Tar(), []string{"reading config", "it is empty or cut short"}},
		{"other config", replaced(config, file(config, "{}")).Tar(), []string{"reading config " + config, "it has no rootfs"}},
		{"config is empty", imagetest.Archive{file("manifest.json", `[{"Config":"c"}]`), file("c", "")}.Tar(), []string{"reading config c: it is empty"}},
		{"config is text", imagetest.Archive{file("manifest.json", `[{"Config":"c"}]`), file("c", "<html>")}.Tar(), []string{"reading config c", "invalid character"}},
		{"config is a list", imagetest.Archive{file("manifest.json", `[{"Config":"c"}]`), file("c", "[]")}.Tar(), []string{"reading config c: its JSON is of the wrong type (array)"}},
		{"config with a wrong field", imagetest.Archive{file("manifest.json", `[{"Config":"c"}]`), file("c", `{"rootfs":{"diff_ids":[7]}}`)}.Tar(), []string{"reading config c: rootfs.diff_ids", "of the wrong type (number)"}},
		{"config without rootfs", imagetest.Archive{file("manifest.json", `[{"Config":"c"}]`), file("c", "{}")}.Tar(), []string{"reading config c: it has no rootfs"}},
		{"bad diff ID", imagetest.Archive{file("manifest.json", `[{"Config":"c","Layers":["l"]}]`), file("l", ""), file("c", `{"rootfs":{"diff_ids":["sha256:1"]}}`)}.Tar(), []string{`diff ID 1 of 1: "sha256:1"`}},
		{"big config", imagetest.Archive{file("manifest.json", `[{"Config":"c"}]`), file("c", strings.Repeat(" ", maxDocument+1))}.Tar(), []string{"config c is over the limit"}},
		{"fewer layers", with(`[{"Config":"` + config + `","Layers":["` + lastLayer + `"]}]`).Tar(), []string{"1 layers", "3 diff IDs"}},

		// links and kinds (19, 20)
		{"link to itself", replaced(lastLayer, link("symlink", lastLayer, "layer.tar")).Tar(), []string{"layer 1 (", "more than 40 links"}},
		{"hard link to itself", replaced(lastLayer, link("link", lastLayer, lastLayer)).Tar(), []string{"layer 1 (", "more than 40 links"}},
		{"long chain", chain.Tar(), []string{"more than 40 links"}},
		{"link of a long path", replaced(lastLayer, link("symlink", lastLayer, strings.Repeat("a/", 500_000))).Tar(), []string{"layer 1 (", "a link in the archive is over the limit of 4096 bytes"}},
		{"long layer name", with(`[{"Config":"c","Layers":["` + strings.Repeat("a/", 500_000) + `"]}]`).Tar(), []string{"a name in manifest.json is over the limit of 4096 bytes"}},
		{"long config name", with(`[{"Config":"` + strings.Repeat("a/", 500_000) + `"}]`).Tar(), []string{"a name in manifest.json is over the limit of 4096 bytes"}},
		{"many long ways", manyWays().Tar(), []string{"names that lead to the archive's files is over the limit of 268435456 bytes"}},
		{"link outside", replaced(lastLayer, link("symlink", lastLayer, "../../../etc/passwd")).Tar(), []string{"are missing: " + lastLayer}},
		{"folder", replaced(lastLayer, imagetest.Entry{Kind: "dir", Name: lastLayer + "/", Mode: 0o755}).Tar(), []string{"layer 1 (", "is a folder, not a file"}},
		{"fifo", replaced(lastLayer, imagetest.Entry{Kind: "fifo", Name: lastLayer}).Tar(), []string{"layer 1 (", "special entry"}},
		{"device", replaced("manifest.json", imagetest.Entry{Kind: "char", Name: "manifest.json", Major: 1, Minor: 5}).Tar(), []string{"reading manifest.json", "special entry"}},
		{"sparse", replaced(lastLayer, imagetest.Entry{Kind: "file", Name: lastLayer, Data: []byte("x"), Sparse: 1 << 40, SparseAt: 512}).Tar(), []string{"layer 1 (", "sparse"}},
		{"not a tar", replaced(lastLayer, file(lastLayer, "<html>login</html>")).Tar(), []string{"layer 1 (", "it is HTML or XML, not a tar"}},

		// layouts (16, 18, 45, 59)
		{"damaged config", edit(t, img.OCI(), "blobs/sha256/"+imagetest.Digest(configBlob(t, img)).Hex, "amd64", "arm64").Tar(), []string{"config sha256:", "is damaged: its content has the digest"}},
		{"negative size", oci(img.OCI(), `"size":`, `"size":-`).Tar(), []string{"reading index.json", "has the size -"}},
		{"wrong size", oci(img.OCI(), `"size":`, `"size":1`).Tar(), []string{"bytes, its descriptor says 1"}},
		{"huge size", oci(img.OCI(), `"size":`, `"size":9223372036854775807,"x":`).Tar(), []string{"its descriptor says 9223372036854775807"}},
		{"path for a digest", oci(img.OCI(), `"digest":"sha256:`, `"digest":"../sha256:`).Tar(), []string{"is not a digest"}},
		{"no index.json", img.OCI().Without("index.json").Tar(), []string{"oci-layout but no index.json"}},
		{"manifest for an index", imagetest.Archive{file("oci-layout", "{}"), file("index.json", `{"config":{},"layers":[]}`)}.Tar(), []string{"it is a manifest, not an index"}},
		{"empty index", imagetest.Archive{file("oci-layout", "{}"), file("index.json", `{"manifests":[]}`)}.Tar(), []string{"without any image"}},
		{"deep index", deepIndex(20).Tar(), []string{"depth of the index is over the limit of 8"}},
		{"wide index", wideIndex(100).Tar(), []string{"over the limit of 10000 manifests"}},
		{"both at once", withManifest(`{"manifests":[],"layers":[]}`).Tar(), []string{"a manifest and an index at once"}},
		{"schema 1", withManifest(`{"schemaVersion":1,"fsLayers":[{"blobSum":"sha256:1"}]}`).Tar(), []string{"schema 1"}},
		{"artifact", withManifest(`{"artifactType":"application/x-sbom","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:1"},"layers":[]}`).Tar(), []string{"not an image", "artifact of type application/x-sbom"}},
		{"helm chart", withManifest(`{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:1"},"layers":[]}`).Tar(), []string{"artifact of type application/vnd.cncf.helm.config.v1+json"}},
		{"in-toto", withManifest(`{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:1"},"layers":[{"mediaType":"application/vnd.in-toto+json"}]}`).Tar(), []string{"artifact with content of type application/vnd.in-toto+json"}},
		{"only an attestation", oci(withManifest(`{"config":{"digest":"sha256:1"}}`), `[{`, `[{"annotations":{"vnd.docker.reference.type":"attestation-manifest"},`).Tar(), []string{"not an image: it is an attestation (sha256:"}},
		{"only unknown platforms", oci(withManifest(`{"config":{"digest":"sha256:1"}}`), `[{`, `[{"platform":{"os":"unknown","architecture":"unknown"},`).Tar(), []string{"it is an attestation"}},
		{"layers swapped", swapped(img).Tar(), []string{"layer 0 (", "it is not compressed", digestOf(img.LayerTar(0)).String(), digestOf(img.LayerTar(1)).String()}},
		{"encrypted", layerOf(img, "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", nil).Tar(), []string{"layer 0 (", "it is encrypted"}},
		{"nydus", layerOf(img, "application/vnd.oci.image.layer.v1.tar+gzip", map[string]string{"containerd.io/snapshot/nydus-bootstrap": "true"}).Tar(), []string{"layer 0 (", "file system image"}},
		{"erofs", layerOf(img, "application/vnd.erofs.layer.v1", nil).Tar(), []string{"layer 0 (", "file system image"}},

		// no image at all (22 and formats 2.0)
		{"nothing", nil, []string{"it is empty"}},
		{"zeros", make([]byte, 10240), []string{"nothing but zero bytes"}},
		{"JSON", []byte(`{"schemaVersion":2}`), []string{"it is JSON"}},
		{"HTML", []byte("<!doctype html>"), []string{"it is HTML or XML"}},
		{"ELF", []byte("\x7fELF" + strings.Repeat("\x00", 600)), []string{"an ELF program"}},
		{"text", []byte("hello"), []string{"something unknown"}},
		{"other tar", tar(file("a.txt", "")), []string{"neither manifest.json nor index.json"}},

		// compression (5-10)
		{"cut gzip", gzipped(t, whole)[:900], []string{"decompressing gzip: it ends in the middle"}},
		{"bad gzip", func() []byte { b := gzipped(t, whole); b[len(b)-5] ^= 1; return b }(), []string{"decompressing gzip", "invalid checksum"}},
		{"garbage behind gzip", append(gzipped(t, whole), "garbage"...), []string{"decompressing gzip", "other bytes follow"}},
		{"cut xz", func() []byte { b := xzipped(t, whole); return b[:len(b)/2] }(), []string{"decompressing xz: it ends in the middle"}},
		{"damaged xz", func() []byte { b := xzipped(t, whole); b[len(b)/2] ^= 1; return b }(), []string{"decompressing xz: its data is damaged"}},
		{"xz with a dictionary of 4 GiB", xzDictionaryOf(t, whole, 40), []string{"decompressing xz: its dictionary is over the limit of 134217728 bytes"}},
		{"cut zstd", func() []byte { b := imagetest.Compress(whole, imagetest.Zstd); return b[:len(b)/2] }(), []string{"decompressing zstd"}},
		{"three levels", gzipped(t, gzipped(t, gzipped(t, whole))), []string{"more than 2 times"}},
		{"compressed text", gzipped(t, []byte("hello")), []string{"something unknown"}},
		{"compressed nothing", gzipped(t, nil), []string{"it is empty"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := wantError(t, write(t, "x.tar", tt.b), Options{}, tt.words...)
			if !strings.HasPrefix(err.Error(), "opening ") {
				t.Errorf("got error %q, want what was being opened first", err)
			}
			if len(tt.b) < 1<<20 {
				wantError(t, "-", Options{Stdin: bytes.NewReader(tt.b)}, tt.words...)
			}
		})
	}
}

// manyWays returns an archive of five layers. Each name leads through forty links in
// a deep folder.
func manyWays() imagetest.Archive {
	deep := strings.Repeat("d/", 1500)
	a := imagetest.Archive{file("c", "{}"), file(deep+"l39", "")}
	for i := range 39 {
		a = append(a, link("symlink", fmt.Sprintf("%sl%d", deep, i), fmt.Sprintf("/%sl%d", deep, i+1)))
	}
	var names []string
	for i := range 5 {
		names = append(names, fmt.Sprintf(`"w%d"`, i))
		a = append(a, link("symlink", fmt.Sprintf("w%d", i), deep+"l0"))
	}
	return append(a, file("manifest.json", `[{"Config":"c","Layers":[`+strings.Join(names, ",")+`]}]`))
}

// layerLast returns the sample's archive with the second layer as the last entry,
// cut 100 bytes into that layer.
func layerLast(t *testing.T, img *imagetest.Image) []byte {
	t.Helper()
	a := img.DockerArchive()
	name := manifest(t, a).Layers[1]
	e := *a.Find(name)
	b := append(a.Without(name), e).Tar()
	return b[:bytes.LastIndex(b, e.Data)+100]
}

// deepIndex returns a layout of n nested indexes.
func deepIndex(n int) imagetest.Archive {
	a := imagetest.Archive{file("oci-layout", "{}")}
	index := `{"manifests":[]}`
	for range n {
		d := digestOf([]byte(index))
		a = append(a, file("blobs/sha256/"+d.hex, index))
		index = fmt.Sprintf(`{"manifests":[{"digest":"%s"}]}`, d)
	}
	return append(a, file("index.json", index))
}

// wideIndex returns a layout of three levels of indexes. Each index names the one
// below it n times.
func wideIndex(n int) imagetest.Archive {
	a := imagetest.Archive{file("oci-layout", "{}")}
	index := `{"manifests":[]}`
	for range 3 {
		d := digestOf([]byte(index))
		a = append(a, file("blobs/sha256/"+d.hex, index))
		index = `{"manifests":[` + strings.Repeat(fmt.Sprintf(`{"digest":"%s"},`, d), n-1) + fmt.Sprintf(`{"digest":"%s"}]}`, d)
	}
	return append(a, file("index.json", index))
}

// withManifest returns a layout with the manifest m.
func withManifest(m string) imagetest.Archive {
	d := digestOf([]byte(m))
	return imagetest.Archive{file("oci-layout", "{}"), file("blobs/sha256/"+d.hex, m), file("index.json", fmt.Sprintf(`{"manifests":[{"digest":"%s"}]}`, d))}
}

// layerOf returns a layout of an image with one layer of that media type.
func layerOf(img *imagetest.Image, mediaType string, annotations map[string]string) imagetest.Archive {
	blob := string(imagetest.Compress(img.LayerTar(0), imagetest.Gzip))
	notes, _ := json.Marshal(annotations)
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["%s"]}}`, digestOf(img.LayerTar(0)))
	a := withManifest(fmt.Sprintf(`{"config":{"digest":"%s"},"layers":[{"mediaType":"%s","digest":"%s","annotations":%s}]}`,
		digestOf([]byte(config)), mediaType, digestOf([]byte(blob)), notes))
	return append(a, file("blobs/sha256/"+digestOf([]byte(config)).hex, config), file("blobs/sha256/"+digestOf([]byte(blob)).hex, blob))
}

// swapped returns a layout whose manifest and config list the uncompressed layers in
// different orders.
func swapped(img *imagetest.Image) imagetest.Archive {
	a, b := digestOf(img.LayerTar(0)), digestOf(img.LayerTar(1))
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["%s","%s"]}}`, a, b)
	blob := func(d digest, content string) imagetest.Entry { return file("blobs/sha256/"+d.hex, content) }
	return append(withManifest(fmt.Sprintf(`{"config":{"digest":"%s"},"layers":[{"digest":"%s"},{"digest":"%s"}]}`, digestOf([]byte(config)), b, a)),
		blob(digestOf([]byte(config)), config), blob(a, string(img.LayerTar(0))), blob(b, string(img.LayerTar(1))))
}

// TestOddArchives opens archives that are unusual but complete. Some give a warning.
func TestOddArchives(t *testing.T) {
	img := imagetest.Must(t, sample)
	docker := img.DockerArchive()
	whole := docker.Tar()
	withBOM := img.DockerArchive()
	withBOM.Find("manifest.json").Data = append([]byte("\xef\xbb\xbf"), withBOM.Find("manifest.json").Data...)
	trailing := img.DockerArchive()
	trailing.Find("manifest.json").Data = append(trailing.Find("manifest.json").Data, " \nxyz"...)
	twice := append(imagetest.Archive{file("manifest.json", `[{"Config":"no"}]`)}, docker...)
	sha512 := edit(t, img.OCI(), "index.json", `"manifests":[`, `"manifests":[`+
		`{"digest":"sha512:`+strings.Repeat("ab", 64)+`","platform":{"os":"linux","architecture":"arm64"}},`+
		`{"digest":"blake3:`+strings.Repeat("ab", 32)+`"},`)
	noType := edit(t, img.OCI(imagetest.Gzip), "index.json", `"mediaType":`, `"x":`)
	hops := img.DockerArchive()
	for i := range hops {
		if hops[i].Kind == "symlink" {
			hops = append(hops, link("symlink", "dir", strings.TrimPrefix(strings.TrimSuffix(hops[i].Link, "/layer.tar"), "../")),
				link("link", "again", "dir/layer.tar"), link("symlink", "once", "./again"))
			hops[i].Link = "../once"
			break
		}
	}
	inline := edit(t, img.OCI(), "index.json", `"digest":`, `"data":"`+base64.StdEncoding.EncodeToString(manifestBlob(t, img.OCI()))+`","digest":`)
	inline = inline.Without("blobs/sha256/" + digestOf(manifestBlob(t, img.OCI())).hex)

	// docker 20.10, docker 26 and podman 4.3 load it too.
	misnamed := img.DockerArchive()
	config, other := manifest(t, misnamed).Config, strings.Repeat("ab", 32)+".json"
	misnamed.Find(config).Name = other
	misnamed = edit(t, misnamed, "manifest.json", config, other)

	tests := []struct {
		name string
		b    []byte
		warn string
	}{
		{"byte order mark", withBOM.Tar(), ""},
		{"bytes behind the manifest", trailing.Tar(), "manifest.json: 3 bytes after its end"},
		{"manifest twice", twice.Tar(), "manifest.json is in the archive more than once"},
		{"no end marker", whole[:len(whole)-1024], "without its end marker; the image itself is all there"},
		{"half an end marker", whole[:len(whole)-512], ""},
		{"bytes behind the end marker", append(bytes.Clone(whole), "garbage"...), ""},
		{"links over links", hops.Tar(), ""},
		{"unknown digest algorithms", sha512.Tar(), ""},
		{"no media type in index.json", noType.Tar(), ""},
		{"no oci-layout", img.OCI().Without("oci-layout").Tar(), "oci-layout is missing"},
		{"data in the descriptor", inline.Tar(), ""},
		{"config named by another digest", misnamed.Tar(), "its file name is not its digest, which is sha256:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := openImage(t, write(t, "x", tt.b), Options{})
			same(t, got, img)
			switch {
			case tt.warn == "" && len(got.Warnings) > 0:
				t.Errorf("got warnings %v, want none", got.Warnings)
			case tt.warn != "" && (len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Text, tt.warn)):
				t.Errorf("got warnings %v, want one with %q", got.Warnings, tt.warn)
			}
		})
	}
}

// manifestBlob returns the manifest in a layout of one image.
func manifestBlob(t *testing.T, a imagetest.Archive) []byte {
	t.Helper()
	var doc document
	if err := json.Unmarshal(a.Find("index.json").Data, &doc); err != nil {
		t.Fatal(err)
	}
	return a.Find("blobs/sha256/" + parseDigest(doc.Manifests[0].Digest).hex).Data
}

// configBlob returns the config of the image as stored in a layout.
func configBlob(t *testing.T, img *imagetest.Image) []byte {
	t.Helper()
	b, err := json.Marshal(img.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// xzDictionaryOf compresses b with xz and sets the dictionary size in the header to
// code. Code 40 is 4 GiB.
func xzDictionaryOf(t *testing.T, b []byte, code byte) []byte {
	t.Helper()
	z := xzipped(t, b)
	// The block header follows the 12 bytes of the stream header: its size in words
	// minus one, its flags, a filter ID, the length of the filter's properties, the
	// dictionary size, padding and a checksum.
	head := z[12 : 12+4*(int(z[12])+1)]
	at := bytes.Index(head, []byte{0x21, 0x01})
	head[at+2] = code
	binary.LittleEndian.PutUint32(head[len(head)-4:], crc32.ChecksumIEEE(head[:len(head)-4]))
	return z
}
