package engine

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeSSH puts a program named ssh on PATH. It writes its arguments to DIR/args and
// runs script.
func fakeSSH(t *testing.T, dir, script string) {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	write(t, filepath.Join(bin, "ssh"), "#!/bin/sh\nfor a; do echo \"$a\"; done >"+dir+"/args\n"+script+"\n")
	if err := os.Chmod(filepath.Join(bin, "ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func TestSSH(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		kind Kind
		env  map[string]string
		file string // podman-connections.json
		args string
	}{
		{"docker", Docker, map[string]string{"DOCKER_HOST": "ssh://me@far:2222"}, "",
			"-l me -p 2222 -T -o ConnectTimeout=60 -- far docker system dial-stdio"},
		{"docker's socket", Docker, map[string]string{"DOCKER_HOST": "ssh://far/run/user/1000/docker.sock"}, "",
			"-T -o ConnectTimeout=60 -- far docker --host unix:///run/user/1000/docker.sock system dial-stdio"},
		{"podman", Podman, map[string]string{"CONTAINER_HOST": "ssh://me@far/run/podman/podman.sock", "CONTAINER_SSHKEY": "/my key"}, "",
			"-l me -T -o ConnectTimeout=60 -i /my key -- far podman --url unix:///run/podman/podman.sock system dial-stdio"},
		{"podman's connection", Podman, map[string]string{"CONTAINER_CONNECTION": "box"},
			`{"Connection":{"Connections":{"box":{"URI":"ssh://core@127.0.0.1:53/run/podman.sock","Identity":"/key"}}}}`,
			"-l core -p 53 -T -o ConnectTimeout=60 -i /key -- 127.0.0.1 podman --url unix:///run/podman.sock system dial-stdio"},
		{"a shell's words", Podman, map[string]string{"CONTAINER_HOST": "ssh://far/run/$(touch x).sock"}, "",
			"-T -o ConnectTimeout=60 -- far podman --url 'unix:///run/$(touch x).sock' system dial-stdio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, opt := place(t, tt.env)
			listen(t, filepath.Join(dir, "s"), daemon("1.41", nil))
			fakeSSH(t, dir, "exec "+program)
			t.Setenv("FAKE_SSH", filepath.Join(dir, "s"))
			if tt.file != "" {
				write(t, filepath.Join(dir, "home/.config/containers/podman-connections.json"), tt.file)
			}
			e, err := Connect(t.Context(), tt.kind, opt)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			args, err := os.ReadFile(filepath.Join(dir, "args"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(strings.Split(strings.TrimSpace(string(args)), "\n"), " "); got != tt.args {
				t.Errorf("ssh %s\nwant %s", got, tt.args)
			}
			if e.Local {
				t.Error("got a local engine, want a remote one")
			}
		})
	}
}

func TestSSHFails(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		said   []string
	}{
		"refused": {`printf 'ssh: connect to host far port 22:\r\n\033[31mno route\n' >&2; exit 255`,
			[]string{`ssh: connect to host far port 22: \x1b[31mno route`, `"ssh -p 2222 me@far" must work`, "ssh://me@far:2222 (DOCKER_HOST)"}},
		"much":    {`head -c 100000 /dev/zero | tr '\0' y >&2; exit 255`, []string{"yyyy", `"ssh -p 2222 me@far"`}},
		"silent":  {`exit 1`, []string{`"ssh -p 2222 me@far"`}},
		"no such": {`exec 0<&-; echo 'bash: docker: command not found' >&2; exit 127`, []string{"docker: command not found", "docker must be installed there"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, opt := place(t, map[string]string{"DOCKER_HOST": "ssh://me@far:2222"})
			fakeSSH(t, dir, tt.script)
			_, err := Connect(t.Context(), Docker, opt)
			oneLine(t, err)
			for _, part := range tt.said {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q isn't in: %v", part, err)
				}
			}
		})
	}
	t.Run("not installed", func(t *testing.T) {
		_, opt := place(t, map[string]string{"DOCKER_HOST": "ssh://me@far"})
		t.Setenv("PATH", t.TempDir())
		_, err := Connect(t.Context(), Docker, opt)
		oneLine(t, err)
		if !strings.Contains(err.Error(), "ssh is not installed") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSSHCancelled(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, opt := place(t, map[string]string{"DOCKER_HOST": "ssh://far"})
	listen(t, filepath.Join(dir, "s"), daemon("1.41", map[string]http.HandlerFunc{
		"/images/get": func(w http.ResponseWriter, r *http.Request) {
			w.Write(make([]byte, 1000))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	}))
	fakeSSH(t, dir, "exec "+program)
	t.Setenv("FAKE_SSH", filepath.Join(dir, "s"))
	e, err := Connect(t.Context(), Docker, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := e.Save(ctx, app)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	io.CopyN(io.Discard, s, 1000)
	cancel()
	if _, err := io.Copy(io.Discard, s); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
