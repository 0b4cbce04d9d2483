package load

import (
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/load/engine"
)

// other returns an image for a platform, with a layer of its own.
func other(t *testing.T, platform string, tags ...string) *imagetest.Image {
	t.Helper()
	img := imagetest.Must(t, "platform "+platform+"\nlayer\n  file on text="+strings.ReplaceAll(platform, "/", "-")+"\n")
	img.Tags = tags
	return img
}

// twoImages returns an archive of two images, as docker and podman save them.
func twoImages(t *testing.T, a, b *imagetest.Image) imagetest.Archive {
	t.Helper()
	first, second := a.DockerArchive(), b.DockerArchive()
	items, _ := json.Marshal([]dockerItem{manifest(t, first), manifest(t, second)})
	all := append(first.Without("manifest.json", "repositories"), second.Without("manifest.json", "repositories")...)
	return append(all, file("manifest.json", string(items)))
}

func TestChoice(t *testing.T) {
	amd := other(t, "linux/amd64", "docker.io/library/app:1")
	arm := other(t, "linux/arm64/v8", "docker.io/library/app:1")
	v6, v7 := other(t, "linux/arm/v6"), other(t, "linux/arm/v7")
	tool := other(t, "linux/s390x", "example.com/tool:1")
	// Two images that share a layer, which has one name in an archive.
	two := write(t, "two", twoImages(t, amd, tool).Tar())
	multi := write(t, "multi", imagetest.MultiPlatform([]*imagetest.Image{amd, arm, v6, v7}, imagetest.Gzip).Tar())
	flat := write(t, "flat", layoutOf(t, amd, arm).Tar())
	others := write(t, "others", imagetest.MultiPlatform([]*imagetest.Image{v6, v7}, imagetest.Gzip).Tar())
	v3 := other(t, "linux/amd64/v3", "docker.io/library/app:1")
	levels := write(t, "levels", imagetest.MultiPlatform([]*imagetest.Image{v3, amd}, imagetest.Gzip).Tar())
	mine, foreign := map[string]*imagetest.Image{"amd64": amd, "arm64": arm}[runtime.GOARCH], ""
	if mine == nil {
		foreign = "images"
	}
	one := write(t, "one", amd.DockerArchive().Tar())
	save := write(t, "save", amd.Containerd().Tar())
	id := func(img *imagetest.Image) string {
		b, _ := json.Marshal(img.ConfigFile())
		return imagetest.Digest(b).String()
	}
	nested := openImage(t, multi, Options{Platform: "linux/arm64"}).Digest.String()

	tests := []struct {
		path, image, platform string
		want                  *imagetest.Image
		err                   string
	}{
		{two, "", "", nil, "2 images, choose one of @0 docker.io/library/app:1 linux/amd64 sha256:"},
		{two, "@0", "", amd, ""},
		{two, "@1", "", tool, ""},
		{two, "@2", "", nil, "no image for @2 among @0 docker"},
		{two, "@-1", "", nil, "no image for @-1"},
		{two, "example.com/tool:1", "", tool, ""},
		{two, "docker.io/library/app:1", "", amd, ""},
		{two, "app:1", "", amd, ""},
		{two, "app", "", nil, "no image for app among"}, // app:latest isn't there
		{two, "1", "", nil, "2 images for 1, choose one of"},
		{two, id(tool), "", tool, ""},
		{two, "@" + id(tool), "", tool, ""},
		{two, strings.TrimPrefix(id(tool), "sha256:")[:12], "", tool, ""},
		{two, strings.TrimPrefix(id(tool), "sha256:")[:11], "", nil, "no image for"},
		{two, "sha256:1234", "", nil, `"sha256:1234" is neither an index nor a whole digest`},
		{two, "@x", "", nil, `"@x" is neither an index nor a whole digest`},
		{two, "", "linux/s390x", tool, ""},
		{two, "1", "linux/amd64", amd, ""},
		{two, "app:1", "linux/s390x", nil, "no image for app:1 linux/s390x among"},

		// The platform of this machine, as from an index in a registry.
		{multi, "", "", mine, foreign},
		{multi, "app:1", "", mine, foreign},
		{flat, "", "", mine, foreign},
		{others, "", "", nil, "2 images, choose one of"},
		{levels, "", "linux/amd64", amd, ""},
		{levels, "", "linux/amd64/v3", v3, ""},
		{multi, "", "linux/amd64", amd, ""},
		{multi, "", "linux/x86_64", amd, ""},
		{multi, "", "linux/arm64", arm, ""},
		{multi, "", "linux/arm64/v8", arm, ""},
		{multi, "", "linux/aarch64", arm, ""},
		{multi, "", "linux/arm/v6", v6, ""},
		{multi, "", "linux/arm", nil, "2 images for linux/arm, choose one of @2 docker.io/library/app:1 linux/arm/v6 sha256:"},
		{multi, "@3", "", v7, ""},
		{multi, nested, "", arm, ""},
		{multi, "", "windows/amd64", nil, "no image for windows/amd64 among"},
		{multi, "", "linux", nil, `platform "linux" is not OS/ARCH`},
		{multi, "", "linux/", nil, `platform "linux/" is not OS/ARCH`},

		{one, "", "linux/amd64", amd, ""},
		{one, "", "linux/arm64", nil, "no image for linux/arm64 among @0 docker.io/library/app:1 linux/amd64"},
		{one, "no", "", nil, "no image for no among @0"},

		// The index names the other platform, whose blobs are not in the archive.
		{save, "", "", amd, ""},
		{save, "app:1", "", amd, ""},
		{save, "", "linux/s390x", nil, "are missing: "},
	}
	for _, tt := range tests {
		t.Run(strings.Join([]string{tt.image, tt.platform}, " "), func(t *testing.T) {
			opt := Options{Image: tt.image, Platform: tt.platform}
			if tt.err != "" {
				wantError(t, tt.path, opt, tt.err)
				return
			}
			img := openImage(t, tt.path, opt)
			same(t, img, tt.want)
			if got := img.ID.String(); got != id(tt.want) {
				t.Errorf("got ID %s, want %s", got, id(tt.want))
			}
		})
	}

	var choice *ChoiceError
	_, err := Open(t.Context(), two, Options{})
	if !errors.As(err, &choice) {
		t.Fatalf("got %T, want a ChoiceError", err)
	}
	want := []Choice{
		{Index: 0, Tags: amd.Tags, ID: id(amd), Platform: "linux/amd64"},
		{Index: 1, Tags: tool.Tags, ID: id(tool), Platform: "linux/s390x"},
	}
	if diff := cmp.Diff(want, choice.Images); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
}

// TestHostPlatform checks that opening a layout without choosing a platform notes
// which one is read, as opening from a registry does.
func TestHostPlatform(t *testing.T) {
	amd, arm := other(t, "linux/amd64", "app:1"), other(t, "linux/arm64", "app:1")
	var progress analyzer.Progress
	path := write(t, "x", imagetest.MultiPlatform([]*imagetest.Image{arm, amd}).Tar())
	img, err := Open(t.Context(), path, Options{Progress: &progress})
	if err != nil {
		if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
			t.Fatal(err)
		}
		return // there is no image for the host
	}
	defer img.Close()
	want := "linux/" + runtime.GOARCH + " is read, of the platforms linux/arm64, linux/amd64"
	if notes := strings.Join(progress.Notes(), "\n"); notes != want {
		t.Errorf("got the notes %q, want %q", notes, want)
	}
}

// layoutOf returns a layout whose index.json lists the images of all platforms under
// one tag, without a nested index.
func layoutOf(t *testing.T, images ...*imagetest.Image) imagetest.Archive {
	t.Helper()
	var all imagetest.Archive
	var index struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	for _, img := range images {
		var one struct{ Manifests []json.RawMessage }
		a := img.OCI(imagetest.Gzip)
		if err := json.Unmarshal(a.Find("index.json").Data, &one); err != nil {
			t.Fatal(err)
		}
		index.Manifests = append(index.Manifests, one.Manifests...)
		all = append(all, a.Without("index.json", "oci-layout")...)
	}
	b, _ := json.Marshal(index)
	return append(all, file("oci-layout", "{}"), file("index.json", string(b)))
}

// TestIncomplete checks that an image whose blobs are missing is left out with a
// warning.
func TestIncomplete(t *testing.T) {
	amd, tool := other(t, "linux/amd64", "app:1"), other(t, "linux/s390x", "tool:1")
	a := twoImages(t, amd, tool)
	path := write(t, "x", a.Without(manifest(t, tool.DockerArchive()).Layers[0]).Tar())
	img := openImage(t, path, Options{})
	same(t, img, amd)
	if len(img.Warnings) != 1 || !strings.Contains(img.Warnings[0].Text, "tool:1 is incomplete") {
		t.Errorf("got warnings %v, want one about tool:1", img.Warnings)
	}
	wantError(t, path, Options{Image: "tool:1"}, "are missing")
}

// TestTagsOfIndex checks that tags that are only in index.json are used.
func TestTagsOfIndex(t *testing.T) {
	img := other(t, "linux/amd64", "docker.io/library/app:1")
	a := edit(t, img.DockerArchive25(), "manifest.json", `"RepoTags":["docker.io/library/app:1"]`, `"RepoTags":null`)
	got := openImage(t, write(t, "x", a.Tar()), Options{})
	if diff := cmp.Diff(img.Tags, got.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestPlatformFits(t *testing.T) {
	for _, tt := range []struct {
		want string
		have v1.Platform
		fits bool
	}{
		{"linux/arm/v7", v1.Platform{OS: "linux", Architecture: "arm"}, true}, // as containerd has it
		{"linux/arm/v6", v1.Platform{OS: "linux", Architecture: "arm"}, false},
		{"linux/armhf", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}, true},
		{"linux/amd64", v1.Platform{OS: "linux", Architecture: "amd64", Variant: "v1"}, true},
		{"linux/amd64", v1.Platform{OS: "linux", Architecture: "amd64", Variant: "v3"}, true},
		{"linux/amd64/v2", v1.Platform{OS: "linux", Architecture: "amd64"}, false},
		{"windows/amd64", v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.1"}, true},
		{"windows/amd64", v1.Platform{OS: "linux", Architecture: "amd64"}, false},
		{"", v1.Platform{}, true},
	} {
		p, err := parsePlatform(tt.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.fits(tt.have); got != tt.fits {
			t.Errorf("%s fits %s: got %v, want %v", tt.want, tt.have, got, tt.fits)
		}
	}
}

// TestUntagged opens an image that docker 25 left out of index.json because the
// other image has a tag.
func TestUntagged(t *testing.T) {
	tagged, bare := other(t, "linux/amd64", "app:1"), other(t, "linux/amd64/v2")
	a, b := tagged.DockerArchive25(), bare.DockerArchive25()
	items, _ := json.Marshal([]dockerItem{manifest(t, a), manifest(t, b)})
	all := append(a.Without("manifest.json"), b.Without("manifest.json", "index.json", "oci-layout")...)
	path := write(t, "x", append(all, file("manifest.json", string(items))).Tar())
	same(t, openImage(t, path, Options{Image: "@1"}), bare)
	if got := openImage(t, path, Options{Image: "@1"}).Digest; got != (v1.Hash{}) {
		t.Errorf("got digest %v, want none: its manifest is not named anywhere", got)
	}
	same(t, openImage(t, path, Options{Image: "app:1"}), tagged)
}

// TestNoManifestLayers opens what docker 25.0.0 wrote: an OCI manifest without
// layers.
func TestNoManifestLayers(t *testing.T) {
	img := other(t, "linux/amd64", "app:1")
	a := img.DockerArchive25()
	m := manifestBlob(t, a)
	var doc map[string]any
	json.Unmarshal(m, &doc)
	delete(doc, "layers")
	short, _ := json.Marshal(doc)
	old, now := digestOf(m), digestOf(short)
	a = append(a.Without("blobs/sha256/"+old.hex), file("blobs/sha256/"+now.hex, string(short)))
	edit(t, a, "index.json", old.hex, now.hex)
	edit(t, a, "index.json", `"size":`, `"x":`)
	same(t, openImage(t, write(t, "x", a.Tar()), Options{}), img)
}

func TestReferences(t *testing.T) {
	img := imagetest.Must(t, sample)
	t.Chdir(t.TempDir())
	b := img.DockerArchive().Tar()
	for _, name := range []string{"app.tar", "app.tar:v1", "docker:x", "with:colon"} {
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	img.OCI().WriteDir(t, "layout")
	imagetest.Archive{file("readme", "x")}.WriteDir(t, "node")
	if err := os.WriteFile("plain", []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	id := openImage(t, "app.tar", Options{}).ID.String()

	for _, ref := range []string{
		"docker-archive:app.tar", "docker-archive:app.tar:app:1", "docker-archive:app.tar:@0", "oci-archive:app.tar", "file:app.tar",
		"oci-dir:layout", "oci-dir:layout:1", "dir:layout", "oci-archive://layout:app:1",
		"app.tar", "./app.tar", "archive:app.tar", "archive://app.tar", "archive:./app.tar",
		"app.tar:1", "app.tar:app:latest", "app.tar:docker.io/library/app:1", "app.tar:@0", "app.tar@" + id, "app.tar:@" + id, "app.tar:" + id,
		"app.tar:v1", "archive:app.tar:v1", "app.tar:v1:1", "./docker:x", "with:colon", "with:colon:@0",
		"layout", "layout/", "oci:layout", "oci://layout", "oci:layout:app:1", "oci:layout:1", "layout:latest", "layout@" + id,
	} {
		if got := openImage(t, ref, Options{}); got.ID.String() != id || got.Reference != ref {
			t.Errorf("%s: got %v, reference %q", ref, got.ID, got.Reference)
		}
	}

	tests := []struct {
		ref    string
		words  string
		scheme string // of a NotFoundError; "-" for none
	}{
		{"", "the image reference is empty", "-"},
		{strings.Repeat("a", 10_000), "10000 bytes long", "-"},
		{"a\x00b", "NUL byte", "-"},
		{"archive:", "archive: names no file or folder", "-"},
		{"oci://", "oci:// names no file or folder", "-"},
		{"app.tar:", "no image is named after", "-"},
		{"app.tar:2", "opening app.tar: no image for 2 among", "-"},
		{"app.tar@sha256:12", "neither an index nor a whole digest", "-"},
		{"plain", "not an image", "-"},
		{"./plain:1", "not an image", "-"},
		{"node", "opening node: not an image: it is a folder with neither", "-"},
		{"missing.tar", "opening missing.tar: no such file or folder", ""},
		{"ghcr.io/a/b@sha256:12", "no such file or folder", ""},
		{"--help", "no such file or folder", ""},
		{"./missing.tar", "opening ./missing.tar: no such file or directory", "file"},
		{"archive:missing.tar", "opening missing.tar: no such file or directory", "file"},
		{"oci:missing:tag", "opening missing:tag: no such file or directory", "file"},
		{"docker:", "docker: names no image", "-"},
		{"docker-archive:missing.tar", "opening missing.tar: no such file or directory", "file"},
		{"dir:missing", "opening missing: no such file or directory", "file"},
		{"oci-archive:", "oci-archive: names no file or folder", "-"},
		{"docker-daemon:x", "opening docker-daemon:x: reaching docker at unix:///nowhere (DOCKER_HOST)", "-"},
		{"containers-storage:app", "opening containers-storage:app: reaching podman at unix:///nowhere (CONTAINER_HOST)", "-"},
		{"containers-storage:[overlay@/x+/y]app", "opening containers-storage:[overlay@/x+/y]app: a store of its own is not supported", "-"},
		{"containerd:app:1", "opening containerd:app:1: the scheme containerd: is not supported", "-"},
		{"singularity:app.sif", "singularity: is not supported", "-"},
		{"ostree:app@/repo", "ostree: is not supported", "-"},
		{"registry://", "registry:// names no image", "-"},
		{"docker:x", "opening docker:x: reaching docker at unix:///nowhere (DOCKER_HOST)", "-"},
		{"podman://app", "opening podman:app: reaching podman at unix:///nowhere (CONTAINER_HOST)", "-"},
		{"sha256:" + strings.Repeat("1", 64), "no engine here has it", ""},
		{"localhost:1/app:1", "there is no such file, no engine here has it, and its registry: localhost:1", ""},
	}
	for _, tt := range tests {
		err := wantError(t, tt.ref, nowhere, tt.words)
		var missing *NotFoundError
		switch found := errors.As(err, &missing); {
		case found != (tt.scheme != "-"):
			t.Errorf("%q: got %T", tt.ref, err)
		case found && missing.Scheme != tt.scheme:
			t.Errorf("%q: got scheme %q, want %q", tt.ref, missing.Scheme, tt.scheme)
		}
	}
	wantError(t, "app.tar:1", Options{Image: "latest"}, `both "1" and "latest"`)
	if os.Getuid() != 0 {
		if err := os.Chmod("app.tar", 0); err != nil {
			t.Fatal(err)
		}
		wantError(t, "app.tar", Options{}, "opening app.tar: permission denied")
	}
}

// nowhere holds the Options of a machine without engines.
var nowhere = Options{Engine: engine.Options{Getenv: func(name string) string {
	if name == "DOCKER_HOST" || name == "CONTAINER_HOST" {
		return "unix:///nowhere"
	}
	return ""
}}}

// An argument that is not a path is an image name. It is looked up in an engine and
// then in a registry.
func TestNames(t *testing.T) {
	t.Chdir(t.TempDir())
	imagetest.Archive{file("readme", "x")}.WriteDir(t, "node") // a folder that holds no image
	if err := os.WriteFile("plain", []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]reference{
		"node:22":                   {name: "node:22"},
		"plain:1":                   {name: "plain:1"},
		"ghcr.io/a/b:1":             {name: "ghcr.io/a/b:1"},
		"ab12":                      {name: "ab12"},
		strings.Repeat("a", 64):     {name: strings.Repeat("a", 64)},
		"docker:node:22":            {scheme: "docker", name: "node:22"},
		"docker://node":             {scheme: "docker", name: "node"},
		"podman:localhost/a":        {scheme: "podman", name: "localhost/a"},
		"registry:localhost:5000/a": {scheme: "registry", name: "localhost:5000/a"},
		"registry:app.tar":          {scheme: "registry", name: "app.tar"},
		"docker-daemon:app:1":       {scheme: "docker", name: "app:1", said: "docker-daemon"},
		"docker-daemon:sha256:ab":   {scheme: "docker", name: "sha256:ab", said: "docker-daemon"},
		"containers-storage:app":    {scheme: "podman", name: "app", said: "containers-storage"},
		"containers-storage:@ab12":  {scheme: "podman", name: "ab12", said: "containers-storage"},
	} {
		if got, err := parse(ref); err != nil || got != want {
			t.Errorf("parse(%q) = %+v, %v", ref, got, err)
		}
	}
}

func TestFullName(t *testing.T) {
	for in, want := range map[string]string{
		"app":                   "docker.io/library/app:latest",
		"app:1":                 "docker.io/library/app:1",
		"me/app":                "docker.io/me/app:latest",
		"docker.io/app:1":       "docker.io/library/app:1",
		"index.docker.io/a/b:1": "docker.io/a/b:1",
		"localhost/app:1":       "localhost/app:1",
		"localhost:5000/app":    "localhost:5000/app:latest",
		"example.com/a/b/c:1":   "example.com/a/b/c:1",
		"a b":                   "a b",
		"app@sha256:12":         "app@sha256:12",
		"":                      "",
	} {
		if got := fullName(in); got != want {
			t.Errorf("fullName(%q) = %q, want %q", in, got, want)
		}
	}
}
