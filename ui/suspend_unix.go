//go:build unix

package ui

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// suspend gives the terminal back and stops the process's group, as ctrl-z does
// elsewhere, until its shell continues it. kill may return before the process
// stops, so that only SIGCONT says that it is over. The kernel ignores the
// signal where no shell could continue the group: then SIGCONT never comes.
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

// continued takes the terminal again whenever the process was stopped and goes
// on, whoever stopped it: the shell had the terminal in between, and has set its
// modes.
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

// retake takes the terminal unless it is as it was, and draws everything again.
func (s *session) retake() {
	if s.tty.taken() {
		s.screen.Sync()
	} else {
		s.app.Suspend(func() {})
	}
}
