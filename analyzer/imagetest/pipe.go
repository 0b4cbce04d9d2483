package imagetest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
)

// Pipe serves h without a network until the test ends, and returns a function that
// dials it. In a testing/synctest bubble both ends use the bubble's clock.
func Pipe(t testing.TB, h http.Handler) func(ctx context.Context, network, address string) (net.Conn, error) {
	l := pipes{make(chan net.Conn), make(chan struct{})}
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case l.conns <- there:
			return here, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.done:
			return nil, net.ErrClosed
		}
	}
}

// pipes is a net.Listener of pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l pipes) Close() error {
	close(l.done)
	return nil
}

func (l pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
