package engine

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type object = map[string]any

var (
	idA = "sha256:" + strings.Repeat("a", 63) + "1"
	idB = "sha256:" + strings.Repeat("a", 63) + "2"
	idC = "sha256:" + strings.Repeat("c", 64)
)

// inspected returns docker's description of an image.
func inspected(id, platform string, tags ...string) object {
	part := strings.Split(platform, "/")
	return object{
		"Id": id, "RepoTags": tags, "Created": "2026-11-20T10:00:00.5Z", "Size": 1234,
		"Os": part[0], "Architecture": part[1], "RootFS": object{"Type": "layers", "Layers": []string{idC}},
	}
}

func TestFind(t *testing.T) {
	app := answer(inspected(idA, "linux/amd64", "team/app:1", "app:latest"))
	local := answer(inspected(idA, "linux/amd64", "localhost/own:latest", "quay.io/x/far:2"))
	bare := answer(inspected(idC, "linux/amd64"))
	listed := answer([]object{{"Id": idA}, {"Id": idB}, {"Id": idC}, {"Id": idA}})
	e := connected(t, "1.41", map[string]http.HandlerFunc{
		"/images/app/json":                            app,
		"/images/team/app:1/json":                     app,
		"/images/docker.io/library/app/json":          app,
		"/images/app@" + idC + "/json":                app,
		"/images/" + idA + "/json":                    app,
		"/images/own/json":                            local,
		"/images/x/far:2/json":                        local,
		"/images/cccc/json":                           bare,
		"/images/a/json":                              app, // podman returns any image that fits
		"/images/json":                                listed,
		"/images/bad/json":                            answer(inspected("../../x\n", "linux/amd64")),
		"/images/broken/json":                         func(w http.ResponseWriter, _ *http.Request) { problem(w, 500, "disk\n\x1b]0;full") },
		"/images/nonsense/json":                       func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"/images/" + strings.Repeat("b", 3) + "/json": bare,
	}, nil)
	for name, save := range map[string]string{
		"app":                   "app:latest", // saved with one tag, not all tags of app
		"team/app:1":            "team/app:1",
		"docker.io/library/app": "app:latest",
		"app@" + idC:            idA, // saved by digest, it would have no tag
		idA:                     idA,
		"own":                   "localhost/own:latest",
		"x/far:2":               "quay.io/x/far:2",
		"cccc":                  idC,
		"sha256:cccc":           idC,
	} {
		img, err := e.Find(t.Context(), name, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img.Name != save {
			t.Errorf("%s is saved as %s, want %s", name, img.Name, save)
		}
	}
	img, err := e.Find(t.Context(), "app", "linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	want := Image{
		ID: idA, Tags: []string{"app:latest", "team/app:1"}, Size: 1234, Platform: "linux/amd64",
		Created: time.Date(2026, 11, 20, 10, 0, 0, 500e6, time.UTC), DiffIDs: []string{idC}, Name: "app:latest",
	}
	if diff := cmp.Diff(want, img, cmpopts.IgnoreUnexported(Image{})); diff != "" {
		t.Error(diff)
	}

	for _, name := range []string{"none", "none:1", "dddd", idB, "No Such", "../version", "a?b", "app/../json"} {
		_, err := e.Find(t.Context(), name, "")
		var none *NoImageError
		if !errors.As(err, &none) || none.Name != name || none.Endpoint != e.Endpoint {
			t.Errorf("%s: got %v", name, err)
		}
		oneLine(t, err)
	}
	for _, name := range []string{"a", "aaaa", "sha256:aaaa"} {
		_, err := e.Find(t.Context(), name, "")
		var several *AmbiguousError
		if !errors.As(err, &several) || !cmp.Equal(several.IDs, []string{idA, idB}) {
			t.Errorf("%s: got %v", name, err)
		}
		oneLine(t, err)
	}
	for name, said := range map[string]string{"bad": `"../../x"`, "broken": `disk \x1b]0;full`, "nonsense": "invalid character"} {
		_, err := e.Find(t.Context(), name, "")
		oneLine(t, err)
		if !strings.Contains(err.Error(), said) || !strings.Contains(err.Error(), e.Endpoint) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFindPlatform(t *testing.T) {
	// plain is an image for one platform, index an image for several.
	plain, index := inspected(idA, "linux/amd64", "plain:1"), inspected(idB, "linux/amd64", "index:1")
	info := func(driver string) http.HandlerFunc {
		return answer(object{"DriverStatus": [][2]string{{"driver-type", driver}}, "DockerRootDir": "/var/lib/docker"})
	}
	for _, tt := range []struct {
		name, version, image, platform string
		driver                         string
		asked                          string // the platform that inspect and save are asked for
		found                          string
		wrong                          bool
	}{
		{name: "the one there is", version: "1.41", image: "plain:1", platform: "linux/amd64", found: "linux/amd64"},
		{name: "a variant of it", version: "1.41", image: "plain:1", platform: "linux/amd64/v2", found: "linux/amd64"},
		{name: "another", version: "1.41", image: "plain:1", platform: "linux/arm64", wrong: true},
		{name: "another, newer engine", version: "1.51", image: "plain:1", platform: "linux/arm64", wrong: true},
		{name: "older store", version: "1.45", image: "index:1", platform: "linux/arm64", driver: "io.containerd.snapshotter.v1"},
		{name: "1.48", version: "1.48", image: "index:1", platform: "linux/arm64", driver: "io.containerd.snapshotter.v1", asked: "save"},
		{name: "1.51", version: "1.51", image: "index:1", platform: "linux/arm64", asked: "both", found: "linux/arm64"},
		{name: "1.51 without it", version: "1.51", image: "index:1", platform: "linux/s390x", asked: "inspect", wrong: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			platform := func(r *http.Request) string {
				var p struct{ OS, Architecture string }
				if json.Unmarshal([]byte(r.FormValue("platform")), &p) != nil {
					return ""
				}
				return p.OS + "/" + p.Architecture
			}
			e := connected(t, tt.version, map[string]http.HandlerFunc{
				"/version":             answer(object{"Version": "1"}),
				"/info":                info(tt.driver),
				"/images/plain:1/json": answer(plain),
				"/images/index:1/json": func(w http.ResponseWriter, r *http.Request) {
					o := object{}
					for k, v := range index {
						o[k] = v
					}
					if tt.version > "1.47" {
						o["Descriptor"] = object{"digest": idB, "mediaType": "application/vnd.oci.image.index.v1+json", "size": 1}
					}
					switch p := platform(r); p {
					case "":
					case "linux/arm64":
						asked = append(asked, "inspect")
						o["Architecture"] = "arm64"
					default:
						asked = append(asked, "inspect")
						problem(w, 404, "no such platform")
						return
					}
					answer(o)(w, r)
				},
				"/images/get": func(w http.ResponseWriter, r *http.Request) {
					if platform(r) == tt.platform {
						asked = append(asked, "save")
					}
					w.Write([]byte("tar"))
				},
			}, nil)
			img, err := e.Find(t.Context(), tt.image, tt.platform)
			if tt.wrong {
				var wrong *PlatformError
				if !errors.As(err, &wrong) || wrong.Have != "linux/amd64" {
					t.Fatalf("got %v", err)
				}
				oneLine(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := e.Save(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			want := strings.Fields(strings.ReplaceAll(tt.asked, "both", "inspect save"))
			if strings.Join(asked, " ") != strings.Join(want, " ") || img.Platform != tt.found {
				t.Errorf("asked %v, want %v; found %q, want %q", asked, want, img.Platform, tt.found)
			}
		})
	}
	e := connected(t, "1.41", map[string]http.HandlerFunc{"/images/plain:1/json": answer(plain)}, nil)
	for _, p := range []string{"linux", "a/b/c/d", "/", "linux/"} {
		if _, err := e.Find(t.Context(), "plain:1", p); err == nil {
			t.Errorf("%q is accepted as a platform", p)
		}
	}
}

func TestList(t *testing.T) {
	e := connected(t, "1.41", map[string]http.HandlerFunc{"/images/json": answer([]object{
		{"Id": idA, "RepoTags": []string{"<none>:<none>"}, "Created": 1000, "Size": 5},
		{"Id": strings.TrimPrefix(idB, "sha256:"), "RepoTags": []string{"b:2", "a:1"}, "Created": 3000, "Size": 6},
		{"Id": idC, "RepoTags": nil, "Created": 2000, "Size": 7},
	})}, nil)
	got, err := e.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Image{
		{ID: idB, Tags: []string{"a:1", "b:2"}, Created: time.Unix(3000, 0), Size: 6, Name: idB},
		{ID: idC, Created: time.Unix(2000, 0), Size: 7, Name: idC},
		{ID: idA, Created: time.Unix(1000, 0), Size: 5, Name: idA},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Image{})); diff != "" {
		t.Error(diff)
	}
}

func TestStorage(t *testing.T) {
	for name, tt := range map[string]struct {
		version, info object
		want          Storage
	}{
		"docker": {
			object{"Version": "20.10.24", "Components": []object{{"Name": "Engine"}}},
			object{"Driver": "overlay2", "DockerRootDir": "/var/lib/docker", "DriverStatus": [][2]string{{"Backing Filesystem", "extfs"}}},
			Storage{Version: "20.10.24", Driver: "overlay2", Root: "/var/lib/docker"},
		},
		"the containerd store": {
			object{"Version": "29.1.0"},
			object{"Driver": "overlayfs", "DockerRootDir": "/var/lib/docker", "DriverStatus": [][2]string{{"driver-type", "io.containerd.snapshotter.v1"}}},
			Storage{Version: "29.1.0", Driver: "overlayfs", Root: "/var/lib/docker", Content: true},
		},
		"podman": {
			object{"Version": "4.3.1", "Components": []object{{"Name": "Podman Engine"}, {"Name": "Conmon"}}},
			object{"Driver": "overlay", "DockerRootDir": "/var/lib/containers/storage"},
			Storage{Kind: Podman, Version: "4.3.1", Driver: "overlay", Root: "/var/lib/containers/storage"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := connected(t, "1.41", map[string]http.HandlerFunc{"/version": answer(tt.version), "/info": answer(tt.info)}, nil)
			got, err := e.Storage(t.Context())
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}
