package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ sig os.Signal }

func (e signalError) Error() string {
	if e.sig == syscall.SIGINT {
		return "interrupted"
	}
	return "ended by a signal: " + e.sig.String()
}

func (e signalError) exitCode() int {
	if n, ok := e.sig.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitError
}

// withSignals is a context that SIGINT, SIGTERM and SIGHUP end, so that
// everything cleans up behind itself; a second one ends the process at once.
// SIGPIPE becomes an error of the write that caused it. While held is above
// zero a SIGINT ends nothing: ctrl-c is meant for another program then.
func withSignals(parent context.Context, held *atomic.Int32) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	caught := make(chan os.Signal, 1)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) { // as nohup wants it
			signal.Notify(caught, sig)
		}
	}
	signal.Ignore(syscall.SIGPIPE)
	stopped := make(chan struct{})
	go func() {
		defer signal.Stop(caught)
		for {
			select {
			case sig := <-caught:
				if sig == syscall.SIGINT && held.Load() > 0 {
					continue
				}
				cancel(signalError{sig})
			case <-stopped:
			}
			return
		}
	}()
	return ctx, func() {
		close(stopped)
		cancel(nil)
	}
}
