package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
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

const (
	grace     = 2 * time.Second        // from a signal to the end of the program
	lastGrace = 200 * time.Millisecond // from a second signal
)

// signals delivers signals to the program.
type signals struct {
	caught chan os.Signal
	held   atomic.Int32           // while above zero, ctrl-c is for another program
	undo   atomic.Pointer[func()] // what the program must undo before it ends; nil for nothing
}

// hold keeps a SIGINT from ending the program until release is called.
func (s *signals) hold() (release func()) {
	s.held.Add(1)
	return func() { s.held.Add(-1) }
}

// taken adds giveBack to what force calls, the newest first, until release is called.
// It gives the terminal back, or ends something that would outlive the program. The
// last one added is released first.
func (s *signals) taken(giveBack func()) (release func()) {
	older := s.undo.Load()
	undo := func() {
		giveBack()
		if older != nil {
			(*older)()
		}
	}
	s.undo.Store(&undo)
	return func() { s.undo.Store(older) }
}

// interrupt does what SIGINT does. While the explorer has the terminal, ctrl-c is a
// key and sends no signal.
func (s *signals) interrupt() {
	select {
	case s.caught <- os.Interrupt:
	default:
	}
}

// context returns a context that SIGINT, SIGTERM and SIGHUP cancel, so that running
// work can clean up. Some work does not watch its context: force is called after
// grace, or lastGrace after a second signal, unless stop was called by then. SIGPIPE
// becomes an error of the write that caused it.
func (s *signals) context(parent context.Context, force func(signalError)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	s.caught = make(chan os.Signal, 1)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) { // nohup ignores SIGHUP
			signal.Notify(s.caught, sig)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // ignoring it would make child processes ignore it too
	stopped := make(chan struct{})
	go func() {
		defer signal.Stop(s.caught)
		first, ok := s.next(stopped, nil)
		if !ok {
			return
		}
		cancel(first)
		second, ok := s.next(stopped, time.After(grace))
		if second.sig != nil {
			_, ok = s.next(stopped, time.After(lastGrace))
		}
		if ok {
			force(first)
		}
	}()
	return ctx, func() {
		close(stopped)
		cancel(nil)
	}
}

// next waits for a signal or for late. It returns false if stopped is closed first.
func (s *signals) next(stopped <-chan struct{}, late <-chan time.Time) (signalError, bool) {
	for {
		select {
		case sig := <-s.caught:
			if sig != syscall.SIGINT || s.held.Load() == 0 {
				return signalError{sig}, true
			}
		case <-late:
			return signalError{}, true
		case <-stopped:
			return signalError{}, false
		}
	}
}
