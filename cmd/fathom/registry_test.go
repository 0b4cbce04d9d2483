package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fathom/analyzer/imagetest"
)

// TestRegistryErrors opens images in registries that do not deliver them. The error
// says where it happened and what went wrong, the hint what to do.
func TestRegistryErrors(t *testing.T) {
	t.Setenv("CI", "") // otherwise the gate would judge the images
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", "")
	answer := func(status int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return
			}
			w.Header().Set(header, value)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	silence := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			<-r.Context().Done()
		}
	}
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) }))
	defer tokens.Close()
	guarded := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+tokens.URL+`/token"`)
		w.WriteHeader(401)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for _, tt := range []struct {
		name        string
		h           http.HandlerFunc
		error, hint string // HOST stands for the server's host
	}{
		{"private", answer(401, "WWW-Authenticate", `Basic realm="x"`, ""), "HOST: reading its manifest: access denied as anonymous, or there is no such image (401)", "docker login HOST, if the image is private"},
		{"absent", answer(404, "X", "", `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`), "HOST: reading its manifest: no such image or tag, or it is private (404): MANIFEST_UNKNOWN", "docker login HOST, if the image is private"},
		{"too many", answer(429, "Retry-After", "600", "slow \x1b[31mdown"), `HOST: reading its manifest: too many requests as anonymous (429); it asks to wait 10m0s: slow �[31mdown`, "docker login HOST allows more; or wait, or use --registry-mirror"},
		{"web page", answer(200, "Content-Type", "text/html", "<html>"), "HOST: reading its manifest: it answers with a web page (text/html), so it is not a registry, or there is a proxy in front of it", "is the name of the registry right? HOST[:PORT]/NAME[:TAG]"},
		{"unknown certificate", nil, "HOST: reading its manifest: its certificate is signed by an unknown authority", "--ca FILE trusts its signer, --insecure-registry HOST skips the check"},
		{"token refused", guarded, "TOKENS: reading its manifest: access denied as anonymous, or there is no such image (401)", "docker login HOST, if the image is private"},
		{"silent", silence, "HOST: reading its manifest: nothing was received for 10ms", "--timeout DURATION waits longer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := secure.Listener.Addr().String()
			if tt.h != nil {
				s := httptest.NewServer(tt.h)
				defer s.Close()
				host = s.Listener.Addr().String()
			}
			args := []string{"registry:" + host + "/app:1"}
			if tt.name == "silent" {
				args = append(args, "--timeout", "10ms")
			}
			var out, problems bytes.Buffer
			code := run(t.Context(), args, strings.NewReader(""), &out, &problems)
			hint := tt.hint
			if tt.name != "web page" {
				hint = strings.ReplaceAll(hint, "HOST", host)
			}
			want := fmt.Sprintf("fathom: error: opening registry:%s/app:1: %s\nfathom: hint: %s\n", host, strings.NewReplacer("HOST", host, "TOKENS", tokens.Listener.Addr().String()).Replace(tt.error), hint)
			if code != exitError || problems.String() != want || out.Len() > 0 {
				t.Errorf("got exit code %d and\n%swant %d and\n%s%s", code, &problems, exitError, want, &out)
			}
		})
	}
}

// TestRegistryFlags opens an image with a registry: reference and registry flags.
func TestRegistryFlags(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("FATHOM_CACHE_DIR", t.TempDir())
	t.Setenv("CI", "")
	ref := imagetest.Must(t, "layer\n  file hello text=hi\n").Registry(t)
	host, name, _ := strings.Cut(ref, "/")
	for _, args := range [][]string{
		{"registry:" + ref},
		{"registry://" + ref, "--no-cache"},
		{"registry:registry.invalid/" + name, "--registry-mirror", "registry.invalid=" + host},
	} {
		if got := fathom(t, append([]string{"cat", args[0], "/hello"}, args[1:]...)...).String(); got != "hi" {
			t.Errorf("%q: got %q", args, got)
		}
	}
}
