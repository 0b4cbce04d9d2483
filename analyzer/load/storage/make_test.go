package storage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
	"github.com/vbatts/tar-split/tar/asm"
	tarsplit "github.com/vbatts/tar-split/tar/storage"
)

var (
	then  = time.Unix(1_600_000_000, 0)
	large = bytes.Repeat([]byte("0123456789abcdef"), 20_000)
)

// member is one member of a layer's tar.
type member struct {
	tar.Header
	content []byte
}

func regular(name string, content []byte) member {
	return member{tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(content)), ModTime: then}, content}
}

// oddMembers has every kind of entry that a layer can have.
func oddMembers() []member {
	long := string(bytes.Repeat([]byte("long/"), 60)) + "name"
	setuid := regular("bin/su", []byte("setuid"))
	setuid.Mode = 0o4755
	xattrs := regular("bin/ping", []byte("capable"))
	xattrs.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}
	precise := regular("etc/precise", []byte("half a second"))
	precise.ModTime, precise.Format = then.Add(500*time.Millisecond), tar.FormatPAX
	raw := regular("etc/raw\xff\"name\\<&>\u2028", []byte("raw"))
	raw.Format = tar.FormatGNU
	return []member{
		{Header: tar.Header{Name: "etc/", Mode: 0o755, Typeflag: tar.TypeDir, ModTime: then}},
		regular("./etc/a", []byte("hello")),
		regular("/etc/../etc//b", []byte("hello")),
		regular("etc/nothing", nil),
		regular("etc/grün", []byte("UTF-8")),
		raw, setuid, xattrs, precise,
		regular(long, []byte("long")),
		regular("usr/large", large),
		{Header: tar.Header{Name: "etc/link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink, ModTime: then}},
		{Header: tar.Header{Name: "etc/hard", Linkname: "etc/a", Typeflag: tar.TypeLink, ModTime: then}},
		{Header: tar.Header{Name: "dev/null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3, ModTime: then}},
		{Header: tar.Header{Name: "run/pipe", Typeflag: tar.TypeFifo, ModTime: then}},
		regular("etc/.wh.gone", nil),
		regular("opt/.wh..wh..opq", nil),
		regular("last", []byte("the last")),
	}
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// split returns the tar-split of a tar, made with the library that engines use.
func split(t testing.TB, layer []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	r, done, err := asm.NewInputTarStreamWithDone(bytes.NewReader(layer), tarsplit.NewJSONPacker(&b), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(data, nil)
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// extract writes the regular files of a tar but its whiteouts, as an engine does.
func extract(t testing.TB, dir string, layer []byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if err != nil {
			return // the tar may be cut
		}
		if h.Typeflag != tar.TypeReg || len(filepath.Base(h.Name)) > 4 && filepath.Base(h.Name)[:4] == ".wh." {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, beneath(h.Name))
		write(t, file, content)
		if err := os.Chtimes(file, h.ModTime, h.ModTime); err != nil {
			t.Fatal(err)
		}
	}
}

func hexOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// configOf returns the config of an image with those layers.
func configOf(t testing.TB, created time.Time, layers ...[]byte) []byte {
	t.Helper()
	var c v1.ConfigFile
	c.Created.Time = created
	c.RootFS.Type = "layers"
	for _, l := range layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, hashOf(l))
	}
	return marshal(t, c)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dockerRoot is a data root of docker that a test fills.
type dockerRoot struct {
	dir, driver string
	names       map[string]names
}

func newDocker(t testing.TB) *dockerRoot {
	return &dockerRoot{dir: t.TempDir(), driver: "overlay2", names: map[string]names{}}
}

func (d *dockerRoot) image(name ...string) string {
	return filepath.Join(append([]string{d.dir, "image", d.driver}, name...)...)
}

// layerFolder returns the folder with the files of layer n, and layerFile a file
// of docker's layer database.
func layerFolder(d *dockerRoot, n int) string {
	return filepath.Join(d.dir, d.driver, "cache"+string(rune('a'+n)), "diff")
}

func (d *dockerRoot) layerFile(layers [][]byte, n int, name string) string {
	return d.image("layerdb", "sha256", chainOf(layers)[n], name)
}

func chainOf(layers [][]byte) []string {
	var ids []v1.Hash
	for _, l := range layers {
		ids = append(ids, hashOf(l))
	}
	return chain(ids)
}

// add adds an image of those layers and returns its ID.
func (d *dockerRoot) add(t testing.TB, created time.Time, repoTags map[string]string, layers ...[]byte) string {
	t.Helper()
	config := configOf(t, created, layers...)
	id := hexOf(config)
	write(t, d.image("imagedb", "content", "sha256", id), config)
	for i, l := range layers {
		extract(t, layerFolder(d, i), l)
		write(t, d.layerFile(layers, i, "diff"), []byte("sha256:"+hexOf(l)))
		write(t, d.layerFile(layers, i, "cache-id"), []byte("cache"+string(rune('a'+i))))
		write(t, d.layerFile(layers, i, "size"), []byte("1000"))
		write(t, d.layerFile(layers, i, "tar-split.json.gz"), gzipped(t, split(t, l)))
	}
	for tag, repo := range repoTags {
		if d.names[repo] == nil {
			d.names[repo] = names{}
		}
		d.names[repo][tag] = "sha256:" + id
	}
	write(t, d.image("repositories.json"), marshal(t, map[string]any{"Repositories": d.names}))
	return id
}
