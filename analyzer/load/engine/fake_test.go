package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// quiet is the log of servers whose clients fail on purpose.
var quiet = log.New(io.Discard, "", 0)

// TestMain lets a fake ssh run the test binary: with FAKE_SSH set it forwards
// standard input to that socket.
func TestMain(m *testing.M) {
	if socket := os.Getenv("FAKE_SSH"); socket != "" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go io.Copy(conn, os.Stdin)
		io.Copy(os.Stdout, conn)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// daemon is an engine of that API version that answers at the given paths,
// which have no version in front.
func daemon(version string, routes map[string]http.HandlerFunc) http.Handler {
	versioned := regexp.MustCompile(`^/v[0-9.]+`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", version)
		p := versioned.ReplaceAllString(r.URL.Path, "")
		if p == "/_ping" {
			return
		}
		if h := routes[p]; h != nil {
			h(w, r)
			return
		}
		problem(w, http.StatusNotFound, "No such image: "+p)
	})
}

// problem answers with an error in docker's form.
func problem(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// answer is a route that answers with v as JSON.
func answer(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
}

// listen serves h at a socket.
func listen(t *testing.T, socket string, h http.Handler) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
}

// stale leaves a socket behind where nothing listens.
func stale(t *testing.T, socket string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// place is a machine of its own: a home, a root, an environment.
func place(t *testing.T, env map[string]string) (string, Options) {
	t.Helper()
	dir := t.TempDir()
	return dir, Options{
		Getenv: func(name string) string { return strings.ReplaceAll(env[name], "DIR", dir) },
		Home:   filepath.Join(dir, "home"),
		root:   dir,
	}
}

// connected is a connection to a fake docker.
func connected(t *testing.T, version string, routes map[string]http.HandlerFunc, change func(*Options)) *Engine {
	t.Helper()
	dir, opt := place(t, map[string]string{"DOCKER_HOST": "unix://DIR/s"})
	listen(t, filepath.Join(dir, "s"), daemon(version, routes))
	if change != nil {
		change(&opt)
	}
	e, err := Connect(t.Context(), Docker, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// oneLine fails the test when an error isn't fit to be shown.
func oneLine(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if s := err.Error(); len(s) > 2000 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("not one line of a bearable length: %d bytes: %.300q", len(s), s)
	}
}
