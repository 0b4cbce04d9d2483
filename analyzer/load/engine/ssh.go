package engine

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/docker/cli/cli/connhelper/commandconn"
	"github.com/docker/cli/cli/connhelper/ssh"
)

// dialing keeps what the client's errors leave out: why the last connection could
// not be made, and the error message of ssh.
type dialing struct {
	mu     sync.Mutex
	err    error
	stderr string // of ssh
	broken bool
}

func (d *dialing) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *dialing) last() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// ended records the error of a connection through ssh.
func (d *dialing) ended(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = true
	// "command [ssh …] has exited with exit status 255, …: stderr=WORDS"
	if _, stderr, ok := strings.Cut(err.Error(), "stderr="); ok {
		d.stderr = clean(stderr)
	}
}

func (d *dialing) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stderr
}

func (d *dialing) broke() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// ssh returns a function that connects with the ssh program. At the other end the
// engine's command line forwards the connection to the engine's socket.
func (at endpoint) ssh(d *dialing, opt Options) (func(context.Context, string, string) (net.Conn, error), error) {
	spec, err := ssh.ParseURL(at.url)
	if err != nil {
		return nil, err
	}
	flags := []string{"-T", "-o", fmt.Sprintf("ConnectTimeout=%d", max(1, int64(opt.Idle.Seconds())))}
	if at.identity != "" {
		flags = append(flags, "-i", at.identity)
	}
	command, option := []string{"docker"}, "--host"
	if at.kind == Podman {
		command, option = []string{"podman"}, "--url"
	}
	if strings.Trim(spec.Path, "/") != "" {
		command = append(command, option, "unix://"+spec.Path)
		spec.Path = ""
	}
	args, err := spec.Command(flags, append(command, "system", "dial-stdio")...)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := commandconn.New(ctx, "ssh", args...)
		if err != nil {
			return nil, err
		}
		return &sshConn{conn, d}, nil
	}, nil
}

// sshHost returns the arguments for trying ssh by hand.
func (at endpoint) sshHost() string {
	u, err := url.Parse(at.url)
	if err != nil {
		return at.url
	}
	host := u.Hostname()
	if u.User != nil {
		host = u.User.Username() + "@" + host
	}
	if u.Port() != "" {
		host = "-p " + u.Port() + " " + host
	}
	return clean(host)
}

// sshConn records why it ended.
type sshConn struct {
	net.Conn
	d *dialing
}

func (c *sshConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.d.ended(err)
	}
	return n, err
}

func (c *sshConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil { // ssh has ended; only a read returns its error message
		if _, why := c.Conn.Read(make([]byte, 1)); why != nil {
			c.d.ended(why)
		}
	}
	return n, err
}
