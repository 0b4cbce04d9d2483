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

// TestHold sends signals while the program holds back interrupts, as it does while a
// pager has the terminal: SIGINT is ignored, any other signal ends the program.
func TestHold(t *testing.T) { proctest.Alone(t, func() { hold(t) }) }

// hold sends signals to its own process.
func hold(t *testing.T) {
	// This is never stopped, so that a late signal does not end the test.
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
