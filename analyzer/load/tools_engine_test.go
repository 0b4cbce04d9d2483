package load

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// need skips the test if program is not installed.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("not run: %s is not installed", program)
	}
}

// run runs a program that must succeed and returns its standard output.
func run(t *testing.T, dir, program string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v: %s", program, strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// TestSkopeo opens the sample in every form that skopeo can write.
func TestSkopeo(t *testing.T) {
	need(t, "skopeo")
	img := imagetest.Must(t, sample)
	dir := t.TempDir()
	source := "docker-archive:" + write(t, "in.tar", img.DockerArchive().Tar())
	one := source + ":docker.io/library/app:1"
	tests := []struct {
		args []string
		ref  string
		tags string
	}{
		{[]string{one, "docker-archive:out.tar:example.com/a/b:c"}, "out.tar", "example.com/a/b:c"},
		{[]string{one, "oci:layout:example.com/a/b:c"}, "layout", "example.com/a/b:c"},
		{[]string{one, "oci:layout:c"}, "oci:layout:c", "c example.com/a/b:c"}, // one manifest, two tags
		{[]string{one, "oci-archive:oci.tar:c"}, "oci.tar", "c"},
		{[]string{"--dest-compress", "--dest-compress-format", "zstd", one, "oci:zstd:c"}, "zstd", "c"},
		{[]string{one, "dir:plain"}, "plain", ""},
		{[]string{"--dest-compress", one, "dir:gzip"}, "gzip", ""},
		{[]string{"--format", "oci", one, "dir:oci"}, "oci", ""},
		{[]string{"oci:zstd:c", "dir:dirzstd"}, "dirzstd", ""},
		{[]string{"dir:gzip", "docker-archive:again.tar:a:1"}, "again.tar", "docker.io/library/a:1"},
	}
	for _, tt := range tests {
		t.Run(tt.args[len(tt.args)-1], func(t *testing.T) {
			run(t, dir, "skopeo", append([]string{"--insecure-policy", "copy", "-q"}, tt.args...)...)
			t.Chdir(dir)
			got := openImage(t, tt.ref, Options{})
			same(t, got, img)
			if tags := strings.Join(got.Tags, " "); tags != tt.tags {
				t.Errorf("got tags %q, want %q", tags, tt.tags)
			}
			want := strings.TrimSpace(string(run(t, dir, "skopeo", "inspect", "--raw", tt.args[len(tt.args)-1])))
			if got.Digest.Hex != "" && got.Digest != imagetest.Digest([]byte(want)) {
				t.Errorf("got digest %s, skopeo's manifest has %s", got.Digest, imagetest.Digest([]byte(want)))
			}
		})
	}
}

// TestPodman loads two images into podman and opens what it saves.
func TestPodman(t *testing.T) {
	need(t, "podman")
	img := imagetest.Must(t, sample)
	second := other(t, "linux/amd64", "example.com/second:2")
	dir := t.TempDir()
	podman := func(args ...string) []byte {
		t.Helper()
		return run(t, dir, "podman", append([]string{"--root", dir + "/root", "--runroot", dir + "/run", "--storage-driver", "vfs"}, args...)...)
	}
	if out, err := exec.CommandContext(t.Context(), "podman", "--root", dir+"/root", "--runroot", dir+"/run", "--storage-driver", "vfs", "images").CombinedOutput(); err != nil {
		t.Skipf("not run: podman doesn't work here: %s", out)
	}
	t.Cleanup(func() { // podman's files are read-only
		filepath.Walk(dir, func(path string, info os.FileInfo, err error) error { os.Chmod(path, 0o700); return nil })
	})
	podman("load", "-q", "-i", write(t, "a", img.DockerArchive().Tar()))
	podman("load", "-q", "-i", write(t, "b", second.OCI(imagetest.Gzip).Tar()))
	for _, args := range [][]string{
		{"docker.tar", "docker.io/library/app:1"},
		{"oci.tar", "--format", "oci-archive", "docker.io/library/app:1"},
		{"ocidir", "--format", "oci-dir", "docker.io/library/app:1"},
		{"dir", "--format", "docker-dir", "docker.io/library/app:1"},
	} {
		podman(append([]string{"save", "-q", "-o"}, args...)...)
		same(t, openImage(t, filepath.Join(dir, args[0]), Options{}), img)
	}
	podman("save", "-q", "-m", "-o", "many.tar", "docker.io/library/app:1", "example.com/second:2")
	many := filepath.Join(dir, "many.tar")
	wantError(t, many, Options{}, "2 images, choose one of")
	same(t, openImage(t, many+":app:1", Options{}), img)
	same(t, openImage(t, many+":@1", Options{}), second)
}

// TestBuildah opens an image that buildah built from scratch, in every form.
func TestBuildah(t *testing.T) {
	need(t, "buildah")
	dir := t.TempDir()
	flags := []string{"--root", dir + "/root", "--runroot", dir + "/run", "--storage-driver", "vfs"}
	if out, err := exec.CommandContext(t.Context(), "buildah", append(flags, "images")...).CombinedOutput(); err != nil {
		t.Skipf("not run: buildah doesn't work here: %s", out)
	}
	buildah := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(string(run(t, dir, "buildah", append(flags, args...)...)))
	}
	if err := os.WriteFile(dir+"/motd", []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := buildah("from", "scratch")
	buildah("copy", c, dir+"/motd", "/etc/motd")
	for form, ref := range map[string]string{
		"docker-archive:" + dir + "/docker.tar:a:1": "docker.tar",
		"oci:" + dir + "/layout:1":                  "layout",
		"oci-archive:" + dir + "/oci.tar:1":         "oci.tar",
		"dir:" + dir + "/dir":                       "dir",
	} {
		buildah("commit", "-q", c, form)
		img := openImage(t, filepath.Join(dir, ref), Options{})
		if len(img.Layers) != 1 {
			t.Fatalf("%s: got %d layers, want 1", ref, len(img.Layers))
		}
		l := img.Layers[0]
		d, err := layer.Read(t.Context(), l.Blob, layer.Options{Digest: l.Digest, DiffID: l.DiffID, Verify: true})
		if err != nil || d.Stored != 5 {
			t.Errorf("%s: got %+v, %v, want a layer that stores 5 bytes", ref, d, err)
		}
	}
}

// TestUmoci opens a layout that umoci made.
func TestUmoci(t *testing.T) {
	need(t, "umoci")
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/motd", []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "umoci", "init", "--layout", "um")
	wantError(t, dir+"/um", Options{}, "without any image")
	run(t, dir, "umoci", "new", "--image", "um:v1")
	if img := openImage(t, dir+"/um", Options{}); len(img.Layers) != 0 {
		t.Errorf("got %d layers of a new image, want none", len(img.Layers))
	}
	run(t, dir, "umoci", "insert", "--rootless", "--image", "um:v1", "--tag", "v2", "motd", "/etc/motd")
	wantError(t, dir+"/um", Options{}, "2 images, choose one of")
	img := openImage(t, "oci:"+dir+"/um:v2", Options{})
	if len(img.Layers) != 1 || len(img.Config.History) == 0 {
		t.Fatalf("got %d layers, want 1", len(img.Layers))
	}
	l := img.Layers[0]
	d, err := layer.Read(t.Context(), l.Blob, layer.Options{Digest: l.Digest, DiffID: l.DiffID, Verify: true})
	if err != nil || d.Stored != 5 {
		t.Errorf("got %+v, %v, want a layer that stores 5 bytes", d, err)
	}
}

// TestPackers opens an archive packed by tar and by several compressors.
func TestPackers(t *testing.T) {
	img := imagetest.Must(t, sample)
	dir := t.TempDir()
	img.RulesOCI(imagetest.Gzip).WriteDir(t, dir+"/layout")
	img.DockerArchive().WriteDir(t, dir+"/docker")
	for _, args := range [][]string{
		{"tar", "-C", "layout", "-cf", "gnu.tar", "."},
		{"tar", "-C", "docker", "--format=pax", "-cf", "pax.tar", "."},
		{"tar", "-C", "docker", "--format=ustar", "-czf", "ustar.tar", "."},
		{"tar", "-C", "docker", "--format=v7", "-cf", "v7.tar", "manifest.json"},
		{"gzip", "-k", "gnu.tar"},
		{"pigz", "-k", "-S", ".pigz", "gnu.tar"},
		{"bzip2", "-k", "gnu.tar"},
		{"xz", "-k", "-T2", "--block-size=4096", "gnu.tar"},
		{"zstd", "-q", "-k", "gnu.tar"},
	} {
		t.Run(args[0], func(t *testing.T) {
			need(t, args[0])
			run(t, dir, args[0], args[1:]...)
		})
	}
	tars, err := filepath.Glob(dir + "/*.tar*")
	if err != nil || len(tars) < 4 {
		t.Skipf("not run: tar is not installed (%v)", err)
	}
	for _, path := range tars {
		if strings.HasSuffix(path, "v7.tar") {
			wantError(t, path, Options{}, "are missing")
			continue
		}
		same(t, openImage(t, path, Options{}), img)
	}
}
