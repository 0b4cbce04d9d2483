package engine

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/docker/cli/cli/connhelper/ssh"
	"github.com/docker/go-connections/sockets"
	"github.com/moby/moby/client"
)

// endpoint is where an engine may be.
type endpoint struct {
	kind Kind
	url  string // unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST
	// from says where it is configured, such as "DOCKER_HOST"; "" means that it
	// is a default socket.
	from string
	// last marks a configured endpoint that is tried after the default sockets
	// and may fail.
	last     bool
	tls      *tls.Config       // for tcp; nil for none
	identity string            // a key file for ssh, or ""
	headers  map[string]string // sent with every request
}

func (at endpoint) remote() bool { return strings.HasPrefix(at.url, "ssh://") }

// newEndpoint checks a configured address.
func newEndpoint(kind Kind, from, address string, secure *tls.Config) (endpoint, error) {
	wrong := fmt.Errorf("%s is %q; it must be unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST", from, clean(address))
	if !strings.Contains(address, "://") {
		address = "tcp://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return endpoint{}, wrong
	}
	at := endpoint{kind: kind, from: from, url: address, tls: secure}
	switch u.Scheme {
	case "unix":
		p := strings.TrimPrefix(address, "unix://")
		if !filepath.IsAbs(p) {
			return endpoint{}, wrong
		}
		at.tls = nil
	case "tcp":
		if u.Hostname() == "" {
			return endpoint{}, wrong
		}
		if u.Port() == "" {
			port := "2375"
			if secure != nil {
				port = "2376"
			}
			u.Host = net.JoinHostPort(u.Hostname(), port)
		}
		at.url = (&url.URL{Scheme: "tcp", Host: u.Host, Path: u.Path}).String()
	case "ssh":
		if _, err := ssh.NewSpec(u); err != nil {
			return endpoint{}, fmt.Errorf("%s: %w", from, err)
		}
	case "npipe":
		if runtime.GOOS != "windows" {
			return endpoint{}, wrong
		}
	default:
		return endpoint{}, wrong
	}
	return at, nil
}

// client prepares a client without connecting.
func (at endpoint) client(opt Options) (*client.Client, *dialing, error) {
	host, scheme := at.url, "http"
	if at.remote() {
		host = "tcp://engine.localhost" // a placeholder: it is never resolved
	}
	if at.tls != nil {
		scheme = "https"
	}
	u, err := client.ParseHostURL(host)
	if err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{TLSClientConfig: at.tls}
	if err := sockets.ConfigureTransport(transport, u.Scheme, u.Host); err != nil {
		return nil, nil, err
	}
	transport.DisableCompression = true
	d := &dialing{}
	dial := transport.DialContext
	if at.remote() {
		transport.Proxy = nil
		if dial, err = at.ssh(d, opt); err != nil {
			return nil, nil, err
		}
	}
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		d.note(err)
		return conn, err
	}
	api, err := client.New(
		client.WithHost(host), // before WithHTTPClient, whose transport it would change
		client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}),
		client.WithScheme(scheme),
		client.WithAPIVersion(opt.env("DOCKER_API_VERSION")),
		client.WithUserAgent("fathom"),
		client.WithHTTPHeaders(at.headers),
	)
	return api, d, err
}
