// Package engine talks to the engines that have images: docker, and podman
// through its docker-compatible socket.
//
// Connect finds an engine where the engine's command line would: in the
// environment, in the engine's configuration (docker's contexts, podman's
// connections), at its default sockets. Find and List look for images, Save
// streams one as the archive that "docker save" writes. HTTP and the types of the
// API come from github.com/moby/moby/client, contexts and connections through
// ssh from github.com/docker/cli.
//
// An error is one line that names the endpoint, what happened and what can be
// done. What it quotes of a response is short and has no control characters.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// Kind is a kind of engine.
type Kind int

const (
	Docker Kind = iota
	Podman
)

func (k Kind) String() string {
	if k == Podman {
		return "podman"
	}
	return "docker"
}

// Options for Connect. The zero value means the environment of the process.
type Options struct {
	Getenv func(string) string // nil means os.Getenv
	Home   string              // "" means the user's
	// Idle is how long an engine may send nothing; 0 means a minute. The wait
	// for the first byte of a save doesn't count while the engine answers
	// pings: docker first assembles the archive, 26 seconds for 2.4 GB.
	Idle time.Duration
	// Probe is how long a default socket may take for its first response; 0
	// means 5 seconds.
	Probe time.Duration

	root string // stands for "/" in the paths of sockets and system files
}

const (
	defaultProbe = 5 * time.Second
	defaultIdle  = time.Minute
)

// ErrSilent is the cause of an error about an engine that sent nothing for as
// long as Options.Idle.
var ErrSilent = errors.New("the engine sent nothing")

func (o Options) env(name string) string {
	if o.Getenv == nil {
		return os.Getenv(name)
	}
	return o.Getenv(name)
}

func (o Options) home() string {
	if o.Home != "" {
		return o.Home
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}

// Engine is a connection to an engine that has answered.
type Engine struct {
	Kind     Kind   // that Connect was asked for
	Endpoint string // its URL
	// Local says that the endpoint is a socket in the file system. The engine's
	// folders may still be elsewhere: in a virtual machine, or below another
	// root.
	Local bool

	at   endpoint
	api  *client.Client
	dial *dialing
	idle time.Duration
}

// Version returns the negotiated version of the API, such as "1.45".
func (e *Engine) Version() string { return e.api.ClientVersion() }

func (e *Engine) Close() error { return e.api.Close() }

// Connect finds the engine of that kind. If there is none it returns an
// *UnavailableError; any other error means that there is one that can't be used.
func Connect(ctx context.Context, kind Kind, opt Options) (*Engine, error) {
	find := dockerEndpoints
	if kind == Podman {
		find = podmanEndpoints
	}
	opt.Idle = cmp.Or(opt.Idle, defaultIdle)
	places, err := configured(ctx, opt, find)
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", kind, err)
	}
	gone := &UnavailableError{Kind: kind}
	for _, at := range places {
		e, err := open(ctx, kind, at, opt)
		if err == nil {
			return e, nil
		}
		var one *UnavailableError
		switch {
		case ctx.Err() != nil:
			return nil, err
		case at.last:
			one = &UnavailableError{Tried: []string{clean(at.url)}, Err: err}
		case at.from != "" || !errors.As(err, &one):
			return nil, err
		}
		gone.add(one)
	}
	return nil, gone
}

// configured reads the engine's configuration. A file can block, if it is a named
// pipe: after Options.Idle, configured returns without the read.
func configured(ctx context.Context, opt Options, find func(Options) ([]endpoint, error)) ([]endpoint, error) {
	type found struct {
		places []endpoint
		err    error
	}
	done := make(chan found, 1)
	go func() {
		places, err := find(opt)
		done <- found{places, err}
	}()
	late := time.NewTimer(opt.Idle)
	defer late.Stop()
	select {
	case f := <-done:
		return f.places, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-late.C:
		return nil, &endpointError{fmt.Sprintf("reading its configuration: nothing was received for %v", opt.Idle), ErrSilent}
	}
}

// open connects to one endpoint.
func open(ctx context.Context, kind Kind, at endpoint, opt Options) (*Engine, error) {
	e := &Engine{
		Kind: kind, Endpoint: clean(at.url), Local: strings.HasPrefix(at.url, "unix://"),
		at: at, idle: opt.Idle,
	}
	wait := opt.Idle
	if at.from == "" || at.last {
		wait = min(wait, cmp.Or(opt.Probe, defaultProbe))
	}
	var err error
	if e.api, e.dial, err = at.client(opt); err != nil {
		return nil, e.fail("reaching it", err)
	}
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	pong, err := e.api.Ping(short, client.PingOptions{NegotiateAPIVersion: true})
	switch {
	case err == nil && pong.APIVersion == "":
		err = e.hint("something answers there, but not an engine", nil)
	case err == nil:
		return e, nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case short.Err() != nil:
		err = e.unavailable(&endpointError{fmt.Sprintf("nothing was received for %v", wait), ErrSilent})
	default:
		err = e.reach(err)
	}
	return nil, errors.Join(err, e.api.Close())
}

// Storage says where and how an engine keeps its images.
type Storage struct {
	// Kind is the real kind of the engine: podman may listen on docker's socket.
	Kind    Kind
	Version string
	// Driver is the graph driver, such as "overlay2"; with the containerd store
	// the snapshotter.
	Driver string
	// Content says that the images are in containerd's content store.
	Content bool
	// Root is docker's data folder or podman's graph root, in the engine's
	// file system.
	Root string
}

// Storage asks the engine where and how it keeps its images.
func (e *Engine) Storage(ctx context.Context) (Storage, error) {
	ctx, stop := e.watch(ctx)
	defer stop()
	version, err := e.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Storage{}, e.ask(ctx, "asking for its version", err)
	}
	info, err := e.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return Storage{}, e.ask(ctx, "asking for its storage", err)
	}
	s := Storage{Version: version.Version, Driver: info.Info.Driver, Root: info.Info.DockerRootDir}
	for _, c := range version.Components {
		if c.Name == "Podman Engine" {
			s.Kind = Podman
		}
	}
	s.Content = slices.ContainsFunc(info.Info.DriverStatus, func(d [2]string) bool {
		return d[0] == "driver-type" && strings.HasPrefix(d[1], "io.containerd.")
	})
	return s, nil
}

// watch returns a context that is cancelled after the idle time.
func (e *Engine) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	t := time.AfterFunc(e.idle, func() { cancel(e.silence()) })
	return ctx, func() {
		t.Stop()
		cancel(nil)
	}
}

func (e *Engine) silence() error {
	return e.hint(fmt.Sprintf("nothing was received for %v", e.idle), ErrSilent)
}
