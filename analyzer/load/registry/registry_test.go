package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"fathom/analyzer/imagetest"
)

// quick are options for a registry that answers at once.
var quick = Options{
	Keychain: authn.NewMultiKeychain(), // nobody
	Retries:  2, Backoff: time.Millisecond,
}

// patient is quick with a short idle time, for tests of a registry that stalls.
func patient(name string) Options {
	opt := quick
	if strings.Contains(name, "stall") {
		opt.Idle = 200 * time.Millisecond
	}
	return opt
}

// body is a blob that is longer than the buffers of the network.
var body = []byte(strings.Repeat("0123456789abcdef", 1<<14))

var digest = imagetest.Digest(body)

// login is a keychain with one user.
type login authn.AuthConfig

func (l login) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig(l)), nil
}

// serve starts a registry that answers all but the first request with h, and
// returns its host and port.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(afterPing(h))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func afterPing(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			h(w, r)
		}
	}
}

func open(t *testing.T, name string, opt Options) *Repository {
	t.Helper()
	r, err := Open(name, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// read returns the blob up to the first error.
func read(ctx context.Context, r *Repository) ([]byte, error) {
	b, err := r.Blob(ctx, digest, int64(len(body)))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return io.ReadAll(b)
}

// begin sends the first half of the body, with the length of all of it.
func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.Write(body[:len(body)/2])
	w.(http.Flusher).Flush()
}

// cut ends the connection.
func cut(w http.ResponseWriter) {
	panic(http.ErrAbortHandler)
}

// rest answers a range request correctly.
func rest(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(body)))
}

// stall sends nothing more.
func stall(r *http.Request) { <-r.Context().Done() }

// once calls the first handler once and then the second.
func once(first, then http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			first(w, r)
			return
		}
		then(w, r)
	}
}

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
}

const manifest = `{"schemaVersion": 2}`

// TestManifestFaults has servers that answer the request for a manifest wrongly.
func TestManifestFaults(t *testing.T) {
	huge := func(length bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if length {
				w.Header().Set("Content-Length", fmt.Sprint(100<<20))
			}
			block := []byte(strings.Repeat(" ", 1<<20))
			for range 100 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}
	}
	for _, tt := range []struct {
		name  string
		h     http.HandlerFunc
		kind  Kind
		words string
	}{
		{"stall before the answer", func(w http.ResponseWriter, r *http.Request) { stall(r) }, Stalled, "nothing was received for 200ms"},
		{"stall after the headers", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			stall(r)
		}, Stalled, "nothing was received for 200ms"},
		{"stall in an error", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			w.(http.Flusher).Flush()
			stall(r)
		}, Forbidden, "forbidden for anonymous (403)"},
		{"401 without challenge", status(401, ""), Unauthorized, "access denied as anonymous, or there is no such image (401)"},
		{"403", status(403, `{"errors": [{"code": "DENIED", "message": "not \u001b[31myou"}]}`), Forbidden, `forbidden for anonymous (403): DENIED: not �[31myou`},
		{"404", status(404, `{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}`), NotFound, "no such image or tag, or it is private (404): MANIFEST_UNKNOWN"},
		{"429", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, RateLimited, "too many requests as anonymous (429); it asks to wait 1h0m0s"},
		{"500 for ever", status(500, "first\nsecond\n"), Unavailable, "it answers 500 Internal Server Error: first"},
		{"503 of a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			for {
				if _, err := w.Write(body); err != nil {
					return
				}
			}
		}, Unavailable, "it answers 503 Service Unavailable: 0123456789abcdef"},
		{"418", status(418, ""), Failed, "it answers 418 "},
		{"web page", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<html>log in")
		}, NoRegistry, "it answers with a web page (text/html)"},
		{"not JSON", status(200, "hello"), NoRegistry, "its answer is not a manifest (text/plain)"},
		{"100 MB, said", huge(true), Damaged, "it has 104857600 bytes, over the limit of 20971520"},
		{"100 MB, unsaid", huge(false), Damaged, "it is longer than the limit of 20971520 bytes"},
		{"cut", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, manifest)
		}, Unreachable, "unexpected EOF"},
		{"other digest told", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Content-Digest", digest.String())
			io.WriteString(w, manifest)
		}, Damaged, "the registry calls it " + digest.String()},
		{"redirect loop", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?secret=1", http.StatusFound)
		}, Redirected, "it redirects more than 10 times"},
		{"redirect to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd?secret=1", http.StatusFound)
		}, Redirected, "it redirects to a URL that is neither https nor http"},
		{"redirect to the cloud's own", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest?secret=1", http.StatusFound)
		}, Redirected, "to a link-local address, 169.254.169.254"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := serve(t, tt.h)
			_, err := open(t, host+"/app:1", patient(tt.name)).Root(t.Context())
			e := wantError(t, err, tt.kind, tt.words)
			if e != nil && (e.Host != host || !strings.HasPrefix(err.Error(), host+": reading its manifest: ")) {
				t.Errorf("got %q, want the host and what was done", err)
			}
		})
	}
}

func wantError(t *testing.T, err error, kind Kind, words string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("got the error %v, want one of kind %d with %q", err, kind, words)
		return nil
	}
	if e.Kind != kind || !strings.Contains(err.Error(), words) {
		t.Errorf("got kind %d, %q, want kind %d, %q", e.Kind, err, kind, words)
	}
	if len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\n\x1b") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %q, which is long, several lines or tells a secret", err)
	}
	return e
}

// TestManifest reads manifests, some after a retry.
func TestManifest(t *testing.T) {
	good := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		io.WriteString(w, manifest)
	}
	for name, h := range map[string]http.HandlerFunc{
		"at once":        good,
		"500 once":       once(status(500, ""), good),
		"429 once":       once(status(429, ""), good),
		"cut once":       once(func(w http.ResponseWriter, r *http.Request) { cut(w) }, good),
		"some redirects": once(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", 307) }, good),
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, serve(t, h)+"/app:1", quick)
			m, err := r.Root(t.Context())
			if err != nil || string(m.Bytes) != manifest || m.Digest != imagetest.Digest([]byte(manifest)) {
				t.Errorf("got %+v, %v", m, err)
			}
			if m, err = r.Manifest(t.Context(), m.Digest); err != nil {
				t.Error(err)
			}
			_, err = r.Manifest(t.Context(), digest)
			wantError(t, err, Damaged, "it is another one: its digest is "+m.Digest.String())
		})
	}
}

// TestBlob reads blobs, some after a retry.
func TestBlob(t *testing.T) {
	ignores := func(w http.ResponseWriter, r *http.Request) { w.Write(body) }
	halfThen := func(how func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			how(w, r)
		}
	}
	cutShort := func(w http.ResponseWriter, _ *http.Request) { cut(w) }
	for name, h := range map[string]http.HandlerFunc{
		"at once":                 rest,
		"cut, ranges":             once(halfThen(cutShort), rest),
		"cut, no ranges":          once(halfThen(cutShort), ignores),
		"stalled, ranges":         once(halfThen(func(_ http.ResponseWriter, r *http.Request) { stall(r) }), rest),
		"cut twice":               once(halfThen(cutShort), once(cutShort, rest)),
		"500 on the second":       once(halfThen(cutShort), once(status(500, ""), rest)),
		"without Content-Length":  func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); w.Write(body) },
		"at a place of their own": once(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/storage", 307) }, rest),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(t.Context(), open(t, serve(t, h)+"/app:1", patient(name)))
			if err != nil || string(got) != string(body) {
				t.Errorf("got %d bytes and %v, want %d", len(got), err, len(body))
			}
		})
	}
}

// TestBlobFaults has servers that send a blob wrongly.
func TestBlobFaults(t *testing.T) {
	half := fmt.Sprintf("at byte %d of %d", len(body)/2, len(body))
	for _, tt := range []struct {
		name  string
		h     http.HandlerFunc
		opt   func(*Options)
		kind  Kind
		words string
	}{
		{"stall mid-body", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				begin(w)
			}
			stall(r)
		}, nil, Stalled, "nothing was received for 200ms, " + half},
		{"stall mid-body, with headers", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				begin(w)
				stall(r)
				return
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(body)/2, len(body)-1, len(body)))
			w.WriteHeader(206)
			w.(http.Flusher).Flush()
			stall(r)
		}, nil, Stalled, "nothing was received for 200ms, " + half},
		{"slow drip", func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for i := range body {
				select {
				case <-tick.C:
				case <-r.Context().Done():
					return
				}
				w.Write(body[i : i+1])
				w.(http.Flusher).Flush()
			}
		}, func(opt *Options) { opt.Rate, opt.RateTime = 1<<20, 50*time.Millisecond }, Slow, "bytes were received in "},
		{"cut for ever", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				cut(w)
			}
			begin(w)
			cut(w)
		}, nil, Unreachable, "EOF"},
		{"cut with empty rests", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Transfer-Encoding", "identity") // no length: the end is the connection's
			if r.Header.Get("Range") == "" {
				w.Write(body[:len(body)/2])
				return
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(body)/2, len(body)-1, len(body)))
			w.WriteHeader(206)
		}, nil, Damaged, ""},
		{"too long", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(append(body[:len(body):len(body)], 'x'))
		}, nil, Damaged, fmt.Sprintf("it is longer than the %d bytes in the manifest", len(body))},
		{"too long, said", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "999999999") }, nil, Damaged, "it has 999999999 bytes, the manifest says "},
		{"too short, said", status(200, "short"), nil, Damaged, "it has 5 bytes, the manifest says "},
		{"another range", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				begin(w)
				cut(w)
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(body)-1, len(body)))
			w.WriteHeader(206)
			w.Write(body)
		}, nil, Damaged, "asked for the rest, it answers with something else"},
		{"416", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				begin(w)
				cut(w)
			}
			w.WriteHeader(416)
		}, nil, Failed, "it answers 416 "},
		{"404", status(404, ""), nil, NotFound, "(404)"},
		{"web page", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.(http.Flusher).Flush()
		}, nil, NoRegistry, "it answers with a web page"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opt := patient(tt.name)
			if tt.opt != nil {
				tt.opt(&opt)
			}
			_, err := read(t.Context(), open(t, serve(t, tt.h)+"/app:1", opt))
			e := wantError(t, err, tt.kind, tt.words)
			if e != nil && !strings.Contains(err.Error(), ": downloading sha256:"+digest.Hex[:12]+"…: ") {
				t.Errorf("got %q, want the blob in it", err)
			}
		})
	}
}

// TestStall measures how long a registry may send nothing: never longer than Idle,
// although a blob is requested again after half of it.
func TestStall(t *testing.T) {
	half := func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		stall(r)
	}
	resumes := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" {
			half(w, r)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(body)/2, len(body)-1, len(body)))
		w.WriteHeader(206)
		w.(http.Flusher).Flush()
		stall(r)
	}
	silent := func(_ http.ResponseWriter, r *http.Request) { stall(r) }
	for name, tt := range map[string]struct {
		blob http.HandlerFunc
		op   string
		asks int32
	}{
		"a manifest":            {nil, "", 0},
		"before the blob":       {silent, "", 1},
		"in the blob":           {once(half, silent), fmt.Sprintf(", at byte %d of %d", len(body)/2, len(body)), 2},
		"in the rest":           {resumes, fmt.Sprintf(", at byte %d of %d", len(body)/2, len(body)), 2},
		"in the blob, no range": {half, fmt.Sprintf(", at byte %d of %d", len(body)/2, len(body)), 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asks atomic.Int32
				r := open(t, "localhost:1/app", quick)
				r.places[0].base.strict.DialContext = imagetest.Pipe(t, afterPing(func(w http.ResponseWriter, r *http.Request) {
					if !strings.Contains(r.URL.Path, "/blobs/") {
						stall(r)
						return
					}
					asks.Add(1)
					tt.blob(w, r)
				}))
				start := time.Now()
				var err error
				if tt.blob == nil {
					_, err = r.Root(t.Context())
				} else {
					_, err = read(t.Context(), r)
				}
				wantError(t, err, Stalled, "nothing was received for 1m0s"+tt.op)
				if took := time.Since(start).Round(time.Second); took != time.Minute || asks.Load() != tt.asks {
					t.Errorf("it took %v and %d requests, want a minute and %d", took, asks.Load(), tt.asks)
				}
			})
		})
	}
}

// TestStalledHelper has a credential helper that never answers.
func TestStalledHelper(t *testing.T) {
	opt := quick
	opt.Idle = time.Millisecond
	opt.Keychain = hanging{func() {}}
	_, err := open(t, "localhost:1/app", opt).Root(t.Context())
	wantError(t, err, Stalled, "looking for credentials: nothing was received for 1ms from the credential helper")
}

// TestRange requests ranges of a blob.
func TestRange(t *testing.T) {
	good := open(t, serve(t, rest)+"/app:1", quick)
	b, err := good.Range(t.Context(), digest, 100, 50)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got, err := io.ReadAll(b); err != nil || string(got) != string(body[100:150]) {
		t.Errorf("got %q, %v", got, err)
	}
	part := func(header, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(206)
			w.Write(body[100:150])
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"200": func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(body); err != nil { // until it is closed
					return
				}
			}
		},
		"416":         status(416, ""),
		"400":         status(400, ""),
		"other range": part("Content-Range", "bytes 101-150/10000"),
		"less":        part("Content-Range", "bytes 100-120/10000"),
		"no range":    part("X", ""),
		"multipart":   part("Content-Type", "multipart/byteranges; boundary=x"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, serve(t, h)+"/app:1", quick).Range(t.Context(), digest, 100, 50)
			if !errors.Is(err, ErrNoRanges) {
				t.Errorf("got %v, want %v", err, ErrNoRanges)
			}
		})
	}
	_, err = open(t, serve(t, status(404, ""))+"/app:1", quick).Range(t.Context(), digest, 100, 50)
	wantError(t, err, NotFound, "")
}

// TestCancel cancels the context at several points of a request.
func TestCancel(t *testing.T) {
	gone := errors.New("gone")
	for name, how := range map[string]func(w http.ResponseWriter, r *http.Request){
		"before the answer": func(w http.ResponseWriter, r *http.Request) {},
		"in the body":       func(w http.ResponseWriter, r *http.Request) { begin(w) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			opt := quick
			opt.Idle = time.Hour
			host := serve(t, func(w http.ResponseWriter, r *http.Request) {
				how(w, r)
				stop(gone)
				stall(r)
			})
			if _, err := read(ctx, open(t, host+"/app:1", opt)); err != gone {
				t.Errorf("got %v, want %v", err, gone)
			}
		})
	}
	t.Run("while waiting to try again", func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		opt := quick
		opt.MaxWait = time.Hour
		host := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3000")
			w.WriteHeader(429)
			w.(http.Flusher).Flush()
			time.AfterFunc(10*time.Millisecond, func() { stop(gone) })
		})
		if _, err := open(t, host+"/app:1", opt).Root(ctx); err != gone {
			t.Errorf("got %v, want %v", err, gone)
		}
	})
}

// hanging is a keychain that never answers.
type hanging struct{ stop func() }

func (h hanging) Resolve(authn.Resource) (authn.Authenticator, error) {
	h.stop()
	select {}
}

func TestCancelHelper(t *testing.T) {
	gone := errors.New("gone")
	ctx, stop := context.WithCancelCause(t.Context())
	opt := quick
	opt.Keychain = hanging{func() { stop(gone) }}
	if _, err := open(t, "localhost:1/app", opt).Root(ctx); err != gone {
		t.Errorf("got %v, want %v", err, gone)
	}
}

// TestUnreachable asks a port where nothing listens, and a server that is not a
// registry.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	_, err = open(t, host+"/app:1", quick).Root(t.Context())
	wantError(t, err, Unreachable, "connection refused")
	_, err = open(t, serve404(t)+"/app:1", quick).Root(t.Context())
	wantError(t, err, NoRegistry, "no registry answers there (404)")
}

func serve404(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"app":                                "index.docker.io/library/app:latest",
		"docker.io/org/app:1":                "index.docker.io/org/app:1",
		"localhost:5000/app":                 "localhost:5000/app:latest",
		"ghcr.io/org/app@" + digest.String(): "ghcr.io/org/app@" + digest.String(),
	} {
		if got := open(t, name, quick).Name(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "UPPER", "localhost/app", "a@sha256:1", "app:\x1b[31m"} {
		_, err := Open(name, quick)
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// TestMirrors asks a mirror first, and the registry if the mirror fails.
func TestMirrors(t *testing.T) {
	var asked atomic.Int32
	there := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v2/cache/org/app/") {
			asked.Add(1)
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			rest(w, r)
			return
		}
		io.WriteString(w, manifest)
	}
	origin, mirror, empty := serve(t, there), serve(t, there), serve(t, status(404, ""))
	for _, tt := range []struct {
		mirrors []string
		asked   int32
		notes   int
	}{
		{[]string{origin + "=" + mirror + "/cache"}, 2, 0},
		{[]string{origin + "=" + empty, origin + "=" + mirror + "/cache"}, 2, 1},
		{[]string{origin + "=" + empty}, 0, 1},
		{[]string{mirror + "/cache"}, 0, 0}, // of docker.io
	} {
		asked.Store(0)
		opt := quick
		opt.Mirrors = tt.mirrors
		r := open(t, origin+"/org/app:1", opt)
		if _, err := r.Root(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := read(t.Context(), r); err != nil {
			t.Error(err)
		}
		if asked.Load() != tt.asked || len(r.Notes()) != tt.notes {
			t.Errorf("%q: the mirror is asked %d times, want %d; notes %q", tt.mirrors, asked.Load(), tt.asked, r.Notes())
		}
	}
	// If neither has it, the error names both.
	opt := quick
	denied := serve(t, status(403, ""))
	opt.Mirrors = []string{empty + "=" + denied}
	_, err := open(t, empty+"/org/app:1", opt).Root(t.Context())
	var e *Error
	if !errors.As(err, &e) || e.Host != empty || !strings.Contains(err.Error(), "; mirror "+denied+": ") {
		t.Errorf("got %v, want the error of %s, and the mirror %s", err, empty, denied)
	}
	// A mirror that fails for good in the middle of a blob.
	torn := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.URL.Path, "/blobs/"):
			io.WriteString(w, manifest)
		case r.Header.Get("Range") == "":
			begin(w)
			cut(w)
		default:
			w.WriteHeader(404)
		}
	})
	opt = quick
	opt.Mirrors = []string{origin + "=" + torn}
	if got, err := read(t.Context(), open(t, origin+"/org/app:1", opt)); err != nil || string(got) != string(body) {
		t.Errorf("the rest from the registry: got %d bytes, %v", len(got), err)
	}
	for _, bad := range []string{"", "https://x.y/", "a b=c"} {
		opt := quick
		opt.Mirrors = []string{bad}
		if _, err := Open("app", opt); err == nil {
			t.Errorf("mirror %q: no error", bad)
		}
	}
}
