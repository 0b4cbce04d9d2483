//go:build unix

package ui

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// suspend gives the terminal back and stops the process group, as ctrl-z does in
// other programs, until the shell continues it. kill may return before the process
// stops, so suspend waits for SIGCONT. If there is no shell that could continue the
// group, the kernel ignores SIGTSTP and SIGCONT never comes: hence the timeout.
func (s *session) suspend() {
	s.app.Suspend(func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGCONT)
		defer signal.Stop(c)
		_ = syscall.Kill(0, syscall.SIGTSTP)
		select {
		case <-c:
		case <-time.After(time.Second):
		}
	})
}

// continued takes the terminal again each time the process continues after a stop,
// whether by suspend or from outside. The shell may have changed the terminal's modes
// in between.
func (s *session) continued() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGCONT)
	defer signal.Stop(c)
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-c:
			select {
			case s.updates <- s.retake:
			case <-s.ctx.Done():
			}
		}
	}
}

// retake takes the terminal again if its modes have changed, and redraws the screen.
func (s *session) retake() {
	if s.tty.taken() {
		s.screen.Sync()
	} else {
		s.app.Suspend(func() {})
	}
}
