package imagetest

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Archive is the files of an image in the form and order in which an engine or a
// builder writes them. Tar writes them as an archive, WriteDir as a directory. A
// test that needs a broken archive changes the slice.
type Archive []Entry

// Tar returns the archive as a tar.
func (a Archive) Tar() []byte { return Tar(a) }

// Without returns the archive without the entries with these names.
func (a Archive) Without(names ...string) Archive {
	var out Archive
	for _, e := range a {
		if !contains(names, e.Name) {
			out = append(out, e)
		}
	}
	return out
}

// Find returns the entry with that name, or nil. The caller may change it in place.
func (a Archive) Find(name string) *Entry {
	for i := range a {
		if a[i].Name == name {
			return &a[i]
		}
	}
	return nil
}

// WriteDir creates dir and writes the archive's files into it.
func (a Archive) WriteDir(t testing.TB, dir string) {
	t.Helper()
	for _, e := range a {
		name := filepath.Join(dir, filepath.FromSlash(e.Name))
		err := os.MkdirAll(filepath.Dir(name), 0o777)
		switch {
		case err != nil:
		case e.Kind == "dir":
			err = os.MkdirAll(name, 0o777)
		case e.Kind == "symlink":
			err = os.Symlink(e.Link, name)
		case e.Kind == "link":
			err = os.Link(filepath.Join(dir, filepath.FromSlash(e.Link)), name)
		default:
			err = os.WriteFile(name, e.Data, 0o666)
		}
		if err != nil {
			t.Fatalf("writing an archive as a folder: %v", err)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func file(name string, data []byte) Entry {
	return Entry{Kind: "file", Name: name, Mode: 0o644, Data: data, MTime: MTime}
}

func dir(name string) Entry {
	return Entry{Kind: "dir", Name: name, Mode: 0o755, MTime: MTime}
}

func symlink(name, target string) Entry {
	return Entry{Kind: "symlink", Name: name, Mode: 0o777, Link: target, MTime: MTime}
}

func (a Archive) sorted() Archive {
	sort.SliceStable(a, func(i, j int) bool { return a[i].Name < a[j].Name })
	return a
}

// item is one image of a manifest.json.
type item struct {
	Config       string
	RepoTags     []string
	Layers       []string
	LayerSources map[string]v1.Descriptor `json:",omitempty"`
}

// repositories returns the file of that name, which maps a repository and a tag to
// the ID of the top layer.
func repositories(tags []string, top string) Entry {
	repos := map[string]map[string]string{}
	for _, tag := range tags {
		at := strings.LastIndex(tag, ":")
		if at < 0 {
			continue
		}
		if repos[tag[:at]] == nil {
			repos[tag[:at]] = map[string]string{}
		}
		repos[tag[:at]][tag[at+1:]] = top
	}
	return file("repositories", toJSON(repos))
}

// chainIDs returns an ID of 64 hex digits for each layer. Equal layers have
// different IDs.
func (img *Image) chainIDs() []string {
	var ids []string
	parent := ""
	for i := range img.Layers {
		parent = Digest([]byte(parent + Digest(img.LayerTar(i)).Hex)).Hex
		ids = append(ids, parent)
	}
	return ids
}

// DockerArchive returns what `docker save` wrote before version 25: a directory per
// layer, sorted by name. A repeated layer is a symlink to the first one, which may
// come before or after it in the archive.
func (img *Image) DockerArchive() Archive {
	config := toJSON(img.ConfigFile())
	it := item{Config: Digest(config).Hex + ".json", RepoTags: img.Tags}
	a := Archive{file(it.Config, config)}
	first := map[v1.Hash]string{}
	ids := img.chainIDs()
	top := ""
	for i, id := range ids {
		v1JSON := map[string]any{"id": id, "created": img.Created}
		if i > 0 {
			v1JSON["parent"] = ids[i-1]
		}
		a = append(a, dir(id+"/"), file(id+"/VERSION", []byte("1.0")), file(id+"/json", toJSON(v1JSON)))
		body := img.LayerTar(i)
		if of, ok := first[Digest(body)]; ok {
			a = append(a, symlink(id+"/layer.tar", "../"+of+"/layer.tar"))
		} else {
			first[Digest(body)] = id
			a = append(a, file(id+"/layer.tar", body))
		}
		it.Layers = append(it.Layers, id+"/layer.tar")
		top = id
	}
	a = append(a, file("manifest.json", toJSON([]item{it})))
	if len(img.Tags) > 0 {
		a = append(a, repositories(img.Tags, top))
	}
	return a.sorted()
}

// Podman returns what `podman save` and skopeo's docker-archive write: a tar per
// diff ID, and for old readers a directory per layer with a symlink to its tar.
func (img *Image) Podman() Archive {
	config := toJSON(img.ConfigFile())
	it := item{Config: Digest(config).Hex + ".json", RepoTags: img.Tags}
	var a Archive
	top := ""
	for i, id := range img.chainIDs() {
		body := img.LayerTar(i)
		name := Digest(body).Hex + ".tar"
		if a.Find(name) == nil {
			a = append(a, file(name, body))
		}
		a = append(a,
			symlink(id+"/layer.tar", "../"+name),
			file(id+"/VERSION", []byte("1.0")),
			file(id+"/json", toJSON(map[string]string{"id": id})))
		it.Layers = append(it.Layers, name)
		top = id
	}
	return append(a, file(it.Config, config), repositories(img.Tags, top), file("manifest.json", toJSON([]item{it})))
}

// Kaniko returns what kaniko, ko and other users of go-containerregistry's tarball
// package write: compressed layers named by the digest of the blob, a config named
// "sha256:<hex>", and the manifest last. Layers are gzip if cs is empty.
func (img *Image) Kaniko(cs ...Compression) Archive {
	if len(cs) == 0 {
		cs = []Compression{Gzip}
	}
	config := toJSON(img.ConfigFile())
	it := item{Config: Digest(config).String(), RepoTags: img.Tags}
	a := Archive{file(it.Config, config)}
	for i := range img.Layers {
		c := pick(cs, i)
		blob := Compress(img.LayerTar(i), c)
		name := Digest(blob).Hex + []string{".tar", ".tar.gz", ".tar.zst"}[c]
		if a.Find(name) == nil {
			a = append(a, file(name, blob))
		}
		it.Layers = append(it.Layers, name)
	}
	return append(a, file("manifest.json", toJSON([]item{it})))
}

// Jib returns what jib's buildTar writes: the form of Kaniko with a config.json.
func (img *Image) Jib() Archive {
	a := img.Kaniko(Gzip)
	config := Digest(toJSON(img.ConfigFile())).String()
	a[0].Name = "config.json"
	m := a.Find("manifest.json")
	m.Data = []byte(strings.Replace(string(m.Data), config, "config.json", 1))
	return a
}

// Nix returns what nix's buildImage writes, without the gzip around it: read-only
// directories, entries with a leading "./", layers with absolute names, and the
// manifest before the files it names.
func (img *Image) Nix() Archive {
	img = img.Absolute()
	config := toJSON(img.ConfigFile())
	it := item{Config: Digest(config).Hex + ".json", RepoTags: img.Tags}
	var layers Archive
	top := ""
	for i, id := range img.chainIDs() {
		layers = append(layers, dir("./"+id+"/"), file("./"+id+"/VERSION", []byte("1.0")), file("./"+id+"/layer.tar", img.LayerTar(i)))
		it.Layers = append(it.Layers, id+"/layer.tar")
		top = id
	}
	a := append(Archive{file("./manifest.json", toJSON([]item{it}))}, layers...)
	a = append(a, file("./"+it.Config, config), repositories(img.Tags, top))
	for i := range a {
		a[i].Mode &^= 0o222
		a[i].MTime = 1
	}
	return a
}
