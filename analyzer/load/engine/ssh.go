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

// dialing remembers what the client's errors leave out: why the last dialing
// failed, and what ssh said.
type dialing struct {
	mu     sync.Mutex
	err    error
	words  string
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

// ended notes the error of a connection through ssh.
func (d *dialing) ended(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = true
	// "command [ssh …] has exited with exit status 255, …: stderr=WORDS"
	if _, words, ok := strings.Cut(err.Error(), "stderr="); ok {
		d.words = clean(words)
	}
}

func (d *dialing) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.words
}

func (d *dialing) broke() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// ssh dials with the ssh program. The engine's own command line at the other
// end passes on what it gets to its socket.
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

// sshHost is what to call ssh with, to try it by hand.
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

// sshConn notes why it ends.
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
	if err != nil { // ssh is gone; only a read waits for it and knows why
		if _, why := c.Conn.Read(make([]byte, 1)); why != nil {
			c.d.ended(why)
		}
	}
	return n, err
}
