package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// found answers every request successfully.
func found(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/blobs/") {
		rest(w, r)
		return
	}
	io.WriteString(w, manifest)
}

// guarded asks for a password.
func guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(401)
			fmt.Fprintf(w, "not with %s", r.Header.Get("Authorization"))
			return
		}
		h(w, r)
	}
}

func TestPassword(t *testing.T) {
	s := httptest.NewServer(guarded(found))
	defer s.Close()
	host := s.Listener.Addr().String()
	opt := quick
	_, err := open(t, host+"/app:1", opt).Root(t.Context())
	wantError(t, err, Unauthorized, "access denied as anonymous, or there is no such image (401)")
	opt.Keychain = login{Username: "eve", Password: "secret2"}
	_, err = open(t, host+"/app:1", opt).Root(t.Context())
	if e := wantError(t, err, Unauthorized, "access denied as user eve, or there is no such image (401): not with Basic …"); e.User != "eve" {
		t.Errorf("got user %q", e.User)
	}
	opt.Keychain = login{Username: "ann", Password: "secret"}
	if _, err := open(t, host+"/app:1", opt).Root(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDockerConfig takes the password from docker's config.json.
func TestDockerConfig(t *testing.T) {
	s := httptest.NewServer(guarded(found))
	defer s.Close()
	host := s.Listener.Addr().String()
	dir := t.TempDir()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", dir)
	config := fmt.Sprintf(`{"auths": {%q: {"auth": "YW5uOnNlY3JldA=="}}}`, host) // ann:secret
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	opt := quick
	opt.Keychain = nil
	if _, err := open(t, host+"/app:1", opt).Root(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"credHelpers": {"`+host+`": "nowhere"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, host+"/app:1", opt).Root(t.Context())
	wantError(t, err, Credentials, "looking for credentials: ")
}

// TestToken has tokens that expire after two requests: a new one is fetched once.
func TestToken(t *testing.T) {
	var tokens, uses atomic.Int32
	refuse := atomic.Bool{}
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if refuse.Load() {
				w.WriteHeader(403)
				io.WriteString(w, "who asked "+s.URL+"/token?password=secret")
				return
			}
			uses.Store(0)
			fmt.Fprintf(w, `{"token": "secret-%d"}`, tokens.Add(1))
			return
		}
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer secret-%d", tokens.Load()) || uses.Add(1) > 2 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/token",service="x"`)
			w.WriteHeader(401)
			return
		}
		found(w, r)
	}))
	defer s.Close()
	r := open(t, s.Listener.Addr().String()+"/app:1", quick)
	if _, err := r.Root(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := read(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if tokens.Load() != 2 {
		t.Errorf("%d tokens were fetched, want 2", tokens.Load())
	}
	refuse.Store(true)
	uses.Store(2)
	_, err := read(t.Context(), r)
	wantError(t, err, Forbidden, "forbidden for anonymous (403)")
}

// TestRealm has token services at private addresses: only one at the registry's
// own address gets a request, with the password.
func TestRealm(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); r.URL.Path != "/token" || password != "secret" {
			w.WriteHeader(403)
			return
		}
		io.WriteString(w, `{"token": "secret-1"}`)
	}))
	defer tokens.Close()
	realm := tokens.URL + "/token"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret-1" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="x"`)
			w.WriteHeader(401)
			return
		}
		found(w, r)
	}))
	defer s.Close()
	opt := quick
	opt.Keychain = login{Username: "ann", Password: "secret"}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		name := strings.Replace(s.Listener.Addr().String(), "127.0.0.1", host, 1) + "/app:1"
		if _, err := open(t, name, opt).Root(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, address := range []string{"10.1.2.3", "127.0.0.2", "169.254.169.254"} {
		realm = "http://" + address + "/token"
		_, err := open(t, s.Listener.Addr().String()+"/app:1", opt).Root(t.Context())
		wantError(t, err, Failed, `realm host "`+address+`" is a private or link-local address`)
	}
}

// TestTokenAnswers has token services that do not answer with a token.
func TestTokenAnswers(t *testing.T) {
	for _, tt := range []struct{ kind, body, words string }{
		{"text/html; charset=utf-8", "<html>log in", "it answers with a web page (text/html) instead of a token: there may be a proxy in front of it"},
		{"application/json", "<html>log in", "its token service answers with something other than a token"},
		{"application/json", `{"token": 1}`, "its token service answers with something other than a token"},
	} {
		var s *httptest.Server
		s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/auth" {
				w.Header().Set("Content-Type", tt.kind)
				io.WriteString(w, tt.body)
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/v2/auth",service="x"`)
			w.WriteHeader(401)
		}))
		_, err := open(t, s.Listener.Addr().String()+"/app:1", quick).Root(t.Context())
		wantError(t, err, Failed, tt.words)
		s.Close()
	}
}

// TestOtherHost redirects a blob to another host, which must not get the password.
func TestOtherHost(t *testing.T) {
	var seen, denied atomic.Bool
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if denied.Load() {
			status(403, "no")(w, r)
			return
		}
		seen.Store(seen.Load() || r.Header.Get("Authorization") != "")
		rest(w, r)
	}))
	defer storage.Close()
	s := httptest.NewServer(guarded(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, storage.URL+"/blob?signature=secret", http.StatusTemporaryRedirect)
			return
		}
		found(w, r)
	}))
	defer s.Close()
	opt := quick
	opt.Keychain = login{Username: "ann", Password: "secret"}
	r := open(t, s.Listener.Addr().String()+"/app:1", opt)
	if _, err := r.Root(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), r); err != nil {
		t.Error(err)
	}
	if seen.Load() {
		t.Error("the other host got the password")
	}
	denied.Store(true)
	_, err := read(t.Context(), r)
	if e := wantError(t, err, Failed, ": it answers 403 Forbidden, where "+s.Listener.Addr().String()+" redirects to: no"); e != nil && e.Host != storage.Listener.Addr().String() {
		t.Errorf("got host %s, want the one that denies", e.Host)
	}
	storage.Close()
	_, err = read(t.Context(), r)
	if e := wantError(t, err, Unreachable, "connection refused"); e != nil && e.Host != storage.Listener.Addr().String() {
		t.Errorf("got host %s, want the one that is down", e.Host)
	}
}

// TestShownOnce checks that a redirect does not forward credentials.
func TestShownOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Authorization"))
	}))
	defer s.Close()
	opt := quick.filled()
	b, err := newBase(&opt, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	for _, from := range []string{"http://localhost", s.URL} {
		first := httptest.NewRequest(http.MethodGet, from, nil)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		first.Header.Set("Authorization", "Basic x")
		req.Header.Set("Authorization", "Basic x")
		req.Response = &http.Response{Request: first}
		res, err := b.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if shown := len(got) > 0; shown != (from == s.URL) {
			t.Errorf("redirected from %s, it shows %q", from, got)
		}
	}
}

// certified is a TLS server for the names, with a certificate of its own for
// that time, and the file of the certificate.
func certified(t *testing.T, h http.HandlerFunc, until time.Time, names ...string) (host, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-time.Hour), NotAfter: until,
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	if names != nil {
		template.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(afterPing(h))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Listener.Addr().String(), ca
}

func TestTLS(t *testing.T) {
	later := time.Now().Add(time.Hour)
	host, ca := certified(t, found, later)
	old, oldCA := certified(t, found, time.Now().Add(-time.Minute))
	wrong, wrongCA := certified(t, found, later, "example.com")
	plain := serve(t, found)
	down, downCA := certified(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+plain+"/?secret=1", http.StatusFound)
	}, later)
	noCA := filepath.Join(t.TempDir(), "ca.pem")
	os.WriteFile(noCA, []byte("nothing"), 0o600)
	for _, tt := range []struct {
		name    string
		host    string
		opt     Options
		resolve string // where host is, unless it is an address
		kind    Kind
		words   string // empty: it is fine
	}{
		{"unknown CA", host, Options{}, "", UnknownCA, "its certificate is signed by an unknown authority"},
		{"known CA", host, Options{CA: ca}, "", 0, ""},
		{"insecure", host, Options{Insecure: []string{host}}, "", 0, ""},
		{"insecure without its port", host, Options{Insecure: []string{"127.0.0.1"}}, "", 0, ""},
		{"another is insecure", host, Options{Insecure: []string{"127.0.0.1:1", "example.com"}}, "", UnknownCA, ""},
		{"expired", old, Options{CA: oldCA}, "", TLS, "has expired or is not valid yet"},
		{"wrong name", wrong, Options{CA: wrongCA}, "", TLS, "its certificate is not for it"},
		{"http on the https port", "registry.test:443", Options{}, plain, PlainHTTP, "it doesn't speak https"},
		{"http, named", "registry.test:443", Options{Insecure: []string{"registry.test"}}, plain, 0, ""},
		{"http in a private network", "10.1.2.3:443", Options{}, plain, PlainHTTP, "it doesn't speak https"},
		{"http on this machine", plain, Options{}, "", 0, ""},
		{"redirect to http", down, Options{CA: downCA}, "", Redirected, "it redirects from https to plain http, at " + plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opt := quick
			opt.CA, opt.Insecure = tt.opt.CA, tt.opt.Insecure
			r := open(t, tt.host+"/app:1", opt)
			if tt.resolve != "" {
				dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, network, tt.resolve)
				}
				r.places[0].base.strict.DialContext, r.places[0].base.insecure.DialContext = dial, dial
				r.places[0].base.strict.Proxy, r.places[0].base.insecure.Proxy = nil, nil
			}
			_, err := r.Root(t.Context())
			if tt.words == "" && tt.kind == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, tt.kind, tt.words)
		})
	}
	for _, ca := range []string{noCA, noCA + "x"} {
		opt := quick
		opt.CA = ca
		if _, err := Open("app", opt); err == nil || !strings.Contains(err.Error(), "reading certificates: ") {
			t.Errorf("%s: got %v", ca, err)
		}
	}
}

// TestProxy has a proxy that requires a password, and one that does not exist.
func TestProxy(t *testing.T) {
	s := httptest.NewServer(status(http.StatusProxyAuthRequired, ""))
	defer s.Close()
	for _, words := range []string{"the proxy requires a password (407)", "the proxy can't be reached: dial tcp 127.0.0.1:"} {
		r := open(t, "registry.test/app:1", quick)
		r.places[0].base.strict.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(s.URL) }
		_, err := r.Root(t.Context())
		wantError(t, err, Unreachable, words)
		s.Close()
	}
}

// TestEcho has registries that repeat the credentials that were sent to them.
func TestEcho(t *testing.T) {
	s := httptest.NewServer(guarded(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		w.WriteHeader(403)
		fmt.Fprintf(w, "%s said %s at https://x.test/y?token=%[2]s \x1b[31m\u202e", r.Header.Get("Authorization"), password)
	}))
	defer s.Close()
	opt := quick
	opt.Keychain = login{Username: "ann", Password: "secret"}
	_, err := open(t, s.Listener.Addr().String()+"/app:1", opt).Root(t.Context())
	wantError(t, err, Forbidden, `forbidden for user ann (403): Basic … said … at https://x.test/y?… �[31m�`)
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRetry measures the waits between requests.
func TestRetry(t *testing.T) {
	answer := func(status int, after string) *http.Response {
		h := http.Header{}
		if after != "" {
			h.Set("Retry-After", after)
		}
		return &http.Response{StatusCode: status, Header: h, Body: http.NoBody}
	}
	for _, tt := range []struct {
		status int
		after  string
		want   time.Duration
		tries  int
	}{
		{200, "", 0, 1},
		{404, "", 0, 1},
		{500, "", 1750 * time.Millisecond, 4},
		{503, "", 1750 * time.Millisecond, 4},
		{503, "7", 21 * time.Second, 4},
		{429, "25", 50 * time.Second, 3}, // a third wait would be too much
		{429, "61", 0, 1},
		{429, "-1", 1750 * time.Millisecond, 4},
		{429, "Sat, 01 Jan 2000 00:00:10 GMT", 11500 * time.Millisecond, 4},
		{500, "50", 1750 * time.Millisecond, 4},
	} {
		t.Run(fmt.Sprintf("%d %s", tt.status, tt.after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opt := Options{}.filled()
				tries := 0
				rt := &retrier{trip(func(*http.Request) (*http.Response, error) {
					tries++
					return answer(tt.status, tt.after), nil
				}), &opt}
				begin := time.Now()
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x.test", nil)
				res, err := rt.RoundTrip(req)
				if err != nil || res.StatusCode != tt.status {
					t.Fatalf("got %v, %v", res, err)
				}
				if took := time.Since(begin); tries != tt.tries || took != tt.want {
					t.Errorf("got %d tries in %v, want %d in %v", tries, took, tt.tries, tt.want)
				}
			})
		})
	}
}
