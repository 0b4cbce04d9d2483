//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"fathom/analyzer/proctest"
)

// While a pager has the terminal ctrl-c is for the pager; every other signal
// ends the program as usual.
func TestHold(t *testing.T) { proctest.Alone(t, func() { hold(t) }) }

// hold sends signals to its own process.
func hold(t *testing.T) {
	// Signals that arrive after the end must not end the test: this stays.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM)
	var s signals
	s.hold()
	ctx, stop := s.context(t.Context(), func(signalError) {})
	defer stop()
	for ctx.Err() == nil {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
				t.Fatal(err)
			}
		}
	}
	var sig signalError
	if !errors.As(context.Cause(ctx), &sig) || sig.sig != syscall.SIGTERM {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
}
