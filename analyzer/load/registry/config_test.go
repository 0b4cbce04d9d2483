package registry

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
)

// machine is a root folder with these files.
func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for file, text := range files {
		file = filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestRegistriesConf has the examples of containers-registries.conf(5).
func TestRegistriesConf(t *testing.T) {
	root := machine(t, map[string]string{
		"etc/containers/registries.conf": `
unqualified-search-registries = ["example.com"]
[[registry]]
prefix = "example.com/foo"
location = "internal.example.com/bar"
insecure = true
[[registry.mirror]]
location = "mirror-0.local/cache"
[[registry.mirror]]
location = "mirror-1.local"
insecure = true
pull-from-mirror = "digest-only"
[[registry]]
location = "docker.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "hub.local"
[[registry]]
prefix = "*.wild.com"
location = "tame.com:5000/all"
[[registry]]
prefix = "late.com"
location = "early.com"
[[registry]]
location = "never.com"
blocked = true
[[registry]]
prefix = "broken.com"
location = "BROKEN//"
`,
		"etc/containers/registries.conf.d/1.conf":   "[[registry]]\nprefix = \"late.com\"\nlocation = \"later.com\"\n",
		"home/containers/registries.conf.d/2.conf":  "[[registry]]\nprefix = \"late.com\"\nlocation = \"latest.com\"\n",
		"home/containers/registries.conf.d/2.other": "nonsense",
	})
	at := "@" + digest.String()
	for _, tt := range []struct{ image, want string }{
		{"example.com/foo/img:1", "mirror-0.local/cache/img internal.example.com/bar/img(insecure)"},
		{"example.com/foo/img" + at, "mirror-0.local/cache/img mirror-1.local/img(insecure) internal.example.com/bar/img(insecure)"},
		{"example.com/foot", "example.com/foot"},
		{"app", "index.docker.io/library/app"},
		{"org/app" + at, "hub.local/org/app index.docker.io/org/app"},
		{"a.b.wild.com/x:2", "tame.com:5000/all/x"},
		{"a.wild.com:5000/x", ""}, // the port stays behind the location, where it is none
		{"wild.com/x", "wild.com/x"},
		{"x.org/a.wild.com/x", "x.org/a.wild.com/x"},
		{"late.com/x", "latest.com/x"},
		{"never.com/x", "never.com/x:latest is blocked by " + root + "/etc/containers/registries.conf"},
		{"broken.com/x", "reading " + root + "/etc/containers/registries.conf: the location of broken.com/x:latest"},
	} {
		ref, err := name.ParseReference(tt.image)
		if err != nil {
			t.Fatal(err)
		}
		places, err := configured(ref, Options{root: root})
		var got []string
		for _, p := range places {
			s := p.Name()
			if p.insecure {
				s += "(insecure)"
			}
			got = append(got, s)
		}
		if err != nil {
			if tt.want != "" && !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %s", tt.image, err, tt.want)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s:\n%s", tt.image, diff)
		}
	}
	own := machine(t, map[string]string{
		"etc/containers/registries.conf":            "not read",
		"etc/containers/registries.conf.d/1.conf":   "not read",
		"home/containers/registries.conf":           "[[registry]]\nlocation = \"a.com\"\nblocked = true",
		"home/containers/registries.conf.d/2.conf":  "[[registry]]\nlocation = \"b.com\"\nblocked = true",
		"home/containers/registries.conf.d/x/3.txt": "not read",
	})
	opt := Options{root: own}
	if rules, err := opt.rules(); err != nil || len(rules) != 2 {
		t.Errorf("got the rules %v and %v, want the user's two", rules, err)
	}
	opt.root = machine(t, map[string]string{"etc/containers/registries.conf": "[[registry]\n\x1b"})
	if _, err := Open("app", opt); err == nil || !strings.HasPrefix(err.Error(), "reading "+opt.root+"/etc/containers/registries.conf: toml: ") || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("got %v", err)
	}
}

// TestMirrorConf reads from a mirror that only registries.conf names.
func TestMirrorConf(t *testing.T) {
	host := serve(t, found)
	opt := quick
	opt.root = machine(t, map[string]string{"etc/containers/registries.conf": "[[registry]]\nprefix = \"docker.io\"\nlocation = \"" + host + "/hub\"\n"})
	r := open(t, "app:1", opt)
	if _, err := r.Root(t.Context()); err != nil {
		t.Error(err)
	}
	if r.Name() != "index.docker.io/library/app:1" {
		t.Errorf("the image is called %s", r.Name())
	}
}

// TestCertificates trusts a registry with certificates in the folders of docker
// and podman, and sends it a client certificate.
func TestCertificates(t *testing.T) {
	host, ca := certified(t, found, time.Now().Add(time.Hour))
	signed, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	for _, parent := range []string{"etc/docker", "etc/containers", "home/docker", "home/containers"} {
		opt := quick
		opt.root = machine(t, map[string]string{parent + "/certs.d/" + host + "/ca.crt": string(signed)})
		if _, err := open(t, host+"/app:1", opt).Root(t.Context()); err != nil {
			t.Errorf("%s: %v", parent, err)
		}
	}
	opt := quick
	opt.root = machine(t, map[string]string{"etc/docker/certs.d/127.0.0.1:1/ca.crt": string(signed)})
	_, err = open(t, host+"/app:1", opt).Root(t.Context())
	wantError(t, err, UnknownCA, "its certificate is signed by an unknown authority")
	opt.root = machine(t, map[string]string{"etc/docker/certs.d/" + host + "/client.cert": string(signed)})
	if _, err := Open(host+"/app:1", opt); err == nil || !strings.Contains(err.Error(), "/client.cert with its .key: ") {
		t.Errorf("got %v", err)
	}

	var shown int
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = len(r.TLS.PeerCertificates)
		afterPing(found)(w, r)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	pair := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	dir := "etc/containers/certs.d/" + s.Listener.Addr().String()
	opt.root = machine(t, map[string]string{
		dir + "/ca.crt":      text("CERTIFICATE", pair.Certificate[0]),
		dir + "/client.cert": text("CERTIFICATE", pair.Certificate[0]),
		dir + "/client.key":  text("PRIVATE KEY", key),
	})
	if _, err := open(t, s.Listener.Addr().String()+"/app:1", opt).Root(t.Context()); err != nil || shown == 0 {
		t.Errorf("%d certificates are shown, %v", shown, err)
	}
}
