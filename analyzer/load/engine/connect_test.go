package engine

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeContext writes a docker context.
func writeContext(t *testing.T, dir, name, host string) string {
	t.Helper()
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	contexts := filepath.Join(dir, "home/.docker/contexts")
	write(t, filepath.Join(contexts, "meta", id, "meta.json"), fmt.Sprintf(
		`{"Name":%q,"Metadata":{"Description":"of a test"},"Endpoints":{"docker":{"Host":%q,"SkipTLSVerify":false}}}`, name, host))
	return filepath.Join(contexts, "tls", id, "docker")
}

func TestConnect(t *testing.T) {
	config := func(text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, dir+"/home/.docker/config.json", text) }
	}
	mine := func(name, socket string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { writeContext(t, dir, name, "unix://"+dir+"/"+socket) }
	}
	conf := func(file, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, dir+"/"+file, strings.ReplaceAll(text, "DIR", dir)) }
	}
	const services = "[engine]\nactive_service = \"box\"\n[engine.service_destinations.box]\nuri = \"unix://DIR/box\"\n" +
		"[engine.service_destinations.\"other one\"]\nuri = \"unix://DIR/other\"\nidentity = \"/key\"\n"
	const connections = `{"Connection":{"Default":"new","Connections":{"new":{"URI":"unix://DIR/new","Identity":""}}},"Farm":{}}`
	for _, tt := range []struct {
		name    string
		kind    Kind
		env     map[string]string
		files   []func(*testing.T, string)
		sockets []string // sockets with a listener
		stale   []string // sockets without one
		want    string   // the endpoint; "" for an error
		err     []string // parts of the error
	}{
		{name: "host", env: map[string]string{"DOCKER_HOST": "unix://DIR/a"}, sockets: []string{"a", "var/run/docker.sock"}, want: "a"},
		{name: "host beats context", env: map[string]string{"DOCKER_HOST": "unix://DIR/a", "DOCKER_CONTEXT": "b"}, files: []func(*testing.T, string){mine("b", "b")}, sockets: []string{"a", "b"}, want: "a"},
		{name: "context", env: map[string]string{"DOCKER_CONTEXT": "b"}, files: []func(*testing.T, string){mine("b", "b"), mine("c", "c"), config(`{"currentContext":"c"}`)}, sockets: []string{"b", "c", "var/run/docker.sock"}, want: "b"},
		{name: "current", files: []func(*testing.T, string){mine("c", "c"), config(`{"auths":{},"currentContext":"c"}`)}, sockets: []string{"c", "var/run/docker.sock"}, want: "c"},
		{name: "default context", env: map[string]string{"DOCKER_CONTEXT": "default"}, files: []func(*testing.T, string){mine("c", "c"), config(`{"currentContext":"c"}`)}, sockets: []string{"c", "var/run/docker.sock"}, want: "var/run/docker.sock"},
		{name: "config elsewhere", env: map[string]string{"DOCKER_CONFIG": "DIR/home/.docker"}, files: []func(*testing.T, string){mine("c", "c"), config(`{"currentContext":"c"}`)}, sockets: []string{"c"}, want: "c"},
		{name: "usual", sockets: []string{"var/run/docker.sock", "home/.docker/run/docker.sock"}, want: "var/run/docker.sock"},
		{name: "rootless", env: map[string]string{"XDG_RUNTIME_DIR": "DIR/x"}, sockets: []string{"x/docker.sock", "home/.docker/run/docker.sock"}, want: "x/docker.sock"},
		{name: "home", sockets: []string{"home/.docker/run/docker.sock", "home/.docker/desktop/docker.sock"}, want: "home/.docker/run/docker.sock"},
		{name: "desktop", stale: []string{"var/run/docker.sock"}, sockets: []string{"home/.docker/desktop/docker.sock"}, want: "home/.docker/desktop/docker.sock"},

		{name: "no context", env: map[string]string{"DOCKER_CONTEXT": "b\x1b"}, files: []func(*testing.T, string){mine("c", "c"), mine("a", "a")}, sockets: []string{"var/run/docker.sock"},
			err: []string{`there is no docker context "b\\x1b"`, "DOCKER_CONTEXT", "the contexts are a, c, default"}},
		{name: "no current", files: []func(*testing.T, string){config(`{"currentContext":"gone"}`)}, err: []string{`"gone"`, "currentContext in ", "config.json"}},
		{name: "bad config", files: []func(*testing.T, string){config(`{"currentContext":`)}, err: []string{"config.json"}},
		{name: "bad context", env: map[string]string{"DOCKER_CONTEXT": "b"}, files: []func(*testing.T, string){mine("b", "b"), func(t *testing.T, dir string) {
			all, _ := filepath.Glob(dir + "/home/.docker/contexts/meta/*/meta.json")
			write(t, all[0], `{"Name":"b","Endpoints":{}}`)
		}}, err: []string{`the docker context "b"`, "has no host for docker"}},
		{name: "wrong host", env: map[string]string{"DOCKER_HOST": "http:/nonsense\n"}, err: []string{`DOCKER_HOST is "http:/nonsense"`, "unix:///PATH"}},
		{name: "wrong scheme", env: map[string]string{"DOCKER_HOST": "https://h"}, err: []string{"DOCKER_HOST", "tcp://HOST:PORT"}},
		{name: "relative", env: map[string]string{"DOCKER_HOST": "unix://a/b"}, err: []string{"DOCKER_HOST", "unix:///PATH"}},
		{name: "password", env: map[string]string{"DOCKER_HOST": "ssh://u:p@h"}, err: []string{"DOCKER_HOST", "password"}},
		{name: "ssh option", env: map[string]string{"DOCKER_HOST": "ssh://u@h/s?x=1"}, err: []string{"DOCKER_HOST", "query"}},

		{name: "host", kind: Podman, env: map[string]string{"CONTAINER_HOST": "unix://DIR/a", "CONTAINER_CONNECTION": "b"}, sockets: []string{"a"}, want: "a"},
		{name: "connection", kind: Podman, env: map[string]string{"CONTAINER_CONNECTION": "other one"}, files: []func(*testing.T, string){conf("etc/containers/containers.conf", services)}, sockets: []string{"other", "run/podman/podman.sock"}, want: "other"},
		{name: "sockets first", kind: Podman, files: []func(*testing.T, string){conf("home/.config/containers/containers.conf", services)}, sockets: []string{"box", "run/podman/podman.sock"}, want: "run/podman/podman.sock"},
		{name: "active service", kind: Podman, files: []func(*testing.T, string){conf("home/.config/containers/containers.conf", services)}, sockets: []string{"box"}, want: "box"},
		{name: "remote", kind: Podman, files: []func(*testing.T, string){conf("usr/share/containers/containers.conf", services), conf("etc/containers/containers.conf.d/a.conf", "[engine]\nremote = true\n")}, sockets: []string{"box", "run/podman/podman.sock"}, want: "box"},
		{name: "connections file", kind: Podman, files: []func(*testing.T, string){conf("home/.config/containers/containers.conf", services), conf("home/.config/containers/podman-connections.json", connections)}, sockets: []string{"box", "new"}, want: "new"},
		{name: "one file", kind: Podman, env: map[string]string{"CONTAINERS_CONF": "DIR/one"}, files: []func(*testing.T, string){conf("home/.config/containers/containers.conf", services), conf("one", strings.ReplaceAll(services, `"box"`, `"other one"`))}, sockets: []string{"box", "other"}, want: "other"},
		{name: "rootless", kind: Podman, env: map[string]string{"XDG_RUNTIME_DIR": "DIR/x"}, sockets: []string{"x/podman/podman.sock"}, want: "x/podman/podman.sock"},
		{name: "no connection", kind: Podman, env: map[string]string{"CONTAINER_CONNECTION": "b"}, files: []func(*testing.T, string){conf("etc/containers/containers.conf", services)}, err: []string{`no podman connection "b"`, "CONTAINER_CONNECTION", "box, other one"}},
		{name: "bad toml", kind: Podman, files: []func(*testing.T, string){conf("etc/containers/containers.conf", "[engine\n")}, err: []string{"containers.conf", "toml: line"}},
		{name: "bad json", kind: Podman, files: []func(*testing.T, string){conf("home/.config/containers/podman-connections.json", "[")}, err: []string{"podman-connections.json"}},
	} {
		t.Run(tt.kind.String()+" "+tt.name, func(t *testing.T) {
			dir, opt := place(t, tt.env)
			for _, f := range tt.files {
				f(t, dir)
			}
			for _, s := range tt.stale {
				stale(t, filepath.Join(dir, s))
			}
			for _, s := range tt.sockets {
				listen(t, filepath.Join(dir, s), daemon("1.41", nil))
			}
			e, err := Connect(t.Context(), tt.kind, opt)
			if tt.err != nil {
				oneLine(t, err)
				for _, part := range tt.err {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q isn't in: %v", part, err)
					}
				}
				if errors.As(err, new(*UnavailableError)) {
					t.Errorf("got an UnavailableError, want another error: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if want := "unix://" + filepath.Join(dir, tt.want); e.Endpoint != want || !e.Local || e.Version() != "1.41" {
				t.Errorf("got %s, local %v, version %s; want %s", e.Endpoint, e.Local, e.Version(), want)
			}
		})
	}
}

func TestUnavailable(t *testing.T) {
	gone := func(t *testing.T, kind Kind, opt Options, said ...string) *UnavailableError {
		t.Helper()
		_, err := Connect(t.Context(), kind, opt)
		var u *UnavailableError
		if !errors.As(err, &u) {
			t.Fatalf("got %v", err)
		}
		oneLine(t, err)
		for _, part := range said {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q isn't in: %v", part, err)
			}
		}
		return u
	}
	t.Run("absent", func(t *testing.T) {
		dir, opt := place(t, map[string]string{"XDG_RUNTIME_DIR": "DIR/x"})
		u := gone(t, Docker, opt, "there is no socket", dir+"/var/run/docker.sock, "+dir+"/x/docker.sock", "DOCKER_HOST")
		if len(u.Tried) != 4 || u.Endpoint != "" || !errors.Is(u, fs.ErrNotExist) {
			t.Errorf("got %+v", u)
		}
		if u := gone(t, Podman, opt, "systemctl --user start podman.socket", dir+"/x/podman/podman.sock"); len(u.Tried) != 2 {
			t.Errorf("got %+v", u)
		}
	})
	t.Run("default connection", func(t *testing.T) {
		dir, opt := place(t, nil)
		write(t, dir+"/home/.config/containers/podman-connections.json",
			`{"Connection":{"Default":"box","Connections":{"box":{"URI":"ssh://core@far/run/podman.sock"}}}}`)
		fakeSSH(t, dir, `echo "no route" >&2; exit 255`)
		u := gone(t, Podman, opt, "ssh says: no route", dir+"/run/podman/podman.sock, ssh://core@far/run/podman.sock")
		if u.Endpoint != "" {
			t.Errorf("got %+v", u)
		}
	})
	t.Run("refused", func(t *testing.T) {
		dir, opt := place(t, map[string]string{"DOCKER_HOST": "unix://DIR/s"})
		stale(t, dir+"/s")
		u := gone(t, Docker, opt, "unix://"+dir+"/s (DOCKER_HOST)", "nothing listens", "correct DOCKER_HOST")
		if u.Endpoint != "unix://"+dir+"/s" || u.Tried != nil || !errors.Is(u, syscall.ECONNREFUSED) {
			t.Errorf("got %+v", u)
		}
	})
	t.Run("silent", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0") // connections are never accepted
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, opt := place(t, map[string]string{"DOCKER_HOST": l.Addr().String()})
		opt.Idle = 50 * time.Millisecond
		if u := gone(t, Docker, opt, "tcp://"+l.Addr().String(), "nothing was received for 50ms"); !errors.Is(u, ErrSilent) {
			t.Errorf("got %+v", u)
		}
	})
	t.Run("no such host", func(t *testing.T) {
		_, opt := place(t, map[string]string{"DOCKER_HOST": "tcp://no\u202ewhere.invalid:1"})
		opt.Idle = 200 * time.Millisecond // a slow name server gives an error too
		gone(t, Docker, opt, "DOCKER_HOST")
	})
	t.Run("denied", func(t *testing.T) {
		dir, opt := place(t, nil)
		if os.Getuid() != 0 {
			listen(t, dir+"/var/run/docker.sock", daemon("1.41", nil))
			if err := os.Chmod(dir+"/var/run/docker.sock", 0); err != nil {
				t.Fatal(err)
			}
			if u := gone(t, Docker, opt, "permission denied", "usermod -aG docker"); !u.Denied {
				t.Errorf("got %+v", u)
			}
			return
		}
		// Root may connect to every socket, so note the system's error instead.
		e := &Engine{Kind: Docker, at: endpoint{url: "unix:///s"}, dial: &dialing{}}
		e.dial.note(&net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)})
		all := &UnavailableError{Kind: Docker, Err: fs.ErrNotExist}
		var one *UnavailableError
		if !errors.As(e.reach(errors.New("it failed")), &one) {
			t.Fatal("not unavailable")
		}
		all.add(one)
		if !all.Denied || !errors.Is(all, fs.ErrPermission) || !strings.Contains(all.Error(), "usermod -aG docker") {
			t.Errorf("got %v", all)
		}
		all.Kind = Podman
		if !strings.Contains(all.Error(), "systemctl --user start podman.socket") {
			t.Errorf("got %v", all)
		}
	})
}

func TestNotAnEngine(t *testing.T) {
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		said string
	}{
		"a web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			w.Write([]byte("<html>\r\n\x1b[31mlogin\x9b " + strings.Repeat("x", 900_000)))
		}, `not like an engine: <html> \x1b[31mlogin\x9b`},
		"all is well": {func(http.ResponseWriter, *http.Request) {}, "but not an engine"},
		"too old":     {daemon("1.24", nil).ServeHTTP, "1.24"},
		"nonsense":    {daemon("one", nil).ServeHTTP, "not like an engine"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/", http.StatusFound)
		}, "engine"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, opt := place(t, map[string]string{"DOCKER_HOST": "unix://DIR/s"})
			listen(t, dir+"/s", tt.h)
			_, err := Connect(t.Context(), Docker, opt)
			oneLine(t, err)
			if !strings.Contains(err.Error(), tt.said) || !strings.Contains(err.Error(), dir+"/s (DOCKER_HOST)") {
				t.Errorf("got %.300v", err)
			}
			if errors.As(err, new(*UnavailableError)) {
				t.Error("got an UnavailableError, want another error")
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Meta") == "a" {
			daemon("1.41", nil).ServeHTTP(w, r)
		}
	}))
	defer s.Close()
	dir, opt := place(t, map[string]string{"DOCKER_HOST": "tcp" + strings.TrimPrefix(s.URL, "http")})
	write(t, dir+"/home/.docker/config.json", `{"HttpHeaders":{"X-Meta":"a"}}`)
	e, err := Connect(t.Context(), Docker, opt)
	if err != nil {
		t.Fatal(err)
	}
	if e.Local {
		t.Error("a TCP connection is taken for one on this machine")
	}
	e.Close()
}
