package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Stream is an archive, or a container's files, that arrives. Its errors say what became of the engine.
type Stream struct {
	e      *Engine
	name   string
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   *time.Timer // runs while a read waits
	n      int64
	last   []byte // of what came, at most maxSaid
	err    error  // once there is one
}

// maxSaid is how long an error inside of a stream may be.
const maxSaid = 4 << 10

// Save asks for the image as an archive; the caller closes it. Nothing of it is
// kept. Save returns when the engine begins to answer, which can take as long
// as the image takes to be put together. The image is asked for by its name:
// what comes may be another image than Find found, when the name has been given
// away in between.
func (e *Engine) Save(ctx context.Context, img Image) (*Stream, error) {
	var options []client.ImageSaveOption
	if img.platform != nil {
		options = append(options, client.ImageSaveWithPlatforms(*img.platform))
	}
	s, err := e.begin(ctx, img.Name, func(ctx context.Context) (io.ReadCloser, error) {
		return e.api.ImageSave(ctx, []string{img.Name}, options...)
	})
	switch {
	case err == nil, ctx.Err() != nil, errors.As(err, new(*endpointError)):
		return s, err
	case errdefs.IsNotFound(err) && img.platform != nil:
		want := img.platform.OS + "/" + img.platform.Architecture
		return nil, &PlatformError{Kind: e.Kind, Name: img.Name, Want: want}
	case errdefs.IsNotFound(err):
		return nil, &NoImageError{Kind: e.Kind, Endpoint: e.Endpoint, Name: img.Name}
	}
	return nil, e.ask(ctx, "saving "+clean(img.Name), err)
}

// begin asks for a stream of what has that name, and gives it up where nothing
// comes.
func (e *Engine) begin(ctx context.Context, name string, ask func(context.Context) (io.ReadCloser, error)) (*Stream, error) {
	s := &Stream{e: e, name: name}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.idle = time.AfterFunc(e.idle, func() { s.cancel(e.silence()) })
	stop := s.wait()
	body, err := ask(s.ctx)
	stop()
	if err != nil {
		defer s.cancel(nil)
		if s.ctx.Err() != nil {
			err = context.Cause(s.ctx)
		}
		return nil, err
	}
	s.body = body
	return s, nil
}

func (s *Stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	stop := s.wait()
	n, err := s.body.Read(p)
	stop()
	s.n += int64(n)
	s.keep(p[:n])
	if err == nil {
		return n, nil
	}
	s.err = s.explain(err)
	return n, s.err
}

// wait gives up what is waited for until stop is called, when nothing comes for
// the idle time. Before the first byte an answer to a ping is something: nobody
// knows how long the engine takes to put the image together.
func (s *Stream) wait() (stop func()) {
	s.idle.Reset(s.e.idle)
	if s.n > 0 {
		return func() { s.idle.Stop() }
	}
	return s.e.awake(s.ctx, s.idle)
}

// awake keeps the timer from running out while the engine answers pings, until
// stop is called; the timer is stopped then.
func (e *Engine) awake(ctx context.Context, idle *time.Timer) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(max(e.idle/2, 1))
		defer every.Stop()
		for {
			select {
			case <-every.C:
				if _, err := e.api.Ping(ctx, client.PingOptions{}); err == nil {
					idle.Reset(e.idle)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
		idle.Stop()
	}
}

// explain is why the stream ended with that error.
func (s *Stream) explain(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if said := s.said(); said != nil {
		return said
	}
	switch {
	case err != io.EOF:
		return s.e.hint(fmt.Sprintf("the connection broke %d bytes into %s: %s; is the engine still running?",
			s.n, clean(s.name), clean(err.Error())), err)
	case s.n == 0:
		return s.e.hint("it answered with nothing instead of "+clean(s.name), io.ErrUnexpectedEOF)
	}
	return io.EOF
}

// Close ends the save.
func (s *Stream) Close() error {
	s.idle.Stop()
	s.cancel(nil)
	return s.body.Close()
}

// Said reads what is left, if that is little, and is what the engine says went
// wrong: it may have begun to answer before it knew, and then its error stands
// where the archive should go on. Nil when it says nothing. Read says the same
// to whoever reads to the end.
func (s *Stream) Said() error {
	_, err := io.CopyN(io.Discard, s, 2*maxSaid)
	if err != nil && err != io.EOF && !errors.Is(err, context.Canceled) {
		return err
	}
	return s.said()
}

func (s *Stream) keep(p []byte) {
	s.last = append(s.last, p[max(0, len(p)-maxSaid):]...)
	if extra := len(s.last) - maxSaid; extra > 0 {
		s.last = append(s.last[:0], s.last[extra:]...)
	}
}

// said is the error that stands at the end of what came. An archive ends with
// zeros.
func (s *Stream) said() error {
	end := bytes.TrimSpace(s.last)
	if !bytes.HasSuffix(end, []byte("}")) {
		return nil
	}
	for _, begin := range []string{`{"errorDetail":`, `{"message":`, `{"cause":`, `{"error":`} {
		i := bytes.LastIndex(end, []byte(begin))
		if i < 0 {
			continue
		}
		var said struct {
			Error, Message string
			ErrorDetail    struct{ Message string }
		}
		if json.Unmarshal(end[i:], &said) != nil {
			continue // a part of the image that looks like it
		}
		for _, words := range []string{said.ErrorDetail.Message, said.Message, said.Error} {
			if words != "" {
				return s.e.hint("saving "+clean(s.name)+": "+clean(words), errors.New(words))
			}
		}
	}
	return nil
}
