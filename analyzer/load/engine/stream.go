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

// Stream is the body of a response: an archive, or the files of a container. Its
// errors name the engine.
type Stream struct {
	e      *Engine
	name   string
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   *time.Timer // runs while a read waits
	n      int64
	last   []byte // the last bytes that were read, at most maxSaid
	err    error  // of Read, which repeats it
}

// maxSaid is the limit for an error inside of a stream, in bytes.
const maxSaid = 4 << 10

// Save asks for the image as an archive; the caller closes it. Save returns when
// the engine starts to respond, which can take as long as it needs to assemble
// the archive. Save uses the image's name: if that was moved to another image
// since Find, the archive holds the other one.
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

// begin starts a request for a stream, and cancels it if nothing is received for
// the idle time.
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

// wait cancels the stream unless stop is called within the idle time. Before the
// first byte, each response to a ping starts that time again: the engine may need
// long to assemble the archive.
func (s *Stream) wait() (stop func()) {
	s.idle.Reset(s.e.idle)
	if s.n > 0 {
		return func() { s.idle.Stop() }
	}
	return s.e.keepAwake(s.ctx, s.idle)
}

// keepAwake resets the timer whenever the engine answers a ping. stop ends that
// and stops the timer.
func (e *Engine) keepAwake(ctx context.Context, idle *time.Timer) (stop func()) {
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

// explain returns the error for a stream that ended with err.
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
		return s.e.hint("it sent nothing for "+clean(s.name), io.ErrUnexpectedEOF)
	}
	return io.EOF
}

// Close ends the request.
func (s *Stream) Close() error {
	s.idle.Stop()
	s.cancel(nil)
	return s.body.Close()
}

// Said returns the error that the engine wrote into the stream, or nil. An engine
// may start an archive before it fails; its error then follows the bytes of the
// archive. Said reads the rest of the stream if that is short. Read returns the
// same error at the end.
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

// said returns the error at the end of what was read. An archive ends with zeros.
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
