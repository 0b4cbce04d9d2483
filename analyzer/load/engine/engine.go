// Package engine talks to the engines that have images: docker, and podman
// through its docker-compatible socket.
//
// Connect finds an engine where its own command line would: in the
// environment, in the engine's configuration (docker's contexts, podman's
// connections), at the sockets it listens on by default. Find and List tell
// what images it has, Save streams one as the archive that "docker save"
// writes. HTTP and the API's types are github.com/moby/moby/client's, contexts
// and the connection through ssh github.com/docker/cli's.
//
// An error is one line that names the endpoint, what happened and what can be
// done. What it cites of an answer is bounded and has no control characters.
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

// Kind is the engine that is asked for.
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

// Options for Connect. The zero value is the user's own environment.
type Options struct {
	Getenv func(string) string // nil is os.Getenv
	Home   string              // "" is the user's
	// Idle is how long an engine may send nothing; 0 is a minute. The wait for
	// the first byte of a save doesn't count while the engine answers a ping:
	// docker puts an image together first, 26 seconds for one of 2.4 GB.
	Idle time.Duration
	// Probe is how long a socket that nobody named may take for its first
	// answer; 0 is 5 seconds.
	Probe time.Duration

	root string // what stands for "/" where sockets and system files are looked for
}

const (
	probe = 5 * time.Second
	idle  = time.Minute
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
	Kind     Kind   // as it was asked for
	Endpoint string // where it is, as a URL
	// Local says that it is reached through a socket in the file system. Its
	// folders may be elsewhere all the same: in a virtual machine, or below
	// another root.
	Local bool

	at   endpoint
	api  *client.Client
	dial *dialing
	idle time.Duration
}

// Version of the API that is spoken, such as "1.45".
func (e *Engine) Version() string { return e.api.ClientVersion() }

func (e *Engine) Close() error { return e.api.Close() }

// Connect finds the engine of that kind. A *UnavailableError says that there is
// none; any other error, that what there is can't be used.
func Connect(ctx context.Context, kind Kind, opt Options) (*Engine, error) {
	find := dockerEndpoints
	if kind == Podman {
		find = podmanEndpoints
	}
	opt.Idle = cmp.Or(opt.Idle, idle)
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

// configured reads the engine's configuration. Files can block, as a named pipe
// does: a read that takes too long is left behind.
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
		return nil, &endpointError{fmt.Sprintf("reading its configuration: nothing came for %v", opt.Idle), ErrSilent}
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
		wait = min(wait, cmp.Or(opt.Probe, probe))
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
		err = e.unavailable(&endpointError{fmt.Sprintf("nothing came for %v", wait), ErrSilent})
	default:
		err = e.reach(err)
	}
	return nil, errors.Join(err, e.api.Close())
}

// Storage is where an engine keeps its images, and how.
type Storage struct {
	// Kind is what the engine really is: docker's socket may be podman's.
	Kind    Kind
	Version string
	// Driver is "overlay2", "overlay", "vfs" and such; with the containerd
	// store, a snapshotter's name.
	Driver string
	// Content says that the images are in containerd's content store.
	Content bool
	// Root is docker's data folder or podman's graph root, in the engine's
	// file system.
	Root string
}

// Storage asks the engine for its storage.
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

// watch gives up what takes longer than the idle time.
func (e *Engine) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	t := time.AfterFunc(e.idle, func() { cancel(e.silence()) })
	return ctx, func() {
		t.Stop()
		cancel(nil)
	}
}

func (e *Engine) silence() error {
	return e.hint(fmt.Sprintf("nothing came for %v", e.idle), ErrSilent)
}
