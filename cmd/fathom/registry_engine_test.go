package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEngineRegistry compares fathom's report on an image in a real registry, pushed
// by real tools, with its report on docker's archive of that image.
func TestEngineRegistry(t *testing.T) {
	docker, podman := openEngine(t, "docker"), openEngine(t, "podman")
	dir, place := t.TempDir(), filepath.Join(os.Getenv("FATHOM_ENGINES"), "registry")
	told, err := os.ReadFile(filepath.Join(place, "host"))
	if err != nil {
		t.Skip("no registry: testdata/engines/registry DIR starts one")
	}
	host, ca := strings.TrimSpace(string(told)), filepath.Join(place, "certs/ca.crt")
	const user = "fathom:looks inside"
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user)))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir)
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("FATHOM_CACHE_DIR", filepath.Join(dir, "cache"))

	docker.build(t, "odd")
	saved := docker.file(t, dir, "docker.tar", "save", "odd")
	want, wantFiles := measure(t, saved), list(t, saved)
	wantContent := fathom(t, "cat", saved, "/etc/os-release").String()

	skopeo := engine{"skopeo", "skopeo"}
	push := func(name string, options ...string) {
		args := append([]string{"--insecure-policy", "--tmpdir", dir, "copy", "--quiet", "--dest-cert-dir", filepath.Dir(ca), "--dest-creds", user}, options...)
		skopeo.run(t, nil, append(args, "docker-archive:"+saved, "docker://"+host+"/"+name)...)
	}
	push("skopeo/odd:docker", "--format", "v2s2")
	push("skopeo/odd:oci", "--format", "oci")
	push("skopeo/odd:zstd", "--format", "oci", "--dest-compress-format", "zstd")
	docker.run(t, nil, "tag", "odd", host+"/docker/odd:1")
	docker.run(t, nil, "push", "--quiet", host+"/docker/odd:1")
	f, err := os.Open(saved)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	loaded := strings.TrimPrefix(podman.run(t, f, "load", "--quiet"), "Loaded image: ")
	podman.run(t, nil, "push", "--quiet", "--creds", user, "--cert-dir", filepath.Dir(ca), loaded, host+"/podman/odd:1")

	for _, name := range []string{"skopeo/odd:docker", "skopeo/odd:oci", "skopeo/odd:zstd", "docker/odd:1", "podman/odd:1"} {
		t.Run(name, func(t *testing.T) {
			ref := "registry:" + host + "/" + name
			got := measure(t, ref, "--ca", ca)
			if diff := cmp.Diff(want, got, formOnly); diff != "" {
				t.Errorf("the report differs from docker save's (-) in:\n%s", diff)
			}
			if diff := cmp.Diff([]string{host + "/" + name}, got.Image.Tags); diff != "" || got.Image.Source != "registry" || got.Image.Digest == "" {
				t.Errorf("got source %q, digest %q and tags %q", got.Image.Source, got.Image.Digest, got.Image.Tags)
			}
			for _, run := range []string{"downloaded", "from the cache"} {
				if diff := cmp.Diff(wantFiles, list(t, ref, "--ca", ca)); diff != "" {
					t.Errorf("%s: the files differ from docker save's (-) in:\n%s", run, diff)
				}
			}
			if content := fathom(t, "cat", ref, "/etc/os-release", "--ca", ca).String(); content != wantContent {
				t.Errorf("got %q, want %q", content, wantContent)
			}
		})
	}

	for _, tt := range []struct {
		name, auth string
		args       []string
		words      []string
	}{
		{"no certificate", config, nil, []string{host + ": ", "its certificate is signed by an unknown authority", "--ca FILE"}},
		{"no such tag", config, []string{"--ca", ca}, []string{host + ": ", "no such image or tag, or it is private (404)"}},
		{"anonymous", "{}", []string{"--ca", ca}, []string{host + ": ", "access denied as anonymous", "(401)", "docker login " + host}},
		{"wrong password", strings.Replace(config, base64.StdEncoding.EncodeToString([]byte(user)), "ZmF0aG9tOnNlY3JldA==", 1),
			[]string{"--ca", ca}, []string{"access denied as user fathom", "docker login " + host}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(tt.auth), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, problems bytes.Buffer
			code := run(t.Context(), append([]string{"registry:" + host + "/docker/odd:absent"}, tt.args...), strings.NewReader(""), &out, &problems)
			if code != exitError {
				t.Errorf("got exit code %d, want %d", code, exitError)
			}
			for _, word := range tt.words {
				if !strings.Contains(problems.String(), word) {
					t.Errorf("got %q, want %q in it", &problems, word)
				}
			}
			if strings.Contains(problems.String(), "secret") || strings.Contains(problems.String(), "looks inside") {
				t.Errorf("got %q, which tells the password", &problems)
			}
		})
	}
}
