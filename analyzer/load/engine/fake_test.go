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

// quiet discards the log of servers whose clients fail on purpose.
var quiet = log.New(io.Discard, "", 0)

// TestMain runs the tests. The fake ssh runs the test binary with FAKE_SSH set to a
// socket; then TestMain forwards standard input to that socket instead.
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

// daemon returns an engine with that API version. The paths of routes have no
// version prefix.
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

// problem writes an error in docker's format.
func problem(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// answer returns a handler that writes v as JSON.
func answer(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
}

// listen serves h on a Unix socket.
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

// stale creates a socket without a listener.
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

// place returns a temporary directory, and Options that use it as root, have a home
// below it, and take their environment from env. DIR in env stands for the
// directory.
func place(t *testing.T, env map[string]string) (string, Options) {
	t.Helper()
	dir := t.TempDir()
	return dir, Options{
		Getenv: func(name string) string { return strings.ReplaceAll(env[name], "DIR", dir) },
		Home:   filepath.Join(dir, "home"),
		root:   dir,
	}
}

// connected returns a connection to a fake docker.
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

// oneLine fails the test unless err is one line of at most 2000 bytes.
func oneLine(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if s := err.Error(); len(s) > 2000 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("got %d bytes, want one line of at most 2000: %.300q", len(s), s)
	}
}
