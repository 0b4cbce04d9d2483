package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/load"
)

func TestNearImages(t *testing.T) {
	var all []load.Found
	for _, name := range []string{"nginx:1.27", "nginx:latest", "docker.io/library/nginx:1.26", "localhost/app:1", "go:1", "ghcr.io/org/tool:2", ""} {
		all = append(all, load.Found{Ref: "e:" + name, Name: name})
	}
	for name, want := range map[string]string{
		"ngnix":             "e:nginx:1.27 e:docker.io/library/nginx:1.26 e:nginx:latest",
		"ngnix:latest":      "e:nginx:latest e:nginx:1.27 e:docker.io/library/nginx:1.26",
		"nginx:1.62":        "e:nginx:1.27 e:docker.io/library/nginx:1.26 e:nginx:latest",
		"ap":                "e:localhost/app:1",
		"git":               "",
		"ghcr.io/org/tol:2": "e:ghcr.io/org/tool:2",
		"sha256:abcdef":     "",
		"UPPER case":        "",
	} {
		if diff := cmp.Diff(want, strings.Join(nearImages(name, all), " ")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestMistyped asks an engine for a name that is nearly one of its images'.
func TestMistyped(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case r.URL.Path == "/_ping":
		case strings.HasSuffix(r.URL.Path, "/images/json"):
			io.WriteString(w, `[{"Id": "sha256:`+strings.Repeat("a", 64)+`", "RepoTags": ["localhost:1/nginx:1.27"]}]`)
		default:
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message": "No such image"}`)
		}
	}))
	defer s.Close()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("CI", "")
	t.Setenv("DOCKER_HOST", "tcp://"+s.Listener.Addr().String())
	t.Setenv("CONTAINER_HOST", "unix:///nowhere")
	for _, ref := range []string{"localhost:1/ngnix", "docker:localhost:1/ngnix:1.27"} {
		var out, problems bytes.Buffer
		if code := run(t.Context(), []string{"ls", ref}, strings.NewReader(""), &out, &problems); code != exitError {
			t.Errorf("%s: got exit code %d, want %d", ref, code, exitError)
		}
		if want := "fathom: hint: did you mean fathom docker:localhost:1/nginx:1.27?\n"; !strings.HasSuffix(problems.String(), want) {
			t.Errorf("%s: got %q, want %q at its end", ref, &problems, want)
		}
	}
}
