package engine

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Container is a container that an engine has.
type Container struct {
	ID, Name string
	Image    string // ID of the image it was made from
}

// Container finds a container by its name, its ID or a prefix of that. It returns
// a *NoImageError if there is none.
func (e *Engine) Container(ctx context.Context, name string) (Container, error) {
	ctx, stop := e.watch(ctx)
	defer stop()
	found, err := e.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) || errdefs.IsInvalidArgument(err) {
		return Container{}, &NoImageError{Kind: e.Kind, Endpoint: e.Endpoint, Name: name}
	}
	if err != nil {
		return Container{}, e.ask(ctx, "asking for the container "+clean(name), err)
	}
	c := found.Container
	if c.ID == "" || !hexID.MatchString(c.Image) {
		return Container{}, e.hint("it does not say which image the container "+clean(name)+" was made from", nil)
	}
	return Container{ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Image: fullID(c.Image)}, nil
}

// Changes returns the paths that the container changed; the value is false for a
// path that it removed. The parents of a path may be among them.
func (e *Engine) Changes(ctx context.Context, c Container) (map[string]bool, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(e.idle, func() { cancel(e.silence()) })
	defer e.keepAwake(ctx, idle)() // an engine may have to compare all files
	found, err := e.api.ContainerDiff(ctx, c.ID, client.ContainerDiffOptions{})
	if err != nil {
		return nil, e.ask(ctx, "asking what the container "+clean(c.Name)+" changed", err)
	}
	all := make(map[string]bool, len(found.Changes))
	for _, change := range found.Changes {
		all[path.Clean("/"+change.Path)] = change.Kind != container.ChangeDelete
	}
	return all, nil
}

// Export streams all files of the container as a tar; the caller closes it.
func (e *Engine) Export(ctx context.Context, c Container) (*Stream, error) {
	s, err := e.begin(ctx, c.Name, func(ctx context.Context) (io.ReadCloser, error) {
		return e.api.ContainerExport(ctx, c.ID, client.ContainerExportOptions{})
	})
	if err != nil && ctx.Err() == nil && !errors.As(err, new(*endpointError)) {
		err = e.ask(ctx, "exporting "+clean(c.Name), err)
	}
	return s, err
}
