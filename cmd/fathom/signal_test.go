//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
)

// While a pager has the terminal ctrl-c is for it; every other signal ends the
// program as ever.
func TestHold(t *testing.T) {
	// Signals that arrive after the end must not end the tests: this stays.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM)
	var held atomic.Int32
	held.Store(1)
	ctx, stop := withSignals(t.Context(), &held)
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
